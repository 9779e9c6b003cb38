# portable
"""`firmware.wire.wiegand` and `keypad`: bursts as the field's readers send them.

The known-good frames come from makers' documents: H10301 facility 118, number 1603 is the 26 bits 0x2EC0C86
(from Proxmark's examples); D4 1B 81 and 89 D4 1B 81 are Civintec's (CN56 manual, 6.4); 1234567890 in
34 bits is Hikvision's (camera manual, Wiegand); keys are HID's PINpad table and Rosslare's AY-T6350.
"""

from firmware.wire import keypad, wiegand
from firmware.wire.card_number import to_bits
from firmware.wire.readings import BadRead, CardRead, KeyRead

H10301 = "10111011000000110010000110"  # 0x2EC0C86
CIVINTEC_26 = "1" + "110101000001101110000001" + "0"
CIVINTEC_34 = "1" + "10001001110101000001101110000001" + "1"
HIKVISION_34 = "1" + "01001001100101100000001011010010" + "0"
H10302_1 = "0" + "00000000000000000000000000000000001" + "0"
H10302_MIDDLE = "1" + "00000000000000000100000000000000000" + "0"  # its bit stands in both halves
INNER_26 = (
    "1" + "000000000001" + "100000000000" + "0"
)  # the last bit of one half, the first of the other
INNER_34 = "1" + "0000000000000001" + "1000000000000000" + "0"
INNER_37 = "1" + "00000000000000001" + "0" + "10000000000000000" + "0"


def _flipped(bits: str, at: int) -> str:
    return bits[:at] + ("1" if bits[at] == "0" else "0") + bits[at + 1 :]


def test_a_26_bit_card_has_facility_and_number_as_printed() -> None:
    assert wiegand.decode(H10301, 5) == CardRead("w26:118:01603", 5)
    assert wiegand.decode(CIVINTEC_26, 5) == CardRead("w26:212:07041", 5)


def test_a_34_bit_card_is_the_32_bit_number_as_printed() -> None:
    assert wiegand.decode(HIKVISION_34, 5) == CardRead("w34:1234567890", 5)
    assert wiegand.decode(CIVINTEC_34, 5) == CardRead("w34:2312379265", 5)


def test_a_37_bit_card_is_the_35_bit_number() -> None:
    assert wiegand.decode(H10302_1, 5) == CardRead("w37:00000000001", 5)


def test_the_halves_meet_in_the_middle_of_the_frame() -> None:
    assert wiegand.decode(INNER_26, 5) == CardRead("w26:000:06144", 5)
    assert wiegand.decode(INNER_34, 5) == CardRead("w34:0000098304", 5)
    assert wiegand.decode(INNER_37, 5) == CardRead("w37:00000327680", 5)


def test_the_middle_bit_of_37_counts_for_both_parities() -> None:
    assert wiegand.decode(H10302_MIDDLE, 5) == CardRead("w37:00000131072", 5)
    assert wiegand.decode("0" + H10302_MIDDLE[1:], 5) == BadRead("parity", 5)
    assert wiegand.decode(H10302_MIDDLE[:-1] + "1", 5) == BadRead("parity", 5)


def test_the_first_half_has_even_and_the_second_odd_parity() -> None:
    zeros = "0" * 24
    assert wiegand.decode("0" + zeros + "1", 5) == CardRead("w26:000:00000", 5)
    assert wiegand.decode("1" + zeros + "0", 5) == BadRead("parity", 5)


def test_one_wrong_bit_at_any_place_is_a_bad_parity() -> None:
    for bits in (H10301, CIVINTEC_26, CIVINTEC_34, HIKVISION_34, H10302_1, H10302_MIDDLE):
        for at in range(len(bits)):
            assert wiegand.decode(_flipped(bits, at), 7) == BadRead("parity", 7), (bits, at)


def test_swapped_wires_are_never_taken_for_the_card() -> None:
    for bits in (H10301, CIVINTEC_26, CIVINTEC_34, HIKVISION_34, H10302_1):
        swapped = "".join(["1" if bit == "0" else "0" for bit in bits])
        assert wiegand.decode(swapped, 5) != wiegand.decode(bits, 5)


def test_a_reversed_frame_is_another_card_or_none() -> None:
    for bits in (H10301, CIVINTEC_26, CIVINTEC_34):
        mirrored = "".join([bits[-1 - at] for at in range(len(bits))])
        assert wiegand.decode(mirrored, 5) != wiegand.decode(bits, 5)


def test_another_length_is_a_bad_length() -> None:
    for length in range(70):
        if length not in (4, 8, 26, 34, 37):
            assert wiegand.decode("0" * length, 1) == BadRead("length", 1), length


def test_a_card_that_lost_or_gained_a_bit_is_no_card() -> None:
    for bits in (H10301, HIKVISION_34, H10302_1):
        assert wiegand.decode(bits[1:], 1) == BadRead("length", 1)
        assert wiegand.decode(bits + "0", 1) == BadRead("length", 1)


def test_what_is_no_bit_makes_the_burst_noise() -> None:
    for bits in ("?", "010?", H10301[:-1] + "?", H10301 + "?", "0" * 64 + "?"):
        assert wiegand.decode(bits, 1) == BadRead("noise", 1)


def test_a_four_bit_burst_is_its_key() -> None:
    for value in range(12):
        bits = "%d%d%d%d" % (value >> 3 & 1, value >> 2 & 1, value >> 1 & 1, value & 1)
        assert wiegand.decode(bits, 3) == KeyRead("0123456789*#"[value], 3)


def test_an_eight_bit_burst_is_its_key() -> None:
    table = (
        ("11110000", "0"),
        ("11100001", "1"),
        ("11010010", "2"),
        ("11000011", "3"),
        ("10110100", "4"),
        ("10100101", "5"),
        ("10010110", "6"),
        ("10000111", "7"),
        ("01111000", "8"),
        ("01101001", "9"),
        ("01011010", "*"),
        ("01001011", "#"),
    )
    for bits, key in table:
        assert wiegand.decode(bits, 3) == KeyRead(key, 3)


def test_one_wrong_bit_of_an_eight_bit_key_is_noticed() -> None:
    for key in keypad.KEYS:
        for at in range(8):
            bits = _flipped(keypad.to_bits(key, 8), at)
            assert wiegand.decode(bits, 3) == BadRead("parity", 3)


def test_values_above_eleven_are_no_keys() -> None:
    for bits in ("1100", "1101", "1110", "1111", "00111100", "00101101", "00011110", "00001111"):
        assert wiegand.decode(bits, 3) == BadRead("noise", 3)


def test_the_keypad_alone_takes_no_card() -> None:
    assert keypad.decode(to_bits("w26:012:34567"), 3) == BadRead("length", 3)
    assert keypad.decode("01?1", 3) == BadRead("noise", 3)


def test_every_key_is_read_back_from_its_burst() -> None:
    for key in keypad.KEYS:
        for width in keypad.LENGTHS:
            assert keypad.decode(keypad.to_bits(key, width), 3) == KeyRead(key, 3)


def test_an_unknown_key_or_width_has_no_burst() -> None:
    for key, width in (("A", 4), ("", 4), ("12", 4), ("1", 6)):
        refused = ""
        try:
            keypad.to_bits(key, width)
        except ValueError as error:
            refused = str(error)
        assert "; expected " in refused
