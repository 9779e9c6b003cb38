"""Ten faults, put into a copy of the core one at a time: the model's quick run catches each of them.

A fault is one exact string in place of another; it must stand in its file exactly once, so that a fault
whose place has moved is noticed.
"""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ROOT / "tests/model/walk.py"
SEEDS = [str(seed) for seed in range(16)]
AT_ONCE = 2

#: file  str  of firmware/access
#: was   str  the right code
#: now   str  the fault
Fault = namedtuple("Fault", ("file", "was", "now"))

FAULTS = {
    "an ended key lives one second longer": Fault(
        "credential.py", "now.utc_s >= ends_s", "now.utc_s > ends_s"
    ),
    "lockdown refuses those with an override": Fault(
        "credential.py",
        "mode == portal.LOCKED_DOWN and not key.override",
        "mode == portal.LOCKED_DOWN",
    ),
    "an exit button's time ends when the door opens": Fault(
        "release.py", "(EGRESS, OPENED): (EGRESS, _KEEP)", "(EGRESS, OPENED): (ENGAGED, _STOP)"
    ),
    "an alarm that was seen is over": Fault(
        "alarm.py",
        "(UNACKNOWLEDGED, ACKNOWLEDGE): (ACKNOWLEDGED,",
        "(UNACKNOWLEDGED, ACKNOWLEDGE): (NORMAL,",
    ),
    "an interlocked door counts only where it stands open": Fault(
        "interlock.py", "door.door_open or door.unlocked", "door.door_open"
    ),
    "fire forgets what the key switch has to end": Fault(
        "fire.py",
        "elif was_burning and self._reset == MANUAL:",
        "elif was_burning and self._reset == INPUT:",
    ),
    "a block is not kept over a power cut": Fault(
        "access_point.py",
        'effects.append(Keep("block/" + self.name, now.utc_s + block_s))',
        "pass",
    ),
    "who did not open the door has passed it": Fault(
        "entry.py",
        "if effect.type == record.ACCESS_TAKEN:",
        "if effect.type in _VERDICTS:",
    ),
    "a partition is armed over an open sensor": Fault(
        "partition.py",
        "(EXITING, TIMEOUT_OPEN): (DISARMED, _STOP, REFUSED)",
        "(EXITING, TIMEOUT_OPEN): (ARMED, _STOP, NOW_ARMED)",
    ),
    "a duress alarm lights the beacon": Fault("alarm.py", "SILENT = (DURESS,)", "SILENT = ()"),
}


def _with(fault: Fault, folder: Path) -> Path:
    """A copy of the core with `fault` in it."""
    shutil.copytree(ROOT / "firmware/access", folder / "firmware/access")
    shutil.copy(ROOT / "firmware/__init__.py", folder / "firmware/__init__.py")
    file = folder / "firmware/access" / fault.file
    text = file.read_text()
    assert text.count(fault.was) == 1, f"{fault.file}: {fault.was}: not there once"
    file.write_text(text.replace(fault.was, fault.now))
    return folder


def _begin(folder: Path, *seeds: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-B", str(QUICK), "--quick", *seeds],
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_each_of_ten_faults_is_caught(tmp_path: Path) -> None:
    assert len(FAULTS) == 10
    waiting = [(name, _with(FAULTS[name], tmp_path / str(n))) for n, name in enumerate(FAULTS)]
    missed = []
    while waiting:
        pair = [(name, _begin(folder, *SEEDS)) for name, folder in waiting[:AT_ONCE]]
        del waiting[:AT_ONCE]
        for name, run in pair:
            out, err = run.communicate(timeout=600)
            assert not err, err
            print(f"{name}: {out.splitlines()[0] if out else 'missed'}")
            if run.returncode != 1:
                missed.append(name)
    assert missed == []


def test_the_core_as_it_is_passes_the_same_quick_run(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "firmware/access", tmp_path / "firmware/access")
    shutil.copy(ROOT / "firmware/__init__.py", tmp_path / "firmware/__init__.py")
    out, err = _begin(tmp_path, *SEEDS[:4]).communicate(timeout=600)
    assert (out, err) == ("", "")


def test_a_fault_whose_place_has_moved_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not there once"):
        _with(Fault("fire.py", "no such words", ""), tmp_path)
