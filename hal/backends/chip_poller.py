"""A thread that talks to the chips of one bus, so that the door's loop never waits for a bus.

A bus whose wire is held makes the kernel wait up to a second for each transfer. So the loop only ever looks
at what this thread found last, and leaves word of what it wants driven. A chip that fails is tried again at
each turn, and says itself that it has gone.
"""

import threading
import time
from typing import Protocol

from hal.errors import DeviceUnavailableError

PERIOD_MS = 10  #: from one turn to the next: a contact that moved is known after this
STALE_S = 2.0  #: what was found longer ago than this is no longer believed


class Chip(Protocol):
    """What is polled."""

    def turn(self) -> None:
        """Exchange with the chip once; never raises `hal.errors.HalError` or OSError."""


class ChipPoller:
    """The chips of one bus, each turned every `PERIOD_MS` from the first that is added on.

    threaded  bool  False: whoever holds this calls `turn`
    """

    def __init__(self, threaded: bool = True) -> None:
        #: held by whoever talks on the bus
        self.bus_lock = threading.RLock()
        self._threaded = threaded
        self._chips: list[Chip] = []
        self._hurry = threading.Event()
        self._over = False
        self._turned_s = time.monotonic()
        self._thread: threading.Thread | None = None

    def add(self, chip: Chip) -> None:
        """Turn `chip` from now on; adding it again is fine."""
        if chip not in self._chips:
            self._chips.append(chip)
        if self._threaded and self._thread is None:
            self._over = False
            self._turned_s = time.monotonic()
            self._thread = threading.Thread(target=self._run, name="chips", daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """There is something to drive: do not wait for the next turn."""
        self._hurry.set()

    def check(self, name: str) -> None:
        """Raise `hal.errors.DeviceUnavailableError` if the thread has hung: what it found is old."""
        if self._thread is not None and time.monotonic() - self._turned_s > STALE_S:
            raise DeviceUnavailableError(
                f"{name}: its bus hangs; expected SDA and SCL that rest high, and no wire to ground"
            )

    def turn(self) -> None:
        """Exchange with every chip once."""
        for chip in list(self._chips):
            with self.bus_lock:
                chip.turn()
        self._turned_s = time.monotonic()

    def remove(self, chip: Chip) -> None:
        """Turn `chip` no longer; the thread ends with the last of them."""
        if chip in self._chips:
            self._chips.remove(chip)
        if not self._chips and self._thread is not None:
            self._over = True
            self._hurry.set()
            self._thread.join(5)
            self._thread = None

    def _run(self) -> None:
        while not self._over:
            self.turn()
            self._hurry.wait(PERIOD_MS / 1000)
            self._hurry.clear()
