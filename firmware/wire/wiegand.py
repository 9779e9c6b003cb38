"""What a burst of Wiegand bits means: a card of 26, 34 or 37 bits, a key of 4 or 8, or nothing.

The bits come in order of arrival as "0" and "1"; "?" stands where the driver saw something that was
not a bit. Wiegand is plain and unsupervised: a parity bit finds one wrong bit in its half, and two
wrong bits there go unnoticed. Nothing better can be had from these two wires.
"""

from firmware.access.secret import Secret
from firmware.wire import card_number, keypad
from firmware.wire.readings import LENGTH, NOISE, PARITY, BadRead, CardRead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.wire.readings import KeyRead

CSN_LENGTHS = (32, 56, 80)  #: bits of a card's own number


def decode(bits: str, at_ms: int) -> "CardRead | KeyRead | BadRead":
    """The card or key in one burst, or why there is none."""
    if bits.count("0") + bits.count("1") != len(bits):
        return BadRead(NOISE, at_ms)
    if len(bits) in keypad.LENGTHS:
        return keypad.decode(bits, at_ms)
    if len(bits) not in card_number.LENGTHS:
        return BadRead(LENGTH, at_ms)
    number = card_number.from_bits(bits)
    if number is None:
        return BadRead(PARITY, at_ms)
    return CardRead(Secret(number), at_ms)


def decode_csn(bits: str, at_ms: int) -> "CardRead | KeyRead | BadRead":
    """As `decode`, of a reader that sends a card's own number (its uid): 4, 7 or 10 bytes, no parity.

    The first byte comes first, as ISO 14443-3 writes it.
    """
    if len(bits) not in CSN_LENGTHS:
        return decode(bits, at_ms) if len(bits) in keypad.LENGTHS else BadRead(LENGTH, at_ms)
    if bits.count("0") + bits.count("1") != len(bits):
        return BadRead(NOISE, at_ms)
    digits = "".join(["%X" % int(bits[at : at + 4], 2) for at in range(0, len(bits), 4)])
    return CardRead(Secret(card_number.from_uid(digits)), at_ms)
