"""`firmware.services.journal_notes`: what was spent, or shut, is so after the journal is lost."""

import random
from pathlib import Path
from typing import Any

import pytest
from test_firmware_services_journal_rig import Rig

from firmware.runtime.command_gate import LOST
from firmware.services import journal_notes
from firmware.services.disk_files import Files
from firmware.services.journal_notes import Notes

NOTES = "journal.notes"
LOG = "journal.db-wal"
SPENT = {"visit/7": [1, 1795], "use/9": [2, 60], "mode/front": ["blocked", "command"]}


def _rig(**kept: Any) -> Rig:
    """A journal that was ended well once, and killed when `kept` was written."""
    rig = Rig()
    rig.boot()
    rig.write("system.started", **{"use/9": [1, 60], "use/10": [3, None], "in/a/9": [True, 5]})
    rig.executor.close()
    rig.boot()
    if kept:
        rig.write("access.granted", **kept)
    rig.executor.kill()
    rig.health.clear()
    return rig


def _after(rig: Rig) -> dict[str, Any]:
    """What the next start knows of uses and modes, once it was told that something is wrong."""
    journal = rig.boot()
    rig.write("system.started")
    assert not rig.health[0][0]
    assert journal.kept.pop(LOST) is True
    return {key: journal.kept[key] for key in journal.kept if key.startswith(journal_notes.KEPT)}


def test_what_was_spent_is_spent_after_the_log_is_lost() -> None:
    rig = _rig(**SPENT)
    rig.disk.remove(LOG, True)
    assert _after(rig) == {**SPENT, "use/10": [3, None]}


def test_a_log_that_is_cut_back_behind_a_use_is_told() -> None:
    rig = _rig()
    rig.boot()
    log = rig.disk.read(LOG)
    rig.write("access.granted", **{"visit/7": [1, 1795]})
    rig.executor.kill()
    rig.disk.write(LOG, log)
    assert _after(rig) == {"visit/7": [1, 1795], "use/9": [1, 60], "use/10": [3, None]}


@pytest.mark.parametrize("name", ["journal.db", LOG])
def test_a_damaged_journal_does_not_know_better(name: str) -> None:
    rig = _rig(**SPENT)
    content = bytearray(rig.disk.read(name))
    content[40:3000] = random.Random(1).randbytes(2960)
    rig.disk.write(name, bytes(content))
    assert _after(rig) == {**SPENT, "use/10": [3, None]}


def test_what_is_forgotten_does_not_come_back() -> None:
    rig = _rig(**{"use/9": None, "mode/front": ["free", "command"]})
    rig.disk.remove(LOG, True)
    assert _after(rig) == {"mode/front": ["free", "command"], "use/10": [3, None]}


def test_a_sound_journal_is_the_truth_and_the_notes_follow_it() -> None:
    rig = _rig(**SPENT)
    rig.disk.write(NOTES, b"\n0badf00d use/9\t[0, null]" * 3)
    rig.boot()
    assert rig.health == []
    assert rig.journal.kept["use/9"] == [2, 60]
    rig.executor.kill()
    rig.disk.remove(LOG, True)
    assert _after(rig) == {**SPENT, "use/10": [3, None]}


def test_a_bit_anywhere_costs_the_line_that_it_is_in_and_nothing_else(tmp_path: Path) -> None:
    notes, file = Notes(Files(), str(tmp_path / "journal.db")), tmp_path / NOTES
    notes.add({"use/7": "[1, null]", "use/8": "[1, null]", "seen/1": "{}", "use/9": None})
    whole, known = file.read_bytes(), {"use/7": "[1, null]", "use/8": "[1, null]", "use/9": "null"}
    assert notes.read() == known
    assert file.stat().st_mode & 0o777 == 0o600
    ends = [at for at, byte in enumerate(whole) if byte == 10]
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        left = notes.read()
        assert left.items() <= known.items()
        assert len(left) >= len(known) - (2 if at in ends else 1), at


def test_a_torn_line_costs_no_other(tmp_path: Path) -> None:
    notes, file = Notes(Files(), str(tmp_path / "journal.db")), tmp_path / NOTES
    notes.add({"use/7": "[1, null]"})
    file.write_bytes(file.read_bytes() + b"\n12345678 use/")
    notes.add({"use/8": "[2, null]"})
    assert notes.read() == {"use/7": "[1, null]", "use/8": "[2, null]"}


def test_a_file_that_grows_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_notes, "LEAST_BYTES", 200)
    notes, file = Notes(Files(), str(tmp_path / "journal.db")), tmp_path / NOTES
    most = 0
    for spent in range(100):
        notes.add({"use/7": f"[{spent}, null]"})
        notes.settle({"use/7": f"[{spent}, null]", "other": "1"})
        most = max(most, file.stat().st_size)
    assert most < 400
    assert notes.read() == {"use/7": "[99, null]"}


def test_a_line_that_could_not_be_written_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes(Files(), str(tmp_path / "journal.db"))

    def full(*args: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Files, "append", full)
        patch.setattr(Files, "put", full)
        notes.add({"use/7": "[1, null]"})
        notes.settle({"use/7": "[1, null]"})
        assert notes.read() == {}
    notes.settle({"use/7": "[1, null]"})
    assert notes.read() == {"use/7": "[1, null]"}


def test_a_folder_in_their_place_gives_way(tmp_path: Path) -> None:
    (tmp_path / NOTES).mkdir()
    notes = Notes(Files(), str(tmp_path / "journal.db"))
    notes.keep({"use/7": "[1, null]"})
    assert notes.read() == {"use/7": "[1, null]"}


@pytest.mark.parametrize("how", ["missing", "garbage"])
def test_while_nothing_can_be_written_a_journal_that_is_lost_still_shuts(how: str) -> None:
    rig = _rig(**SPENT)
    if how == "missing":
        rig.disk.remove("journal.db", True)
        rig.disk.remove(LOG, True)
    else:
        rig.disk.write("journal.db", b"garbage" * 1000)
    rig.disk.fail("full")
    journal = rig.boot()
    assert journal.kept_known
    assert journal.kept == {**SPENT, "use/10": [3, None], LOST: True}
