"""The tables that keys are stored in, and how a store of an older format is read and brought up to date.

Format 1 knew no duress, flats, groups or denials, format 2 no sums of its rows (`key_sums`). A store that
may be written is brought to today's format in one transaction when it is opened; one that may only be
read is looked at through views.
"""

from functools import cache

import apsw

from firmware.services import database, key_sums

FORMAT = 3

_TABLES = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value, row_sum INTEGER) WITHOUT ROWID;
CREATE TABLE credentials(id INTEGER PRIMARY KEY, holder INTEGER, state TEXT NOT NULL,
    valid_from_s INTEGER, valid_to_s INTEGER, first_use_s INTEGER, uses INTEGER,
    levels TEXT NOT NULL, extended INTEGER NOT NULL, override INTEGER NOT NULL,
    pin_salt BLOB, pin_hash BLOB, version INTEGER NOT NULL,
    duress_hash BLOB, flat TEXT, group_name TEXT, acknowledges INTEGER NOT NULL DEFAULT 0,
    before_lost TEXT, row_sum INTEGER);
CREATE TABLE removed(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, row_sum INTEGER);
CREATE TABLE numbers(number TEXT PRIMARY KEY, credential INTEGER NOT NULL,
    duress INTEGER NOT NULL DEFAULT 0, row_sum INTEGER) WITHOUT ROWID;
CREATE INDEX numbers_of ON numbers(credential);
CREATE TABLE levels(name TEXT PRIMARY KEY, rights TEXT NOT NULL, row_sum INTEGER) WITHOUT ROWID;
CREATE TABLE schedules(name TEXT PRIMARY KEY, hours TEXT NOT NULL, row_sum INTEGER) WITHOUT ROWID;
CREATE TABLE holidays(day INTEGER PRIMARY KEY, row_sum INTEGER);
INSERT INTO meta VALUES('version', 0, NULL);
UPDATE meta SET row_sum = {key_sums.sum_of("meta")};
"""

#: the tables of a set of keys under way, see `firmware.services.key_pages`
STAGED = """
CREATE TABLE IF NOT EXISTS staged(id INTEGER PRIMARY KEY, page INTEGER NOT NULL, body TEXT,
    row_sum INTEGER);
CREATE TABLE IF NOT EXISTS staged_set(version INTEGER, pages INTEGER, whole INTEGER, last INTEGER,
    row_sum INTEGER);
"""

_FROM_1 = """
ALTER TABLE credentials ADD COLUMN duress_hash BLOB;
ALTER TABLE credentials ADD COLUMN flat TEXT;
ALTER TABLE credentials ADD COLUMN group_name TEXT;
ALTER TABLE credentials ADD COLUMN acknowledges INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN before_lost TEXT;
ALTER TABLE numbers ADD COLUMN duress INTEGER NOT NULL DEFAULT 0;
UPDATE credentials SET before_lost = 'active' WHERE state = 'lost';
"""

# A set of keys that was under way begins anew.
_FROM_2 = "DROP TABLE IF EXISTS staged; DROP TABLE IF EXISTS staged_set;" + "".join(
    f"ALTER TABLE {table} ADD COLUMN row_sum INTEGER;"
    f"UPDATE {table} SET row_sum = {key_sums.sum_of(table)};"
    for table in key_sums.COLUMNS
)

# A temporary view hides the table of its name.
_MORE_IN_2 = {
    "credentials": ", NULL AS duress_hash, NULL AS flat, NULL AS group_name, 0 AS acknowledges,"
    " NULL AS before_lost",
    "numbers": ", 0 AS duress",
}


def _views(more: dict[str, str]) -> str:
    return "".join(
        f"CREATE TEMP VIEW {table} AS SELECT *, {key_sums.sum_of(table)} AS row_sum"
        f" FROM (SELECT *{more.get(table, '')} FROM main.{table});"
        for table in key_sums.COLUMNS
    )


def create(connection: apsw.Connection) -> bool:
    """Make the tables where there are none, bring old ones up to date; whether any were.

    Raises `apsw.NotADBError` for another's database, and for a format of a time to come.
    """
    key_sums.register(connection)
    found = database.pragma(connection, "user_version")
    if found == FORMAT:
        return False
    if found in (1, 2):
        with connection:
            connection.execute(_FROM_1 + _FROM_2 if found == 1 else _FROM_2)
            database.pragma(connection, "user_version", str(FORMAT))
        return True
    if not is_empty(connection):
        raise apsw.NotADBError("not a store of this format")
    with connection:
        connection.execute(_TABLES)
        database.pragma(connection, "user_version", str(FORMAT))
    return False


def check(connection: apsw.Connection) -> None:
    """See that the tables of today's format are ours, column by column. Raises `apsw.CorruptError`.

    A name in which a bit flipped is a good name to SQLite; what asks for it then fails at every key. A
    statement that says it in letters of another size makes the same table, of which there is no copy.
    """
    found = _shape(connection)
    if connection.execute(_MISSPELT).get is not None:
        raise apsw.CorruptError("schema")
    if not found >= _our_shape("") or not {
        row for row in found if row[2] in key_sums.STAGED_COLUMNS
    } <= _our_shape(STAGED):
        raise apsw.CorruptError("schema")


@cache
def _our_shape(more: str) -> set[tuple[object, ...]]:
    connection = apsw.Connection(":memory:")
    create(connection)
    connection.execute(more)
    found = _shape(connection)
    connection.close()
    return found


def _shape(connection: apsw.Connection) -> set[tuple[object, ...]]:
    """Each column of each table and index."""
    return set(connection.execute(_SHAPE))


_MISSPELT = """
SELECT 1 FROM (SELECT sql, CASE type WHEN 'table' THEN 'CREATE TABLE ' || name || '('
    ELSE 'CREATE INDEX ' || name || ' ON ' || tbl_name || '(' END AS begin FROM main.sqlite_schema)
WHERE substr(sql, 1, length(begin)) <> begin
"""

_SHAPE = """
SELECT t.type, t.name, t.tbl_name, c.*
    FROM main.sqlite_schema t, pragma_table_xinfo(t.name, 'main') c UNION ALL
SELECT t.type, t.name, t.tbl_name, c.seqno, c.name, c.desc, c.coll, c.key, '', ''
    FROM main.sqlite_schema t, pragma_index_xinfo(t.name, 'main') c WHERE t.type = 'index'
"""


def look_only(connection: apsw.Connection) -> None:
    """Have a database that cannot be written read like one of today's format. Raises `apsw.Error`."""
    key_sums.register(connection)
    found = database.pragma(connection, "user_version")
    if found in (1, 2):
        connection.execute(_views(_MORE_IN_2 if found == 1 else {}))
    elif found != FORMAT:
        raise apsw.NotADBError("not a store of this format")


def tables(connection: apsw.Connection) -> list[str]:
    """The tables whose rows carry sums."""
    under_way = connection.execute("SELECT 1 FROM main.sqlite_schema WHERE name = 'staged_set'").get
    return [*key_sums.COLUMNS, *(key_sums.STAGED_COLUMNS if under_way is not None else ())]


def is_empty(connection: apsw.Connection) -> bool:
    """Whether nothing was ever put into this database."""
    return not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()


def right_of(stored: list[object]) -> list[object]:
    """Access point, schedule and denial of a stored right; those of format 1 denied nothing."""
    return [*stored, False] if len(stored) == 2 else stored
