# portable
"""`firmware.wire.serial_lines`: frames as RDM6300, PN532 and QR modules send them.

The RDM6300 frames are from owners' reports: the tag labelled 0006547886 sends 010063E9AE25 (Arduino
forum), 01000734E0D2 (Seeed forum), and 02004DB005FC from a module whose checksum is wrong.
"""

from firmware.wire import serial_lines
from firmware.wire.readings import BadRead, CardRead, CodeRead

CARD = b"w26:012:34567"


def _line(frame: bytes) -> "CardRead | CodeRead | BadRead":
    return serial_lines.decode_line(frame, 9)


def _rdm6300(frame: bytes) -> "CardRead | BadRead":
    return serial_lines.decode_rdm6300(frame, 9)


def test_an_rdm6300_frame_is_the_number_printed_on_the_tag() -> None:
    assert _rdm6300(b"010063E9AE25") == CardRead("w34:0006547886", 9)
    assert _rdm6300(b"01000734E0D2") == CardRead("w34:0000472288", 9)


def test_the_version_byte_is_no_part_of_the_number() -> None:
    assert _rdm6300(b"2A0063E9AE0E") == CardRead("w34:0006547886", 9)


def test_small_letters_and_a_line_end_before_etx_are_read() -> None:
    assert _rdm6300(b"010063e9ae25") == CardRead("w34:0006547886", 9)
    assert _rdm6300(b"010063E9AE25\r\n") == CardRead("w34:0006547886", 9)


def test_a_wrong_checksum_is_a_bad_parity() -> None:
    assert _rdm6300(b"02004DB005FC") == BadRead("parity", 9)
    assert _rdm6300(b"02004DB005FA") == CardRead("w34:0005091333", 9)


def test_one_wrong_digit_anywhere_in_an_rdm6300_frame_is_noticed() -> None:
    good = b"010063E9AE25"
    for at in range(12):
        for digit in b"0123456789ABCDEF":
            if digit != good[at]:
                frame = good[:at] + bytes([digit]) + good[at + 1 :]
                assert _rdm6300(frame) == BadRead("parity", 9), frame


def test_an_rdm6300_frame_that_is_torn_joined_or_noise_is_bad() -> None:
    for frame in (b"", b"0", b"010063E9AE2", b"010063E9AE250", b"010063E9AE25010063E9AE25"):
        assert _rdm6300(frame) == BadRead("length", 9)
    for frame in (b"01006xE9AE25", b"\xff" * 12, b"+10063E9AE25", b"01 063E9AE25", b"0_0063E9AE25"):
        assert _rdm6300(frame) == BadRead("noise", 9)


def test_what_is_sent_as_rdm6300_is_read_back() -> None:
    assert serial_lines.to_rdm6300("w34:0006547886") == b"\x02010063E9AE25\x03"
    for number in ("w34:0000000000", "w34:4294967295", "w34:0077705923"):
        frame = serial_lines.to_rdm6300(number, 0x2A)
        assert _rdm6300(frame[1:-1]) == CardRead(number, 9)


def test_only_a_32_bit_number_goes_into_an_rdm6300_frame() -> None:
    for number in ("w26:012:34567", "w37:00000000001", "uid:04A1B2C3D4E5F6"):
        refused = ""
        try:
            serial_lines.to_rdm6300(number)
        except ValueError as error:
            refused = str(error)
        assert refused == "rdm6300: cannot send this form; expected w34 or a uid of 4 bytes"


def test_a_line_with_a_written_number_is_that_card() -> None:
    assert _line(b"w26:012:34567") == CardRead("w26:012:34567", 9)
    assert _line(b" w34:1234567890 ") == CardRead("w34:1234567890", 9)
    assert _line(b"w37:00000000001") == CardRead("w37:00000000001", 9)
    assert _line(b"uid:04a1b2c3d4e5f6") == CardRead("uid:04A1B2C3D4E5F6", 9)
    assert _line(b"uid:04A1B2C3") == CardRead("w34:0077705923", 9)


def test_a_bare_uid_is_read_in_the_ways_modules_print_it() -> None:
    for frame in (
        b"04A1B2C3",
        b"04a1b2c3",
        b"04 A1 B2 C3",
        b"04:A1:B2:C3",
        b"0x04A1B2C3",
        b"0x04 0xA1 0xB2 0xC3",
        b"0X04:0XA1:0XB2:0XC3",
        b"\t04A1B2C3 ",
    ):
        assert _line(frame) == CardRead("w34:0077705923", 9), frame
    assert _line(b"04:A1:B2:C3:D4:E5:F6") == CardRead("uid:04A1B2C3D4E5F6", 9)
    assert _line(b"04A1B2C3D4E5F6000102") == CardRead("uid:04A1B2C3D4E5F6000102", 9)


def test_the_bytes_of_a_uid_are_never_turned_round() -> None:
    assert _line(b"04A1B2C3") != _line(b"C3B2A104")
    assert _line(b"00000001") == CardRead("w34:0000000001", 9)


