"""A note beside a credential store of how often it was changed: what store and copy have lost shows.

It is there from the first change on: a store of which nothing is left is not taken for one that never was.
Also a note that is damaged says so much. It is written in place once a change is durable, and is not waited
for but at a start: it may tell of too few changes, never of one that was not made.
"""

from contextlib import suppress
from zlib import crc32

import apsw

from firmware.services.disk_files import Files


def note(files: Files, path: str, version: int) -> None:
    """The store at `path` was changed so often. Never raises."""
    mark = of(path)
    with suppress(apsw.Error, OSError):
        if files.exists(mark):
            files.write(mark, _content(version), 0)
        else:
            files.put(mark, _content(version))


def keep(files: Files, path: str, version: int) -> None:
    """The same, durably, whatever is there. Raises OSError, `apsw.Error`."""
    files.put(of(path), _content(version))


def is_there(files: Files, path: str) -> bool:
    """Whether there ever was a change of the store at `path`, as far as that was noted."""
    return files.exists(of(path))


def version_of(files: Files, path: str) -> int:
    """How often the store was changed, as far as that was noted; 0: nothing that can be believed."""
    mark = of(path)
    try:
        if not files.exists(mark):
            return 0
        text, _, told = files.read(mark, 64, 0).partition(b" ")
    except (apsw.Error, OSError):
        return 0
    return int(text) if text.isdigit() and told == b"%08x\n" % crc32(text) else 0


def of(path: str) -> str:
    """The note's own path, beside the store at `path`."""
    return path.removesuffix(".db") + ".mark"


def _content(version: int) -> bytes:
    text = b"%016d" % version
    return text + b" %08x\n" % crc32(text)
