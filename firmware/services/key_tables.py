"""The keys of the credential store: changes that are made whole or not at all.

Synchronous, over one connection with the tables of `firmware.services.key_schema`. A key is found by one
entry of ``numbers``, whatever is shown. What is changed is first held against its sum (`key_rows`).
"""

import json
from collections.abc import Callable, Collection, Iterable
from itertools import groupby
from typing import Any

import apsw

from firmware.access import life_cycle, schedule
from firmware.services import key_rows, key_schema, key_sums
from firmware.services.key_changes import (
    FIELDS,
    LONGEST_NAME,
    ChangeError,
    KeyRow,
    id_of,
    key_row,
    new_end,
    what_is,
)

_UPSERT = key_sums.put("credentials")
_NUMBER = key_sums.put("numbers", "INSERT")
_SUM = f"UPDATE credentials SET row_sum = {key_sums.sum_of('credentials')} WHERE id = ?"
_REMOVED = key_sums.put("removed")
_STATE = FIELDS.index("state")
_VERSION = FIELDS.index("version")
_LEVELS = FIELDS.index("levels")
LAST_HOLIDAY = schedule.day_number("2399-12-31")

Change = tuple[Any, ...]
#: what became of a key: its record number and one of `firmware.access.life_cycle`'s words
Told = tuple[int, str]


