"""A contact whose wiring is watched: two resistors tell closed, open, cut and short apart.

One resistor stands in series with the contact, one across it, both at the contact itself; a third, on
the board, pulls the loop up to the supply. Closed, the loop has the first resistor, open the sum of
both; a cut wire floats to the supply, a shorted one lies on ground. With 1.1 kOhm in series, 3.3 kOhm
across and 2.2 kOhm on the board the four are 333, 667, 1000 and 0 permille of the supply; the default
thresholds stand half-way between and take other values of the same kind.
"""

from hal.drivers.debounce import Debounce
from hal.errors import HalError
from hal.ports import BACK, LOST, STATE, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import AnalogInput

NORMAL = "normal"  #: closed
ACTIVE = "active"  #: open
CUT = "cut"
SHORT = "short"
UNKNOWN = "unknown"  #: the converter does not answer

_BANDS = (SHORT, NORMAL, ACTIVE, CUT)  # from low to high
HYSTERESIS = 20  #: permille beyond a threshold before the next band counts
RETRY_MS = 500  #: time between two tries on a converter that does not answer
_TOO_LONG_MS = 400  # IEC 60839-11-1: what lasts longer must be seen
_CHATTER_MS = 300  # as for a plain contact


class SupervisedContact:
    """The settled state of one loop.

    channel      AnalogInput
    thresholds   three int  where short, closed, open and cut meet, permille, rising
    debounce_ms  int  quiet time that settles a change, ms, 1 to 399

    Readings: STATE ("normal": closed, "active": open, "cut", "short", "unknown"; `at_ms`: the first
    measurement that was other), LOST with a STATE "unknown" when the converter has gone, BACK with the
    STATE of then. A channel that wakes nobody is to be polled each 20 ms.
    """

    def __init__(
        self, channel: "AnalogInput", thresholds: "list[int]", debounce_ms: int = 30
    ) -> None:
        if not 1 <= debounce_ms < _TOO_LONG_MS:
            raise ValueError("supervised contact: debounce_ms is out of range; expected 1 to 399")
        if len(thresholds) != 3 or not 0 < thresholds[0] < thresholds[1] < thresholds[2] < 1000:
            raise ValueError(
                "supervised contact: thresholds are none; expected three rising ones, 1 to 999"
            )
        self.source = channel
        self._thresholds = tuple(thresholds)
        limit_ms = max(debounce_ms, min(10 * debounce_ms, _CHATTER_MS))
        self._band: int | None = None  # that of the last measurement
        #: str  what is wrong with the converter, one line; empty: nothing
        self.problem = ""
        self._gone = False
        self._retry_ms = 0
        first = self._measure()
        self._line = Debounce(UNKNOWN if first is None else first, debounce_ms, limit_ms)

    @property
    def state(self) -> str:
        """The settled state."""
        return str(self._line.level)

    @property
    def deadline_ms(self) -> "int | None":
        """Poll me no later than this; with a channel that wakes nobody, each 20 ms beside."""
        return self._retry_ms if self._gone else self._line.deadline_ms

    def read_state(self) -> str:
        """The state now, settled or not, for power-up; later readings are changes against it."""
        found = self._measure()
        self._line.reset(UNKNOWN if found is None else found)
        return self.state

    def read(self) -> "bool | None":
        """Whether the loop is closed, as `read_state`; None if that is not known."""
        state = self.read_state()
        return None if state == UNKNOWN else state == NORMAL

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        readings: list[Reading] = []
        if self._gone and now_ms < self._retry_ms:
            return readings
        found = self._measure()
        if found is None:
            self._lose(now_ms, readings)
            return readings
        if self._gone:
            self._gone = False
            readings.append(Reading(BACK, None, now_ms))
        if self._line.level == UNKNOWN:  # nothing to settle against: what is there counts
            self._line.reset(found)
            readings.append(Reading(STATE, found, now_ms))
        elif found != self._line.raw:
            self._report(self._line.edge(found, now_ms), readings)
        self._report(self._line.tick(now_ms), readings)
        return readings

    def _lose(self, now_ms: int, readings: "list[Reading]") -> None:
        self._retry_ms = now_ms + RETRY_MS
        if not self._gone:
            self._gone = True
            readings.append(Reading(LOST, None, now_ms))
            readings.append(Reading(STATE, UNKNOWN, now_ms))
        self._line.reset(UNKNOWN)

    def _report(self, changed_ms: "int | None", readings: "list[Reading]") -> None:
        if changed_ms is not None:
            readings.append(Reading(STATE, self._line.level, changed_ms))

    def _measure(self) -> "str | None":
        """The band of what is measured now; None while nothing is."""
        try:
            permille = self.source.read()
        except HalError as error:
            self.problem = str(error)
            self._band = None
            return None
        self.problem = ""
        self._band = self._next_band(permille)
        return _BANDS[self._band]

    def _next_band(self, permille: int) -> int:
        bounds = self._thresholds
        band = sum([1 for bound in bounds if permille >= bound])
        was = self._band
        if was is None or band == was:
            return band
        # Next door counts only well beyond the threshold between the two.
        if band == was + 1 and permille < bounds[was] + HYSTERESIS:
            return was
        if band == was - 1 and permille >= bounds[band] - HYSTERESIS:
            return was
        return band
