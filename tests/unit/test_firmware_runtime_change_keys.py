"""`firmware.runtime.controller.Controller.change_keys`: keys change while the door decides."""

from collections.abc import Iterator
from typing import Any

import pytest

import hal.board
from firmware.runtime import aio
from sim import person
from sim.virtual import Building

START_MS = 1_795_248_000_000


class House:
    """The demo building in virtual time, and what it records."""

    def __init__(self, way: str = "card-or-pin") -> None:
        config = hal.board.load("board_configs/demo-sim.toml")
        config["access_points"]["front-in"]["verification"] = way
        self.building = Building(config, person.people(config, START_MS, []), START_MS, 1)
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)

    def change(self, *changes: Any) -> str | None:
        controller = self.building.machine.controller
        assert controller is not None
        told: list[str | None] = []

        def note(problem: str | None) -> list[Any]:
            told.append(problem)
            return []

        controller.change_keys(list(changes), "op-ling", note)
        self.wait(100)
        assert len(told) == 1
        return told[0]

    def wait(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def shows(self, name: str) -> dict[str, Any]:
        self.building.world.act("present_card", access_point="front-in", person=name)
        self.wait(1000)
        return [event for event in self.events if event["type"].startswith("access.")][-1]

    def changed(self) -> list[tuple[int, str, str]]:
        told = [event for event in self.events if event["type"] == "credential.changed"]
        return [(event["credential"], event["change"], event["by"]) for event in told]


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.building.parts.close()


def test_a_key_that_is_suspended_is_refused_at_once_and_each_change_is_recorded(
    house: House,
) -> None:
    assert house.shows("resident")["type"] == "access.granted"
    assert house.change(("life", 1001, "suspend", {}), ("life", 1007, "report_lost", {})) is None
    assert house.changed() == [(1001, "suspended", "op-ling"), (1007, "lost", "op-ling")]
    assert house.shows("resident")["reason"] == "credential_suspended"
    assert house.change(("life", 1001, "resume", {})) is None
    assert house.shows("resident")["type"] == "access.granted"


def test_of_a_batch_with_one_bad_change_nothing_is_applied_or_recorded(house: House) -> None:
    line = house.change(("life", 1001, "suspend", {}), ("life", 1003, "resume", {}))
    assert (
        line
        == "credential 1003: resume is refused, it is active; expected extend, suspend, "
        + ("report_lost, cancel")
    )
    assert house.changed() == []
    assert house.shows("resident")["type"] == "access.granted"


def test_a_level_that_changes_is_in_force_at_the_next_card(house: House) -> None:
    assert house.change(("level", person.EVERYWHERE, [["yard-in", None]])) is None
    assert house.changed() == []
    assert house.shows("resident")["reason"] == "no_right"


def test_a_card_whose_pin_is_awaited_is_not_let_in_once_it_is_cancelled() -> None:
    for cancelled in (True, False):
        house = House("card+pin")
        house.building.world.act("present_card", access_point="front-in", person="resident")
        house.wait(500)
        number = 1001 if cancelled else 1007
        assert house.change(("life", number, "cancel", {})) is None
        house.building.world.act("enter_pin", access_point="front-in", digits="2580")
        house.wait(3000)
        granted = [event for event in house.events if event["type"] == "access.granted"]
        assert (granted == []) == cancelled
        house.building.parts.close()