class Application:
    """One list of changes, made inside one transaction.

    key        bytes       the controller's, for PINs and codes
    random     callable    n -> n random bytes, for salts
    levels     collection  names of levels that are given elsewhere (the board's)
    schedules  collection  names of schedules that are
    """

    def __init__(
        self,
        connection: apsw.Connection,
        key: bytes,
        random: Callable[[int], bytes],
        levels: Collection[str] = (),
        schedules: Collection[str] = (),
    ) -> None:
        self._connection = connection
        self._key = key
        self._random = random
        self._elsewhere = (levels, schedules)
        self._levels: dict[str, int] = {}  # named by a key -> one such key
        #: list of Told  what became of which key
        self.told: list[Told] = []

    def run(self, changes: Iterable[Change]) -> list[Told]:
        """Make `changes`; what became of which key. Raises `ChangeError`, nothing changed; `apsw.Error`."""
        with self._connection:
            for kind, group in groupby(changes, key=_kind):
                self._run(kind, list(group))
            self.end()
        return self.told

    def end(self) -> None:
        """The last check, and one version more. Raises `ChangeError`."""
        self._check_names()
        connection = self._connection
        key_rows.put_meta(connection, "version", key_rows.version(connection) + 1)

    def _run(self, kind: str, group: list[Change]) -> None:
        if kind == "upsert":
            self._upsert([_one(change) for change in group])
            return
        for change in group:
            if kind == "remove":
                self.remove(_one(change))
            elif kind == "life":
                self._live(change)
            elif kind == "level":
                self._level(*_two(change))
            elif kind == "schedule":
                self._schedule(*_two(change))
            elif kind == "holidays":
                self._holidays(_one(change))
            else:
                raise ChangeError(
                    "change is unknown; expected upsert, life, remove, level, schedule or holidays"
                )

    def _upsert(self, keys: list[dict[str, Any]]) -> None:
        rows: dict[int, KeyRow] = {}
        for fields in keys:
            row = key_row(fields, self._key, self._random)
            if row.id in rows:  # the same key twice: one after the other
                self._put(rows)
                rows = {}
            self.told.append((row.id, self.complete(row)))
            rows[row.id] = row
        self._put(rows)

    def complete(self, key: KeyRow) -> str:
        """Add to the row of `key` its version and the state before it was lost; what becomes of it."""
        found = key_rows.stored(self._connection, key.id)
        state, before, stored = found[:3] if found is not None else (None, None, None)
        row = key.row
        row[_VERSION] = self._next_version(key.id, stored, row[_VERSION], (stored or 0) + 1, stored)
        if row[_STATE] != life_cycle.LOST:
            before = None
        elif state != life_cycle.LOST:
            suspended = state == life_cycle.SUSPENDED
            before = life_cycle.SUSPENDED if suspended else life_cycle.ACTIVE
        row.append(before)
        for name in json.loads(row[_LEVELS]):
            self._levels[name] = key.id
        return _what_became(state, row[_STATE])

    def _next_version(
        self, number: int, stored: int | None, given: int | None, chosen: int, lowest: int | None
    ) -> int:
        """Choose or check the version: it never goes down, not even over a removal."""
        lowest = lowest or 1
        if stored is None:
            removed = key_rows.removed(self._connection, number)
            lowest = max(lowest, removed + 1) if removed is not None else lowest
        if given is None:
            return max(chosen, lowest)
        if given < lowest:
            raise ChangeError(
                f"credential {number}: version {given} is old; expected {lowest} or higher"
            )
        return given

    def _put(self, rows: dict[int, KeyRow]) -> None:
        numbers = self.clear(rows)
        try:
            self._connection.executemany(_NUMBER, numbers)
        except apsw.ConstraintError:
            for number, mine, duress in numbers:
                owner = self.owner_of(number)
                if owner is not None and owner != mine:
                    what = what_is(number, duress)
                    raise ChangeError(
                        f"credential {mine}: its {what} is taken by credential {owner}"
                    ) from None
            raise

    def clear(self, rows: dict[int, KeyRow]) -> list[tuple[str, int, int]]:
        """Write completed rows without what they are found by; that is returned, to be written next."""
        many = self._connection.executemany
        ids = [(number,) for number in rows]
        many("DELETE FROM numbers WHERE credential = ?", ids)
        many("DELETE FROM removed WHERE id = ?", ids)
        many(_UPSERT, [key.row for key in rows.values()])
        # In their order: a big tree is then written page by page.
        return sorted(
            (number, key.id, duress) for key in rows.values() for number, duress in key.numbers
        )

    def owner_of(self, number: str) -> int | None:
        """Whose number it is."""
        ask = "SELECT credential FROM numbers WHERE number = ?"
        found = self._connection.execute(ask, (number,)).get
        return None if found is None else int(str(found))

    def _live(self, change: Change) -> None:
        """One word of a key's life: ("life", id, verb, {fields}, version or left out)."""
        if len(change) not in (4, 5) or change[2] not in life_cycle.VERBS:
            verbs = ", ".join(life_cycle.VERBS)
            raise ChangeError(f"life: expected a credential, one of {verbs}, fields and a version")
        number, verb, fields = id_of(change[1]), change[2], change[3]
        given = change[4] if len(change) == 5 else None
        if given is not None and (type(given) is not int or not 0 < given < 2**53):
            raise ChangeError(
                f"credential {number}: version is none; expected a whole number from 1"
            )
        found = key_rows.stored(self._connection, number)
        state, before, stored = found[:3] if found is not None else (None, None, None)
        at = life_cycle.state_of(state, before)
        reason = life_cycle.refusal(at, verb)
        if reason is not None:
            raise ChangeError(f"credential {number}: {verb} is refused, it {reason}")
        if type(fields) is not dict or (
            fields and verb not in (life_cycle.ISSUE, life_cycle.EXTEND)
        ):
            raise ChangeError(f"credential {number}: fields are not for {verb}; expected none")
        if found is None or stored is None:
            self._issue(number, fields, given)
            return
        if verb == life_cycle.EXTEND:
            self._extend(number, fields, found)
        after, told = life_cycle.TRANSITIONS[(at, verb)]
        version = self._next_version(number, stored, given, stored + 1, stored + 1)
        self._connection.execute(
            "UPDATE credentials SET state = ?, before_lost = ?, version = ? WHERE id = ?",
            (*life_cycle.stored(after), version, number),
        )
        self._connection.execute(_SUM, (number,))
        self.told.append((number, str(told)))

    def _issue(self, number: int, fields: dict[str, Any], given: int | None) -> None:
        for name in ("id", "state", "version"):
            if name in fields:
                raise ChangeError(f"credential {number}: {name} is not for issue; expected without")
        self._upsert([{**fields, "id": number, "version": given}])

    def _extend(self, number: int, fields: dict[str, Any], found: key_rows.Stored) -> None:
        ends_s = new_end(number, fields, found.begins_s, found.ends_s)
        self._connection.execute(
            "UPDATE credentials SET valid_to_s = ? WHERE id = ?", (ends_s, number)
        )

    def remove(self, number: Any) -> None:
        """Take a key away; one that is not there is none. Raises `ChangeError`."""
        if type(number) is not int:
            raise ChangeError("remove: id is none; expected a whole number")
        number = id_of(number)
        execute = self._connection.execute
        found = key_rows.stored(self._connection, number)
        if found is not None:
            execute(_REMOVED, (number, found.version))
        execute("DELETE FROM numbers WHERE credential = ?", (number,))
        execute("DELETE FROM credentials WHERE id = ?", (number,))
        if self._connection.changes():
            self.told.append((number, life_cycle.REMOVED))

    def _level(self, name: str, rights: Any) -> None:
        if rights is None:
            self._connection.execute("DELETE FROM levels WHERE name = ?", (name,))
            return
        try:
            stored = [key_schema.right_of(list(right)) for right in rights]
            right = all(
                isinstance(place, str)
                and (hours is None or isinstance(hours, str))
                and isinstance(deny, bool)
                for place, hours, deny in stored
            )
        except (TypeError, ValueError):
            right = False
        if not right:
            raise ChangeError(
                f"level {name}: expected rights of access point, schedule and whether they deny"
            )
        self._connection.execute(key_sums.put("levels"), (name, _json(stored)))

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
        self._connection.execute(key_sums.put("schedules"), (name, _json(list(hours))))

    def _holidays(self, days: Any) -> None:
        try:
            numbers = [d if type(d) is int else schedule.day_number(d) for d in days]
            if not all(0 <= number <= LAST_HOLIDAY for number in numbers):
                raise ValueError("a day is none; expected one of 1970 to 2399")
        except (TypeError, AttributeError):
            raise ChangeError("holidays: expected a list of dates YYYY-MM-DD") from None
        except ValueError as error:
            raise ChangeError(f"holidays: {error}") from None
        self._connection.execute("DELETE FROM holidays")
        self._connection.executemany(key_sums.put("holidays"), [(number,) for number in numbers])

    def _check_names(self) -> None:
        """Whatever is named must be there: a level that is misspelt would quietly open nothing."""
        in_force = key_rows.rights(self._connection)
        levels = {*in_force.levels, *self._elsewhere[0]}
        schedules = {*in_force.schedules, *self._elsewhere[1], None}
        for name, number in self._levels.items():
            if name not in levels:
                raise ChangeError(f"credential {number}: level {name} is unknown")
        for name, level in in_force.levels.items():
            for right in level:
                if right.schedule not in schedules:
                    raise ChangeError(f"level {name}: schedule {right.schedule} is unknown")


def _what_became(before: str | None, after: str) -> str:
    """What an upsert that leaves a key in state `after` did to it."""
    if before is None:
        return life_cycle.ISSUED
    if before == after:
        return life_cycle.CHANGED
    if after == life_cycle.ACTIVE:
        words = {life_cycle.SUSPENDED: life_cycle.RESUMED, life_cycle.LOST: life_cycle.FOUND}
        return words.get(before, life_cycle.ISSUED)
    return after


def _kind(change: Change) -> str:
    return str(change[0]) if change else ""


def _one(change: Change) -> Any:
    if len(change) != 2:
        raise ChangeError(f"{change[0]}: expected one value")
    return change[1]


def _two(change: Change) -> tuple[str, Any]:
    if len(change) != 3 or not isinstance(change[1], str):
        raise ChangeError(f"{change[0]}: expected a name and one value")
    if not 0 < len(change[1]) <= LONGEST_NAME or not change[1].isprintable():
        raise ChangeError(f"{change[0]}: name is none; expected 1 to {LONGEST_NAME} characters")
    return change[1], change[2]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
