"""What can still be read of a journal that was set aside: its name and end, what it kept, what had not left.

Every piece is tried by itself: a page that is gone costs what stood on it and nothing else. The file is
only read.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import apsw

from firmware.runtime.clock import TRUSTED
from firmware.services import database
from firmware.trust import chain

TAIL_LIMIT = 20000  #: events behind an unreadable place that are gathered in memory


@dataclass
class Past:
    """What a new journal is told of the one before; the defaults are "not known".

    name        str    its name
    last_seq    int    its last seq
    boot        int    starts of this controller
    trusted_ms  int    UTC milliseconds of the last trusted record
    kept        dict   key -> JSON text
    """

    name: str = ""
    last_seq: int = 0
    boot: int = 0
    trusted_ms: int = 0
    kept: dict[str, str] = field(default_factory=dict)


def past_of(connection: apsw.Connection) -> Past:
    """What can be read of the journal behind `connection`."""
    past = Past()
    meta = {str(key): value for key, value in _rows(connection, "SELECT key, value FROM meta")}
    past.name = str(meta.get("journal", ""))
    past.boot = _whole(meta.get("boot"))
    past.trusted_ms = _whole(meta.get("trusted_ms"))
    past.kept = {
        str(key): str(value) for key, value in _rows(connection, "SELECT key, value FROM kept")
    }
    for (seq,) in _rows(connection, "SELECT seq FROM events ORDER BY seq DESC LIMIT 1"):
        past.last_seq = _whole(seq)
    past.trusted_ms = _newest_trusted_ms(connection) or past.trusted_ms
    return past


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


def open_aside(path: str, vfs: str | None) -> apsw.Connection | None:
    """Open a journal that was set aside; None where not even that is possible."""
    try:
        return database.connect_read_only(path, vfs)
    except apsw.Error:
        return None


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
    except apsw.Error:
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
    text = f"SELECT {key}, body, urgent FROM {table} NOT INDEXED WHERE {key} > ? {where} ORDER BY {key}"
    last = 0
    try:
        for row in connection.execute(text, (0,)):
            last = row[0]
            if _is_whole(row[1]):
                yield row
        return
    except apsw.Error:
        pass
    tail = []
    for row in _rows(connection, f"{text} DESC LIMIT {TAIL_LIMIT}", (last,)):
        if _is_whole(row[1]):
            tail.append(row)
    yield from reversed(tail)


def _is_whole(body: Any) -> bool:
    try:
        event = json.loads(body)
        return bool(chain.hash_of(event) == event["hash"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _rows(connection: apsw.Connection, text: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
    try:
        yield from connection.execute(text, values)
    except apsw.Error:
        return


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
