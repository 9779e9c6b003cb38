"""The file of the credential store, its last good copy, and what is done when either is no good.

Synchronous; calls may come from several threads, one is served at a time, but on the real disk `find`
waits for no change (`key_reader`). The copy is made after a change (`key_copy`) and read at every start: one
that is damaged, or gone, is made anew. A file that is no good, or older than its copy, is set aside, never
deleted, and `problems` says so, also that keys cannot be changed, or are all lost (`key_mark`).
"""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress

import apsw

from firmware.access.credential import Credential, Rights
from firmware.runtime.ports import Page, Synced
from firmware.services import (
    database,
    disk_files,
    key_check,
    key_mark,
    key_pages,
    key_rows,
    key_schema,
    key_tables,
)
from firmware.services.key_bulk import Bulk, slim
from firmware.services.key_copy import KeyCopy
from firmware.services.key_reader import KeyReader

BIG_BYTES = 4 << 20  #: a larger database is copied at most once in `COPY_S`
COPY_S = 60
SMALL_BYTES = 1 << 20  #: of a larger database the copy is read after the start, by `see_copy`

# A table or a column that is not there is as bad as a page that is not, or a text that is none.
_NO_GOOD = (*database.CORRUPT, apsw.SQLError, UnicodeDecodeError)
_STORAGE = (apsw.Error, OSError)


