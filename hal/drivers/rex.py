"""A request to exit: push button, handle switch, motion sensor.

Egress waits for nothing: a press is reported at its first edge, and only its end is debounced. A
tap is some 100 ms long, a button chatters for up to 10 ms.
"""

from hal.drivers.edge_feed import EdgeFeed
from hal.ports import LEVEL, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalInputs


class Rex:
    """Presses of one line; active is pressed.

    inputs       one line
    hold_off_ms  int  quiet time after which a press is over, ms, 1 to 399

    Readings: LEVEL True (`at_ms`: the first edge), LEVEL False (`at_ms`: the last edge), LOST,
    BACK. A line that is active at the first poll is a press, unless `read` has already told of it.
    """

    def __init__(self, inputs: "DigitalInputs", hold_off_ms: int = 50) -> None:
        if not 1 <= hold_off_ms < 400:
            raise ValueError("rex: hold_off_ms is out of range; expected 1 to 399")
        self.source = inputs
        #: bool  somebody asks to leave
        self.pressed = False
        self._feed = EdgeFeed(inputs)
        self._feed.holes = True  # the first poll reads the level
        self._hold_off_ms = hold_off_ms
        self._raw = False
        self._owed = False  # `read` could not tell the level: the first reading is that
        self._last_ms = 0

    @property
    def problem(self) -> str:
        """What is wrong with the lines, one line; empty: nothing that they say."""
        return self._feed.problem

    @property
    def deadline_ms(self) -> "int | None":
        """Poll me no later than this."""
        if self._feed.gone:
            return self._feed.deadline_ms
        if self.pressed and not self._raw:
            return self._last_ms + self._hold_off_ms
        return None

    def read(self) -> "bool | None":
        """Whether it is pressed now, for power-up.

        None if the line cannot be read: the first reading is its level then, also if it is not pressed.
        """
        levels = self._feed.first_levels()
        self._owed = levels is None
        if levels is None:
            self.pressed = self._raw = False
            self._feed.holes = True
            return None
        self.pressed = self._raw = levels[0]
        self._feed.holes = False
        return self.pressed

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        readings: list[Reading] = []
        edges = self._feed.take(now_ms, readings)
        if self._feed.gone:
            return readings
        for edge in edges:
            self._edge(edge.level, edge.at_ms, readings)
        if self._feed.holes:
            self._feed.holes = False
            levels = self._feed.levels(now_ms, readings)
            if levels is not None and levels[0] != self._raw:
                self._edge(levels[0], now_ms, readings)
            if levels is not None and self._owed:
                self._owed = False
                if not self.pressed:
                    readings.append(Reading(LEVEL, False, now_ms))
        self._end_press(now_ms, readings)
        return readings

    def _edge(self, level: bool, at_ms: int, readings: "list[Reading]") -> None:
        self._end_press(at_ms, readings)
        self._raw = level
        self._last_ms = at_ms
        if level and not self.pressed:
            self.pressed = True
            readings.append(Reading(LEVEL, True, at_ms))

    def _end_press(self, now_ms: int, readings: "list[Reading]") -> None:
        if self.pressed and not self._raw and now_ms - self._last_ms >= self._hold_off_ms:
            self.pressed = False
            readings.append(Reading(LEVEL, False, self._last_ms))
