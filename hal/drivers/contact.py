"""A supervised loop or switch: door contact, tamper, fire loop, key switch, panic button.

A reed contact chatters for 1 to 5 ms, a worn one on a slamming door for up to 30 ms. An input that
is active for more than 400 ms must be seen (IEC 60839-11-1), so no debounce reaches that.
"""

from hal.drivers.debounce import Debounce
from hal.drivers.edge_feed import EdgeFeed
from hal.ports import LEVEL, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalInputs

_TOO_LONG_MS = 400  # IEC 60839-11-1
_CHATTER_MS = 300  # chatter is decided after this, or ten debounce times if they are shorter


class Contact:
    """The settled level of one line; active is the loop closed.

    inputs       one line
    debounce_ms  int  quiet time that settles a change, ms, 1 to 399

    Readings: LEVEL (True: closed; `at_ms`: the first edge of the change), LOST, BACK. A bounce that
    returns to the level before it is no reading.
    """

    def __init__(self, inputs: "DigitalInputs", debounce_ms: int = 30) -> None:
        if not 1 <= debounce_ms < _TOO_LONG_MS:
            raise ValueError("contact: debounce_ms is out of range; expected 1 to 399")
        self.source = inputs
        self._feed = EdgeFeed(inputs)
        limit_ms = max(debounce_ms, min(10 * debounce_ms, _CHATTER_MS))
        levels = self._feed.first_levels()
        self._known = levels is not None
        self._line = Debounce(levels is not None and levels[0], debounce_ms, limit_ms)

    @property
    def closed(self) -> "bool | None":
        """The settled level: True while the loop is closed; None if it was never to be read."""
        return self._line.level if self._known else None

    @property
    def problem(self) -> str:
        """What is wrong with the lines, one line; empty: nothing that they say."""
        return self._feed.problem

    @property
    def deadline_ms(self) -> "int | None":
        """Poll me no later than this."""
        return self._feed.deadline_ms if self._feed.gone else self._line.deadline_ms

    def read(self) -> "bool | None":
        """The level now, settled or not, for power-up; later readings are changes against it.

        None if it cannot be read: the first reading is its level then, whatever it is.
        """
        levels = self._feed.first_levels()
        self._known = levels is not None
        if levels is None:
            return None
        self._line.reset(levels[0])
        return levels[0]

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        readings: list[Reading] = []
        edges = self._feed.take(now_ms, readings)
        if self._feed.gone:
            return readings
        if not self._known:
            self._begin(now_ms, readings)
        for edge in edges:
            self._report(self._line.edge(edge.level, edge.at_ms), readings)
        if self._feed.holes:
            self._feed.holes = False
            levels = self._feed.levels(now_ms, readings)
            if levels is not None and levels[0] != self._line.raw:
                self._report(self._line.edge(levels[0], now_ms), readings)
        self._report(self._line.tick(now_ms), readings)
        return readings

    def _begin(self, now_ms: int, readings: "list[Reading]") -> None:
        levels = self._feed.levels(now_ms, readings)
        if levels is not None:
            self._known = True
            self._line.reset(levels[0])
            readings.append(Reading(LEVEL, levels[0], now_ms))

    def _report(self, changed_ms: "int | None", readings: "list[Reading]") -> None:
        if changed_ms is not None:
            readings.append(Reading(LEVEL, self._line.level, changed_ms))
