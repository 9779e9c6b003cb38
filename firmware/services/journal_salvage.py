"""What can still be read of a journal that was set aside: its name and end, what it kept, what had not left.

Every piece is tried by itself: a page that is gone costs what stood on it and nothing else. The file is
only read.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

import apsw

from firmware.runtime.clock import TRUSTED
from firmware.services import database, journal_mend
from firmware.services.disk_files import Files
from firmware.trust import chain

_BYTES = "CAST(%s AS BLOB)"  #: so that reading a damaged text is no error
TAIL_LIMIT = 20000  #: events behind an unreadable place that are gathered in memory


@dataclass
class Past:
    """What a new journal is told of the one before; the defaults are "not known".

    name        str    its name
    last_seq    int    its last seq
    boot        int    starts of this controller
    trusted_ms  int    UTC milliseconds of the last trusted record
    kept        dict   key -> JSON text
    damaged     bool   something kept is not what was stored, and is not among it
    previous    str    the name of the one whose place it took
    """

    name: str = ""
    last_seq: int = 0
    boot: int = 0
    trusted_ms: int = 0
    kept: dict[str, str] = field(default_factory=dict)
    damaged: bool = False
    previous: str = ""


def past_of(connection: apsw.Connection, aside: bool = False) -> Past:
    """What can be read of the journal behind `connection`; of one set `aside` its records know best."""
    past = Past()
    meta = {str(key): value for key, value in _rows(connection, "SELECT key, value FROM meta")}
    past.name = str(meta.get("journal", ""))
    with suppress(ValueError, AttributeError, RecursionError):
        past.previous = str(json.loads(str(meta.get("previous", "{}"))).get("journal", ""))
    past.boot = _whole(meta.get("boot"))
    past.trusted_ms = _whole(meta.get("trusted_ms"))
    for direction in ("ASC", "DESC"):  # from both sides to a place that cannot be read
        text = f"SELECT {_BYTES % 'key'}, {_BYTES % 'value'} FROM kept ORDER BY key {direction}"
        for key, stored in _rows(connection, text):
            value = _unguarded(_text(key), _text(stored))
            if value is None:
                past.damaged = True
            else:
                past.kept[_text(key)] = value
    for (seq,) in _rows(connection, "SELECT seq FROM events ORDER BY seq DESC LIMIT 1"):
        past.last_seq = _whole(seq)
    past.trusted_ms = _newest_trusted_ms(connection) or past.trusted_ms
    if aside:
        _name_of(connection, past)
    return past


def _name_of(connection: apsw.Connection, past: Past) -> None:
    """Take from the newest record that can be read what the table of names no longer says."""
    for direction in ("DESC", "ASC"):
        text = f"SELECT {_BYTES % 'body'} FROM events ORDER BY seq {direction}"
        for body in (_text(row[0]) for row in _rows(connection, text)):
            if _is_whole(body):
                event = json.loads(body)
                past.name = str(event.get("journal", ""))
                past.boot = max(past.boot, _whole(event.get("boot")))
                return


def guarded(key: str, text: str) -> str:
    """A kept value as it is stored: JSON has no line ends, so what follows one tells whether it is whole."""
    return f"{text}\n{crc32(f'{key} {text}'.encode()):08x}"


def _unguarded(key: str, stored: str) -> str | None:
    """The value again; None where it is not what was stored. Older files have no guards."""
    text, guard, _ = stored.partition("\n")
    if guard:
        return text if stored == guarded(key, text) else None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text


def values(kept: dict[str, str]) -> dict[str, Any]:
    """What is kept; what cannot be read of it is forgotten, the rest holds."""
    known = {}
    for key, text in kept.items():
        with suppress(ValueError):
            known[key] = json.loads(text)
    return known


def _text(stored: object) -> str:
    """Text of a database that may be none any more: SQLite checks no encoding."""
    return stored.decode("utf-8", "replace") if isinstance(stored, bytes) else ""


#: The time of the newest event that a trusted clock gave.
_TRUSTED = (
    "SELECT json_extract(body, '$.time') FROM events"
    " WHERE json_extract(body, '$.clock') = 'trusted' ORDER BY seq DESC LIMIT 1"
)


def unsent(connection: apsw.Connection) -> Iterator[tuple[str, int]]:
    """The events that have not left, as (JSON, urgent), those of still older journals first."""
    for _, body, urgent in _readable(connection, "former", "id", ""):
        yield body, urgent
    stored = 0
    for (seq,) in _rows(connection, "SELECT value FROM meta WHERE key = 'stored'"):
        stored = _whole(seq)
    left = f"AND sent != 1 AND seq > {stored}"
    for _, body, urgent in _readable(connection, "events", "seq", left):
        yield body, urgent


def open_aside(
    files: Files, path: str | None, copy: str, first: bytes, vfs: str | None
) -> apsw.Connection | None:
    """Open a journal that was set aside, by a mended `copy` if one can be made; None: not even that."""
    if path is None:
        return None
    try:
        journal_mend.mend(files, path, copy, first)
        return database.connect_read_only(copy, vfs)
    except (apsw.Error, OSError):
        pass
    try:
        return database.connect_read_only(path, vfs)
    except apsw.Error:
        return None


def last_hash(connection: apsw.Connection, past: Past) -> str:
    """The hash of the last event, which the next one is chained to. Raises `apsw.CorruptError`."""
    text = f"SELECT {_BYTES % 'body'} FROM events WHERE seq = ?"
    for body in (_text(row[0]) for row in connection.execute(text, (past.last_seq,))):
        if _is_whole(body) and json.loads(body).get("journal") == past.name:
            return str(json.loads(body)["hash"])
    raise apsw.CorruptError("last record")


def utc_ms(time: Any) -> int:
    """Milliseconds since 1970-01-01 UTC of a time as events carry it; 0 for anything else."""
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    except (TypeError, ValueError):
        return 0


def _newest_trusted_ms(connection: apsw.Connection) -> int:
    try:
        for (time,) in connection.execute(_TRUSTED):
            return utc_ms(time)
        return 0
    except (apsw.Error, UnicodeDecodeError):
        pass
    newest_ms = 0  # a page is gone: whatever can be read, from both sides
    for _, body, _ in _readable(connection, "events", "seq", ""):
        event = json.loads(body)
        if event.get("clock") == TRUSTED:
            newest_ms = utc_ms(event.get("time")) or newest_ms
    return newest_ms


def _readable(
    connection: apsw.Connection, table: str, key: str, where: str
) -> Iterator[tuple[int, str, int]]:
    # From the front to the first place that cannot be read, then from the back to the same place.
    names = f"{key}, {_BYTES % 'body'}, urgent"
    text = f"SELECT {names} FROM {table} NOT INDEXED WHERE {key} > ? {where} ORDER BY {key}"
    last = 0
    try:
        for last, stored, urgent in connection.execute(text, (0,)):
            body = _text(stored)
            if _is_whole(body):
                yield last, body, int(urgent == 1)
        return
    except apsw.Error:
        pass
    tail = []
    for number, stored, urgent in _rows(connection, f"{text} DESC LIMIT {TAIL_LIMIT}", (last,)):
        body = _text(stored)
        if _is_whole(body):
            tail.append((number, body, int(urgent == 1)))
    yield from reversed(tail)


def _is_whole(body: Any) -> bool:
    try:
        event = json.loads(body)
        return bool(chain.hash_of(event) == event["hash"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _rows(connection: apsw.Connection, text: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Rows up to where they cannot be read."""
    try:
        yield from connection.execute(text, values)
    except (apsw.Error, UnicodeDecodeError):
        return


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
