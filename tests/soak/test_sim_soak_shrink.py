"""The shrinker: what is left breaks the same law, and nothing of it can go."""

from collections.abc import Callable
from typing import Any

from sim.soak.shrink import Shrinker


def _tables(count: int) -> dict[str, Any]:
    steps = [{"at_ms": 1000 * number, "do": "wait", "ms": number} for number in range(1, count + 1)]
    people = [{"name": "a", "pin": "1"}, {"name": "b", "card": "c", "pin": "2"}]
    override = {"x": 1, "y": 2}
    return {"step": steps, "end_ms": 10**6, "person": people, "override": override}


def _needs(*wanted: int) -> Callable[[dict[str, Any]], int | None]:
    def breaks(tables: dict[str, Any]) -> int | None:
        there = [step["ms"] for step in tables["step"]]
        needed = "y" in tables["override"] and any("card" in one for one in tables["person"])
        found = [number for number in wanted if number in there]
        if len(found) < len(wanted) or not needed:
            return None
        return max([int(step["at_ms"]) for step in tables["step"] if step["ms"] in wanted])

    return breaks


def test_only_the_steps_that_are_needed_are_left() -> None:
    tables = Shrinker(_needs(3, 50, 51)).shortest(_tables(200), 51_000)
    assert [step["ms"] for step in tables["step"]] == [3, 50, 51]


def test_overrides_and_people_that_are_not_needed_go() -> None:
    tables = Shrinker(_needs(3)).shortest(_tables(20), 3000)
    assert tables["override"] == {"y": 2}
    assert tables["person"] == [{"name": "b", "card": "c"}]


def test_long_pauses_become_short() -> None:
    tables = Shrinker(_needs(3, 50)).shortest(_tables(200), 50_000)
    assert [step["at_ms"] for step in tables["step"]] == [1000, 2000]


def test_it_ends_after_the_attempts_that_it_was_given() -> None:
    tried = []

    def breaks(tables: dict[str, Any]) -> int | None:
        tried.append(len(tables["step"]))
        return _needs(3, 50, 99)(tables)

    shrinker = Shrinker(breaks, attempts=10)
    tables = shrinker.shortest(_tables(200), 99_000)
    assert len(tried) == 10
    assert _needs(3, 50, 99)(tables) is not None
