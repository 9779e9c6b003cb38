"""What is really on the simulated disk, read without the firmware: from a copy of its files."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import apsw

from firmware.services import database
from sim.disk import SimDisk

JOURNAL = "journal.db"
AHEAD = "journal.ahead"


@dataclass
class Found:
    """A journal as it stands on the disk.

    name   str   its eight hex digits; "": there is none that can be read
    count  int   rows
    last   int   the greatest seq
    rows   list  (seq, JSON) of what is newer than was asked for, in order
    """

    name: str = ""
    count: int = 0
    last: int = 0
    rows: list[tuple[int, str]] = field(default_factory=list)


def look(disk: SimDisk, after: dict[str, int], file: str = JOURNAL) -> Found:
    """The journal on `disk` now. `after`: of each journal, the seq from which on rows are wanted."""
    copy = SimDisk(random.Random(0))
    connection = None
    try:
        for name in disk.names():
            if name in (file, file + "-wal", file + "-journal"):
                copy.write(name, disk.read(name))
        if file not in copy.names():
            return Found()
        connection = database.connect(file, copy.vfs_name)
        return _read(connection, after)
    except apsw.Error:
        return Found()
    finally:
        if connection is not None:
            connection.close(True)
        copy.close()


def ahead(disk: SimDisk, name: str, last: int) -> list[dict[str, Any]]:
    """The records that went ahead to journal `name`, whose last seq is `last`, durably."""
    return _ahead(disk, disk.durable, name, last)


def left_ahead(disk: SimDisk, found: Found) -> list[dict[str, Any]]:
    """The records that went ahead to `found` and that the next start finds."""
    return _ahead(disk, disk.read, found.name, found.last)


def _ahead(
    disk: SimDisk, read: Callable[[str], bytes], name: str, last: int
) -> list[dict[str, Any]]:
    if AHEAD not in disk.names():
        return []
    head, _, body = read(AHEAD).partition(b"\n")
    words = head.split()
    text = body[: int(words[1])] if len(words) == 2 else b""
    if not text or words[0] != b"%08x" % crc32(text):
        return []
    journal, _, after, batches = json.loads(text)
    if journal != name or after < last:
        return []
    return [event for events, _ in batches for event in events]


def _read(connection: apsw.Connection, after: dict[str, int]) -> Found:
    name = str(connection.execute("SELECT value FROM meta WHERE key = 'journal'").get)
    counted: list[Any] = connection.execute("SELECT count(*), max(seq) FROM events").fetchall()
    count, last = counted[0]
    rows: list[Any] = connection.execute(
        "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq", (after.get(name, 0),)
    ).fetchall()
    return Found(name, int(count), int(last or 0), [(int(seq), str(body)) for seq, body in rows])
