"""Ed25519 signatures over canonical JSON (RFC 8032, RFC 8785): commands, replies, checkpoints.

A signed object carries its signature as ``sig``, base64; what is signed is the object without it.
"""

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from firmware.trust import canonical

KEY_BYTES = 32  #: a seed, and a public key
SIGNATURE_BYTES = 64


class KeyTextError(ValueError):
    """A text is no key: not base64, or not of the right length. Never repeats the text."""


def key_bytes(text: object) -> bytes:
    """The 32 bytes of a key written in base64. Raises `KeyTextError`."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise KeyTextError("is no key; expected 32 bytes in base64")
    return raw


def public_of(seed: bytes) -> bytes:
    """The public key of an Ed25519 seed, 32 bytes each."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(fields: dict[str, Any], seed: bytes) -> str:
    """The signature of `fields` (a ``sig`` in it does not count), base64. Raises `CanonicalError`."""
    made = Ed25519PrivateKey.from_private_bytes(seed).sign(_signed_part(fields))
    return base64.b64encode(made).decode()


def is_signed(fields: dict[str, Any], public: bytes) -> bool:
    """Whether ``sig`` of `fields` is a signature over them by the key `public` (32 bytes)."""
    text = fields.get("sig")
    try:
        made = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        if len(made) != SIGNATURE_BYTES or base64.b64encode(made).decode() != text:
            return False  # one signature, one text: the spare bits of base64 are no second one
        Ed25519PublicKey.from_public_bytes(public).verify(made, _signed_part(fields))
    except (binascii.Error, ValueError, InvalidSignature):
        return False  # a CanonicalError is a ValueError
    return True


def _signed_part(fields: dict[str, Any]) -> bytes:
    return canonical.dumps({key: value for key, value in fields.items() if key != "sig"})
