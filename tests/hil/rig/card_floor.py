"""Runs in the guest: the least that a card can be in Python.

Nothing is checked that can be left out: one reader, one key, no hours, no modes, no faults, no repeats.
What stays is what no controller in this language goes without: gpiod's edges, a frame that ends by its gap,
events in canonical JSON and their chain, a commit as the journal's in a thread of its own, the way back.

card_floor.py CHIP D0 D1 LOCK CARD FOLDER READY: CARD is the frame's bits, READY appears when it listens.
"""

import hashlib
import os
import queue
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any

import gpiod
import orjson
from commits import begun
from gpiod.line import Direction, Edge, Value

GAP_MS, OPEN_MS = 25, 300


class Chain:
    """Events one after the other, each with the hash of the one before."""

    def __init__(self) -> None:
        self._seq, self._last = 0, "0" * 64

    def linked(self, event: dict[str, Any]) -> tuple[int, bytes]:
        """The event's row."""
        self._seq += 1
        event = dict(event, seq=self._seq, id=f"c-01:5f3a9c01:{self._seq}", prev=self._last)
        event.update(v=1, journal="5f3a9c01", boot=1)
        plain = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
        self._last = hashlib.sha256(plain).hexdigest()
        return self._seq, plain[:-1] + b',"hash":"%s"}' % self._last.encode()


def write(path: str, jobs: "queue.SimpleQueue[list[dict[str, Any]]]", wake: int) -> None:
    """The journal's thread: every job is one commit, and a byte for the loop."""
    base, chain = begun(path), Chain()
    while True:
        rows = [chain.linked(event) for event in jobs.get()]
        with base:
            base.executemany("INSERT INTO rows VALUES (?)", [(body,) for _, body in rows])
        os.write(wake, b"\0")


def records(key: int, now: str) -> list[dict[str, Any]]:
    """What a card that may enter leaves, in the contract's words."""
    common = {"time": now, "clock": "trusted", "portal": "front", "credential": key}
    granted = dict(common, type="access.granted", access_point="front-in", verification="card")
    return [granted, dict(common, type="portal.released", cause="credential")]


def main(chip: str, d0: int, d1: int, lock: int, card: str, folder: str, ready: str) -> int:
    """Decide until killed."""
    wanted = gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.FALLING)
    out = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.ACTIVE)
    jobs: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()
    woken, wake = os.pipe()
    threading.Thread(target=write, args=(f"{folder}/floor.db", jobs, wake), daemon=True).start()
    keys, frame = {int(card, 2): 1}, 0
    with gpiod.request_lines(chip, config={(d0, d1): wanted, lock: out}) as request:
        poll = select.poll()
        poll.register(request.fd, select.POLLIN)
        poll.register(woken, select.POLLIN)
        Path(ready).touch()
        while True:
            found = poll.poll(GAP_MS if frame else None)
            if not found:
                key, frame = keys.get(frame), 0
                if key is not None:
                    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time())) + ".000Z"
                    jobs.put(records(key, now))
                    time.sleep(0)  # the interpreter is the thread's at once
            for fd, _ in found:
                if fd == woken:
                    os.read(woken, 1)
                    request.set_value(lock, Value.INACTIVE)
                    time.sleep(OPEN_MS / 1000)
                    request.set_value(lock, Value.ACTIVE)
                else:
                    for event in request.read_edge_events():
                        frame = frame << 1 | (event.line_offset == d1)


if __name__ == "__main__":
    d0, d1, lock = map(int, sys.argv[2:5])
    sys.exit(main(sys.argv[1], d0, d1, lock, *sys.argv[5:8]))
