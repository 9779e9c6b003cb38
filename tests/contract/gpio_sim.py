"""A GPIO chip of the kernel's own, by its gpio-sim module: real requests, edges, stamps and EBUSY.

Needs root, configfs and the module, which no distribution's kernel ships: the emulated board of
an emulated board has it. Does not imitate: what a pin does at boot, currents, two things driving one line.
gpio-sim merges edges that come back to back, so each is given time to arrive.
"""

import contextlib
import importlib
import importlib.util
import itertools
import os
import select
import warnings
from pathlib import Path

from line_checks import Rig

from hal.backends.gpiod_lines import GpiodLines
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.backends.rpi_gpio import RpiGpioLines

CONFIG = Path("/sys/kernel/config/gpio-sim")
PLATFORM = Path("/sys/devices/platform")
LABEL = "doorward-contract"

_numbers = itertools.count()


def missing() -> str:
    """Why there is no such chip here; empty if there can be."""
    if not CONFIG.is_dir():
        return (
            f"NOT RUN ON A KERNEL'S GPIO CHIP: no {CONFIG} (modprobe gpio-sim on an emulated board)"
        )
    if not os.access(CONFIG, os.W_OK):
        return f"NOT RUN ON A KERNEL'S GPIO CHIP: {CONFIG} may not be written (needs root)"
    return ""


def missing_rpi() -> str:
    """Why RPi.GPIO does not run on such a chip here; empty if it can."""
    if missing():
        return missing()
    if importlib.util.find_spec("lgpio") is None or importlib.util.find_spec("RPi") is None:
        return "NOT RUN ON A KERNEL'S GPIO CHIP: no RPi.GPIO (the Python package rpi-lgpio)"
    return ""


class SimChip:
    """A chip made for one check; the world pulls the lines of `Rig` up."""

    def __init__(self) -> None:
        #: str  what the kernel calls it
        self.label = f"{LABEL}-{os.getpid()}-{next(_numbers)}"
        self._folder = CONFIG / self.label
        bank = self._folder / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text("58")
        (bank / "label").write_text(self.label)
        (self._folder / "live").write_text("1")
        #: str  its device file's name
        self.name = (bank / "chip_name").read_text().strip()
        device = (self._folder / "dev_name").read_text().strip()
        self._lines = PLATFORM / device / self.name
        for name in Rig.names:
            self.pull(name, True)

    def pull(self, name: str, high: bool) -> None:
        """The world pulls a line."""
        (self._lines / f"sim_gpio{name[4:]}" / "pull").write_text(
            "pull-up" if high else "pull-down"
        )

    def level(self, name: str) -> bool:
        """Whether a line is high, as a meter shows it."""
        return (self._lines / f"sim_gpio{name[4:]}" / "value").read_text().strip() == "1"

    def close(self) -> None:
        """Take it away."""
        with contextlib.suppress(OSError):  # a check that failed may still hold lines
            (self._folder / "live").write_text("0")
            (self._folder / "bank0").rmdir()
            self._folder.rmdir()


class ChipRig(Rig):
    """A backend on a chip of its own."""

    sampled = True

    def __init__(self) -> None:
        self.chip = SimChip()
        self.ticks = MonotonicTicks()

    def drive(self, name: str, high: bool) -> None:
        self.chip.pull(name, high)
        self.settle()

    def level(self, name: str) -> bool:
        return self.chip.level(name)

    def shown(self, name: str) -> list[bool]:
        return [self.level(name)]

    def settle(self) -> None:
        select.select([], [], [], 0.005)  # the kernel's work queue; a program cannot ask it

    def close(self) -> None:
        self.lines.close()
        self.chip.close()


class GpioSimRig(ChipRig):
    """The gpiod backend."""

    unknown = "GPIO99"
    buffer = 256

    def __init__(self) -> None:
        super().__init__()
        self.lines = GpiodLines(self.chip.label)


class RpiLgpioRig(ChipRig):
    """The RPi.GPIO backend through rpi-lgpio, which has the library's name and takes any chip."""

    unknown = "GPIO28"
    most_inputs = 1
    polled = True

    def __init__(self) -> None:
        super().__init__()
        os.environ["RPI_LGPIO_CHIP"] = self.chip.name.removeprefix("gpiochip")
        self.lines = RpiGpioLines(self.ticks)

    def close(self) -> None:
        self.lines.close()
        gpio = importlib.import_module("RPi.GPIO")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # "nothing to clean up": it lets go of the chip all the same
            gpio.cleanup()
        self.chip.close()
