"""The last good copy of a credential store: made after a change, put back where the store is no good.

It is written apart, checked, synced, then put in place, so that store or copy is whole at every instant. A
store counts its changes, and the count only rises: of those that are whole the one with most is the newest.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from firmware.services import database, journal_mend, key_check, key_rows, key_schema
from firmware.services.disk_files import Files

_VERSIONS = 18  # where the header says which SQLite may write and read the file (format 1.3.3)
_NO_WAL = b"\1\1"  # what a copy says there


class KeyCopy:
    """Of the store at `path`, by its `files`, which are on `vfs`."""

    def __init__(self, path: str, files: Files, vfs: str | None) -> None:
        stem, dot, ending = path.rpartition(".")
        self.good = f"{stem}.good.{ending}" if dot else f"{path}.good"
        self.next = f"{stem}.good-new.{ending}" if dot else f"{path}.good-new"
        self._path = path
        self._files = files
        self._vfs = vfs

    @property
    def is_there(self) -> bool:
        """Whether there is a copy, good or not."""
        return any(True for _ in self._there())

    def is_of(self, version: int) -> bool:
        """Whether the copy says that it is of so many changes."""
        return self._files.exists(self.good) and self._version(self.good) == version

    @property
    def is_whole(self) -> bool:
        """Whether there is a copy of which nothing is damaged; takes as long as reading it does."""
        good = self.good
        try:
            return self._whole(good) >= 0 and journal_mend.is_of_our_time(self._files, good)
        except (apsw.Error, OSError):
            return False

    @property
    def is_under_way(self) -> bool:
        """Whether a copy is whole and not in place yet, as a power cut may leave it."""
        return self._files.exists(self.next) and self._whole(self.next) >= 0

    def look(self, version: int) -> None:
        """See that no copy knows of more changes than `version`. Raises `database.OldError`."""
        for copy in self._there():
            if self._version(copy) > version and self._whole(copy) > version:
                raise database.OldError(copy)

    def put_back(self, aside: str) -> str | None:
        """Put what is whole and newest in the store's place; which, or None. Raises OSError, `apsw.Error`.

        aside  what the store was set aside as: it may be whole as far as it can be read; "": nothing was
        """
        folder = os.path.dirname(self._path)
        best, most = None, -1
        for copy in (*self._there(), *((os.path.join(folder, aside),) if aside else ())):
            version = self._whole(copy)
            if version > most:
                best, most = copy, version
        self._files.remove(self._path + "-wal")
        if best in (self.good, self.next):
            self._files.copy(best, self._path)
            self._files.write(self._path, _NO_WAL, _VERSIONS)  # as it was, if a bit flipped there
        elif best is not None:
            self._gather(best)
        elif self._files.exists(self.good):
            database.set_aside(self._files, self.good)  # the next copy would replace it
        return best

    def _gather(self, aside: str) -> None:
        """Put a database and what can be read of its log in the store's place."""
        with self._opened(aside) as connection:
            self._write(connection)
        self._files.move(self.next, self._path)

    def make(self, connection: apsw.Connection) -> None:
        """Copy the store behind `connection`. Raises OSError, `apsw.Error`; the last copy is then there."""
        self._write(connection)
        self._files.move(self.next, self.good)

    def renew(self, connection: apsw.Connection) -> str:
        """The same where the last copy is no good: what that is set aside as, in words. Raises likewise."""
        self._write(connection)
        aside = database.set_aside(self._files, self.good)
        self._files.move(self.next, self.good)
        return aside.words

    def _write(self, connection: apsw.Connection) -> None:
        self._files.remove(self.next)
        connection.execute("VACUUM INTO ?", (self.next,))
        if self._whole(self.next) < 0:
            raise apsw.CorruptError("copy")
        self._files.sync(self.next)

    def _there(self) -> Iterator[str]:
        return (copy for copy in (self.good, self.next) if self._files.exists(copy))

    def _version(self, path: str) -> int:
        """What a database says its version is; -1: nothing that can be read."""
        try:
            with self._opened(path) as connection:
                key_schema.look_only(connection)
                return key_rows.version(connection)
        except (apsw.Error, ValueError):
            return -1

    def _whole(self, path: str) -> int:
        """The version of a database that is whole; -1: it is not."""
        try:
            with self._opened(path) as connection:
                return key_check.read_only(connection).version
        except apsw.Error:
            return -1

    @contextmanager
    def _opened(self, path: str) -> Iterator[apsw.Connection]:
        connection = database.connect_read_only(path, self._vfs)
        try:
            yield connection
        finally:
            connection.close(True)
