"""`firmware.services.key_file`: what became durable does not go back in silence, whatever is lost."""

import shutil
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from firmware.services import database, disk_files, key_file, key_mark, key_rows, key_sums
from firmware.services.key_file import KeyFile

KEY = b"k" * 32
CARD = "w26:001:00001"
OLDER = "is older than its last good copy"
GOOD = "set aside as keys-corrupt-1.db; the last good copy is used"
RENEWED = "keys.db: the last good copy was damaged; set aside as keys.good-corrupt-1.db; a new one was made"


def _open(folder: Path) -> KeyFile:
    store = KeyFile(str(folder / "keys.db"), KEY, None, lambda n: b"s" * n)
    store.open()
    return store


def _put(store: KeyFile, version: int, number: int = 1, **fields: Any) -> None:
    card = f"w26:001:{number:05d}"
    store.apply([("upsert", {"id": number, "cards": [card], "version": version, **fields})])


def _state(store: KeyFile) -> str | None:
    found = store.find(CARD)
    return None if found is None else str(found.state)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a store that was killed when a key had just been reported lost."""
    store = _open(tmp_path)
    _put(store, 1)
    store.close()
    store = _open(tmp_path)
    _put(store, 2, state="lost")
    store.close(killed=True)
    return tmp_path


@pytest.fixture
def uncopied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    """A big store with one key, that is copied; what changes in the next minute is not."""
    monkeypatch.setattr(key_file, "BIG_BYTES", 1)
    store = _open(tmp_path)
    _put(store, 1)
    store.close()
    store = _open(tmp_path)
    store._copied_s = time.monotonic()
    return store


# ---- its log ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["gone", "empty", "half", "noise"])
def test_a_store_that_lost_its_log_does_not_go_back_to_what_was_before(
    killed: Path, how: str
) -> None:
    log = killed / "keys.db-wal"
    content = log.read_bytes()
    if how == "gone":
        log.unlink()
    else:
        half = content[: len(content) // 2]
        log.write_bytes({"empty": b"", "half": half, "noise": b"\xa5" * len(content)}[how])
    store = _open(killed)
    assert _state(store) == "lost"
    assert store.problems in ([f"keys.db: {OLDER}; {GOOD}"], [f"keys.db: is corrupt; {GOOD}"])
    assert (killed / "keys-corrupt-1.db").exists()
    store.close()
    again = _open(killed)
    assert (again.problems, again.version, _state(again)) == ([], 2, "lost")
    again.close()


def test_a_bit_anywhere_in_the_log_brings_no_lost_key_back(killed: Path, tmp_path: Path) -> None:
    content = (killed / "keys.db-wal").read_bytes()
    harmed = 0
    for at in range(0, len(content), 251):
        folder = tmp_path / f"at-{at}"
        folder.mkdir()
        for name in ("keys.db", "keys.good.db"):
            shutil.copy(killed / name, folder / name)
        turned = bytearray(content)
        turned[at] ^= 1 << at % 8
        (folder / "keys.db-wal").write_bytes(turned)
        store = _open(folder)
        assert (_state(store), store.version) == ("lost", 2), at
        harmed += len(store.problems)
        store.close()
    assert harmed > 50


def test_a_log_that_was_damaged_before_its_end_is_told_even_of_a_store_that_is_as_new(
    uncopied: KeyFile, tmp_path: Path
) -> None:
    store, ends = uncopied, []
    for version in (2, 3, 4, 5):
        _put(store, version, state="lost" if version > 2 else "suspended")
        ends.append((tmp_path / "keys.db-wal").stat().st_size)
    store.close(killed=True)
    (tmp_path / "keys.mark").unlink()
    with open(tmp_path / "keys.db-wal", "r+b") as log:
        log.seek(ends[1] + 100)
        log.write(b"\xff\x00\xff")
    store = _open(tmp_path)
    assert store.problems == [
        "keys.db: is corrupt; set aside as keys-corrupt-1.db; what can be read of it is used"
    ]
    assert (_state(store), store.version) == ("lost", 3)
    store.close()
    again = _open(tmp_path)
    assert (again.problems, again.version) == ([], 3)
    again.close()


def test_changes_that_only_the_lost_log_had_are_told_as_lost(
    uncopied: KeyFile, tmp_path: Path
) -> None:
    _put(uncopied, 2)
    _put(uncopied, 3)
    uncopied.close(killed=True)
    (tmp_path / "keys.db-wal").unlink()
    store = _open(tmp_path)
    assert store.problems == ["keys.db: the last 2 changes are lost"]
    store.close(killed=True)
    again = _open(tmp_path)
    assert again.problems == []
    again.close()


def test_what_a_change_notes_for_a_copy_that_is_not_made_costs_no_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_file, "BIG_BYTES", 1)
    store = _open(tmp_path)
    _put(store, 1)
    _put(store, 2)
    synced: list[str] = []
    monkeypatch.setattr(disk_files.Files, "_sync", lambda _, path: synced.append(path))
    _put(store, 3)
    assert synced == []
    assert key_mark.version_of(disk_files.Files(), str(tmp_path / "keys.db")) == 3
    store.close(killed=True)


@pytest.mark.parametrize("content", [b"", b"9", b"0000000000000009 00000000\n", b"\xff" * 26])
def test_a_note_that_is_damaged_says_nothing(killed: Path, content: bytes) -> None:
    (killed / "keys.mark").write_bytes(content)
    store = _open(killed)
    assert (store.problems, store.version) == ([], 2)
    store.close()


# ---- the newest ------------------------------------------------------------------------------------


def test_a_store_that_is_newer_than_its_copy_stays_and_the_copy_follows(tmp_path: Path) -> None:
    store = _open(tmp_path)
    _put(store, 1)
    former = (tmp_path / "keys.good.db").read_bytes()
    _put(store, 2, state="lost")
    store.close()
    (tmp_path / "keys.good.db").write_bytes(former)
    store = _open(tmp_path)
    assert (store.problems, _state(store)) == ([], "lost")
    store.close(killed=True)
    for name in ("keys.db", "keys.db-wal"):
        (tmp_path / name).unlink()
    store = _open(tmp_path)
    assert _state(store) == "lost"
    store.close()


def test_a_copy_that_says_it_is_newer_and_is_not_whole_is_not_used(killed: Path) -> None:
    store = _open(killed)
    store.close()
    good = apsw.Connection(str(killed / "keys.good.db"))
    key_sums.register(good)
    key_rows.put_meta(good, "version", 9)
    good.execute("INSERT INTO holidays(day) VALUES(20000)")
    good.close()
    store = _open(killed)
    assert (store.problems, store.version, _state(store)) == ([RENEWED], 2, "lost")
    store.close()


def test_where_nothing_can_be_written_the_newer_of_the_two_is_read(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (killed / "keys.db-wal").unlink()

    def refused(path: str, vfs: str | None, shared: bool) -> apsw.Connection:
        raise apsw.ReadOnlyError("file is read-only")

    monkeypatch.setattr(database, "connect", refused)
    store = _open(killed)
    assert store.problems == [
        "keys.db: is read-only; keys are read from the last good copy and cannot be changed"
    ]
    assert _state(store) == "lost"
    store.close()


def test_a_copy_that_is_no_good_is_kept_beside_the_store_that_is_begun_anew(killed: Path) -> None:
    for name in ("keys.db", "keys.good.db"):
        (killed / name).write_bytes(b"no database" * 999)
    (killed / "keys.db-wal").unlink()
    store = _open(killed)
    assert store.problems[0].endswith("no good copy: all keys are lost")
    _put(store, 1)
    store.close()
    assert (killed / "keys.good-corrupt-1.db").read_bytes() == b"no database" * 999


# ---- its schema ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [b"first_use_s", b"before_lost", b"numbers_of", b"duress_hash", b"holidays"]
)
def test_a_name_in_which_a_bit_flipped_has_the_copy_used(killed: Path, name: bytes) -> None:
    _open(killed).close()
    content = bytearray((killed / "keys.db").read_bytes())
    at = -1
    while (at := content.find(name, at + 1)) >= 0:
        content[at + 3] ^= 1
    (killed / "keys.db").write_bytes(content)
    store = _open(killed)
    assert _state(store) == "lost"
    assert store.problems[0].endswith(GOOD)
    store.close()


@pytest.mark.parametrize(
    "text",
    [b"CREATE TABLE meta(", b"CREATE TABLE numbers(", b"CREATE INDEX numbers_of ON numbers("],
)
def test_a_letter_that_became_a_small_one_would_keep_the_store_from_being_copied(
    killed: Path, text: bytes
) -> None:
    _open(killed).close()
    content = (killed / "keys.db").read_bytes()
    for at in (0, 8, text.index(b"(") - 1):
        turned = bytearray(content)
        turned[content.index(text) + at] ^= 0x20
        (killed / "keys.db").write_bytes(turned)
        store = _open(killed)
        assert _state(store) == "lost"
        assert store.problems[0].endswith("; the last good copy is used")
        store.close()
        assert (killed / "keys.good.db").exists()
