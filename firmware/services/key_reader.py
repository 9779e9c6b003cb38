"""Looks keys up while the store is being changed, however long that takes.

A second connection to the same file, on the real disk. What is in force when a change begins is what is
found until `held` ends; the change is then seen whole. It also brings the WAL home, which the change
cannot do while its beginning is looked at. Calls may come from any thread.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import apsw

from firmware.access.credential import Credential
from firmware.services import database, key_rows, key_sums

HOME_PAGES = 1000  #: a WAL of so many pages is brought home after a change


class KeyReader:
    """One store's second connection. Closed until `open`, and after `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: apsw.Connection | None = None
        self._wal_pages = 0

    @property
    def is_open(self) -> bool:
        """Whether keys can be found here."""
        return self._connection is not None

    def open(self, path: str, writer: apsw.Connection) -> None:
        """Read beside `writer`, which was opened `shared`. Raises `apsw.Error`."""
        connection = database.connect_beside(path)
        key_sums.register(connection)
        with self._lock:
            self._connection = connection
        self._wal_pages = 0
        writer.set_wal_hook(self._grown)  # the change itself brings nothing home

    def close(self) -> None:
        """Read no more; what is being looked for is found first."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(True)

    def find(self, number: str) -> Credential | None:
        """The key that is found by `number`. Raises `apsw.Error`."""
        with self._lock:
            if self._connection is None:
                raise apsw.ConnectionClosedError("is not open")
            return key_rows.find(self._connection, number)

    @contextmanager
    def held(self, writer: apsw.Connection) -> Iterator[None]:
        """While `writer` makes a change, what was in force before is found."""
        with self._lock, suppress(apsw.Error):  # then it is seen a little early, but whole
            if self._connection is not None:
                self._connection.execute("BEGIN; SELECT value FROM meta LIMIT 1").fetchall()
        try:
            yield
        finally:
            with self._lock:
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.execute("COMMIT")
        if self._wal_pages >= HOME_PAGES:
            with suppress(apsw.BusyError):  # a look-up: after the next change
                writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _grown(self, writer: apsw.Connection, name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK
