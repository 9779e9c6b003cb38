"""`sim.virtual`: the real controller with its broker and host; what outlives faults, how fast it is back."""

import json
from typing import Any

import hal.board
from firmware.runtime import aio
from firmware.services import database
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1_795_248_000_000


class House:
    """The demo building. ``events`` are those told since the start."""

    def __init__(self, host_ack: bool = True, seed: int = 1, limit: int = 100_000) -> None:
        config = hal.board.load("board_configs/demo-sim.toml", {"link.host_ack": host_ack})
        config["journal"]["limit"] = limit
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(config, people, START_MS, seed)
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)

    @property
    def controller(self) -> Any:
        return self.building.machine.controller

    def act(self, do: str, **args: Any) -> None:
        self.building.world.perform(do, args)

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def locks(self) -> dict[str, str]:
        portals = self.building.world.snapshot()["portals"]
        return {name: portals[name]["lock"] for name in portals}

    def on_disk(self) -> list[dict[str, Any]]:
        vfs = self.building.parts.disk.vfs_name
        connection = database.connect_read_only("journal.db", vfs)
        rows = connection.execute("SELECT body FROM events ORDER BY seq").fetchall()
        connection.close(True)
        return [json.loads(str(row[0])) for row in rows]


def test_records_leave_at_the_hosts_word_and_not_before() -> None:
    house = House()
    house.building.host.acknowledges = False
    house.act("present_card", access_point="front-in", person="resident")
    house.run(8000)
    assert house.controller.journal.waiting() > 0
    house.building.host.acknowledges = True
    house.act("present_card", access_point="front-in", person="resident")
    house.run(8000)
    assert house.controller.journal.waiting() == 0
    assert house.building.host.problems == []


def test_a_full_ring_says_so_once_and_its_own_words_push_nothing_out() -> None:
    house = House(limit=60)
    house.building.host.acknowledges = False
    for _ in range(30):
        house.act("present_card", access_point="front-in", person="resident")
        house.run(8000)
    (full,) = [event for event in house.events if event["type"] == "system.fault"]
    assert "give way" in full["text"]
    house.events.clear()
    house.run(1_800_000)  # nobody comes
    assert [event["type"] for event in house.events if event["type"] != "alarm.repeated"] == []
    house.building.host.acknowledges = True
    house.act("present_card", access_point="front-in", person="resident")
    house.run(1_200_000)
    assert house.controller.journal.waiting() == 0
    (room,) = [event for event in house.events if event["type"] == "system.recovered"]
    assert "gave way meanwhile" in room["text"]


def test_through_every_fault_of_the_broker_the_host_gets_all_of_it() -> None:
    house = House()
    for fault in ("slow", "duplicate", "reorder", "lose_puback", "half_open", "down", "forget"):
        house.act("fail_broker", fault=fault, on=True)
        house.act("present_card", access_point="front-in", person="resident")
        house.run(20_000)
        house.act("fail_broker", fault=fault, on=False)
        house.run(60_000)
    house.run(600_000)
    host = house.building.host
    assert host.problems == []
    (journal,) = host.journals
    assert host.missing(journal) == []
    assert host.journals[journal].upto == house.controller.journal.count()
    assert house.controller.journal.waiting() == 0


def test_a_process_that_dies_loses_nothing_that_was_on_the_disk_and_is_back_soon() -> None:
    house = House()
    house.act("present_card", access_point="front-in", person="resident")
    house.run(600)
    assert house.locks() == {"front": "unlocked", "yard": "locked"}
    before = [event["id"] for event in house.events]
    house.act("kill_process", process="door")
    house.run(100)
    assert house.locks() == {"front": "locked", "yard": "unlocked"}
    house.run(2000)
    assert house.controller.deciding
    assert house.locks() == {"front": "locked", "yard": "locked"}
    assert [event["id"] for event in house.on_disk()][: len(before) + 2][2:] == before


def test_while_the_door_hangs_nothing_moves_and_within_10_s_it_decides_again() -> None:
    house = House()
    house.act("present_card", access_point="front-in", person="resident")
    house.run(600)
    house.act("fail_task", task="door", how="hangs")
    house.run(2000)
    assert house.locks() == {"front": "unlocked", "yard": "locked"}
    house.run(1500)
    assert house.locks() == {"front": "locked", "yard": "unlocked"}
    house.run(6500)
    assert house.controller.deciding
    assert house.locks() == {"front": "locked", "yard": "locked"}


def test_a_door_that_is_well_is_never_bitten() -> None:
    house = House()
    house.run(3_600_000)
    assert [event for event in house.events if event["type"] == "system.started"] == []


def test_a_cut_at_a_write_comes_in_its_middle_or_soon_without_one() -> None:
    for write, seen in ((2, False), (10_000, False)):
        house = House()
        house.act("cut_power", at_write=write)
        house.act("present_card", access_point="front-in", person="resident")
        house.run(1100)
        assert house.building.machine.power is seen
        house.act("restore_power")
        house.run(3000)
        assert house.controller.deciding


def test_a_clock_that_drifts_gains_its_millionths_and_keeps_them_when_that_ends() -> None:
    house = House()
    wall = house.building.wall
    before_ms = wall.utc_ms()
    house.act("drift_clock", ppm=100)
    house.run(100_000)
    assert wall.utc_ms() - before_ms == 100_010
    house.act("drift_clock", ppm=0)
    house.run(100_000)
    assert wall.utc_ms() - before_ms == 200_010


def test_the_same_seed_is_the_same_run_under_every_fault() -> None:
    def story(seed: int) -> list[dict[str, Any]]:
        house = House(seed=seed)
        for fault in ("duplicate", "reorder", "lose_puback"):
            house.act("fail_broker", fault=fault, on=True)
        house.act("fail_reader", device="front-reader", fault="noise")
        house.act("fail_storage", on=True, mode="slow")
        for _ in range(5):
            house.act("command", op="portal.release", args={"portal": "front"})
            house.act("present_card", access_point="yard-in", person="resident")
            house.run(4000)
        house.act("kill_process", process="door")
        house.run(5000)
        house.act("cut_power", at_write=3)
        house.run(2000)
        return house.on_disk()

    assert story(3) == story(3)
