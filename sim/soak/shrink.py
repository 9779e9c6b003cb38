"""The shortest story that still breaks a law: delta debugging over its steps and all around them.

Deterministic: bounded by attempts, never by time.
"""

from collections.abc import Callable
from typing import Any

from sim.soak.story import Tables

MOST_ATTEMPTS = 600
PAUSES_MS = (1000, 10_000, 60_000)  #: what a long pause between two steps is cut down to

Breaks = Callable[[Tables], int | None]


class Shrinker:
    """Looks for a shorter story.

    breaks  callable (tables) -> when the same law is broken in that story, milliseconds; None: it is not
    """

    def __init__(self, breaks: Breaks, attempts: int = MOST_ATTEMPTS) -> None:
        self._breaks = breaks
        self.left = attempts
        #: callable ()  told before each attempt
        self.on_attempt: Callable[[], None] | None = None

    def shortest(self, tables: Tables, at_ms: int) -> Tables:
        """The shortest found; `at_ms` is when `tables` breaks the law."""
        best = self._cut(tables, at_ms)
        best = self._fewer(best, "step")
        best = self._around(best)
        best = self._sooner(best)
        return self._fewer(best, "step")

    def _try(self, tables: Tables) -> int | None:
        if self.left <= 0:
            return None
        self.left -= 1
        if self.on_attempt is not None:
            self.on_attempt()
        return self._breaks(tables)

    def _cut(self, tables: Tables, at_ms: int) -> Tables:
        """Without all that comes after."""
        steps = [step for step in tables["step"] if step["at_ms"] <= at_ms]
        cut = {**tables, "step": steps, "end_ms": min(tables["end_ms"], at_ms + 1)}
        return cut if self._try(cut) is not None else tables

    def _fewer(self, tables: Tables, kind: str) -> Tables:
        """ddmin over the list `kind`."""
        items: list[Any] = tables[kind]
        size = max(1, len(items) // 2)
        while items:
            start = 0
            while start < len(items):
                fewer = items[:start] + items[start + size :]
                if self._try({**tables, kind: fewer}) is not None:
                    items = fewer
                else:
                    start += size
            if size == 1 or self.left <= 0:
                break
            size = max(1, size // 2)
        return {**tables, kind: items}

    def _around(self, tables: Tables) -> Tables:
        """Without overrides and people that it does not need."""
        for path in sorted(tables.get("override", {})):
            fewer = {key: value for key, value in tables["override"].items() if key != path}
            if self._try({**tables, "override": fewer}) is not None:
                tables = {**tables, "override": fewer}
        tables = self._fewer(tables, "person")
        for index, person in enumerate(tables["person"]):
            for key in [key for key in person if key != "name"]:
                people = list(tables["person"])
                people[index] = {
                    name: value for name, value in people[index].items() if name != key
                }
                if self._try({**tables, "person": people}) is not None:
                    tables = {**tables, "person": people}
        return tables

    def _sooner(self, tables: Tables) -> Tables:
        """With shorter pauses between the steps."""
        for index in range(len(tables["step"])):
            before_ms = tables["step"][index - 1]["at_ms"] if index else 0
            for pause_ms in PAUSES_MS:
                by_ms = tables["step"][index]["at_ms"] - before_ms - pause_ms
                if by_ms <= 0:
                    break
                steps = tables["step"][:index] + [
                    {**step, "at_ms": step["at_ms"] - by_ms} for step in tables["step"][index:]
                ]
                end_ms = max(tables["end_ms"] - by_ms, steps[-1]["at_ms"])
                sooner = {**tables, "step": steps, "end_ms": end_ms}
                if self._try(sooner) is not None:
                    tables = sooner
                    break
        return tables
