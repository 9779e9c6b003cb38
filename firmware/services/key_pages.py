"""A set of keys that comes in pages, applied whole or not at all (`credential.sync`).

Pages wait in the store's own database, as the rows that they will be: PINs are there under the controller's
key like all others. The last one applies them all in the transaction that also says which version is in
force. A page 1 begins anew; a set that was interrupted changes nothing, and gives way to the next. So does
one during which a key was changed otherwise (`forget`): it was made before, and would undo that. All pages
are of one sender: who may send no more has no part in what comes into force (`withdraw`).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import apsw

from firmware.runtime.ports import Page, Synced
from firmware.services import key_rows, key_schema, key_sums
from firmware.services.key_bulk import CHUNK, TOLD, Bulk
from firmware.services.key_changes import ChangeError, KeyRow, id_of, key_row
from firmware.services.key_tables import Application, Told

TOLD_LIMIT = 1000  #: changed keys that are told one by one; of more only how many they are

_SENDER = "staged_by"  # in `meta`: a store whose staged set names no sender is one of before
_CLEAR = "DELETE FROM staged; DELETE FROM staged_set"


class _Set(NamedTuple):
    """A set under way: its version, how many pages it has, whether it replaces all, the last page."""

    version: int
    pages: int
    whole: bool
    last: int


def in_force(connection: apsw.Connection) -> int:
    """The version of the last set that was applied; 0: none was."""
    return _meta(connection, "synced")


def take(
    connection: apsw.Connection,
    application: Application,
    key: bytes,
    random: Callable[[int], bytes],
    page: Page,
) -> Synced:
    """Stage a page; with the last one apply the set. Raises `ChangeError`, nothing changed; `apsw.Error`.

    key, random  as of `key_changes.key_row`
    """
    now = in_force(connection)
    if page.version < now:
        raise ChangeError(f"version {page.version} is old; expected {now} or higher")
    rows = [key_row(fields, key, random) for fields in page.upsert]
    removed = [id_of(number) for number in page.remove]
    connection.execute(key_schema.STAGED)
    with connection:
        under_way = _under_way(connection)
        if under_way is None and page.number > 1 and _is_done(connection, page):
            return Synced(now, True, None)
        _place(connection, under_way, page)
        _stage(connection, page.number, [(row.id, _written(row)) for row in rows])
        _stage(connection, page.number, [(number, None) for number in removed])
        if page.number < page.pages:
            return Synced(now, False, None)
        told = _apply(connection, application, page.whole)
        for name, value in (("synced", page.version), ("synced_pages", page.pages)):
            key_rows.put_meta(connection, name, value)
        connection.execute(_CLEAR)
    return Synced(page.version, True, told if len(told) <= TOLD_LIMIT else None)


def forget(connection: apsw.Connection) -> None:
    """Drop the set under way, if there is one: its next page is told to begin anew. Raises `apsw.Error`."""
    known = "SELECT 1 FROM sqlite_schema WHERE name = 'staged_set'"
    if connection.execute(known).get is not None and _under_way(connection) is not None:
        connection.execute(_CLEAR)


def withdraw(connection: apsw.Connection, operator: str) -> None:
    """Drop the set under way if it is of `operator`, whatever their key was. Raises `apsw.Error`."""
    sender = key_rows.meta_text(connection, _SENDER)
    if sender is not None and sender.split(" ")[0] == operator:
        forget(connection)


def _place(connection: apsw.Connection, under_way: _Set | None, page: Page) -> None:
    """Have the page follow the one before it, or take its place. Raises `ChangeError`."""
    if page.number == 1:
        connection.execute(_CLEAR)
        # What was the last page of the set in force is none of this one.
        key_rows.put_meta(connection, "synced_pages", 0)
        key_rows.put_meta(connection, _SENDER, page.sender)
        under_way = _Set(page.version, page.pages, page.whole, 0)
    if (
        under_way is None
        or under_way[:3] != (page.version, page.pages, page.whole)
        or key_rows.meta_text(connection, _SENDER) != page.sender
    ):
        raise ChangeError(f"page {page.number} is of no set that was begun; expected page 1 first")
    if page.number not in (under_way.last, under_way.last + 1):
        raise ChangeError(f"page {page.number} is not next; expected page {under_way.last + 1}")
    connection.execute("DELETE FROM staged WHERE page = ?", (page.number,))
    connection.execute("DELETE FROM staged_set")
    connection.execute(
        key_sums.put("staged_set"),
        (page.version, page.pages, int(page.whole), page.number),
    )


def _stage(connection: apsw.Connection, number: int, entries: list[tuple[int, str | None]]) -> None:
    for id, body in entries:
        try:
            connection.execute(key_sums.put("staged", "INSERT"), (id, number, body))
        except apsw.ConstraintError:
            raise ChangeError(f"credential {id}: stands twice in a set; expected once") from None


def _apply(connection: apsw.Connection, application: Application, whole: bool) -> list[Told]:
    key_sums.check(connection, key_sums.STAGED_COLUMNS)
    named = "SELECT id FROM credentials WHERE id NOT IN (SELECT id FROM staged)"
    leave = named if whole else "SELECT id FROM staged WHERE body IS NULL"
    for some in _in_pieces(connection, f"{leave} AND id > ? ORDER BY id LIMIT ?"):
        for (number,) in some:
            application.remove(number)
        del application.told[TOLD:]
    bulk = Bulk(connection, application)
    ask = "SELECT id, body FROM staged WHERE body IS NOT NULL AND id > ? ORDER BY id LIMIT ?"
    for some in _in_pieces(connection, ask):
        _refuse(bulk.put([(int(str(id)), _read(str(body))) for id, body in some]))
    _refuse(bulk.finish())
    application.end()
    return application.told + bulk.told


def _in_pieces(connection: apsw.Connection, ask: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows that `ask` finds, by their id, `CHUNK` at a time; what is asked may be changed meanwhile."""
    after = 0
    while True:
        found = connection.execute(ask, (after, CHUNK)).fetchall()
        if not found:
            return
        yield found
        after = int(str(found[-1][0]))


def _refuse(refused: list[Any]) -> None:
    for one in refused:
        what = f"its {one.what} " if one.what else ""
        raise ChangeError(f"credential {one.line}: {what}{one.text}" if what else one.text)


def _under_way(connection: apsw.Connection) -> _Set | None:
    key_sums.check(connection, ["staged_set"])
    for version, pages, whole, last, _ in connection.execute("SELECT * FROM staged_set"):
        return _Set(int(str(version)), int(str(pages)), bool(whole), int(str(last)))
    return None


def _is_done(connection: apsw.Connection, page: Page) -> bool:
    """Whether this is the last page of what is in force: its answer was lost with the power."""
    applied = (_meta(connection, "synced"), _meta(connection, "synced_pages"))
    return page.number == page.pages and applied == (page.version, page.pages)


def _meta(connection: apsw.Connection, name: str) -> int:
    return key_rows.meta(connection, name) or 0


def _written(key: KeyRow) -> str:
    row = [{"hex": value.hex()} if isinstance(value, bytes) else value for value in key.row]
    return json.dumps([row, key.numbers], separators=(",", ":"))


def _read(body: str) -> KeyRow:
    row, numbers = json.loads(body)
    values = [bytes.fromhex(one["hex"]) if isinstance(one, dict) else one for one in row]
    return KeyRow(row[0], values, [(number, duress) for number, duress in numbers])
