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
