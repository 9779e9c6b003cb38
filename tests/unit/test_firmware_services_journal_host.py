"""What the host has stored, what only the broker has, and what is sent again; older files."""

import json

import pytest
from test_firmware_services_journal_rig import Rig, types

from firmware.runtime.ports import Batch
from firmware.services import database
from firmware.services.journal_draft import Draft
from firmware.trust import chain


def test_what_the_broker_has_waits_and_is_not_handed_out_again_for_a_first_time() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.denied")
    rig.journal.taken([3, 1])
    assert rig.onward(9, True) == [2, 4]
    assert (rig.journal.waiting(), rig.journal.held()) == (4, 2)
    rig.run(1100)
    rig.restart()
    assert (rig.journal.waiting(), rig.journal.held()) == (4, 2)
    assert rig.onward(9, True) == [2, 4]
    assert rig.again(9) == [3, 1]


def test_the_host_s_word_counts_for_all_up_to_it_whoever_has_them() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.denied", "access.granted")
    rig.journal.taken([1, 3])
    rig.run(1100)
    told: list[int] = []
    rig.journal.on_stored = lambda: told.append(rig.journal.waiting())
    assert rig.store(3)
    assert told == [2]
    assert rig.onward(9, True) == [4, 5]
    assert rig.again(9) == []
    rig.run(1100)
    rig.restart()
    assert rig.journal.waiting() == 2
    assert rig.onward(9, True) == [4, 5]
    assert rig.store(2)  # an older word again changes nothing
    assert rig.journal.waiting() == 2


def test_a_word_that_is_not_about_our_records_frees_nothing() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "access.denied")
    told: list[int] = []
    rig.journal.on_stored = lambda: told.append(1)
    first = rig.written[0]["hash"]
    assert not rig.store(2, first)
    assert not rig.store(99)
    assert not rig.store(0, "0" * 64)
    assert not rig.store(1, "")
    assert not rig.store(1, first, "ffffffff")
    assert rig.journal.waiting() == 3
    assert told == []


def test_a_cut_before_the_host_s_word_is_noted_makes_it_leave_again_and_no_more() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "access.denied")
    assert rig.store(2)
    rig.restart()
    assert rig.onward(9, True) in ([1, 2, 3], [3])
    assert rig.store(2)
    rig.write("access.granted")  # the word goes with the next record
    rig.restart()
    assert rig.onward(9, True) == [3, 4]


def test_the_host_s_word_survives_a_clean_end() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "access.denied")
    assert rig.store(3)
    rig.executor.close()
    rig.boot()
    assert rig.journal.waiting() == 0


def test_each_event_is_handed_out_once_alarms_first_until_it_is_begun_again() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", *["access.denied"] * 5)
    assert rig.onward(3, True) == [1, 2, 3]
    rig.write("alarm.raised", "access.granted")
    assert rig.onward(3) == [8, 4, 5]
    assert rig.onward(9) == [6, 7, 9]
    assert rig.onward(9) == []
    assert rig.onward(9, True) == [8, 1, 2, 3, 4, 5, 6, 7, 9]


def test_what_has_left_and_is_not_noted_is_passed_over_also_far_behind() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", *["access.denied"] * 9)
    rig.journal.sent([1, 2])
    rig.journal.taken([3, 7])
    assert rig.onward(2, True) == [4, 5]
    assert rig.onward(9) == [6, 8, 9, 10, 11]


def test_what_is_sent_again_ends_with_what_the_broker_had_at_the_beginning() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.denied", "access.denied", "alarm.raised")
    rig.journal.taken([1, 3, 2])
    assert rig.again(2) == [3, 1]
    rig.journal.taken([4, 5, 6])
    rig.run(1100)
    assert rig.again(9, begin=False) == [1, 2]
    assert rig.store(2)
    assert rig.again(9) == [3, 6, 4, 5]


