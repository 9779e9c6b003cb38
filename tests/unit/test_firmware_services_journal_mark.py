"""A journal whose log has vanished is one that was damaged: set aside, told, and no number is given twice."""

from pathlib import Path

import pytest
from test_firmware_services_journal_rig import Rig

from firmware.runtime.command_gate import LOST
from firmware.services import journal_file, journal_mark
from firmware.services.disk_files import Files, VfsFiles
from firmware.services.journal_mark import Mark
from firmware.services.journal_salvage import Past
from firmware.trust import chain

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
MAY = {"role": "manager", "key": KEY, "revoked": False}
REVOKED = {**MAY, "revoked": True}
LOG = "journal.db-wal"
UNMARKED = (
    "journal.db: has lost its mark, so that its newest records may be lost; set aside as"
    " journal-corrupt-1.db; a new one was begun"
)
TOLD = "journal.db: has lost its newest records; set aside as journal-corrupt-1.db; a new one was begun"


def _ended() -> Rig:
    """A journal that was ended well, and began anew since."""
    rig = Rig()
    rig.boot()
    rig.write("system.started", **{"operator/op-mal": {**MAY, "n": 3}})
    rig.executor.close()
    rig.boot()
    return rig


def _lose_log(rig: Rig, how: str = "missing") -> str:
    """Kill, and see the log gone; the journal's name."""
    rig.executor.kill()
    rig.health.clear()
    rig.written.clear()
    if how == "missing":
        rig.disk.remove(LOG, True)
    else:
        rig.disk.write(LOG, b"")
    return rig.journal.name


@pytest.mark.parametrize("how", ["missing", "emptied"])
def test_a_log_that_vanished_is_told_and_brings_back_nobody(how: str) -> None:
    rig = _ended()
    rig.write(
        "command.accepted",
        **{"command/seen/0": {"by": "op"}, "operator/op-mal": {**REVOKED, "n": 4}},
    )
    rig.write("access.granted", mode="blocked")
    boot, old = rig.journal.boot, _lose_log(rig, how)
    journal = rig.boot()
    rig.write("system.started")
    assert rig.health == [(False, TOLD), (True, "journal.db: writes again")]
    assert journal.name != old
    assert journal.boot == boot + 1
    assert rig.written[0]["previous"] == {"journal": old, "seq": 3}  # noted with the revocation
    assert journal.kept == {"operator/op-mal": {**REVOKED, "n": 3}, LOST: True}
    assert chain.verify(rig.stored()) == (True, None, "")


def test_it_is_told_though_nobody_was_changed_since_the_start() -> None:
    rig = _ended()
    rig.write("access.granted")
    old = _lose_log(rig)
    assert rig.boot().kept[LOST] is True
    assert rig.journal.name != old
    assert rig.journal.boot == 3


def test_a_journal_that_was_nothing_but_its_log_is_told_too() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", **{"operator/op-mal": REVOKED, "command/seen/0": {"by": "op"}})
    old = _lose_log(rig)
    assert len(rig.disk.read("journal.db")) == 4096, "a header and no table"
    journal = rig.boot()
    rig.write("system.started")
    assert rig.health[0] == (False, "journal.db: is empty; a new one was begun")
    assert rig.written[0]["previous"] == {"journal": old, "seq": 2}
    assert journal.kept == {"operator/op-mal": REVOKED, LOST: True}
    assert journal.boot == 2


def test_after_a_checkpoint_the_first_record_of_the_new_log_is_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_file, "CHECKPOINT_PAGES", 8)
    rig = _ended()
    for _ in range(20):
        if not rig.journal._file._log_is_new:
            rig.write("access.granted")
    assert rig.journal._file._log_is_new, "a checkpoint"
    monkeypatch.setattr(journal_file, "CHECKPOINT_PAGES", 1000)
    at_home = rig.journal.count()
    rig.write("access.granted")
    old = _lose_log(rig)
    rig.boot()
    rig.write("system.started")
    assert rig.health[0] == (False, TOLD)
    assert rig.written[0]["previous"] == {"journal": old, "seq": at_home + 1}


