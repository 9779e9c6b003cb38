"""A power cut at any point loses no acknowledged record and never breaks the chain (law 3)."""

import random

import pytest
from test_firmware_services_journal_rig import Rig, event

from firmware.runtime.ports import Batch
from firmware.trust import chain

STORIES = 150
CUTS = 4  #: in each story


def _story(seed: int) -> int:
    """Write, cut, boot, compare; how many cuts came in the middle of an operation."""
    dice = random.Random(seed)
    rig = Rig(seed, limit=dice.choice((30, 100000)))
    inside = 0
    for _ in range(CUTS):
        rig.disk.cut_at = rig.disk.operations + dice.randint(1, dice.choice((8, 60, 300)))
        rig.boot()
        for _ in range(dice.randint(1, 60)):
            _append(rig, dice)
            if dice.random() < 0.6:
                rig.run(dice.choice((1, 3)))
            if dice.random() < 0.3:
                rig.journal.sent([seq for seq, _ in rig.pending(5)])
            if not rig.disk.powered:
                inside += 1
                break
        rig.kill()
        _compare(rig)
    return inside


def _append(rig: Rig, dice: random.Random) -> None:
    size, number = dice.randint(0, 4), dice.randrange(10**6)
    events = [{**event("access.granted"), "batch": number, "of": size} for _ in range(size)]
    rig.journal.append(Batch(events, [1] * size, {"last": number}), lambda batch: None)


def _compare(rig: Rig) -> None:
    """What was acknowledged in all stories so far is there, in its place."""
    rig.boot()
    stored = rig.stored()
    rig.kill()
    newest = stored[-1]["seq"] if stored else 0
    hashes = {record["hash"] for record in stored}
    lost = [
        record["seq"]
        for record in rig.written
        if record["seq"] > newest - rig.limit and record["hash"] not in hashes
    ]
    assert lost == []
    assert newest >= max([record["seq"] for record in rig.written], default=0)
    if rig.limit < 1000:
        return
    # Nothing was deleted: the chain is whole from its first event, and so is each batch.
    assert chain.verify(stored) == (True, None, "")
    assert [record["seq"] for record in stored] == list(range(1, newest + 1))
    counts: dict[int, int] = {}
    for record in stored:
        if "batch" in record:
            counts[record["batch"]] = counts.get(record["batch"], 0) + 1
    assert counts == {record["batch"]: record["of"] for record in stored if "batch" in record}


@pytest.mark.parametrize("first", range(0, STORIES, 50))
def test_a_power_cut_loses_nothing_that_was_acknowledged(first: int) -> None:
    inside = sum(_story(seed) for seed in range(first, first + 50))
    assert inside > 50  # the cuts did come in the middle of something


def test_what_is_kept_is_exactly_that_of_the_last_batch_that_is_there() -> None:
    for cut in range(1, 60):
        rig = Rig(cut)
        rig.boot()
        rig.write("system.started", last=0)
        rig.disk.cut_at = rig.disk.operations + cut
        for number in range(1, 20):
            rig.append("access.granted", last=number, marks=list(range(number)))
            rig.run(2)
        rig.kill()
        kept = rig.boot().kept
        granted = sum(record["type"] == "access.granted" for record in rig.stored())
        assert kept["last"] == granted
        assert kept.get("marks", []) == list(range(granted))


def test_a_cut_at_every_operation_of_the_first_start_leaves_a_journal_that_starts() -> None:
    cut = 0
    while True:
        cut += 1
        rig = Rig(cut)
        rig.disk.cut_at = cut
        rig.boot()
        rig.append("system.started")
        rig.run(3)
        if rig.disk.powered:
            break
        rig.restart()
        rig.health.clear()
        rig.write("system.started")
        assert rig.health == []
        names = ["journal.ahead", "journal.db", "journal.db-wal", "journal.name"]
        assert rig.disk.names() == names
        assert chain.verify(rig.stored()) == (True, None, "")
    assert cut > 8


def test_a_torn_header_in_the_last_transaction_is_a_cut_and_no_damage() -> None:
    """A header lies over two sectors; the first, with the number of its page, was not written."""
    rig = Rig()
    rig.boot()
    for _ in range(20):
        rig.write("access.granted", "alarm.raised")
    before, name = [record["id"] for record in rig.stored()], rig.journal.name
    rig.write("portal.opened")
    rig.executor.kill()
    log = bytearray(rig.disk.read("journal.db-wal"))
    places = range(32, len(log) - 24, 24 + 4096)
    ends = [at for at in places if int.from_bytes(log[at + 4 : at + 8]) != 0]
    torn = [at for at in places if ends[-2] < at < ends[-1]]
    assert torn, "the last transaction has one page; expected more"
    log[torn[0] : torn[0] + 8] = bytes(8)
    rig.disk.power_cut()
    rig.disk.write("journal.db-wal", bytes(log))
    rig.boot()
    rig.write("system.started")
    assert rig.journal.name == name
    assert [ok for ok, _ in rig.health] == []
    found = [record["id"] for record in rig.stored()]
    assert found[: len(before)] == before