@pytest.mark.parametrize("limit", [2, 9, 10])
def test_however_many_alarms_wait_the_oldest_records_are_sent_again_with_them(limit: int) -> None:
    rig = Rig()
    rig.boot()
    rig.write(*["access.denied"] * 10, *["alarm.raised"] * 30, *["access.denied"] * 3)
    rig.journal.taken(list(range(1, 45)))
    prefix = 0
    while rig.journal.waiting():
        before = prefix
        listed = rig.again(limit)
        assert len(listed) == min(limit, rig.journal.waiting())
        assert listed == sorted(listed, key=lambda seq: (not 12 <= seq <= 41, seq))
        while prefix + 1 in listed:
            prefix += 1
        assert prefix > before  # what a host of a gapless beginning can say now
        assert rig.store(prefix)


def test_alarms_behind_many_others_are_sent_again_before_them_as_the_host_s_word_goes_on() -> None:
    rig = Rig()
    rig.boot()
    rig.write(*["access.denied"] * 60, *["alarm.raised"] * 30)
    rig.journal.taken(list(range(1, 92)))
    listed = rig.again(10)
    word = 0
    while len(alarms := [seq for seq in listed if 62 <= seq <= 91]) < 30:
        word += 5
        assert rig.store(word)
        listed += rig.again(10, begin=False)
    assert alarms == list(range(62, 92))  # in order, each once
    assert word == 25
    while word < 91:
        word += 5
        rig.store(min(word, 91))
        listed += rig.again(10, begin=False)
    assert set(listed) == set(range(1, 92))


def test_a_range_is_read_whether_it_has_left_or_not() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", *["access.denied"] * 5)
    rig.journal.sent([1, 2, 3])
    rig.run(1100)
    found: list[tuple[int, str]] = []
    rig.journal.between(2, 5, 3, found.extend)
    rig.run(2)
    assert [seq for seq, _ in found] == [2, 3, 4]
    assert [json.loads(body) for _, body in found] == rig.written[1:4]
    assert rig.journal.first() == 1


def test_the_ring_goes_on_with_what_the_host_has_stored() -> None:
    rig = Rig(limit=20)
    rig.boot()
    for _ in range(60):
        rig.write("access.granted")
        assert rig.store(rig.journal.count())
    assert [event["seq"] for event in rig.stored()] == list(range(42, 62))
    assert rig.journal.first() == 42
    assert rig.health == []


def test_a_host_that_never_answers_does_not_make_the_ring_grow() -> None:
    rig = Rig(limit=20)
    rig.boot()
    for _ in range(60):
        rig.write("portal.opened")
        rig.journal.taken([rig.journal.count()])
    assert len(rig.stored()) == 20
    assert rig.journal.waiting() == 20
    assert rig.health == [
        (False, "journal.db: full; the oldest records that have not left give way")
    ]


def test_a_full_ring_is_told_once_though_writes_that_push_nothing_out_go_on() -> None:
    rig = Rig(limit=200)
    rig.boot()
    for _ in range(250):
        rig.write("portal.opened")
        rig.journal.taken([rig.journal.count()])
        rig.run(1100)  # noted by a write of its own, which adds nothing
    full = (False, "journal.db: full; the oldest records that have not left give way")
    assert rig.health == [full]
    assert rig.store(rig.journal.count() - 199)
    rig.write("portal.opened")
    assert rig.health == [full]  # one is free: hardly room
    assert rig.store(rig.journal.count() - 150)
    rig.write("portal.opened")
    assert rig.health == [full, (True, "journal.db: has room again; 51 records gave way meanwhile")]


def test_a_disk_that_fails_under_a_full_ring_is_told_and_so_is_that_it_is_still_full() -> None:
    rig = Rig(limit=20)
    rig.boot()
    for _ in range(30):
        rig.write("portal.opened")
    rig.disk.fail("error")
    rig.append("portal.opened")
    rig.run(2)
    rig.disk.fail("none")
    rig.run(2100)
    full = (False, "journal.db: full; the oldest records that have not left give way")
    assert [ok for ok, _ in rig.health] == [False, False, False]
    assert "records wait in memory" in rig.health[1][1]
    assert [rig.health[0], rig.health[2]] == [full, full]


