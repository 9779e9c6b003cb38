"""Runs in the guest: a card that nobody decides on, and its records by the controller's own loop and journal.

What `card_floor` does, but for the loop that waits and the journal that numbers, chains, keeps and commits:
those are the controller's. What it takes longer than `card_floor` is their price; what the controller takes
longer than this is its deciding.

card_records.py CHIP D0 D1 LOCK CARD FOLDER READY: CARD is the frame's bits, READY appears when it listens.
"""

import sys
import time
from pathlib import Path

import gpiod
from card_floor import GAP_MS, OPEN_MS, records
from gpiod.line import Direction, Edge, Value

from firmware.program import SWITCH_S
from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.runtime.ports import Batch
from firmware.services.executor import ThreadExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.waker import WakingPollWaiter
from firmware.trust import canonical
from hal.backends.monotonic_ticks import MonotonicTicks


class Cards:
    """One reader, one key, one lock."""

    def __init__(self, request: gpiod.LineRequest, d1: int, lock: int, key: int, path: str) -> None:
        self._request, self._d1, self._lock, self._key = request, d1, lock, key
        self._frame = 0
        self._ends: aio.Timer | None = None
        self.loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
        self._journal = SqliteJournal(path, ThreadExecutor(self.loop, "journal"), self.loop, "c-01")
        self._journal.open()
        canonical.prepare()
        self.loop.waiter.add_reader(request.fd, self._edges)

    def _edges(self) -> None:
        for event in self._request.read_edge_events():
            self._frame = self._frame << 1 | (event.line_offset == self._d1)
        if self._ends is not None:
            self._ends.cancel()
        self._ends = self.loop.call_at(self.loop.now_ms() + GAP_MS, self._end)

    def _end(self) -> None:
        frame, self._frame, self._ends = self._frame, 0, None
        if frame == self._key:
            now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time())) + ".000Z"
            at_ms = self.loop.now_ms()
            self._journal.append(Batch(records(1, now), [at_ms, at_ms], {}), self._durable)

    def _durable(self, batch: Batch) -> None:
        self._request.set_value(self._lock, Value.INACTIVE)
        self.loop.call_at(self.loop.now_ms() + OPEN_MS, self._close)

    def _close(self) -> None:
        self._request.set_value(self._lock, Value.ACTIVE)


def main(chip: str, d0: int, d1: int, lock: int, card: str, folder: str, ready: str) -> int:
    """Write until killed."""
    wanted = gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.FALLING)
    out = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.ACTIVE)
    sys.setswitchinterval(SWITCH_S)
    with gpiod.request_lines(chip, config={(d0, d1): wanted, lock: out}) as request:
        cards = Cards(request, d1, lock, int(card, 2), f"{folder}/journal.db")
        Path(ready).touch()
        cards.loop.run(aio.Event().wait())
    return 0


if __name__ == "__main__":
    d0, d1, lock = map(int, sys.argv[2:5])
    sys.exit(main(sys.argv[1], d0, d1, lock, *sys.argv[5:8]))
