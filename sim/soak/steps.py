"""The steps of a story while it is drawn: each is checked as it is added, and kept only if it fits."""

import math
import random
from typing import Any

from sim import verbs
from sim.soak.story import Tables, checked

EARLIEST_MS = 500


class Draft:
    """What is drawn so far.

    rng     random.Random
    config  dict    the board's
    tables  dict    the story's, without its steps
    end_ms  int     no step is later
    """

    def __init__(
        self, rng: random.Random, config: dict[str, Any], tables: Tables, end_ms: int
    ) -> None:
        self.rng = rng
        self.config = config
        self.end_ms = end_ms
        story = checked(tables)
        self.start_ms = story.start_ms
        self.people = story.people
        self._checker = verbs.Checker(config, story.people)
        self._steps: list[dict[str, Any]] = []

    def add(self, at_ms: float, do: str, **args: Any) -> bool:
        """Have `do` done at `at_ms`; False: this building has nothing of the kind, or it is too late."""
        at = round(at_ms)
        if not EARLIEST_MS <= at < self.end_ms or do not in verbs.VERBS:
            return False
        try:
            self._checker.check(do, args)
        except verbs.VerbError:
            return False
        self._steps.append({"at_ms": at, "do": do, **args})
        return True

    def times(self, do: tuple[str, ...]) -> list[int]:
        """When one of `do` is done."""
        return [step["at_ms"] for step in self._steps if step["do"] in do]

    def restarts(self) -> list[tuple[int, int]]:
        """When the controller ends, and when it is powered again: each cut and each kill."""
        found: list[tuple[int, int]] = []
        cut_ms: int | None = None
        for step in self.sorted():
            at_ms = int(step["at_ms"])
            if step["do"] == "kill_process" and step["process"] == "door":
                found.append((at_ms, at_ms))
            elif step["do"] == "cut_power":
                cut_ms = at_ms if cut_ms is None else cut_ms
            elif step["do"] == "restore_power" and cut_ms is not None:
                found.append((cut_ms, at_ms))
                cut_ms = None
        return found

    def any_ms(self) -> int:
        """Some instant."""
        return self.rng.randrange(EARLIEST_MS, max(EARLIEST_MS + 1, self.end_ms))

    def while_ms(self, least_ms: int, most_ms: int) -> int:
        """Some duration; short ones are as likely as long ones."""
        return round(math.exp(self.rng.uniform(math.log(least_ms), math.log(most_ms))))

    def sorted(self) -> list[dict[str, Any]]:
        """Every step, in the order of their times."""
        return sorted(self._steps, key=lambda step: int(step["at_ms"]))
