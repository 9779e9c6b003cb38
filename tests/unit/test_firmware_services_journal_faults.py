"""A disk that fails, is full, read-only, slow or corrupt: records wait, the file is set aside."""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_firmware_services_journal_rig import Rig, event, types

from firmware.runtime.command_gate import LOST
from firmware.runtime.ports import Batch
from firmware.services import journal as journal_module
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.trust import chain


@pytest.mark.parametrize(
    ("mode", "words"), [("error", "the disk does not work"), ("full", "the disk is full")]
)
def test_records_wait_in_order_while_the_disk_fails_and_no_number_is_lost(
    mode: str, words: str
) -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.disk.fail(mode)
    batches = [rig.append("access.granted", "portal.released", n=n) for n in range(5)]
    rig.run(5000)
    assert rig.health == [(False, f"journal.db: {words}; records wait in memory")]
    assert not any(batch.durable for batch in batches)
    assert rig.journal.waiting() == 12
    assert [seq for seq, _ in rig.pending()] == [1, 2]  # reads work; only what is durable leaves
    rig.disk.fail("none")
    rig.run(2100)
    assert rig.health[1:] == [(True, "journal.db: writes again")]
    assert all(batch.durable for batch in batches)
    assert [record["seq"] for record in rig.written] == list(range(1, 13))
    assert rig.stored() == rig.written
    assert chain.verify(rig.written) == (True, None, "")
    assert rig.restart().kept == {"n": 4}


def test_the_next_record_tries_again_at_once() -> None:
    rig = Rig()
    rig.boot()
    rig.disk.fail("error")
    first = rig.append("access.granted")
    rig.run(10)
    rig.disk.fail("none")
    second = rig.append("portal.released")
    rig.run(10)
    assert (first.durable, second.durable) == (True, True)


def test_a_power_cut_while_the_disk_fails_keeps_what_was_acknowledged() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.disk.fail("error")
    rig.append("access.granted")
    rig.run(3000)
    rig.disk.fail("none")
    rig.restart()
    rig.write("system.started")
    assert types(rig.stored()) == ["system.journal_started", "system.started", "system.started"]
    assert chain.verify(rig.stored()) == (True, None, "")


def test_a_journal_that_cannot_be_opened_works_from_memory_and_opens_later() -> None:
    rig = Rig()
    rig.disk.fail("error")
    journal = rig.boot()
    batch = rig.append("system.started", mode=1)
    rig.run(3000)
    assert (journal.name, journal.boot, batch.durable) == ("", 0, False)
    assert rig.health == [(False, "journal.db: the disk does not work; records wait in memory")]
    rig.disk.fail("none")
    rig.run(2100)
    assert (len(journal.name), journal.boot, batch.durable) == (8, 1, True)
    assert rig.health[1:] == [(True, "journal.db: writes again")]


def test_what_is_kept_is_read_though_nothing_can_be_written() -> None:
    rig = Rig()
    rig.boot()
    rig.write("portal.mode", mode="blocked")
    name = rig.journal.name
    rig.kill()
    rig.disk.fail("full")
    journal = rig.boot()
    assert journal.kept == {"mode": "blocked"}
    assert (journal.name, journal.boot, journal.trusted_ms) == (name, 2, 1795248902417)
    rig.disk.fail("none")
    rig.write("system.started")
    assert journal.boot == 2
    assert [record["seq"] for record in rig.stored()] == [1, 2, 3]


def test_memory_is_bounded_access_goes_on_longer_and_what_is_kept_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_module, "MEMORY_LIMIT", 10)
    monkeypatch.setattr(journal_module, "HARD_LIMIT", 14)
    rig = Rig()
    rig.boot()
    rig.disk.fail("error")
    for number in range(30):
        kept: dict[str, Any] = {f"k{number % 3}": number}
        rig.append("portal.opened", "portal.closed", **kept)
        rig.append("access.granted")
        rig.run(2)
    assert rig.journal.waiting() == 14
    assert len(rig.journal._waiting) <= 14
    rig.disk.fail("none")
    rig.run(2100)
    assert [ok for ok, _ in rig.health] == [False, False, True]
    assert rig.health[1][1].endswith("records wait in memory; the newest are refused")
    assert rig.health[2] == (True, "journal.db: writes again; 76 records were refused meanwhile")
    assert types(rig.written)[1:10] == ["portal.opened", "portal.closed", "access.granted"] * 3
    assert types(rig.written)[10:] == ["access.granted"] * 5
    assert rig.restart().kept == {"k0": 27, "k1": 28, "k2": 29}


