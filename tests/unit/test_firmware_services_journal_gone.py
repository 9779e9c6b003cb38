"""A journal that was there and is empty, or is no more, is told and named; a first start is neither."""

from pathlib import Path

import pytest
from test_firmware_services_journal_rig import Rig, event, types

from firmware.runtime import aio
from firmware.runtime.command_gate import LOST
from firmware.runtime.ports import Batch
from firmware.services.disk_files import Files
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.trust import chain

WAY = {
    "empty": "journal.db: is empty; set aside as journal-corrupt-1.db; a new one was begun",
    "missing": "journal.db: is missing; a new one was begun",
}


def _rig() -> tuple[Rig, str]:
    """A journal that has records and was ended well, and its name."""
    rig = Rig()
    rig.boot()
    rig.run()
    assert rig.health == []
    rig.write("system.started", "alarm.raised", mode="blocked")
    rig.executor.close()
    return rig, rig.journal.name


def _spoil(rig: Rig, how: str) -> None:
    rig.disk.write("journal.db", b"")
    if how == "missing":
        rig.disk.remove("journal.db", True)
        rig.disk.remove("journal.db-wal", True)


@pytest.mark.parametrize("how", WAY)
def test_a_journal_that_vanished_is_a_fault_and_the_new_one_names_it(how: str) -> None:
    rig, old = _rig()
    rig.written.clear()
    _spoil(rig, how)
    rig.boot()
    rig.write("system.started")
    assert rig.health == [(False, WAY[how]), (True, "journal.db: writes again")]
    assert types(rig.written) == ["system.journal_started", "system.started"]
    assert rig.written[0]["previous"] == {"journal": old}
    assert chain.verify(rig.stored()) == (True, None, "")


@pytest.mark.parametrize("how", WAY)
def test_it_is_told_once(how: str) -> None:
    rig, _ = _rig()
    _spoil(rig, how)
    rig.boot()
    rig.write("system.started")
    rig.executor.close()
    rig.health.clear()
    rig.boot()
    rig.write("system.started")
    assert rig.health == []


def test_a_first_start_is_no_fault_though_a_cut_left_an_empty_file() -> None:
    rig = Rig()
    rig.disk.write("journal.db", b"")
    rig.boot()
    rig.write("system.started")
    assert rig.health == []
    assert "previous" not in rig.written[0]


def test_what_the_log_holds_of_an_empty_journal_is_not_lost() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", mode="blocked")
    rig.executor.kill()  # all of it is in the log
    old, log = rig.journal.name, rig.disk.read("journal.db-wal")
    rig.written.clear()
    rig.disk.write("journal.db", b"")
    journal = rig.boot()
    rig.write("system.started")
    assert rig.disk.read("journal-corrupt-1.db-wal") == log
    assert rig.written[0]["previous"] == {"journal": old, "seq": 3}
    assert journal.kept == {"mode": "blocked", LOST: True}
    carried = [event["type"] for _, event in rig.pending() if event["journal"] == old]
    assert carried == ["alarm.raised", "system.journal_started", "system.started"]


def test_an_older_journal_that_was_set_aside_is_not_taken_for_the_one_that_vanished() -> None:
    rig, oldest = _rig()
    rig.disk.write("journal.db", b"this was a journal once\n" * 500)
    rig.boot()
    rig.write("system.started", mode="locked")
    rig.executor.close()
    old = rig.journal.name
    assert oldest != old
    _spoil(rig, "missing")
    rig.written.clear()
    rig.boot()
    rig.write("system.started")
    assert rig.written[0]["previous"] == {"journal": old}
    assert {event["journal"] for _, event in rig.pending()} == {rig.journal.name}


def test_nor_is_one_that_can_be_read_from_end_to_end() -> None:
    rig, oldest = _rig()
    whole = rig.disk.read("journal.db")
    _spoil(rig, "missing")
    rig.boot()
    rig.write("system.started")
    rig.executor.close()
    old = rig.journal.name
    rig.disk.write("journal-corrupt-1.db", whole)
    _spoil(rig, "missing")
    rig.written.clear()
    journal = rig.boot()
    rig.write("system.started")
    assert rig.written[0]["previous"]["journal"] == old
    assert journal.kept == {LOST: True}
    assert oldest not in {event["journal"] for _, event in rig.pending()}


