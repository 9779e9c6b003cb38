"""What a door waits for is durable beside the journal first, and in it once, whatever happens between."""

import contextlib
import errno
import json
import os
import stat
from pathlib import Path
from typing import Any
from zlib import crc32

import apsw
import pytest
from test_firmware_services_journal_rig import Rig, event, types

from firmware.runtime.ports import Batch
from firmware.services import whole_files
from firmware.services.disk_files import Files, VfsFiles
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.journal_ahead import LATE_AT, SLOT_BYTES
from firmware.services.journal_file import JournalFile
from firmware.trust import chain

FILE = "journal.ahead"


def _rig(seed: int = 1) -> Rig:
    """A controller that has started."""
    rig = Rig(seed)
    rig.boot()
    rig.write("system.started")
    return rig


def _card(rig: Rig, told: list[Batch] | None = None, **kept: Any) -> Batch:
    """A card that may enter was shown."""
    batch = Batch([event("access.granted"), event("portal.released")], [7, 7], kept)
    rig.journal.append(batch, told.append if told is not None else lambda batch: None)
    return batch


def _after_a_cut(rig: Rig) -> list[dict[str, Any]]:
    """What is stored once the power was off and on again."""
    rig.restart()
    return rig.stored()


def _ahead(rig: Rig) -> list[Any]:
    """What stands beside the journal."""
    head, _, body = rig.disk.durable(FILE).partition(b"\n")
    return json.loads(body[: int(head.split()[1])]) if head else []


def test_a_card_is_told_durable_before_the_journal_has_it() -> None:
    rig = _rig()
    told: list[Batch] = []
    batch = _card(rig, told, spent=[1])
    assert types(rig.stored()) == ["system.journal_started", "system.started"]
    assert batch.durable
    rig.run(1)
    assert told == [batch]
    rig.run()
    assert types(rig.written)[2:] == ["access.granted", "portal.released"]
    assert rig.stored() == rig.written
    assert told == [batch]


def test_what_went_ahead_is_in_the_journal_after_a_cut_with_its_start_and_what_it_keeps() -> None:
    rig = _rig()
    name, boot = rig.journal.name, rig.journal.boot
    _card(rig, spent=[1])
    journal = rig.restart()
    assert (journal.name, journal.boot, journal.kept) == (name, boot + 1, {"spent": [1]})
    stored = rig.stored()
    assert types(stored)[2:] == ["access.granted", "portal.released"]
    assert [record["boot"] for record in stored] == [boot] * 4
    assert chain.verify(stored) == (True, None, "")
    rig.write("system.started")
    assert types([body for _, body in rig.pending()])[2:4] == ["access.granted", "portal.released"]
    assert types(_after_a_cut(rig)).count("portal.released") == 1


def test_a_cut_at_every_operation_loses_no_card_that_was_told_and_doubles_none() -> None:
    for fate in range(6):
        cut = 0
        while True:
            cut += 1
            rig = _rig(100 * fate + cut)
            rig.disk.cut_at = rig.disk.operations + cut
            told: list[Batch] = []
            batches = [_card(rig, told, spent=0)]
            for number in (1, 2):
                rig.run(3)
                batches.append(_card(rig, told, spent=number))
            rig.run()
            cut_short = not rig.disk.powered
            journal = rig.restart()
            stored = rig.stored()
            there = types(stored).count("access.granted")
            assert there >= sum(batch.durable for batch in batches) >= len(told)
            assert types(stored).count("portal.released") == there <= 3
            assert journal.kept == ({"spent": there - 1} if there else {})
            assert chain.verify(stored) == (True, None, "")
            rig.write("system.started")
            assert types(_after_a_cut(rig)).count("access.granted") == there
            if not cut_short:
                break
        assert cut > 12


def test_only_what_somebody_waits_for_goes_ahead() -> None:
    rig = _rig()
    before = rig.disk.durable(FILE)
    rig.write("access.denied", "portal.opened", "command.accepted")
    rig.write(
        "access.granted", **{"operator/op": {"role": "owner", "n": 3}}
    )  # the memo comes first
    late = rig.append("access.granted", late=True)
    rig.run()
    assert late.durable
    assert rig.disk.durable(FILE) == before
    assert len(before) == SLOT_BYTES


