"""A GPIO chip of the kernel's own, by its gpio-sim module: real requests, edges, stamps and EBUSY.

Needs root, configfs and the module, which no distribution's kernel ships: the emulated board of
an emulated board has it. Does not imitate: what a pin does at boot, currents, two things driving one line.
gpio-sim merges edges that come back to back, so each is given time to arrive.
"""

import contextlib
import itertools
import os
import select
from pathlib import Path

from line_checks import Rig

from hal.backends.gpiod_lines import GpiodLines
from hal.backends.monotonic_ticks import MonotonicTicks

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


class GpioSimRig(Rig):
    """The gpiod backend on a chip made for one check."""

    unknown = "GPIO99"
    buffer = 256
    sampled = True

    def __init__(self) -> None:
        number = next(_numbers)
        label = f"{LABEL}-{os.getpid()}-{number}"
        self._folder = CONFIG / label
        bank = self._folder / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text("58")
        (bank / "label").write_text(label)
        (self._folder / "live").write_text("1")
        chip = (bank / "chip_name").read_text().strip()
        device = (self._folder / "dev_name").read_text().strip()
        self._lines = PLATFORM / device / chip
        for name in self.names:
            self._write(name, True)
        self.ticks = MonotonicTicks()
        self.lines = GpiodLines(label)

    def _write(self, name: str, high: bool) -> None:
        (self._lines / f"sim_gpio{name[4:]}" / "pull").write_text(
            "pull-up" if high else "pull-down"
        )

    def drive(self, name: str, high: bool) -> None:
        self._write(name, high)
        self.settle()

    def level(self, name: str) -> bool:
        return (self._lines / f"sim_gpio{name[4:]}" / "value").read_text().strip() == "1"

    def shown(self, name: str) -> list[bool]:
        return [self.level(name)]

    def settle(self) -> None:
        select.select([], [], [], 0.005)  # the kernel's work queue; a program cannot ask it

    def close(self) -> None:
        self.lines.close()
        with contextlib.suppress(OSError):  # a check that failed may still hold lines
            (self._folder / "live").write_text("0")
            (self._folder / "bank0").rmdir()
            self._folder.rmdir()
