"""The file of a journal: events with their chain, what is kept with them, what has left.

Synchronous; `firmware.services.journal` calls it where waiting is allowed, one call at a time. What a
caller learns has been committed. A database that is no good is set aside whole and a new one begun.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import apsw

from firmware.runtime.ports import Batch
from firmware.services import (
    database,
    disk_files,
    journal_heir,
    journal_mark,
    journal_memo,
    journal_mend,
    journal_salvage,
)
from firmware.services.journal_ahead import Ahead
from firmware.services.journal_draft import Draft, Sign, Written, keep
from firmware.services.journal_notes import Notes
from firmware.services.journal_ring import LEFT, TAKEN, Ring
from firmware.services.journal_salvage import Past
from firmware.services.journal_tables import FORMAT, FORMER_SENT, LAST_CHECKPOINT, LATER, TABLES
from firmware.trust import chain

CHECKPOINT_PAGES = 1000  #: of WAL, after which it is brought home

# While opening, a table that is not there is as bad as a page that is not, or a text that is none.
_NO_GOOD = (*database.CORRUPT, apsw.SQLError, UnicodeDecodeError)


class JournalFile:
    """One journal's database; see `firmware.services.journal.SqliteJournal` for the arguments."""

    def __init__(
        self,
        path: str,
        controller: str,
        limit: int,
        vfs: str | None,
        simulated: bool,
        random: Callable[[int], bytes],
        sign: Sign | None = None,
    ) -> None:
        self.title = os.path.basename(path)
        self.past = Past()
        self.kept: dict[str, Any] = {}
        self.kept_known = False
        self._path = path
        self._controller = controller
        self._limit = limit
        self._vfs = vfs
        self._simulated = simulated
        self._random = random
        self._sign = sign
        self._since = 0  # events since the last checkpoint
        self._vouched = False  # since this was opened
        self._unseen = False  # the file goes on behind `past.last_seq`, and nobody was told
        self._files = disk_files.files_of(vfs)
        self._notes = Notes(self._files, path)
        self._ahead = Ahead(self._files, path)
        self._connection: apsw.Connection | None = None
        self._ring: Ring | None = None
        self._last_hash = chain.START
        self._previous: dict[str, Any] | None = None
        self._booted = False
        self._generation = 0
        self._wal_pages = 0
        self._log_is_new = False  # since a checkpoint: nothing of the log is noted in the mark
        self._mark_owed = False
        self._suspect: apsw.Error | None = None  # a page could not be read: to be set aside
        self._cleared = ""  # what to say of the one that was set aside, until there is a new one
        self._gone = False  # there was nothing to set aside

    # ---- opening -----------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether there is a file to write to."""
        return self._connection is not None

    @property
    def waiting(self) -> int:
        """Events in the file that have not left."""
        return self._ring.waiting if self._ring is not None else 0

    @property
    def has_room(self) -> bool:
        """Whether what is written next pushes nothing out."""
        return self._ring is None or self._ring.has_room

    @property
    def held(self) -> int:
        """Of those, how many the broker has."""
        return self._ring.held if self._ring is not None else 0

    @property
    def first(self) -> int:
        """The oldest seq in the file; 0: none."""
        return self._ring.first if self._ring is not None else 0

    @property
    def is_noted(self) -> bool:
        """Whether all that the host has stored is noted in the file."""
        return self._ring is None or self._ring.is_noted

    def open(self) -> str:
        """Open or begin the file; what was set aside for it, or "". Raises `apsw.Error`, OSError."""
        database.finish_set_aside(self._files, self._path)
        try:
            if not self._cleared:
                journal_mark.look(self._files, self._path)
            return self._open()
        except _NO_GOOD as error:
            return self._begin_again(error)

    def look(self) -> None:
        """Learn what is kept from a file that cannot be written, or from what is beside it. Never raises."""
        try:
            connection = database.connect_read_only(self._path, self._vfs)
        except apsw.Error:
            there_was = journal_mark.read(self._files, self._path) is not None
            if there_was and not journal_heir.recall(self._files, self._path, self.past.kept):
                self._tell_kept()
            return
        self.past = journal_salvage.past_of(connection)
        if journal_mark.is_behind(self._files, self._path, self.past):
            journal_heir.recall(self._files, self._path, self.past.kept)
        self._ahead.recall(self.past)
        self.past.boot += self.past.name != ""  # of none the next start is not known
        self._tell_kept()
        connection.close(True)

    def _open(self) -> str:
        connection = database.connect(self._path, self._vfs)
        try:
            known = journal_mend.statements(TABLES, LATER, FORMER_SENT)
            journal_mend.check(connection, self._files, self._path, known)
            connection.set_wal_hook(self._wal_grew)
            connection.execute("BEGIN IMMEDIATE")
            is_new = database.pragma(connection, "user_version") != FORMAT
            if is_new:
                self._create(connection)
            connection.execute(LATER)
            if len(connection.execute("PRAGMA table_info(former)").fetchall()) == 3:
                connection.execute(FORMER_SENT)
            self._load(connection, is_new)
            if not self._booted:
                if self._catch_up(connection):
                    self._load(connection, is_new)
                self.past.boot += 1
            meta = {"boot": self.past.boot, "trusted_ms": self.past.trusted_ms}
            connection.executemany("REPLACE INTO meta VALUES(?, ?)", meta.items())
            connection.execute("COMMIT")
        except Exception:
            connection.close(True)
            raise
        self._connection = connection
        self._booted = True
        self._ahead.prepare()
        self._notes.keep(self.past.kept)
        self._note_beside()
        note, self._cleared = self._cleared or self._ahead.trouble(), ""
        return note

    def _create(self, connection: apsw.Connection) -> None:
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
            raise apsw.NotADBError("not a journal of this format")
        connection.execute(TABLES)
        if not self._cleared and journal_mark.read(self._files, self._path) is not None:
            self._gone = True  # its log was all there was of it
            self._cleared = self._note_of(database.EmptyError(), "")
        by_heart = self.past if self._booted else None
        own = {"journal": self._random(4).hex(), "controller": self._controller}
        flaw = journal_heir.begin(
            connection, self._files, self._path, self._vfs, by_heart, self._gone, own
        )
        if flaw and not self._cleared.endswith(flaw):
            self._cleared += f"; {flaw}"
        database.pragma(connection, "user_version", str(FORMAT))

    def _load(self, connection: apsw.Connection, is_new: bool) -> None:
        if self._booted and self.past.name:
            # What was attempted and not acknowledged, and may be there after all, is written again.
            connection.execute("DELETE FROM events WHERE seq > ?", (self.past.last_seq,))
        past = journal_salvage.past_of(connection)
        if not past.name or past.damaged:
            raise apsw.CorruptError("no name" if past.damaged is False else "kept")
        by_heart = self.past if self._booted else None
        if not is_new and journal_mark.is_behind(self._files, self._path, past, by_heart):
            raise database.ShortError("newest records")
        self._last_hash = chain.START
        self._previous = None
        if past.last_seq:
            self._last_hash = journal_salvage.last_hash(connection, past)
        else:
            for (text,) in connection.execute("SELECT value FROM meta WHERE key = 'previous'"):
                self._previous = json.loads(text)
        back_to = max(0, past.last_seq - chain.CHECKPOINT_EVERY)
        found = connection.execute(LAST_CHECKPOINT, (back_to,)).fetchall()
        self._since = past.last_seq - (int(str(found[0][0])) if found else back_to)
        self._vouched = not past.last_seq
        self._unseen = False
        self._ring = Ring(connection, self._limit, self._generation)
        self.past = past
        self._tell_kept()

    def _catch_up(self, connection: apsw.Connection) -> bool:
        """Write what went ahead in the last start and never came here; whether there was any."""
        before = self._previous or {"journal": self.past.name, "seq": self.past.last_seq}
        frame = self._ahead.read(str(before.get("journal")), int(before.get("seq", 0)))
        if frame is not None:
            self._put(connection, self._draft(frame.batches, frame.boot))
        return frame is not None

    def _tell_kept(self) -> None:
        self.kept, self.kept_known = journal_salvage.values(self.past.kept), True

    def _begin_again(self, error: Exception) -> str:
        self._let_go()
        self._suspect = None
        aside = database.set_aside(self._files, self._path)
        self._gone = not aside.name
        self._cleared = self._note_of(error, f"; set aside as {aside.words}" if aside.name else "")
        if self._booted:
            self._generation += 1
        return self._open()

    def _note_of(self, error: Exception, where: str) -> str:
        return f"{self.title}: {database.describe(error)}{where}; a new one was begun"

    def _note_beside(self) -> None:
        """Note beside the file what must be known if it is lost."""
        self._notes.settle(self.past.kept)
        journal_memo.keep(self._files, self._path, self.past.kept)
        journal_mark.keep(self._files, self._path, self.past)
        self._mark_owed = self._log_is_new = False

    # ---- writing -----------------------------------------------------------------------------------

    def write(self, batches: list[Batch], left: list[int], taken: list[int]) -> Written:
        """Write `batches`, note what has left and what the broker has, all or nothing.

        Raises `apsw.Error`, OSError.
        """
        note = self._ahead.trouble()  # told unless this fails, too
        if self._suspect is not None:
            note = self._begin_again(self._suspect)
        elif self._connection is None:
            note = self.open()
        try:
            written = self._write(batches, left, taken)
        except database.CORRUPT as error:
            note = self._begin_again(error)
            written = self._write(batches, [], [])
        written.note = note
        return written

    def go_ahead(self, batches: list[Batch]) -> bool:
        """Make `batches`, which `write` is to have next, durable by themselves; whether that was done."""
        if self._connection is None or self._suspect is not None or self._unseen:
            return False
        return self._ahead.write(self.past.name, self.past.boot, self.past.last_seq, batches)

    def read(self, what: Callable[[Ring], list[tuple[int, str]]]) -> list[tuple[int, str]]:
        """Events that the ring hands out. Raises `apsw.Error`; a damaged file is set aside soon."""
        try:
            return what(self._ring) if self._ring is not None else []
        except database.CORRUPT as error:
            self._suspect = error  # the next write begins a new journal
            raise

    def stored(self, journal: str, seq: int, hash: str) -> bool:
        """The host has all of `journal` up to `seq`; whether `hash` is ours there. Raises `apsw.Error`."""
        ring = self._ring
        if ring is None:
            return False
        if journal == self.past.name:
            return ring.store(seq, hash)
        return ring.store_former(journal, seq, hash)

    @property
    def upkeep_due(self) -> bool:
        """Whether there is something for `upkeep` to do."""
        return self._mark_owed or self._wal_pages >= CHECKPOINT_PAGES

    def upkeep(self) -> None:
        """Mark how far the journal has come, bring a WAL home that has grown long. Raises `apsw.Error`."""
        if self._connection is None:
            return
        if self._mark_owed:
            self._note_beside()
        if self._wal_pages >= CHECKPOINT_PAGES:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._wal_pages = 0
            self._log_is_new = True

    def close(self, killed: bool = False) -> None:
        """Close the file; killed: leave everything as it is. Raises `apsw.Error`."""
        connection = self._connection
        self._connection = self._ring = None
        self._ahead.close()
        if connection is not None:
            if killed:
                connection.close(True)
            else:
                database.tidy(connection)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close(True)
        self._connection = self._ring = None

    def _write(self, batches: list[Batch], left: list[int], taken: list[int]) -> Written:
        draft = self._draft(batches, self.past.boot)
        if journal_memo.concerns(draft.kept):  # first: a damaged journal never knows better
            journal_memo.keep(self._files, self._path, {**self.past.kept, **draft.kept})
        self._notes.add(draft.kept)
        dropped = self._commit(draft, left, taken)
        # A disk may take so long that the door did not wait. Nobody has seen these rows: they are
        # written anew, and say so. A batch is told durable first and then asked whether it is late;
        # who makes it late asks in the other order (`firmware.runtime.outputs`).
        while draft.tell_durable():
            draft = self._draft(batches, self.past.boot)
            dropped += self._commit(draft, [], [])
        self._unseen = False
        self._ahead.settle()
        self.past.last_seq, self._last_hash = draft.seq, draft.prev
        self._since = draft.since
        if draft.rows:
            self._previous = None
            self._vouched = True
        keep(self.past.kept, draft.kept)
        if draft.rows and (self._log_is_new or journal_mark.concerns(draft)):
            self._mark_owed = True  # when nobody waits for it
        draft.written.dropped = dropped
        return draft.written

    def _commit(self, draft: Draft, left: list[int], taken: list[int]) -> int:
        """Write the rows of `draft` instead of any that nobody has seen; how many gave way unsent."""
        connection, ring = self._connection, self._ring
        if connection is None or ring is None:
            raise apsw.CantOpenError("not open")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if self._unseen:
                ring.cut(self.past.last_seq)
            self._put(connection, draft)
            if not draft.rows and not draft.kept:  # a write that is to be tried
                text = "REPLACE INTO meta VALUES('trusted_ms', ?)"
                connection.execute(text, (self.past.trusted_ms,))
            ring.mark(left, LEFT)
            ring.mark(taken, TAKEN)
            ring.note()
            dropped = ring.sweep(draft.seq, len(draft.rows))
            connection.execute("COMMIT")
        except apsw.Error:
            self._roll_back(connection)
            raise
        ring.noted()
        self._unseen = True
        return dropped

    def _put(self, connection: apsw.Connection, draft: Draft) -> None:
        if draft.rows and self._ring is not None:
            self._ring.add(draft.rows)
        draft.keep_in(connection)

    def _draft(self, batches: list[Batch], boot: int) -> Draft:
        marks: dict[str, Any] = {"journal": self.past.name, "boot": boot}
        if self._simulated:
            marks["simulated"] = True
        id_start = f"{self._controller}:{self.past.name}:"
        last, since = self.past.last_seq, self._since
        draft = Draft(marks, id_start, last, self._last_hash, self._previous, since, self._sign)
        for batch in batches:
            draft.add(batch)
        if self._booted and not self._vouched:
            draft.vouch()  # at each start but a journal's first: else cuts could put it off for ever
        return draft

    def _roll_back(self, connection: apsw.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if self._ring is not None:
                self._ring.reset()
        except apsw.Error:
            self._let_go()  # opened anew at the next attempt

    def _wal_grew(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK
