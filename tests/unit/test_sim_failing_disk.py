"""`sim.failing_disk`: a real disk that can be made to fail, to be full, to be slow, and to lose its power."""

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from firmware.services import database
from sim.failing_disk import FailingDisk


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    disk.close()


@pytest.fixture
def connection(disk: FailingDisk, tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = database.connect(str(tmp_path / "a.db"), disk.vfs_name)
    connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY)")
    yield connection
    connection.close(True)


@pytest.mark.parametrize(("mode", "kind"), [("error", apsw.IOError), ("full", apsw.FullError)])
def test_writes_fail_as_the_mode_says_and_reads_work(
    disk: FailingDisk, connection: apsw.Connection, mode: str, kind: type[apsw.Error]
) -> None:
    connection.execute("INSERT INTO t VALUES(1)")
    disk.fail(mode)
    with pytest.raises(kind):
        connection.execute("INSERT INTO t VALUES(2)")
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    disk.fail("none")
    connection.execute("INSERT INTO t VALUES(3)")
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,), (3,)]


def test_a_write_that_waits_ends_when_the_disk_is_quick_again(
    disk: FailingDisk, connection: apsw.Connection
) -> None:
    disk.fail("slow")
    writer = threading.Thread(target=lambda: connection.execute("INSERT INTO t VALUES(1)"))
    writer.start()
    disk.fail("none")
    writer.join()
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]


def test_without_power_a_slow_write_fails_at_once(
    disk: FailingDisk, connection: apsw.Connection
) -> None:
    disk.fail("slow")
    disk.set_power(False)
    with pytest.raises(apsw.IOError):
        connection.execute("INSERT INTO t VALUES(1)")
