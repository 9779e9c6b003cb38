"""`firmware.runtime.upkeep`: what the real controller says of itself, in virtual time."""

from pathlib import Path
from typing import Any

import hal.board
from firmware.access import alarm
from firmware.runtime import aio
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1795248000000
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")
DAY_MS = 86400000


class Rig:
    """The demo building; ``events`` is what it recorded since the start."""

    def __init__(self, override: dict[str, object] | None = None) -> None:
        config = hal.board.load(BOARD, override)
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(config, people, START_MS, 1)
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)

    @property
    def controller(self) -> Any:
        return self.building.machine.controller

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def act(self, do: str, **args: object) -> None:
        self.building.world.act(do, **args)

    def told(self, type: str, *fields: str) -> list[tuple[Any, ...]]:
        found = [event for event in self.events if event["type"] == type]
        return [tuple(event.get(field) for field in fields) for event in found]


def test_a_certificate_that_ends_soon_is_one_alarm_of_the_controller() -> None:
    rig = Rig()
    for _ in range(3):
        rig.controller.upkeep.condition(alarm.CERTIFICATE_EXPIRING, True)
        rig.run(1000)
    assert rig.told("alarm.raised", "point", "class", "priority") == [
        ("controller", "certificate_expiring", 4)
    ]


def test_a_clock_that_nobody_believes_is_an_alarm_until_it_is_right() -> None:
    rig = Rig()
    rig.act("set_clock", jump_ms=30 * DAY_MS)
    rig.run(120_000)
    assert rig.told("alarm.raised", "point", "class") == [("controller", "clock_fault")]
    rig.act("set_clock", jump_ms=-30 * DAY_MS)
    rig.run(5000)
    rig.act("press_ack")
    rig.run(5000)
    assert rig.told("alarm.cleared", "class") == [("clock_fault",)]


def test_the_owner_ends_a_leap_and_what_he_says_is_trusted_and_kept() -> None:
    rig = Rig()
    rig.act("set_clock", jump_ms=30 * DAY_MS)
    rig.run(5000)
    rig.events.clear()
    rig.controller.upkeep.set_clock(START_MS + 30 * DAY_MS + 5000, "owner")
    rig.run(5000)
    assert rig.told("clock.changed", "quality", "clock", "by") == [("trusted", "trusted", "owner")]
    rig.act("cut_power")
    rig.run(1000)
    rig.act("restore_power")
    rig.run(5000)
    assert rig.controller.time.quality() == "trusted"
    assert rig.controller.time.lead_ms == 0


def test_a_floor_that_the_owner_moved_down_stays_down_over_a_power_cut() -> None:
    rig = Rig()
    rig.act("set_clock", jump_ms=20 * 3600_000)  # believed
    rig.run(5000)
    now_ms = START_MS + 10_000
    rig.controller.upkeep.set_clock(now_ms, "owner")
    rig.act("set_clock", utc="2026-11-21T08:00:10Z")
    rig.run(5000)
    rig.act("cut_power")
    rig.run(1000)
    rig.act("restore_power")
    rig.run(5000)
    moment = rig.controller.upkeep.now()
    assert moment.trusted
    assert 0 <= moment.utc_s - now_ms // 1000 <= 15


def test_a_link_that_stays_down_is_an_alarm_and_one_that_comes_back_soon_is_none() -> None:
    rig = Rig()
    rig.act("cut_network")
    rig.run(299_000)
    rig.act("restore_network")
    rig.run(10_000)
    assert rig.told("alarm.raised", "class") == []
    rig.act("cut_network")
    rig.run(302_000)
    assert rig.told("alarm.raised", "point", "class") == [("controller", "link_fault")]


def test_the_journal_is_vouched_for_each_hour_of_running() -> None:
    rig = Rig()
    rig.run(3 * 3600000 + 60000)
    assert len(rig.told("system.checkpoint")) == 3


def test_readings_that_found_no_room_are_told_and_in_the_end_how_many() -> None:
    rig = Rig()
    rig.controller.inbox.limit = 0
    for dropped in (2, 3):
        for _ in range(dropped):
            rig.act("present_card", access_point="front-in", number="w26:012:20000")
            rig.run(1000)
        assert rig.told("system.fault", "part", "text")[-1] == (
            "inbox",
            "too many readings at once; some are dropped",
        )
        rig.run(7000)
        assert rig.told("system.recovered", "part", "text")[-1] == (
            "inbox",
            f"{dropped} readings were dropped",
        )
    assert len(rig.told("system.fault", "part")) == 2
    rig.controller.inbox.limit = 256
    rig.run(60_000)
    assert len(rig.told("system.recovered", "part")) == 2
