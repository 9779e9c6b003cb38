"""`firmware.services.database`: files moved through SQLite's own VFS, whatever their size, and set aside."""

import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from firmware.runtime import aio
from firmware.runtime.command_gate import LOST
from firmware.runtime.ports import Batch
from firmware.services.credential_store import CredentialStore
from firmware.services.disk_files import VfsFiles
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from sim.failing_disk import FailingDisk

SIZES = (131071, 131072, 131073, 1 << 20, (1 << 20) + 4097)
EVENT = {"type": "access.granted", "time": "2026-11-21T08:15:02.417Z", "clock": "trusted"}


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    disk.close()


class Desk:
    """A journal on the real disk, through a VFS over SQLite's own."""

    def __init__(self, disk: FailingDisk, folder: Path) -> None:
        self.path = folder / "journal.db"
        self.disk = disk
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))
        self.health: list[tuple[bool, str]] = []

    def boot(self) -> SqliteJournal:
        self.executor = InlineExecutor(self.loop)
        self.journal = SqliteJournal(
            str(self.path), self.executor, self.loop, "c-01", vfs=self.disk.vfs_name
        )
        self.journal.open()
        self.journal.on_health = lambda ok, text: self.health.append((ok, text))
        self.run()
        return self.journal

    def run(self, ms: int = 10) -> None:
        async def wait() -> None:
            await aio.sleep_ms(ms)

        self.loop.run(wait())

    def write(self, count: int, **kept: object) -> None:
        for number in range(count):
            batch = Batch([{**EVENT, "text": "x" * 400}], [number], kept)
            self.journal.append(batch, lambda batch: None)
            self.run()
            assert batch.durable

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.parent.iterdir())


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_is_copied_read_and_written_whole(
    disk: FailingDisk, tmp_path: Path, size: int
) -> None:
    content = random.Random(size).randbytes(size)
    (tmp_path / "a").write_bytes(content)
    files = VfsFiles(disk.vfs_name)
    files.move(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == content
    assert not (tmp_path / "a").exists()
    assert files.read(str(tmp_path / "b"), size + 5, 0) == content
    assert files.read(str(tmp_path / "b"), size, 7) == content[7:]
    files.write(str(tmp_path / "b"), content[::-1], 3)
    assert (tmp_path / "b").read_bytes() == content[:3] + content[::-1]


@pytest.mark.parametrize("batches", [60, 400])
def test_a_bit_flipped_in_a_long_log_costs_the_journal_nothing_that_is_kept(
    disk: FailingDisk, tmp_path: Path, batches: int
) -> None:
    desk = Desk(disk, tmp_path)
    first = desk.boot().name
    kept = {"command/seen/c-1": {"digest": "d"}, "operator/op-1": {"n": 7}, "mode/d1": "office"}
    desk.write(1, **kept)
    desk.write(batches)
    desk.executor.kill()
    wal = tmp_path / "journal.db-wal"
    assert wal.stat().st_size > (131072 if batches == 60 else 1 << 20)
    flip(wal, 32 + 30 * (24 + 4096) + 900)
    journal = desk.boot()
    assert desk.health == [
        (False, "journal.db: is corrupt; set aside as journal-corrupt-1.db; a new one was begun")
    ]
    assert journal.name not in ("", first)
    assert journal.kept == {**kept, LOST: True}
    written: list[dict[str, object]] = []
    journal.on_written = lambda events, at_ms: written.extend(events)
    desk.write(1)
    assert written[0]["type"] == "system.journal_started"
    assert written[0]["previous"]["journal"] == first  # type: ignore[index]
    assert [name for name in desk.names() if "corrupt" in name] == [
        "journal-corrupt-1.db",
        "journal-corrupt-1.db-wal",
    ]
    desk.executor.close()


class Full(FailingDisk):
    """Has no room for another file of more than one piece."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.room: int | None = None

    def write(self, durably: bool) -> None:
        if self.room is not None and not durably:
            self.writes += 1
            if self.writes % self.room == 0:
                raise apsw.FullError("no room")
        super().write(durably)


def test_however_often_setting_aside_fails_it_leaves_nothing_behind_and_it_is_told(
    tmp_path: Path,
) -> None:
    disk = Full()
    desk = Desk(disk, tmp_path)
    desk.boot()
    desk.write(60, held=1)
    desk.executor.close()
    flip(desk.path, 100)
    before = desk.path.read_bytes()
    disk.room = 3  # so that truncating and one piece work
    desk.boot()
    desk.run(30000)
    assert [name for name in desk.names() if "corrupt" in name] == []
    assert desk.path.read_bytes() == before
    assert desk.health == [(False, "journal.db: the disk is full; records wait in memory")]
    disk.room = None
    desk.run(3000)
    assert [name for name in desk.names() if "corrupt" in name] == ["journal-corrupt-1.db"]
    assert desk.health[-1] == (True, "journal.db: writes again")
    desk.executor.close()
    assert desk.boot().kept == {"held": 1, LOST: True}
    desk.executor.close()
    disk.close()


def test_a_long_store_has_its_last_good_copy_in_place_and_is_restored_from_it(
    disk: FailingDisk, tmp_path: Path
) -> None:
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    path = tmp_path / "keys.db"

    def store() -> tuple[CredentialStore, InlineExecutor]:
        executor = InlineExecutor(loop)
        store = CredentialStore(str(path), executor, bytes(32), disk.vfs_name)
        store.open()
        return store, executor

    first, executor = store()
    first.apply(("schedule", "s%d" % n, ["mon-fri 08:00-18:00"]) for n in range(4000))
    rights = first.rights()
    executor.close()
    assert path.stat().st_size > 131072
    assert sorted(each.name for each in tmp_path.iterdir() if "good" in each.name) == [
        "keys.good.db"
    ]
    flip(path, 4096)
    flip(path, 30)
    path.write_bytes(b"no database" + path.read_bytes()[11:])
    second, executor = store()
    assert second.problems == [
        "keys.db: is no database; set aside as keys-corrupt-1.db; the last good copy is used"
    ]
    assert len(second.rights().schedules) == len(rights.schedules) == 4000
    second.apply([("holidays", ["2026-12-25"])])  # it can be changed
    executor.close()
