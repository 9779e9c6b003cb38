"""What journal and credential store share: opening SQLite (apsw), its errors in words, files set aside.

Every database has one user, this process. WAL with synchronous FULL loses nothing that was committed;
locking_mode EXCLUSIVE needs no shared memory, so the same lines run on a simulated disk. On the real one
a database may be `shared` by connections of this process, still by no other.
"""

import os
from typing import NamedTuple

import apsw

from firmware.services.disk_files import Files

#: The file itself is no good: set it aside and begin again.
CORRUPT = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)

CACHE_KIB = 1024  #: page cache of one connection, whatever the size of the file
WAL_KEPT_BYTES = 8 << 20  #: a longer WAL is cut back when it begins anew
_SHARED_VFS = (
    "unix-excl"  # locks out other processes; what connections share is in memory of this one
)
_BUSY_MS = 1000  # how long the one that writes waits for the one that reads, to bring the WAL home
ASIDE_LIMIT = 16  #: databases set aside under one name; the newest of them gives way
_SUFFIXES = ("", "-wal", "-journal")  # a database's files


class EmptyError(apsw.NotADBError):
    """The file has no bytes though there was a database."""


class MissingError(apsw.NotADBError):
    """There is no file though there was a database."""


class OldError(apsw.CorruptError):
    """There is a newer copy of the file, so that it lost what came after."""


class ShortError(apsw.CorruptError):
    """The database is one in which some that was durable never was."""


class UnmarkedError(apsw.CorruptError):
    """Nobody knows any more how far the database had come."""


_WORDS: list[tuple[type[apsw.Error], str]] = [
    (EmptyError, "is empty"),
    (MissingError, "is missing"),
    (OldError, "is older than its last good copy"),
    (ShortError, "has lost its newest records"),
    (UnmarkedError, "has lost its mark, so that its newest records may be lost"),
    (apsw.FullError, "the disk is full"),
    (apsw.ReadOnlyError, "is read-only"),
    (apsw.BusyError, "is in use by another process"),
    (apsw.CantOpenError, "cannot be opened"),
    (apsw.IOError, "the disk does not work"),
    (apsw.NotADBError, "is no database"),
    (apsw.CorruptError, "is corrupt"),
    (apsw.NoMemError, "there is no memory left"),
]


def describe(error: BaseException) -> str:
    """What went wrong, in words that carry nothing of what was to be written."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"failed ({type(error).__name__})"


def connect(path: str, vfs: str | None, shared: bool = False) -> apsw.Connection:
    """Open or make the database at `path` on `vfs` (None: the real disk). Raises `apsw.Error`.

    What comes back can be written, as far as can be known without: else `apsw.ReadOnlyError`. Where only
    the header asks for that, as if a newer SQLite had written it (file format 1.3.3), `apsw.NotADBError`.

    Closing leaves the WAL as it is: what closes says itself whether to tidy up. `shared`, on the real disk
    only: `connect_beside` may read it as well.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_PRIVATECACHE
    connection = apsw.Connection(path, flags=flags, vfs=_SHARED_VFS if shared else vfs)
    try:
        if connection.readonly("main"):
            raise apsw.ReadOnlyError("file is read-only")
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        if not shared:
            pragma(connection, "locking_mode", "EXCLUSIVE")  # before the WAL: no shared memory then
        pragma(connection, "journal_mode", "WAL")
        if connection.readonly("main"):  # it was not before the header was read
            raise apsw.NotADBError("header of a time to come")
        connection.execute("BEGIN IMMEDIATE; ROLLBACK")  # a log that is read-only shows only now
        pragma(connection, "synchronous", "FULL")
        pragma(connection, "cache_size", f"-{CACHE_KIB}")
        pragma(connection, "journal_size_limit", str(WAL_KEPT_BYTES))
        # The temporary files of a VACUUM or a sort would go to another folder.
        pragma(connection, "temp_store", "MEMORY")
        if shared:
            connection.set_busy_timeout(_BUSY_MS)
    except apsw.Error:
        connection.close(True)
        raise
    return connection


