# portable
"""`firmware.runtime.arguments`: what an argument may be, and that no message tells a value."""

from firmware.runtime.arguments import BadArgument, check, integer, many, name, one_of, text, utc

FIELDS = {"portal": (one_of(("front", "yard")), True), "uses": (integer(1, 100), False)}


def refused(test: "object", value: object) -> str:
    try:
        test(value)  # type: ignore[operator]
    except BadArgument as error:
        return str(error)
    raise AssertionError("taken")


def test_what_is_left_out_is_none_and_what_is_needed_is_named() -> None:
    assert check({"portal": "front"}, FIELDS) == {"portal": "front", "uses": None}
    wrong = refused(lambda args: check(args, FIELDS), {"uses": 3})
    assert wrong == "portal is missing; expected portal, uses"


def test_an_argument_that_is_not_known_is_named_if_it_can_be() -> None:
    wrong = refused(lambda args: check(args, FIELDS), {"portal": "front", "poral": 1})
    assert wrong == "poral is unknown; expected portal, uses"
    for odd in ("x" * 33, "a\nb", 7):
        wrong = refused(lambda args: check(args, FIELDS), {"portal": "front", odd: 1})
        assert wrong == "one is unknown; expected portal, uses"


def test_args_that_are_no_table_are_refused() -> None:
    wrong: list[object] = [None, [], "portal", 3, True]
    for args in wrong:
        assert "no table" in refused(lambda given: check(given, FIELDS), args)


def test_each_check_takes_its_own_and_nothing_else() -> None:
    assert one_of(("a", "b"))("b") == "b"
    assert integer(1, 10)(9) == 9
    assert text(3)("门 1") == "门 1"
    assert name(4)("a-1_") == "a-1_"
    assert many(integer(0, 5), 2)([1, 2]) == [1, 2]
    for test, wrong in (
        (one_of(("a", "b")), ("c", 1, None, ["a"], True)),
        (integer(1, 10), (0, 10, True, "1", 1.5, None)),
        (text(3), ("", "1234", "a\n", "\x7f", 3, None)),
        (name(4), ("", "abcde", "A", "a b", 3)),
        (many(integer(0, 5), 2), ([1, 2, 3], [9], "12", {"a": 1}, None)),
    ):
        for value in wrong:
            assert "expected" in refused(test, value)


def test_no_message_tells_the_value() -> None:
    for test in (one_of(("a",)), integer(1, 10), text(3), name(4), utc, many(text(3), 9)):
        for value in ("secret 4711", ["secret 4711"]):
            assert "4711" not in refused(test, value)


def test_times_are_those_of_events() -> None:
    assert utc("2026-11-21T08:15:00Z") == 1795248900000
    assert utc("2026-11-21T08:15:02.417Z") == 1795248902417
    assert utc("2028-02-29T23:59:59Z") == 1835481599000
    for wrong in (
        "2026-11-21T08:15:00",
        "2026-11-21 08:15:00Z",
        "2026-11-21T8:15:00Z",
        "2026-02-29T08:15:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T08:60:00Z",
        "2026-11-21T08:15:60Z",
        "2026-11-21T08:15:00.1Z",
        "2026-11-21T08:15:-1Z",
        "2024-11-21T08:15:00Z",
        "2126-11-21T08:15:00Z",
        1795248900,
        None,
    ):
        assert "no time" in refused(utc, wrong), wrong
