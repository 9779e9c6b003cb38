"""The tables of the credential store: look-ups, and changes that are made whole or not at all.

Synchronous, over one connection. A key is found by one entry of ``numbers``, whatever is shown.
"""

import json
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import apsw

from firmware.access import schedule
from firmware.access.credential import Credential, Right, Rights
from firmware.services import database
from firmware.services.key_changes import (
    FIELDS,
    ChangeError,
    KeyRow,
    key_row,
    to_credential,
    what_is,
)

FORMAT = 1

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE credentials(id INTEGER PRIMARY KEY, holder INTEGER, state TEXT NOT NULL,
    valid_from_s INTEGER, valid_to_s INTEGER, first_use_s INTEGER, uses INTEGER,
    levels TEXT NOT NULL, extended INTEGER NOT NULL, override INTEGER NOT NULL,
    pin_salt BLOB, pin_hash BLOB, version INTEGER NOT NULL);
CREATE TABLE removed(id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE numbers(number TEXT PRIMARY KEY, credential INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX numbers_of ON numbers(credential);
CREATE TABLE levels(name TEXT PRIMARY KEY, rights TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE schedules(name TEXT PRIMARY KEY, hours TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE holidays(day INTEGER PRIMARY KEY);
INSERT INTO meta VALUES('version', 0);
"""

_COLUMNS = ", ".join(f"credentials.{name}" for name in FIELDS)
_FIND = (
    f"SELECT {_COLUMNS} FROM numbers JOIN credentials ON credentials.id = numbers.credential"
    " WHERE numbers.number = ?"
)
_UPSERT = f"REPLACE INTO credentials VALUES({', '.join('?' * len(FIELDS))})"

Change = tuple[Any, ...]


def create(connection: apsw.Connection) -> None:
    """Make the tables where there are none. Raises `apsw.NotADBError` for another's database."""
    if database.pragma(connection, "user_version") == FORMAT:
        return
    if not is_empty(connection):
        raise apsw.NotADBError("not a store of this format")
    with connection:
        connection.execute(_TABLES)
        database.pragma(connection, "user_version", str(FORMAT))


def is_empty(connection: apsw.Connection) -> bool:
    """Whether nothing was ever put into this database."""
    return not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()


def find(connection: apsw.Connection, number: str) -> Credential | None:
    """The key that is found by `number`."""
    for row in connection.execute(_FIND, (number,)):
        return to_credential(row)
    return None


def version(connection: apsw.Connection) -> int:
    """How often the store was changed."""
    return int(str(connection.execute("SELECT value FROM meta WHERE key = 'version'").get))


def rights(connection: apsw.Connection) -> Rights:
    """Levels, schedules and holidays."""
    levels = {}
    for name, text in connection.execute("SELECT name, rights FROM levels ORDER BY name"):
        levels[name] = [Right(place, hours, False) for place, hours in json.loads(str(text))]
    schedules = {}
    for name, text in connection.execute("SELECT name, hours FROM schedules ORDER BY name"):
        schedules[name] = [
            stretch for line in json.loads(str(text)) for stretch in schedule.parse(line)
        ]
    days = [row[0] for row in connection.execute("SELECT day FROM holidays ORDER BY day")]
    return Rights(levels, schedules, days, False, False)


class Application:
    """One list of changes, made inside one transaction.

    key     bytes     the controller's, for PINs and codes
    random  callable  n -> n random bytes, for salts
    """

    def __init__(
        self, connection: apsw.Connection, key: bytes, random: Callable[[int], bytes]
    ) -> None:
        self._connection = connection
        self._key = key
        self._random = random
        self._levels: dict[str, int] = {}  # named by a key -> one such key

    def run(self, changes: Iterable[Change]) -> None:
        """Make `changes`. Raises `ChangeError`, with nothing changed, or `apsw.Error`."""
        with self._connection:
            for kind, group in groupby(changes, key=_kind):
                self._run(kind, list(group))
            self._check_names()
            self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'version'")

    def _run(self, kind: str, group: list[Change]) -> None:
        if kind == "upsert":
            self._upsert([_one(change) for change in group])
            return
        for change in group:
            if kind == "remove":
                self._remove(_one(change))
            elif kind == "level":
                self._level(*_two(change))
            elif kind == "schedule":
                self._schedule(*_two(change))
            elif kind == "holidays":
                self._holidays(_one(change))
            else:
                raise ChangeError(
                    "change is unknown; expected upsert, remove, level, schedule or holidays"
                )

    def _upsert(self, keys: list[dict[str, Any]]) -> None:
        rows: dict[int, KeyRow] = {}
        for fields in keys:
            row = key_row(fields, self._key, self._random)
            if row.id in rows:  # the same key twice: one after the other
                self._put(rows)
                rows = {}
            self._number_version(row)
            for name in json.loads(row.row[FIELDS.index("levels")]):
                self._levels[name] = row.id
            rows[row.id] = row
        self._put(rows)

    def _number_version(self, key: KeyRow) -> None:
        """Choose or check the version: it never goes down, not even over a removal."""
        place = FIELDS.index("version")
        stored = self._version("credentials", key.id)
        removed = self._version("removed", key.id)
        lowest = max(stored or 1, (removed or 0) + 1)
        if key.row[place] is None:
            key.row[place] = max((stored or 0) + 1, lowest)
        elif key.row[place] < lowest:
            raise ChangeError(
                f"credential {key.id}: version {key.row[place]} is old; expected {lowest} or higher"
            )

    def _version(self, table: str, number: int) -> int | None:
        for row in self._connection.execute(f"SELECT version FROM {table} WHERE id = ?", (number,)):
            return int(str(row[0]))
        return None

    def _put(self, rows: dict[int, KeyRow]) -> None:
        many = self._connection.executemany
        ids = [(number,) for number in rows]
        many("DELETE FROM numbers WHERE credential = ?", ids)
        many("DELETE FROM removed WHERE id = ?", ids)
        many(_UPSERT, [key.row for key in rows.values()])
        # In their order: a big tree is then written page by page.
        numbers = sorted((number, key.id) for key in rows.values() for number in key.numbers)
        try:
            many("INSERT INTO numbers VALUES(?, ?)", numbers)
        except apsw.ConstraintError:
            self._refuse_duplicate(numbers)
            raise

    def _refuse_duplicate(self, numbers: list[tuple[str, int]]) -> None:
        for number, mine in numbers:
            owner = self._connection.execute(
                "SELECT credential FROM numbers WHERE number = ?", (number,)
            ).get
            if owner is not None and owner != mine:
                raise ChangeError(
                    f"credential {mine}: its {what_is(number)} is taken by credential {owner}"
                )

    def _remove(self, number: Any) -> None:
        if type(number) is not int:
            raise ChangeError("remove: id is none; expected a whole number")
        execute = self._connection.execute
        execute(
            "REPLACE INTO removed SELECT id, version FROM credentials WHERE id = ?",
            (number,),
        )
        execute("DELETE FROM numbers WHERE credential = ?", (number,))
        execute("DELETE FROM credentials WHERE id = ?", (number,))

    def _level(self, name: str, rights: Any) -> None:
        if rights is None:
            self._connection.execute("DELETE FROM levels WHERE name = ?", (name,))
            return
        try:
            pairs = [[place, hours] for place, hours in rights]
        except (TypeError, ValueError):
            raise ChangeError(
                f"level {name}: expected pairs of access point and schedule"
            ) from None
        for place, hours in pairs:
            if not isinstance(place, str) or not (hours is None or isinstance(hours, str)):
                raise ChangeError(f"level {name}: expected pairs of access point and schedule")
        self._connection.execute("REPLACE INTO levels VALUES(?, ?)", (name, _json(pairs)))

    def _schedule(self, name: str, hours: Any) -> None:
        if hours is None:
            self._connection.execute("DELETE FROM schedules WHERE name = ?", (name,))
            return
        try:
            for line in hours:
                schedule.parse(line)
        except (TypeError, AttributeError):
            raise ChangeError(f"schedule {name}: expected a list of hours") from None
        except ValueError as error:
            raise ChangeError(f"schedule {name}: {error}") from None
        self._connection.execute("REPLACE INTO schedules VALUES(?, ?)", (name, _json(list(hours))))

    def _holidays(self, days: Any) -> None:
        try:
            numbers = [d if type(d) is int else schedule.day_number(d) for d in days]
        except (TypeError, AttributeError):
            raise ChangeError("holidays: expected a list of dates YYYY-MM-DD") from None
        except ValueError as error:
            raise ChangeError(f"holidays: {error}") from None
        self._connection.execute("DELETE FROM holidays")
        self._connection.executemany(
            "INSERT OR IGNORE INTO holidays VALUES(?)", [(number,) for number in numbers]
        )

    def _check_names(self) -> None:
        """Whatever is named must be there: a level that is misspelt would quietly open nothing."""
        in_force = rights(self._connection)
        for name, number in self._levels.items():
            if name not in in_force.levels:
                raise ChangeError(f"credential {number}: level {name} is unknown")
        for name, level in in_force.levels.items():
            for right in level:
                if right.schedule is not None and right.schedule not in in_force.schedules:
                    raise ChangeError(f"level {name}: schedule {right.schedule} is unknown")


def _kind(change: Change) -> str:
    return str(change[0]) if change else ""


def _one(change: Change) -> Any:
    if len(change) != 2:
        raise ChangeError(f"{change[0]}: expected one value")
    return change[1]


def _two(change: Change) -> tuple[str, Any]:
    if len(change) != 3 or not isinstance(change[1], str):
        raise ChangeError(f"{change[0]}: expected a name and one value")
    return change[1], change[2]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
