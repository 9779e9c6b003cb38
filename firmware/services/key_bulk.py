"""Very many keys into a store at once: whole or not at all, in memory that does not grow with them.

What is wrong does not end it, so that all of it can be told: rows go on being checked, and the caller
rolls back. A number that is somebody else's may be free once that one's row has come, so those are tried
again at the end.
"""

from contextlib import suppress
from typing import NamedTuple

import apsw

from firmware.services import database, key_sums
from firmware.services.key_changes import ChangeError, KeyRow, what_is
from firmware.services.key_tables import Application

CHUNK = 5_000  #: rows that are written together, in the order of what they are found by
CACHE_KIB = 32_768  #: page cache meanwhile: numbers come in no order
TOLD = 1_001  #: keys of which is told what became of them
MOST_AGAIN = 100_000  #: numbers that are tried again; more are duplicates

_PUT = key_sums.put("numbers", "INSERT OR IGNORE")


class Refused(NamedTuple):
    """What is wrong with a row: its line, of what kind (`what_is`, "credential" or ""), and the words."""

    line: int
    what: str
    text: str


class Bulk:
    """Rows of one file, inside the transaction that `application` is in."""

    def __init__(self, connection: apsw.Connection, application: Application) -> None:
        self._connection = connection
        self._application = application
        self._again: list[tuple[str, int, int, int]] = []
        #: list of (id, what became of it)  the first `TOLD` of them
        self.told: list[tuple[int, str]] = []
        database.pragma(connection, "cache_size", f"-{CACHE_KIB}")
        connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS seen(id INTEGER PRIMARY KEY, line INTEGER NOT NULL);"
            "DELETE FROM seen"
        )

    def put(self, rows: list[tuple[int, KeyRow]]) -> list[Refused]:
        """Write some rows, given with their lines; what is wrong with which."""
        refused: list[Refused] = []
        lines = self._first_of_each(rows, refused)
        fit: dict[int, KeyRow] = {}
        for line, key in rows:
            if lines.get(key.id) != line:
                continue
            try:
                became = self._application.complete(key)
                if len(self.told) < TOLD:
                    self.told.append((key.id, became))
                fit[key.id] = key
            except ChangeError as error:
                refused.append(Refused(line, "", str(error)))
        numbers = self._application.clear(fit)
        if self._insert(numbers) < len(numbers):
            for number, mine, duress in numbers:
                if self._application.owner_of(number) != mine:
                    self._again.append((number, mine, duress, lines[mine]))
                    if len(self._again) > MOST_AGAIN:
                        refused += self.finish()
        return refused

    def finish(self) -> list[Refused]:
        """Try again what was somebody else's; what still is."""
        again, self._again = self._again, []
        refused: list[Refused] = []
        for number, mine, duress, line in again:
            if self._insert([(number, mine, duress)]) == 0:
                owner = self._application.owner_of(number)
                if owner != mine:
                    text = f"is taken by credential {owner}; expected one of its own"
                    refused.append(Refused(line, what_is(number, duress), text))
        return refused

    def _first_of_each(
        self, rows: list[tuple[int, KeyRow]], refused: list[Refused]
    ) -> dict[int, int]:
        """The line of each key that stands in the file for the first time."""
        execute = self._connection.execute
        before = self._connection.total_changes()
        self._connection.executemany(
            "INSERT OR IGNORE INTO seen VALUES(?, ?)", ((key.id, line) for line, key in rows)
        )
        lines = {key.id: line for line, key in reversed(rows)}
        if self._connection.total_changes() - before < len(rows):
            for line, key in rows:
                first = int(str(execute("SELECT line FROM seen WHERE id = ?", (key.id,)).get))
                lines[key.id] = first
                if first != line:
                    text = f"{key.id} stands in line {first} too; expected each once"
                    refused.append(Refused(line, "credential", text))
        return lines

    def _insert(self, numbers: list[tuple[str, int, int]]) -> int:
        before = self._connection.total_changes()
        self._connection.executemany(_PUT, numbers)
        return self._connection.total_changes() - before


def slim(connection: apsw.Connection) -> None:
    """Give back the memory that very many keys took, done or not."""
    with suppress(apsw.Error):  # it only stays larger
        connection.execute("DROP TABLE IF EXISTS temp.seen")
        database.pragma(connection, "cache_size", f"-{database.CACHE_KIB}")
        database.pragma(connection, "shrink_memory")