def test_a_write_that_takes_two_seconds_is_told() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.executor.latency_ms = 5000
    rig.append("access.granted")
    rig.run(1999)
    assert rig.health == []
    rig.run(2)
    assert rig.health == [(False, "journal.db: a write takes longer than 2000 ms")]
    rig.executor.latency_ms = 1
    rig.run(4000)
    assert rig.health[1:] == []  # that write has ended, and took too long
    rig.run(2000)
    assert rig.health[1:] == [(True, "journal.db: writes again")]


def test_a_second_process_is_told_and_waits() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig()
        journals = []
        for _ in range(2):
            executor = InlineExecutor(rig.loop)
            journal = SqliteJournal(os.path.join(folder, "journal.db"), executor, rig.loop, "c-01")
            journal.open()
            journal.on_health = lambda ok, text: rig.health.append((ok, text))
            journals.append((journal, executor))
        rig.run()
        assert rig.health == [
            (False, "journal.db: is in use by another process; records wait in memory")
        ]
        journals[0][1].kill()
        done: list[bool] = []
        batch = Batch([event("system.started")], [1], {})
        journals[1][0].append(batch, lambda batch: done.append(batch.durable))
        rig.run()
        assert done == [True]
        journals[1][1].close()


# ---- corrupt -------------------------------------------------------------------------------------


