"""How far something has got that takes long: a bar on a terminal, a line for each finished step in a log."""

import time
from collections.abc import Callable
from typing import TextIO

SILENT_S = 2.0  #: a step that takes less shows no bar
EACH_S = 0.2  #: a bar is drawn no more often
_BAR = 24  #: characters


class Progress:
    """The steps of one job, one after the other.

    out    TextIO    where it is shown; without a terminal it is a log and gets no bar
    clock  callable  the time in s
    """

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._moves = out.isatty()
        self._name = ""
        self._unit = "MB"
        self._total = 0
        self._began_s = 0.0
        self._drawn_s = 0.0
        self._width = 0

    def begin(self, name: str, total: int = 0, unit: str = "MB") -> None:
        """A step begins; `total` is all there is to do in `unit` ("MB": in bytes), 0: nobody knows."""
        self._name, self._total, self._unit = name, total, unit
        self._began_s = self._drawn_s = self._clock()

    def at(self, done: int) -> None:
        """So much is done. Cheap: may be called as often as one likes."""
        now_s = self._clock()
        if not self._moves or now_s - self._began_s < SILENT_S or now_s - self._drawn_s < EACH_S:
            return
        self._drawn_s = now_s
        share = min(done / self._total, 1.0) if self._total else 0.0
        full = int(share * _BAR)
        if self._total:
            told = f"[{'#' * full}{'.' * (_BAR - full)}] {self._of(done)}"
        else:
            told = f"{now_s - self._began_s:.0f} s"
        self._draw(f"{self._name}: {told}")

    def end(self, said: str = "") -> None:
        """The step is done; `said` is what came of it."""
        took_s = self._clock() - self._began_s
        self._wipe()
        self._out.write(f"{self._name}: {f'{said}, ' if said else ''}{took_s:.1f} s\n")
        self._out.flush()

    def broken(self) -> None:
        """The step ends in an error: leave a clean line for it."""
        self._wipe()

    def _of(self, done: int) -> str:
        if self._unit == "MB":
            return f"{done / 1e6:.0f} of {self._total / 1e6:.0f} MB"
        return f"{done} of {self._total} {self._unit}"

    def _draw(self, text: str) -> None:
        self._out.write(f"\r{text.ljust(self._width)}")
        self._out.flush()
        self._width = len(text)

    def _wipe(self) -> None:
        if self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._out.flush()
            self._width = 0
