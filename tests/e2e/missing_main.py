"""`doorward` whose devices beside the board's own lines are there or not, as files in a folder say.

    python missing_main.py FOLDER ARGS...

FOLDER   ``i2c``: the expander answers; ``spi``: the converter does; ``event0``: the keyboard, a pipe of the
         kernel's input events. Serial ports are real ones. Lines are the simulator's, every contact closed.
"""

import sys
from pathlib import Path
from typing import Any

from fake_i2c import FakeMcp23017, FakeSmbus2
from test_hal_backends_converters import FakeSpidev

import hal.board
from firmware import main as program
from hal.backends.input_keys import InputKeys
from hal.backends.mcp23017 import PINS
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.backends.pyserial_port import PyserialPorts
from sim.fakes import FakeLines

here, *arguments = sys.argv[1:]
FOLDER = Path(here)
CLOSED, OPEN = 341, 682  #: of 1023: a third and two thirds of the supply


class Bus(FakeSmbus2):
    """An I2C bus with a chip that somebody plugs in."""

    def _chip(self, address: int) -> Any:
        self.gone = set() if (FOLDER / "i2c").exists() else {address}
        return super()._chip(address)


class Spi(FakeSpidev):
    """An SPI bus likewise."""

    def xfer2(self, sent: list[int]) -> list[int]:
        self.powered = (FOLDER / "spi").exists()
        return super().xfer2(sent)


class Keys(InputKeys):
    """The machine's keyboards: none, or that pipe."""

    def path(self, port: str) -> str:
        pipe = FOLDER / "event0"
        return str(pipe) if pipe.exists() else super().path(port)


config = hal.board.load(arguments[arguments.index("--board") + 1])
lines = FakeLines(MonotonicTicks())
chip, spi = FakeMcp23017(), Spi()
for name, device in config["devices"].items():
    if device["driver"] == "contact" and "." not in device["line"]:
        lines.drive(device["line"], device["active"] == "high")
    elif device["driver"] == "supervised_contact":
        spi.codes[int(device["input"][-1])] = OPEN if name == "help-button" else CLOSED
    elif device["driver"] == "contact" and name == "yard-tamper":
        chip.world[PINS[device["line"].rpartition(".")[2]]] = False
sys.modules["smbus2"] = Bus({0x20: chip})  # type: ignore[assignment]
sys.modules["spidev"] = spi  # type: ignore[assignment]
program._backends = lambda config: (lines, Keys(PyserialPorts(), lambda *given: 0))
sys.exit(program.main(arguments))