def _damage(rig: Rig, how: str) -> None:
    """Break the file that a clean end left."""
    content = rig.disk.read("journal.db")
    dice = random.Random(5)
    if how == "truncated":
        content = content[: len(content) // 2]
    elif how == "torn":
        content = content[:-5000]
    elif how == "noise":
        content = dice.randbytes(len(content))
    elif how == "header":
        content = dice.randbytes(100) + content[100:]
    elif how == "schema":
        content = content[:100] + dice.randbytes(400) + content[500:]
    elif how == "pages":
        content = content[:4096] + dice.randbytes(len(content) - 4096)
    elif how == "text":
        content = b"this was a journal once\n" * 500
    rig.disk.write("journal.db", content)
    rig.disk.write("journal.db-wal", b"")  # else SQLite mends it from there


@pytest.mark.parametrize("how", ["truncated", "torn", "noise", "header", "schema", "pages", "text"])
def test_a_corrupt_file_is_set_aside_whole_and_a_new_one_begun(how: str) -> None:
    rig = Rig()
    rig.boot()
    for _ in range(60):
        rig.write("access.granted", "portal.released")
    rig.executor.close()
    old = rig.journal.name
    _damage(rig, how)
    damaged = rig.disk.read("journal.db")
    rig.written.clear()
    journal = rig.boot()
    rig.write("system.started")
    assert rig.disk.read("journal-corrupt-1.db") == damaged
    assert len(rig.health) == 2
    assert rig.health[0][1].endswith("; set aside as journal-corrupt-1.db; a new one was begun")
    assert rig.health[1] == (True, "journal.db: writes again")
    assert journal.name != old
    assert types(rig.written) == ["system.journal_started", "system.started"]
    assert [record["seq"] for record in rig.written] == [1, 2]
    assert chain.verify(rig.stored()) == (True, None, "")


def test_the_wal_is_set_aside_with_its_file() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.executor.close()
    rig.boot()
    rig.write("system.started")
    rig.executor.kill()  # not tidied up
    wal = rig.disk.read("journal.db-wal")
    rig.disk.write("journal.db", b"this was a journal once\n" * 500)
    rig.boot()
    assert len(wal) > 4096
    assert rig.disk.read("journal-corrupt-1.db-wal") == wal
    rig.restart()
    rig.write("system.started")
    assert [record["seq"] for record in rig.stored()] == [1, 2]


def test_a_new_journal_names_the_old_one_keeps_what_it_kept_and_sends_what_had_not_left() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", mode="blocked")
    for _ in range(100):
        rig.write("access.granted", "portal.released")
    rig.journal.sent([1, 2])
    rig.executor.close()
    old = rig.journal.name
    before = {record["hash"]: record for record in rig.written}
    rig.written.clear()
    content = bytearray(rig.disk.read("journal.db"))
    place = content.rindex(b'"type":"portal.released"')  # in a page of records
    page = place // 4096 * 4096
    content[page : page + 8] = b"\xff" * 8
    rig.disk.write("journal.db", bytes(content))
    journal = rig.boot()
    assert journal.kept == {"mode": "blocked", LOST: True}
    assert (journal.boot, journal.trusted_ms) == (2, 1795248902417)
    rig.write("system.started")
    assert rig.written[0]["previous"] == {"journal": old}  # its end cannot be read
    backlog = rig.pending(1000)
    carried = [record for _, record in backlog if record["journal"] == old]
    assert carried[0]["type"] == "alarm.raised"
    assert len(carried) > 150
    assert all(before[record["hash"]] == record for record in carried)
    rest = [record["seq"] for record in carried[1:]]
    assert rest == sorted(rest)
    assert rest[0] == 4
    rig.journal.sent([token for token, _ in backlog])
    rig.run(2000)
    assert rig.pending() == []
    assert rig.journal.waiting() == 0


def test_a_power_cut_while_a_file_is_set_aside_loses_neither_of_the_two() -> None:
    cut = 0
    while True:
        cut += 1
        rig = Rig(cut)
        rig.boot()
        rig.write("alarm.raised", mode="blocked")
        rig.executor.close()
        content = bytearray(rig.disk.read("journal.db"))
        content[-4096:] = b"\xff" * 4096
        rig.disk.write("journal.db", bytes(content))
        rig.disk.write("journal.db-wal", b"")
        rig.disk.cut_at = rig.disk.operations + cut
        rig.boot()
        finished = rig.disk.powered
        rig.restart()
        rig.write("system.started")
        asides = [name for name in rig.disk.names() if name.endswith(".db") and "corrupt" in name]
        assert bytes(content) in [rig.disk.read(name) for name in asides]
        assert chain.verify(rig.stored()) == (True, None, "")
        assert types(rig.stored()) == ["system.journal_started", "system.started"]
        if finished:
            break
    assert cut > 10


def test_a_record_that_is_none_any_more_is_never_sent() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.granted")
    rig.executor.close()
    content = bytearray(rig.disk.read("journal.db"))
    place = content.index(b'"type":"alarm.raised"')  # quick_check does not look at what is in a row
    content[place : place + 100] = bytes(100)
    rig.disk.write("journal.db", bytes(content))
    rig.boot()
    rig.pending()
    rig.run(3000)
    assert types([record for _, record in rig.pending()]) == [
        "system.journal_started",
        "system.started",
        "access.granted",
    ]


def test_a_file_that_goes_bad_while_it_is_used_is_set_aside_and_nothing_waits_longer() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", mode="blocked")
    old = rig.journal.name
    rig.written.clear()
    _rot(rig)
    batch = rig.append("access.granted", spent=1)
    rig.run(10)
    assert batch.durable
    assert types(rig.written) == ["system.journal_started", "access.granted"]
    assert rig.written[0]["previous"] == {"journal": old, "seq": 2}
    assert [record["seq"] for record in rig.written] == [1, 2]
    rig.run(3000)
    assert [ok for ok, _ in rig.health] == [False, True]
    assert "set aside as journal-corrupt-1.db" in rig.health[0][1]
    assert rig.restart().kept == {"mode": "blocked", "spent": 1}


def test_what_leaves_late_from_an_old_journal_does_not_count_for_the_new_one() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    old = [token for token, _ in rig.pending()]
    _rot(rig)
    rig.write("access.granted")
    rig.journal.sent(old)
    rig.run(3000)
    assert [r["type"] for _, r in rig.pending()][-2:] == [
        "system.journal_started",
        "access.granted",
    ]
    assert not set(old) & {token for token, _ in rig.pending()}


def test_a_backlog_that_cannot_be_read_begins_a_new_journal() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    _rot(rig)
    assert rig.pending() == []
    rig.run(3000)
    assert [ok for ok, _ in rig.health] == [False, True]
    rig.write("access.granted")
    assert chain.verify(rig.stored()) == (True, None, "")


def test_a_disk_that_breaks_every_file_gets_no_more_of_them() -> None:
    rig = Rig()
    for _ in range(20):
        rig.disk.write("journal.db", b"no journal" * 1000)
        rig.disk.write("journal.db-wal", b"")
        rig.boot()
        rig.executor.kill()
    asides = [name for name in rig.disk.names() if name.endswith(".db") and "corrupt" in name]
    assert len(asides) == 16


def test_where_sixteen_were_set_aside_the_newest_gives_way_and_it_is_told() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", mode="blocked")
    rig.executor.close()
    for number in range(1, 17):
        rig.disk.write(f"journal-corrupt-{number}.db", b"%d" % number)
        rig.disk.write(f"journal-corrupt-{number}.db-wal", b"%d" % number)
    content = bytearray(rig.disk.read("journal.db"))
    content[:16] = b"no database here"
    rig.disk.write("journal.db", bytes(content))
    rig.disk.remove("journal.db-wal", True)
    journal = rig.boot()
    rig.write("system.started")
    text = "is no database; set aside as journal-corrupt-16.db, in the place of the one before"
    assert rig.health[0] == (False, f"journal.db: {text}; a new one was begun")
    assert journal.kept == {"mode": "blocked", LOST: True}
    assert rig.disk.read("journal-corrupt-16.db") == content
    assert "journal-corrupt-16.db-wal" not in rig.disk.names(), "another's log"
    assert rig.disk.read("journal-corrupt-15.db") == b"15"
    assert "journal-corrupt-17.db" not in rig.disk.names()
    assert [record["journal"] for _, record in rig.pending()].count(journal.name) == 2


def test_nothing_gives_way_to_an_empty_file() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.executor.close()
    for number in range(1, 17):
        rig.disk.write(f"journal-corrupt-{number}.db", b"%d" % number)
    rig.disk.write("journal.db", b"")
    rig.disk.remove("journal.db-wal", True)
    rig.boot()
    rig.write("system.started")
    assert rig.health[0] == (False, "journal.db: is empty; a new one was begun")
    assert rig.disk.read("journal-corrupt-16.db") == b"16"


def _rot(rig: Rig) -> None:
    """Every page of the open file goes bad, and SQLite has none of them in memory."""
    connection = rig.journal._file._connection
    assert connection is not None
    connection.wal_checkpoint()
    connection.pragma("shrink_memory")
    for name in ("journal.db", "journal.db-wal"):
        view = rig.disk._files[name].view
        view[:] = b"\xa5" * len(view)


# ---- the real disk -------------------------------------------------------------------------------


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_told_and_what_is_kept_is_read(unprivileged: None) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rig = Rig()
        first = InlineExecutor(rig.loop)
        journal = SqliteJournal(str(folder / "journal.db"), first, rig.loop, "c-01")
        journal.open()
        batch = Batch([event("portal.mode")], [1], {"mode": "blocked"})
        journal.append(batch, lambda batch: None)
        rig.run()
        first.kill()  # the WAL stays
        folder.chmod(0o555)
        for path in folder.iterdir():
            path.chmod(0o444)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        try:
            second = InlineExecutor(rig.loop)
            journal = SqliteJournal(str(folder / "journal.db"), second, rig.loop, "c-01")
            journal.open()
            journal.on_health = lambda ok, text: rig.health.append((ok, text))
            rig.run()
            assert journal.kept == {"mode": "blocked"}
            assert rig.health == [(False, "journal.db: is read-only; records wait in memory")]
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        finally:
            folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)
        rig.run(2100)
        assert rig.health[1:] == [(True, "journal.db: writes again")]
        assert journal.boot == 2
        second.close()


