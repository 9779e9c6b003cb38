"""`doorward` on a board of wires whose levels outlive it, for tests of what happens when it hangs or dies.

    python watched_main.py LEVELS ARGS...

LEVELS   a file: each change of an output is appended as ``line high|low``; nothing is written when a line is
         let go, as on a board that leaves a pin as it was
SIGUSR1  the loop computes for ever from here on
SIGUSR2  what a command would ask: another config where LEVELS.toml is there, else to start anew
LEVELS.crash     while it is there, the program dies at each start before the door's first round
LEVELS.trusted   while it is there, the kernel's clock is kept by somebody
LEVELS.told      the conditions that were told to the door's upkeep
LEVELS.loaded    what is not needed to decide, and was loaded before the door's first round
LEVELS.frozen    there once it has ended, if it looked for cycles, and not in what its start had made
LEVELS.watchdog  what was done to the board's watchdog device, where the config names one
"""

import gc
import os
import signal
import sys
from types import FrameType
from typing import Any

import hal.board
from firmware import main as program
from firmware import program as parts
from firmware.services import wall
from hal.backends import linux_watchdog
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.ports import Watchdog
from sim.fakes import FakeLines, FakeSerialPorts

levels, *arguments = sys.argv[1:]
lines = FakeLines(MonotonicTicks())
LATER = {"cryptography.x509", "firmware.services.certificates", "orjson", "pyhpke"}


def put(name: str, high: bool | None) -> None:
    if high is not None:
        with open(levels, "a") as file:
            file.write(f"{name} {'high' if high else 'low'}\n")


class Program(parts.Program):
    """The real one, which a signal can ask what a command asks."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        signal.signal(signal.SIGUSR2, lambda *_: self._loop.post(self._asked))
        upkeep = self._controller.upkeep
        condition = upkeep.condition

        def told(kind: str, active: bool) -> None:
            condition(kind, active)
            with open(levels + ".told", "a") as file:
                file.write(f"{kind} {active}\n")

        upkeep.condition = told  # type: ignore[method-assign]

    def run(self, test_lang: str | None) -> int:
        """As it is, unless it is to die."""
        if os.path.exists(levels + ".crash"):
            raise RuntimeError("the door never goes round")
        return super().run(test_lang)

    def _decides(self) -> None:
        with open(levels + ".loaded", "w") as file:
            file.write(" ".join(LATER.intersection(sys.modules)))
        super()._decides()

    def _asked(self) -> None:
        if os.path.exists(levels + ".toml"):
            with open(levels + ".toml") as file:
                self.apply_config(
                    file.read(), lambda problem: print(f"answer: {problem}", file=sys.stderr)
                )
        else:
            self.restart()


class WatchdogDevice(Watchdog):
    """Notes what a kernel's device would be told."""

    timeout_ms = 15_000

    def __init__(self, path: str) -> None:
        self._note(f"opened {path}")

    def pet(self) -> None:
        """See `Watchdog.pet`."""
        self._note("petted")

    def close(self) -> None:
        """See `Watchdog.close`."""
        self._note("stopped")

    def _note(self, word: str) -> None:
        with open(levels + ".watchdog", "a") as file:
            file.write(f"{word}\n")


def hang(number: int, frame: FrameType | None) -> None:
    while True:
        pass


lines.on_output = put
config = hal.board.load(arguments[arguments.index("--board") + 1])
for device in config["devices"].values():
    if device["driver"] == "contact":
        lines.drive(device["line"], device["active"] == "high")
linux_watchdog.LinuxWatchdog = WatchdogDevice  # type: ignore[assignment,misc]
parts.Program = Program  # type: ignore[assignment,misc]
program._lines = lambda config: lines
program._backends = lambda config: (lines, FakeSerialPorts())
if os.path.exists(levels + ".trusted"):
    wall._kernel_synchronised = lambda: True
signal.signal(signal.SIGUSR1, hang)
code = program.main(arguments)
if gc.isenabled() and gc.get_freeze_count():
    open(levels + ".frozen", "w").close()
sys.exit(code)
