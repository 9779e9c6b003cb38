"""What is really on the simulated disk, read without the firmware: from a copy of its files."""

import random
from dataclasses import dataclass, field
from typing import Any

import apsw

from firmware.services import database
from sim.disk import SimDisk

JOURNAL = "journal.db"


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


def _read(connection: apsw.Connection, after: dict[str, int]) -> Found:
    name = str(connection.execute("SELECT value FROM meta WHERE key = 'journal'").get)
    counted: list[Any] = connection.execute("SELECT count(*), max(seq) FROM events").fetchall()
    count, last = counted[0]
    rows: list[Any] = connection.execute(
        "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq", (after.get(name, 0),)
    ).fetchall()
    return Found(name, int(count), int(last or 0), [(int(seq), str(body)) for seq, body in rows])
