"""Whether a file is a private key: a PEM file of any kind, an operator's seed, a PKCS#12 file.

A program that knows how a key begins (ssh-keygen, a library) is none: a key has a body. What is longer than
`LONGEST` is no key and is not read.
"""

import base64
import binascii
import re
from pathlib import Path

LONGEST = 1 << 20  #: bytes

#: RFC 7468 and OpenSSH: the line that begins it, headers if any, and a line of its body.
_PEM = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[ \t\r]*\n"
    rb"(?:[A-Za-z-]+: [^\n]*\n|[ \t\r]*\n)*[ \t]*[A-Za-z0-9+/=]{16}"
)
_SEED_NAMES = (".key", ".seed")
_SEED_BYTES = (32, 64)  #: of an Ed25519 seed, alone or with its public key behind it
_PKCS12_NAMES = (".p12", ".pfx")


def is_one(path: str, data: bytes) -> bool:
    """Whether the file called `path` with all of `data` is a private key."""
    name = Path(path).suffix.lower()
    if name in _PKCS12_NAMES or (b"PRIVATE KEY" in data and _PEM.search(data)):
        return True
    return name in _SEED_NAMES and (len(data) in _SEED_BYTES or _is_seed(data))


def _is_seed(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text.strip(), validate=True)) in _SEED_BYTES
    except binascii.Error:
        return False