def connect_beside(path: str) -> apsw.Connection:
    """Read a database that this process has open `shared`, whatever is done to it. Raises `apsw.Error`."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_PRIVATECACHE
    connection = apsw.Connection(path, flags=flags, vfs=_SHARED_VFS)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        pragma(connection, "query_only", "ON")
        pragma(connection, "cache_size", f"-{CACHE_KIB}")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.Error:
        connection.close(True)
        raise
    return connection


def connect_read_only(path: str, vfs: str | None) -> apsw.Connection:
    """Open an existing database with its WAL where nothing may be written. Raises `apsw.Error`.

    Without locks, which would need a descriptor for writing: the caller knows that nobody writes.
    """
    uri = "file:" + "".join("%%%02x" % ord(c) if c in "%?#" else c for c in path) + "?mode=ro"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(uri, flags=flags, vfs=vfs or "unix-none")
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        pragma(connection, "locking_mode", "EXCLUSIVE")
        pragma(connection, "cache_size", f"-{CACHE_KIB}")
        pragma(connection, "temp_store", "MEMORY")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.Error:
        connection.close(True)
        raise
    return connection


def pragma(connection: apsw.Connection, name: str, value: str | None = None) -> object:
    """Set or ask a pragma; its first answer."""
    text = f"PRAGMA {name}" if value is None else f"PRAGMA {name}={value}"
    rows = connection.execute(text).fetchall()
    return rows[0][0] if rows else None


def check(connection: apsw.Connection, indexes: bool = False) -> None:
    """Read the whole database. Raises `apsw.CorruptError` where its structure does not hold.

    With `indexes` they are held against their tables as well.
    """
    kind = "integrity_check(1)" if indexes else "quick_check(1)"
    if pragma(connection, kind) != "ok":
        raise apsw.CorruptError(kind)


def tidy(connection: apsw.Connection) -> None:
    """Close, with the WAL brought home. Raises `apsw.Error` if that fails; it is closed anyway."""
    try:
        if not connection.readonly("main"):
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        connection.close(True)


class Aside(NamedTuple):
    """What a file was set aside as: its name; in `words` also what gave way for it. "": it was nothing."""

    name: str
    words: str


def set_aside(files: Files, path: str) -> Aside:
    """Give a database that is no good another name, its WAL with it; the new name. Nothing is deleted.

    ``journal.db`` becomes ``journal-corrupt-1.db``. Where all
    `ASIDE_LIMIT` names are taken the newest of them gives way, and the answer says so: how it began stays,
    and what had not left has been carried over. Raises OSError or `apsw.Error`.
    """
    if not any(files.exists(path + suffix) for suffix in _SUFFIXES):
        return Aside("", "")
    number = 1
    while _is_taken(files, _aside(path, number)):
        number += 1
    instead = ""
    if number > ASIDE_LIMIT:
        if not _is_taken(files, path):
            return Aside("", "")  # nothing stands in it: SQLite begins anew there
        number, instead = ASIDE_LIMIT, ", in the place of the one before"
        for suffix in reversed(_SUFFIXES):  # cut short here, the database still takes the name
            files.remove(_aside(path, number) + suffix)
    _move_whole(files, path, _aside(path, number))
    name = os.path.basename(_aside(path, number))
    return Aside(name, name + instead)


def _is_taken(files: Files, path: str) -> bool:
    """Whether something is kept there: a disk that failed leaves empty files behind, again and again."""
    return files.exists(path + "-wal") or (files.exists(path) and files.size(path) > 0)


def finish_set_aside(files: Files, path: str) -> None:
    """Bring the WAL after a database whose setting aside was cut short: a new one must not read it."""
    if files.exists(path) or not files.exists(path + "-wal"):
        return
    last = last_aside(files, path)
    if last is None or files.exists(last + "-wal"):
        last = _aside(path, 1 if last is None else _number_after(files, path))
    files.move(path + "-wal", last + "-wal")


def last_aside(files: Files, path: str) -> str | None:
    """The database that was set aside last, or None."""
    number = _number_after(files, path) - 1
    return _aside(path, number) if number else None


def _number_after(files: Files, path: str) -> int:
    number = 1
    while files.exists(_aside(path, number)):
        number += 1
    return number


def _move_whole(files: Files, path: str, to: str) -> None:
    # The database first: cut short here, `finish_set_aside` sees that it is gone and brings the rest.
    for suffix in _SUFFIXES:
        if files.exists(path + suffix):
            files.move(path + suffix, to + suffix)


def _aside(path: str, number: int) -> str:
    stem, dot, ending = path.rpartition(".")
    return f"{stem}-corrupt-{number}.{ending}" if dot else f"{path}-corrupt-{number}"
