"""`firmware.services.key_copy`, `key_mark`: one file may come to any harm, and none of it goes unsaid."""

import errno
import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from firmware.runtime import aio
from firmware.services import key_file, key_mark
from firmware.services.credential_store import CredentialStore
from firmware.services.disk_files import Files
from firmware.services.executor import InlineExecutor
from firmware.services.key_file import KeyFile
from sim.soak.truth import KEYS_LOST

KEY = b"k" * 32
#: How many bits are tried in each file of each folder; ``KEY_FLIPS=2000`` takes some minutes.
FLIPS = int(os.environ.get("KEY_FLIPS", "8"))
NAMES = ("keys.db", "keys.db-wal", "keys.good.db", "keys.mark")
NUMBERS = [f"w26:012:{number:05d}" for number in range(1, 31)]
ALL_LOST = "keys.db: was gone; no good copy: all keys are lost"
STILL_LOST = "keys.db: all keys are lost"
RENEWED = "keys.db: the last good copy was damaged; set aside as keys.good-corrupt-1.db; a new one was made"
MISSING = "keys.db: the last good copy was missing; a new one was made"


def _open(folder: Path) -> KeyFile:
    store = KeyFile(str(folder / "keys.db"), KEY, None, random.Random(1).randbytes)
    store.open()
    return store


def _key(number: int, version: int = 1, **fields: Any) -> tuple[str, dict[str, Any]]:
    card = NUMBERS[number - 1]
    return "upsert", {"id": number, "cards": [card], "version": version, **fields}


def _fill(folder: Path) -> None:
    store = _open(folder)
    store.apply([("level", "all", [["*", None]])])
    store.apply([_key(number, levels=["all"]) for number in range(1, 31)])
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a store with some keys, closed."""
    _fill(tmp_path)
    return tmp_path


@pytest.fixture
def big(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every store is a big one."""
    monkeypatch.setattr(key_file, "BIG_BYTES", 1)
    monkeypatch.setattr(key_file, "SMALL_BYTES", 1)


def _told(folder: Path) -> list[str]:
    """What a start tells."""
    store = _open(folder)
    store.see_copy()
    store.close()
    return store.problems


