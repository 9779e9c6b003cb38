"""What a journal begins with that takes another's place: what was set aside, the mark, the memo, the notes.

What was set aside can be whole to the eye and old: a page of an earlier day has its sums as well. So who may
command is what the memo says, what was spent is what the notes say, and what has run counts as not known,
however much could be read.
"""

import json
from typing import Any

import apsw

from firmware.services import database, journal_mark, journal_memo, journal_mend, journal_salvage
from firmware.services.disk_files import Files
from firmware.services.journal_mark import Mark
from firmware.services.journal_notes import Notes
from firmware.services.journal_salvage import Past
from firmware.services.journal_tables import TABLES

_UNSENT = "INSERT INTO former(body, urgent) VALUES(?, ?)"


def begin(
    connection: apsw.Connection,
    files: Files,
    path: str,
    vfs: str | None,
    by_heart: Past | None,
    gone: bool,
    own: dict[str, str],
) -> str:
    """Fill the empty tables behind `connection`; what is wrong with the memo in a few words, or "".

    by_heart  what is known of the journal before by whoever wrote it; None: it is read
    gone      nothing was set aside: what is there is some older one, unless the mark names it
    own       rows of the table of names: what the new one is called, and whose it is

    Raises `apsw.Error`, OSError.
    """
    mark = journal_mark.read(files, path)
    past = by_heart or Past()
    copy = path.removesuffix(".db") + "-mended.db"
    first = journal_mend.first_page(TABLES)
    old = journal_salvage.open_aside(files, database.last_aside(files, path), copy, first, vfs)
    if old is not None:
        found = journal_salvage.past_of(old, aside=True)
        if not gone or not found.name or found.name == (mark or Mark()).name:
            connection.executemany(_UNSENT, journal_salvage.unsent(old))
            past = by_heart or found
        old.close(True)
        files.remove(copy)
    flaw = ""
    if by_heart is None and (mark is not None or old is not None):
        _follow(past, mark or Mark())
        flaw = recall(files, path, past.kept)
    meta: dict[str, Any] = {**own, "boot": past.boot, "trusted_ms": past.trusted_ms}
    if past.name:
        previous = {"journal": past.name, "seq": past.last_seq}
        meta["previous"] = json.dumps({key: value for key, value in previous.items() if value})
    connection.executemany("INSERT INTO meta VALUES(?, ?)", meta.items())
    rows = [(key, journal_salvage.guarded(key, text)) for key, text in past.kept.items()]
    connection.executemany("INSERT INTO kept VALUES(?, ?)", rows)
    return flaw


def recall(files: Files, path: str, kept: dict[str, str]) -> str:
    """Put right what could be read of a journal that lost its end; what is wrong with the memo, or ""."""
    Notes(files, path).recall(kept)
    return journal_memo.recall(files, path, kept)


def _follow(past: Past, mark: Mark) -> None:
    """Take from the mark what is known by nobody else."""
    past.boot = max(past.boot, mark.boot)
    past.name = past.name or mark.name
    if past.name == mark.name:
        past.last_seq = max(past.last_seq, mark.seq)
