"""`firmware.services.journal`: what is written, in which order, and what leaves first."""

from test_firmware_services_journal_rig import Rig, event, types

from firmware.runtime.ports import Batch
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.trust import chain


def test_a_new_journal_says_so_first_and_every_event_is_whole() -> None:
    rig = Rig()
    journal = rig.boot()
    rig.write("system.started")
    first, second = rig.written
    assert first == {
        "v": 1,
        "id": f"c-01:{journal.name}:1",
        "journal": journal.name,
        "seq": 1,
        "boot": 1,
        "time": "2026-11-21T08:15:02.417Z",
        "clock": "trusted",
        "type": "system.journal_started",
        "prev": "0" * 64,
        "hash": first["hash"],
    }
    assert second["seq"] == 2
    assert second["prev"] == first["hash"]
    assert len(journal.name) == 8
    assert int(journal.name, 16) >= 0
    assert chain.verify(rig.written) == (True, None, "")
    assert rig.stored() == rig.written
    assert journal.count() == 2
    assert journal.waiting() == 2


def test_a_simulated_journal_marks_its_events_and_nobody_else_does() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    assert not [event for event in rig.written if "simulated" in event]
    executor = InlineExecutor(rig.loop)
    journal = SqliteJournal(
        "other.db", executor, rig.loop, "c-02", vfs=rig.disk.vfs_name, simulated=True
    )
    journal.open()
    written: list[bool] = []
    journal.on_written = lambda events, at: written.extend(e["simulated"] for e in events)
    journal.append(Batch([event("system.started")], [1], {}), lambda batch: None)
    rig.run()
    assert written == [True, True]


def test_each_start_counts_and_the_chain_goes_on() -> None:
    rig = Rig()
    name = rig.boot().name
    for boot in (1, 2, 3):
        assert rig.journal.boot == boot
        assert rig.journal.name == name
        rig.write("system.started", "access.granted")
        rig.restart()
    assert [event["boot"] for event in rig.written] == [1, 1, 1, 2, 2, 3, 3]
    assert chain.verify(rig.stored()) == (True, None, "")
    assert [event["seq"] for event in rig.stored()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_start_counts_even_if_nothing_was_written() -> None:
    rig = Rig()
    for boot in (1, 2, 3):
        assert rig.boot().boot == boot
        rig.kill()


def test_what_is_kept_comes_back_and_what_is_forgotten_does_not() -> None:
    rig = Rig()
    assert rig.boot().kept == {}
    rig.write("portal.mode", mode={"front": "blocked"}, spent=[1, 2], gone="x")
    rig.write("portal.mode", gone=None)
    assert rig.restart().kept == {"mode": {"front": "blocked"}, "spent": [1, 2]}


def test_all_that_waits_is_one_transaction_and_each_batch_hears_of_it_in_order() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    order: list[str] = []
    first = rig.append("access.granted")
    before = rig.disk.operations
    for name in ("a", "b", "c"):
        batch = Batch([event("portal.opened")], [7], {})
        rig.journal.append(batch, lambda batch, name=name: order.append(name))  # type: ignore[misc]
    assert rig.disk.operations == before  # the first write is under way
    syncs = _syncs_of(rig, lambda: rig.run(5))
    assert first.durable
    assert order == ["a", "b", "c"]
    assert syncs == 2  # the first one's, and that of the three
    assert chain.verify(rig.written) == (True, None, "")


def test_a_late_batch_says_so() -> None:
    rig = Rig()
    rig.boot()
    rig.append("access.granted", "portal.released", late=True)
    rig.append("portal.opened")
    rig.run()
    assert [event.get("late") for event in rig.written] == [None, True, True, None]


def test_a_batch_that_became_late_while_the_disk_failed_says_so() -> None:
    rig = Rig()
    rig.boot()
    rig.disk.fail("error")
    batch = rig.append("access.granted")
    rig.run(100)
    batch.late = True
    rig.disk.fail("none")
    rig.run(3000)
    assert types(rig.written) == ["system.journal_started", "access.granted"]
    assert rig.written[1]["late"] is True


def test_alarms_leave_first_and_otherwise_the_order_is_kept() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.denied")
    rig.write("alarm.acknowledged", "access.granted")
    assert [seq for seq, _ in rig.pending()] == [3, 5, 1, 2, 4, 6]
    assert [seq for seq, _ in rig.pending(3)] == [3, 5, 1]


def test_what_has_left_is_not_listed_again_though_it_is_not_written_yet() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.denied")
    rig.journal.sent([3, 1])
    assert rig.journal.waiting() == 2
    assert [seq for seq, _ in rig.pending(2)] == [2, 4]
    operations = rig.disk.operations
    rig.run(500)
    assert rig.disk.operations == operations  # lazy
    rig.run(600)
    assert rig.disk.operations > operations
    rig.restart()
    assert [seq for seq, _ in rig.pending()] == [2, 4]


def test_records_that_are_on_their_way_at_a_clean_end_are_written_once() -> None:
    rig = Rig()
    rig.boot()
    rig.append("system.started")
    rig.append("system.stopping")
    rig.executor.close()
    rig.run()
    assert types(rig.stored()) == ["system.journal_started", "system.started", "system.stopping"]


def test_what_has_left_goes_with_the_next_records_and_survives_a_clean_end() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "access.granted")
    rig.journal.sent([1])
    rig.write("portal.opened")
    rig.restart()
    assert [seq for seq, _ in rig.pending()] == [2, 3, 4]
    rig.journal.sent([2])
    rig.append("system.stopping")
    rig.executor.close()
    rig.boot()
    assert [seq for seq, _ in rig.pending()] == [3, 4, 5]


