"""`doorward` on a board of wires: the real program, with the simulator's lines in the place of a chip's.

    python wired_main.py BOARD ARGS...

Every contact is closed, as in a house where nobody moves; no serial port is there.
"""

import sys

import hal.board
from firmware import main as program
from hal.backends.monotonic_ticks import MonotonicTicks
from sim.fakes import FakeLines, FakeSerialPorts

board = sys.argv[1]
config = hal.board.load(board)
lines = FakeLines(MonotonicTicks())
for device in config["devices"].values():
    if device["driver"] == "contact":
        lines.drive(device["line"], device["active"] == "high")
program._backends = lambda config: (lines, FakeSerialPorts())
sys.exit(program.main(["--board", board, *sys.argv[2:]]))
