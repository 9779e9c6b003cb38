"""`firmware.services.key_sums`: a bit that flips in a key or its level never passes for the truth."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import old_key_stores
import pytest

from firmware.access.credential import Credential
from firmware.runtime.ports import Page
from firmware.services import database, key_schema, key_sums
from firmware.services.key_file import KeyFile

KEY = b"k" * 32
SENDER = "op-ling -"
USED = "; set aside as keys-corrupt-1.db; the last good copy is used"
KEYS = 40
#: How many bits are tried in each file; ``KEY_FLIPS=5000`` takes some minutes.
FLIPS = int(os.environ.get("KEY_FLIPS", "60"))
STATES = ("active", "active", "lost", "suspended", "cancelled")
NUMBERS = [f"w26:012:{number:05d}" for number in range(1, KEYS + 1)]


def _open(folder: Path) -> KeyFile:
    store = KeyFile(str(folder / "keys.db"), KEY, None, random.Random(1).randbytes)
    store.open()
    return store


def _key(number: int) -> tuple[str, dict[str, Any]]:
    fields: dict[str, Any] = {"id": number, "holder": number, "levels": ["all"], "version": 3}
    fields |= {"cards": [NUMBERS[number - 1]], "state": STATES[number % 5], "flat": f"{number}A"}
    fields |= {"valid_from_s": 1_500_000_000, "valid_to_s": 1_600_000_000 + number}
    return "upsert", fields | ({"pin": f"{number:06d}", "uses": number} if number % 3 else {})


def _fill(folder: Path) -> None:
    store = _open(folder)
    level = ("level", "all", [["front-in", "days"], ["*", None, True]])
    days = ("schedule", "days", ["daily 08:00-20:00"])
    keys = [_key(number) for number in range(1, KEYS + 1)]
    store.apply([days, level, ("holidays", ["2026-12-25"]), *keys, ("upsert", {"id": 99})])
    store.apply([("remove", 99)])
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a store with some keys, closed."""
    _fill(tmp_path)
    return tmp_path


def _all(store: KeyFile) -> list[Credential | None]:
    return [store.find(number) for number in NUMBERS]


def _turn(path: Path, at: int, bit: int) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        turned = file.read(1)[0] ^ 1 << bit
        file.seek(at)
        file.write(bytes([turned]))


# ---- at a start ------------------------------------------------------------------------------------


def _after(content: bytes, text: bytes) -> int:
    at = content.find(text)
    assert at > 0
    return at


@pytest.mark.parametrize(
    ("where", "bit"),
    [
        (lambda content: content.rfind(b"lost"), 0),  # most: a state that there is not
        (lambda content: _after(content, (1_600_000_007).to_bytes(4, "big")), 5),  # years to go
        (lambda content: _after(content, b"w26:012:00007") + 12, 0),  # somebody else's card
        (lambda content: _after(content, b'"front-in"') + 6, 1),  # another door
        (lambda content: _after(content, b"daily 08:00"), 7),  # no text
        (lambda content: _after(content, b'["all"]'), 1),  # no JSON
        (lambda content: _after(content, b"7A"), 2),  # another flat
    ],
)
def test_a_bit_in_a_value_has_the_copy_used(
    folder: Path, where: Callable[[bytes], int], bit: int
) -> None:
    before = _open(folder)
    keys, rights = _all(before), before.rights
    before.close()
    _turn(folder / "keys.db", where((folder / "keys.db").read_bytes()), bit)
    store = _open(folder)
    assert store.problems == ["keys.db: is corrupt" + USED]
    assert (_all(store), store.rights) == (keys, rights)
    store.close()


@pytest.mark.parametrize("file", ["keys.db", "keys.db-wal"])
def test_of_many_bits_turned_in_the_store_and_in_its_log_none_does_harm_untold(
    folder: Path, tmp_path: Path, file: str
) -> None:
    store = _open(folder)
    store.apply([("life", 1, "suspend", {}), ("life", 5, "report_lost", {})])
    store.apply(
        [("upsert", {"id": 3, "cards": [NUMBERS[2]], "version": 9}), ("life", 6, "suspend", {})]
    )
    keys, rights, version = _all(store), store.rights, store.version
    store.close(killed=file == "keys.db-wal")
    dice = random.Random(20261122)
    size = (folder / file).stat().st_size
    told = 0
    for _ in range(FLIPS):
        struck = tmp_path / "struck"
        shutil.rmtree(struck, ignore_errors=True)
        struck.mkdir()
        for path in folder.glob("keys*.db*"):
            shutil.copy(path, struck)
        at, bit = dice.randrange(size), dice.randrange(8)
        _turn(struck / file, at, bit)
        store = _open(struck)
        found = (_all(store), store.rights, store.version)
        assert found == (keys, rights, version), (at, bit)  # the copy was as new
        assert found[0] == _all(store)
        told += bool(store.problems)
        store.close(killed=True)
    assert told > FLIPS // 4


