# portable
"""`firmware.wire.card_number`: what is printed on a card, and its bits."""

from firmware.wire import card_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _refusal(text: str, take: "Callable[[str], str]" = card_number.parse) -> str:
    try:
        take(text)
    except ValueError as error:
        return str(error)
    raise AssertionError("%s was taken" % text)


def test_a_number_is_written_with_its_full_width() -> None:
    assert card_number.parse("w26:12:567") == "w26:012:00567"
    assert card_number.parse("w34:6547886") == "w34:0006547886"
    assert card_number.parse("w37:1") == "w37:00000000001"


def test_a_canonical_number_is_its_own_canonical_form() -> None:
    for number in (
        "w26:012:34567",
        "w34:1234567890",
        "w37:34359738367",
        "uid:04A1B2C3D4E5F6",
        "uid:04A1B2C3D4E5F6000102",
    ):
        assert card_number.parse(number) == number


def test_superfluous_zeros_and_small_letters_make_no_other_card() -> None:
    assert card_number.parse("w26:0012:034567") == "w26:012:34567"
    assert card_number.parse(" uid:04a1b2c3d4e5f6\n") == "uid:04A1B2C3D4E5F6"


def test_a_four_byte_uid_and_the_w34_of_its_bytes_are_one_credential() -> None:
    assert card_number.parse("uid:04A1B2C3") == "w34:0077705923"  # 0x04A1B2C3, first byte highest
    assert card_number.parse("uid:00000001") == "w34:0000000001"
    assert card_number.parse("uid:01000000") == "w34:0016777216"
    assert card_number.parse("uid:FFFFFFFF") == "w34:4294967295"


def test_the_largest_number_of_each_format_is_taken_and_one_more_is_not() -> None:
    assert card_number.parse("w26:255:65535") == "w26:255:65535"
    assert card_number.parse("w34:4294967295") == "w34:4294967295"
    assert card_number.parse("w37:34359738367") == "w37:34359738367"
    assert _refusal("w26:256:0") == "card number: facility is too large; expected 0 to 255"
    assert _refusal("w26:0:65536") == "card number: number is too large; expected 0 to 65535"
    assert (
        _refusal("w34:4294967296") == "card number: number is too large; expected 0 to 4294967295"
    )
    assert _refusal("w37:34359738368") == (
        "card number: number is too large; expected 0 to 34359738367"
    )


def test_what_is_no_number_is_refused_and_said_so() -> None:
    for text in ("w26:1:", "w26:1", "w26:1:2:3", "w26:+1:2", "w26:-1:2", "w26:1:2 3", "w26:1:2_3"):
        assert "is not decimal; expected 0 to" in _refusal(text)
    for text in ("w34:", "w34:0x10", "w34:１２", "w34:٣", "w34:1.0", "w37:" + "0" * 40):
        assert "is not decimal; expected 0 to" in _refusal(text)


def test_twenty_digits_are_a_number_and_more_are_not() -> None:
    assert card_number.parse("w34:" + "0" * 19 + "1") == "w34:0000000001"
    assert "is not decimal" in _refusal("w34:" + "0" * 20 + "1")


def test_what_is_no_uid_is_refused() -> None:
    expected = "card number: not a uid; expected 4, 7 or 10 bytes as hex digits"
    for text in ("uid:", "uid:04A1B2", "uid:04A1B2C3D4", "uid:04A1B2C", "uid:04A1B2CG"):
        assert _refusal(text) == expected
    for text in ("uid:04 A1 B2 C3", "uid:0x04A1B2", "uid:" + "00" * 11, "uid:04A1B2C３"):
        assert _refusal(text) == expected


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    for text in ("", "w35:1", "W26:1:2", "1234567890", "04A1B2C3", ":", "w26"):
        assert _refusal(text)
    assert _refusal("w35:1") == (
        "card number: unknown form; expected w26:FFF:NNNNN, w34:NNNNNNNNNN, w37:NNNNNNNNNNN or uid:HEX"
    )


def test_no_refusal_tells_the_number() -> None:
    for text in ("w26:777:88888", "w34:99999999999", "uid:DEADBEEFX", "w55:424242"):
        for secret in ("777", "88888", "99999999999", "DEADBEEF", "424242"):
            assert secret not in _refusal(text)


def test_bits_of_a_number_are_read_back_as_that_number() -> None:
    for number in (
        "w26:000:00000",
        "w26:255:65535",
        "w26:118:01603",
        "w34:0000000000",
        "w34:4294967295",
        "w34:1234567890",
        "w37:00000000000",
        "w37:34359738367",
        "w37:00000131072",
    ):
        assert card_number.from_bits(card_number.to_bits(number)) == number


def test_a_four_byte_uid_goes_out_as_34_bits_first_byte_first() -> None:
    bits = card_number.to_bits("uid:04A1B2C3")
    assert len(bits) == 34
    assert bits[1:9] == "00000100"
    assert card_number.from_bits(bits) == "w34:0077705923"


def test_a_long_uid_has_no_wiegand_frame() -> None:
    for number in ("uid:04A1B2C3D4E5F6", "uid:04A1B2C3D4E5F6000102"):
        assert _refusal(number, card_number.to_bits) == (
            "card number: uid too long for Wiegand; expected 4 bytes, w26, w34 or w37"
        )


def test_bits_that_are_no_card_have_no_number() -> None:
    for bits in ("", "0", "0" * 25, "10" * 13, "?" * 26, "2" * 26, "0" * 64):
        assert card_number.from_bits(bits) is None
