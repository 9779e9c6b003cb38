"""`firmware.services.recent_keys`: what is held is what the store would say, and no more than so many."""

from pathlib import Path
from typing import Any

from firmware.access import access_point
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import Executor
from firmware.services.recent_keys import RecentKeys

CARD = "w26:012:34567"


class Later(Executor):
    """Work is done when it is told to; how much was asked for is counted."""

    def __init__(self) -> None:
        self.asked = 0
        self._jobs: list[Any] = []

    def submit(self, work: Any, done: Any = None) -> None:
        self.asked += 1
        self._jobs.append((work, done))

    def on_end(self, call: Any) -> None:
        """The test closes the store by itself."""

    def go(self) -> None:
        jobs, self._jobs = self._jobs, []
        for work, done in jobs:
            result = work()
            if done is not None:
                done(result, None)


class House:
    """A store with one key, whose changes and look-ups are made when told to."""

    def __init__(self, folder: Path) -> None:
        self.changes, self.looks = Later(), Later()
        self.store = CredentialStore(
            str(folder / "keys.db"), self.changes, bytes(32), finder=self.looks
        )
        self.store.open()
        self.store.apply([("level", "all", [["*", None]]), ("upsert", key("active"))])

    def ask(self) -> list[Any]:
        found: list[Any] = []
        self.store.find(access_point.CARD, CARD, found.append)
        return found

    def known(self) -> Any:
        """The key, of which nothing is under way any more."""
        found = self.ask()
        self.looks.go()
        return found[0]


def key(state: str, version: int = 1) -> dict[str, Any]:
    return {
        "id": 7,
        "holder": 7,
        "state": state,
        "levels": ["all"],
        "version": version,
        "cards": [CARD],
    }


def test_a_card_that_was_shown_before_waits_for_no_look_up(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = house.known()
    assert house.looks.asked == 1
    assert house.ask() == [first]
    assert house.looks.asked == 1
    assert first.id == 7


def test_a_key_that_was_cancelled_is_found_cancelled_by_the_very_next_look(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.known()
    house.store.apply([("upsert", key("cancelled", 2))])
    assert house.known().state == "cancelled"


def test_nothing_is_held_from_when_a_change_is_asked_for_until_it_is_made(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.known()
    told: list[object] = []
    house.store.apply([("upsert", key("lost", 2))], lambda problem, keys: told.append(problem))
    for _ in range(2):
        assert house.known() is not None
    assert house.looks.asked == 3
    house.changes.go()
    assert told == [None]
    assert house.known().state == "lost"


def test_what_was_looked_up_before_a_change_and_answered_after_it_is_not_held(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    before = house.ask()
    work, answer = house.looks._jobs.pop()
    old = work()
    house.store.apply([("upsert", key("cancelled", 2))])
    answer(old, None)
    assert before[0].state == "active"
    assert house.known().state == "cancelled"


def test_a_card_of_nobody_is_looked_up_each_time(tmp_path: Path) -> None:
    house = House(tmp_path)
    for asked in (1, 2):
        found: list[object] = []
        house.store.find(access_point.CARD, "w26:000:00001", found.append)
        house.looks.go()
        assert (found, house.looks.asked) == ([None], asked)


def test_no_pin_is_held(tmp_path: Path) -> None:
    house = House(tmp_path)
    changed = dict(key("active", 2), pin="4711")
    house.store.apply([("upsert", changed)])
    for asked in (1, 2):
        found: list[Any] = []
        house.store.find(access_point.PIN, "4711", found.append)
        house.looks.go()
        assert (found[0].id, house.looks.asked) == (7, asked)


def test_the_oldest_key_gives_way() -> None:
    recent = RecentKeys(most=2)
    keys: list[Any] = ["a", "b", "c"]
    for number, one in enumerate(keys):
        recent.found(str(number), one, recent.asked())
    held: list[Any] = [recent.find(str(number)) for number in range(3)]
    assert held == [None, "b", "c"]
