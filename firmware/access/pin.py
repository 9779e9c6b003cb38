"""PINs as the controller keeps them: never as digits.

A PIN that opens alone is found by `index`: an HMAC-SHA256 under the controller's own key, so one look-up
finds its owner and the store alone tells nobody the digits. A PIN asked for after a card is compared
with `salted` (NIST SP 800-132's shape: a salt and rounds). MicroPython has no hmac: `keyed` is RFC 2104.
"""

import binascii
import hashlib

from firmware.access.secret import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.secret import Secret

ROUNDS = 200  #: of SHA-256 for one `salted`: 0.2 ms on a Pi 4, and as much for each guess
MIN_DIGITS = 4
MAX_DIGITS = 12

_BLOCK = 64  # SHA-256's block, RFC 2104


def keyed(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), 32 bytes."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]) + message).digest()
    return hashlib.sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest()


def index(key: bytes, digits: str) -> str:
    """Where a PIN that opens alone is found: 32 hex digits under the controller's key."""
    return binascii.hexlify(keyed(key, b"pin:" + digits.encode())[:16]).decode()


def code_index(key: bytes, text: str) -> str:
    """Where a code that is shown (QR) is found, as `index`."""
    return binascii.hexlify(keyed(key, b"code:" + text.encode())[:16]).decode()


def salted(salt: bytes, digits: "str | Secret") -> bytes:
    """What is kept of a PIN that is asked for after a card: 32 bytes."""
    mixed = salt + plain(digits).encode()
    digest = hashlib.sha256(mixed).digest()
    for _ in range(ROUNDS):
        digest = hashlib.sha256(digest + mixed).digest()
    return digest


def same(left: bytes, right: bytes) -> bool:
    """Compare in a time that does not tell where the first difference is."""
    if len(left) != len(right):
        return False
    difference = 0
    for a, b in zip(left, right):
        difference |= a ^ b
    return difference == 0
