"""`Controller.told`: what the board's outputs are wanted to be, and word of it whenever that changes."""

from pathlib import Path

import hal.board
from firmware.runtime import aio
from sim import person
from sim.virtual import Building

ROOT = Path(__file__).parents[2]
START_MS = 1_795_248_000_000  # 2026-11-21T08:00:00Z
LAMP: dict[str, object] = {
    "devices.lamp": {"driver": "relay", "line": "lamp"},
    "automation.light": {
        "when": {"type": "alarm.raised", "class": "power_fault"},
        "do": {"output": "lamp", "for_ms": 5000},
    },
}


def test_word_comes_once_when_an_output_is_wanted_on_and_once_when_off_and_never_for_a_beat() -> (
    None
):
    config = hal.board.load(str(ROOT / "board_configs/demo-sim.toml"), LAMP)
    house = Building(config, person.people(config, START_MS, []), START_MS, 1)
    house.start()
    machine, told = house.machine, []

    def changed() -> None:
        on = [name for name in ("siren", "beacon", "lamp") if machine.told(name)]
        told.append((house.now_ms() // 1000, on))

    machine.on_told = changed
    house.world.act("fail_mains", on=True)
    house.loop.run(aio.sleep_ms(10_000))
    house.world.act("press_panic", point="lobby-panic")
    house.loop.run(aio.sleep_ms(10_000))
    house.world.act("fail_mains", on=False)
    house.world.act("press_ack")
    house.loop.run(aio.sleep_ms(5000))
    assert told == [
        (2, ["beacon", "lamp"]),
        (7, ["beacon"]),
        (10, ["siren", "beacon"]),
        (20, []),
    ]
    house.world.act("cut_power")
    assert not machine.told("beacon")
    house.parts.close()


def test_a_relay_of_a_rule_is_an_output_of_the_world() -> None:
    config = hal.board.load(str(ROOT / "board_configs/demo-sim.toml"), LAMP)
    house = Building(config, person.people(config, START_MS, []), START_MS, 1)
    house.start()
    assert house.world.snapshot()["outputs"]["lamp"] is False
    house.world.act("fail_mains", on=True)
    house.loop.run(aio.sleep_ms(3000))
    assert house.world.snapshot()["outputs"]["lamp"] is True
    house.world.act("fail_line", device="lamp", fault="cut")
    assert house.world.snapshot()["outputs"]["lamp"] is False
    house.world.act("fail_line", device="lamp", fault="none")
    house.loop.run(aio.sleep_ms(6000))
    assert house.world.snapshot()["outputs"]["lamp"] is False
    house.parts.close()
