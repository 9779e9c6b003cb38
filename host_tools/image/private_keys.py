"""Whether a file is a private key: PEM (in UTF-16 too), DER, PKCS#12, PuTTY's, a seed, a host's key.

By what is in it, or, where random bytes say nothing, by its name: an OSDP reader's key, the good copies of
a controller's own, the host keys of OpenSSH and Dropbear. A program that knows how a key begins (ssh-keygen,
a library) is none: a key has a body. What is longer than `LONGEST` is no key and is not read.
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
#: The same in UTF-16 of either order, as some editors save it.
_WIDE = b"P\0R\0I\0V\0A\0T\0E\0 \0K\0E\0Y"

#: How DER begins that is one whole: PKCS#8, plain and encrypted (RFC 5958), RSA's and DSA's own (RFC 8017,
#: A.1.2), EC's own (RFC 5915), PKCS#12 (RFC 7292). The first group is the length of all that follows it.
_LENGTH = rb"(?:[\x01-\x7f]|\x81.|\x82..|\x83...)"
_PKCS = rb"\x2a\x86\x48\x86\xf7\x0d\x01"
_DER = re.compile(
    rb"\x30([\x01-\x7f]|\x81.|\x82..|\x83...)(?:"
    rb"\x02\x01[\x00\x01]\x30" + _LENGTH + rb"\x06"
    rb"|\x02\x01\x00\x02|\x02\x01\x01\x04"
    rb"|\x30" + _LENGTH + rb"\x06." + _PKCS + rb"(?:\x05|\x0c\x01)"
    rb"|\x02\x01\x03\x30" + _LENGTH + rb"\x06." + _PKCS + rb"\x07"
    rb")",
    re.DOTALL,
)
_PUTTY = b"PuTTY-User-Key-File-"

_OWN_NAMES = re.compile(
    r"osdp-.*\.key|(?:controller|identity|visitor)\.good.*\.key"
    r"|ssh_host_.*_key|dropbear_.*_host_key",
    re.IGNORECASE,
)
_SEED_NAMES = (".key", ".seed")
_SEED_BYTES = (32, 64)  #: of an Ed25519 seed, alone or with its public key behind it
_PKCS12_NAMES = (".p12", ".pfx")


def is_one(path: str, data: bytes) -> bool:
    """Whether the file called `path` with all of `data` is a private key."""
    name = Path(path).suffix.lower()
    if name in _PKCS12_NAMES or _OWN_NAMES.fullmatch(Path(path).name):
        return True
    if data.startswith(_PUTTY) or _is_der(data):
        return True
    text = _narrow(data)
    if b"PRIVATE KEY" in text and _PEM.search(text):
        return True
    return name in _SEED_NAMES and (len(data) in _SEED_BYTES or _is_seed(data))


def begins_one(data: bytes) -> bool:
    """Whether somewhere in `data` a private key begins in PEM, with a body or without."""
    return b"PRIVATE KEY-----" in _narrow(data)


def _narrow(data: bytes) -> bytes:
    return data.replace(b"\0", b"") if _WIDE in data else data


def _is_der(data: bytes) -> bool:
    found = _DER.match(data)
    if found is None:
        return False
    length = found[1][1:] or found[1]
    return found.end(1) + int.from_bytes(length, "big") == len(data)


def _is_seed(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text.strip(), validate=True)) in _SEED_BYTES
    except binascii.Error:
        return False
