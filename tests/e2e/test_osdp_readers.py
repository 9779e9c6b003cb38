"""The whole program with OSDP readers: libosdp's peripheral side in other processes, over pseudo-terminals.

What it decides is seen at the broker, at the lock's line and at the readers themselves.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Nats
from kill_rig import StoringHost
from link_rig import Seen
from osdp_rig import Peer, Rig, until

from firmware.wire import card_number

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
BOARD = ROOT / "board_configs" / "rpi4-two-doors-osdp.toml"
PORT = "/dev/serial/by-id/usb-FTDI_USB-RS485-if00-port0"
PATIENCE_S = 60
LED, BUZZER = 2, 3
RED, GREEN, AMBER = 1, 2, 3
STRIKES = {"front": "GPIO22", "back": "GPIO23"}
PIN = "314159"
CARD = "w26:100:12345"

# One key, of a card and of a PIN; as `docs/keys-csv.md` has it.
KEYS = f"credential,card,pin,levels\n7,{CARD},{PIN},everywhere\n"
LEVEL = '[levels.everywhere]\nrights = [{ access_point = "*" }]\n\n'


class House:
    """Two doors with a reader each, the controller behind them, and a host that hears of it."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig()
        self.broker = Nats(folder)
        self.broker.start()
        self.host = StoringHost(self.broker.port, acknowledges=False)
        self.said = Seen()
        self.state = folder / "state"
        self.state.mkdir()
        self._levels = folder / "levels"
        self._levels.touch()
        self._board = folder / "board.toml"
        text = BOARD.read_text().split("[link]")[0]
        for old, new in ((PORT, self.rig.port), ('name = "c-06"', 'name = "c-03"')):
            assert old in text
            text = text.replace(old, new)
        link = f'[link]\nhost = "127.0.0.1"\nport = {self.broker.port}\n'
        self._board.write_text(text + LEVEL + link)
        self._process: subprocess.Popen[str] | None = None

    def install(self) -> None:
        """Two new readers get their keys, the controller its one card."""
        keys = self.state.parent / "keys.csv"
        keys.write_text(KEYS)
        self._command("--import-keys", str(keys))
        for address, name in enumerate(("front-reader", "back-reader")):
            self.rig.peer(address, key=None)
            self._command("--osdp-install", name)

    def given(self) -> None:
        """The same, from before: the readers have their keys."""
        keys = self.state.parent / "keys.csv"
        keys.write_text(KEYS)
        self._command("--import-keys", str(keys))
        for address, name in enumerate(("front-reader", "back-reader")):
            (self.state / f"osdp-{name}.key").write_bytes(bytes([address]) * 16)
            self.rig.peer(address, bytes([address]) * 16)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(FOLDER / "lined_main.py"), str(self._levels), *self._args()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True).start()

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE_S) == 0, self.said.items

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.host.leave()
        self.broker.kill()
        self.rig.close()

    def key(self, reader: str) -> bytes:
        return (self.state / f"osdp-{reader}.key").read_bytes()

    def events(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        """What the host has heard, of one type and with these fields."""
        found = [one for one in self.host.arrived if one["type"] == type]
        return [one for one in found if all(one.get(key) == fields[key] for key in fields)]

    def wait(self, type: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """The `count`th event of that kind."""

        def there() -> Any:
            found = self.events(type, **fields)
            return found[count - 1] if len(found) >= count else None

        event: dict[str, Any] = self.host.wait(f"{type} {fields}", there)
        return event

    def wait_alarm(self, point: str, kind: str) -> None:
        """An alarm of that class."""
        self.host.wait(
            f"{kind} of {point}",
            lambda: [
                one for one in self.events("alarm.raised", point=point) if one["class"] == kind
            ],
        )

    def moved(self, door: str) -> list[str]:
        """What was driven at a door's strike."""
        lines = [line.split() for line in self._levels.read_text().splitlines()]
        return [level for line, level in lines if line == STRIKES[door]]

    def _command(self, *args: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "firmware", *self._args(), *args],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

    def _args(self) -> list[str]:
        return ["--board", str(self._board), "--state", str(self.state)]

    def _listen(self, stream: Any) -> None:
        with stream:
            for line in stream:
                self.said.add(line.rstrip("\n"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path)
    yield one
    one.close()


def _told(peer: Peer, command: int) -> list[dict[str, Any]]:
    return [one for one in peer.commands if one.get("command") == command]


def _until_red(peer: Peer) -> None:
    """Its light says that it is ready."""
    until(lambda: [one["on_color"] for one in _told(peer, LED)][-1:] == [RED], "it is not red")


def _show(peer: Peer) -> None:
    """Somebody shows the one card there is."""
    peer.card(card_number.to_bits(CARD))


def test_a_house_of_osdp_readers_from_the_first_key_to_a_reader_that_was_away(house: House) -> None:
    house.install()
    front, back = house.rig.peers[0], house.rig.peers[1]
    house.start()

    # On line: their own lights are what the access point shows, red.
    for peer in (front, back):
        _until_red(peer)

    # A card opens its own door, once; the reader shows and says so.
    _show(front)
    granted = house.wait("access.granted")
    assert (granted["portal"], granted["credential"]) == ("front", 7)
    until(lambda: house.moved("front") == ["low", "high", "low"], "the strike did not move")
    assert house.moved("back") == ["low"]
    until(lambda: GREEN in [one["on_color"] for one in _told(front, LED)])
    assert until(lambda: _told(front, BUZZER))[0]["control_code"] == 2
    assert AMBER not in [one["on_color"] for one in _told(back, LED)]

    # A PIN on the reader's own keys, and a wrong one.
    front.keys((PIN + "#").encode())
    house.wait("access.granted", 2)
    front.keys(b"271828#")
    house.wait("access.denied", portal="front")

    # Its housing, which blocks it, and its supply.
    back.status(1, 0)
    house.wait_alarm("back-reader", "tamper")
    _show(back)
    house.wait("access.denied", portal="back")
    back.status(0, 1)
    house.wait_alarm("back-reader", "power_fault")
    back.status(0, 0)

    # A reader is killed: a fault that says why; the other door goes on.
    front.close()
    house.wait_alarm("front-reader", "reader_fault")
    fault = house.wait("system.fault", part="front-reader")
    assert fault["text"].endswith(
        "does not answer; expected it powered and wired, at this address and baud rate"
    )
    _show(back)
    assert house.wait("access.granted", 3)["portal"] == "back"

    # It is started again: back by itself, and its card works.
    front = house.rig.peer(0, house.key("front-reader"))
    house.wait("system.recovered", part="front-reader")
    _until_red(front)
    _show(front)
    assert house.wait("access.granted", 4)["portal"] == "front"
    house.stop()

    # Nothing was doubled: a record for each thing that was done, and no fault of anything else.
    told = [one["portal"] for one in house.events("access.granted")]
    assert told == ["front", "front", "back", "front"]
    assert [one["portal"] for one in house.events("access.denied")] == ["front", "back"]
    raised = [(one["point"], one["class"]) for one in house.events("alarm.raised")]
    assert sorted(one for one in raised if one[0] != "controller") == [
        ("back-reader", "power_fault"),
        ("back-reader", "tamper"),
        ("front-reader", "reader_fault"),
    ]
    assert len(house.events("system.fault", part="front-reader")) == 1
    assert house.events("system.fault", part="back-reader") == []
    sequence = [event["seq"] for event in house.host.arrived]
    assert sequence == sorted(set(sequence))
    said = [line for line in house.said.items if "front-reader" in line]
    assert said == [fault["text"], "front-reader: works again"]
    for name in ("front-reader", "back-reader"):
        assert house.key(name) not in house.rig.passed


def test_a_bus_that_is_missing_at_the_start_is_told_once_a_reader_and_works_once_it_is_there(
    house: House,
) -> None:
    house.given()
    house.rig.unplug()
    house.start()
    missing = f"{house.rig.port}: not there; expected the reader or its adapter plugged in"
    for name in ("front-reader", "back-reader"):
        assert house.wait("system.fault", part=name)["text"] == missing
        house.wait_alarm(name, "reader_fault")
    house.rig.plug()
    for name in ("front-reader", "back-reader"):
        house.wait("system.recovered", part=name)
    _show(house.rig.peers[1])
    assert house.wait("access.granted")["portal"] == "back"
    house.stop()
    for name in ("front-reader", "back-reader"):
        said = [line for line in house.said.items if line.startswith(f"{name}: ")]
        assert said == [f"{name}: {missing}", f"{name}: works again"]
        assert len(house.events("system.fault", part=name)) == 1
        assert len(house.events("system.recovered", part=name)) == 1
    assert len(house.events("access.granted")) == 1
