"""The real program and backends on a machine that is not the board: one line a cause, and it lives."""

import json
import os
import signal
import subprocess
import sys
from glob import glob
from pathlib import Path
from typing import Any

import apsw
import pytest

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
