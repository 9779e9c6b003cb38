"""The OSDP board in the simulator: what its readers say, and what becomes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.runtime import aio
from sim import person
from sim.virtual import Building

PATH = Path(__file__).parents[2] / "board_configs" / "rpi4-two-doors-osdp.toml"
START_MS = 1_795_248_000_000  # 2026-11-21T08:00:00Z


class _House:
    def __init__(self) -> None:
        config = hal.board.load(str(PATH))
        people = person.people(config, START_MS, [])
        self.building = Building(config, people, START_MS, 1)
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        self.building.start()

    def do(self, verb: str, after_ms: int, **args: Any) -> list[dict[str, Any]]:
        """Do something and let time pass; what is recorded of it."""
        before = len(self.events)
        self.building.world.act(verb, **args)
        self.building.loop.run(aio.sleep_ms(after_ms))
        return self.events[before:]

    def seen(self, access_point: str) -> dict[str, Any]:
        seen: dict[str, Any] = self.building.world.snapshot()["access_points"][access_point]
        return seen


@pytest.fixture
def house() -> Iterator[_House]:
    one = _House()
    yield one
    one.building.parts.close()


def _alarms(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (one["type"], one["point"], one["class"])
        for one in events
        if one["type"].startswith("alarm.") and "class" in one
    ]


def test_a_lost_reader_is_a_fault_with_its_reason_and_the_other_door_goes_on(house: _House) -> None:
    told = house.do("unplug", 5000, device="front-reader", on=True)
    assert ("alarm.raised", "front-reader", "reader_fault") in _alarms(told)
    (fault,) = [one for one in told if one["type"] == "system.fault"]
    assert fault["part"] == "front-reader"
    assert "does not answer" in fault["text"]
    told = house.do("present_card", 1000, access_point="front-in", person="resident")
    assert [one for one in told if one["type"].startswith("access.")] == []
    told = house.do("present_card", 1000, access_point="back-in", person="resident")
    assert [one["portal"] for one in told if one["type"] == "access.granted"] == ["back"]
    told = house.do("unplug", 5000, device="front-reader", on=False)
    assert [one["part"] for one in told if one["type"] == "system.recovered"] == ["front-reader"]
    told = house.do("present_card", 1000, access_point="front-in", person="resident")
    assert [one["portal"] for one in told if one["type"] == "access.granted"] == ["front"]


def test_a_bus_that_is_cut_loses_every_reader_on_it(house: _House) -> None:
    told = house.do("fail_line", 5000, device="bus", fault="cut")
    lost = [point for type, point, kind in _alarms(told) if kind == "reader_fault"]
    assert sorted(lost) == ["back-reader", "front-reader"]
    told = house.do("fail_line", 5000, device="bus", fault="none")
    back = [one["part"] for one in told if one["type"] == "system.recovered"]
    assert sorted(back) == ["back-reader", "front-reader"]


def test_a_reader_s_own_housing_is_a_tamper_alarm(house: _House) -> None:
    told = house.do("tamper", 2000, device="back-reader", on=True)
    assert ("alarm.raised", "back-reader", "tamper") in _alarms(told)
    told = house.do("present_card", 1000, access_point="back-in", person="resident")
    assert [one["type"] for one in told if one["type"].startswith("access.")] == ["access.denied"]
    house.do("tamper", 2000, device="back-reader", on=False)
    told = house.do("present_card", 1000, access_point="back-in", person="resident")
    assert [one["type"] for one in told if one["type"].startswith("access.")] == ["access.granted"]


def test_a_reader_s_own_supply_is_its_power_fault_and_not_the_mains(house: _House) -> None:
    side = house.building.world._side("back-reader")
    side.say("power", False)
    told = house.do("wait", 5000, ms=1)
    assert ("alarm.raised", "back-reader", "power_fault") in _alarms(told)
    controller = house.building.machine.controller
    assert controller is not None
    health = controller.publisher._health(controller.site, controller.time)
    assert health["power"]["mains"] is True


def test_light_and_buzzer_of_a_reader_follow_the_decision(house: _House) -> None:
    before = house.seen("front-in")
    house.do("present_card", 300, access_point="front-in", person="resident")
    assert house.seen("front-in")["led"] == "green" != before["led"]
    house.do("unplug", 2000, device="front-reader", on=True)
    assert house.seen("front-in")["led"] == "off"
    house.do("unplug", 8000, device="front-reader", on=False)
    assert house.seen("front-in") == before


def test_a_pin_is_typed_on_the_reader_s_own_keys(house: _House) -> None:
    told = house.do("enter_pin", 5000, access_point="front-in", digits="999999")
    assert [one["type"] for one in told if one["type"].startswith("access.")] == ["access.denied"]
