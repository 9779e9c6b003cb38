"""Small files of the state folder that a power cut leaves whole: the old content or the new, never a part."""

import contextlib
import os

PRIVATE = 0o600  #: for nobody but this user


def write(path: str | os.PathLike[str], content: bytes, mode: int = PRIVATE) -> None:
    """Put `content` into the file at `path`, on the disk when this returns.

    mode  int  who may read it, whatever the umask

    Raises OSError: then what was there is there still.
    """
    new = os.fspath(path) + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)  # a cut left it
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        # A disk that is nearly full takes a part of it, and says so by the count alone.
        while content:
            content = content[os.write(fd, content) :]
        os.fchmod(fd, mode)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(new, path)
    sync(os.path.dirname(path) or ".")


def sync(folder: str | os.PathLike[str]) -> None:
    """Have what was renamed or removed in `folder` on the disk. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
