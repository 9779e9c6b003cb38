# portable
"""`firmware.wire.decode`: the one entry the runtime calls."""

from firmware import wire
from firmware.wire.card_number import to_bits
from firmware.wire.readings import BadRead, CardRead, CodeRead, KeyRead
from hal.ports import BACK, BITS, LEVEL, LINE, LOST, STUCK, Reading


def test_bits_are_a_card_or_a_key() -> None:
    bits = to_bits("w26:012:34567")
    assert wire.decode(Reading(BITS, bits, 4)) == CardRead("w26:012:34567", 4)
    assert wire.decode(Reading(BITS, "0111", 4), "any") == KeyRead("7", 4)
    assert wire.decode(Reading(BITS, "", 4)) == BadRead("length", 4)


def test_a_line_is_read_by_its_reader_s_framing() -> None:
    assert wire.decode(Reading(LINE, b"04A1B2C3", 4), "lines") == CardRead("w34:0077705923", 4)
    assert wire.decode(Reading(LINE, b"]Q1hi", 4), "lines") == CodeRead("hi", 4)
    frame = Reading(LINE, b"010063E9AE25", 4)
    assert wire.decode(frame, "rdm6300") == CardRead("w34:0006547886", 4)
    assert wire.decode(frame, "lines") == BadRead("noise", 4)


def test_a_held_line_is_a_bad_read_and_its_release_is_not() -> None:
    assert wire.decode(Reading(STUCK, True, 4)) == BadRead("stuck", 4)
    assert wire.decode(Reading(STUCK, False, 4)) is None


def test_what_concerns_the_device_is_no_read() -> None:
    for reading in (Reading(LEVEL, True, 4), Reading(LOST, None, 4), Reading(BACK, None, 4)):
        assert wire.decode(reading) is None


def test_a_reader_of_one_format_takes_no_card_of_another() -> None:
    w26 = Reading(BITS, to_bits("w26:012:34567"), 4)
    w34 = Reading(BITS, to_bits("w34:1234567890"), 4)
    assert wire.decode(w26, "w26") == CardRead("w26:012:34567", 4)
    assert wire.decode(w34, "w26") == BadRead("length", 4)
    assert wire.decode(w34, "w34") == CardRead("w34:1234567890", 4)
    assert wire.decode(Reading(BITS, "0001", 4), "w26") == KeyRead("1", 4)
