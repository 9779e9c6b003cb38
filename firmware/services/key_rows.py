"""What the tables of the credential store say. Every row is held against its sum (`key_sums`).

Synchronous, over one connection. Raises `apsw.CorruptError` where a row is not what was written,
`apsw.Error`.
"""

import json
from typing import Any, NamedTuple

import apsw

from firmware.access import schedule
from firmware.access.credential import Credential, Right, Rights
from firmware.services import key_schema, key_sums
from firmware.services.key_changes import to_credential

# A number whose key is another one than it was, or none, is held against its sum all the same.
_FIND = (
    f"SELECT {', '.join(f'credentials.{name}' for name in key_sums.KEY)}, numbers.duress,"
    f" {key_sums.text_of('credentials', 'credentials.')}, credentials.row_sum,"
    f" {key_sums.text_of('numbers', 'numbers.')}, numbers.row_sum"
    " FROM numbers LEFT JOIN credentials ON credentials.id = numbers.credential"
    " WHERE numbers.number = ?"
)
_STORED = (
    f"SELECT {key_sums.text_of('credentials')}, row_sum, state, before_lost, version,"
    " valid_from_s, valid_to_s FROM credentials WHERE id = ?"
)
_REMOVED = f"SELECT {key_sums.text_of('removed')}, row_sum, version FROM removed WHERE id = ?"
_META = f"SELECT {key_sums.text_of('meta')}, row_sum, value FROM meta WHERE key = ?"
_PUT_META = key_sums.put("meta")


class Stored(NamedTuple):
    """Of a key that is there: its state, that before it was lost, version and validity."""

    state: str
    before_lost: str | None
    version: int
    begins_s: int | None
    ends_s: int | None


def find(connection: apsw.Connection, number: str) -> Credential | None:
    """The key that is found by `number`."""
    try:
        for row in connection.execute(_FIND, (number,)):
            key_sums.hold(*row[-2:])
            if row[0] is None:
                return None
            key_sums.hold(*row[-4:-2])
            return to_credential(row[:-4])
    except UnicodeDecodeError as error:
        raise apsw.CorruptError("text") from error
    return None


def stored(connection: apsw.Connection, id: int) -> Stored | None:
    """What is to be known of a key before it is changed; None: it is not there."""
    for row in _checked(connection, _STORED, id):
        return Stored(*row)
    return None


def removed(connection: apsw.Connection, id: int) -> int | None:
    """The version that a key had when it was removed; None: it was not."""
    for (version,) in _checked(connection, _REMOVED, id):
        return int(str(version))
    return None


def meta(connection: apsw.Connection, name: str) -> int | None:
    """One of the store's own numbers; None: it is not there."""
    text = meta_text(connection, name)
    return None if text is None else int(text)


def meta_text(connection: apsw.Connection, name: str) -> str | None:
    """One of the store's own values as text; None: it is not there."""
    for (value,) in _checked(connection, _META, name):
        return str(value)
    return None


def put_meta(connection: apsw.Connection, name: str, value: int | str) -> None:
    """Write one of the store's own values."""
    connection.execute(_PUT_META, (name, value))


def version(connection: apsw.Connection) -> int:
    """How often the store was changed."""
    found = meta(connection, "version")
    if found is None:
        raise apsw.CorruptError("no version")
    return found


def count(connection: apsw.Connection) -> int:
    """How many keys there are."""
    return int(str(connection.execute("SELECT count(*) FROM credentials").get))


def rights(connection: apsw.Connection) -> Rights:
    """Levels, schedules and holidays."""
    levels = {}
    for name, text in _all(connection, "levels"):
        levels[name] = [Right(*key_schema.right_of(one)) for one in json.loads(str(text))]
    schedules = {}
    for name, text in _all(connection, "schedules"):
        schedules[name] = [
            stretch for line in json.loads(str(text)) for stretch in schedule.parse(line)
        ]
    days = [day for (day,) in _all(connection, "holidays")]
    return Rights(levels, schedules, days, False, False)


def _all(connection: apsw.Connection, table: str) -> list[tuple[Any, ...]]:
    names = ", ".join(key_sums.COLUMNS[table])
    text = f"SELECT {key_sums.text_of(table)}, row_sum, {names} FROM {table} ORDER BY 3"
    return _checked(connection, text)


def _checked(connection: apsw.Connection, text: str, *values: Any) -> list[tuple[Any, ...]]:
    try:
        rows = connection.execute(text, values).fetchall()
    except UnicodeDecodeError as error:
        raise apsw.CorruptError("text") from error
    for row in rows:
        key_sums.hold(*row[:2])
    return [row[2:] for row in rows]
