"""`doorward` on a board of wires with people at them: the real program, which somebody makes busy.

    python peopled_main.py BOARD SEED ARGS...

Takes one order a line on standard input: ``people on``, ``people off``, ``exits N`` (so many presses of the
exit button), ``help N`` (of the help button), and says ``done ORDER`` when it is done. Everything is driven
on the door's own loop, as edges of its lines. The system's clock counts as right, whoever vouches for it.
"""

import random
import sys
from collections.abc import Coroutine
from typing import Any

import hal.board
from firmware import main as program
from firmware.runtime import aio
from firmware.runtime.controller import Controller
from firmware.services.typed_lines import TypedLines
from firmware.services.wall import SystemWall
from hal.backends.monotonic_ticks import MonotonicTicks
from sim.fakes import FakeLines, FakeSerialPorts

HOLD_MS = 60  #: how long a button is held, and let go: longer than any debounce
BUSY_MS = (5, 60)  #: between what people do


class People:
    """Presses and openings at the lines of one board."""

    def __init__(self, lines: FakeLines, config: dict[str, Any], seed: int) -> None:
        self._lines = lines
        self._devices = config["devices"]
        self._random = random.Random(seed)
        self._busy = False
        self._orders: list[str] = []
        self._told = aio.Event()
        for name, device in self._devices.items():
            if device["driver"] == "contact":
                self.set(name, name != "help-button")
            elif device["driver"] == "rex":
                self.set(name, False)

    def set(self, name: str, on: bool) -> None:
        """Drive the line of a device."""
        device = self._devices[name]
        self._lines.drive(device["line"], (device["active"] == "high") == on)

    def attach(self, controller: Controller) -> None:
        """Live at the door of `controller`, as long as it does."""
        TypedLines(controller.loop.waiter, 0, self._order).start()
        controller.supervisor.start("people", self._live)

    def _order(self, line: str) -> None:
        self._orders.append(line)
        self._told.set()

    def _live(self) -> Coroutine[Any, Any, None]:
        return self._do()

    async def _do(self) -> None:
        while True:
            while self._orders:
                order = self._orders.pop(0)
                what, _, much = order.partition(" ")
                if what == "people":
                    self._busy = much == "on"
                else:
                    for _ in range(int(much)):
                        await self._press("yard-exit" if what == "exits" else "help-button")
                print(f"done {order}", flush=True)
            if self._busy:
                await self._something()
            else:
                self._told.clear()
                await self._told.wait()

    async def _something(self) -> None:
        chance = self._random.random()
        if chance < 0.1:
            await self._press("help-button")
        elif chance < 0.5:
            await self._press("yard-exit")
        else:
            self.set("yard-contact", False)
            await aio.sleep_ms(HOLD_MS)
            self.set("yard-contact", True)
        await aio.sleep_ms(self._random.randint(*BUSY_MS))

    async def _press(self, name: str) -> None:
        self.set(name, True)
        await aio.sleep_ms(HOLD_MS)
        self.set(name, False)
        await aio.sleep_ms(HOLD_MS)


def main() -> int:
    """The program, with people."""
    board, seed, *args = sys.argv[1:]
    lines = FakeLines(MonotonicTicks())
    people = People(lines, hal.board.load(board), int(seed))
    program._backends = lambda config: (lines, FakeSerialPorts())
    start = Controller.start

    def started(self: Controller) -> None:
        start(self)
        people.attach(self)

    Controller.start = started  # type: ignore[method-assign]
    SystemWall.vouched = lambda self: True  # type: ignore[method-assign]
    return program.main(["--board", board, *args])


if __name__ == "__main__":
    sys.exit(main())
