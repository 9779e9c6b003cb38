"""Judge one door's openings: permitted, held open, forced (IEC 60839-11-1, 6.2.3: portal monitoring).

Pure. The caller says whether an opening was permitted at the time of its edge; this machine waits
``settle_ms`` before it calls an opening forced, because the permission (a REX edge that was debounced
longer) may still be on its way and is then judged by its own time.
"""

SHUT = "shut"
OPEN = "open"  #: permitted; the timer runs to the pre-alarm
WARNED = "warned"  #: pre-alarm; the timer runs to the end of the permitted time
HELD = "held"  #: open too long: an alarm, over when the door closes
UNJUDGED = "unjudged"  #: opened with no permission known; settling
GLIMPSED = "glimpsed"  #: as UNJUDGED, and closed again already
FORCED = "forced"  #: opened without permission: an alarm, over when the door closes
FREE = "free"  #: open while anybody may open it: nothing is timed
STATES = (SHUT, OPEN, WARNED, HELD, UNJUDGED, GLIMPSED, FORCED, FREE)

OPENED = "opened"  #: the contact opened while the door was released
OPENED_FREE = "opened_free"  #: ... while a mode or a fire holds it free
OPENED_BARE = "opened_bare"  #: ... and nothing permitted it at the time of the edge
CLOSED = "closed"
PERMIT = "permit"  #: a permission of before the opening's edge has arrived late
FREED = "freed"  #: a mode or a fire now holds the door free
BOUND = "bound"  #: it no longer does
BLINDED = "blinded"  #: the contact cannot be believed: what was judged stays, the rest is not
TIMEOUT = "timeout"
INPUTS = (OPENED, OPENED_FREE, OPENED_BARE, CLOSED, PERMIT, FREED, BOUND, BLINDED, TIMEOUT)

_KEEP = "keep"
_STOP = "stop"
_SETTLE = "settle"  #: settle_ms from now
_OPEN = "open"  #: open_ms - pre_alarm_ms from the edge
_PRE = "pre"  #: pre_alarm_ms from the last deadline

FORCED_RAISED = "forced_raised"
FORCED_OVER = "forced_over"
HELD_RAISED = "held_raised"
HELD_OVER = "held_over"

