"""One decision with every rule on, in process: card shown, key found, effects as values.

Beside it, in turn: a bare look-up in a dict. Then the look-up in the store and the decision together, from
100 to a million keys. The door is left to itself between two decisions, which is not timed.
"""

import os
import statistics
import tempfile
import time
from typing import Any, TextIO

import hal.board
from firmware.access import credential, record, site
from firmware.runtime.wiring import Wiring
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import Executor

BOARD = "board_configs/sim-all-rules.toml"
SIZES = (100, 10_000, 1_000_000)
ROUNDS = 2000
WARM_UP = 200
BATCH = 100_000
START_S = 1795190400  # 2026-11-20T16:00:00Z: midnight in Shanghai
BETWEEN_MS = 61_000

Found = tuple[credential.Credential | None, credential.Usage]


class _Now(Executor):
    """Work is done where it is asked for: the thread's hand-over is `bench.latency`'s."""

    def submit(self, work: Any, done: Any = None) -> None:
        result = work()
        if done is not None:
            done(result, None)

    def on_end(self, call: Any) -> None:
        """The store is closed by who opened it."""


class _House:
    """The building's core, and people who go round through its doors."""

    def __init__(self, store: CredentialStore) -> None:
        config = hal.board.load(BOARD)
        wiring = Wiring(config)
        self.site = site.Site(wiring.plan())
        self.site.rights = wiring.rights(store.rights())
        self.names = sorted(config["access_points"])
        self.ms = 0
        self.granted = 0
        self.site.start({}, site.Found((), (), ()), self.now())

    def now(self) -> credential.Moment:
        utc_s = START_S + self.ms // 1000
        return credential.Moment(self.ms, utc_s, utc_s + 28800, True)

    def decide(self, number: int, find: Any) -> int:
        """The nanoseconds from a card to its effects; then the door closes again."""
        name = self.names[number % len(self.names)]
        now = self.now()
        start_ns = time.perf_counter_ns()
        asked: Any = self.site.card(name, card(number), now)[-1]
        key = find(asked)
        effects: list[Any] = self.site.found(name, asked.kind, key, credential.UNUSED, now)
        took_ns = time.perf_counter_ns() - start_ns
        types = [one.type for one in effects if isinstance(one, record.Record)]
        self.granted += record.ACCESS_GRANTED in types
        self.ms += BETWEEN_MS
        self.site.tick(self.now())
        return took_ns


def card(number: int) -> str:
    """The number of a key's card."""
    return f"w34:{number:010d}"


def table(out: TextIO) -> None:
    """Print the decision, the dict, and both together for each size of the store."""
    print(f"one decision, every rule on ({ROUNDS} rounds, us)", file=out)
    print(f"{'':44}{'p50':>8}{'p99':>8}", file=out)
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
            store = CredentialStore(os.path.join(folder, "keys.db"), _Now(), bytes(32))
            store.open()
            _fill(store, size)
            if size == SIZES[0]:
                decide_us, dict_us = _alone(store, size)
                _row(out, "a look-up in a dict", dict_us)
                _row(out, "the decision", decide_us)
            together = _with_store(store, size)
            if size == SIZES[0]:
                first_us = statistics.median(together)
            _row(out, f"find and decide, {size:,} keys", together)
            store.close()
    ratio = statistics.median(decide_us) / statistics.median(dict_us)
    flat = statistics.median(together) / first_us
    print(f"the decision is x {ratio:,.0f} of the dict's look-up", file=out)
    print(f"among {SIZES[-1]:,} keys x {flat:.2f} of what it is among {SIZES[0]}", file=out)


def _alone(store: CredentialStore, size: int) -> tuple[list[float], list[float]]:
    house = _House(store)
    keys = {card(number): _find(store, card(number)) for number in range(size)}
    house_us: list[float] = []
    dict_us: list[float] = []
    for round in range(ROUNDS + WARM_UP):
        number = round % size
        took_ns = house.decide(number, lambda asked: keys[asked.value.reveal()])
        shown = card(number)
        start_ns = time.perf_counter_ns()
        keys[shown]
        bare_ns = time.perf_counter_ns() - start_ns
        if round >= WARM_UP:
            house_us.append(took_ns / 1000)
            dict_us.append(bare_ns / 1000)
    assert house.granted > ROUNDS / 4, f"only {house.granted} were let in"
    return house_us, dict_us


def _with_store(store: CredentialStore, size: int) -> list[float]:
    house = _House(store)
    took_us = []
    for round in range(ROUNDS + WARM_UP):
        number = round * 7919 % size
        took_ns = house.decide(number, lambda asked: _find(store, asked.value.reveal()))
        if round >= WARM_UP:
            took_us.append(took_ns / 1000)
    return took_us


def _find(store: CredentialStore, number: str) -> credential.Credential | None:
    answers: list[Any] = []
    store.find("card", number, answers.append)
    key: credential.Credential | None = answers[0]
    return key


def _fill(store: CredentialStore, size: int) -> None:
    store.apply([("level", "all", [["*", None]])])
    for first in range(0, size, BATCH):
        numbers = range(first, min(first + BATCH, size))
        store.apply([("upsert", _key(number)) for number in numbers])


def _key(number: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "holder": number + 1,
        "state": "active",
        "levels": ["all"],
        "version": 1,
        "cards": [card(number)],
    }


def _row(out: TextIO, name: str, values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=100)
    print(f"{name:44}{cuts[49]:8.1f}{cuts[98]:8.1f}", file=out)
