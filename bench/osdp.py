"""From a card on an OSDP reader to its event in the controller, beside libosdp's own blocking example.

The same reader, libosdp's peripheral side in a process of its own on a pseudo-terminal, is read first by the
library's Python example (`osdp.ControlPanel`, refreshed every 20 ms, `get_event` that waits) and then by
this project's bus. Once as a reader that answers when it is asked (it looks at its line every millisecond),
and once every 20 ms, as the library's own example of a reader does. "At most half" is held with the first;
with the second it is not: the library's pause and the reader's step alone take more (docs/osdp.md).
"""

import importlib
import os
import random
import select
import statistics
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from typing import Any, TextIO

from hal.backends.libosdp_readers import LibosdpBuses
from hal.backends.pyserial_port import PyserialPorts

CARDS = 60
KEY = bytes(range(16))
_PATIENCE_S = 20.0

_READER = """
import os, select, sys, time, osdp_sys
class Port:
    id = 1
    def read(self, most):
        try:
            return os.read(FD, most)
        except BlockingIOError:
            return b""
    def write(self, data):
        return os.write(FD, data)
    def flush(self):
        pass
FD, STEP = int(sys.argv[1]), int(sys.argv[2]) / 1000
os.set_blocking(FD, False)
osdp_sys.set_loglevel(0)
about = dict(name="bench", address=0, flags=0, scbk=bytes(range(16)), channel=Port(), version=1,
             model=1, vendor_code=1, serial_number=1, firmware_version=1)
can = [dict(function_code=code, compliance_level=1, num_items=1) for code in
       (osdp_sys.CAP_CARD_DATA_FORMAT, osdp_sys.CAP_COMMUNICATION_SECURITY)]
reader = osdp_sys.PeripheralDevice(about, capabilities=can)
reader.set_command_callback(lambda command: (0, None))
card = dict(event=1, reader_no=0, format=1, direction=0, length=26, data=bytes((1, 2, 3, 64)))
look_s = time.monotonic()
while True:
    # One that looks at its line at its own pace does not look sooner because a card has come.
    wait_s = max(0, look_s - time.monotonic())
    ready = select.select([0] if STEP > 0.01 else [0, FD], [], [], wait_s)[0]
    if 0 in ready:
        if not os.read(0, 64):
            break
        reader.submit_event(card)
    if FD in ready or time.monotonic() >= look_s:
        reader.refresh()
        look_s = time.monotonic() + STEP
"""


def table(out: TextIO) -> None:
    """Print both, with their ratio."""
    print(f"OSDP, card to event, {CARDS} cards, ms{'':24}{'p50':>8}{'p99':>8}", file=out)
    for step_ms in (1, 20):
        example = _measure(_example, step_ms)
        ours = _measure(_ours, step_ms)
        for name, times in (("libosdp's example", example), ("doorward", ours)):
            p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
            print(f"  {name + f', reader {step_ms} ms':55}{p50:8.1f}{p99:8.1f}", file=out)
        ratio = statistics.median(ours) / statistics.median(example)
        limit = "at most 0.5" if step_ms == 1 else "not held: docs/osdp.md"
        print(f"  {f'ratio of the two at p50 ({limit})':55}{ratio:8.2f}", file=out)


Opened = tuple[Callable[[], object], Callable[[], None]]  # waits for a card; ends


def _measure(panel: Callable[[str], Opened], step_ms: int) -> list[float]:
    """Milliseconds from each card to its event."""
    master, slave = os.openpty()
    tty.setraw(slave)
    reader = subprocess.Popen(
        [sys.executable, "-c", _READER, str(master), str(step_ms)],
        stdin=subprocess.PIPE,
        pass_fds=[master],
        stdout=subprocess.DEVNULL,
    )
    assert reader.stdin is not None
    wait, end = panel(os.ttyname(slave))
    chance = random.Random(1)
    times = []
    try:
        for _ in range(CARDS):
            time.sleep(0.1 + chance.random() * 0.1)  # anywhere between two questions
            began_s = time.monotonic()
            reader.stdin.write(b".")
            reader.stdin.flush()
            wait()
            times.append((time.monotonic() - began_s) * 1000)
    finally:
        end()
        reader.stdin.close()
        reader.wait()
        os.close(master)
        os.close(slave)
    return times


def _ours(port: str) -> Opened:
    buses = LibosdpBuses(PyserialPorts(), lambda device: KEY)
    reader = buses.reader("bench", port, 115_200, 0)
    _until(lambda: reader.up)

    def wait() -> None:
        end_s = time.monotonic() + _PATIENCE_S
        while not any(kind == "bits" for kind, _ in reader.take()):
            assert time.monotonic() < end_s, "no card came"
            select.select([reader.fileno()], [], [], _PATIENCE_S)

    return wait, buses.close


def _example(port: str) -> Opened:
    library: Any = importlib.import_module("osdp")
    serial: Any = importlib.import_module("serial")
    line = serial.Serial(port, 115_200, timeout=0)

    class Channel(library.Channel):  # type: ignore[misc]
        def read(self, max_bytes: int) -> bytes:
            return bytes(line.read(max_bytes))

        def write(self, buf: bytes) -> int:
            return int(line.write(buf))

        def flush(self) -> None:
            line.flush()

    about = library.PDInfo(0, Channel(), scbk=KEY)
    panel = library.ControlPanel([about], log_level=library.LogLevel.Emergency)
    panel.start()
    _until(lambda: panel.is_sc_active(0))

    def wait() -> None:
        event = panel.get_event(0, timeout=_PATIENCE_S)
        assert event is not None, "no card came"

    def end() -> None:
        panel.teardown()
        line.close()

    return wait, end


def _until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < end_s, "the reader never came on line"
        time.sleep(0.01)