def test_more_than_fits_is_told_durable_by_the_journal_alone() -> None:
    rig = _rig()
    told: list[Batch] = []
    before = rig.disk.durable(FILE)
    batch = _card(rig, told, spent="x" * SLOT_BYTES)
    rig.run()
    assert told == [batch]
    assert rig.stored() == rig.written
    assert rig.disk.durable(FILE) == before


def test_a_journal_that_cannot_be_written_leaves_the_card_that_went_ahead_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise apsw.FullError("no room for a log")

    rig = _rig()
    told: list[Batch] = []
    monkeypatch.setattr(rig.journal._file, "write", fails)
    first = _card(rig, told, spent=1)
    rig.run(3)
    second = _card(rig, told, spent=2)
    rig.run(20)
    assert (first.durable, second.durable, told) == (True, False, [first])
    assert _ahead(rig)[3] == [[first.events, {"spent": 1}]]
    rig.run(2100)  # tried again
    assert _ahead(rig)[3] == [[first.events, {"spent": 1}]]
    assert told == [first]
    journal = rig.restart()
    assert types(rig.stored()).count("access.granted") == 1
    assert journal.kept == {"spent": 1}


def test_what_is_mended_in_time_is_told_once_and_stands_once() -> None:
    rig = _rig()
    told: list[Batch] = []
    settled: list[str] = []
    first = Batch([event("access.granted")], [7], {})
    first.settled.append(lambda: settled.append("first"))

    def tell(batch: Batch) -> None:
        batch.settle()
        told.append(batch)

    rig.journal.append(first, tell)
    rig.disk.fail("error")
    rig.run(3)
    second = _card(rig, told)
    rig.run(3000)
    rig.disk.fail("none")
    rig.run(3000)
    assert told == [first, second]
    assert settled == ["first"]
    assert not first.late
    assert second.late
    assert types(rig.written).count("access.granted") == 2
    assert rig.stored() == rig.written
    third = _card(rig, told)
    rig.run(1)
    assert told[2:] == [third]


def test_a_card_for_which_the_door_gave_up_waiting_meanwhile_is_late_after_a_cut_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = _rig()
    slot = rig.journal._file._ahead._slot
    assert slot is not None
    first, second, third = (Batch([event("access.granted")], [7], {}) for _ in range(3))
    sync = slot.sync

    def slow() -> None:
        second.mark_late()
        third.mark_late()
        sync()

    monkeypatch.setattr(slot, "sync", slow)
    assert rig.journal._file.go_ahead([first, second, third])
    assert [batch.durable for batch in (first, second, third)] == [True] * 3
    assert [batch.late for batch in (first, second, third)] == [False, True, True]
    said = rig.disk.durable(FILE)[LATE_AT:]
    assert said.startswith(rig.disk.durable(FILE)[:8] + b" 1 2\n")
    stored = _after_a_cut(rig)[2:]
    assert types(stored) == ["access.granted"] * 3
    assert [record.get("late") for record in stored] == [None, True, True]


def test_a_door_that_gives_up_just_before_its_frame_is_told_durable_is_late_after_a_cut() -> None:
    class Impatient(Batch):
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "durable" and value:
                self.mark_late()
            super().__setattr__(name, value)

    rig = _rig()
    batch = Impatient([event("access.granted")], [7], {})
    assert rig.journal._file.go_ahead([batch])
    assert batch.late
    assert [record.get("late") for record in _after_a_cut(rig)[2:]] == [True]


def test_what_was_said_of_an_earlier_frame_is_not_said_of_the_next() -> None:
    rig = _rig()
    slot = rig.journal._file._ahead._slot
    assert slot is not None
    slot.write(b"12345678 0\n", LATE_AT)
    slot.sync()
    _card(rig)
    assert [record.get("late") for record in _after_a_cut(rig)[2:]] == [None, None]


def test_a_frame_that_would_reach_over_what_is_said_of_it_does_not_go_ahead() -> None:
    rig = _rig()
    for many, goes in ((LATE_AT - 400, True), (SLOT_BYTES - 400, False)):
        batch = Batch([event("access.granted")], [7], {"spent": "x" * many})
        assert rig.journal._file.go_ahead([batch]) == goes
        rig.journal._file._ahead.settle()