def _turn(path: Path, at: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


# ---- the copy --------------------------------------------------------------------------------------


def test_a_copy_that_is_damaged_is_told_once_kept_and_made_anew(folder: Path) -> None:
    copy = folder / "keys.good.db"
    good = copy.read_bytes()
    _turn(copy, good.find(NUMBERS[4].encode()) + 12, 0)
    damaged = copy.read_bytes()
    assert _told(folder) == [RENEWED]
    assert (folder / "keys.good-corrupt-1.db").read_bytes() == damaged
    assert copy.read_bytes() == good
    assert _told(folder) == []


@pytest.mark.parametrize("bit", range(1, 8))
def test_a_copy_that_asks_for_a_newer_sqlite_is_damaged_and_serves_all_the_same(
    folder: Path, bit: int
) -> None:
    _turn(folder / "keys.good.db", 18, bit)
    both = folder / "both"
    both.mkdir()
    shutil.copy(folder / "keys.good.db", both)
    assert _told(folder) == [RENEWED]
    store = _open(both)
    assert store.problems == ["keys.db: was gone; the last good copy is used"]
    assert store.find(NUMBERS[0]) is not None
    store.apply([("life", 1, "report_lost", {})])
    store.close()


def test_a_copy_that_is_gone_is_told_and_made_anew(folder: Path) -> None:
    (folder / "keys.good.db").unlink()
    assert _told(folder) == [MISSING]
    (folder / "keys.db").unlink()
    assert _told(folder) == ["keys.db: was gone; the last good copy is used"]


def test_a_copy_that_a_power_cut_kept_from_its_place_is_no_fault(folder: Path) -> None:
    (folder / "keys.good.db").rename(folder / "keys.good-new.db")
    assert _told(folder) == []
    assert (folder / "keys.good.db").exists()


def test_a_copy_that_cannot_be_made_anew_is_told_and_the_damaged_one_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _turn(folder / "keys.good.db", 30, 7)
    monkeypatch.setattr(Files, "sync", lambda self, path: _full())
    store = _open(folder)
    assert store.problems == [
        "keys.db: the last good copy was damaged; no copy could be made: the disk is full"
    ]
    assert store.find(NUMBERS[0]) is not None
    assert not (folder / "keys.good-corrupt-1.db").exists()
    monkeypatch.undo()
    store.close()
    assert _told(folder) == []


def _full() -> None:
    raise apsw.FullError("no room")


def test_the_copy_of_a_larger_store_is_read_after_the_start_and_its_damage_told_then(
    folder: Path, big: None
) -> None:
    _turn(folder / "keys.good.db", (folder / "keys.good.db").stat().st_size - 5, 3)
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    executor = InlineExecutor(loop)
    executor.slow_ms = 50  # opened before it is read
    store = CredentialStore(str(folder / "keys.db"), executor, KEY)
    store.open()
    assert store.problems == []
    told: list[str] = []
    store.on_problem = told.append
    loop.run(aio.sleep_ms(100))
    assert told == store.problems == [RENEWED]
    executor.close()
    assert _told(folder) == []


# ---- nothing is left -------------------------------------------------------------------------------


def _gone(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _struck(path: Path) -> None:
    _turn(path, path.stat().st_size // 2, 4)
    _turn(path, 19, 4)


@pytest.mark.parametrize("copy", [_gone, _empty, _struck])
@pytest.mark.parametrize("file", [_gone, _empty])
def test_that_all_keys_are_lost_is_told_at_each_start_until_there_is_one(
    folder: Path, file: Callable[[Path], None], copy: Callable[[Path], None]
) -> None:
    file(folder / "keys.db")
    copy(folder / "keys.good.db")
    for told in (ALL_LOST, STILL_LOST, STILL_LOST):
        store = _open(folder)
        assert (store.problems, store.find(NUMBERS[0])) == ([told], None)
        store.close(killed=True)
    store = _open(folder)
    store.apply([_key(1)])
    store.close(killed=True)
    assert _told(folder) == []


@pytest.mark.parametrize("mark", [b"", b"noise", None])
def test_a_mark_that_is_damaged_still_says_that_there_was_a_store(
    folder: Path, mark: bytes | None
) -> None:
    for name in ("keys.db", "keys.good.db", "keys.mark"):
        (folder / name).unlink()
    if mark is None:
        (folder / "keys.mark").mkdir()
    else:
        (folder / "keys.mark").write_bytes(mark)
    assert _told(folder) == [ALL_LOST]


def test_a_first_start_and_a_store_that_never_had_a_key_tell_nothing(tmp_path: Path) -> None:
    for gone in ((), ("keys.good.db",), ("keys.db", "keys.good.db")):
        for name in gone:
            (tmp_path / name).unlink()
        assert _told(tmp_path) == []
        assert not (tmp_path / "keys.mark").exists()


def test_a_store_from_before_there_were_marks_has_one_after_its_next_start(folder: Path) -> None:
    for name in ("keys.mark", "keys.good.db"):
        (folder / name).unlink()
    assert _told(folder) == []
    assert key_mark.version_of(Files(), str(folder / "keys.db")) == 2
    for name in ("keys.db", "keys.good.db"):
        (folder / name).unlink()
    assert _told(folder) == [ALL_LOST]


def test_a_mark_that_cannot_be_written_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (folder / "keys.mark").unlink()
    monkeypatch.setattr(Files, "put", full)
    told = ["keys.db: keys.mark cannot be written: No space left on device"]
    assert (_told(folder), _told(folder)) == (told, told)


def test_a_folder_in_the_place_of_the_mark_gives_way(folder: Path) -> None:
    (folder / "keys.mark").unlink()
    (folder / "keys.mark").mkdir()
    assert (_told(folder), _told(folder)) == ([], [])
    assert (folder / "keys.mark").is_file()


# ---- any one file ----------------------------------------------------------------------------------


def _dirty(folder: Path) -> None:
    """Killed when some keys had just been reported lost; their copy was made."""
    _fill(folder)
    store = _open(folder)
    store.apply([("life", 3, "report_lost", {}), ("life", 4, "suspend", {}), ("remove", 5)])
    store.close(killed=True)


def _clean(folder: Path) -> None:
    _dirty(folder)
    _open(folder).close()


def _uncopied(folder: Path) -> None:
    """Killed before what was changed last was copied; some had been lost before."""
    _dirty(folder)
    _open(folder).close()
    store = _open(folder)
    store._copied_s = 10.0**12
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_file, "BIG_BYTES", 1)
        store.apply([("life", 6, "report_lost", {})])
        store.apply([("life", 7, "suspend", {})])
    store.close(killed=True)


def _harms(path: Path, dice: random.Random) -> list[tuple[str, Callable[[Path], None]]]:
    size = path.stat().st_size if path.exists() else 0
    content = path.read_bytes() if size else b""
    found: list[tuple[str, Callable[[Path], None]]] = [
        ("gone", lambda file: file.unlink(missing_ok=True)),
        ("empty", _empty),
        ("folder", _folder),
    ]
    for part in {1, 18, 100, size // 3, size // 2, size - 4096, size - 1}:
        if 0 < part < size:
            found.append((f"cut at {part}", partial(_cut, part)))
    if size:
        # Headers of the file, of its pages, of the frames of its log; what says something; anywhere.
        step = 4120 if path.suffix == ".db-wal" else 4096
        heads = [start + at for start in range(0, size, step) for at in range(32)]
        said = [at for at, byte in enumerate(content) if byte]
        for places in (range(min(100, size)), heads, said, range(size)):
            for _ in range(FLIPS // 4):
                at, bit = min(dice.choice(places), size - 1), dice.randrange(8)
                found.append((f"bit {bit} of {at}", partial(_turn, at=at, bit=bit)))
    return found


def _cut(size: int, path: Path) -> None:
    os.truncate(path, size)


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("begin", [_dirty, _clean, _uncopied])
def test_whatever_one_file_comes_to_no_lost_key_opens_and_none_stays_shut_untold(
    tmp_path: Path, begin: Callable[[Path], None], name: str
) -> None:
    whole, struck = tmp_path / "whole", tmp_path / "struck"
    whole.mkdir()
    begin(whole)
    shutil.copytree(whole, struck)
    store = _open(struck)
    assert store.problems == []
    keys, version = [store.find(number) for number in NUMBERS], store.version
    store.close(killed=True)
    for how, harm in _harms(whole / name, random.Random(f"{begin.__name__} {name}")):
        shutil.rmtree(struck)
        shutil.copytree(whole, struck)
        harm(struck / name)
        store = _open(struck)
        store.see_copy()
        told = list(store.problems)
        assert told or name != "keys.good.db" or how.startswith("bit"), how
        found = [store.find(number) for number in NUMBERS]
        if begin is _uncopied and name.startswith("keys.db"):
            # What the log alone had may be gone; that it is, is told.
            assert found == keys or any(" lost" in line or "read from" in line for line in told), (
                how
            )
            assert [found[n] for n in (2, 3, 4)] == [keys[n] for n in (2, 3, 4)], how
        else:
            assert (found, store.version) == (keys, version), (how, told)
        try:
            store.apply([("life", 9, "report_lost", {})])
        except apsw.Error:
            assert any("cannot be changed" in line for line in told), (how, told)
            store.close(killed=True)
            continue
        store.close(killed=True)
        again = _open(struck)
        lost = again.find(NUMBERS[8])
        assert lost is not None, how
        assert lost.state == "lost", how
        assert again._copy.is_whole, how
        assert again.problems == [line for line in told if "keys.mark" in line], how
        again.close(killed=True)


def test_what_the_store_says_of_itself_is_told_in_words_that_the_soak_knows() -> None:
    for line in (ALL_LOST, STILL_LOST):
        assert any(words in line for words in KEYS_LOST)
    for line in (RENEWED, MISSING):
        assert not any(words in line for words in KEYS_LOST)
