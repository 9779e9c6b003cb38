"""`firmware.services.egress_test`: the real controller in virtual time, the world pressing its buttons."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.access import portal
from firmware.runtime import aio
from firmware.services.egress_test import EgressTest
from firmware.services.egress_words import LANGUAGES, WORDS
from hal.errors import DeviceUnavailableError
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1795248000000
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")
TITLES = {"Front door": "front", "Yard gate": "yard"}


class Walk:
    """The demo building, and an installer who does what he is told half a second later.

    does  callable (line) -> whether the installer does something else instead
    """

    def __init__(
        self,
        does: Callable[["Walk", str], bool] | None = None,
        override: dict[str, object] | None = None,
        lang: str = "en",
    ) -> None:
        config = hal.board.load(BOARD, override)
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(config, people, START_MS, 1)
        self.building.start()
        assert self.building.machine.controller is not None
        self.controller = self.building.machine.controller
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        self.said: list[str] = []
        self.does = does
        self.ended = aio.Event()
        self.test = EgressTest(
            self.controller, self.controller._devices, self.say, lang, "installer"
        )

    def run(self) -> int:
        """Walk through it; the exit code."""
        code: list[int] = []

        async def walk() -> None:
            code.append(await self.test.walk(self.ended))
            await aio.sleep_ms(1000)

        self.building.loop.run(walk())
        self.building.parts.close()
        return code[0]

    def say(self, line: str) -> None:
        self.said.append(line)
        loop = self.building.loop
        loop.call_at(loop.now_ms() + 500, lambda: self.told(line))

    def told(self, line: str) -> None:
        if self.does is not None and self.does(self, line):
            return
        world = self.building.world
        if "press its exit" in line:
            world.act("press_rex", portal=TITLES[line.partition(" (")[0]])
        elif line.startswith("Open the fire loop"):
            world.act("set_fire", on=True)
        elif line.startswith("Close the fire loop"):
            world.act("set_fire", on=False)
            if "key switch" in line:
                loop = self.building.loop
                loop.call_at(loop.now_ms() + 1000, lambda: world.act("press_ack"))

    def results(self) -> list[tuple[str | None, str, str, str | None]]:
        return [(one.portal, one.step, one.result, one.why) for one in self.test.results]

    def failing(self) -> list[tuple[str | None, str, str | None]]:
        return [(at, step, why) for at, step, result, why in self.results() if result != "passed"]

    def modes(self) -> list[str]:
        return [self.controller.site.portals[name].mode for name in ("front", "yard")]

    def records(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "system.egress_test"]


def test_a_house_in_which_everything_works_passes_every_step() -> None:
    walk = Walk()
    assert walk.run() == 0
    steps = ("locked", "locked_down")
    doors = [(name, step, "passed", None) for name in ("front", "yard") for step in steps]
    fires = [(name, "fire", "passed", None) for name in ("front", "yard")]
    resets = [(name, "reset", "passed", None) for name in ("front", "yard")]
    assert walk.results() == doors + fires + resets
    took = [one.ms for one in walk.test.results if one.step != "reset"]
    assert all(ms is not None and 0 <= ms <= 100 for ms in took)
    assert walk.modes() == [portal.LOCKED, portal.LOCKED]
    assert walk.said[-1] == "Everything passed."


def test_every_portal_and_the_fire_leave_a_record() -> None:
    walk = Walk()
    walk.run()
    assert [event.get("portal") for event in walk.records()] == ["front", "yard", None]
    for event in walk.records():
        assert event["by"] == "installer"
        assert all(one["result"] == "passed" for one in event["results"])
    front = walk.records()[0]["results"]
    assert [one["step"] for one in front] == ["locked", "locked_down"]
    assert json.dumps(front)


def test_an_exit_whose_wire_is_cut_fails_and_the_rest_goes_on() -> None:
    def cut(walk: Walk, line: str) -> bool:
        if line.startswith("Walk"):
            walk.building.world.act("unplug", device="yard-exit", on=True)
        return False

    walk = Walk(cut)
    assert walk.run() == 1
    assert walk.failing() == [("yard", "locked", "not_seen"), ("yard", "locked_down", "not_seen")]
    assert walk.said[-1] == "2 of 8 did not pass."


def test_a_lock_that_jams_fails_by_its_own_contact() -> None:
    def jam(walk: Walk, line: str) -> bool:
        if line.startswith("Walk"):
            walk.building.world.act("jam_lock", portal="front", on=True)
        return False

    walk = Walk(jam)
    assert walk.run() == 1
    assert walk.failing() == [
        ("front", "locked", "bond"),
        ("front", "locked_down", "bond"),
        ("front", "fire", "bond"),
    ]


def test_an_output_line_that_cannot_be_driven_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Walk()
    lock = walk.controller._devices["front-strike"]

    def lost(unlocked: bool) -> None:
        raise DeviceUnavailableError("line strike: gone")

    monkeypatch.setattr(lock, "set_unlocked", lost)
    assert walk.run() == 1
    assert walk.failing() == [
        ("front", "locked", "not_released"),
        ("front", "locked_down", "not_released"),
        ("front", "fire", "not_released"),
    ]


def test_a_lock_that_is_driven_late_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Walk()
    seen = walk.test._lock_driven

    def late(name: str, unlocked: bool, at_ms: int) -> None:
        seen(name, unlocked, at_ms + (101 if name == "yard" and unlocked else 0))

    monkeypatch.setattr(walk.controller, "on_lock", late)
    assert walk.run() == 1
    assert [(at, step) for at, step, why in walk.failing() if why == "late"] == [
        ("yard", "locked"),
        ("yard", "locked_down"),
        ("yard", "fire"),
    ]
    assert any("101 ms" in line for line in walk.said)


def test_a_step_is_left_out_with_a_reason_only() -> None:
    def skip(walk: Walk, line: str) -> bool:
        if "press its exit" in line and "Front" in line:
            walk.test.heard("skip")
            loop = walk.building.loop
            loop.call_at(loop.now_ms() + 300, lambda: walk.test.heard("skip door is being painted"))
            return True
        return False

    walk = Walk(skip)
    assert walk.run() == 1
    assert walk.failing() == [
        ("front", "locked", "door is being painted"),
        ("front", "locked_down", "door is being painted"),
    ]
    assert walk.said.count("Say why: skip REASON") == 2


def test_nobody_at_the_fire_loop_fails_the_fire_and_nothing_else() -> None:
    walk = Walk(lambda walk, line: line.startswith("Open the fire loop"))
    assert walk.run() == 1
    assert walk.failing() == [(None, "fire", "not_seen")]


def test_a_portal_that_stays_latched_in_a_fire_passes() -> None:
    walk = Walk(override={"portals.front.on_fire": "latch"})
    assert walk.run() == 0


def test_a_fire_that_is_reset_by_hand_waits_for_the_key_switch() -> None:
    walk = Walk(override={"alarms.fire.reset": "manual"})
    assert walk.run() == 0
    assert [line for line in walk.said if "turn the key switch" in line]


def test_ctrl_c_leaves_the_modes_as_they_were_and_says_what_was_done() -> None:
    def interrupt(walk: Walk, line: str) -> bool:
        if "press its exit" in line and "locked down" in line:
            assert walk.modes()[0] == portal.LOCKED_DOWN
            walk.ended.set()
            return True
        return False

    walk = Walk(interrupt, {"portals.front.mode": "blocked", "portals.yard.mode": "unlocked"})
    assert walk.run() == 1
    assert walk.modes() == [portal.BLOCKED, portal.UNLOCKED]
    assert walk.results() == [
        ("front", "locked", "passed", None),
        ("front", "locked_down", "skipped", "stopped"),
    ]
    assert [event["portal"] for event in walk.records()] == ["front"]


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    assert set(WORDS) == set(LANGUAGES)
    english, chinese = WORDS["en"], WORDS["zh"]
    assert set(english) == set(chinese)
    for key, text in english.items():
        for gap in ("{portal}", "{mode}", "{ms}", "{count}", "{all}"):
            assert (gap in text) == (gap in chinese[key]), key
    assert not [word for word in english.values() if not word]


def test_a_chinese_table_stands_in_columns() -> None:
    walk = Walk(lambda walk, line: True, lang="zh")
    walk.ended.set()
    walk.run()
    assert any("已中止" in line for line in walk.said)
    assert walk.said[-1].startswith("1 项中有 1 项")
