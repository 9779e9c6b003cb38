"""One simulated door day of 500 passages in virtual time: how much faster than life."""

import time
from typing import TextIO

import hal.board
from sim import person
from sim.virtual import Building

PASSAGES = 500
DAY_MS = 86_400_000
START_MS = 1_795_190_400_000  # a Saturday in November 2026


def table(out: TextIO) -> None:
    """Print the factor."""
    config = hal.board.load("board_configs/demo-sim.toml")
    building = Building(config, person.people(config, START_MS, []), START_MS, 1)
    building.start()
    every_ms = DAY_MS // PASSAGES

    def pass_in() -> None:
        building.world.act("present_card", access_point="front-in", person="resident")
        at_ms = building.loop.now_ms()
        building.loop.call_at(
            at_ms + 1500, lambda: building.world.act("walk_through", portal="front")
        )
        building.loop.call_at(at_ms + every_ms, pass_in)

    building.loop.call_at(1000, pass_in)
    begun = time.monotonic()
    building.loop.run(_day())
    took_s = time.monotonic() - begun
    controller = building.machine.controller
    records = controller.journal.count() if controller is not None else 0
    building.parts.close()
    factor = DAY_MS / 1000 / took_s
    print(f"a door day of {PASSAGES} passages, {records} records: {took_s:.1f} s", file=out)
    print(f"{factor:,.0f} times faster than life", file=out)


async def _day() -> None:
    from firmware.runtime import aio

    await aio.sleep_ms(DAY_MS)
