"""From the end of a card's frame to the lock line, 100,000 keys in the store, journal on, real clock.

The serial frame goes through a real pseudo-terminal, pyserial, the driver, the look-up, the decision and
the durable record. Beside it, in turn and on the same disk: the bare SQLite commit of as many rows.
A REX edge is handed to the loop from another thread, as a kernel's edge would wake it.
"""

import os
import random
import statistics
import tempfile
import threading
import time
import tty
from typing import Any, TextIO

import apsw

import hal.board
from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.runtime.controller import Controller
from firmware.runtime.ports import Transport
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import ThreadExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.waker import WakingPollWaiter
from firmware.services.wall import SystemWall
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.backends.pyserial_port import PyserialPorts
from sim.fakes import FakeAnalogInputs, FakeLines, FakeTicks

KEYS = 100_000
ROUNDS = 200
WARM_UP = 20
BYTE_S = 10 / 9600  #: a byte and its start and stop bit


class _NoBroker(Transport):
    """A link whose broker is away."""

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """Lost."""


class _Rig:
    """A controller whose yard reader is a pseudo-terminal and whose lines are ours."""

    def __init__(self, folder: str) -> None:
        self.master, slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(slave)
        self.config = hal.board.load(
            "board_configs/demo-sim.toml",
            {
                "devices.yard-in-reader.port": os.ttyname(slave),
                "devices.front-contact": {"driver": "contact", "line": "front-contact"},
                "devices.yard-contact": {"driver": "contact", "line": "yard-contact"},
                "link.enabled": False,
            },
        )
        clock = MonotonicClock(MonotonicTicks())
        self.loop = aio.Loop(clock, WakingPollWaiter())
        self.lines = FakeLines(FakeTicks(clock))
        self.lines.on_output = self._output
        for line in ("front-contact", "yard-contact", "front-tamper", "fire-loop"):
            self.lines.drive(line, False)  # every loop that is closed at rest
        for line in ("mains", "battery"):
            self.lines.drive(line, False)
        analog_inputs = FakeAnalogInputs()
        for device, entry in self.config["devices"].items():
            if entry["driver"] == "supervised_contact":
                closed = device != "panic-button"
                analog_inputs.drive(entry["input"], 325 if closed else 675)
        self.moved_ns = 0
        self.moved = threading.Event()
        self.watched = ("", False)
        names = ("journal", "keys", "look-ups")
        self.executors = [ThreadExecutor(self.loop, name) for name in names]
        journal = SqliteJournal(
            os.path.join(folder, "journal.db"), self.executors[0], self.loop, "c-01"
        )
        journal.open()
        _, keys, finder = self.executors
        store = CredentialStore(os.path.join(folder, "keys.db"), keys, bytes(32), finder=finder)
        store.open()
        store.apply([("level", "all", [["*", None]])])
        store.apply([("upsert", _key(number)) for number in range(KEYS)])
        board = hal.board.open_board(self.config, self.lines, PyserialPorts(), analog_inputs)
        self.controller = Controller(
            self.config,
            board.devices,
            board.problems,
            self.loop,
            SystemWall("Asia/Shanghai", True),
            journal,
            store,
            _NoBroker(),
            bytes(32),
        )

    def time_ns(self, line: str, high: bool, begin: Any) -> int:
        """From the end of `begin()` until `line` goes `high`."""
        self.moved.clear()
        self.watched = (line, high)
        start_ns: int = begin()
        if not self.moved.wait(5):
            raise SystemExit(f"{line}: did not move in 5 s")
        return self.moved_ns - start_ns

    def _output(self, name: str, high: bool | None) -> None:
        if (name, high) == self.watched:
            self.moved_ns = time.monotonic_ns()
            self.moved.set()


def table(out: TextIO) -> None:
    """Print p50 and p99, the commit beside them, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
        rig = _Rig(folder)
        rig.controller.start()
        ended = aio.Event()
        thread = threading.Thread(target=rig.loop.run, args=(_until(ended),), daemon=True)
        thread.start()
        _back(rig, "front-contact")  # by then the reader's port is open
        cards, commits, exits = _measure(rig, folder)
        rig.loop.post(ended.set)
        thread.join(5)
    print(f"card and REX to lock line ({KEYS:,} keys, {len(cards)} rounds, ms)", file=out)
    print(f"{'':34}{'p50':>8}{'p99':>8}", file=out)
    for name, values in (
        ("bare commit of the same rows", commits),
        ("serial card, last byte to lock", cards),
        ("REX edge to lock", exits),
    ):
        print(f"{name:34}{_ms(values, 50):8.3f}{_ms(values, 99):8.3f}", file=out)
    above = _ms(cards, 50) - _ms(commits, 50)
    ratio = _ms(cards, 50) / _ms(commits, 50)
    print(f"card above the commit: {above:.3f} ms at p50 (x {ratio:.2f})", file=out)
    gap = rig.config["devices"]["front-reader"]["frame_gap_ms"]
    print(f"a Wiegand frame ends {gap} ms after its last bit; add that", file=out)


def _measure(rig: _Rig, folder: str) -> tuple[list[int], list[int], list[int]]:
    seeded = random.Random(1)
    bare = apsw.Connection(os.path.join(folder, "bare.db"))
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, body TEXT)")
    cards, commits, exits = [], [], []
    for round in range(ROUNDS + WARM_UP):
        line = f"w34:{seeded.randrange(KEYS):010d}\r".encode()
        card_ns = rig.time_ns("magnet", False, lambda line=line: _send(rig.master, line))
        _back(rig, "yard-contact")
        commit_ns = _commit(bare)
        exit_ns = rig.time_ns("strike", True, lambda: _press(rig))
        _back(rig, "front-contact")
        if round >= WARM_UP:
            cards.append(card_ns)
            commits.append(commit_ns)
            exits.append(exit_ns)
    bare.close()
    return cards, commits, exits


def _back(rig: _Rig, contact: str) -> None:
    """Open and close the door, so that its lock is engaged again; then let it settle."""
    done = threading.Event()

    def go() -> None:
        now_ms = rig.loop.now_ms()
        rig.lines.drive("front-handle", True)
        rig.lines.drive(contact, True)
        rig.loop.call_at(now_ms + 50, lambda: rig.lines.drive(contact, False))
        rig.loop.call_at(now_ms + 120, done.set)

    rig.loop.post(go)
    done.wait(5)


def _send(master: int, line: bytes) -> int:
    """As a reader does, byte by byte at 9600 baud; when the last one was there."""
    for byte in line[:-1]:
        os.write(master, bytes([byte]))
        time.sleep(BYTE_S)
    start_ns = time.monotonic_ns()
    os.write(master, line[-1:])
    return start_ns


def _press(rig: _Rig) -> int:
    start_ns = time.monotonic_ns()
    rig.loop.post(lambda: rig.lines.drive("front-handle", False))
    return start_ns


def _commit(bare: apsw.Connection) -> int:
    body = "x" * 420  # a record with its hashes
    start_ns = time.monotonic_ns()
    with bare:
        bare.execute("INSERT INTO events (body) VALUES (?)", (body,))
        bare.execute("INSERT INTO events (body) VALUES (?)", (body,))
    return time.monotonic_ns() - start_ns


def _ms(values: list[int], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1] / 1e6


def _key(number: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "holder": number + 1,
        "state": "active",
        "levels": ["all"],
        "version": 1,
        "cards": [f"w34:{number:010d}"],
    }


async def _until(ended: aio.Event) -> None:
    await ended.wait()
