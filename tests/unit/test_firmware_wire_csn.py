# portable
"""`firmware.wire` with the card format ``csn``: a card's own number, first byte first."""

from firmware import wire
from firmware.wire.readings import BadRead, CardRead, KeyRead
from hal.ports import BITS, Frame, Reading


def _read(bits: str) -> "object":
    return wire.decode(Reading(BITS, Frame(bits), 7), wire.CSN)


def _bits(digits: str) -> str:
    return bin(int("1" + digits, 16))[3:]


def test_four_seven_and_ten_bytes_are_the_uid_that_is_printed() -> None:
    for digits, number in (
        ("04A1B2C3", "w34:0077705923"),
        ("04A1B2C3D4E5F6", "uid:04A1B2C3D4E5F6"),
        ("00A1B2C3D4E5F6A7B8C9", "uid:00A1B2C3D4E5F6A7B8C9"),
    ):
        read = _read(_bits(digits))
        assert isinstance(read, CardRead)
        assert (read.number.reveal(), read.at_ms) == (number, 7)


def test_a_key_is_a_key_and_a_wiegand_card_is_of_a_wrong_length() -> None:
    assert isinstance(_read("0101"), KeyRead)
    assert _read("1" * 26) == BadRead("length", 7)
    assert _read("1" * 31) == BadRead("length", 7)
    assert _read("1" * 31 + "?") == BadRead("noise", 7)
