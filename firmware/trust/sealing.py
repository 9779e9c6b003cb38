"""Sealing to one reader: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305.

A sealed text is base64 of the encapsulated key (32 bytes) and the ciphertext; ``info`` is empty. What a
sealed thing belongs to is its additional data (`belongs_to`), so that it fits into no other message.
"""

import base64
import binascii
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

if TYPE_CHECKING:
    from pyhpke import CipherSuite

ENCAPSULATED_BYTES = 32


class SealError(ValueError):
    """A sealed text cannot be opened: not base64, not for this key, or changed. Never says what it held."""


@cache
def prepare() -> "CipherSuite":
    """Load what sealing needs, which takes a fifth of a start: called when nobody waits for it."""
    from pyhpke import AEADId, CipherSuite, KDFId, KEMId

    return CipherSuite.new(
        KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305
    )


def belongs_to(id: str, to: str) -> bytes:
    """The additional data of a command's or a reply's sealed part."""
    return f"{id}\n{to}".encode()


def public_of(private: bytes) -> bytes:
    """The public key of an X25519 private key, 32 bytes each."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(plain: bytes, public: bytes, belongs: bytes) -> str:
    """`plain` sealed to the X25519 key `public`. Raises `SealError` for a key that is none."""
    suite = prepare()
    from pyhpke import KEMKey
    from pyhpke.exceptions import PyHPKEError

    try:
        reader = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(public))
        encapsulated, context = suite.create_sender_context(reader)
        return base64.b64encode(encapsulated + context.seal(plain, aad=belongs)).decode()
    except (PyHPKEError, ValueError):
        raise SealError("cannot be sealed; expected the reader's X25519 key") from None


def unseal(sealed: object, private: bytes, belongs: bytes) -> bytes:
    """What was sealed to the X25519 key `private`. Raises `SealError`."""
    suite = prepare()
    from pyhpke import KEMKey
    from pyhpke.exceptions import PyHPKEError

    try:
        raw = base64.b64decode(sealed, validate=True) if isinstance(sealed, str) else b""
        reader = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(private))
        context = suite.create_recipient_context(raw[:ENCAPSULATED_BYTES], reader)
        return bytes(context.open(raw[ENCAPSULATED_BYTES:], aad=belongs))
    except (PyHPKEError, ValueError, binascii.Error):
        raise SealError("cannot be opened; expected HPKE to this controller's key") from None
