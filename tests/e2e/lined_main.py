"""`doorward` with the simulator's lines in the place of a chip's, and all else real: ports, buses, clock.

    python lined_main.py LEVELS ARGS...

LEVELS   a file: each change of an output is appended as ``line high|low``

Every contact is closed, as in a house where nobody moves.
"""

import sys

import hal.board
from firmware import main as program
from hal.backends.monotonic_ticks import MonotonicTicks
from sim.fakes import FakeLines

levels, *arguments = sys.argv[1:]
lines = FakeLines(MonotonicTicks())


def put(name: str, high: bool | None) -> None:
    if high is not None:
        with open(levels, "a") as file:
            file.write(f"{name} {'high' if high else 'low'}\n")


lines.on_output = put
config = hal.board.load(arguments[arguments.index("--board") + 1])
for device in config["devices"].values():
    if device["driver"] == "contact" and "." not in device["line"]:
        lines.drive(device["line"], device["active"] == "high")
program._lines = lambda config: lines
sys.exit(program.main(arguments))