def test_a_big_burst_does_not_make_the_ring_stay_big() -> None:
    rig = Rig(limit=20)
    rig.boot()
    rig.write(*["access.granted"] * 200)
    assert rig.store(201)
    rig.write(*["access.granted"] * 200)
    assert rig.store(401)
    for _ in range(20):
        rig.write("access.granted")
        assert rig.store(rig.journal.count())
    assert len(rig.stored()) == 20


def test_what_was_carried_over_leaves_by_the_host_s_word_for_its_own_journal() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "alarm.raised", "access.denied")
    old, before = rig.journal.name, list(rig.written)
    rig.executor.close()
    content = bytearray(rig.disk.read("journal.db"))
    content[4096:4104] = b"\xff" * 8
    rig.disk.write("journal.db", bytes(content))
    rig.boot()
    rig.write("system.started")
    assert rig.journal.name != old
    tokens = rig.onward(99, True)
    assert [r["id"] for _, r in rig.pending()][:4] == [
        before[2]["id"],
        before[0]["id"],
        before[1]["id"],
        before[3]["id"],
    ]
    rig.journal.taken(tokens)
    assert rig.journal.waiting() == 6
    assert len(rig.again(9)) == 6
    assert not rig.store(3, before[3]["hash"], old)
    assert rig.store(3, before[2]["hash"], old)
    rig.run(1100)
    assert [event for event in rig.again(9) if event > 1 << 20] == [(1 << 40) + 4]
    assert rig.store(4, before[3]["hash"], old)
    assert rig.store(2, rig.written[-1]["hash"])
    rig.run(1100)
    assert rig.journal.waiting() == 0


def test_a_full_ring_lets_what_was_carried_over_give_way_first() -> None:
    rig = Rig(limit=10)
    rig.boot()
    rig.write("system.started", "access.granted", "portal.opened")
    rig.executor.close()
    content = bytearray(rig.disk.read("journal.db"))
    content[4096:4104] = b"\xff" * 8
    rig.disk.write("journal.db", bytes(content))
    rig.boot()
    rig.write(*["portal.opened"] * 9)
    waiting = [
        (record["journal"] == rig.journal.name, record["type"]) for _, record in rig.pending()
    ]
    assert waiting == [(False, "access.granted")] + [(True, "portal.opened")] * 9


# ---- files of before -----------------------------------------------------------------------------


def test_a_file_of_before_there_were_hosts_is_brought_up_to_date() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", "access.denied")
    rig.journal.sent([1])
    rig.run(1100)
    rig.executor.close()
    connection = database.connect("journal.db", rig.disk.vfs_name)
    connection.execute("DROP INDEX events_taken; ALTER TABLE former DROP COLUMN sent")
    database.tidy(connection)
    rig.boot()
    assert rig.health == []
    assert rig.onward(9, True) == [2, 3]
    rig.journal.taken([2])
    rig.run(1100)
    assert rig.again(9) == [2]
    rig.restart()
    assert rig.again(9) == [2]
    assert chain.verify(rig.stored()) == (True, None, "")


# ---- late ----------------------------------------------------------------------------------------


def test_a_batch_that_became_late_while_it_was_being_written_says_so() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    first = rig.append("access.granted", spent=1)
    second = Batch([{"type": "portal.released"}], [1], {})
    file = rig.journal._file
    commit = file._commit
    commits = []

    def slow(draft: Draft, left: list[int], taken: list[int]) -> int:
        dropped = commit(draft, left, taken)
        commits.append(file.past.last_seq)
        if len(commits) == 1:
            second.late = True
        return dropped

    rig.journal.append(second, lambda batch: None)
    file._commit = slow  # type: ignore[method-assign]
    rig.run()
    assert len(commits) == 2
    assert first.durable
    assert second.durable
    assert types(rig.written)[1:] == ["system.started", "access.granted", "portal.released"]
    assert [event.get("late") for event in rig.written] == [None, None, None, True]
    assert rig.stored() == rig.written
    assert rig.journal.waiting() == 4
    assert rig.restart().kept == {"spent": 1}


