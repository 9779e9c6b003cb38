"""Faults put into a copy of the firmware, one at a time: the soak catches each of them, and by the right law.

A fault is one exact string in place of another; it must stand in its file exactly once, so that a fault
whose place has moved is noticed. Its seed is the first of six that are tried, so that this takes seconds.
Where stories are drawn otherwise than before, another is found, with the fault in place, by
`door-sim soak --seed 1 --hours 60 --runs 60 --no-shrink`.
"""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("firmware", "hal", "sim", "board_configs")
AT_ONCE = 2

#: file  str  of the firmware
#: was   str  the right code
#: now   str  the fault
#: law   str  what the law that catches it begins with
#: seed  int  the first that is tried
Fault = namedtuple("Fault", ("file", "was", "now", "law", "seed"))

FAULTS = {
    "whoever is left out of all keys keeps theirs": Fault(
        "runtime/key_operations.py", 'bool(given["all"])', "False", "5 removed", 1
    ),
    "the link says that the broker took what it was only sent": Fault(
        "services/link_connection.py",
        "self._tokens[info.mid] = (token, self._now_ms())",
        "self._taken.append(token)",
        "4 retained",
        2,
    ),
    "the link sends the newest first": Fault(
        "services/link_connection.py",
        "token, topic, payload, retain = self._queue.popleft()",
        "token, topic, payload, retain = self._queue.pop()",
        "3 order",
        1,
    ),
    "records are not synced": Fault(
        "services/database.py", '"synchronous", "FULL"', '"synchronous", "OFF"', "3 ", 2
    ),
    "what goes ahead is not synced": Fault(
        "services/journal_ahead.py",
        "self._slot.write(data)\n            self._slot.sync()",
        "self._slot.write(data)",
        "3 ",
        1,
    ),
    "a number is left out": Fault(
        "services/journal_draft.py", "seq = self.seq + 1", "seq = self.seq + 2", "3 gap", 1
    ),
    "an ended key opens": Fault(
        "access/credential.py", "now.utc_s >= ends_s", "now.utc_s < 0", "5 ", 1
    ),
    "a clock that is set back revives a key": Fault(
        "runtime/site_time.py", "max(utc_s, self._floor_ms // 1000)", "utc_s", "5 ", 24
    ),
    "uses are not kept": Fault(
        "access/credential.py", "Usage(usage.spent + 1, first_s)", "Usage(0, first_s)", "5 uses", 1
    ),
    "a command that was seen runs again": Fault(
        "runtime/command_gate.py", "self._seen[id] = entry", "pass", "6 twice", 8
    ),
    "what ran before a restart runs again": Fault(
        "runtime/command_gate.py",
        "self._seen[name[len(SEEN) :]] = kept[name]",
        "pass",
        "6 twice",
        7003,
    ),
    "a command is never too old": Fault(
        "runtime/command_gate.py", "if utc_ms > expires_ms:", "if not utc_ms:", "6 stale", 2
    ),
    "a command for another controller counts": Fault(
        "runtime/command_gate.py", 'fields.get("to") != self._to', "not self._to", "6 elsewhere", 3
    ),
    "what the broker kept counts": Fault(
        "services/command_desk.py",
        "if message.retained or message.flaw:",
        "if message.flaw:",
        "6 retained",
        12,
    ),
    "a lock waits for no record": Fault(
        "runtime/outputs.py",
        "if waiting is None and batch is not None and not batch.durable:",
        "if waiting is None and batch is None:",
        "3 ",
        27,
    ),
    "an event has left when it is sent": Fault(
        "runtime/outbox.py",
        "self._in_flight[token] = token",
        "self._journal.sent([token])",
        "3 not delivered",
        26,
    ),
    "an alarm that was seen is over": Fault(
        "access/alarm.py",
        "(UNACKNOWLEDGED, ACKNOWLEDGE): (ACKNOWLEDGED,",
        "(UNACKNOWLEDGED, ACKNOWLEDGE): (NORMAL,",
        "4 ",
        5,
    ),
    "a duress alarm lights the beacon": Fault(
        "access/alarm.py", "SILENT = (DURESS,)", "SILENT = ()", "4 beacon lit", 10
    ),
    "a lock keeps its current when its task dies": Fault(
        "runtime/outputs.py",
        "self._drive(device, lock.release_power, self.unread(name) is None)",
        "pass",
        "1 not safe",
        6,
    ),
    "refusals beyond twenty a minute are told by nobody": Fault(
        "runtime/rejections.py", 'fields["count"] = over', "return []", "6 refused untold", 1
    ),
    "records that found no room are told by nobody": Fault(
        "services/journal_news.py",
        'lost = f"; {self._refused} records were refused meanwhile" if self._refused else ""',
        'lost = ""',
        "8 untold",
        6,
    ),
    "a handle is not heard": Fault(
        "access/release.py",
        "(ENGAGED, RELEASE): (RELEASED, _START)",
        "(ENGAGED, RELEASE): (ENGAGED, _KEEP)",
        "1 egress",
        1,
    ),
}


def _with(fault: Fault, folder: Path) -> Path:
    """A copy of the firmware and its simulator with `fault` in it."""
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "page")
        )
    file = folder / "firmware" / fault.file
    text = file.read_text()
    assert text.count(fault.was) == 1, f"{fault.file}: {fault.was}: not there once"
    file.write_text(text.replace(fault.was, fault.now))
    return folder


def _begin(folder: Path, seed: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-B", "-m", "sim", "soak", "--seed", str(seed), "--hours", "6"]
    return subprocess.Popen(
        [*command, "--runs", "6", "--no-shrink"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_each_of_the_faults_is_caught(tmp_path: Path) -> None:
    assert len(FAULTS) >= 10
    waiting = [(name, _with(FAULTS[name], tmp_path / str(n))) for n, name in enumerate(FAULTS)]
    missed = []
    while waiting:
        pair = [(name, _begin(folder, FAULTS[name].seed)) for name, folder in waiting[:AT_ONCE]]
        del waiting[:AT_ONCE]
        for name, run in pair:
            out, err = run.communicate(timeout=1200)
            assert not err, err
            told = [line for line in out.splitlines() if line.startswith("✗ seed")]
            print(f"{name}: {told[0] if told else 'missed'}")
            if run.returncode != 1 or f": law {FAULTS[name].law}" not in told[0]:
                missed.append((name, told))
    assert missed == []


def test_a_fault_whose_place_has_moved_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not there once"):
        _with(Fault("access/fire.py", "no such words", "", "", 1), tmp_path)
