"""Why a device that has gone is gone: told again when that changes, each cause once until it is back.

The first cause is told by whoever hears that it has gone. A port that is not there and then, plugged in, is
another program's has two; one that comes and goes between two causes tells each once. Pure: the caller passes
the time.
"""

from hal.ports import BACK, LOST, Reading

HOLD_MS = 2000  #: a new cause must have stood so long: a device that is plugged in has odd ones for a moment
MOST = 8  #: causes that are told before it is back


class Causes:
    """Of one device."""

    def __init__(self) -> None:
        self._gone = False
        self._told: list[str] = []
        self._next = ""
        self._since_ms = 0

    def heard(self, reading: Reading, problem: str) -> None:
        """It said `reading` while `problem` was wrong with it."""
        if reading.kind == BACK:
            self._gone = False
            self._told = []
        elif reading.kind == LOST:
            self._gone = True
            self._told.append(reading.data or problem)
        self._next = ""

    def changed(self, problem: str, now_ms: int) -> "Reading | None":
        """LOST with `problem`, if that is a cause which was not told and has stood for `HOLD_MS`."""
        if not self._gone or not problem or problem in self._told or len(self._told) >= MOST:
            self._next = ""
            return None
        if problem != self._next:
            self._next, self._since_ms = problem, now_ms
        if now_ms - self._since_ms < HOLD_MS:
            return None
        self._told.append(problem)
        return Reading(LOST, problem, now_ms)