@pytest.mark.parametrize("mode", ["error", "full"])
def test_what_waited_when_a_write_failed_is_late_and_what_comes_after_is_not(mode: str) -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.disk.fail(mode)
    rig.append("access.denied")
    rig.append("portal.opened")
    rig.run(100)
    rig.disk.fail("none")
    rig.run(3000)
    rig.write("portal.closed")
    assert types(rig.stored())[1:] == [
        "system.started",
        "access.denied",
        "portal.opened",
        "portal.closed",
    ]
    assert [record.get("late") for record in rig.stored()] == [None, None, True, True, None]
    assert chain.verify(rig.stored()) == (True, None, "")


def test_what_waits_for_an_overdue_write_is_late_whether_it_is_in_it_or_behind() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.executor.slow_ms = 5000
    rig.append("access.denied")  # in it
    rig.run(1000)
    rig.append("portal.opened")  # behind it
    rig.run(2000)
    rig.append("portal.closed")  # behind it, and after it was told
    rig.run(3000)
    rig.executor.slow_ms = 0
    rig.run(20000)
    rig.write("portal.opened")
    assert [record.get("late") for record in rig.stored()[2:]] == [True, True, True, None]
    assert chain.verify(rig.stored()) == (True, None, "")


def test_a_write_that_took_too_long_is_no_recovery_and_one_without_records_tells() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.executor.slow_ms = 5000
    for _ in range(5):
        rig.append("access.denied")
        rig.run(12000)
    assert rig.health == [(False, "journal.db: a write takes longer than 2000 ms")]
    rig.executor.slow_ms = 0
    rig.run(12000)
    assert rig.health[1:] == [(True, "journal.db: writes again")]


def test_the_attempt_that_tells_of_a_recovery_reaches_the_disk() -> None:
    rig = Rig()
    journal = rig.boot()
    rig.write("system.started")
    rig.run(2000)
    before = rig.disk.operations
    journal._write_all()
    rig.run(10)
    assert rig.disk.operations > before