def test_a_bit_in_both_files_is_told_and_brings_no_key_that_was_not(
    folder: Path, tmp_path: Path
) -> None:
    store = _open(folder)
    keys = _all(store)
    store.close()
    dice = random.Random(7)
    for _ in range(FLIPS // 2):
        struck = tmp_path / "struck"
        shutil.rmtree(struck, ignore_errors=True)
        struck.mkdir()
        for name in ("keys.db", "keys.good.db"):
            shutil.copy(folder / name, struck)
            _turn(struck / name, dice.randrange((folder / name).stat().st_size), dice.randrange(8))
        store = _open(struck)
        found = _all(store)
        assert found == keys or (store.problems and found == [None] * KEYS)
        store.close(killed=True)


# ---- while it runs ---------------------------------------------------------------------------------


def _write(store: KeyFile, text: str, *values: Any) -> None:
    """As a page that rots under the running store."""
    store._there().execute(text, values)


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE credentials SET state = 'most' WHERE id = 2",
        "UPDATE credentials SET valid_to_s = 2000000000 WHERE id = 2",
        "UPDATE credentials SET flat = CAST(x'ff41' AS TEXT) WHERE id = 2",
        "UPDATE credentials SET row_sum = NULL WHERE id = 2",
        "UPDATE credentials SET state = CAST(state AS BLOB) WHERE id = 2",
        "UPDATE credentials SET pin_hash = CAST('text' AS TEXT), pin_salt = NULL WHERE id = 2",
        "UPDATE numbers SET credential = 3 WHERE credential = 2",
        "UPDATE numbers SET credential = 1003 WHERE credential = 2",
        "UPDATE numbers SET duress = 1 WHERE credential = 2",
        "ALTER TABLE credentials RENAME COLUMN uses TO usds",
    ],
)
def test_a_look_up_that_finds_a_row_that_was_not_written_so_answers_from_the_copy(
    folder: Path, text: str
) -> None:
    store = _open(folder)
    keys = _all(store)
    _write(store, text)
    assert store.find(NUMBERS[1]) == keys[1]
    assert len(store.problems) == 1
    assert store.problems[0].endswith(USED)
    assert _all(store) == keys
    store.close()
    again = _open(folder)
    assert (again.problems, _all(again)) == ([], keys)
    again.close()


def test_changes_that_the_copy_does_not_know_are_told_as_lost(folder: Path) -> None:
    store = _open(folder)
    store._files.move = lambda path, to: None  # type: ignore[method-assign]  # no copy comes in place
    store.apply([("life", 5, "report_lost", {})])
    del store._files.move
    store._files.remove(store._copy.next)
    _write(store, "UPDATE credentials SET uses = 0 WHERE id = 1")
    assert store.find(NUMBERS[0]) is not None
    assert store.problems == ["keys.db: is corrupt" + USED, "keys.db: the last change is lost"]
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        ("life", 2, "suspend", {}),
        ("life", 2, "extend", {"valid_to_s": None}),
        ("remove", 2),
        _key(2),
    ],
)
def test_a_change_blesses_no_value_that_was_not_written(folder: Path, change: Any) -> None:
    store = _open(folder)
    keys = _all(store)
    _write(store, "UPDATE credentials SET state = 'active', version = 1 WHERE id = 2")
    with pytest.raises(apsw.CorruptError):
        store.apply([change])
    assert store.problems == ["keys.db: is corrupt" + USED]
    assert _all(store) == keys
    store.apply([("life", 2, "cancel", {})])
    found = store.find(NUMBERS[1])
    assert found is not None
    assert (found.state, found.version) == ("cancelled", 4)
    store.close()


def test_a_change_after_which_no_copy_can_be_made_for_the_store_is_no_good_is_undone(
    folder: Path,
) -> None:
    store = _open(folder)
    keys, version = _all(store), store.version
    _write(store, "UPDATE removed SET version = 77")
    with pytest.raises(apsw.CorruptError):
        store.apply([("life", 5, "suspend", {})])
    assert (_all(store), store.version) == (keys, version)
    assert store.problems == [
        "keys.db: no copy could be made: is corrupt",
        "keys.db: is corrupt" + USED,
        "keys.db: the last change is lost",
    ]
    store.close()


