"""`firmware.services.link_channel`: a link that is its own service waits for its door, and ends with it."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_firmware_services_link import CONFIG

from firmware.services.link_records import encode

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60
FIRST = encode("config", link=CONFIG, root="r", client="c", will="{}", protocol="", clean=False)


class Rig:
    """The link's own program, and a door of this test's."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "link.sock")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.notify.settimeout(PATIENCE_S)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firmware.services.link_process", "--socket", self.path],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "NOTIFY_SOCKET": str(folder / "notify"),
                "WATCHDOG_USEC": "9000000",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        self.door: socket.socket | None = None

    def waits(self) -> str:
        """The line that says that nobody is there."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def called(self) -> socket.socket:
        """Be there, and be called."""
        with socket.socket(socket.AF_UNIX) as place:
            place.settimeout(PATIENCE_S)
            place.bind(self.path)
            place.listen()
            self.door, _ = place.accept()
        self.door.settimeout(PATIENCE_S)
        return self.door

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.notify.close()
        if self.door is not None:
            self.door.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    one = Rig(tmp_path)
    yield one
    one.close()


def test_it_waits_for_a_door_that_is_not_there_and_says_so_once(rig: Rig) -> None:
    text = "no such file or directory; waiting for the door"
    assert rig.waits() == f"link: {rig.path}: {text}\n"
    assert rig.notify.recv(100) == b"WATCHDOG=1"
    door = rig.called()
    door.sendall(FIRST)
    assert json.loads(door.recv(4096).splitlines()[0])["kind"] == "health"  # nobody at port 9
    rig.process.send_signal(signal.SIGTERM)
    _, more = rig.process.communicate(timeout=PATIENCE_S)
    assert (rig.process.returncode, more) == (0, "")


@pytest.mark.parametrize("configured", [False, True])
def test_a_door_that_goes_without_a_word_ends_it_as_failed(rig: Rig, configured: bool) -> None:
    door = rig.called()
    if configured:
        door.sendall(FIRST)
    door.close()
    assert rig.process.wait(PATIENCE_S) == 1


@pytest.mark.parametrize("called", [False, True])
def test_told_to_end_before_it_has_a_config_it_ends_at_once(rig: Rig, called: bool) -> None:
    rig.waits()
    if called:
        rig.called()
    rig.process.send_signal(signal.SIGTERM)
    assert rig.process.wait(PATIENCE_S) == 0


def test_it_pets_while_it_waits_for_its_config(rig: Rig) -> None:
    rig.called()
    for _ in range(2):  # the second one at a turn of its loop, or of another call
        assert rig.notify.recv(100) == b"WATCHDOG=1"


def test_a_door_that_makes_no_sense_is_told_and_left(rig: Rig) -> None:
    door = rig.called()
    door.sendall(b"open\n")
    assert json.loads(door.recv(4096))["text"].startswith("link: a line that is no JSON")
    assert rig.process.wait(PATIENCE_S) == 3


def test_a_path_that_cannot_be_one_is_wrong_use() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "firmware.services.link_process", "--socket", "/" + "x" * 200],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (2, "link: AF_UNIX path too long\n")
