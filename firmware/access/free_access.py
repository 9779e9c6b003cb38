"""Free access: a portal stands unlocked while its schedule holds, if wanted only after somebody came.

Pure. Moves only between `locked` and an `unlocked` that the schedule caused; a mode that was set by
hand during the hours is left alone until their end. The caller says what the schedule says, once a second
and at its edges; a time that is not trusted counts as outside.
"""

from collections import namedtuple

from firmware.access import credential, schedule

OUTSIDE = "outside"
AWAITING = "awaiting"  #: in the hours; the first person has not come yet
DUE = "due"  #: to be unlocked as soon as nothing stands against it
FREE = "free"  #: unlocked by the schedule
LEFT = "left"  #: a mode was set by hand: left alone until the hours end
STATES = (OUTSIDE, AWAITING, DUE, FREE, LEFT)

HOLDS = "holds"  #: the schedule holds and nobody is waited for
HOLDS_CLOSED = "holds_closed"  #: the schedule holds; the first person is waited for
ENDED = "ended"  #: the schedule does not hold
CAME = "came"  #: somebody who counts has come in
CLEAR = "clear"  #: the portal is locked and nothing stands against unlocking it
BY_HAND = "by_hand"  #: a mode was set by somebody else
HINDERED = "hindered"  #: after a restart: another door of its interlock group stands open
INPUTS = (HOLDS, HOLDS_CLOSED, ENDED, CAME, CLEAR, BY_HAND, HINDERED)

UNLOCK = "unlock"
LOCK = "lock"

# (state, input): (next state, what to do)
TRANSITIONS = {
    (OUTSIDE, HOLDS): (DUE, None),
    (OUTSIDE, HOLDS_CLOSED): (AWAITING, None),
    (OUTSIDE, ENDED): (OUTSIDE, None),
    (OUTSIDE, CAME): (OUTSIDE, None),
    (OUTSIDE, CLEAR): (OUTSIDE, None),
    (OUTSIDE, BY_HAND): (OUTSIDE, None),
    (OUTSIDE, HINDERED): (OUTSIDE, None),
    (AWAITING, HOLDS): (DUE, None),
    (AWAITING, HOLDS_CLOSED): (AWAITING, None),
    (AWAITING, ENDED): (OUTSIDE, None),
    (AWAITING, CAME): (DUE, None),
    (AWAITING, CLEAR): (AWAITING, None),
    (AWAITING, BY_HAND): (LEFT, None),
    (AWAITING, HINDERED): (AWAITING, None),
    (DUE, HOLDS): (DUE, None),
    (DUE, HOLDS_CLOSED): (DUE, None),
    (DUE, ENDED): (OUTSIDE, None),
    (DUE, CAME): (DUE, None),
    (DUE, CLEAR): (FREE, UNLOCK),
    (DUE, BY_HAND): (LEFT, None),
    (DUE, HINDERED): (DUE, None),
    (FREE, HOLDS): (FREE, None),
    (FREE, HOLDS_CLOSED): (FREE, None),
    (FREE, ENDED): (OUTSIDE, LOCK),
    (FREE, CAME): (FREE, None),
    (FREE, CLEAR): (FREE, None),
    (FREE, BY_HAND): (LEFT, None),
    (FREE, HINDERED): (DUE, LOCK),
    (LEFT, HOLDS): (LEFT, None),
    (LEFT, HOLDS_CLOSED): (LEFT, None),
    (LEFT, ENDED): (OUTSIDE, None),
    (LEFT, CAME): (LEFT, None),
    (LEFT, CLEAR): (LEFT, None),
    (LEFT, BY_HAND): (LEFT, None),
    (LEFT, HINDERED): (LEFT, None),
}

#: What is so for one portal.
#: schedule    str         the name of its hours
#: first_card  bool        unlocked only after somebody who counts came
#: early_ms    int         who came so long before the hours counts
#: level       str | None  who counts: keys of this level; None: whoever was let in
Rules = namedtuple("Rules", ("schedule", "first_card", "early_ms", "level"))

LAST_MS = (
    50  #: how often the last second before an edge is looked at: the time is known in whole seconds
)


class FreeAccess:
    """One portal's free access."""

    def __init__(self, rules: "Rules") -> None:
        self.state = OUTSIDE
        self.rules = rules
        #: int | None  UTC second at which somebody who counts came last
        self.came_s: int | None = None
        self.deadline_ms: int | None = None
        self._looked: tuple[object, ...] | None = None

    @property
    def kept(self) -> "list[object] | None":
        """What a restart needs to go on."""
        if self.state == OUTSIDE and self.came_s is None:
            return None
        return [self.state, self.came_s]

    def restore(self, kept: object) -> None:
        """Go on with what was kept."""
        if isinstance(kept, list) and len(kept) == 2 and kept[0] in STATES:
            self.state = kept[0]
            self.came_s = kept[1] if isinstance(kept[1], int) else None

    def handle(self, what: str) -> "str | None":
        """Take one input; UNLOCK, LOCK or nothing."""
        self.state, action = TRANSITIONS[(self.state, what)]
        return action

    def look(self, rights: "credential.Rights", now: "credential.Moment") -> "str | None":
        """What the schedule says now, as an input; None: this second was looked at before."""
        looked = (now.local_s, now.trusted, id(rights.schedules))
        if looked == self._looked and (self.deadline_ms is None or now.ms < self.deadline_ms):
            return None
        self._looked = looked
        hours = rights.schedules.get(self.rules.schedule, ())
        self.deadline_ms = None
        if not now.trusted:
            return ENDED
        edge_s = schedule.next_edge(hours, rights.holidays, now.local_s)
        if edge_s is not None:
            whole_s = edge_s - now.local_s - 1
            self.deadline_ms = now.ms + (whole_s * 1000 if whole_s else LAST_MS)
        if not schedule.covers(hours, rights.holidays, now.local_s):
            return ENDED
        if not self.rules.first_card or self._came_early(now.utc_s):
            return HOLDS
        return HOLDS_CLOSED

    def _came_early(self, utc_s: int) -> bool:
        return self.came_s is not None and 0 <= (utc_s - self.came_s) * 1000 <= self.rules.early_ms