def test_to_say_twice_that_something_has_left_changes_nothing() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "access.granted")
    for _ in range(2):
        rig.journal.sent([2, 2, 999])
        rig.run(1500)
    assert rig.journal.waiting() == 2
    assert [seq for seq, _ in rig.pending()] == [1, 3]


def test_the_time_of_the_last_trusted_record_comes_back() -> None:
    rig = Rig()
    assert rig.boot().trusted_ms == 0
    rig.write("system.started")
    untrusted = {"type": "portal.opened", "time": "2039-01-01T00:00:00.000Z", "clock": "untrusted"}
    rig.journal.append(Batch([untrusted], [1], {}), lambda batch: None)
    rig.run()
    assert rig.restart().trusted_ms == 1795248902417


def test_the_ring_keeps_as_many_as_it_may_once_they_have_left() -> None:
    rig = Rig(limit=20)
    rig.boot()
    for _ in range(50):
        rig.write("access.granted", "portal.released")
        rig.journal.sent([seq for seq, _ in rig.pending()])
    assert [event["seq"] for event in rig.stored()] == list(range(82, 102))
    assert chain.verify(rig.stored()) == (True, None, "")
    assert rig.health == []


def test_what_has_not_left_stays_until_too_much_waits_then_access_and_alarms_go_last() -> None:
    rig = Rig(limit=12)
    rig.boot()
    for _ in range(4):
        rig.write("portal.opened", "access.granted", "alarm.raised")
    assert rig.health == [
        (False, "journal.db: full; the oldest records that have not left give way")
    ]
    assert len(rig.stored()) == 12
    for _ in range(6):
        rig.write("access.granted")
    raised, granted = "alarm.raised", "access.granted"
    assert types(rig.stored()) == [raised, raised, granted, raised, granted, raised] + [granted] * 6
    rig.journal.sent([seq for seq, _ in rig.pending(5)])
    rig.write("access.granted")
    assert rig.health[1:] == [(True, "journal.db: has room again; 7 records gave way meanwhile")]


def test_the_last_record_stays_when_all_before_it_matter_more() -> None:
    rig = Rig(limit=3)
    rig.boot()
    rig.write("access.granted", "access.granted", "access.granted")
    rig.write("portal.opened")
    rig.restart()
    assert rig.journal.count() == 5
    rig.write("portal.closed")
    assert [event["seq"] for event in rig.written] == [1, 2, 3, 4, 5, 6]
    assert chain.verify(rig.written) == (True, None, "")


def test_an_event_that_is_no_json_costs_nobody_else_anything() -> None:
    rig = Rig()
    rig.boot()
    bad = rig.append("portal.closed")
    bad.events[0]["odd"] = object()
    worse = rig.append("portal.released", kept=object())
    half = rig.append("portal.released", "portal.secured")
    half.events[1]["odd"] = object()
    good = rig.append("portal.opened")
    rig.run(20)
    assert (bad.durable, worse.durable, half.durable, good.durable) == (True, False, False, True)
    assert types(rig.written) == ["system.journal_started", "portal.closed", "portal.opened"]
    assert rig.health[0] == (False, "journal.db: 2 records were no JSON and are not written")
    assert chain.verify(rig.written) == (True, None, "")


def test_who_is_told_and_fails_does_not_cost_the_others() -> None:
    rig = Rig()
    rig.boot()
    errors: list[str] = []
    rig.loop.on_error = lambda name, error: errors.append(str(error))
    done: list[str] = []

    def fail(batch: Batch) -> None:
        raise ValueError("listener")

    rig.journal.append(Batch([event("portal.opened")], [1], {}), fail)
    rig.journal.append(Batch([event("portal.closed")], [1], {}), lambda b: done.append("second"))
    rig.run()
    assert errors == ["listener"]
    assert done == ["second"]


def test_the_same_seed_gives_the_same_journal_byte_for_byte() -> None:
    def story(seed: int) -> tuple[list[str], bytes]:
        rig = Rig(seed)
        rig.boot()
        for _ in range(5):
            rig.write("access.granted", mode=1)
            rig.restart()
        return [event["hash"] for event in rig.written], rig.disk.read("journal.db-wal")

    assert story(7) == story(7)
    assert story(7)[0] != story(8)[0]


def test_time_passes_for_a_journal_with_nothing_to_do_without_waking_it() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.run(5000)
    assert not [entry for entry in rig.loop._timers if getattr(entry[2], "call", None)]


def _syncs_of(rig: Rig, do: object) -> int:
    """How often the disk synced during `do`."""
    count = 0
    sync = rig.disk.sync

    def counted(file: object, cut: bool) -> None:
        nonlocal count
        count += 1
        sync(file, cut)  # type: ignore[arg-type]

    rig.disk.sync = counted  # type: ignore[method-assign]
    assert callable(do)
    do()
    return count
