"""What a journal is called and how far it had come, in a file of its own beside it: what is lost shows.

SQLite takes an empty file for a new database, and a database without its log (WAL) for one in which the
log's transactions never were. So whoever opens a journal asks here first, and notes here which journal it
is, in which boot, and up to which seq it is durable for certain: at each start and, when nobody waits, after
the first records of each new log, each command and each signed checkpoint. A journal may be further than its
mark says, never less far.

A mark that cannot be read still says that there was a journal, and so do a memo (`journal_memo`) and notes
(`journal_notes`) without a mark; nobody knows then how far it had come, so it counts as one that has
lost its end. One that cannot be written is written at the next occasion.
"""

import re
from contextlib import suppress
from typing import NamedTuple
from zlib import crc32

import apsw

from firmware.runtime.command_gate import SEEN
from firmware.services import journal_memo, journal_notes
from firmware.services.database import EmptyError, MissingError, UnmarkedError
from firmware.services.disk_files import Files
from firmware.services.journal_draft import Draft
from firmware.services.journal_salvage import Past

BYTES_LIMIT = 80

#: The second line came later; an older program reads the first, or that there was a journal.
_TEXT = re.compile(rb"([0-9a-f]{8})\n(?:([0-9]{1,18}) ([0-9]{1,18}) ([0-9a-f]{8})\n)?")


class Mark(NamedTuple):
    """What is noted of a journal; the defaults are "not known".

    name  str  its name
    boot  int  the start of this controller in which this was noted
    seq   int  everything up to there is durable
    """

    name: str = ""
    boot: int = 0
    seq: int = 0


def read(files: Files, path: str) -> Mark | None:
    """What is noted of the journal at `path`; None: there never was one."""
    try:
        if not files.exists(_mark(path)):
            known = journal_memo.is_there(files, path) or journal_notes.is_there(files, path)
            return Mark() if known else None
        versions = files.versions(_mark(path), BYTES_LIMIT)
    except (apsw.Error, OSError):
        return Mark()
    marks = (_parsed(content) for content in versions)
    return max(marks, key=lambda mark: bool(mark.name), default=Mark())


def _parsed(content: bytes) -> Mark:
    found = _TEXT.fullmatch(content)
    if found is None:
        return Mark()
    name, boot, seq, guard = found.groups()
    if guard is None:
        return Mark(name.decode())
    if guard != _guard(content[: found.start(4)]):
        return Mark()
    return Mark(name.decode(), int(boot), int(seq))


def concerns(draft: Draft) -> bool:
    """Whether a draft has what must not be undone in it, or ends with a signed checkpoint.

    A command, which must not run again, or what keeps a door shut (`journal_notes`).
    """
    if draft.since == 0 or journal_notes.concerns(draft.kept):
        return True
    return any(key.startswith(SEEN) for key in draft.kept)


def look(files: Files, path: str) -> None:
    """See that a journal that was begun has not vanished, and that it is known how far it came.

    Raises `EmptyError`, `MissingError`, `UnmarkedError`, `apsw.Error`, OSError.
    """
    mark = read(files, path)
    if mark is None:
        return
    if not files.exists(path):
        raise MissingError("no journal where there was one")
    if not files.size(path):
        raise EmptyError("an empty journal")
    if not mark.name:
        raise UnmarkedError("no mark")


def is_behind(files: Files, path: str, found: Past, by_heart: Past | None = None) -> bool:
    """Whether the journal that was `found` is not as far as it had come for certain, or nobody knows.

    by_heart  what is known of it by whoever wrote it; None: the mark's word counts
    """
    least = read(files, path) if by_heart is None else _mark_of(by_heart)
    if least is None:
        return False
    if not least.name:
        return True
    if found.name != least.name:  # an older one, unless it took the place of that one just now
        return found.previous != least.name
    return found.boot < least.boot or found.last_seq < least.seq


def keep(files: Files, path: str, past: Past) -> None:
    """Note how far the journal at `path` is durable, durably. Never raises."""
    mark = _mark_of(past)
    if read(files, path) != mark:
        text = f"{mark.name}\n{mark.boot} {mark.seq} ".encode()
        with suppress(apsw.Error, OSError):
            files.put(_mark(path), text + _guard(text) + b"\n")


def _mark_of(past: Past) -> Mark:
    return Mark(past.name, past.boot, past.last_seq)


def _guard(text: bytes) -> bytes:
    return b"%08x" % crc32(text)


def _mark(path: str) -> str:
    return path.removesuffix(".db") + ".name"
