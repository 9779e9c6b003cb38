"""The controller's own program, as systemd and the installer start it: start, stop, second start, walk."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw

ROOT = Path(__file__).parents[2]
WIRED = Path(__file__).parent / "wired_main.py"
BOARD = "board_configs/rpi4-one-door.toml"
PATIENCE_S = 60


def _start(state: Path, *args: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(WIRED), BOARD, "--state", str(state), *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _events(state: Path) -> list[dict[str, Any]]:
    """What is in the journal, once nobody writes it."""
    connection = apsw.Connection(str(state / "journal.db"))
    return [
        json.loads(str(row[0]))
        for row in connection.execute("SELECT body FROM events ORDER BY seq")
    ]


def _lives(process: "subprocess.Popen[str]") -> None:
    """Until the link has been tried: the last thing that a start does."""
    assert process.stderr is not None
    while not process.stderr.readline().startswith("link: "):
        assert process.poll() is None


def test_it_starts_says_so_stops_when_told_and_starts_again_where_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        process = _start(tmp_path)
        try:
            _lives(process)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, said
        assert "Traceback" not in said
    events = _events(tmp_path)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    kinds = [e["type"] for e in events if e["type"].startswith("system.") and "part" not in e]
    kinds = [kind for kind in kinds if kind != "system.checkpoint"]  # theirs is the journal's story
    assert kinds[:3] == ["system.journal_started", "system.started", "system.stopping"]
    assert kinds[3:] == ["system.started", "system.stopping"]


def test_a_walk_through_test_that_is_left_out_says_so_and_leaves_its_record(tmp_path: Path) -> None:
    process = _start(tmp_path, "--egress-test", "--lang", "en")
    said = ""
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        for line in process.stdout:
            said += line
            if " now" in line:
                process.stdin.write("skip nobody is here\n")
                process.stdin.flush()
        errors = process.communicate(timeout=PATIENCE_S)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1, (said, errors)
    assert said.count("nobody is here") > 1
    assert "Traceback" not in errors
    left = [e for e in _events(tmp_path) if e["type"] == "system.egress_test"]
    assert {e.get("portal") for e in left} >= {"yard"}
    assert all("passed" not in json.dumps(e["results"]) for e in left)
