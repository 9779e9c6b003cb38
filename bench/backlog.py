"""A backlog after an outage: 10,000 records from a real journal through the link's process to a real broker.

Beside it, by turns: a bare paho loop that publishes the same payloads to the same broker at QoS 1, once
as it comes (20 on their way at once) and once with as many as the link has. From the connection to the
last PUBACK.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TextIO

import hal.board
from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.runtime.outbox import Outbox
from firmware.runtime.ports import Batch
from firmware.services.executor import InlineExecutor, ThreadExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.link_child import LinkProcess
from firmware.services.link_connection import IN_FLIGHT
from firmware.services.waker import WakingPollWaiter
from hal.backends.monotonic_ticks import MonotonicTicks
from sim.broker import EmbeddedBroker

EVENTS = 10_000
ROUNDS = 3
WANTED = 0.6  #: of what bare paho reaches
PAHO_S = 60
_BATCH = 100
_PLAIN = 20  #: on their way at once, as paho has it by itself


def table(out: TextIO) -> None:
    """Records a second of each, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
        bodies = _fill(os.path.join(folder, "full.db"))
        for name, broker in (("NATS", _nats), ("mosquitto", _mosquitto)):
            if name == "mosquitto" and shutil.which("mosquitto", path=_PATH) is None:
                print("mosquitto: is missing; measured with NATS only", file=out)
                continue
            with broker(folder) as port:
                took = _by_turns(folder, port, bodies)
            rates = {who: EVENTS / statistics.median(times) for who, times in took.items()}
            best = max(rates["paho"], rates["paho, wide"])
            print(f"a backlog of {EVENTS:,} records to {name}, records a second", file=out)
            for who, rate in rates.items():
                print(f"{who:34}{rate:8,.0f}", file=out)
            print(f"of the faster paho: {rates['journal and link'] / best:.0%}", file=out)


_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


def _by_turns(folder: str, port: int, bodies: list[str]) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        path = os.path.join(folder, f"journal-{port}-{number}.db")
        shutil.copyfile(os.path.join(folder, "full.db"), path)
        turns: dict[str, Callable[[], float]] = {
            "paho": lambda: _paho(port, bodies, _PLAIN),
            "journal and link": partial(_door, path, port),
            "paho, wide": lambda: _paho(port, bodies, IN_FLIGHT),
        }
        for who, turn in turns.items():
            took.setdefault(who, []).append(turn())
    return took


def _fill(path: str) -> list[str]:
    """A journal of `EVENTS` records that wait, cleanly closed; their texts."""
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    executor = InlineExecutor(loop)
    journal = SqliteJournal(path, executor, loop, "c-01")
    journal.open()
    event: dict[str, Any] = {
        "type": "access.granted",
        "time": "2026-11-21T08:15:02.417Z",
        "clock": "trusted",
    }
    event |= {"portal": "front", "access_point": "front-in", "credential": 1042, "holder": 311}
    for start in range(1, EVENTS, _BATCH):
        many = min(_BATCH, EVENTS - start)
        events = [dict(event, verification="card") for _ in range(many)]
        journal.append(Batch(events, [0] * many, {}), lambda batch: None)
    loop.run(aio.sleep_ms(1000))
    found: list[tuple[int, str]] = []
    journal.pending(EVENTS + 1, found.extend)
    loop.run(aio.sleep_ms(10))
    executor.close()
    if len(found) != EVENTS:
        raise SystemExit(f"bench: {len(found)} records wait; expected {EVENTS}")
    return [body for _, body in found]


def _door(path: str, port: int) -> float:
    """Seconds from the connection until nothing waits any more."""
    loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
    executor = ThreadExecutor(loop, "journal")
    journal = SqliteJournal(path, executor, loop, "c-01")
    journal.open()
    config = hal.board.load(
        "board_configs/demo-sim.toml",
        {"link.enabled": True, "link.host": "127.0.0.1", "link.port": port},
    )
    link = LinkProcess(config["link"], "sunrise", "c-01", loop, json.dumps({"state": "offline"}))
    outbox = Outbox(journal, link, loop, "doorward/sunrise/c-01")
    begun_s: list[float] = []
    told_up = link.on_up
    empty = aio.Event()
    left = EVENTS

    def up(now: bool) -> None:
        begun_s.append(time.monotonic())
        if told_up is not None:
            told_up(now)

    def taken() -> None:
        nonlocal left
        left -= 1
        if not left:
            empty.set()

    async def until_empty() -> None:
        if not await empty.wait(PAHO_S * 1000):
            raise SystemExit(f"bench: {left} records still wait after {PAHO_S} s")

    link.on_up = up
    outbox.on_taken = taken
    link.start()
    loop.run(until_empty())
    took_s = time.monotonic() - begun_s[0]
    link.stop()
    executor.close()
    return took_s


def _paho(port: int, bodies: list[str], in_flight: int) -> float:
    """Seconds from the connection until all were taken."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-paho")
    client.max_inflight_messages_set(in_flight)
    connected, done = threading.Event(), threading.Event()
    left = len(bodies)

    def taken(*_: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    client.on_connect = lambda *_: connected.set()
    client.on_publish = taken
    client.connect("127.0.0.1", port)
    client.loop_start()
    if not connected.wait(PAHO_S):
        raise SystemExit("bench: paho does not connect")
    begun_s = time.monotonic()
    for body in bodies:
        client.publish("doorward/sunrise/c-01/event", body, qos=1)
    if not done.wait(PAHO_S):
        raise SystemExit(f"bench: {left} messages of paho were not taken in {PAHO_S} s")
    took_s = time.monotonic() - begun_s
    client.disconnect()
    client.loop_stop()
    return took_s


@contextmanager
def _nats(folder: str) -> Iterator[int]:
    broker = EmbeddedBroker("127.0.0.1", 0, os.path.join(folder, "nats"))
    broker.start()
    try:
        yield broker.port
    finally:
        broker.stop()


@contextmanager
def _mosquitto(folder: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    path = os.path.join(folder, "mosquitto.conf")
    with open(path, "w") as file:
        file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    binary = shutil.which("mosquitto", path=_PATH)
    process = subprocess.Popen([str(binary), "-c", path], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    table(sys.stdout)
