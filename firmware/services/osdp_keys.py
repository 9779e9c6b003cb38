"""The keys of OSDP readers' secure channels, one a reader, in the state folder.

``osdp-READER.key`` is the key that a reader has, 16 random bytes; ``osdp-READER.next.key`` one that it is
being given, and may have if the power went meanwhile. They leave the folder for the reader only.
"""

import os

from firmware.services import whole_files
from hal.errors import DeviceUnavailableError

LENGTH = 16


def of(folder: str, reader: str) -> bytes | None:
    """The key of `reader`; None: it was given none.

    Raises `hal.errors.DeviceUnavailableError` if there is a file that gives none.
    """
    return _read(folder, _name(reader))


def known(folder: str, reader: str) -> list[bytes]:
    """Every key that `reader` may have, the likeliest first. Raises as `of`."""
    keys = [_read(folder, _name(reader)), _read(folder, _next_name(reader))]
    return [key for key in keys if key is not None]


def begin(folder: str, reader: str) -> bytes:
    """A new key for `reader`, kept from now on beside the one that it has.

    One that was begun and never finished is taken up again: the reader may have that, and a third would
    be written over it. Raises OSError, and as `of`.
    """
    begun = _read(folder, _next_name(reader))
    if begun is not None:
        return begun
    key = os.urandom(LENGTH)
    whole_files.write(os.path.join(folder, _next_name(reader)), key)
    return key


def finish(folder: str, reader: str) -> None:
    """`reader` has its new key: it counts from now on. Raises OSError."""
    os.replace(os.path.join(folder, _next_name(reader)), os.path.join(folder, _name(reader)))
    whole_files.sync(folder)


def _name(reader: str) -> str:
    return f"osdp-{reader}.key"


def _next_name(reader: str) -> str:
    return f"osdp-{reader}.next.key"


def _read(folder: str, name: str) -> bytes | None:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            key = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise DeviceUnavailableError(f"{name}: {reason}; expected a key of this user's") from error
    if len(key) != LENGTH:
        raise DeviceUnavailableError(
            f"{name}: has {len(key)} bytes; expected {LENGTH}, as --osdp-install writes them"
        )
    return key