def test_a_log_that_is_cut_back_behind_a_command_or_a_signed_checkpoint_is_told() -> None:
    for last in ("command.accepted", "system.checkpoint"):
        rig = Rig(sign=lambda *what: {"sig": "x"})
        rig.boot()
        rig.write("system.started")
        log = rig.disk.read(LOG)
        rig.write(last, **({"command/seen/0": {"by": "op"}} if last.startswith("command") else {}))
        rig.executor.kill()
        rig.health.clear()
        rig.disk.write(LOG, log)
        rig.boot()
        rig.write("system.started")
        assert rig.health[0] == (False, TOLD), last


def test_no_record_costs_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = _ended()
    put: list[str] = []
    monkeypatch.setattr(
        "firmware.services.disk_files.VfsFiles.put", lambda *args: put.append(args[1])
    )
    for n in range(50):
        rig.write("access.granted", **{"usage/7": n})
    assert put == []


def test_a_clean_end_and_a_power_cut_lose_nothing_and_begin_nothing() -> None:
    rig = _ended()
    name = rig.journal.name
    for end in (rig.executor.close, rig.kill, rig.kill):
        rig.write("access.granted", **{"operator/op-mal": {**MAY, "n": rig.loop.now_ms()}})
        end()
        assert rig.boot().name == name
    assert rig.health == []


def test_a_mark_may_be_behind_its_journal() -> None:
    rig = _ended()
    before = rig.disk.read("journal.name")
    rig.write("access.granted", **{"operator/op-mal": REVOKED})
    rig.kill()
    rig.disk.write("journal.name", before)
    name = rig.journal.name
    assert rig.boot().name == name
    assert rig.health == []


def test_a_mark_of_an_older_program_says_nothing_of_the_end() -> None:
    rig = _ended()
    name = rig.journal.name
    rig.executor.kill()
    rig.disk.write("journal.name", f"{name}\n".encode())
    assert journal_mark.read(VfsFiles(rig.disk.vfs_name), "journal.db") == Mark(name)
    assert rig.boot().name == name


def test_a_journal_from_before_the_one_that_the_mark_names_is_set_aside() -> None:
    rig = _ended()
    rig.write("command.accepted", **{"operator/op-mal": {**MAY, "n": 4}})
    rig.executor.close()
    older = rig.disk.read("journal.db")
    for name in ("journal.db", LOG):
        if name in rig.disk.names():
            rig.disk.remove(name, True)
    rig.boot()
    rig.write("command.accepted", **{"operator/op-mal": REVOKED})
    rig.executor.close()
    rig.health.clear()
    rig.disk.write("journal.db", older)
    journal = rig.boot()
    rig.write("system.started")
    assert rig.health[0] == (False, TOLD)
    assert journal.kept == {"operator/op-mal": {**REVOKED, "n": 4}, LOST: True}


def test_a_new_journal_that_was_begun_just_before_its_mark_could_be_written_goes_on() -> None:
    rig = _ended()
    before = rig.disk.read("journal.name")
    _lose_log(rig)
    rig.boot()
    rig.write("system.started")
    name = rig.journal.name
    rig.kill()
    rig.disk.write("journal.name", before)
    rig.health.clear()
    assert rig.boot().name == name
    assert rig.health == []


