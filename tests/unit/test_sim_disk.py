"""`sim.disk`: what was synced survives, what was not may not, and the same seed gives the same disk."""

import random

import apsw
import pytest

from firmware.runtime import aio
from firmware.services import database
from sim.disk import SimDisk
from sim.disk_executor import DiskExecutor


def _connect(disk: SimDisk) -> apsw.Connection:
    return database.connect("a.db", disk.vfs_name)


def _rows(disk: SimDisk) -> list[int]:
    connection = _connect(disk)
    try:
        return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]
    finally:
        connection.close(True)


def _made(disk: SimDisk) -> apsw.Connection:
    connection = _connect(disk)
    connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, body TEXT)")
    return connection


def test_what_was_committed_survives_every_cut_and_what_was_not_is_gone() -> None:
    for seed in range(40):
        disk = SimDisk(random.Random(seed))
        connection = _made(disk)
        connection.execute("INSERT INTO t VALUES(1, 'x')")
        connection.execute("BEGIN; INSERT INTO t VALUES(2, 'y')")
        disk.power_cut()
        connection.close(True)
        assert _rows(disk) == [1]
        disk.close()


def test_a_commit_that_was_not_synced_is_lost_by_some_cuts_and_kept_by_others() -> None:
    seen = set()
    for seed in range(40):
        disk = SimDisk(random.Random(seed))
        connection = _made(disk)
        connection.execute("INSERT INTO t VALUES(1, 'x')")
        connection.pragma("synchronous", "OFF")
        connection.execute("INSERT INTO t VALUES(2, 'y')")
        disk.power_cut()
        seen.add(tuple(_rows(disk)))
        disk.close()
    assert seen == {(1,), (1, 2)}


def test_a_cut_tears_what_was_not_synced_by_sectors() -> None:
    torn = 0
    for seed in range(40):
        disk = SimDisk(random.Random(seed))
        file = apsw.VFSFile(disk.vfs_name, "raw", [_RAW, 0])
        file.xWrite(b"a" * 4096, 0)
        file.xSync(apsw.SQLITE_SYNC_FULL)
        file.xWrite(b"b" * 4096, 0)
        assert disk.read("raw") == b"b" * 4096
        disk.power_cut()
        content = disk.read("raw")
        sectors = {content[at : at + 512] for at in range(0, 4096, 512)}
        assert sectors <= {b"a" * 512, b"b" * 512}
        torn += len(sectors) == 2
        disk.close()
    assert 5 < torn < 35


def test_a_new_name_that_was_never_synced_may_be_gone_and_a_removal_undone() -> None:
    new, old = set(), set()
    for seed in range(40):
        disk = SimDisk(random.Random(seed))
        disk.write("old", b"content")
        calls = apsw.VFS(f"calls-{seed}", disk.vfs_name)
        apsw.VFSFile(disk.vfs_name, "new", [_RAW, 0]).xWrite(b"x", 0)
        calls.xDelete("old", False)
        disk.power_cut()
        new.add("new" in disk.names())
        old.add("old" in disk.names())
    assert new == {True, False}
    assert old == {True, False}


def test_who_held_a_file_of_before_the_cut_can_do_nothing_with_it() -> None:
    disk = SimDisk(random.Random(1))
    connection = _made(disk)
    disk.power_cut()
    with pytest.raises(apsw.IOError):
        connection.execute("INSERT INTO t VALUES(1, 'x')")
    connection.close(True)
    assert _rows(disk) == []


def test_a_cut_in_the_middle_of_an_operation_stops_everything_until_the_power_is_back() -> None:
    disk = SimDisk(random.Random(1))
    connection = _made(disk)
    disk.cut_at = disk.operations + 2
    with pytest.raises(apsw.IOError):
        connection.execute("INSERT INTO t VALUES(1, 'x')")
    assert not disk.powered
    with pytest.raises(apsw.Error):
        _connect(disk)
    connection.close(True)
    disk.power_cut()
    assert disk.powered
    assert _rows(disk) in ([], [1])


@pytest.mark.parametrize(("mode", "kind"), [("error", apsw.IOError), ("full", apsw.FullError)])
def test_a_disk_that_fails_refuses_writes_and_still_reads(
    mode: str, kind: type[apsw.Error]
) -> None:
    disk = SimDisk(random.Random(1))
    connection = _made(disk)
    connection.execute("INSERT INTO t VALUES(1, 'x')")
    disk.fail(mode)
    with pytest.raises(kind):
        connection.execute("INSERT INTO t VALUES(2, 'y')")
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    disk.fail("none")
    connection.execute("INSERT INTO t VALUES(3, 'z')")
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,), (3,)]
    connection.close(True)


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match='disk fault "wet" is unknown; expected error, full, slow'):
        SimDisk(random.Random(1)).fail("wet")


