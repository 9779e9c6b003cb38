"""What is looked at before a credential store is trusted: its log, its structure, what it says.

SQLite keeps no sums of its pages, and takes a log (WAL) of which a frame is damaged for one that ends
there: the store would go back in silence to what was in force before.
"""

from typing import NamedTuple

import apsw

from firmware.access.credential import Rights
from firmware.services import database, journal_mend, key_pages, key_schema, key_tables
from firmware.services.database import Files

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
    database.check(connection, indexes=True)


def read_only(connection: apsw.Connection) -> Known:
    """The same of a database that cannot be written; what is known of it. Raises as `known`."""
    database.check(connection, indexes=True)
    key_schema.look_only(connection)
    return known(connection)


def known(connection: apsw.Connection) -> Known:
    """What has to be known of a store. Raises `apsw.CorruptError` where it makes no sense, `apsw.Error`."""
    try:
        return Known(
            key_tables.rights(connection),
            key_tables.version(connection),
            key_tables.count(connection),
            key_pages.in_force(connection),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise apsw.CorruptError("what it says makes no sense") from error
