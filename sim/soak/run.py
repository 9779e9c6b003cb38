"""`door-sim soak`: many stories, each from a seed, in virtual time; the first that breaks a law is told.

A seed is one story of at most `RUN_HOURS`; more hours are more seeds, counted up from the first.
"""

import functools
import json
import math
import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from hal.errors import BoardConfigError
from sim.run import Run
from sim.scenario import ScenarioError
from sim.soak import expects, plan, story
from sim.soak.shrink import Shrinker

RUN_HOURS = 8.0  #: more hours are told in several runs
DIED = "0 exception"  #: the law that an exception breaks


@dataclass
class Told:
    """What came of one story.

    digest  str         of everything that was written, sent and seen
    law     str | None  the first that was broken; None: all held
    at_ms   int         when
    """

    seed: int
    hours: float
    digest: str = ""
    law: str | None = None
    at_ms: int = 0
    text: str = ""
    steps: int = 0
    events: int = 0
    looks: int = 0
    story: str = ""
    attempts: int = 0
    tables: dict[str, Any] = field(default_factory=dict)


def tell(tables: story.Tables, seed: int) -> Told:
    """Tell one story, to its end or to the first law that is broken."""
    hours = tables["end_ms"] / plan.HOUR_MS
    told = Told(seed, hours, steps=len(tables["step"]), tables=tables)
    run = None
    try:
        run = Run(story.checked(tables), seed, laws=True)
        run.go()
    except ScenarioError:
        raise
    except Exception as error:  # noqa: BLE001  whatever the firmware raises is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        told.law = DIED
        told.text = f"{type(error).__name__}: {error} ({last.name})"
        told.at_ms = tables["end_ms"]
    if run is not None and run.laws is not None:
        told.digest, told.looks = run.laws.digest, run.laws.looks
        told.events = sum(len(hashes) for hashes in run.laws.records.durable.values())
        if run.breach is not None:
            told.law, told.at_ms, told.text = run.breach.law, run.breach.at_ms, run.breach.text
    return told


def try_seed(seed: int, hours: float, board: str | None, shrink: bool) -> Told:
    """Tell the story of `seed`; if it breaks a law, find the shortest that does."""
    told = tell(plan.draw(seed, hours, board), seed)
    if told.law is None:
        told.tables = {}
        return told
    tables = told.tables
    if shrink:
        shrinker = Shrinker(lambda tried: _breaks(tried, seed, told.law))
        before = shrinker.left
        tables = shrinker.shortest(tables, told.at_ms)
        told.attempts = before - shrinker.left
        again = tell(tables, seed)
        told.text, told.at_ms = again.text, again.at_ms
        told.law = again.law or told.law
        whole = expects.added(tables, str(told.law), told.at_ms, told.text)
        if _breaks(whole, seed, told.law) is not None:
            tables = whole
    told.story = story.text(tables, _comment(told))
    told.tables = {}
    return told


def _breaks(tables: story.Tables, seed: int, law: str | None) -> int | None:
    try:
        told = tell(tables, seed)
    except ScenarioError:
        return None
    return told.at_ms if told.law == law else None


def _comment(told: Told) -> list[str]:
    return [
        f"Breaks law {told.law}, at {told.at_ms} ms: {told.text}",
        f"Found by seed {told.seed} of {told.hours:g} hours; to see it again:",
        f"door-sim run FILE --laws --seed {told.seed}",
    ]


def seeds_of(first: int, hours: float, runs: int | None) -> list[tuple[int, float]]:
    """The seeds to try, and how many hours each is told for."""
    count = runs if runs is not None else max(1, math.ceil(hours / RUN_HOURS))
    return [(first + number, hours / count) for number in range(count)]


def main(
    first: int,
    hours: float,
    runs: int | None = None,
    jobs: int = 1,
    board: str | None = None,
    as_json: bool = False,
    out: str | None = None,
    shrink: bool = True,
) -> int:
    """Try seeds from `first` on until `hours` are told or a law is broken. 0, 1 or 2."""
    seeds = seeds_of(first, hours, runs)
    begun = time.monotonic()
    done, told_hours, events, failed = 0, 0.0, 0, None
    progress = _Progress(hours)
    try:
        for told in _all(seeds, jobs, board, shrink):
            done += 1
            told_hours += told.hours
            events += told.events
            if as_json:
                print(json.dumps({**asdict(told), "tables": None}, sort_keys=True), flush=True)
            elif len(seeds) <= 20 and told.law is None:
                progress.clear()
                print(f"seed {told.seed}: {told.hours:g} h, trace {told.digest[:16]}", flush=True)
            if told.law is not None:
                failed = told
                break
            progress.show(told_hours, told.seed)
    except (ScenarioError, BoardConfigError) as error:
        progress.clear()
        print(error, file=sys.stderr)
        return 2
    progress.clear()
    if failed is not None:
        _tell_failed(failed, out, sys.stderr if as_json else sys.stdout)
    took_s = max(0.001, time.monotonic() - begun)
    print(
        f"{'✗' if failed else '✓'} {told_hours:g} simulated hours, "
        f"{done} seed{'s' * (done != 1)} from {first}, "
        f"{events:,} events, {'1 violation' if failed else '0 violations'}; "
        f"{told_hours / took_s * 3600:,.0f} simulated hours an hour",
        file=sys.stderr if as_json else sys.stdout,
    )
    return 1 if failed else 0


def _all(
    seeds: list[tuple[int, float]], jobs: int, board: str | None, shrink: bool
) -> Iterator[Told]:
    one = functools.partial(_star, board=board, shrink=shrink)
    if jobs <= 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(one, seeds)


def _star(pair: tuple[int, float], board: str | None, shrink: bool) -> Told:
    return try_seed(pair[0], pair[1], board, shrink)


def _tell_failed(told: Told, out: str | None, to: Any) -> None:
    print(f"✗ seed {told.seed}: law {told.law} at {told.at_ms} ms: {told.text}", file=to)
    if out is not None:
        with open(out, "w", encoding="utf-8") as file:
            file.write(told.story)
        print(f"  the shortest story that breaks it ({told.attempts} tried): {out}", file=to)
        return
    print(f"  the shortest story that breaks it ({told.attempts} tried):\n", file=to)
    print(told.story, file=to)


class _Progress:
    """One line on a terminal: simulated hours, speed."""

    def __init__(self, hours: float) -> None:
        self._hours = hours
        self._begun = time.monotonic()
        self._on = sys.stderr.isatty()

    def show(self, told_hours: float, seed: int) -> None:
        if not self._on:
            return
        speed = told_hours / max(0.001, time.monotonic() - self._begun) * 3600
        width = 30
        full = min(width, round(width * told_hours / self._hours))
        bar = "#" * full + "." * (width - full)
        line = f"{bar} {told_hours:,.1f} of {self._hours:,g} h, seed {seed}, {speed:,.0f} h/h, 0 violations"
        print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
