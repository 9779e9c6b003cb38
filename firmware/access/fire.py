"""The fire input: a loop that is closed while all is well; open or cut is fire.

Pure. A fire lasts until its reset: 1 s after the loop is whole again (``input``), or when the loop is
whole and the key switch is then turned (``manual``). No command ends it.
"""

QUIET = "quiet"
BURNING = "burning"
WHOLE = "whole"  #: the loop is closed again; waiting for the reset
STATES = (QUIET, BURNING, WHOLE)

LOOP_OPENED = "loop_opened"
LOOP_CLOSED = "loop_closed"
KEY_TURNED = "key_turned"
TIMEOUT = "timeout"
INPUTS = (LOOP_OPENED, LOOP_CLOSED, KEY_TURNED, TIMEOUT)

INPUT = "input"
MANUAL = "manual"
RESETS = (INPUT, MANUAL)

RESET_MS = 1000

_KEEP = "keep"
_START = "start"
_STOP = "stop"

# (state, input): (next state, timer). KEY_TURNED resets under "manual", TIMEOUT under "input" only.
TRANSITIONS = {
    (QUIET, LOOP_OPENED): (BURNING, _STOP),
    (QUIET, LOOP_CLOSED): (QUIET, _KEEP),
    (QUIET, KEY_TURNED): (QUIET, _KEEP),
    (QUIET, TIMEOUT): (QUIET, _STOP),
    (BURNING, LOOP_OPENED): (BURNING, _KEEP),
    (BURNING, LOOP_CLOSED): (WHOLE, _START),
    (BURNING, KEY_TURNED): (BURNING, _KEEP),
    (BURNING, TIMEOUT): (BURNING, _STOP),
    (WHOLE, LOOP_OPENED): (BURNING, _STOP),
    (WHOLE, LOOP_CLOSED): (WHOLE, _KEEP),
    (WHOLE, KEY_TURNED): (QUIET, _STOP),
    (WHOLE, TIMEOUT): (QUIET, _STOP),
}


class Fire:
    """The fire of one site; ``on`` while it lasts."""

    def __init__(self, reset: str) -> None:
        self.state = QUIET
        self.deadline_ms: int | None = None
        self._reset = reset

    @property
    def on(self) -> bool:
        """Whether there is fire."""
        return self.state != QUIET

    def handle(self, what: str, now_ms: int) -> None:
        """Take one input."""
        self.tick(now_ms)
        if what == KEY_TURNED and self._reset != MANUAL:
            return
        self._move(what, now_ms)

    def tick(self, now_ms: int) -> None:
        """Honour a deadline that has come."""
        if self.deadline_ms is not None and now_ms >= self.deadline_ms:
            self._move(TIMEOUT, now_ms)

    def restore(self, now_ms: int, loop_open: bool, was_burning: bool) -> None:
        """Begin with the loop as it is; a fire that waits for its key goes on waiting."""
        if loop_open:
            self._move(LOOP_OPENED, now_ms)
        elif was_burning and self._reset == MANUAL:
            self.state = WHOLE

    def _move(self, what: str, now_ms: int) -> None:
        self.state, timer = TRANSITIONS[(self.state, what)]
        if timer == _START and self._reset == INPUT:
            self.deadline_ms = now_ms + RESET_MS
        elif timer == _STOP:
            self.deadline_ms = None