@pytest.mark.parametrize("cut", [False, True])
def test_a_frame_whose_write_fails_is_told_once_and_late_if_the_journal_never_has_it(
    cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    rig = _rig()
    told: list[Batch] = []
    monkeypatch.setattr(rig.journal._file._ahead._slot, "sync", fails)
    if cut:
        monkeypatch.setattr(rig.journal._file, "write", fails)
    first = _card(rig, told)
    rig.run()
    assert (first.durable, told) == ((False, []) if cut else (True, [first]))
    rig.run(3000)
    if cut:
        rig.executor.kill()
        rig.disk.process_kill()
        rig.boot()
        stored = rig.stored()[2:]
        assert types(stored) == ["access.granted", "portal.released"]
        assert [record.get("late") for record in stored] == [True, True]
    else:
        words = "cannot be written (Input/output error); cards wait for the journal"
        said = [(False, f"journal.ahead: {words}"), (True, "journal.db: writes again")]
        assert rig.health == said
        _card(rig, told)
        rig.run(3000)
        assert (len(told), rig.health) == (2, said)
        assert [record.get("late") for record in rig.stored()[2:]] == [None] * 4


def test_a_file_that_still_cannot_be_written_once_the_journal_can_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    rig = _rig()
    monkeypatch.setattr(rig.journal._file._ahead._slot, "sync", fails)
    rig.disk.fail("full")
    _card(rig)
    rig.run(3000)
    rig.disk.fail("none")
    rig.run(3000)
    assert [text for _, text in rig.health] == [
        "journal.db: the disk is full; records wait in memory",
        "journal.db: writes again",
    ]
    for _ in range(2):
        _card(rig)
        rig.run(3000)
    words = "cannot be written (Input/output error); cards wait for the journal"
    assert [text for _, text in rig.health[2:]] == [
        f"journal.ahead: {words}",
        "journal.db: writes again",
    ]


def test_a_file_that_cannot_be_read_at_once_is_tried_again_and_one_that_never_can_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for fails in (2, 1000):
        rig = _rig()
        _card(rig)
        rig.kill()
        read, left = VfsFiles.read, [fails]

        def failing(
            files: VfsFiles, path: str, *more: int, read: Any = read, left: Any = left
        ) -> Any:
            if path == FILE and left[0]:
                left[0] -= 1
                raise apsw.IOError("once more")
            return read(files, path, *more)

        with monkeypatch.context() as patch:
            patch.setattr(VfsFiles, "read", failing)
            journal = rig.boot()
        assert types(rig.stored()).count("access.granted") == (fails == 2)
        rig.write("system.started")
        rig.run(3000)
        told = "journal.ahead: cannot be read; the last card of before the start may be lost"
        works = "journal.db: writes again"
        assert rig.health == ([] if fails == 2 else [(False, told), (True, works)])
        assert journal.kept_known


def test_what_the_journal_would_refuse_does_not_go_ahead() -> None:
    for odd in (float("nan"), {1: 2}, "\ud800", 2**60):
        rig = _rig()
        told: list[Batch] = []
        batch = Batch([{**event("access.granted"), "odd": odd}], [7], {})
        rig.journal.append(batch, told.append)
        rig.run()
        assert (batch.durable, told) == (False, [])
        assert rig.stored() == rig.written


def test_a_disk_that_takes_nothing_ahead_costs_no_record() -> None:
    rig = _rig()
    told: list[Batch] = []
    rig.journal._file._ahead.close()  # as where the file cannot be had
    batch = _card(rig, told)
    rig.run()
    assert told == [batch]
    assert types(_after_a_cut(rig))[2:] == ["access.granted", "portal.released"]


@pytest.mark.parametrize("how", ["empty", "noise", "foreign"])
def test_a_frame_that_is_none_or_another_journals_is_passed_over(how: str) -> None:
    rig = _rig()
    _card(rig)
    rig.kill()
    frame = rig.disk.read(FILE)
    if how == "foreign":
        other = _rig(2)
        _card(other)
        other.kill()
        frame = other.disk.read(FILE)
    content = {"empty": b"", "noise": b"\xff" + frame[1:], "foreign": frame}[how]
    rig.disk.write(FILE, content)
    rig.boot()
    rig.write("system.started")
    assert types(rig.stored()) == ["system.journal_started", "system.started", "system.started"]
    assert rig.health == []


@pytest.mark.parametrize(
    "odd",
    [
        '["%s",1,Infinity,[]]',
        '["%s",true,2,[[[{"type":"access.granted"}],{}]]]',
        '["%s",1,2,[[[{"type":"access.granted","odd":NaN}],{}]]]',
        '["%s",1,2,[[{},{}]]]',
        '["%s",1,2,[[["x"],{}]]]',
        '["%s",1,2,[[[],[]]]]',
        '["%s",1,2,[[[],{"spent":NaN}]]]',
        '["%s",1,2,[[7,{}]]]',
        '["%s",1,2,[[[{"type":"access.granted","seq":7}],{}]]]',
        '{"%s":1}',
        "%s",
        "[" * 5000 + "%s",
    ],
)
def test_a_frame_of_another_shape_is_passed_over(odd: str) -> None:
    rig = _rig()
    rig.kill()
    text = (odd % rig.journal.name).encode()
    rig.disk.write(FILE, b"%08x %d\n%b" % (crc32(text), len(text), text))
    rig.boot()
    rig.write("system.started")
    assert rig.journal.count() == 3
    assert rig.health == []


def test_a_journal_that_takes_anothers_place_begins_with_what_went_ahead_to_that() -> None:
    rig = _rig()
    old = rig.journal.name
    _card(rig, spent=[1])
    rig.kill()
    log = rig.disk.read("journal.db-wal")
    rig.disk.write("journal.db", b"noise" * 1000)
    rig.disk.write("journal.db-wal", b"noise" + log[5:])
    journal = rig.boot()
    assert journal.name != old
    assert types(rig.stored()) == ["system.journal_started", "access.granted", "portal.released"]
    assert rig.stored()[0]["previous"]["journal"] == old
    assert journal.kept["spent"] == [1]
    rig.write("system.started")
    assert types(_after_a_cut(rig)).count("access.granted") == 1


def test_a_journal_that_is_set_aside_before_it_has_the_card_gives_it_to_the_next_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = _rig()
    told: list[Batch] = []
    write, failed = JournalFile._write, [False]

    def corrupt(file: JournalFile, *more: Any) -> Any:
        if not failed[0]:
            failed[0] = True
            raise apsw.CorruptError("a page")
        return write(file, *more)

    monkeypatch.setattr(JournalFile, "_write", corrupt)
    old, batch = rig.journal.name, _card(rig, told)
    rig.run()
    assert rig.journal.name != old
    assert told == [batch]
    assert types(rig.stored()) == ["system.journal_started", "access.granted", "portal.released"]


def test_a_journal_that_can_only_be_read_keeps_what_went_ahead_to_it() -> None:
    rig = _rig()
    rig.write("portal.mode", spent=1)
    _card(rig, spent=2, first=True)
    rig.kill()
    file = JournalFile("journal.db", "c-01", 100000, rig.disk.vfs_name, False, os.urandom)
    file.look()
    assert file.kept == {"spent": 2, "first": True}


def test_a_frame_that_is_ahead_of_an_older_journal_is_taken_in_once() -> None:
    rig = _rig()
    older = {name: rig.disk.read(name) for name in rig.disk.names() if name != FILE}
    for number in range(5):
        rig.write("portal.opened", door=number)
    _card(rig, spent=1)
    rig.kill()
    for name, content in older.items():  # somebody's copy of last week
        rig.disk.write(name, content)
    for _ in range(3):
        assert types(_after_a_cut(rig)).count("access.granted") == 1
        assert rig.journal.kept["spent"] in (1, 2)
        assert rig.disk.durable(FILE).startswith(b"\n")
        rig.write("system.started", spent=2)
    assert rig.journal.kept_known
    assert rig.restart().kept["spent"] == 2


def test_a_disk_that_takes_half_of_a_frame_took_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = Files().slot(str(tmp_path / FILE), 64)
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: write(fd, data[:3], at))
    with pytest.raises(OSError, match="No space"):
        slot.write(b"frame")
    slot.close()
    with pytest.raises(OSError, match="No space"):
        Files().slot(str(tmp_path / "other"), 64)


