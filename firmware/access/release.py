"""How long a lock is released for somebody (IEC 60839-11-1, 6.2.1: portal control).

Pure. Decides when a *timed* release begins and ends; what holds a lock free without an end (a mode, a
fire) is `firmware.access.portal`'s. The lock closes at the deadline, not after it: the caller ticks no
later than ``deadline_ms``.
"""

ENGAGED = "engaged"  #: no timed release
RELEASED = "released"  #: until the deadline, or until the door opens where it relocks on opening
LET_IN = "let_in"  #: the door was opened during the release and relocks when it closes
EGRESS = (
    "egress"  #: the exit button's own time (it cuts the magnet's current); openings do not end it
)
STATES = (ENGAGED, RELEASED, LET_IN, EGRESS)

RELEASE = "release"  #: a grant, a command, a call, or a REX of a handle
EXIT = "exit"  #: a REX of a button that cuts the lock's current
OPENED = "opened"  #: the door opened; it relocks on opening
OPENED_KEEP = "opened_keep"  #: the door opened; it relocks on closing
CLOSED = "closed"  #: the door closed
REVOKE = "revoke"  #: a mode that lets nobody in began; the way out keeps its time
TIMEOUT = "timeout"  #: the deadline
INPUTS = (RELEASE, EXIT, OPENED, OPENED_KEEP, CLOSED, REVOKE, TIMEOUT)

_KEEP = "keep"  #: the timer stays as it is
_START = "start"  #: until now + the time of the release, never shorter than it was
_STOP = "stop"

# (state, input): (next state, timer). Total on purpose: anything can happen at any time.
TRANSITIONS = {
    (ENGAGED, RELEASE): (RELEASED, _START),
    (ENGAGED, EXIT): (EGRESS, _START),
    (ENGAGED, OPENED): (ENGAGED, _KEEP),
    (ENGAGED, OPENED_KEEP): (ENGAGED, _KEEP),
    (ENGAGED, CLOSED): (ENGAGED, _KEEP),
    (ENGAGED, REVOKE): (ENGAGED, _KEEP),
    (ENGAGED, TIMEOUT): (ENGAGED, _STOP),
    (RELEASED, RELEASE): (RELEASED, _START),
    (RELEASED, EXIT): (EGRESS, _START),
    (RELEASED, OPENED): (ENGAGED, _STOP),
    (RELEASED, OPENED_KEEP): (LET_IN, _STOP),
    (RELEASED, CLOSED): (RELEASED, _KEEP),
    (RELEASED, REVOKE): (ENGAGED, _STOP),
    (RELEASED, TIMEOUT): (ENGAGED, _STOP),
    (LET_IN, RELEASE): (RELEASED, _START),
    (LET_IN, EXIT): (EGRESS, _START),
    (LET_IN, OPENED): (LET_IN, _KEEP),
    (LET_IN, OPENED_KEEP): (LET_IN, _KEEP),
    (LET_IN, CLOSED): (ENGAGED, _STOP),
    (LET_IN, REVOKE): (ENGAGED, _STOP),
    (LET_IN, TIMEOUT): (LET_IN, _STOP),
    (EGRESS, RELEASE): (EGRESS, _START),
    (EGRESS, EXIT): (EGRESS, _START),
    (EGRESS, OPENED): (EGRESS, _KEEP),
    (EGRESS, OPENED_KEEP): (EGRESS, _KEEP),
    (EGRESS, CLOSED): (EGRESS, _KEEP),
    (EGRESS, REVOKE): (EGRESS, _KEEP),
    (EGRESS, TIMEOUT): (ENGAGED, _STOP),
}


class Release:
    """One lock's timed release."""

    def __init__(self) -> None:
        self.state = ENGAGED
        #: int or None  the end of the release; tick no later
        self.deadline_ms: int | None = None

    def handle(self, what: str, now_ms: int, for_ms: int = 0) -> None:
        """Take one input of `INPUTS`; RELEASE and EXIT last `for_ms` from `now_ms`."""
        self.tick(now_ms)
        self._move(what, now_ms, for_ms)

    def tick(self, now_ms: int) -> None:
        """Honour a deadline that has come."""
        if self.deadline_ms is not None and now_ms >= self.deadline_ms:
            self._move(TIMEOUT, now_ms, 0)

    def end_by(self, at_ms: int) -> None:
        """End at `at_ms` if it would last longer."""
        if self.deadline_ms is not None and at_ms < self.deadline_ms:
            self.deadline_ms = at_ms

    def _move(self, what: str, now_ms: int, for_ms: int) -> None:
        self.state, timer = TRANSITIONS[(self.state, what)]
        if timer == _START:
            self.deadline_ms = max(self.deadline_ms or 0, now_ms + for_ms)
        elif timer == _STOP:
            self.deadline_ms = None
