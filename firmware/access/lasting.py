"""A fault is an alarm only if it lasts: each class of fault has a time of its own.

Pure. One `Lasting` holds every fault of a controller, by (point, class). What is over is over at once.
What a restart found raised is doubted: if nobody says again that it is wrong, it is over after a while.
Nothing of it is kept; the register is.
"""

FINE = "fine"
PENDING = "pending"  #: wrong, for less than its time
FAULTY = "faulty"  #: an alarm
DOUBTED = "doubted"  #: an alarm of before a restart
STATES = (FINE, PENDING, FAULTY, DOUBTED)

WRONG = "wrong"
RIGHT = "right"
UNJUDGED = "unjudged"  #: it cannot be told just now
RESTORED = "restored"
TIMEOUT = "timeout"
INPUTS = (WRONG, RIGHT, UNJUDGED, RESTORED, TIMEOUT)

RAISE = "raise"
OVER = "over"
NOTHING = ""

_KEEP = "keep"
_STOP = "stop"
_LAST = "last"  #: the class's time from now
_DOUBT = "doubt"  #: the class's time and `DOUBT_MS` from now

DOUBT_MS = 10000

# (state, input): (next state, timer, report)
TRANSITIONS = {
    (FINE, WRONG): (PENDING, _LAST, NOTHING),
    (FINE, RIGHT): (FINE, _KEEP, OVER),
    (FINE, UNJUDGED): (FINE, _KEEP, NOTHING),
    (FINE, RESTORED): (DOUBTED, _DOUBT, NOTHING),
    (FINE, TIMEOUT): (FINE, _STOP, NOTHING),
    (PENDING, WRONG): (PENDING, _KEEP, NOTHING),
    (PENDING, RIGHT): (FINE, _STOP, OVER),
    (PENDING, UNJUDGED): (FINE, _STOP, NOTHING),
    (PENDING, RESTORED): (DOUBTED, _DOUBT, NOTHING),
    (PENDING, TIMEOUT): (FAULTY, _STOP, RAISE),
    (FAULTY, WRONG): (FAULTY, _KEEP, NOTHING),
    (FAULTY, RIGHT): (FINE, _STOP, OVER),
    (FAULTY, UNJUDGED): (FAULTY, _KEEP, NOTHING),
    (FAULTY, RESTORED): (FAULTY, _KEEP, NOTHING),
    (FAULTY, TIMEOUT): (FAULTY, _STOP, NOTHING),
    (DOUBTED, WRONG): (FAULTY, _STOP, NOTHING),
    (DOUBTED, RIGHT): (FINE, _STOP, OVER),
    (DOUBTED, UNJUDGED): (DOUBTED, _KEEP, NOTHING),
    (DOUBTED, RESTORED): (DOUBTED, _KEEP, NOTHING),
    (DOUBTED, TIMEOUT): (FINE, _STOP, OVER),
}


class Lasting:
    """The faults of one controller. Only those that are not fine are held."""

    def __init__(self, after_ms: "dict[str, int]") -> None:
        self._after_ms = after_ms
        #: (point, class): (state, deadline or None)
        self._faults: dict[tuple[str, str], tuple[str, int | None]] = {}

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        due: int | None = None
        for _, at_ms in self._faults.values():
            if at_ms is not None and (due is None or at_ms < due):
                due = at_ms
        return due

    def state(self, point: str, kind: str) -> str:
        """The state of one fault."""
        known = self._faults.get((point, kind))
        return FINE if known is None else known[0]

    def handle(
        self, point: str, kind: str, what: str, now_ms: int
    ) -> "list[tuple[str, str, str, int]]":
        """Take one input; what it causes, as (RAISE or OVER, point, class, when), in order."""
        return (
            self.tick(now_ms) + self._move((point, kind), what, now_ms, now_ms) + self.tick(now_ms)
        )

    def tick(self, now_ms: int) -> "list[tuple[str, str, str, int]]":
        """Honour every deadline that has come; what that causes."""
        reports: list[tuple[str, str, str, int]] = []
        if not self._faults:
            return reports
        for key in sorted(self._faults):
            at_ms = self._faults[key][1]
            if at_ms is not None and now_ms >= at_ms:
                reports += self._move(key, TIMEOUT, at_ms, now_ms)
        return reports

    def _move(
        self, key: "tuple[str, str]", what: str, at_ms: int, now_ms: int
    ) -> "list[tuple[str, str, str, int]]":
        before, due_ms = self._faults.get(key, (FINE, None))
        state, timer, report = TRANSITIONS[(before, what)]
        if timer == _STOP:
            due_ms = None
        elif timer == _LAST:
            due_ms = now_ms + self._after_ms.get(key[1], 0)
        elif timer == _DOUBT:
            due_ms = now_ms + self._after_ms.get(key[1], 0) + DOUBT_MS
        if state == FINE:
            self._faults.pop(key, None)
        else:
            self._faults[key] = (state, due_ms)
        return [(report, key[0], key[1], at_ms)] if report else []
