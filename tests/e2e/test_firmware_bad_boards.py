"""The real program and backends on a machine that is not the board: one line a cause, and it lives."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Any

import apsw
import pytest
from link_rig import Seen
from pty_rig import PtyRig

from hal.backends import access

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60

CHIP = (
    "gpiod: no chip in /dev; expected pinctrl-bcm2711: a kernel with the GPIO character device, "
    "on the board that the config names"
)
PORT = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"


def _events(state: Path) -> list[dict[str, Any]]:
    connection = apsw.Connection(str(state / "journal.db"))
    rows = connection.execute("SELECT body FROM events ORDER BY seq")
    return [json.loads(str(row[0])) for row in rows]


@pytest.mark.skipif(
    bool(glob("/dev/gpiochip*")), reason="NOT RUN ON A KERNEL'S GPIO CHIP: one is here"
)
def test_a_machine_without_chip_and_port_says_each_once_and_what_it_stops(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "firmware", "--board", "board_configs/rpi4-one-door.toml"]
    process = subprocess.Popen(
        [*command, "--state", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    try:
        assert process.stderr is not None
        for line in process.stderr:  # the port is the last: a fault that has lasted a second
            said.append(line)
            if PORT in line:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=PATIENCE_S)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, rest
    (chip,) = [line for line in said if "gpiod" in line]
    assert chip.startswith("yard-magnet, yard-led, ")
    assert chip.endswith(f": {CHIP}\n")
    assert said[-1] == (
        f"yard-reader: {PORT}: not there; expected the reader or its adapter plugged in\n"
    )
    events = _events(tmp_path)
    stopped = {event["part"] for event in events if event["type"] == "system.fault"}
    assert {"yard-magnet", "yard-contact", "yard-exit", "fire-loop"} <= stopped
    raised = {(e["class"], e["point"]) for e in events if e["type"] == "alarm.raised"}
    assert ("lock_fault", "yard-magnet") in raised
    assert ("reader_fault", "yard-reader") in raised
    assert ("reader_fault", "yard-exit") in raised


# ---- on a fake of the kernel's chip ----------------------------------------------------------------------

TWO_DOORS = ROOT / "board_configs" / "cm4-two-doors.toml"
SERIAL = "/dev/serial0"
NOT_THERE = "not there; expected the reader or its adapter plugged in"
# A fault that is there is an alarm; the link, which nobody answers, says when it is tried: it starts last.
AT_ONCE = "[alarms.fault_after_ms]\nreader_fault = 0\nlock_fault = 0\n"
AT_ONCE += '[link]\nhost = "127.0.0.1"\nport = 1\n'
STREET, HANDLE = 17, 20  # the strike of its street door, and what opens it from inside


class Machine:
    """The program on the machine of `ill_main`; the street door's reader hangs on a pseudo-terminal."""

    def __init__(self, folder: Path, **case: Any) -> None:
        self.state = folder / "state"
        self.port = PtyRig()
        self.chip = folder / "gpiochip0"
        board = folder / "board.toml"
        text = TWO_DOORS.read_text().split("[link]")[0]
        assert SERIAL in text
        board.write_text(text.replace(SERIAL, self.port.name) + AT_ONCE)
        case["folder"] = str(folder)
        program = [sys.executable, str(ROOT / "tests/e2e/ill_main.py"), json.dumps(case)]
        self._process = subprocess.Popen(
            [*program, "--board", str(board), "--state", str(self.state)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/contract'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said, self.shown = Seen(), Seen()
        for stream, seen in ((self._process.stderr, self.said), (self._process.stdout, self.shown)):
            threading.Thread(target=_follow, args=(stream, seen), daemon=True).start()

    def wait_said(self, words: str) -> str:
        """The line that has these words."""
        found = self.said.wait(words, lambda lines: [line for line in lines if words in line])
        return str(found[0])

    def leave_by_the_handle(self) -> None:
        """Somebody leaves by the street door, which then was unlocked."""
        self.wait_said("link: ")
        self._order(f"press {HANDLE}")
        end_s = time.monotonic() + PATIENCE_S
        while True not in self._order(f"shown {STREET}"):
            assert time.monotonic() < end_s, self.said.items
            time.sleep(0.05)

    def _order(self, order: str) -> list[bool]:
        before = len(self.shown.items)
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        self.shown.wait("an answer", lambda items: len(items) > before)
        levels: list[bool] = json.loads(self.shown.items[before])
        return levels

    def stop(self) -> list[dict[str, Any]]:
        """A clean end; what was recorded."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE_S) == 0, self.said.items
        assert [line for line in self.said.items if "Traceback" in line] == []
        return _events(self.state)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self.port.close()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Any]:
    running: list[Machine] = []

    def start(**case: Any) -> Machine:
        running.append(Machine(tmp_path, **case))
        return running[-1]

    yield start
    for machine in running:
        machine.close()


def _faults(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["part"]: event["text"] for event in events if event["type"] == "system.fault"}


def _alarms(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((e["class"], e["point"]) for e in events if e["type"] == "alarm.raised")


def test_a_config_for_another_board_says_which_one_this_is_and_what_it_stops(
    machines: Any,
) -> None:
    machine = machines(model="Raspberry Pi 5 Model B Rev 1.0", label="pinctrl-rp1")
    board = (
        'board: the config is for "cm4" and this machine is a Raspberry Pi 5 Model B Rev 1.0; '
        'expected board = "rpi5"'
    )
    assert machine.wait_said("board: ") == board
    chip = (
        "gpiod: no chip is labelled pinctrl-bcm2711, only pinctrl-rp1 (gpiochip0); expected the "
        "board that the config names"
    )
    assert machine.wait_said("gpiod: ").endswith(chip)
    machine.wait_said("link: ")
    events = machine.stop()
    assert sum("gpiod: " in line for line in machine.said.items) == 1
    faults = _faults(events)
    assert faults["board"] == board
    assert {faults[name] for name in ("street-strike", "cellar-strike", "fire-loop")} == {chip}
    assert ("lock_fault", "street-strike") in _alarms(events)


def test_a_chip_that_may_not_be_opened_says_who_may(machines: Any) -> None:
    machine = machines(denied=errno.EACCES)
    wanted = f"{machine.chip}: may not be opened; expected "
    said = machine.wait_said("may not be opened")
    assert said.endswith(wanted + access.expected(str(machine.chip), "gpio"))
    assert said.startswith("cellar-strike, street-strike, ")
    machine.wait_said("link: ")
    events = machine.stop()
    assert sum("may not be opened" in line for line in machine.said.items) == 1
    assert _faults(events)["street-strike"].startswith(wanted)


def test_a_line_that_is_missing_and_one_that_is_busy_stop_what_hangs_on_them_and_no_more(
    machines: Any,
) -> None:
    machine = machines(count=27, busy={21: "led0"})  # GPIO27 is the cellar's strike
    unknown = "GPIO27: pinctrl-bcm2711 has no such line; expected GPIO0 to GPIO26"
    busy = 'GPIO21: "led0" has the line; expected a free one, then a new start'
    assert machine.wait_said("GPIO27") == f"cellar-strike: {unknown}"
    assert machine.wait_said("GPIO21") == f"street-tamper: {busy}"
    machine.leave_by_the_handle()
    events = machine.stop()
    assert _faults(events) == {"cellar-strike": unknown, "street-tamper": busy}
    raised = [one for one in _alarms(events) if one[1] != "controller"]
    assert raised == [("lock_fault", "cellar-strike"), ("reader_fault", "street-tamper")]
    assert [e["portal"] for e in events if e["type"] == "portal.released"] == ["street"]


def test_a_serial_port_that_vanishes_is_a_line_and_an_alarm_and_its_end_is_told(
    machines: Any,
) -> None:
    machine = machines()
    machine.wait_said("link: ")
    machine.port.unplug()
    gone = f"street-reader: {machine.port.name}: {NOT_THERE}"
    assert machine.wait_said("street-reader: ") == gone
    machine.leave_by_the_handle()
    machine.port.plug()
    machine.wait_said("street-reader: works again")
    events = machine.stop()
    assert [line for line in machine.said.items if line.startswith("street-reader: ")] == [
        gone,
        "street-reader: works again",
    ]
    assert [one for one in _alarms(events) if one[1] != "controller"] == [
        ("reader_fault", "street-reader")
    ]
    told = [e["part"] for e in events if e["type"] in ("system.fault", "system.recovered")]
    assert told == ["street-reader"]


def test_a_fault_whose_cause_changes_is_told_anew_each_cause_once(machines: Any) -> None:
    machine = machines()
    machine.wait_said("link: ")
    machine.port.unplug()
    gone = f"street-reader: {machine.port.name}: {NOT_THERE}"
    assert machine.wait_said("street-reader: ") == gone
    with machine.port.plug_for_another():
        held = (
            f"street-reader: {machine.port.name}: another program has it; "
            "expected nobody else on the reader's port"
        )
        assert machine.wait_said("another program") == held
    machine.wait_said("street-reader: works again")
    events = machine.stop()
    assert [line for line in machine.said.items if line.startswith("street-reader: ")] == [
        gone,
        held,
        "street-reader: works again",
    ]
    assert f"street-reader: {_faults(events)['street-reader']}" == held


def _follow(stream: Any, seen: Seen) -> None:
    with stream:
        for line in stream:
            seen.add(line.rstrip("\n"))