class KeyFile:
    """One store's database and its copy; see `firmware.services.credential_store.CredentialStore`."""

    def __init__(
        self, path: str, key: bytes, vfs: str | None, random: Callable[[int], bytes]
    ) -> None:
        self.title = os.path.basename(path)
        self.rights = Rights({}, {}, [], False, False)
        self.version = 0
        #: int  how many keys there are, and the version of the last set of them (`key_pages`)
        self.count = self.synced = 0
        #: names of levels and schedules that the board config gives
        self.board_levels: Collection[str] = ()
        self.board_schedules: Collection[str] = ()
        #: what went wrong and what was done about it, one line each
        self.problems: list[str] = []
        #: bool  `see_copy` has something to do
        self.copy_unseen = False
        self._path = path
        self._key = key
        self._vfs = vfs
        self._random = random
        self._files = disk_files.files_of(vfs)
        self._copy = KeyCopy(path, self._files, vfs)
        self._lock = threading.Lock()
        self._connection: apsw.Connection | None = None
        self._reader = KeyReader()
        self._read_only = False
        self._stale = False
        self._emptied = False  # all keys are lost, and that was told
        self._newest = 0  # the highest version that there was
        self._copied_s: float | None = None

    def open(self) -> None:
        """Open or begin the file; whatever is wrong with it, there is a store afterwards."""
        with self._lock:
            self._open()

    def find(self, number: str) -> Credential | None:
        """The key that is found by `number`. Raises `apsw.Error` where the disk does not work."""
        if self._reader.is_open:
            # Closed just now, or no good: the file is looked after below.
            with suppress(apsw.ConnectionClosedError, *_NO_GOOD):
                return self._reader.find(number)
        with self._lock:
            try:
                return key_rows.find(self._there(), number)
            except _NO_GOOD as error:
                self._recover(error)
                return key_rows.find(self._there(), number)

    def apply(self, changes: Iterable[key_tables.Change]) -> list[key_tables.Told]:
        """Make changes whole or not at all; what became of which key. Raises `ChangeError`, `apsw.Error`."""
        with self._change() as connection:
            application = self._application(connection)
            with connection:
                application.run(changes)
                if application.told:
                    key_pages.forget(connection)
            return application.told

    def sync(self, page: Page) -> Synced:
        """Take a page of a set of keys. Raises as `apply`."""
        with self._change() as connection:
            database.pragma(connection, "temp_store", "MEMORY")
            application = self._application(connection)
            return key_pages.take(connection, application, self._key, self._random, page)

    def withdraw(self, operator: str) -> None:
        """Forget the set of keys under way if it is `operator`'s. Raises `apsw.Error`."""
        with self._change() as connection, connection:
            key_pages.withdraw(connection, operator)

    def load(self, write: Callable[[Bulk], None]) -> None:
        """Have `write` put very many keys; what it raises undoes them all. Raises as `apply`."""
        with self._change() as connection:
            database.pragma(connection, "temp_store", "FILE")
            application = self._application(connection)
            with connection:
                write(Bulk(connection, application))
                application.end()
                key_pages.forget(connection)

    def see_copy(self) -> None:
        """See to the copy of a larger store, which takes as long as reading it does. Never raises."""
        with self._lock:
            if self.copy_unseen and self._connection is not None and not self._read_only:
                self._see_copy(self._connection)

    def close(self, killed: bool = False) -> None:
        """Close the file; not killed: bring the copy up to date first. Never raises."""
        with self._lock:
            self._reader.close()
            connection, self._connection = self._connection, None
            if connection is None:
                return
            if killed:
                connection.close(True)
                return
            try:
                if self._stale:
                    self._copy.make(connection)
                database.tidy(connection)
            except _STORAGE:
                connection.close(True)  # the next start finds the file as it is

    # ---- opening -----------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            database.finish_set_aside(self._files, self._path)
            self._open_file()
        except _NO_GOOD as error:
            self._recover(error)
        except _STORAGE as error:
            self._fall_back(error)
        else:
            self._tell_lost()
        if not self._read_only:
            self._care_for_copy(self._there())
            self._care_for_mark()

    def _open_file(self, restored: bool = False) -> None:
        connection = database.connect(self._path, self._vfs, shared=self._vfs is None)
        there_was = not restored and (self._copy.is_there or self._is_marked)
        if there_was and key_schema.is_empty(connection):
            connection.close(True)  # somebody took it away, or restoring it was cut short
            self._problem(f"was gone; {self._goes_on_with(self._copy.put_back(''))}")
            connection = database.connect(self._path, self._vfs, shared=self._vfs is None)
        try:
            key_check.check(connection, self._files, self._path)
            self._stale = key_schema.create(connection) or self._stale
            key_check.contents(connection)
            known = key_check.known(connection)
            self._copy.look(known.version)
            self._use(connection, known, read_only=False)
        except Exception:
            connection.close(True)
            raise

    def _use(self, connection: apsw.Connection, known: key_check.Known, read_only: bool) -> None:
        self._connection, self._read_only = connection, read_only
        self.rights, self.version, self.count, self.synced = known
        if self._vfs is None and not read_only:
            with suppress(apsw.Error):  # look-ups then wait for changes
                self._reader.open(self._path, connection)

    def _recover(self, error: Exception) -> None:
        """Set the file aside and go on with what is whole and newest, or with nothing."""
        self._let_go()
        words = database.describe(error)
        if self._read_only:  # nothing can be set aside: the copy, as it is
            self._fall_back(error, skip_file=True)
            return
        try:
            aside = database.set_aside(self._files, self._path)
            used = self._copy.put_back(aside.name)
            self._open_file(restored=True)
        except _STORAGE as second:
            self._fall_back(second, skip_file=True)
            return
        where = f"; set aside as {aside.words}" if aside.name else ""
        self._problem(f"{words}{where}; {self._goes_on_with(used)}")
        self._tell_lost()

    def _goes_on_with(self, used: str | None) -> str:
        if used is None:
            self._emptied = True
            return "no good copy: all keys are lost"
        if used in (self._copy.good, self._copy.next):
            return "the last good copy is used"
        self._stale = True
        return "what can be read of it is used"

    def _tell_lost(self) -> None:
        """Tell of changes that were made once and are gone: if of all, at each start until there is one."""
        if not self.version:
            self._newest = 0
            if self._is_marked and not self._emptied:
                self._problem("all keys are lost")
            return
        lost = max(self._newest, key_mark.version_of(self._files, self._path)) - self.version
        self._newest = self.version
        if lost > 0:
            many = "the last change is" if lost == 1 else f"the last {lost} changes are"
            self._problem(f"{many} lost")
            key_mark.note(self._files, self._path, self.version)

    def _fall_back(self, error: Exception, skip_file: bool = False) -> None:
        """Nothing can be written: read what is whole and newest, the file before its copy."""
        words = database.describe(error)
        best: tuple[apsw.Connection, key_check.Known, str] | None = None
        for path in (self._path, self._copy.good, self._copy.next)[1 if skip_file else 0 :]:
            try:
                connection = database.connect_read_only(path, self._vfs)
            except apsw.Error:
                continue
            try:
                known = key_check.read_only(connection)
            except apsw.Error:
                connection.close(True)
                continue
            if best is not None and best[1].version >= known.version:
                connection.close(True)
                continue
            if best is not None:
                best[0].close(True)
            best = connection, known, path
        if best is not None:
            name = "" if best[2] == self._path else " from the last good copy"
            self._use(best[0], best[1], read_only=True)
            self._problem(f"{words}; keys are read{name} and cannot be changed")
            self._tell_lost()
            return
        memory = apsw.Connection(":memory:")
        key_schema.create(memory)
        self._use(memory, key_check.known(memory), read_only=True)
        self._problem(f"{words}; no keys can be read: nobody is known")

    # ---- the mark ----------------------------------------------------------------------------------

    @property
    def _is_marked(self) -> bool:
        return key_mark.is_there(self._files, self._path)

    def _care_for_mark(self) -> None:
        """At a start: have it noted how often the store was changed, if ever it was."""
        if self.version in (0, key_mark.version_of(self._files, self._path)):
            return
        try:
            key_mark.keep(self._files, self._path, self.version)
        except _STORAGE as error:
            mark = os.path.basename(key_mark.of(self._path))
            self._problem(f"{mark} cannot be written: {database.describe(error)}")

    # ---- the copy ----------------------------------------------------------------------------------

    def _care_for_copy(self, connection: apsw.Connection) -> None:
        """At a start: have a copy of what there is, now or soon."""
        if not self._copy.is_of(self.version):
            self._stale = True
        if self._stale and self._copy.is_there and self._is_big(connection):
            self._copied_s = time.monotonic()  # not now: a start is to be short
        self.copy_unseen = True
        done = self._bytes(connection) <= SMALL_BYTES and self._see_copy(connection)
        if self._stale and not done:
            self._copy_if_due()

    def _see_copy(self, connection: apsw.Connection) -> bool:
        """Have a copy that is damaged or gone made anew, and tell; whether there was one to make."""
        self.copy_unseen = False
        if self._copy.is_whole:
            return False
        self._copied_s = None
        if not self.version or not self._is_marked or self._copy.is_under_way:
            self._copy_if_due()  # nobody made one, or made it to its end
            return True
        flaw = "damaged" if self._files.exists(self._copy.good) else "missing"
        try:
            aside = self._copy.renew(connection)
            self._stale = False
            made = (f"set aside as {aside}; " if aside else "") + "a new one was made"
        except _STORAGE as error:
            self._stale = True
            made = f"no copy could be made: {database.describe(error)}"
        self._problem(f"the last good copy was {flaw}; {made}")
        return True

    def _copy_if_due(self) -> bool:
        """Bring the copy up to date; whether that is possible."""
        connection = self._there()
        now_s = time.monotonic()
        due = self._copied_s is None or now_s - self._copied_s >= COPY_S
        if not due and self._is_big(connection):
            return True
        self._copied_s = now_s
        try:
            self._copy.make(connection)
            self._stale = False
        except _STORAGE as error:
            self._problem(f"no copy could be made: {database.describe(error)}")
        return not self._stale

    def _is_big(self, connection: apsw.Connection) -> bool:
        return self._bytes(connection) > BIG_BYTES

    def _bytes(self, connection: apsw.Connection) -> int:
        pages = int(str(database.pragma(connection, "page_count")))
        return pages * int(str(database.pragma(connection, "page_size")))

    # ---- the rest ----------------------------------------------------------------------------------

    def _there(self) -> apsw.Connection:
        if self._connection is None:
            raise apsw.ConnectionClosedError("store is not open")
        return self._connection

    def _application(self, connection: apsw.Connection) -> key_tables.Application:
        return key_tables.Application(
            connection, self._key, self._random, self.board_levels, self.board_schedules
        )

    @contextmanager
    def _change(self) -> Iterator[apsw.Connection]:
        """One change: till it is made and known, what was in force is found."""
        with self._lock:
            if self._read_only:
                raise apsw.ReadOnlyError("store is read-only")
            connection, before = self._there(), self.version
            try:
                with self._reader.held(connection):
                    yield connection
                    if key_rows.version(connection) != before:
                        self._learn()
                if self.version != before:
                    self._stale = True
                    key_mark.note(self._files, self._path, self.version)
                    if not self._copy_if_due():
                        key_check.contents(connection)  # then it is the store that is no good
            except database.CORRUPT as error:
                self._recover(error)
                raise
            finally:
                slim(connection)

    def _learn(self) -> None:
        self.rights, self.version, self.count, self.synced = key_check.known(self._there())
        self._newest = self.version

    def _let_go(self) -> None:
        self._reader.close()
        if self._connection is not None:
            self._connection.close(True)
            self._connection = None

    def _problem(self, text: str) -> None:
        self.problems.append(f"{self.title}: {text}")