@pytest.mark.parametrize("how", ["missing", "empty", "bit"])
@pytest.mark.parametrize("log", ["whole", "missing"])
def test_a_journal_without_its_mark_is_told_and_brings_back_nobody(how: str, log: str) -> None:
    rig = _ended()
    rig.write("command.accepted", **{"operator/op-mal": {**REVOKED, "n": 4}, "use/7": [1, None]})
    old, mark = rig.journal.name, bytearray(rig.disk.read("journal.name"))
    rig.executor.kill()
    rig.health.clear()
    if log == "missing":
        rig.disk.remove(LOG, True)
    mark[3] ^= 1
    if how == "missing":
        rig.disk.remove("journal.name", True)
    else:
        rig.disk.write("journal.name", b"" if how == "empty" else bytes(mark))
    journal = rig.boot()
    rig.write("system.started")
    assert rig.health[0] == (False, UNMARKED)
    assert journal.name != old
    n = 4 if log == "whole" else 3
    assert journal.kept == {"operator/op-mal": {**REVOKED, "n": n}, "use/7": [1, None], LOST: True}
    rig.executor.close()
    rig.health.clear()
    assert rig.boot().name == journal.name
    assert rig.health == []


def test_a_mark_that_a_cut_left_half_written_is_still_known() -> None:
    rig = _ended()
    name, mark = rig.journal.name, rig.disk.read("journal.name")
    rig.executor.kill()
    rig.disk.write("journal.name", mark[:5])
    rig.disk.write("journal.name.new", mark)
    assert rig.boot().name == name


def test_one_flipped_bit_of_a_mark_is_seen_and_still_says_that_there_was_a_journal(
    tmp_path: Path,
) -> None:
    path, files = str(tmp_path / "journal.db"), Files()
    assert journal_mark.read(files, path) is None
    journal_mark.keep(files, path, Past("5f3a9c01", 90311, 12))
    mark = tmp_path / "journal.name"
    whole = mark.read_bytes()
    assert journal_mark.read(files, path) == Mark("5f3a9c01", 12, 90311)
    for at in range(len(whole)):
        mark.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert journal_mark.read(files, path) == Mark(), at


def test_while_nothing_can_be_written_a_journal_without_its_log_still_revokes() -> None:
    rig = _ended()
    rig.write("command.accepted", **{"command/seen/0": {"by": "op"}, "operator/op-mal": REVOKED})
    _lose_log(rig)
    rig.disk.fail("full")
    journal = rig.boot()
    assert journal.kept == {"operator/op-mal": {**REVOKED, "n": 3}, LOST: True}
    rig.disk.fail("none")
    rig.append("system.started")
    rig.run(5000)
    assert (False, TOLD) in rig.health
    assert rig.stored()[0]["previous"]["seq"] == 3


@pytest.mark.parametrize("mark", [b"", b"garbage", None])
def test_while_nothing_can_be_written_a_journal_without_its_mark_still_revokes(
    mark: bytes | None,
) -> None:
    rig = _ended()
    rig.write("command.accepted", **{"command/seen/0": {"by": "op"}, "operator/op-mal": REVOKED})
    rig.executor.kill()
    if mark is None:
        rig.disk.remove("journal.name", True)
    else:
        rig.disk.write("journal.name", mark)
    rig.disk.fail("full")
    journal = rig.boot()
    assert journal.kept["operator/op-mal"]["revoked"]
    assert journal.kept[LOST] is True
    assert (journal.boot == 0) == (journal.name == "")
    rig.disk.fail("none")
    rig.append("system.started")
    rig.run(5000)
    assert (False, UNMARKED) in rig.health
    rig.executor.close()
    assert rig.boot().kept["operator/op-mal"]["revoked"]


def test_what_was_durable_is_there_when_the_file_is_opened_again_while_running() -> None:
    rig = _ended()
    name = rig.journal.name
    connection = rig.journal._file._connection
    assert connection is not None
    connection.wal_checkpoint()  # so that the mark says no more than what is at home
    rig.write("access.granted", mode="blocked")
    rig.journal._file._let_go()
    rig.disk.remove(LOG, True)
    rig.append("access.granted")
    rig.run(5000)
    assert rig.journal.name != name
    assert (False, TOLD) in rig.health
    rig.kill()
    assert rig.boot().kept["mode"] == "blocked"
