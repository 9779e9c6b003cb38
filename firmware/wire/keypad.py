"""Keys of a keypad on two Wiegand wires: one burst a key.

A 4-bit burst is the key's value. An 8-bit burst is the value's complement, then the value
(HID's PINpad, Rosslare's "nibbles complemented"), so that a wrong bit is noticed. Values: 0 to 9,
10 is ``*``, 11 is ``#``; 12 to 15 are no keys.
"""

from firmware.access.secret import Secret
from firmware.wire.readings import LENGTH, NOISE, PARITY, BadRead, KeyRead

KEYS = "0123456789*#"  #: by value

#: Lengths of the bursts that carry a key, in bits.
LENGTHS = (4, 8)


def decode(bits: str, at_ms: int) -> "KeyRead | BadRead":
    """The key in a burst of 4 or 8 bits, "0" and "1"."""
    if len(bits) not in LENGTHS:
        return BadRead(LENGTH, at_ms)
    if bits.count("0") + bits.count("1") != len(bits):
        return BadRead(NOISE, at_ms)
    value = int(bits[-4:], 2)
    if len(bits) == 8 and int(bits[:4], 2) != value ^ 0xF:
        return BadRead(PARITY, at_ms)
    if value >= len(KEYS):
        return BadRead(NOISE, at_ms)
    return KeyRead(Secret(KEYS[value]), at_ms)


def to_bits(key: str, width: int = 4) -> str:
    """The burst of `key`, 4 or 8 bits wide. Raises ValueError if there is no such key or width."""
    value = KEYS.find(key) if len(key) == 1 else -1
    if value < 0:
        raise ValueError("keypad: unknown key; expected one of " + KEYS)
    if width not in LENGTHS:
        raise ValueError("keypad: no burst of %d bits; expected 4 or 8" % width)
    burst = _nibble(value)
    return burst if width == 4 else _nibble(value ^ 0xF) + burst


def _nibble(value: int) -> str:
    return "%d%d%d%d" % (value >> 3 & 1, value >> 2 & 1, value >> 1 & 1, value & 1)
