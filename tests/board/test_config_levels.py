"""Levels and hours that stand in a board config open doors, beside the host's own and under them by name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.runtime import aio
from firmware.services.key_changes import ChangeError
from sim import person
from sim.virtual import Building

ROOT = Path(__file__).parents[2]
DEMO = str(ROOT / "board_configs/demo-sim.toml")
SATURDAY_MS = 1_795_248_000_000  # 2026-11-21T08:00:00Z: 16:00 in Shanghai
CARD = "w34:1234567890"
RULES: dict[str, object] = {
    "schedules.office": {"hours": ["mon-fri 08:00-18:00"]},
    "schedules.weekend": {"hours": ["sat,sun 08:00-18:00"]},
    "levels.staff": {
        "rights": [
            {"access_point": "*", "schedule": "weekend"},
            {"access_point": "yard-out", "deny": True},
        ]
    },
    "levels.office": {"rights": [{"access_point": "*", "schedule": "office"}]},
}


class House:
    """The demo building with these rules, and one key of these levels."""

    def __init__(self, changes: list[Any], levels: list[str]) -> None:
        config = hal.board.load(DEMO, RULES)
        self.house = Building(config, person.people(config, SATURDAY_MS, []), SATURDAY_MS, 1)
        self.events: list[dict[str, Any]] = []
        self.house.machine.on_events = lambda events, at_ms: self.events.extend(events)
        self.house.start()
        key = {"id": 77, "holder": 7, "cards": [CARD], "levels": levels}
        self.apply([*changes, ("upsert", key)])

    def apply(self, changes: list[Any]) -> None:
        controller = self.house.machine.controller
        assert controller is not None
        controller.store.apply(changes)
        controller.upkeep.take_rights()

    def shows(self, access_point: str) -> tuple[str, str | None]:
        """What becomes of the card there: the event, and the reason of a refusal."""
        self.events.clear()
        self.house.world.act("present_card", access_point=access_point, number=CARD)
        self.house.loop.run(aio.sleep_ms(400))
        event = next(one for one in self.events if one["type"].startswith("access."))
        return event["type"], event.get("reason")


@pytest.fixture
def houses() -> Iterator[list[House]]:
    """Houses to be closed."""
    made: list[House] = []
    yield made
    for one in made:
        one.house.parts.close()


def house(made: list[House], changes: list[Any], levels: list[str]) -> House:
    made.append(House(changes, levels))
    return made[-1]


def test_a_level_of_the_config_opens_in_the_hours_of_the_config(houses: list[House]) -> None:
    staff = house(houses, [], ["staff"])
    assert staff.shows("front-in") == ("access.granted", None)
    assert staff.shows("yard-out") == ("access.denied", "no_right")
    assert house(houses, [], ["office"]).shows("front-in") == ("access.denied", "outside_schedule")


def test_a_denial_of_the_config_beats_a_level_of_the_host(houses: list[House]) -> None:
    both = house(houses, [("level", "all", [["*", None]])], ["all", "staff"])
    assert both.shows("yard-in") == ("access.granted", None)
    assert both.shows("yard-out") == ("access.denied", "no_right")


def test_the_hosts_level_and_hours_stand_in_place_of_the_configs(houses: list[House]) -> None:
    assert house(houses, [("level", "office", [["*", None]])], ["office"]).shows("front-in") == (
        "access.granted",
        None,
    )
    hours = ("schedule", "office", ["sat 00:00-24:00"])
    assert house(houses, [hours], ["office"]).shows("front-in") == ("access.granted", None)


def test_a_level_of_the_host_may_name_hours_of_the_config(houses: list[House]) -> None:
    mine = house(houses, [("level", "mine", [["front-in", "weekend"]])], ["mine"])
    assert mine.shows("front-in") == ("access.granted", None)
    assert mine.shows("yard-in") == ("access.denied", "no_right")


def test_a_level_that_neither_has_is_refused(houses: list[House]) -> None:
    with pytest.raises(ChangeError, match="level stuff is unknown"):
        house(houses, [], ["stuff"])