@pytest.mark.parametrize("by", ["nobody", "nothing", "another", "a folder", "a link to nothing"])
def test_a_file_that_somebody_has_taken_away_makes_nothing_durable(by: str, tmp_path: Path) -> None:
    place = tmp_path / FILE
    slot = Files().slot(str(place), 64)
    if by != "nobody":
        place.rename(tmp_path / "elsewhere")
    if by == "another":
        place.write_bytes(bytes(64))
    elif by == "a folder":
        place.mkdir()
    elif by == "a link to nothing":
        place.symlink_to("nowhere")
    slot.write(b"frame")
    with (
        contextlib.nullcontext()
        if by == "nobody"
        else pytest.raises(OSError, match="Stale|No such")
    ):
        slot.sync()
    slot.close()


def test_a_long_frame_comes_back_whole() -> None:
    rig = _rig()
    _card(rig, spent="x" * 12000)
    assert rig.restart().kept == {"spent": "x" * 12000}


def test_what_has_left_to_tell_of_is_told_when_the_journal_has_it() -> None:
    rig = _rig()
    more: list[int] = []
    rig.journal.on_more = lambda: more.append(len(rig.stored()))
    _card(rig)
    rig.run()
    assert more == [4]


def test_a_journal_that_was_away_for_a_start_has_what_went_ahead_to_it_when_it_is_back(
    tmp_path: Path,
) -> None:
    def opened(folder: str) -> SqliteJournal:
        rig = Rig()
        journal = SqliteJournal(f"{folder}/journal.db", InlineExecutor(rig.loop), rig.loop, "c-01")
        journal.open()
        return journal

    here, away = tmp_path / "here", tmp_path / "away"
    away.mkdir()
    here.mkdir()
    journal = opened(str(here))
    assert journal._file.go_ahead([Batch([event("access.granted")], [7], {"spent": 1})])
    journal._file.close(killed=True)
    for path in sorted(here.iterdir()):
        if path.name != FILE:
            path.rename(away / path.name)
    other = opened(str(here))
    assert (other.name != journal.name, other.kept) == (True, {})
    other._file.close(killed=True)
    for path in sorted(away.iterdir()):
        path.rename(here / path.name)
    back = opened(str(here))
    assert (back.name, back.kept, back.count()) == (journal.name, {"spent": 1}, 2)
    back._file.close(killed=True)


