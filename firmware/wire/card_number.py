"""The written forms of a card's number, and the Wiegand bits that carry it.

====================  ===========================================================================
``w26:FFF:NNNNN``     8-bit facility 0-255, 16-bit number 0-65535 (the open 26-bit format, H10301)
``w34:NNNNNNNNNN``    32-bit number 0-4294967295, as printed on EM4100 cards
``w37:NNNNNNNNNNN``   35-bit number 0-34359738367 (H10302, no facility)
``uid:HEX``           7 or 10 bytes, read from left to right (ISO 14443-3)
====================  ===========================================================================

The canonical form has exactly these widths, hex in capitals. A 4-byte uid is written as the w34 of
its bytes in that order: readers on two wires and on a serial line must tell the same of one card.

On the wire every format is one bit of even parity, the number with its most significant bit first,
one bit of odd parity. Each parity bit covers its half of the frame; in the 37-bit format the halves
share the bit in the middle (SIA AC-01 for 26 bits, HID's H10302 for 37).

No error text carries a number: a card number is a secret.
"""

#: Lengths of the frames that carry a card, in bits.
LENGTHS = (26, 34, 37)

# bits in the frame: (form, bits under each parity, the parity bit included)
_LAYOUTS = {26: ("w26", 13), 34: ("w34", 17), 37: ("w37", 19)}
_WIDTHS = {"w26": 26, "w34": 34, "w37": 37}
_LARGEST = {"w34": 0xFFFFFFFF, "w37": 0x7FFFFFFFF}
_UID_DIGITS = (8, 14, 20)
_MOST_DIGITS = 20  # no number needs more, however many zeros lead it

_FORMS = "w26:FFF:NNNNN, w34:NNNNNNNNNN, w37:NNNNNNNNNNN or uid:HEX"


def parse(text: str) -> str:
    """The canonical form of a written card number.

    Leading zeros may be missing or too many, hex may be in small letters. Raises ValueError for
    anything that is no card number: one line, what was wrong and what was expected.
    """
    form, _, rest = text.strip(" \t\r\n").partition(":")
    if form == "w26":
        facility, _, number = rest.partition(":")
        return "w26:%03d:%05d" % (
            _decimal(facility, "facility", 0xFF),
            _decimal(number, "number", 0xFFFF),
        )
    if form in _LARGEST:
        return _written(form, _decimal(rest, "number", _LARGEST[form]))
    if form == "uid":
        return from_uid(rest)
    raise ValueError("card number: unknown form; expected " + _FORMS)


def from_uid(digits: str) -> str:
    """The canonical form of a uid given as 8, 14 or 20 hex digits, first byte first.

    Raises ValueError for anything else.
    """
    digits = digits.upper()
    if len(digits) not in _UID_DIGITS or not _only(digits, "0123456789ABCDEF"):
        raise ValueError("card number: not a uid; expected 4, 7 or 10 bytes as hex digits")
    if len(digits) == 8:
        return _written("w34", int(digits, 16))
    return "uid:" + digits


def from_bits(bits: str) -> "str | None":
    """The canonical form of what a Wiegand frame of "0" and "1" carries.

    None if the length is not one of `LENGTHS`, a bit is neither or a parity is wrong.
    """
    layout = _LAYOUTS.get(len(bits))
    if layout is None or not _only(bits, "01"):
        return None
    form, covered = layout
    if bits[:covered].count("1") % 2 != 0 or bits[-covered:].count("1") % 2 != 1:
        return None
    return _written(form, int(bits[1:-1], 2))


def to_bits(number: str) -> str:
    """The Wiegand frame of a card in any written form; a 4-byte uid goes out as 34 bits.

    Raises ValueError for a uid of 7 or 10 bytes, which has no such frame, and as `parse` does.
    """
    form, _, rest = parse(number).partition(":")
    if form == "uid":
        raise ValueError("card number: uid too long for Wiegand; expected 4 bytes, w26, w34 or w37")
    if form == "w26":
        facility, _, card = rest.partition(":")
        value = int(facility) << 16 | int(card)
    else:
        value = int(rest)
    width = _WIDTHS[form]
    data = bin(value)[2:]
    data = "0" * (width - 2 - len(data)) + data
    half = _LAYOUTS[width][1] - 1
    even = data[:half].count("1") % 2
    odd = 1 - data[-half:].count("1") % 2
    return "%d%s%d" % (even, data, odd)


def _written(form: str, value: int) -> str:
    if form == "w26":
        return "w26:%03d:%05d" % (value >> 16, value & 0xFFFF)
    if form == "w34":
        return "w34:%010d" % value
    return "w37:%011d" % value


def _decimal(text: str, what: str, largest: int) -> int:
    if not text or len(text) > _MOST_DIGITS or not _only(text, "0123456789"):
        raise ValueError("card number: %s is not decimal; expected 0 to %d" % (what, largest))
    value = int(text)
    if value > largest:
        raise ValueError("card number: %s is too large; expected 0 to %d" % (what, largest))
    return value


def _only(text: str, allowed: str) -> bool:
    # Not str.isdigit, not int(): both take digits of other scripts, and int() takes "_" and "+".
    return not text.strip(allowed)