def test_a_second_writing_that_fails_is_tried_again_and_nobody_has_seen_the_first() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    batch = Batch([{"type": "access.granted"}], [1], {})
    file = rig.journal._file
    commit = file._commit

    def slow(draft: Draft, left: list[int], taken: list[int]) -> int:
        dropped = commit(draft, left, taken)
        if not batch.late:
            batch.late = True
            rig.disk.fail("error")
        return dropped

    file._commit = slow  # type: ignore[method-assign]
    rig.journal.append(batch, lambda batch: None)
    rig.run()
    assert types(rig.written) == ["system.journal_started", "system.started"]
    rig.disk.fail("none")
    rig.run(3000)
    assert rig.written[-1]["late"] is True
    assert rig.stored() == rig.written
    assert rig.journal.waiting() == 3


def test_on_a_slow_disk_a_release_that_did_not_wait_is_late_and_a_cut_before_loses_it() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started")
    rig.executor.slow_ms = 5000
    first = rig.append("access.granted")
    rig.run(100)
    first.late = True
    rig.run(4800)
    assert not first.durable
    rig.run(5200)  # nothing goes ahead for a door that waits no longer
    assert first.durable
    assert rig.written[-1]["late"] is True
    lost = rig.append("access.granted")
    rig.run(4900)
    rig.restart()
    assert not lost.durable
    assert rig.stored() == rig.written


# ---- checkpoints ---------------------------------------------------------------------------------


def _sign(journal: str, upto: int, head: str, time: object) -> dict[str, str]:
    return {"sig": f"{journal} {upto} {head[:4]} {time}"}


def test_each_restart_is_vouched_for_and_so_is_every_thousandth_record() -> None:
    rig = Rig(sign=_sign)
    rig.boot()
    assert rig.journal.signs
    rig.write("system.started")
    assert types(rig.written) == ["system.journal_started", "system.started"]
    rig.write("system.checkpoint")
    checkpoint = rig.written[2]
    assert (checkpoint["upto"], checkpoint["head"]) == (2, rig.written[1]["hash"])
    assert checkpoint["time"] == rig.written[1]["time"]
    expected = f"{rig.journal.name} 2 {rig.written[1]['hash'][:4]} {checkpoint['time']}"
    assert checkpoint["sig"] == expected
    for _ in range(7):
        rig.write(*["access.granted"] * 333)
    places = [event["seq"] for event in rig.written if event["type"] == "system.checkpoint"]
    assert places == [3, 1003, 2003]
    rig.restart()
    rig.write("system.started")
    assert types(rig.written)[-2:] == ["system.started", "system.checkpoint"]
    rig.write("access.granted")
    assert types(rig.written)[-1] == "access.granted"
    assert chain.verify(rig.stored()) == (True, None, "")


def test_a_restart_in_the_middle_does_not_put_a_checkpoint_off() -> None:
    rig = Rig(sign=_sign)
    rig.boot()
    rig.write("system.started")
    rig.write(*["access.granted"] * 900)
    rig.restart()
    rig.write(*["access.granted"] * 300)
    places = [event["seq"] for event in rig.written if event["type"] == "system.checkpoint"]
    assert places == [1000, 1204]


def test_a_bare_checkpoint_is_completed_and_without_a_signature_there_is_none() -> None:
    rig = Rig(sign=_sign)
    rig.boot()
    rig.write("system.started")
    rig.write("access.granted")
    rig.write("system.checkpoint")
    assert rig.written[-1]["upto"] == 3
    assert rig.written[-1]["head"] == rig.written[-2]["hash"]
    plain = Rig()
    plain.boot()
    plain.write("system.started")
    plain.write("system.checkpoint", mode=1)
    assert types(plain.written) == ["system.journal_started", "system.started"]
    assert plain.restart().kept == {"mode": 1}
