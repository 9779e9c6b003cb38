"""A contact's chatter to one change, dated by the chatter's first edge. Pure: time is handed in."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Debounce:
    """One line's settled level: a bool, or a word where there are more than two.

    A change is settled when the line has been quiet for `quiet_ms`, or `limit_ms` after its first
    edge by the level of then, so that a contact that chatters on is seen too.
    """

    def __init__(self, level: "Any", quiet_ms: int, limit_ms: int) -> None:
        #: the settled level
        self.level: Any = level
        #: the level after the last edge
        self.raw: Any = level
        self._quiet_ms = quiet_ms
        self._limit_ms = limit_ms
        self._first_ms: int | None = None
        self._last_ms = 0

    @property
    def deadline_ms(self) -> "int | None":
        """Tick me no later than this; None while nothing moves."""
        if self._first_ms is None:
            return None
        return min(self._last_ms + self._quiet_ms, self._first_ms + self._limit_ms)

    def edge(self, level: "Any", at_ms: int) -> "int | None":
        """Take one edge; as `tick` for what was due before it."""
        changed_ms = self.tick(at_ms)
        self.raw = level
        if self._first_ms is None and level != self.level:
            self._first_ms = at_ms
        self._last_ms = at_ms
        return changed_ms

    def tick(self, now_ms: int) -> "int | None":
        """Settle what is due: the time of the first edge if `level` has changed by it, else None."""
        deadline_ms = self.deadline_ms
        if deadline_ms is None or now_ms < deadline_ms:
            return None
        first_ms = self._first_ms
        self._first_ms = None
        if self.raw == self.level:
            return None
        self.level = self.raw
        return first_ms

    def reset(self, level: "Any") -> None:
        """The level is known from elsewhere; forget what moved."""
        self.level = self.raw = level
        self._first_ms = None
