"""One partition: alarm points that are watched while it is armed, with exit and entry delay.

Pure. The state machine is a total table; what it reports is a word for `firmware.access.guard`, which
turns it into records and alarms. A sensor that is not known neither arms nor alarms: nothing here asks
what a sensor says, only what it did.
"""

from collections import namedtuple

#: What is so for one partition.
#: points        tuple of str  alarm points of class intrusion
#: delayed       tuple of str  those of them that begin the entry delay
#: entry_ms      int           from a delayed point's trip to its alarm
#: exit_ms       int           from arming to being armed
#: schedule      str | None    armed while these hours hold
#: flat          str | None    whose keys `keys` speaks of
#: group         str | None    and which group's
#: keys          str           one of `KEYS`
#: appointments  tuple of (from_local_s, to_local_s, keys or None)  armed from then until then
Rules = namedtuple(
    "Rules",
    (
        "points",
        "delayed",
        "entry_ms",
        "exit_ms",
        "schedule",
        "flat",
        "group",
        "keys",
        "appointments",
    ),
)

#: What a granted key of the partition's flat or group means while it is armed.
IGNORE = "ignore"
ALARM = "alarm"
DISARM_BY_KEY = "disarm"
KEYS = (IGNORE, ALARM, DISARM_BY_KEY)

DISARMED = "disarmed"
EXITING = "exiting"  #: people are leaving; what they trip does not count
ARMED = "armed"
ENTERING = "entering"  #: a delayed point was tripped; somebody may be about to disarm
STATES = (DISARMED, EXITING, ARMED, ENTERING)

ARM = "arm"
DISARM = "disarm"
INSTANT = "instant"  #: a point was tripped
DELAYED = "delayed"  #: a delayed point was tripped
TIMEOUT = "timeout"  #: a delay is over, and every point that counts is closed
TIMEOUT_OPEN = "timeout_open"  #: a delay is over, and one is open
INPUTS = (ARM, DISARM, INSTANT, DELAYED, TIMEOUT, TIMEOUT_OPEN)

_KEEP = "keep"
_STOP = "stop"
_EXIT = "exit"  #: exit_ms from now
_ENTRY = "entry"  #: entry_ms from now

NOTHING = ""
NOW_ARMED = "now_armed"
NOW_DISARMED = "now_disarmed"
REFUSED = "refused"
ENTRY_BEGAN = "entry_began"
INTRUDED = "intruded"  #: at the point that was tripped
NOT_DISARMED = "not_disarmed"  #: the entry delay is over: an alarm at the points that began it

# (state, input): (next state, timer, report)
TRANSITIONS = {
    (DISARMED, ARM): (EXITING, _EXIT, NOTHING),
    (DISARMED, DISARM): (DISARMED, _KEEP, NOTHING),
    (DISARMED, INSTANT): (DISARMED, _KEEP, NOTHING),
    (DISARMED, DELAYED): (DISARMED, _KEEP, NOTHING),
    (DISARMED, TIMEOUT): (DISARMED, _STOP, NOTHING),
    (DISARMED, TIMEOUT_OPEN): (DISARMED, _STOP, NOTHING),
    (EXITING, ARM): (EXITING, _KEEP, NOTHING),
    (EXITING, DISARM): (DISARMED, _STOP, NOW_DISARMED),
    (EXITING, INSTANT): (EXITING, _KEEP, NOTHING),
    (EXITING, DELAYED): (EXITING, _KEEP, NOTHING),
    (EXITING, TIMEOUT): (ARMED, _STOP, NOW_ARMED),
    (EXITING, TIMEOUT_OPEN): (DISARMED, _STOP, REFUSED),
    (ARMED, ARM): (ARMED, _KEEP, NOTHING),
    (ARMED, DISARM): (DISARMED, _STOP, NOW_DISARMED),
    (ARMED, INSTANT): (ARMED, _KEEP, INTRUDED),
    (ARMED, DELAYED): (ENTERING, _ENTRY, ENTRY_BEGAN),
    (ARMED, TIMEOUT): (ARMED, _STOP, NOTHING),
    (ARMED, TIMEOUT_OPEN): (ARMED, _STOP, NOTHING),
    (ENTERING, ARM): (ENTERING, _KEEP, NOTHING),
    (ENTERING, DISARM): (DISARMED, _STOP, NOW_DISARMED),
    (ENTERING, INSTANT): (ENTERING, _KEEP, INTRUDED),
    (ENTERING, DELAYED): (ENTERING, _KEEP, NOTHING),
    (ENTERING, TIMEOUT): (ARMED, _STOP, NOT_DISARMED),
    (ENTERING, TIMEOUT_OPEN): (ARMED, _STOP, NOT_DISARMED),
}


class Partition:
    """One partition's state, and when its delay ends."""

    def __init__(self, rules: "Rules") -> None:
        self.rules = rules
        self.state = DISARMED
        self.deadline_ms: int | None = None

    @property
    def watching(self) -> bool:
        """Whether a trip counts."""
        return self.state in (ARMED, ENTERING)

    def handle(self, what: str, now_ms: int) -> str:
        """Take one input; the report. The caller turns a deadline into TIMEOUT or TIMEOUT_OPEN."""
        self.state, timer, report = TRANSITIONS[(self.state, what)]
        if timer == _STOP:
            self.deadline_ms = None
        elif timer == _EXIT:
            self.deadline_ms = now_ms + self.rules.exit_ms
        elif timer == _ENTRY:
            self.deadline_ms = now_ms + self.rules.entry_ms
        return report

    def restore(self, state: str, now_ms: int, left_ms: "int | None") -> None:
        """Go on after a restart; a delay that ran has `left_ms` (None: not known, so it begins again).

        It never ends at the start itself: what the sensors say is not known yet.
        """
        self.state = state
        if state in (EXITING, ENTERING):
            for_ms = self.rules.exit_ms if state == EXITING else self.rules.entry_ms
            self.deadline_ms = now_ms + max(1, for_ms if left_ms is None else min(left_ms, for_ms))