# (state, input): (next state, timer, reports)
TRANSITIONS = {
    (SHUT, OPENED): (OPEN, _OPEN, ()),
    (SHUT, OPENED_FREE): (FREE, _STOP, ()),
    (SHUT, OPENED_BARE): (UNJUDGED, _SETTLE, ()),
    (SHUT, CLOSED): (SHUT, _KEEP, ()),
    (SHUT, PERMIT): (SHUT, _KEEP, ()),
    (SHUT, FREED): (SHUT, _KEEP, ()),
    (SHUT, BOUND): (SHUT, _KEEP, ()),
    (SHUT, BLINDED): (SHUT, _KEEP, ()),
    (SHUT, TIMEOUT): (SHUT, _STOP, ()),
    (OPEN, OPENED): (OPEN, _KEEP, ()),
    (OPEN, OPENED_FREE): (FREE, _STOP, ()),
    (OPEN, OPENED_BARE): (OPEN, _KEEP, ()),
    (OPEN, CLOSED): (SHUT, _STOP, ()),
    (OPEN, PERMIT): (OPEN, _KEEP, ()),
    (OPEN, FREED): (FREE, _STOP, ()),
    (OPEN, BOUND): (OPEN, _KEEP, ()),
    (OPEN, BLINDED): (SHUT, _STOP, ()),
    (OPEN, TIMEOUT): (WARNED, _PRE, ()),
    (WARNED, OPENED): (WARNED, _KEEP, ()),
    (WARNED, OPENED_FREE): (FREE, _STOP, ()),
    (WARNED, OPENED_BARE): (WARNED, _KEEP, ()),
    (WARNED, CLOSED): (SHUT, _STOP, ()),
    (WARNED, PERMIT): (WARNED, _KEEP, ()),
    (WARNED, FREED): (FREE, _STOP, ()),
    (WARNED, BOUND): (WARNED, _KEEP, ()),
    (WARNED, BLINDED): (SHUT, _STOP, ()),
    (WARNED, TIMEOUT): (HELD, _STOP, (HELD_RAISED,)),
    (HELD, OPENED): (HELD, _KEEP, ()),
    (HELD, OPENED_FREE): (HELD, _KEEP, ()),
    (HELD, OPENED_BARE): (HELD, _KEEP, ()),
    (HELD, CLOSED): (SHUT, _STOP, (HELD_OVER,)),
    (HELD, PERMIT): (HELD, _KEEP, ()),
    (HELD, FREED): (HELD, _KEEP, ()),
    (HELD, BOUND): (HELD, _KEEP, ()),
    (HELD, BLINDED): (HELD, _KEEP, ()),
    (HELD, TIMEOUT): (HELD, _STOP, ()),
    (UNJUDGED, OPENED): (UNJUDGED, _KEEP, ()),
    (UNJUDGED, OPENED_FREE): (UNJUDGED, _KEEP, ()),
    (UNJUDGED, OPENED_BARE): (UNJUDGED, _KEEP, ()),
    (UNJUDGED, CLOSED): (GLIMPSED, _KEEP, ()),
    (UNJUDGED, PERMIT): (OPEN, _OPEN, ()),
    (UNJUDGED, FREED): (UNJUDGED, _KEEP, ()),
    (UNJUDGED, BOUND): (UNJUDGED, _KEEP, ()),
    (UNJUDGED, BLINDED): (UNJUDGED, _KEEP, ()),
    (UNJUDGED, TIMEOUT): (FORCED, _STOP, (FORCED_RAISED,)),
    (GLIMPSED, OPENED): (UNJUDGED, _KEEP, ()),
    (GLIMPSED, OPENED_FREE): (UNJUDGED, _KEEP, ()),
    (GLIMPSED, OPENED_BARE): (UNJUDGED, _KEEP, ()),
    (GLIMPSED, CLOSED): (GLIMPSED, _KEEP, ()),
    (GLIMPSED, PERMIT): (SHUT, _STOP, ()),
    (GLIMPSED, FREED): (GLIMPSED, _KEEP, ()),
    (GLIMPSED, BOUND): (GLIMPSED, _KEEP, ()),
    (GLIMPSED, BLINDED): (GLIMPSED, _KEEP, ()),
    (GLIMPSED, TIMEOUT): (SHUT, _STOP, (FORCED_RAISED, FORCED_OVER)),
    (FORCED, OPENED): (FORCED, _KEEP, ()),
    (FORCED, OPENED_FREE): (FORCED, _KEEP, ()),
    (FORCED, OPENED_BARE): (FORCED, _KEEP, ()),
    (FORCED, CLOSED): (SHUT, _STOP, (FORCED_OVER,)),
    (FORCED, PERMIT): (FORCED, _KEEP, ()),
    (FORCED, FREED): (FORCED, _KEEP, ()),
    (FORCED, BOUND): (FORCED, _KEEP, ()),
    (FORCED, BLINDED): (FORCED, _KEEP, ()),
    (FORCED, TIMEOUT): (FORCED, _STOP, ()),
    (FREE, OPENED): (FREE, _KEEP, ()),
    (FREE, OPENED_FREE): (FREE, _KEEP, ()),
    (FREE, OPENED_BARE): (FREE, _KEEP, ()),
    (FREE, CLOSED): (SHUT, _STOP, ()),
    (FREE, PERMIT): (FREE, _KEEP, ()),
    (FREE, FREED): (FREE, _KEEP, ()),
    (FREE, BOUND): (OPEN, _OPEN, ()),
    (FREE, BLINDED): (SHUT, _STOP, ()),
    (FREE, TIMEOUT): (FREE, _STOP, ()),
}


class Opening:
    """One door's openings. ``open_ms`` and ``pre_alarm_ms`` may be set anew for each opening."""

    def __init__(self, open_ms: int, pre_alarm_ms: int, settle_ms: int) -> None:
        self.state = SHUT
        self.deadline_ms: int | None = None
        #: int  time of the edge of the opening that is being judged or timed
        self.opened_at_ms = 0
        self.open_ms = open_ms
        self._pre_alarm_ms = pre_alarm_ms
        self._settle_ms = settle_ms

    @property
    def ends_at_ms(self) -> "int | None":
        """The end of the permitted open time while it runs."""
        if self.deadline_ms is None or self.state not in (OPEN, WARNED):
            return None
        return self.opened_at_ms + self.open_ms

    def handle(self, what: str, at_ms: int, now_ms: int) -> list[str]:
        """Take one input whose edge was at `at_ms`; the reports it causes, in order."""
        reports = self.tick(now_ms)
        return reports + self._move(what, at_ms, now_ms)

    def tick(self, now_ms: int) -> list[str]:
        """Honour every deadline that has come; the reports."""
        reports: list[str] = []
        while self.deadline_ms is not None and now_ms >= self.deadline_ms:
            reports = reports + self._move(TIMEOUT, self.deadline_ms, now_ms)
        return reports

    def _move(self, what: str, at_ms: int, now_ms: int) -> list[str]:
        before = self.state
        self.state, timer, reports = TRANSITIONS[(before, what)]
        if timer == _STOP:
            self.deadline_ms = None
        elif timer == _SETTLE:
            self.opened_at_ms = at_ms
            self.deadline_ms = now_ms + self._settle_ms
        elif timer == _OPEN:
            if before != UNJUDGED:  # a late permission leaves the opening its own time
                self.opened_at_ms = at_ms
            self.deadline_ms = self.opened_at_ms + self.open_ms - self._pre_alarm_ms
        elif timer == _PRE:
            self.deadline_ms = self.opened_at_ms + self.open_ms
        return list(reports)
