"""What one frame of a serial reader means: a card, a QR code, or nothing.

``lines`` (frames end with CR or LF):

* a written card number, ``w26:012:34567`` (`firmware.wire.card_number`);
* a bare uid as PN532 modules print it, 4, 7 or 10 bytes, first byte first: ``04A1B2C3``,
  ``04 A1 B2 C3``, ``04:A1:B2:C3``, ``0x04A1B2C3`` or ``0x04 0xA1 0xB2 0xC3``;
* a QR code: the AIM symbology identifier ``]Q`` and its modifier (ISO/IEC 15424), then the code's
  text, 1 to 512 bytes of UTF-8. What follows the identifier is a code and never a card, so a module
  that reads codes must be set up to send it: without it, a code that spells a card number is one.

``decimal`` (frames end as those of ``lines``; readers that type are mostly set to it): the 32 bits of a card
in ten digits, ``0077705923``, or its facility and number, ``012,34567``. Nothing else: ten digits are no hex.

``rdm6300`` (frames stand between STX and ETX): ten hex digits and two of their checksum, the XOR of
the five bytes. The first byte is the card's version; the other four are the number printed on it.
"""

from firmware.access.secret import Secret
from firmware.wire import card_number
from firmware.wire.readings import LENGTH, NOISE, PARITY, BadRead, CardRead, CodeRead

LINES = "lines"  #: framing: lines of text
DECIMAL = "decimal"  #: framing: lines of decimal digits
RDM6300 = "rdm6300"  #: framing: STX, twelve hex digits, ETX

LONGEST_CODE = 512  #: bytes of a code's text
_LONGEST_CARD = 64  # bytes of the longest way to write a card, with room for spaces around it
_HEX = b"0123456789ABCDEFabcdef"


def decode_line(frame: bytes, at_ms: int) -> "CardRead | CodeRead | BadRead":
    """The card or code in one frame of framing ``lines``. An empty one is a torn one."""
    if frame[:2] == b"]Q":
        return _code(frame[3:], at_ms)
    if not 0 < len(frame) <= _LONGEST_CARD:
        return BadRead(LENGTH, at_ms)
    for byte in frame:
        if byte != 9 and not 32 <= byte < 127:
            return BadRead(NOISE, at_ms)
    text = frame.decode().strip(" \t")
    try:
        if text[:4] in ("w26:", "w34:", "w37:", "uid:"):
            return CardRead(Secret(card_number.parse(text)), at_ms)
        return CardRead(Secret(card_number.from_uid(_bare_uid(text))), at_ms)
    except ValueError:
        return BadRead(NOISE, at_ms)


def decode_decimal(frame: bytes, at_ms: int) -> "CardRead | BadRead":
    """The card in one frame of framing ``decimal``."""
    if len(frame) not in (9, 10):
        return BadRead(LENGTH, at_ms)
    for byte in frame:
        if byte not in b"0123456789,":
            return BadRead(NOISE, at_ms)
    text = frame.decode()
    written = "w34:" + text
    if len(text) == 9:
        written = "w26:" + text[:3] + ":" + text[4:]
        if text[3] != ",":
            return BadRead(LENGTH, at_ms)
    try:
        return CardRead(Secret(card_number.parse(written)), at_ms)
    except ValueError:
        return BadRead(NOISE, at_ms)


def to_decimal(number: str) -> bytes:
    """The line, its end included, that a reader of framing ``decimal`` sends for a w26, w34 or 4-byte uid.

    Raises ValueError for other cards, and as `card_number.parse` does.
    """
    form, _, rest = card_number.parse(number).partition(":")
    if form not in ("w26", "w34"):
        raise ValueError("decimal: cannot send this form; expected w26, w34 or a uid of 4 bytes")
    return rest.replace(":", ",").encode() + b"\r\n"


def decode_rdm6300(frame: bytes, at_ms: int) -> "CardRead | BadRead":
    """The card in one frame of framing ``rdm6300``."""
    frame = frame.strip(b"\r\n")  # the ID-12 family ends its line before ETX
    if len(frame) != 12:
        return BadRead(LENGTH, at_ms)
    for byte in frame:
        if byte not in _HEX:
            return BadRead(NOISE, at_ms)
    digits = frame.decode()
    checksum = 0
    for at in range(0, 12, 2):
        checksum ^= int(digits[at : at + 2], 16)
    if checksum != 0:
        return BadRead(PARITY, at_ms)
    return CardRead(Secret("w34:%010d" % int(digits[2:10], 16)), at_ms)


def to_rdm6300(number: str, version: int = 1) -> bytes:
    """The whole frame, STX and ETX included, that an RDM6300 sends for a w34 or a 4-byte uid.

    Raises ValueError for other cards, and as `card_number.parse` does.
    """
    form, _, rest = card_number.parse(number).partition(":")
    if form != "w34":
        raise ValueError("rdm6300: cannot send this form; expected w34 or a uid of 4 bytes")
    value = int(rest)
    checksum = version ^ value >> 24 ^ value >> 16 & 0xFF ^ value >> 8 & 0xFF ^ value & 0xFF
    return b"\x02" + ("%02X%08X%02X" % (version, value, checksum)).encode() + b"\x03"


def _bare_uid(text: str) -> str:
    separator = ":" if ":" in text else " "
    if separator not in text:
        return _after_0x(text)
    digits = ""
    for part in text.split(separator):
        byte = _after_0x(part)
        if len(byte) != 2:
            raise ValueError("uid: not bytes; expected two hex digits each")
        digits += byte
    return digits


def _after_0x(text: str) -> str:
    return text[2:] if text[:2] in ("0x", "0X") else text


def _code(data: bytes, at_ms: int) -> "CodeRead | BadRead":
    if not 0 < len(data) <= LONGEST_CODE:
        return BadRead(LENGTH, at_ms)
    try:
        text = data.decode()
    except UnicodeError:
        return BadRead(NOISE, at_ms)
    # MicroPython also decodes what is no UTF-8: overlong forms, surrogates, beyond U+10FFFF.
    size = 0
    for character in text:
        point = ord(character)
        if 0xD800 <= point < 0xE000 or point > 0x10FFFF:
            return BadRead(NOISE, at_ms)
        size += 1 if point < 0x80 else 2 if point < 0x800 else 3 if point < 0x10000 else 4
    if size != len(data):
        return BadRead(NOISE, at_ms)
    return CodeRead(Secret(text), at_ms)
