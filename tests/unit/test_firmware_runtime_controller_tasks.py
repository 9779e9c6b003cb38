"""`firmware.runtime.controller`: what becomes of the door when one of its tasks dies or hangs."""

from pathlib import Path
from typing import Any

import hal.board
from firmware.runtime import aio, feeds
from firmware.runtime.feeds import ALIVE_MS
from firmware.runtime.heartbeat import Heartbeat
from sim.fake_watchdog import FakeWatchdog
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1795248000000
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")
TIMEOUT_MS = 3000


class House:
    """The demo building with a watchdog over its door."""

    def __init__(self) -> None:
        config = hal.board.load(BOARD)
        self.building = Building(
            config, demo_people(START_MS // 1000, lambda utc_s: 28800), START_MS, 1
        )
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        controller = self.building.machine.controller
        assert controller is not None
        self.controller = controller
        self.bites: list[int] = []
        loop = self.building.loop
        self.watchdog = FakeWatchdog(loop, TIMEOUT_MS, lambda: self.bites.append(loop.now_ms()))
        others, beat = controller.on_round, Heartbeat([self.watchdog]).beat

        def round_ended(now_ms: int) -> None:
            beat(now_ms)
            if others is not None:
                others(now_ms)

        controller.on_round = round_ended

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def stop(self, name: str) -> None:
        """From here on task `name` does nothing and says nothing, as one that waits for ever."""
        self.controller.supervisor._tasks[name]._token += 1

    def faults(self) -> list[tuple[str, str]]:
        return [(e["part"], e["text"]) for e in self.events if e["type"] == "system.fault"]

    def locks(self) -> dict[str, str]:
        """Each portal's lock as it is."""
        portals = self.building.world.snapshot()["portals"]
        return {name: portals[name]["lock"] for name in portals}

    def opens(self) -> bool:
        """Whether the resident's card opens the front door."""
        before = len(self.events)
        self.building.world.act("present_card", access_point="front-in", person="resident")
        self.run(2000)
        return "access.granted" in [event["type"] for event in self.events[before:]]


def test_a_door_that_decides_is_never_bitten_however_quiet_the_day() -> None:
    house = House()
    house.run(60_000)
    assert house.bites == []
    assert house.watchdog.pets >= 60


def test_a_door_task_that_waits_for_ever_is_bitten_whatever_the_other_tasks_do() -> None:
    house = House()
    house.run(10_000)
    house.stop("door")
    for _ in range(20):
        house.building.world.act("present_card", access_point="front-in", person="resident")
        house.run(500)
    assert len(house.bites) == 1


def test_a_feed_that_hangs_costs_its_own_device_a_while_and_the_door_nothing() -> None:
    house = House()
    house.run(10_000)
    house.stop("feed-front-reader")
    assert not house.opens()
    house.run(ALIVE_MS + 2000)
    assert house.faults() == [
        ("feed-front-reader", "task ended (hangs); it is started again"),
    ]
    assert house.opens()
    assert house.bites == []


def test_a_controller_that_is_told_to_start_anew_stops_cleanly_and_decides_again() -> None:
    house = House()
    house.run(1000)
    house.building.machine.restart()
    house.run(10_000)
    kinds = [e["type"] for e in house.events if e["type"] in ("system.stopping", "system.started")]
    assert kinds == ["system.stopping", "system.started"]
    assert house.opens()


def test_a_door_task_that_dies_leaves_the_locks_without_current_until_it_decides_again() -> None:
    house = House()
    house.building.world.act("present_card", access_point="front-in", person="resident")
    house.run(1000)
    assert house.locks() == {"front": "unlocked", "yard": "locked"}
    house.controller.inbox.put(feeds.Input(feeds.FOUND, "none", None))
    house.run(100)
    house.controller.ask(lambda now: (None, []))  # what is asked meanwhile drives nothing
    assert house.locks() == {"front": "locked", "yard": "unlocked"}
    house.run(6000)
    assert house.locks() == {"front": "locked", "yard": "locked"}
    assert house.opens()


def test_a_magnet_that_lets_go_while_the_door_task_is_dead_is_on_record_and_nobody_forced_it() -> (
    None
):
    house = House()
    house.run(1000)
    house.controller.inbox.put(feeds.Input(feeds.FOUND, "none", None))
    house.run(100)
    house.building.world.act("walk_through", portal="yard")
    house.run(20_000)
    released = [e for e in house.events if e["type"] == "portal.released"]
    assert [(e["portal"], e["cause"]) for e in released] == [("yard", "power")]
    kinds = [e["type"] for e in house.events if e.get("portal") == "yard"]
    assert kinds == ["portal.released", "portal.opened", "portal.secured", "portal.closed"]


def test_a_door_task_that_dies_each_time_never_gets_its_locks_back() -> None:
    house = House()
    house.building.world.act("present_card", access_point="front-in", person="resident")
    house.run(1000)
    tick = house.controller.site.tick

    def die(now: Any) -> list[object]:
        raise RuntimeError

    house.controller.site.tick = die  # type: ignore[method-assign]
    house.run(500)
    for _ in range(20):
        house.run(100)
        assert house.locks()["front"] == "locked"
    assert len(house.faults()) > 1
    house.controller.site.tick = tick  # type: ignore[method-assign]
    house.run(8000)
    assert house.opens()