def test_the_same_seed_gives_the_same_disk_byte_for_byte() -> None:
    def story(seed: int) -> list[bytes]:
        disk = SimDisk(random.Random(seed))
        for number in range(5):
            connection = _made(disk) if number == 0 else _connect(disk)
            connection.execute("INSERT INTO t VALUES(?, hex(randomblob(800)))", (number,))
            connection.pragma("synchronous", "OFF")
            connection.execute("INSERT INTO t VALUES(?, 'y')", (number + 100,))
            disk.power_cut()
            connection.close(True)
        return [disk.read(name) for name in disk.names()]

    assert story(5) == story(5)
    assert story(5) != story(6)


def test_two_disks_are_two_and_the_real_one_stays_the_default() -> None:
    before = apsw.vfs_names()[0]
    first, second = SimDisk(random.Random(1)), SimDisk(random.Random(1))
    _made(first)
    assert first.names() == ["a.db", "a.db-wal"]
    assert second.names() == []
    assert apsw.vfs_names()[0] == before
    first.close()
    assert first.vfs_name not in apsw.vfs_names()
    assert second.vfs_name in apsw.vfs_names()


_RAW = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


def _file(disk: SimDisk) -> apsw.VFSFile:
    file = apsw.VFSFile(disk.vfs_name, "raw", [_RAW, 0])
    file.xWrite(b"a" * 4096, 0)
    file.xSync(apsw.SQLITE_SYNC_FULL)
    return file


def test_a_process_that_is_killed_loses_its_handles_and_nothing_that_it_wrote() -> None:
    disk = SimDisk(random.Random(1))
    file = _file(disk)
    file.xWrite(b"b" * 4096, 0)
    disk.process_kill()
    assert disk.read("raw") == b"b" * 4096
    with pytest.raises(apsw.IOError):
        file.xRead(10, 0)
    disk.strike("unsynced")
    disk.power_cut()  # what the dead one did not sync is still only in the cache
    assert disk.read("raw") == b"a" * 4096


@pytest.mark.parametrize(("fault", "kept"), [("unsynced", {8}), ("torn", set(range(9)))])
def test_the_next_cut_is_as_it_was_struck(fault: str, kept: set[int]) -> None:
    found = set()
    for seed in range(30):
        disk = SimDisk(random.Random(seed))
        file = _file(disk)
        file.xWrite(b"b" * 4096, 0)
        disk.strike(fault)
        disk.power_cut()
        content = disk.read("raw")
        found.add(sum(content[at] == ord("a") for at in range(0, 4096, 512)))
    assert found <= kept
    assert fault == "unsynced" or len(found) > 3


def test_a_bit_flips_where_it_lies_or_once_on_its_way() -> None:
    def changed(content: bytes) -> int:
        return sum((byte ^ ord("a")).bit_count() for byte in content)

    disk = SimDisk(random.Random(1))
    file = _file(disk)
    disk.strike("flip_read", "raw")
    assert [changed(file.xRead(4096, 0)) for _ in range(2)] == [1, 0]
    disk.strike("flip", "raw")
    assert [changed(file.xRead(4096, 0)) for _ in range(2)] == [1, 1]
    disk.strike("rot", "raw")
    assert changed(disk.read("raw")) > 1000
    disk.strike("flip", "nothing")  # a file that is not there


def test_a_slow_disk_never_lies_about_what_it_has_synced() -> None:
    disk = SimDisk(random.Random(1))
    file = _file(disk)
    disk.fail("slow")
    file.xWrite(b"b" * 4096, 0)
    file.xSync(apsw.SQLITE_SYNC_FULL)
    assert disk.take_owed_ms() == 5000
    disk.strike("unsynced")
    disk.power_cut()
    assert disk.read("raw") == b"b" * 4096


def test_behind_a_slow_write_everything_waits_its_turn() -> None:
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    disk = SimDisk(random.Random(1))
    executor = DiskExecutor(loop, disk)
    file = _file(disk)
    disk.fail("slow")
    done: list[tuple[int, str]] = []
    for name, work in (("write", lambda: file.xSync(2)), ("read", lambda: file.xRead(1, 0))):
        executor.submit(work, lambda *_, name=name: done.append((clock.now_ms(), name)))
    loop.run(aio.sleep_ms(20_000))
    assert done == [(5000, "write"), (5001, "read")]


def test_the_power_goes_in_the_middle_of_a_write_and_somebody_is_told() -> None:
    disk = SimDisk(random.Random(1))
    connection = _made(disk)
    told: list[bool] = []
    disk.on_cut = lambda: told.append(disk.powered)
    disk.cut_at = disk.operations + 1
    with pytest.raises(apsw.IOError):
        connection.execute("INSERT INTO t VALUES(1, 'x')")
    assert told == [False]
