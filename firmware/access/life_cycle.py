"""What becomes of a key from its issue to its end: which word may follow which, as one table.

Pure. A lost key is found as what it was before, so a suspended one that was lost stays suspended; a
cancelled one is cancelled for good. Whether it has expired is no state: the clock says so.
"""

from firmware.access import credential

NONE = "none"  #: no such key
ACTIVE = credential.ACTIVE
SUSPENDED = credential.SUSPENDED
LOST = credential.LOST  #: was active
LOST_SUSPENDED = "lost_suspended"
CANCELLED = credential.CANCELLED
STATES = (NONE, ACTIVE, SUSPENDED, LOST, LOST_SUSPENDED, CANCELLED)

ISSUE = "issue"
EXTEND = "extend"
SUSPEND = "suspend"
RESUME = "resume"
REPORT_LOST = "report_lost"
REPORT_FOUND = "report_found"
CANCEL = "cancel"
INPUTS = (ISSUE, EXTEND, SUSPEND, RESUME, REPORT_LOST, REPORT_FOUND, CANCEL)
VERBS = INPUTS

#: What is told of a change (``change`` of `credential.changed`).
ISSUED = "issued"
CHANGED = "changed"
EXTENDED = "extended"
WAS_SUSPENDED = "suspended"
RESUMED = "resumed"
WAS_LOST = "lost"
FOUND = "found"
WAS_CANCELLED = "cancelled"
REMOVED = "removed"

# (state, verb): (next state, what is told; None: refused)
TRANSITIONS = {
    (NONE, ISSUE): (ACTIVE, ISSUED),
    (NONE, EXTEND): (NONE, None),
    (NONE, SUSPEND): (NONE, None),
    (NONE, RESUME): (NONE, None),
    (NONE, REPORT_LOST): (NONE, None),
    (NONE, REPORT_FOUND): (NONE, None),
    (NONE, CANCEL): (NONE, None),
    (ACTIVE, ISSUE): (ACTIVE, None),
    (ACTIVE, EXTEND): (ACTIVE, EXTENDED),
    (ACTIVE, SUSPEND): (SUSPENDED, WAS_SUSPENDED),
    (ACTIVE, RESUME): (ACTIVE, None),
    (ACTIVE, REPORT_LOST): (LOST, WAS_LOST),
    (ACTIVE, REPORT_FOUND): (ACTIVE, None),
    (ACTIVE, CANCEL): (CANCELLED, WAS_CANCELLED),
    (SUSPENDED, ISSUE): (SUSPENDED, None),
    (SUSPENDED, EXTEND): (SUSPENDED, EXTENDED),
    (SUSPENDED, SUSPEND): (SUSPENDED, None),
    (SUSPENDED, RESUME): (ACTIVE, RESUMED),
    (SUSPENDED, REPORT_LOST): (LOST_SUSPENDED, WAS_LOST),
    (SUSPENDED, REPORT_FOUND): (SUSPENDED, None),
    (SUSPENDED, CANCEL): (CANCELLED, WAS_CANCELLED),
    (LOST, ISSUE): (LOST, None),
    (LOST, EXTEND): (LOST, EXTENDED),
    (LOST, SUSPEND): (LOST_SUSPENDED, WAS_SUSPENDED),
    (LOST, RESUME): (LOST, None),
    (LOST, REPORT_LOST): (LOST, None),
    (LOST, REPORT_FOUND): (ACTIVE, FOUND),
    (LOST, CANCEL): (CANCELLED, WAS_CANCELLED),
    (LOST_SUSPENDED, ISSUE): (LOST_SUSPENDED, None),
    (LOST_SUSPENDED, EXTEND): (LOST_SUSPENDED, EXTENDED),
    (LOST_SUSPENDED, SUSPEND): (LOST_SUSPENDED, None),
    (LOST_SUSPENDED, RESUME): (LOST, RESUMED),
    (LOST_SUSPENDED, REPORT_LOST): (LOST_SUSPENDED, None),
    (LOST_SUSPENDED, REPORT_FOUND): (SUSPENDED, FOUND),
    (LOST_SUSPENDED, CANCEL): (CANCELLED, WAS_CANCELLED),
    (CANCELLED, ISSUE): (CANCELLED, None),
    (CANCELLED, EXTEND): (CANCELLED, None),
    (CANCELLED, SUSPEND): (CANCELLED, None),
    (CANCELLED, RESUME): (CANCELLED, None),
    (CANCELLED, REPORT_LOST): (CANCELLED, None),
    (CANCELLED, REPORT_FOUND): (CANCELLED, None),
    (CANCELLED, CANCEL): (CANCELLED, None),
}

_WORDS = {
    NONE: "is not there",
    ACTIVE: "is active",
    SUSPENDED: "is suspended",
    LOST: "is lost",
    LOST_SUSPENDED: "is lost and suspended",
    CANCELLED: "is cancelled for good",
}


def state_of(state: "str | None", before: "str | None") -> str:
    """The state of this table for a key's stored `state` (None: no such key) and that `before` its loss."""
    if state is None:
        return NONE
    if state == LOST and before == SUSPENDED:
        return LOST_SUSPENDED
    return state


def stored(state: str) -> "tuple[str, str | None]":
    """A key's `state` for one of this table, and the state to go back to if it is found again."""
    if state == LOST:
        return LOST, ACTIVE
    if state == LOST_SUSPENDED:
        return LOST, SUSPENDED
    return state, None


def refusal(state: str, verb: str) -> "str | None":
    """Why `verb` cannot be done to a key in `state`, and what could be; None: it can."""
    if TRANSITIONS[(state, verb)][1] is not None:
        return None
    could = [known for known in VERBS if TRANSITIONS[(state, known)][1] is not None]
    if not could:
        return "%s; expected another key" % _WORDS[state]
    return "%s; expected %s" % (_WORDS[state], ", ".join(could))