def test_a_bare_decimal_number_is_not_guessed_at() -> None:
    assert _line(b"0006547886") == BadRead("noise", 9)  # 10 digits are 5 bytes: no uid


def test_what_is_no_card_is_noise() -> None:
    for frame in (
        b"hello",
        b"w26:999:1",
        b"w26:1",
        b"uid:04A1B2",
        b"04A1B2",
        b"04 A1:B2 C3",
        b"04  A1 B2 C3",
        b"4 A1 B2 C3 0",
        b"04A1B2C3 04A1B2C3",
        b"0x0x04A1B2C3",
        b"04-A1-B2-C3",
        b"W26:012:34567",
        b"\xff\xfe",
        b"04A1B2\x00C3",
        b"w26:012:34567\x7f",
        "w34:１".encode(),
        b" ",
    ):
        assert _line(frame) == BadRead("noise", 9), frame


def test_an_empty_or_endless_line_is_a_bad_length() -> None:
    assert _line(b"") == BadRead("length", 9)
    assert _line(b" " * 51 + CARD) == CardRead("w26:012:34567", 9)  # 64 bytes
    assert _line(b" " * 52 + CARD) == BadRead("length", 9)
    assert _line(b"0" * 601) == BadRead("length", 9)


def test_a_line_with_the_aim_identifier_is_a_code() -> None:
    assert _line(b"]Q1visitor-7f3a") == CodeRead("visitor-7f3a", 9)
    assert _line(b"]Q3 a b ") == CodeRead(" a b ", 9)
    assert _line("]Q1大门".encode()) == CodeRead("大门", 9)


def test_a_code_that_spells_a_card_number_is_no_card() -> None:
    assert _line(b"]Q1w26:012:34567") == CodeRead("w26:012:34567", 9)
    assert _line(b"]Q104A1B2C3") == CodeRead("04A1B2C3", 9)


def test_a_card_is_no_code_and_another_symbology_is_neither() -> None:
    assert _line(b"Q1w26:012:34567") == BadRead("noise", 9)
    assert _line(b"]C1w26:012:34567") == BadRead("noise", 9)
    assert _line(b" ]Q1hello") == BadRead("noise", 9)


def test_a_code_has_one_to_512_bytes() -> None:
    assert _line(b"]Q1") == BadRead("length", 9)
    assert _line(b"]Q") == BadRead("length", 9)
    assert _line(b"]Q1" + b"a" * 512) == CodeRead("a" * 512, 9)
    assert _line(b"]Q1" + b"a" * 513) == BadRead("length", 9)


def test_a_code_is_read_with_every_length_of_utf_8() -> None:
    for point in (0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF):
        text = chr(point)
        assert _line(b"]Q1" + text.encode()) == CodeRead(text, 9), point


def test_a_code_that_is_not_utf_8_is_noise() -> None:
    for text in (
        b"\xff",
        b"\x80",
        b"\xc3",
        b"\xc0\x80",  # an overlong zero
        b"\xe0\x80\xaf",  # an overlong slash
        b"\xed\xa0\x80",  # the first half of a surrogate pair
        b"\xed\xbf\xbf",  # the last second half
        b"\xf4\x90\x80\x80",  # beyond U+10FFFF
        b"ok\xe5\xa4",
    ):
        assert _line(b"]Q1" + text) == BadRead("noise", 9), text


def _decimal(frame: bytes) -> "CardRead | BadRead":
    return serial_lines.decode_decimal(frame, 9)


def test_ten_decimal_digits_are_the_32_bits_of_a_card() -> None:
    assert _decimal(b"0077705923") == CardRead("w34:0077705923", 9)
    assert _decimal(b"4294967295") == CardRead("w34:4294967295", 9)
    assert _decimal(b"4294967296") == BadRead("noise", 9)


def test_three_digits_a_comma_and_five_are_facility_and_number() -> None:
    assert _decimal(b"012,34567") == CardRead("w26:012:34567", 9)
    for wrong in (b"256,34567", b"012,65536", b"0,2,34567", b"?12,34567", b",,,,,,,,,"):
        assert _decimal(wrong) == BadRead("noise", 9), wrong


def test_a_decimal_line_of_another_length_is_no_card() -> None:
    for wrong in (b"", b"077705923", b"00077705923", b"04A1B2C3", b"]Q1hello"):
        assert _decimal(wrong) == BadRead("length", 9), wrong
    for wrong in (b"00777059A3", b"+077705923", b" 77705923 ", b"00777059\xff3", b"0_77705923"):
        assert _decimal(wrong) == BadRead("noise", 9), wrong


def test_what_a_decimal_reader_sends_is_what_is_read() -> None:
    for number in ("w34:0077705923", "w26:012:34567"):
        assert _decimal(serial_lines.to_decimal(number)[:-2]) == CardRead(number, 9)
    for other in ("w37:00000000001", "uid:04A1B2C3D4E5F6"):
        refused = ""
        try:
            serial_lines.to_decimal(other)
        except ValueError as error:
            refused = str(error)
        assert "expected w26, w34 or a uid of 4 bytes" in refused, other
