"""What may be wrong when the simulator starts: one clear line, or a record of it and a door that works."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from host_rig import PATIENCE_S, Demo, until

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., Demo]


def _serve(*options: str) -> "subprocess.CompletedProcess[str]":
    """A `sim serve` that is expected to end by itself."""
    command = [sys.executable, "-m", "sim", "serve", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)


def _one_line(told: "subprocess.CompletedProcess[str]", code: int) -> str:
    assert told.returncode == code, told
    assert told.stdout == ""
    lines = told.stderr.splitlines()
    assert len(lines) == 1, told.stderr
    assert "Traceback" not in lines[0]
    return lines[0]


@contextmanager
def _taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_busy_page_port_is_one_clear_line(tmp_path: Path) -> None:
    with _taken_port() as port:
        told = _serve("--port", str(port), "--mqtt-port", "0", "--state", str(tmp_path))
    assert _one_line(told, 1) == (
        f"127.0.0.1:{port}: address already in use; expected a free port (PORT=..., --port)"
    )


def test_a_busy_mqtt_port_is_one_clear_line(tmp_path: Path) -> None:
    with _taken_port() as port:
        told = _serve("--port", "0", "--mqtt-port", str(port), "--state", str(tmp_path))
    assert _one_line(told, 1) == (
        f"127.0.0.1:{port}: port is in use; expected a free port (MQTT_PORT=...)"
    )


@contextmanager
def _cannot_be_written(folder: Path) -> Iterator[Path]:
    """A folder that even root cannot write to, where that can be had; else one below a file."""
    if os.getuid() != 0:
        folder.mkdir()
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
    else:
        file = folder.with_suffix(".file")
        file.write_text("")
        yield file / "state"


def test_a_state_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with _cannot_be_written(tmp_path / "state") as folder:
        told = _serve("--port", "0", "--mqtt-port", "0", "--state", str(folder))
    line = _one_line(told, 1)
    assert line.startswith(f"{folder}: ")
    assert line.endswith("; expected a folder that can be written (--state)")


def test_a_read_only_state_folder_is_one_clear_line(tmp_path: Path) -> None:
    """/proc is read-only to root too."""
    told = _serve("--port", "0", "--mqtt-port", "0", "--state", "/proc/doorward")
    line = _one_line(told, 1)
    assert line.startswith("/proc/doorward: ")
    assert line.endswith("; expected a folder that can be written (--state)")


def test_a_second_simulator_on_the_same_state_is_one_clear_line(demo: Demo) -> None:
    told = _serve("--port", "0", "--mqtt-port", "0", "--state", str(demo.state))
    assert _one_line(told, 1) == (
        f"{demo.state}: used by another simulator; expected a folder of its own (--state)"
    )
    demo.act("press_rex", portal="front")
    demo.wait_for("portal.released", portal="front")


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "70000"),
        ("--mqtt", "nowhere"),
        ("--nonsense",),
        ("--board", "missing.toml"),
        ("--board", "tests/scenario/held.toml"),
    ],
)
def test_wrong_use_ends_with_2_and_no_traceback(options: tuple[str, ...]) -> None:
    told = _serve(*options)
    assert told.returncode == 2
    assert told.stdout == ""
    assert "Traceback" not in told.stderr
    assert told.stderr.strip()


def _spoil(file: Path) -> bytes:
    """Make a database no database any more, as a card that wears out does."""
    spoilt = os.urandom(4096) + file.read_bytes()[4096:]
    file.write_bytes(spoilt)
    for name in (f"{file}-wal", f"{file}-shm"):
        Path(name).unlink(missing_ok=True)
    return spoilt


def test_a_corrupt_journal_is_set_aside_told_and_the_door_works(start_demo: Start) -> None:
    first = start_demo()
    first.act("press_rex", portal="front")
    before = first.wait_for("portal.released", portal="front")
    first.stop(signal.SIGKILL)
    spoilt = _spoil(first.state / "journal.db")

    second = start_demo()
    second.act("present_card", access_point="front-in", person="resident")
    granted = second.wait_for("access.granted")
    assert granted["journal"] != before["journal"]
    fault = second.wait_for("system.fault", part="journal")
    assert "journal.db" in fault["text"]
    assert "set aside" in fault["text"]
    assert second.wait_for("system.journal_started")["seq"] == 1
    kept = [path for path in second.state.rglob("*") if path.is_file() and _holds(path, spoilt)]
    assert kept, "the spoilt file is gone"


def _holds(path: Path, spoilt: bytes) -> bool:
    return path.name != "journal.db" and path.read_bytes()[: len(spoilt)] == spoilt


def test_a_corrupt_store_is_replaced_by_its_last_good_copy(start_demo: Start) -> None:
    first = start_demo()
    first.world()
    first.stop()
    spoilt = _spoil(first.state / "keys.db")

    second = start_demo()
    second.act("present_card", access_point="front-in", person="resident")
    second.wait_for("access.granted", credential=1001)
    fault = second.wait_for("system.fault", part="store")
    assert "keys.db" in fault["text"]
    second.act("enter_pin", access_point="front-in", digits="2580")
    second.wait_for("access.granted", verification="pin")
    assert [path for path in second.state.rglob("*") if path.is_file() and _holds(path, spoilt)]


def test_every_file_of_the_state_spoilt_and_the_door_works_but_revives_no_key(
    start_demo: Start,
) -> None:
    first = start_demo()
    first.world()
    first.stop()
    for path in first.state.iterdir():
        if path.is_file() and path.name != "in-use":
            path.write_bytes(b"\x00" * 100)
    second = start_demo()
    second.act("press_rex", portal="yard")
    second.wait_for("portal.released", portal="yard", cause="rex")
    # A key may have been lost or removed before: nobody can know, so nobody is let in.
    fault = second.wait_for("system.fault", part="store")
    assert "no good copy: all keys are lost" in fault["text"]
    second.act("present_card", access_point="front-in", person="resident")
    second.wait_for("access.denied", reason="unknown_credential")


def test_a_state_that_was_moved_is_used_again(start_demo: Start, tmp_path: Path) -> None:
    first = start_demo()
    first.world()
    first.stop()
    moved = first.state.rename(tmp_path / "moved")
    second = start_demo(state=moved)
    assert second.wait_for("system.started", boot=2)["boot"] == 2
    until("nothing waits", lambda: second.world()["waiting"] == 0)