def test_a_journal_set_aside_in_the_midst_of_a_start_is_no_other_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = _rig()
    boot = rig.journal.boot
    write = rig.journal._file._write
    left = [1]

    def corrupt_once(*words: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise apsw.CorruptError("a page")
        return write(*words)

    monkeypatch.setattr(rig.journal._file, "_write", corrupt_once)
    _card(rig)
    rig.run()
    assert {record["boot"] for record in rig.stored()} == {boot}
    assert types(rig.stored()).count("access.granted") == 1


def test_reading_what_is_no_file_keeps_no_descriptor(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(OSError, match="directory"):
            Files().read(str(tmp_path), 1, 0)
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("what", ["pipe", "folder", "link to nothing", "link to itself", "device"])
def test_what_is_no_file_in_its_place_keeps_no_journal_from_starting(
    what: str, tmp_path: Path
) -> None:
    place = tmp_path / FILE
    if what == "pipe":
        os.mkfifo(place)
    elif what == "folder":
        place.mkdir()
    else:
        place.symlink_to({"device": "/dev/zero", "link to itself": FILE}.get(what, "nowhere"))
    rig = Rig()
    executor = InlineExecutor(rig.loop)
    journal = SqliteJournal(str(tmp_path / "journal.db"), executor, rig.loop, "c-01")
    journal.open()
    told: list[Batch] = []
    journal.append(Batch([event("access.granted")], [7], {}), told.append)
    rig.run()
    assert len(told) == 1
    assert journal.count() == 2
    executor.close()


def test_on_the_real_disk_the_file_is_ours_alone_and_keeps_its_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / FILE)
    folders: list[str] = []
    monkeypatch.setattr(whole_files, "sync", folders.append)
    slot = Files().slot(path, 512)
    assert folders == [str(tmp_path)]
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    slot.write(b"first")
    assert not synced
    slot.sync()
    assert len(synced) == 1
    slot.close()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    again = Files().slot(path, 1024)
    again.close()
    assert Path(path).read_bytes() == b"first" + bytes(1019)
    with pytest.raises(OSError, match="directory"):
        Files().slot(str(tmp_path), 512)