def test_a_disk_that_is_full_while_a_new_one_is_begun_hides_nothing() -> None:
    rig, old = _rig()
    rig.written.clear()
    _spoil(rig, "missing")
    rig.disk.fail("full")
    rig.boot()
    rig.append("system.started")
    rig.run(3000)
    rig.disk.fail("none")
    rig.run(6000)
    assert (False, WAY["missing"]) in rig.health
    assert rig.health[-1] == (True, "journal.db: writes again")
    assert rig.written[0]["previous"] == {"journal": old}


def test_wherever_the_power_is_cut_meanwhile_it_is_told_and_named() -> None:
    cut = 0
    while True:
        cut += 1
        rig, old = _rig()
        _spoil(rig, "empty")
        rig.disk.cut_at = rig.disk.operations + cut
        rig.boot()
        rig.append("system.started")
        rig.run(3)
        finished = rig.disk.powered
        rig.restart()
        rig.write("system.started")
        stored = rig.stored()
        assert stored[0]["previous"] == {"journal": old}
        assert chain.verify(stored) == (True, None, "")
        if finished:
            break
    assert cut > 10


def test_a_mark_that_cannot_be_written_costs_the_journal_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def put(self: Files, path: str, data: bytes) -> None:
        raise OSError(5, "the disk does not work")

    rig = Rig()
    with monkeypatch.context() as patch:
        patch.setattr("firmware.services.disk_files.VfsFiles.put", put)
        rig.boot()
        rig.write("system.started")
    assert rig.health == []
    assert "journal.name" not in rig.disk.names()
    rig.executor.close()
    rig.boot()
    assert rig.disk.read("journal.name").startswith(f"{rig.journal.name}\n2 2 ".encode())


@pytest.mark.parametrize("content", [b"", b"5f3a9c01", b"\xff" * 9, b"5f3a9c01\n5f3a9c01\n"])
def test_a_mark_that_is_torn_still_says_that_there_was_a_journal(content: bytes) -> None:
    rig, _ = _rig()
    rig.disk.write("journal.name", content)
    _spoil(rig, "empty")
    rig.boot()
    rig.write("system.started")
    assert rig.health[0] == (False, WAY["empty"])
    assert "previous" not in rig.stored()[0]


def test_on_the_real_disk_a_mark_is_whole_or_the_one_before_and_for_nobody_else(
    tmp_path: Path,
) -> None:
    files, path = Files(), str(tmp_path / "journal.name")
    files.put(path, b"5f3a9c01\n")
    files.put(path, b"00000002\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["journal.name"]
    assert (tmp_path / "journal.name").read_bytes() == b"00000002\n"
    assert (tmp_path / "journal.name").stat().st_mode & 0o777 == 0o600


def test_on_the_real_disk_an_emptied_journal_is_told_too(tmp_path: Path) -> None:
    said: list[tuple[bool, str]] = []
    names = []
    for _ in range(2):
        clock = aio.VirtualClock()
        loop = aio.Loop(clock, aio.JumpWaiter(clock))
        executor = InlineExecutor(loop)
        journal = SqliteJournal(str(tmp_path / "journal.db"), executor, loop, "c-01")
        journal.open()
        journal.on_health = lambda ok, text: said.append((ok, text))
        journal.append(Batch([event("system.started")], [1], {}), lambda batch: None)
        loop.run(aio.sleep_ms(3000))
        names.append(journal.name)
        executor.close()
        (tmp_path / "journal.db").write_bytes(b"")
    assert said == [(False, WAY["empty"]), (True, "journal.db: writes again")]
    assert names[0] != names[1]
    assert (tmp_path / "journal.name").read_text().splitlines()[0] == names[1]
