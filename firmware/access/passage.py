"""Did the person who was let in open the door? (IEC 60839-11-1, 6.2.1: access taken, not taken.)

Pure. One verdict for every release by credential, about the last grant in it. The verdict "not taken"
waits ``settle_ms`` after the release, because the opening's edge may still be on its way.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Verdict = tuple[str, dict[str, Any] | None]

IDLE = "idle"
AWAITED = "awaited"  #: let in; the timer runs to the end of the release
OVER = "over"  #: the release is over; settling
STATES = (IDLE, AWAITED, OVER)

NEXT = "next"  #: another grant is about to come: the verdict on this one waits no longer
GRANT = "grant"
OPENED = "opened"  #: the door was opened within the permission
REVOKE = "revoke"  #: the release was ended early
TIMEOUT = "timeout"
INPUTS = (NEXT, GRANT, OPENED, REVOKE, TIMEOUT)

_KEEP = "keep"
_STOP = "stop"
_GRANT = "grant"  #: the end of the release, never earlier than it was
_SETTLE = "settle"  #: settle_ms from now

TAKEN = "taken"
NOT_TAKEN = "not_taken"

# (state, input): (next state, timer, verdict)
TRANSITIONS = {
    (IDLE, NEXT): (IDLE, _KEEP, None),
    (IDLE, GRANT): (AWAITED, _GRANT, None),
    (IDLE, OPENED): (IDLE, _KEEP, None),
    (IDLE, REVOKE): (IDLE, _KEEP, None),
    (IDLE, TIMEOUT): (IDLE, _STOP, None),
    (AWAITED, NEXT): (AWAITED, _KEEP, None),
    (AWAITED, GRANT): (AWAITED, _GRANT, None),
    (AWAITED, OPENED): (IDLE, _STOP, TAKEN),
    (AWAITED, REVOKE): (OVER, _SETTLE, None),
    (AWAITED, TIMEOUT): (OVER, _SETTLE, None),
    (OVER, NEXT): (IDLE, _STOP, NOT_TAKEN),
    (OVER, GRANT): (AWAITED, _GRANT, NOT_TAKEN),
    (OVER, OPENED): (IDLE, _STOP, TAKEN),
    (OVER, REVOKE): (OVER, _KEEP, None),
    (OVER, TIMEOUT): (IDLE, _STOP, NOT_TAKEN),
}


class Passage:
    """The verdict on one portal's grants."""

    def __init__(self, settle_ms: int) -> None:
        self.state = IDLE
        self.deadline_ms: int | None = None
        #: whatever the caller gave with the last grant: who is awaited
        self.who: dict[str, object] | None = None
        self._settle_ms = settle_ms

    def handle(
        self, what: str, now_ms: int, until_ms: int = 0, who: "dict[str, object] | None" = None
    ) -> "list[Verdict]":
        """Take one input; the verdicts it causes as (TAKEN or NOT_TAKEN, who).

        A GRANT gives the end of its release and who was granted.
        """
        verdicts = self.tick(now_ms)
        return verdicts + self._move(what, now_ms, until_ms, who)

    def tick(self, now_ms: int) -> "list[Verdict]":
        """Honour every deadline that has come; the verdicts."""
        verdicts: list[Verdict] = []
        while self.deadline_ms is not None and now_ms >= self.deadline_ms:
            verdicts = verdicts + self._move(TIMEOUT, self.deadline_ms, 0, None)
        return verdicts

    def _move(
        self, what: str, now_ms: int, until_ms: int, who: "dict[str, object] | None"
    ) -> "list[Verdict]":
        self.state, timer, verdict = TRANSITIONS[(self.state, what)]
        verdicts = [] if verdict is None else [(verdict, self.who)]
        if timer == _GRANT:
            self.deadline_ms = max(self.deadline_ms or 0, until_ms)
        elif timer == _SETTLE:
            self.deadline_ms = now_ms + self._settle_ms
        elif timer == _STOP:
            self.deadline_ms = None
        if what == GRANT:
            self.who = who
        return verdicts
