"""Pulses on two Wiegand lines to bursts of bits: what the card reader and the keypad share.

SIA AC-01: both lines rest high; a pulse to low on D0 is a 0, on D1 a 1; 20 to 100 us long, 200 us
to 20 ms from one to the next, never on both lines at once. So a burst is over when the lines have
been quiet for `frame_gap_ms`, which must be longer than a reader's slowest pulse interval.

What is not a bit stays visible as "?" in the burst, so nobody takes the rest for a card: both lines
at once, an edge that the source lost, a 65th bit. After a burst that was too long, a stuck line and
a port that came back, the lines must be quiet for one gap before bits count again: the tail of a
long frame could otherwise pass for a key.
"""

from hal.drivers.edge_feed import EdgeFeed
from hal.ports import BITS, STUCK, Frame, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalInputs, Edge

LONGEST_BURST = 64  #: bits kept of a burst; no card in the field has more
HELD = "a data line is held; expected lines that rest: look at its wiring"
STUCK_MS = 50  #: a line low for so long is held: 500 times the longest pulse
_RECHECK_MS = 1000  # a held line is also read, in case the edge of its release was lost
_NOT_A_BIT = "?"


class WiegandPulses:
    """Bursts from the lines D0 (index 0) and D1 (index 1); active is a pulse, the line low.

    inputs        the two lines
    frame_gap_ms  int  quiet time that ends a burst, ms, 1 to 100
    """

    def __init__(self, inputs: "DigitalInputs", frame_gap_ms: int) -> None:
        if not 1 <= frame_gap_ms <= 100:
            raise ValueError("wiegand: frame_gap_ms is out of range; expected 1 to 100")
        self._feed = EdgeFeed(inputs)
        self._gap_ms = frame_gap_ms
        self._bits: list[str] = []
        self._last_ms = 0
        self._active_since: list[int | None] = [None, None]
        self._stuck = [False, False]
        self._deaf = False  # until the lines have been quiet for a gap
        self._torn = False  # edges are missing from the burst that is coming in
        self._unsure = True  # the levels are to be read at the next quiet poll
        self._recheck_ms = 0

    @property
    def problem(self) -> str:
        """What is wrong with the lines, one line; empty: nothing that they say."""
        return self._feed.problem

    @property
    def deadline_ms(self) -> "int | None":
        """Poll me no later than this; None: only the lines can tell me something."""
        if self._feed.gone:
            return self._feed.deadline_ms
        if True in self._stuck:
            return self._recheck_ms
        since = [at_ms for at_ms in self._active_since if at_ms is not None]
        if since:
            return min(since) + STUCK_MS
        if self._bits:
            return self._last_ms + self._gap_ms
        return None

    def poll(self, now_ms: int) -> "list[Reading]":
        """BITS, STUCK, LOST and BACK since the last poll, in the order in which they happened."""
        readings: list[Reading] = []
        was_gone = self._feed.gone
        edges = self._feed.take(now_ms, readings)
        if self._feed.gone:
            self._forget(now_ms, readings)
            return readings
        if was_gone:
            self._feed.holes = False
            self._deaf = True
            self._last_ms = now_ms
        if self._feed.holes:
            self._feed.holes = False
            self._torn = self._unsure = True
            self._append(_NOT_A_BIT, now_ms if not edges else edges[0].at_ms, readings)
        for edge in edges:
            self._edge(edge, readings)
        if self._unsure and not edges:
            self._unsure = False
            self._read_levels(now_ms, readings)
        elif self._held_too_long(now_ms) or (True in self._stuck and now_ms >= self._recheck_ms):
            self._read_levels(now_ms, readings)
        self._honour(now_ms, None, readings)
        if not self._bits:
            self._torn = False
        return readings

    def _edge(self, edge: "Edge", readings: "list[Reading]") -> None:
        line = edge.line
        self._honour(edge.at_ms, line if edge.level else None, readings)
        if self._deaf and True not in self._stuck and edge.at_ms - self._last_ms >= self._gap_ms:
            self._deaf = False
        was_active = self._active_since[line] is not None
        if edge.level == was_active:
            self._append(_NOT_A_BIT, edge.at_ms, readings)  # an edge between the two is missing
        elif edge.level and self._active_since[1 - line] is not None:
            if self._bits:
                self._bits.pop()  # the other line's bit was none
            self._append(_NOT_A_BIT, edge.at_ms, readings)
        elif edge.level:
            self._append("01"[line], edge.at_ms, readings)
        self._last_ms = edge.at_ms
        if edge.level:
            self._active_since[line] = edge.at_ms
        else:
            self._let_go(line, edge.at_ms, readings)

    def _honour(self, at_ms: int, rising: "int | None", readings: "list[Reading]") -> None:
        """Do what was due by `at_ms`; a line that rises just then has been let go unseen before."""
        since_0, since_1 = self._active_since
        second_first = since_0 is not None and since_1 is not None and since_1 < since_0
        for line in (1, 0) if second_first else (0, 1):  # the line that was held first is told
            since = self._active_since[line]
            if since is None or line == rising or self._stuck[line] or at_ms - since < STUCK_MS:
                continue
            if True not in self._stuck:
                readings.append(Reading(STUCK, True, since + STUCK_MS))
                self._recheck_ms = since + STUCK_MS + _RECHECK_MS
            self._stuck[line] = True
            self._bits = []
            self._deaf = True
        quiet = self._active_since == [None, None]
        if self._bits and quiet and at_ms - self._last_ms >= self._gap_ms:
            self._finish(readings)

    def _append(self, bit: str, at_ms: int, readings: "list[Reading]") -> None:
        if self._deaf:
            return
        if not self._bits:
            self._last_ms = at_ms
        if len(self._bits) < LONGEST_BURST:
            self._bits.append(bit)
            return
        self._last_ms = at_ms
        self._bits.append(_NOT_A_BIT)
        self._finish(readings)
        self._deaf = True

    def _finish(self, readings: "list[Reading]") -> None:
        if self._torn and _NOT_A_BIT not in self._bits:
            self._bits.append(_NOT_A_BIT)
        readings.append(Reading(BITS, Frame("".join(self._bits)), self._last_ms))
        self._bits = []

    def _let_go(self, line: int, at_ms: int, readings: "list[Reading]") -> None:
        self._active_since[line] = None
        if self._stuck[line]:
            self._stuck[line] = False
            self._last_ms = at_ms
            if True not in self._stuck:
                readings.append(Reading(STUCK, False, at_ms))

    def _held_too_long(self, now_ms: int) -> bool:
        for line in (0, 1):
            since = self._active_since[line]
            if since is not None and not self._stuck[line] and now_ms - since >= STUCK_MS:
                return True
        return False

    def _read_levels(self, now_ms: int, readings: "list[Reading]") -> None:
        """Believe the lines where they are not as their edges said."""
        self._recheck_ms = now_ms + _RECHECK_MS
        levels = self._feed.levels(now_ms, readings)
        if levels is None:
            self._forget(now_ms, readings)
            return
        for line in (0, 1):
            since = self._active_since[line]
            if levels[line] and since is None:
                self._active_since[line] = now_ms
            elif not levels[line] and since is not None:
                if not self._stuck[line]:
                    self._append(_NOT_A_BIT, now_ms, readings)
                self._let_go(line, now_ms, readings)

    def _forget(self, now_ms: int, readings: "list[Reading]") -> None:
        if True in self._stuck:
            readings.append(Reading(STUCK, False, now_ms))  # gone is another fault
        self._bits = []
        self._active_since = [None, None]
        self._stuck = [False, False]
        self._unsure = True
