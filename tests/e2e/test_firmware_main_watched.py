"""The program under a service manager: hung or dead, it is back, with its outputs safe meanwhile."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from service_rig import ROOT, Service

import hal.board

BOARD = ROOT / "board_configs/rpi4-one-door.toml"
PROGRAM = Path(__file__).parent / "watched_main.py"
PETS = 12  #: more than fit into the time that the manager waits for one


class Rig:
    """The program on a board of wires, under a stand-in for systemd."""

    def __init__(self, folder: Path, board: Path = BOARD) -> None:
        self.state = folder / "state"
        self.levels = folder / "levels.txt"
        self.service = Service(
            [str(PROGRAM), str(self.levels)],
            ["--board", str(board), "--state", str(self.state)],
            folder,
        )
        devices = hal.board.load(str(BOARD))["devices"]
        self.locks = [d["line"] for d in devices.values() if d["driver"] == "lock"]
        self.active = {
            d["line"]: "low" if d["active"] == "low" else "high"
            for d in devices.values()
            if d["driver"] == "lock"
        }
        self.service.start()
        self.service.until("ready", 1)

    def energised(self) -> list[str]:
        """The locks that have current, by the board's pins as somebody left them."""
        last = dict(line.split() for line in self.levels.read_text().splitlines())
        return [line for line in self.locks if last[line] == self.active[line]]

    def engage(self) -> None:
        """Until the yard's magnet holds."""
        for _ in range(1000):
            if self.energised():
                return
            self.service.step()
        raise AssertionError(f"no lock is engaged: {self.service.errors.read_text()}")

    def events(self) -> list[dict[str, Any]]:
        connection = apsw.Connection(str(self.state / "journal.db"))
        rows = connection.execute("SELECT body FROM events ORDER BY seq")
        return [json.loads(str(row[0])) for row in rows]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A program that decides."""
    one = Rig(tmp_path)
    yield one
    one.service.close()


def test_it_is_ready_when_it_decides_pets_and_says_goodbye(rig: Rig) -> None:
    rig.engage()
    service = rig.service
    assert service.status.endswith(" decides")
    service.until("pet", PETS)
    assert service.count("bitten") == 0
    assert service.stop() == 0
    assert service.count("stopping") == 1
    assert rig.energised() == []
    assert rig.levels.with_suffix(".txt.loaded").read_text() == ""
    assert rig.levels.with_suffix(".txt.frozen").exists()


def test_a_certificate_that_ends_soon_is_an_alarm_once_the_door_decides(tmp_path: Path) -> None:
    ca, key = tmp_path / "ca.pem", tmp_path / "ca.key"
    words = ["-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x", "-days", "3"]
    subprocess.run(
        ["openssl", "req", *words, "-keyout", key, "-out", ca], check=True, capture_output=True
    )
    board = tmp_path / "board.toml"
    board.write_text(BOARD.read_text().replace("/etc/doorward/tls/ca.pem", str(ca)))
    (tmp_path / "levels.txt.trusted").touch()
    rig = Rig(tmp_path, board)
    try:
        told = rig.levels.with_suffix(".txt.told")
        for _ in range(1000):
            if told.exists() and "certificate_expiring True" in told.read_text():
                break
            rig.service.step()
        assert rig.service.stop() == 0
    finally:
        rig.service.close()
    raised = [event for event in rig.events() if event["type"] == "alarm.raised"]
    assert "certificate_expiring" in {event["class"] for event in raised}


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGUSR1, signal.SIGKILL])
def test_a_hung_or_dead_door_is_made_safe_and_is_back_in_time(
    rig: Rig, blow: signal.Signals
) -> None:
    rig.engage()
    service = rig.service
    assert service.process is not None
    service.process.send_signal(blow)
    service.until("safe 0", 1)
    assert rig.energised() == []
    service.until("ready", 2)
    assert service.count("bitten") == (0 if blow == signal.SIGKILL else 1)
    rig.engage()
    assert service.stop() == 0
    seqs = [event["seq"] for event in rig.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert [e["type"] for e in rig.events()].count("system.started") == 2


def test_the_boards_own_watchdog_is_opened_and_petted_by_a_door_that_decides_and_by_no_start_that_dies(
    tmp_path: Path,
) -> None:
    board = tmp_path / "board.toml"
    device = 'watchdog = "/dev/watchdog0"'
    board.write_text(BOARD.read_text().replace("[controller]\n", f"[controller]\n{device}\n", 1))
    rig = Rig(tmp_path, board)
    try:
        told, crash = Path(f"{rig.levels}.watchdog"), Path(f"{rig.levels}.crash")
        rig.service.until("pet", PETS)
        opened, *petted = told.read_text().splitlines()
        assert opened == "opened /dev/watchdog0"
        assert set(petted) == {"petted"}
        crash.touch()
        assert rig.service.process is not None
        rig.service.process.kill()
        rig.service.until("safe 0", 3)  # two starts have died since
        left = told.read_text().splitlines()
        assert [word for word in left if word != "petted"] == [opened]
        crash.unlink()
        rig.service.until("ready", 2)
        rig.service.until("pet", rig.service.count("pet") + 2)
        assert rig.service.stop() == 0
        since = told.read_text().splitlines()[len(left) :]
        assert since[:2] == [opened, "petted"]
        assert since[-1] == "stopped"
    finally:
        rig.service.close()


def test_a_loop_that_hangs_says_where_and_no_more(rig: Rig) -> None:
    rig.engage()
    assert rig.service.process is not None
    rig.service.process.send_signal(signal.SIGUSR1)
    rig.service.until("safe 0", 1)
    said = rig.service.errors.read_text()
    assert "Fatal Python error: Aborted" in said
    assert "in hang" in said


def test_a_program_that_is_told_to_start_anew_ends_cleanly_and_is_started(rig: Rig) -> None:
    assert rig.service.process is not None
    rig.service.process.send_signal(signal.SIGUSR2)
    rig.service.until("ended 0", 1)
    rig.service.until("ready", 2)
    assert rig.service.count("bitten") == 0
    rig.engage()
    assert rig.service.stop() == 0
    kinds = [e["type"] for e in rig.events() if e["type"] in ("system.started", "system.stopping")]
    assert kinds == ["system.started", "system.stopping"] * 2


def test_without_a_service_manager_it_starts_itself_anew(rig: Rig) -> None:
    assert rig.service.stop() == 0
    arguments = ["--board", str(BOARD), "--state", str(rig.state)]
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(rig.levels), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for _ in range(2):  # the last thing that a start does is to try the link
            while not process.stderr.readline().startswith("link: "):
                assert process.poll() is None
            process.send_signal(signal.SIGUSR2)
        while not process.stderr.readline().startswith("link: "):
            assert process.poll() is None
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert [e["type"] for e in rig.events()].count("system.started") == 1 + 3


def test_a_config_that_was_sent_is_the_one_once_the_controller_decides_with_it(rig: Rig) -> None:
    sent = BOARD.read_text().replace("[portals.yard]", "[portals.yard]\nsettle_ms = 321", 1)
    Path(f"{rig.levels}.toml").write_text(sent)
    assert rig.service.process is not None
    rig.service.process.send_signal(signal.SIGUSR2)
    rig.service.until("ended 0", 1)
    rig.service.until("ready", 2)
    assert rig.service.stop() == 0
    assert "answer: None" in rig.service.errors.read_text()
    assert (rig.state / "board.toml").read_text() == sent
    assert not (rig.state / "board.next.toml").exists()
    told = [e["text"] for e in rig.events() if e.get("part") == "config"]
    assert told == ["the config that was sent is in use from now on"]
    check = subprocess.run(
        [
            sys.executable,
            "-m",
            "firmware",
            "--board",
            str(BOARD),
            "--state",
            str(rig.state),
            "--check",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    own = rig.state / "board.toml"
    assert f"! {own}: sent by config.apply; used in place of {BOARD}" in check.stderr


def test_a_config_that_is_wrong_changes_nothing_and_says_why(rig: Rig) -> None:
    Path(f"{rig.levels}.toml").write_text("schema = 1\n")
    assert rig.service.process is not None
    rig.service.process.send_signal(signal.SIGUSR2)
    for _ in range(1000):
        if "answer: " in rig.service.errors.read_text():
            break
        rig.service.step()
    said = rig.service.errors.read_text()
    assert "; expected " in next(line for line in said.splitlines() if line.startswith("answer: "))
    assert rig.service.stop() == 0
    assert not (rig.state / "board.next.toml").exists()


def test_a_config_that_cannot_start_is_dropped_and_the_old_one_runs(rig: Rig) -> None:
    assert rig.service.stop() == 0
    (rig.state / "board.next.toml").write_text(BOARD.read_text())
    (rig.state / "board.tries").write_text("2")
    rig.service.start()
    rig.service.until("ready", 2)
    assert rig.service.stop() == 0
    assert not (rig.state / "board.toml").exists()
    faults = [e for e in rig.events() if e["type"] == "system.fault" and e["part"] == "config"]
    assert [e["text"] for e in faults] == ["config: did not start 2 times; the one before is used"]