def test_a_page_of_keys_that_rotted_while_it_waited_is_not_applied(folder: Path) -> None:
    store = _open(folder)
    keys = _all(store)
    store.sync(Page(5, 1, 2, False, [{"id": 200, "cards": ["w26:012:00200"]}], [], SENDER))
    _write(store, "UPDATE staged SET body = NULL, id = 2 WHERE id = 200")
    with pytest.raises(apsw.CorruptError):
        store.sync(Page(5, 2, 2, False, [], [], SENDER))
    assert _all(store) == keys
    assert store.problems == ["keys.db: is corrupt" + USED]
    store.close()


# ---- every row -------------------------------------------------------------------------------------


def test_every_row_of_every_table_carries_its_sum_after_every_kind_of_change(folder: Path) -> None:
    store = _open(folder)
    new = {"id": 200, "cards": ["w26:012:00200"], "pin": "123456"}
    store.sync(Page(5, 1, 2, False, [new], [], SENDER))
    key_sums.check(store._there(), key_schema.tables(store._there()))
    assert store._there().execute("SELECT count(*) FROM staged").get == 1
    store.sync(Page(5, 2, 2, False, [{"id": 201}], [7], SENDER))
    changes: list[Any] = [
        ("life", 8, "resume", {}),
        ("life", 8, "report_lost", {}),
        ("life", 300, "issue", {"duress_pin": "9999"}),
        ("life", 10, "extend", {"valid_to_s": None}),
        ("remove", 9),
        ("level", "less", []),
        ("schedule", "never", []),
        ("holidays", [1, 2, 3]),
    ]
    for change in changes:
        store.apply([change])
    connection = store._there()
    for table in key_sums.COLUMNS:
        rows, sums = connection.execute(f"SELECT count(*), count(row_sum) FROM {table}").fetchall()[
            0
        ]
        assert (rows, rows) == (sums, rows or sums)
        assert rows
    key_sums.check(connection, key_schema.tables(connection))
    store.close()


def test_a_sum_tells_what_stands_where(folder: Path) -> None:
    store = _open(folder)
    connection = store._there()
    ask = f"SELECT {key_sums.text_of('credentials')} FROM credentials WHERE id = 8"
    told = bytes(connection.execute(ask).get).decode()
    assert told.startswith("credentials|8|8|'suspended'|1500000000|1600000008|-|8|'[")
    assert told.endswith("'|3|NULL|'8A'|NULL|0|NULL")
    store.close()


# ---- format 2 --------------------------------------------------------------------------------------

OF_2 = Credential(
    *(7, 311, "lost", 10, 20, 60, 2, ("all",), True, False),
    *(bytes.fromhex("00112233445566778899aabbccddeeff"), bytes(32), 4),
    *(None, "3A", None, True, False, None),
)


def test_a_store_without_sums_is_taken_over_once_with_everything_it_had(tmp_path: Path) -> None:
    for name in ("keys.db", "keys.good.db"):
        old_key_stores.write(tmp_path / name, 2)
    for _ in range(2):
        store = _open(tmp_path)
        assert (store.problems, store.version, store.count, store.synced) == ([], 3, 1, 8)
        assert store.find("w26:012:00001") == OF_2
        assert store.find("w26:012:00002") == OF_2._replace(duress=True)
        assert database.pragma(store._there(), "user_version") == key_schema.FORMAT
        key_sums.check(store._there())
        store.close()
    copy = database.connect_read_only(str(tmp_path / "keys.good.db"), None)
    key_sums.check(copy)
    copy.close()
    store = _open(tmp_path)
    store.apply([("life", 7, "report_found", {}), ("upsert", {"id": 9})])
    assert store._there().execute("SELECT version FROM credentials WHERE id = 9").get == 7
    store.close()


def test_a_store_without_sums_that_cannot_be_written_is_read_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_key_stores.write(tmp_path / "keys.db", 2)

    def refused(path: str, vfs: str | None, shared: bool) -> apsw.Connection:
        raise apsw.ReadOnlyError("file is read-only")

    monkeypatch.setattr(database, "connect", refused)
    store = _open(tmp_path)
    assert store.problems == ["keys.db: is read-only; keys are read and cannot be changed"]
    assert store.find("w26:012:00001") == OF_2
    store.close()


def test_a_store_whose_format_a_bit_made_an_older_one_is_no_older_one(folder: Path) -> None:
    keys = _all(_open(folder))
    _turn(folder / "keys.db", 63, 0)  # 3 becomes 2: no sums to be held against
    assert (folder / "keys.db").read_bytes()[60:64] == b"\0\0\0\2"
    store = _open(folder)
    assert store.problems[0].endswith(USED)
    assert _all(store) == keys
    store.close()
