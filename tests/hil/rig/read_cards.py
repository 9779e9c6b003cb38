"""Runs in the guest: the Wiegand driver on the kernel's edges; prints each card as the wire says it.

read_cards.py LABEL D0 D1 READY: READY is a file that appears when it listens.
"""

import select
import signal
import sys
from pathlib import Path

from firmware.access.secret import plain
from firmware.wire import wiegand
from firmware.wire.readings import CardRead
from hal.backends.gpiod_lines import GpiodLines
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.drivers.wiegand_reader import WiegandReader
from hal.ports import BITS


def main(label: str, d0: str, d1: str, ready: str) -> int:
    """Listen until SIGTERM."""
    ended: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    lines, ticks = GpiodLines(label), MonotonicTicks()
    inputs = lines.inputs([d0, d1], True, "none")
    reader = WiegandReader(inputs)
    Path(ready).touch()
    while not ended:
        due_ms = reader.deadline_ms
        wait_s = 0.2 if due_ms is None else max(due_ms - ticks.ticks_ms(), 0) / 1000
        select.select([inputs.fileno()], [], [], min(wait_s, 0.2))
        for reading in reader.poll(ticks.ticks_ms()):
            if reading.kind == BITS:
                found = wiegand.decode(reading.data.reveal(), reading.at_ms)
                if isinstance(found, CardRead):
                    print(plain(found.number), flush=True)
                else:
                    print(found, flush=True)
            else:
                print(reading.kind, reading.data, flush=True)
    lines.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
