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


def test_a_self_test_from_a_pipe_leaves_its_record_and_keeps_a_second_program_out(
    tmp_path: Path,
) -> None:
    process = _start(tmp_path, "--selftest", "--lang", "en")
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        while not process.stdout.readline().startswith("Who tests?"):
            assert process.poll() is None
        second = _start(tmp_path, "--selftest", "--lang", "en")
        _, refused = second.communicate(timeout=PATIENCE_S)
        assert second.returncode == 1
        assert refused == (
            f"{tmp_path}: the service has it; expected it stopped: "
            "systemctl stop doorward.target (and start it again afterwards)\n"
        )
        said, errors = process.communicate("Li\n" + "s nobody is here\n" * 4, timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (1, "")
    assert said.count("LEFT OUT: nobody is here") == 4
    (path,) = tmp_path.glob("commissioning-*.json")
    record = json.loads(path.read_bytes())
    assert [step["note"] for step in record["steps"]][3:5] == ["nobody is here", "not reached"]
    assert (tmp_path / "commissioning.part").exists()


def test_ctrl_c_ends_a_self_test_with_what_was_done(tmp_path: Path) -> None:
    process = _start(tmp_path, "--selftest", "--lang", "en")
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdin.write("Li\ns nobody is here\n")
        process.stdin.flush()
        while "LEFT OUT" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (1, "")
    assert "0 of 17 steps are right, 0 failed, 17 left out:" in said
    assert len(list(tmp_path.glob("commissioning-*.json"))) == 1


def test_a_self_test_says_what_is_wrong_with_its_command_line(tmp_path: Path) -> None:
    here = tmp_path / "here.json"
    here.write_text("{}")
    wrong = {
        ("--state", str(tmp_path), "--out", str(here)): (
            f"--out: {here} is there already; expected a new file\n"
        ),
        (): "--state: missing; expected the folder for records and keys\n",
        ("--state", str(tmp_path), "--out", "/no/where/it.json"): (
            "--out: /no/where/it.json: its folder is not there; expected one\n"
        ),
        ("--state", str(tmp_path), "--check"): (
            "doorward: --check: only looks, and --selftest drives; expected one of them\n"
        ),
    }
    for args, line in wrong.items():
        done = subprocess.run(
            [sys.executable, "-m", "firmware", "--board", BOARD, "--selftest", *args],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (2, line)
