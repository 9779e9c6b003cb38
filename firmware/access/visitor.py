"""Visitors' codes that this controller checks by itself: no record, no network, a key that it shares.

Pure. Whoever has the visitor key (this controller and its host) can make codes; nobody else can. A QR
code carries its claims and 128 bits of HMAC-SHA256; a digit code is 8 digits of one, for one access
point on one local day. What was used of a code is remembered by its ``visit``; see docs/visitor-codes.md.
"""

from firmware.access import credential, pin

PREFIX = "DW1:"
KEY_BYTES = 32
MAC_BYTES = 16
MOST_PLACES = 8  #: access points that one code names
LONGEST_TEXT = 480  #: characters of a code; a reader tells up to 512 bytes
LARGEST = 0xFFFFFFFF  #: of serials, and of times: the year 2106
MOST_USES = 255

DIGITS = 8
INDEXES = 32  #: digit codes of one access point on one day
TRIES_A_DAY = 100  #: wrong digit codes at one access point, then none is looked at till midnight

_VERSION = 1
_HEAD = 15  # version, serial, from, to, uses, how many access points
_CODE_OF = b"doorward visitor code\n"
_DIGITS_OF = b"doorward visitor digits\n"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"


def make_qr(
    key: bytes,
    serial: int,
    valid_from_s: int,
    valid_to_s: int,
    uses: int,
    access_points: "list[str] | None",
) -> str:
    """The text of a code: capitals and digits, so that a QR code of it is small.

    key            bytes         the visitor key
    serial         int           0..2^32-1; two codes of one serial count as one
    valid_from_s   int           first second, UTC
    valid_to_s     int           first second after it
    uses           int           1..255
    access_points  list or None  up to 8 names; None: all

    Raises ValueError, one line, for what no code can carry.
    """
    places = access_points or []
    if not 0 <= serial <= LARGEST:
        raise ValueError("serial: out of range; expected 0 to %d" % LARGEST)
    if not 0 <= valid_from_s < valid_to_s <= LARGEST:
        raise ValueError("validity: no stretch of time; expected an end after its begin, to 2106")
    if not 1 <= uses <= MOST_USES:
        raise ValueError("uses: out of range; expected 1 to %d" % MOST_USES)
    if access_points is not None and not 0 < len(places) <= MOST_PLACES:
        raise ValueError("access points: none or too many; expected 1 to %d" % MOST_PLACES)
    claims = bytes([_VERSION])
    for number in (serial, valid_from_s, valid_to_s):
        claims += bytes([number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255])
    claims += bytes([uses, len(places)])
    for place in places:
        if not 0 < len(place) <= 32 or not _only(place, _NAME):
            raise ValueError("access points: one is no name; expected a-z, 0-9 and -, up to 32")
        claims += bytes([len(place)]) + place.encode()
    return PREFIX + _base32(claims + pin.keyed(key, _CODE_OF + claims)[:MAC_BYTES])


def read_qr(key: bytes, text: str) -> "credential.Credential | None":
    """The key that a code is, if it was made with `key`; its ``visit`` is its serial.

    None for any other text whatever. How far it was right cannot be told from the time that takes.
    """
    if not text.startswith(PREFIX) or len(text) > LONGEST_TEXT:
        return None
    data = _bytes(text[len(PREFIX) :])
    if data is None or len(data) < _HEAD + MAC_BYTES:
        return None
    claims = data[:-MAC_BYTES]
    if not pin.same(pin.keyed(key, _CODE_OF + claims)[:MAC_BYTES], data[-MAC_BYTES:]):
        return None
    places = _places(claims)
    serial, from_s, to_s = [_whole(claims[at : at + 4]) for at in (1, 5, 9)]
    uses = claims[13]
    if claims[0] != _VERSION or places is None or to_s <= from_s or uses == 0:
        return None  # made with the key, but not by `make_qr`
    return _visitor("%d" % serial, from_s, to_s, uses, places)


def make_digits(key: bytes, access_point: str, day: int, index: int) -> str:
    """A digit code for `access_point` on local `day` (since 1970-01-01), good once.

    `index` is below `INDEXES`: which one of that day it is. Raises ValueError.
    """
    if not 0 <= index < INDEXES:
        raise ValueError("index: out of range; expected 0 to %d" % (INDEXES - 1))
    message = "%s\n%d\n%d" % (access_point, day, index)
    return "%08d" % (_whole(pin.keyed(key, _DIGITS_OF + message.encode())[:8]) % 10**DIGITS)


def find_digits(
    key: bytes, access_point: str, day: int, digits: str, begins_s: int, ends_s: int
) -> "credential.Credential | None":
    """The key that 8 digits are at `access_point` on local `day`, or None.

    begins_s  int  the UTC second at which that day begins
    ends_s    int  and the next one does

    Its ``visit`` is ACCESS_POINT/DAY/INDEX; it is valid that day, once.
    """
    shown = digits.encode()
    found = None
    for index in range(INDEXES):  # all of them: the time does not tell which one it was
        if pin.same(make_digits(key, access_point, day, index).encode(), shown) and found is None:
            found = index
    if found is None:
        return None
    visit = "%s/%d/%d" % (access_point, day, found)
    return _visitor(visit, begins_s, ends_s, 1, [access_point])


def _visitor(
    visit: str, from_s: int, to_s: int, uses: int, places: "list[str]"
) -> "credential.Credential":
    levels = tuple("@" + place for place in places or [credential.ANYWHERE])
    return credential.Credential(
        None,  # no record of it anywhere
        None,
        credential.ACTIVE,
        from_s,
        to_s,
        None,
        uses,
        levels,
        False,
        False,
        None,
        None,
        1,
        None,
        None,
        None,
        False,
        False,
        visit,
    )


def _places(claims: bytes) -> "list[str] | None":
    """The access points that the claims name; None where they end elsewhere than they say."""
    places = []
    at = _HEAD
    for _ in range(claims[14]):
        if at >= len(claims):
            return None
        name = claims[at + 1 : at + 1 + claims[at]]
        if not name or len(name) != claims[at] or not all(chr(byte) in _NAME for byte in name):
            return None
        places.append(name.decode())
        at += 1 + len(name)
    return places if at == len(claims) else None


def _whole(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 8 | byte
    return value


def _base32(data: bytes) -> str:
    """RFC 4648 without padding. MicroPython has none."""
    text = ""
    held = bits = 0
    for byte in data:
        held = held << 8 | byte
        bits += 8
        while bits >= 5:
            bits -= 5
            text += _BASE32[held >> bits & 31]
        held &= (1 << bits) - 1
    return text + (_BASE32[held << (5 - bits) & 31] if bits else "")


def _bytes(text: str) -> "bytes | None":
    """What `_base32` made `text` of; None for anything else, so that one code has one text."""
    data = bytearray()
    held = bits = 0
    for letter in text:
        value = _BASE32.find(letter)
        if value < 0:
            return None
        held = held << 5 | value
        bits += 5
        if bits >= 8:
            bits -= 8
            data.append(held >> bits)
            held &= (1 << bits) - 1
    return None if held or bits >= 5 else bytes(data)


def _only(text: str, allowed: str) -> bool:
    return all(letter in allowed for letter in text)
