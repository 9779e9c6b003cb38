"""A sum of its own for every row that the credential store keeps: SQLite has none of what stands in a page.

A bit that flips in a value makes another value: a key that was lost opens again, one that had ended has years
to go. Every row therefore carries the CRC-32 of what it says, in SQL's own text of it, made where the
row is written and asked wherever it is read.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast
from zlib import crc32

import apsw

from firmware.access.credential import Credential

FIELDS = Credential._fields[:17]
#: the columns of a key, in the order of `Credential`'s fields
KEY = tuple("group_name" if name == "group" else name for name in FIELDS)
#: what each table says in a row, beside its sum
COLUMNS = {
    "meta": ("key", "value"),
    "credentials": (*KEY, "before_lost"),
    "removed": ("id", "version"),
    "numbers": ("number", "credential", "duress"),
    "levels": ("name", "rights"),
    "schedules": ("name", "hours"),
    "holidays": ("day",),
}
#: of a set of keys under way
STAGED_COLUMNS = {
    "staged": ("id", "page", "body"),
    "staged_set": ("version", "pages", "whole", "last"),
}
_ALL = {**COLUMNS, **STAGED_COLUMNS}
# What is no number is quoted: a text and bytes that are the same are two things.
_NUMBERS = frozenset(
    ("id", "holder", "valid_from_s", "valid_to_s", "first_use_s", "uses", "extended", "override")
    + ("version", "acknowledges", "credential", "duress", "day", "page", "pages", "whole", "last")
)


def register(connection: apsw.Connection) -> None:
    """Have `connection` know what `sum_of` asks for, and prepare a look-up once, not for every value."""
    connection.create_scalar_function("crc32", _sum, 1, deterministic=True)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def _sum(*values: Any) -> int:
    return crc32(values[0])


def text_of(table: str, prefix: str = "") -> str:
    """SQL for what a row of `table` says, as one value: its sum is of that."""
    return _text(table, [prefix + name for name in _ALL[table]])


def sum_of(table: str) -> str:
    """SQL for the sum of a row of `table`, over its columns."""
    return f"crc32({text_of(table)})"


def put(table: str, verb: str = "REPLACE") -> str:
    """SQL that writes a row of `table`, given its values, with its sum."""
    names = _ALL[table]
    values = [f"?{place}" for place in range(1, len(names) + 1)]
    columns = ", ".join((*names, "row_sum"))
    return (
        f"{verb} INTO {table}({columns}) VALUES({', '.join(values)}, crc32({_text(table, values)}))"
    )


def hold(text: object, told: object) -> None:
    """See that what a row says has the sum that it carries. Raises `apsw.CorruptError`."""
    if _sum(text) != told:
        raise apsw.CorruptError("row")


def check(connection: apsw.Connection, tables: Iterable[str] = tuple(COLUMNS)) -> None:
    """See that all rows of `tables` have the sums that they carry. Raises `apsw.CorruptError`."""
    for table in tables:
        rows = connection.execute(f"SELECT {text_of(table)}, row_sum FROM {table}")
        for text, told in cast(Iterator[tuple[bytes, int]], rows):
            if crc32(text) != told:
                raise apsw.CorruptError(table)


def _text(table: str, values: list[str]) -> str:
    parts = [
        f"ifnull({value}, '-')" if name in _NUMBERS else f"quote({value})"
        for name, value in zip(_ALL[table], values, strict=True)
    ]
    text = " || '|' || ".join(parts)
    return f"CAST('{table}|' || {text} AS BLOB)"
