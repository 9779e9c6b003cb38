# portable
"""`firmware.access.visitor`: codes that open for whoever was given one, and for nobody else."""

from firmware.access import visitor

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
MADE = (KEY, 4711, 1_800_000_000, 1_800_086_400, 3, ["front-in", "yard-in"])


def _fails(call: "object", *args: object) -> str:
    try:
        call(*args)  # type: ignore[operator]
    except ValueError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def test_a_code_says_who_it_lets_in_where_when_and_how_often() -> None:
    text = visitor.make_qr(*MADE)
    assert text.startswith("DW1:")
    assert all(letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:" for letter in text)
    key = visitor.read_qr(KEY, text)
    assert key is not None
    assert (key.id, key.holder, key.state, key.visit) == (None, None, "active", "4711")
    assert (key.valid_from_s, key.valid_to_s, key.uses) == (1_800_000_000, 1_800_086_400, 3)
    assert key.levels == ("@front-in", "@yard-in")
    assert not key.extended
    assert not key.override
    assert not key.acknowledges
    everywhere = visitor.read_qr(KEY, visitor.make_qr(KEY, 1, 0, 1, 1, None))
    assert everywhere is not None
    assert everywhere.levels == ("@*",)


def test_a_code_is_one_text_for_ever() -> None:
    """What hosts of today make must be read by controllers of tomorrow, and the other way round."""
    assert visitor.make_qr(KEY, 7, 1_800_000_000, 1_800_086_400, 1, ["front-in"]) == (
        "DW1:AEAAAAAHNNE5EADLJMRYAAIBBBTHE33OOQWWS3W6GRIDK32IH5FKSBUB746FTMVV"
    )
    assert visitor.make_digits(KEY, "front-in", 20_777, 0) == "80874114"


def test_no_letter_of_a_code_can_be_another() -> None:
    text = visitor.make_qr(*MADE)
    for at in range(len(text)):
        for letter in ("A", "B", "7", "a", "=", "\u00e9"):
            if text[at] != letter:
                assert visitor.read_qr(KEY, text[:at] + letter + text[at + 1 :]) is None
    for changed in (text[:-1], text + "A", text + "=", text.lower(), " " + text, "DW1:", ""):
        assert visitor.read_qr(KEY, changed) is None


def test_a_code_of_another_controller_is_nobodys() -> None:
    assert visitor.read_qr(OTHER, visitor.make_qr(*MADE)) is None


def test_claims_that_contradict_themselves_are_no_code_even_under_the_key() -> None:
    from firmware.access import pin

    def signed(claims: bytes) -> str:
        mac = pin.keyed(KEY, b"doorward visitor code\n" + claims)[:16]
        return "DW1:" + visitor._base32(claims + mac)

    begin, end = b"\0\0\0\1", b"\0\0\0\2"
    right = b"\1" + b"\0\0\0\7" + begin + end + b"\1" + b"\1" + b"\4door"
    assert visitor.read_qr(KEY, signed(right)) is not None
    for wrong in (
        b"\2" + right[1:],  # another version
        right[:5] + end + begin + right[13:],
        right[:5] + end + end + right[13:],
        right[:13] + b"\0" + right[14:],  # no use
        right[:14] + b"\2" + right[15:],  # one place too few
        right + b"x",
        right[:-1],
        right[:15] + b"\0",
        right[:16] + b"\xff\xff\xff\xff",
        right[:16] + b"DOOR",
    ):
        assert visitor.read_qr(KEY, signed(wrong)) is None


def test_what_no_code_can_carry_is_named() -> None:
    assert "serial" in _fails(visitor.make_qr, KEY, -1, 0, 1, 1, None)
    assert "serial" in _fails(visitor.make_qr, KEY, 2**32, 0, 1, 1, None)
    assert "validity" in _fails(visitor.make_qr, KEY, 1, 5, 5, 1, None)
    assert "validity" in _fails(visitor.make_qr, KEY, 1, 5, 2**32, 1, None)
    assert "uses" in _fails(visitor.make_qr, KEY, 1, 0, 1, 0, None)
    assert "uses" in _fails(visitor.make_qr, KEY, 1, 0, 1, 256, None)
    assert "access points" in _fails(visitor.make_qr, KEY, 1, 0, 1, 1, [])
    assert "access points" in _fails(visitor.make_qr, KEY, 1, 0, 1, 1, ["a"] * 9)
    assert "no name" in _fails(visitor.make_qr, KEY, 1, 0, 1, 1, ["Front"])
    assert "no name" in _fails(visitor.make_qr, KEY, 1, 0, 1, 1, ["a" * 33])
    assert "index" in _fails(visitor.make_digits, KEY, "front-in", 1, 32)


def test_the_longest_code_can_be_shown_to_a_reader() -> None:
    names = ["%031d" % n + "x" for n in range(8)]
    text = visitor.make_qr(KEY, 2**32 - 1, 0, 2**32 - 1, 255, names)
    assert len(text) <= visitor.LONGEST_TEXT
    key = visitor.read_qr(KEY, text)
    assert key is not None
    assert key.levels == tuple("@" + name for name in names)


def test_eight_digits_open_one_access_point_on_one_day_once() -> None:
    codes = [visitor.make_digits(KEY, "front-in", 20_777, n) for n in range(32)]
    assert len(set(codes)) == 32
    for index, digits in enumerate(codes):
        assert len(digits) == 8
        found = visitor.find_digits(KEY, "front-in", 20_777, digits, 100, 200)
        assert found is not None
        assert found.visit == "front-in/20777/%d" % index
        assert (found.id, found.uses, found.levels) == (None, 1, ("@front-in",))
        assert (found.valid_from_s, found.valid_to_s) == (100, 200)
        assert visitor.find_digits(KEY, "yard-in", 20_777, digits, 100, 200) is None
        assert visitor.find_digits(KEY, "front-in", 20_778, digits, 100, 200) is None
        assert visitor.find_digits(OTHER, "front-in", 20_777, digits, 100, 200) is None
        assert visitor.find_digits(KEY, "front-in", 20_777, digits[:7], 100, 200) is None
