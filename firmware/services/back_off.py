"""How long to wait before the next attempt to reach the broker. Pure: time and chance are handed in.

Full jitter: a random time up to a ceiling, so that ten thousand doors do not come at once. In an outage's
first minute the ceiling is `QUICK_MS`, so that a door is back within two seconds of its broker; then it
doubles, up to what the config says. The time counts from the beginning of the attempt before, so that one
into a black hole costs nothing extra. A broker that takes connections and then does not answer has too much
to do: that doubles at once, and counts from the end.
"""

from collections.abc import Callable

QUICK_MS = 2000  #: the ceiling in the first minute
QUICK_FOR_MS = 60_000
QUICK_CONNECT_MS = 1500  #: for a connection then: TCP's second attempt, after 1 s, still counts
CONNECT_MS = 10_000  #: and later
STEADY_MS = 10_000  #: a connection that held this long ended the outage


class BackOff:
    """The pauses of one outage after the other.

    most_ms  int       the highest ceiling
    chance   callable  a random number from 0.0 on, below 1.0
    """

    def __init__(self, most_ms: int, chance: Callable[[], float]) -> None:
        self._most_ms = most_ms
        self._chance = chance
        self._since_ms: int | None = None  # when the outage began
        self._doublings = 0

    def connect_ms(self, now_ms: int) -> int:
        """How long an attempt that begins now may take to find somebody."""
        return QUICK_CONNECT_MS if self._is_quick(now_ms) else CONNECT_MS

    def held(self, from_ms: int, now_ms: int) -> None:
        """A connection was there from `from_ms` until now."""
        if now_ms - from_ms >= STEADY_MS:
            self._since_ms = None
            self._doublings = 0

    def pause_ms(self, began_ms: int, now_ms: int, silent: bool = False) -> int:
        """How long to wait now, after an attempt that began at `began_ms`, or a loss (`began_ms` is now).

        silent   bool   somebody was there and did not answer
        """
        if self._since_ms is None:
            self._since_ms = began_ms
        if silent or not self._is_quick(now_ms):
            self._doublings = min(self._doublings + 1, 16)
        most_ms = min(self._most_ms, QUICK_MS << self._doublings)
        chosen_ms = int(self._chance() * (most_ms + 1))
        return chosen_ms if silent else max(0, chosen_ms - (now_ms - began_ms))

    def _is_quick(self, now_ms: int) -> bool:
        return self._since_ms is None or now_ms - self._since_ms < QUICK_FOR_MS
