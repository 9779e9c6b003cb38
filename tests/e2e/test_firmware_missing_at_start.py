"""The whole program starts while nothing is plugged in, says so once, and takes each device as it comes.

A reader on a serial port, a PN532, a reader that types, an expander and a converter; the fakes stand at the
boundary to the kernel (`missing_main`).
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Nats
from kill_rig import StoringHost
from link_rig import Seen
from pty_rig import PtyRig
from test_pn532_over_pyserial import Chip

from hal.backends.input_keys import EV_KEY, EVENT

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
BOARD = ROOT / "board_configs" / "rpi4-supervised-expander.toml"
PORT = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
PATIENCE_S = 60

PLUGGED = {
    "yard-reader": "not there; expected the reader or its adapter plugged in",
    "nfc-reader": "not there; expected the reader or its adapter plugged in",
    "typing-reader": "not there; expected the reader plugged in",
}
INPUTS = ("yard-contact", "enclosure", "help-button", "yard-tamper", "key-switch")
OUTPUTS = ("yard-led", "yard-buzzer")

MORE = """
[levels.everywhere]
rights = [{ access_point = "*" }]

[access_points.nfc-in]
portal = "yard"
direction = "in"
reader = "nfc-reader"

[devices.nfc-reader]
driver = "serial_reader"
port = "%s"
baud = 115200
framing = "pn532"

[access_points.typing-in]
portal = "yard"
direction = "in"
reader = "typing-reader"

[devices.typing-reader]
driver = "serial_reader"
port = "input:ffff:0035"
framing = "decimal"

[link]
host = "127.0.0.1"
port = %d
"""
KEYS = "credential,card,levels\n1,uid:11111111,everywhere\n2,uid:22222222,everywhere\n"
KEYS += "3,w26:100:12345,everywhere\n"


class _Plug(PtyRig):
    """A port that the program has open, so nobody else may wait for what comes."""

    def send(self, data: bytes) -> None:
        os.write(self.master, data)


class House:
    """A yard gate, all of whose devices beside the board's own lines may be missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.serial, self.nfc = _Plug(), _Plug()
        self.chip = Chip(self.nfc)
        self.serial.unplug()
        self.nfc.unplug()
        self.broker = Nats(folder)
        self.broker.start()
        self.host = StoringHost(self.broker.port, acknowledges=False)
        self.said = Seen()
        self._keyboard = -1
        self.state = folder / "state"
        self.state.mkdir()
        self._board = folder / "board.toml"
        text = BOARD.read_text().split("[link]")[0]
        for old, new in ((PORT, self.serial.name), ('name = "c-08"', 'name = "c-03"')):
            assert old in text
            text = text.replace(old, new)
        self._board.write_text(text + MORE % (self.nfc.name, self.broker.port))
        keys = folder / "keys.csv"
        keys.write_text(KEYS)
        imported = self._start([sys.executable, "-m", "firmware", "--import-keys", str(keys)])
        _, errors = imported.communicate(timeout=PATIENCE_S)
        assert (imported.returncode, errors) == (0, "")
        program = [sys.executable, str(FOLDER / "missing_main.py"), str(folder)]
        self._process = self._start(program)
        threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True).start()

    def plug_in(self) -> None:
        """Everything that was missing, at once."""
        os.mkfifo(self.folder / "pipe")
        self._keyboard = os.open(self.folder / "pipe", os.O_RDWR | os.O_NONBLOCK)
        (self.folder / "pipe").rename(self.folder / "event0")
        for name in ("i2c", "spi"):
            (self.folder / name).touch()
        self.serial.plug()
        self.nfc.plug()

    def type(self, digits: str) -> None:
        """The reader that types."""
        keys = {",": 51, "0": 11}  # include/uapi/linux/input-event-codes.h
        for code in [keys.get(one) or int(one) + 1 for one in digits] + [28]:
            os.write(self._keyboard, EVENT.pack(0, 0, EV_KEY, code, 1))

    def events(self, type: str, key: str) -> list[Any]:
        """A field of every event of a type that the host has heard of."""
        return [one.get(key) for one in list(self.host.arrived) if one["type"] == type]

    def faults(self) -> list[str]:
        """Whose `reader_fault` was raised."""
        raised = [one for one in list(self.host.arrived) if one["type"] == "alarm.raised"]
        return [one["point"] for one in raised if one["class"] == "reader_fault"]

    def until(self, true: Callable[[], Any], what: str) -> None:
        """While the PN532's side goes on."""
        end_s = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end_s, (what, self.said.items, self.host.arrived[-5:])
            if (self.folder / "i2c").exists():
                self.chip.turn()
            time.sleep(0.005)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE_S) == 0, self.said.items

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self.host.leave()
        self.broker.kill()
        if self._keyboard >= 0:
            os.close(self._keyboard)
            self.serial.close()
            self.nfc.close()

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*command, "--board", str(self._board), "--state", str(self.state)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/contract'}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _listen(self, stream: Any) -> None:
        with stream:
            for line in stream:
                self.said.add(line.rstrip("\n"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path)
    yield one
    one.close()


def test_what_is_missing_at_the_start_is_told_once_and_works_as_soon_as_it_is_there(
    house: House,
) -> None:
    missing = [*PLUGGED, *INPUTS]
    house.until(lambda: set(house.faults()) >= set(missing), "not every fault was told")
    house.until(
        lambda: set(house.events("system.fault", "part")) >= set(OUTPUTS), "outputs that fail"
    )
    house.plug_in()
    house.until(
        lambda: set(house.events("system.recovered", "part")) >= {*missing, *OUTPUTS},
        "not every end was told",
    )
    house.serial.send(b"11111111\r\n")
    house.until(lambda: 1 in house.events("access.granted", "credential"), "no card by its line")
    house.chip.uid = bytes.fromhex("22222222")
    house.until(lambda: 2 in house.events("access.granted", "credential"), "no card by the PN532")
    house.chip.uid = None
    house.type("100,12345")
    house.until(lambda: 3 in house.events("access.granted", "credential"), "no card by its keys")
    house.stop()

    assert Counter(house.faults()) == dict.fromkeys(missing, 1)
    assert Counter(house.events("system.recovered", "part")) == dict.fromkeys(
        [*missing, *OUTPUTS], 1
    )
    assert Counter(house.events("system.fault", "part")) == dict.fromkeys(OUTPUTS, 1)
    assert sorted(house.events("access.granted", "credential")) == [1, 2, 3]
    tampers = [one for one in house.host.arrived if one.get("class") == "tamper"]
    assert tampers == []  # what is not known is no alarm of its own
    for name, text in PLUGGED.items():
        lines = [line for line in house.said.items if line.startswith(f"{name}: ")]
        assert len(lines) == 2, lines
        assert text in lines[0]
        assert lines[1] == f"{name}: works again"
    (expander,) = [line for line in house.said.items if "key-switch, yard-tamper: " in line]
    assert "/dev/i2c-1 0x20: does not answer; expected the chip there" in expander
    for name in INPUTS:
        assert house.said.items.count(f"{name}: works again") == 1
