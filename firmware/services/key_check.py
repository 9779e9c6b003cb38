"""What is looked at before a credential store is trusted: its log, its structure, what it says.

SQLite keeps no sums of its pages, and takes a log (WAL) of which a frame is damaged for one that ends
there: the store would go back in silence to what was in force before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import apsw

from firmware.access.credential import Rights
from firmware.services import database, journal_mend, key_pages, key_rows, key_schema, key_sums
from firmware.services.disk_files import Files

# A disk that is full or broken brings no log home; the store is read all the same.
_NO_WRITING = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.BusyError)


class Known(NamedTuple):
    """Of a store: rights, how often it was changed, how many keys, the version of the last set."""

    rights: Rights
    version: int
    keys: int
    synced: int


def check(connection: apsw.Connection, files: Files, path: str) -> None:
    """See that the log was read to its end and that the structure holds. Raises `apsw.CorruptError`."""
    try:
        # What the log holds is brought home, which tells how much of it SQLite could read.
        frames, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except _NO_WRITING:
        frames = None
    if frames is not None and journal_mend.is_cut_short(files, path + "-wal", max(0, frames)):
        raise apsw.CorruptError("log")
    with _readable():
        database.check(connection, indexes=True)


def read_only(connection: apsw.Connection) -> Known:
    """The same of a database that cannot be written; what is known of it. Raises as `known`."""
    with _readable():
        database.check(connection, indexes=True)
    key_schema.look_only(connection)
    if database.pragma(connection, "user_version") == key_schema.FORMAT:
        contents(connection)
    return known(connection)


def contents(connection: apsw.Connection) -> None:
    """See that the tables are ours, and every row what was written. Raises `apsw.CorruptError`."""
    with _readable():
        key_schema.check(connection)
        key_sums.check(connection, key_schema.tables(connection))


def known(connection: apsw.Connection) -> Known:
    """What has to be known of a store. Raises `apsw.CorruptError` where it makes no sense, `apsw.Error`."""
    with _readable():
        return Known(
            key_rows.rights(connection),
            key_rows.version(connection),
            key_rows.count(connection),
            key_pages.in_force(connection),
        )


@contextmanager
def _readable() -> Iterator[None]:
    """Whatever is no text, no number, no JSON is as bad as a page that is none."""
    try:
        yield
    except (ValueError, TypeError, AttributeError) as error:
        raise apsw.CorruptError("what it says makes no sense") from error
