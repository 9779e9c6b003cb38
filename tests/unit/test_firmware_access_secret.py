# portable
"""`firmware.access.secret`: what was shown or typed is in no repr and no text, and stays what it is."""

from firmware import wire
from firmware.access import verification
from firmware.access.access_point import Lookup
from firmware.access.secret import Secret, plain
from hal.ports import Frame, Reading


def told(thing: object) -> str:
    """Every way in which a text comes out of a value."""
    return "%s %r %s %s" % (thing, thing, [thing], {"x": thing})


def test_a_secret_shows_as_three_stars() -> None:
    secret = Secret("4711")
    assert told(secret) == "*** *** [***] {'x': ***}"
    assert "4711" not in str(ValueError(secret))


def test_a_secret_equals_its_text_and_no_other() -> None:
    assert Secret("4711") == Secret("4711")
    assert Secret("4711") == "4711"
    assert Secret("4711") != "4712"
    assert hash(Secret("4711")) == hash(Secret("4711"))
    assert (plain(Secret("4711")), plain("4712")) == ("4711", "4712")


def test_no_reading_tells_a_card_a_code_or_a_key() -> None:
    for kind, data, hidden in (
        ("line", b"w26:012:34567", "34567"),
        ("line", b"]Q1a visitor's code", "visitor"),
        ("bits", "1001", "9"),
    ):
        reading = Reading(kind, Frame(data), 5)
        assert str(data)[2:-1] not in told(reading)
        read = wire.decode(reading)
        assert read is not None
        assert "***" in told(read)
        assert hidden not in told(read)


def test_no_step_and_no_look_up_tells_the_digits() -> None:
    keys = verification.Verification(verification.PIN, 10000)
    for digit in "4711":
        keys.handle(verification.DIGIT, 0, digit)
    step = keys.handle(verification.ENTER, 1)[0]
    assert step.digits == "4711"
    assert "4711" not in told(step)
    assert "4711" not in told(Lookup("front-in", "pin", step.digits))
