"""How soon a controller is back at its broker: one after short outages, and a thousand at once.

One: the link's real process and a real broker that is killed, again and again; several such pairs side by
side save time. A thousand: the link's own connections and back-off, without their processes, one broker.
"""

import contextlib
import json
import random
import resource
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO

from firmware.services.back_off import BackOff
from firmware.services.link_broken import Broken
from firmware.services.link_connection import Connection
from firmware.services.link_inbox import Inbox
from firmware.services.link_records import encode
from sim.broker import EmbeddedBroker

ROUNDS = 36
PAIRS = 6  #: side by side
OUTAGE_S = (0.5, 20.0)
MANY = 1000
MANY_OUTAGES_S = (20, 90)  #: within the first minute, and beyond
BACK_S = 60  #: to wait for all of them, twice what they should take
FILES = 8192
WILL = '{"state":"offline"}'
LINK: dict[str, Any] = {
    "enabled": True,
    "host": "127.0.0.1",
    "protocol": "3.1.1",
    "tls": False,
    "ca": None,
    "cert": None,
    "key": None,
    "username": None,
    "password_file": None,
    "host_ack": True,
    "keepalive_s": 30,
    "reconnect_max_ms": 30_000,
}


def table(out: TextIO) -> None:
    """Print both tables."""
    chance = random.Random(7)
    times = sorted(_one_by_one(chance))
    print(f"back after the broker's return{'':8}{'p50 s':>8}{'p95 s':>8}{'most s':>8}", file=out)
    title = f"one, {len(times)} outages of {OUTAGE_S[0]:g} to {OUTAGE_S[1]:g} s"
    print(f"{title:38}{_row(times)}", file=out)
    for outage_s in MANY_OUTAGES_S:
        times, away = _thousand(outage_s)
        print(f"{f'{MANY} at once, outage of {outage_s} s':38}{_row(times)}", file=out)
        print(f"  a tenth of that time each: {_spread(times)}", file=out)
        if away:
            print(f"  {away} still away after {BACK_S} s", file=out)


def _row(times: list[float]) -> str:
    chosen = (times[len(times) // 2], times[len(times) * 95 // 100], times[-1]) if times else ()
    return "".join(f"{value:8.2f}" for value in chosen)


def _spread(times: list[float]) -> str:
    counts = [0] * 10
    for value in times:
        counts[min(9, int(value / times[-1] * 10))] += 1
    return " ".join(map(str, counts))


def _one_by_one(chance: random.Random) -> list[float]:
    outages = [chance.uniform(*OUTAGE_S) for _ in range(ROUNDS)]
    times: list[float] = []
    # The broker lives as long as the thread that starts it: each pair has its own, to the end.
    pairs = [
        threading.Thread(target=lambda mine: times.extend(_pair(mine)), args=(outages[n::PAIRS],))
        for n in range(PAIRS)
    ]
    for pair in pairs:
        pair.start()
    for pair in pairs:
        pair.join()
    return times


def _pair(outages: list[float]) -> Iterator[float]:
    with _broker() as broker, _link_process(broker.port) as ups:
        while not next(ups):
            pass
        for outage_s in outages:
            broker.kill()
            while next(ups):
                pass
            time.sleep(outage_s)
            broker.start()
            from_s = time.monotonic()
            while not next(ups):
                pass
            yield time.monotonic() - from_s


@contextlib.contextmanager
def _broker() -> Iterator[EmbeddedBroker]:
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
        broker = EmbeddedBroker("127.0.0.1", 0, folder)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


@contextlib.contextmanager
def _link_process(port: int) -> Iterator[Iterator[bool]]:
    """The link's process, played the door to; whether it is up, each time that changes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = theirs.fileno()
        command = [sys.executable, "-m", "firmware.services.link_process", str(number)]
        with subprocess.Popen(command, pass_fds=(number,)) as process:
            theirs.close()
            config = {"link": {**LINK, "port": port}, "root": "doorward/bench/c-0"}
            more = {"client": "bench-c-0", "will": WILL, "protocol": "3.1.1", "clean": False}
            ours.sendall(encode("config", **config, **more))
            with ours.makefile("rb") as lines:
                said = map(json.loads, lines)
                yield (record["on"] for record in said if record["kind"] == "up")
                ours.shutdown(socket.SHUT_RDWR)
            process.wait(10)


class _Controller:
    """One of many: connects, and again when it is lost."""

    def __init__(self, number: int, port: int) -> None:
        self._link = {**LINK, "port": port}
        self._name = f"c-{number}"
        self._back_off = BackOff(self._link["reconnect_max_ms"], random.SystemRandom().random)
        self.connection: Connection | None = None
        self.due_ms = 0
        self.ready_s = 0.0  # since when it is up; 0: it is not
        self._from_ms = 0

    def open(self) -> None:
        """Try to connect."""
        began_ms = _now_ms()
        link, root = self._link, f"doorward/bench/{self._name}"
        find_ms = self._back_off.connect_ms(began_ms)
        made = Connection(link, root, self._name, WILL, "3.1.1", True, Inbox(), connect_ms=find_ms)
        try:
            made.open()
            self.connection, self._from_ms = made, began_ms
        except Broken as broken:
            made.close()
            self._later(began_ms, broken)

    def serve(self, ready: int) -> None:
        """Do what the connection needs."""
        assert self.connection is not None
        try:
            self.connection.serve(ready)
        except Broken as broken:
            self.connection.close()
            self.connection = None
            now_ms = _now_ms()
            if self.ready_s:
                self._back_off.held(int(self.ready_s * 1000), now_ms)
            self._later(now_ms if self.ready_s else self._from_ms, broken)
            self.ready_s = 0.0
            return
        if self.connection.ready and not self.ready_s:
            self.ready_s = time.monotonic()

    def _later(self, began_ms: int, broken: Broken) -> None:
        now_ms = _now_ms()
        self.due_ms = now_ms + self._back_off.pause_ms(began_ms, now_ms, broken.silent)


def _thousand(outage_s: int) -> tuple[list[float], int]:
    """Seconds after the broker's return, sorted, and how many did not come back."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    with _broker() as broker:
        many = [_Controller(number, broker.port) for number in range(MANY)]
        _run(many, 2 * BACK_S, until_back=True)
        _run(many, 12)  # long enough for a connection to count as a good one
        broker.kill()
        _run(many, outage_s)
        broker.start()
        from_s = time.monotonic()
        _run(many, BACK_S, until_back=True)
        back = sorted(max(0.0, one.ready_s - from_s) for one in many if one.ready_s)
        for one in many:
            if one.connection is not None:
                one.connection.close()
    return back, MANY - len(back)


def _run(many: list[_Controller], most_s: float, until_back: bool = False) -> None:
    end_s = time.monotonic() + most_s
    looked_ms = 0
    while time.monotonic() < end_s:
        if until_back and all(one.ready_s for one in many):
            return
        now_ms = _now_ms()
        for one in many:
            if one.connection is None and one.due_ms <= now_ms:
                one.open()
        poll = select.poll()
        at: dict[int, _Controller] = {}
        for one in many:
            if one.connection is not None:
                at[one.connection.fileno()] = one
                poll.register(one.connection.fileno(), one.connection.events())
        for number, ready in poll.poll(10):
            at[number].serve(ready)
        if now_ms - looked_ms > 200:  # second subscriptions, pings
            looked_ms = now_ms
            for one in many:
                if one.connection is not None:
                    one.serve(0)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
