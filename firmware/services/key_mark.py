"""A note beside a credential store of how often it was changed, for what its last good copy does not know.

A big store is not copied after every change. The note is written in place once a change is durable, and is
not waited for: it may tell of too few changes, never of one that was not made.
"""

from contextlib import suppress
from zlib import crc32

import apsw

from firmware.services.disk_files import Files


def note(files: Files, path: str, version: int) -> None:
    """The store at `path` was changed so often. Never raises."""
    mark = _mark(path)
    text = b"%016d" % version
    content = text + b" %08x\n" % crc32(text)
    with suppress(apsw.Error, OSError):
        if files.exists(mark):
            files.write(mark, content, 0)
        else:
            files.put(mark, content)


def version_of(files: Files, path: str) -> int:
    """How often the store was changed, as far as that was noted; 0: nothing that can be believed."""
    mark = _mark(path)
    try:
        if not files.exists(mark):
            return 0
        text, _, told = files.read(mark, 64, 0).partition(b" ")
    except (apsw.Error, OSError):
        return 0
    return int(text) if text.isdigit() and told == b"%08x\n" % crc32(text) else 0


def _mark(path: str) -> str:
    return path.removesuffix(".db") + ".mark"
