"""A flipped bit anywhere in the file or its log: nothing is lost but what stood there, and it is told."""

import os
import random
from typing import Any

import pytest
from test_firmware_services_journal_rig import Rig, event

from firmware.runtime.command_gate import LOST
from firmware.runtime.ports import Batch
from firmware.trust import chain

#: How many bytes from one that is tried to the next; ``FLIP_EVERY=1`` tries all of them.
EVERY = int(os.environ.get("FLIP_EVERY", "29"))
KEPT = {"mode": "blocked", "operator/op-ling": {"n": 41, "revoked": True}, "usage/7": [1, 2]}


class Damaged:
    """A journal of some records, its files as a clean end or a power cut left them, and what was in it."""

    def __init__(self, clean: bool, records: int = 60) -> None:
        self.rig = rig = Rig()
        rig.boot()
        rig.write("system.started", **KEPT)
        for _ in range(records):
            rig.write("access.granted", "alarm.raised")
        self.name, self.before = rig.journal.name, list(rig.written)
        if clean:
            rig.executor.close()
        else:
            rig.executor.kill()
        self.files = {name: rig.disk.read(name) for name in rig.disk.names()}

    def flip(self, name: str, at: int, bit: int) -> "Outcome":
        """Start with one bit turned."""
        for other in self.rig.disk.names():
            self.rig.disk.write(other, b"")
            del self.rig.disk._files[other]
        for other, content in self.files.items():
            self.rig.disk.write(other, content)
        turned = bytearray(self.files[name])
        turned[at] ^= 1 << bit
        self.at = at
        self.rig.disk.write(name, bytes(turned))
        return Outcome(self)


class Outcome:
    """What a start and a record after it made of it."""

    def __init__(self, damaged: Damaged) -> None:
        rig = damaged.rig
        rig.written.clear()
        rig.health.clear()
        journal = rig.boot()
        rig.run(2)
        self.kept = dict(journal.kept)
        # What has run is not known to a new one, however much of the old could be read.
        assert self.kept.pop(LOST, False) is (journal.name != damaged.name), damaged.at
        self.carried = {record["hash"] for _, record in rig.pending()}
        batch = Batch([event("access.denied")], [1], {})
        journal.append(batch, lambda batch: None)
        rig.run(5000)
        assert batch.durable, (damaged.at, rig.health)
        self.carried |= {record["hash"] for _, record in rig.pending()}
        self.is_new = rig.journal.name != damaged.name
        self.told = [text for ok, text in rig.health if not ok]
        stored = rig.stored()
        assert chain.verify(stored) == (True, None, "")
        self.previous: Any = stored[0].get("previous")
        self.lost = [
            record["seq"] for record in damaged.before if record["hash"] not in self.carried
        ]
        rig.executor.kill()
        if self.is_new:
            assert self.told
            assert rig.disk.names() == sorted(set(rig.disk.names()) - {"journal-mended.db"})


@pytest.fixture(scope="module")
def clean() -> Damaged:
    return Damaged(clean=True)


@pytest.fixture(scope="module")
def cut() -> Damaged:
    return Damaged(clean=False, records=8)


def _bits(start: int, end: int, seed: int) -> list[tuple[int, int]]:
    dice = random.Random(seed)
    return [(at, dice.randrange(8)) for at in range(start + dice.randrange(EVERY), end, EVERY)]


def test_the_header_and_the_schema_can_be_gone_and_nothing_is_lost(clean: Damaged) -> None:
    for at, bit in [(at, at % 8) for at in range(100)] + _bits(100, 4096, 1):
        outcome = clean.flip("journal.db", at, bit)
        assert outcome.kept == KEPT, at
        assert outcome.lost == [], at
        if outcome.is_new:
            assert outcome.previous == {"journal": clean.name, "seq": len(clean.before)}, at


def test_the_page_of_names_can_be_gone_and_no_record_is_lost(clean: Damaged) -> None:
    for at, bit in _bits(4096, 8192, 2):
        outcome = clean.flip("journal.db", at, bit)
        assert outcome.kept == KEPT, at
        assert outcome.lost == [], at
        if outcome.is_new:
            assert outcome.previous["journal"] == clean.name, at


def test_of_what_is_kept_no_value_comes_back_that_was_not_there(clean: Damaged) -> None:
    for at, bit in _bits(8192, 12288, 3):
        outcome = clean.flip("journal.db", at, bit)
        assert outcome.lost == [], at
        assert set(outcome.kept) <= set(KEPT), at
        assert all(KEPT[key] == value for key, value in outcome.kept.items()), at
        if not outcome.is_new:
            assert outcome.kept == KEPT, at


def test_elsewhere_it_costs_what_stood_on_that_page(clean: Damaged) -> None:
    size = len(clean.files["journal.db"])
    for at, bit in _bits(12288, size, 4)[::5]:
        outcome = clean.flip("journal.db", at, bit)
        assert outcome.kept == KEPT, at
        assert len(outcome.lost) <= 20, at
        if outcome.lost:
            assert outcome.told, at


def test_a_flip_in_the_log_costs_no_more_than_a_page_and_is_told(cut: Damaged) -> None:
    size = len(cut.files["journal.db-wal"])
    for at, bit in [(at, at % 8) for at in range(56)] + _bits(56, size, 5)[::9]:
        outcome = cut.flip("journal.db-wal", at, bit)
        if not outcome.is_new:
            assert len(outcome.lost) <= 2, (
                at
            )  # the last transaction, which a cut could have lost too
            continue
        assert outcome.previous["journal"] == cut.name, at
        assert len(outcome.lost) <= 20, at
        assert all(KEPT[key] == value for key, value in outcome.kept.items()), at
