"""The name of a journal in a file of its own beside it: an empty or missing journal is no first start.

SQLite takes an empty file for a new database, and removes the log (WAL) that lay beside it. So whoever
opens a journal asks here first, and says here which journal it was once that is durable. A mark that cannot
be read still says that there was a journal; one that cannot be written is written at the next start.
"""

import re
from contextlib import suppress

import apsw

from firmware.services.database import EmptyError, Files, MissingError

_NAME = re.compile(rb"[0-9a-f]{8}\n")


def name_of(files: Files, path: str) -> str | None:
    """Which journal is at `path`; "": one whose name cannot be read; None: there never was one."""
    try:
        if not files.exists(_mark(path)):
            return None
        content = files.read(_mark(path), 16, 0)
    except (apsw.Error, OSError):
        return ""
    return content[:8].decode() if _NAME.fullmatch(content) else ""


def look(files: Files, path: str) -> None:
    """See that a journal that was begun has not vanished. Raises `EmptyError`, `MissingError`, OSError."""
    if name_of(files, path) is None:
        return
    if not files.exists(path):
        raise MissingError("no journal where there was one")
    if not files.size(path):
        raise EmptyError("an empty journal")


def keep(files: Files, path: str, name: str) -> None:
    """Note that journal `name` is at `path`, durably. Never raises."""
    if name_of(files, path) != name:
        with suppress(apsw.Error, OSError):
            files.put(_mark(path), f"{name}\n".encode())


def _mark(path: str) -> str:
    return path.removesuffix(".db") + ".name"
