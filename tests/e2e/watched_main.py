"""`doorward` on a board of wires whose levels outlive it, for tests of what happens when it hangs or dies.

    python watched_main.py LEVELS ARGS...

LEVELS   a file: each change of an output is appended as ``line high|low``; nothing is written when a line is
         let go, as on a board that leaves a pin as it was
SIGUSR1  the loop computes for ever from here on
"""

import signal
import sys

import hal.board
from firmware import main as program
from hal.backends.monotonic_ticks import MonotonicTicks
from sim.fakes import FakeLines, FakeSerialPorts

levels, *arguments = sys.argv[1:]
lines = FakeLines(MonotonicTicks())


def put(name: str, high: bool | None) -> None:
    if high is not None:
        with open(levels, "a") as file:
            file.write(f"{name} {'high' if high else 'low'}\n")


def hang(number: int, frame: object) -> None:
    while True:
        pass


lines.on_output = put
config = hal.board.load(arguments[arguments.index("--board") + 1])
for device in config["devices"].values():
    if device["driver"] == "contact":
        lines.drive(device["line"], device["active"] == "high")
program._lines = lambda config: lines
program._backends = lambda config: (lines, FakeSerialPorts())
signal.signal(signal.SIGUSR1, hang)
sys.exit(program.main(arguments))
