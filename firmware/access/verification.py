"""What one reader and its keypad have been shown so far: a card, a PIN, or a card and then a PIN.

Pure. Collects; whether a PIN fits is decided elsewhere. Digits live here only, for at most
``timeout_ms``, and are in no repr.
"""

from collections import namedtuple

from firmware.access import pin
from firmware.access.secret import Secret

CARD = "card"
CARD_AND_PIN = "card+pin"
PIN = "pin"
CARD_OR_PIN = "card-or-pin"
WAYS = (CARD, CARD_AND_PIN, PIN, CARD_OR_PIN)
STRICTEST = (CARD_AND_PIN, CARD, PIN, CARD_OR_PIN)  #: a PIN alone can be guessed

IDLE = "idle"
KEYING = "keying"  #: digits of a PIN that opens alone are being pressed
WANTED = "wanted"  #: the card is good; its PIN is awaited
STATES = (IDLE, KEYING, WANTED)

DIGIT = "digit"
ENTER = "enter"  #: ``#``
CLEAR = "clear"  #: ``*``
SHOWN = "shown"  #: a card or code: whatever was begun is dropped
ASK = "ask"  #: the card is good and needs its PIN
TIMEOUT = "timeout"
INPUTS = (DIGIT, ENTER, CLEAR, SHOWN, ASK, TIMEOUT)

_KEEP = "keep"
_START = "start"
_STOP = "stop"

FIND_PIN = "find_pin"
CHECK_PIN = "check_pin"
TOO_LATE = "too_late"
DISPLACED = "displaced"  #: the card that waited for its PIN gave way to what was shown next

# (state, input): (next state, timer, what to do)
TRANSITIONS = {
    (IDLE, DIGIT): (KEYING, _START, None),
    (IDLE, ENTER): (IDLE, _KEEP, None),
    (IDLE, CLEAR): (IDLE, _KEEP, None),
    (IDLE, SHOWN): (IDLE, _STOP, None),
    (IDLE, ASK): (WANTED, _START, None),
    (IDLE, TIMEOUT): (IDLE, _STOP, None),
    (KEYING, DIGIT): (KEYING, _KEEP, None),
    (KEYING, ENTER): (IDLE, _STOP, FIND_PIN),
    (KEYING, CLEAR): (IDLE, _STOP, None),
    (KEYING, SHOWN): (IDLE, _STOP, None),
    (KEYING, ASK): (WANTED, _START, None),
    (KEYING, TIMEOUT): (IDLE, _STOP, TOO_LATE),
    (WANTED, DIGIT): (WANTED, _KEEP, None),
    (WANTED, ENTER): (IDLE, _STOP, CHECK_PIN),
    (WANTED, CLEAR): (WANTED, _KEEP, None),
    (WANTED, SHOWN): (IDLE, _STOP, DISPLACED),
    (WANTED, ASK): (WANTED, _START, DISPLACED),
    (WANTED, TIMEOUT): (IDLE, _STOP, TOO_LATE),
}

#: What to do now.
#: action  str         FIND_PIN, CHECK_PIN, TOO_LATE or DISPLACED
#: digits  Secret      what was pressed (empty for TOO_LATE and DISPLACED)
#: key     Credential | None  the card whose PIN was awaited
Step = namedtuple("Step", ("action", "digits", "key"))


class Verification:
    """One access point's collecting; `way` is one of `WAYS`."""

    def __init__(self, way: str, timeout_ms: int) -> None:
        self.way = way
        self.state = IDLE
        self.deadline_ms: int | None = None
        #: Credential or None  the card that waits for its PIN
        self.key: object = None
        self._timeout_ms = timeout_ms
        self._digits = ""

    @property
    def takes_cards(self) -> bool:
        """Whether cards and codes are looked at."""
        return self.way != PIN

    @property
    def takes_keys(self) -> bool:
        """Whether a pressed key means anything now."""
        return self.way in (PIN, CARD_OR_PIN) or self.state == WANTED

    def handle(self, what: str, now_ms: int, given: object = None) -> "list[Step]":
        """Take one input; `given` is the digit, or the card of an ASK."""
        steps = self.tick(now_ms)
        return steps + self._move(what, now_ms, given)

    def tick(self, now_ms: int) -> "list[Step]":
        """Honour a deadline that has come."""
        if self.deadline_ms is not None and now_ms >= self.deadline_ms:
            return self._move(TIMEOUT, now_ms, None)
        return []

    def _move(self, what: str, now_ms: int, given: object) -> "list[Step]":
        self.state, timer, action = TRANSITIONS[(self.state, what)]
        steps = []
        if action is not None:
            digits = self._digits if action in (FIND_PIN, CHECK_PIN) else ""
            steps.append(Step(action, Secret(digits), self.key))
        if timer == _START:
            self.deadline_ms = now_ms + self._timeout_ms
        elif timer == _STOP:
            self.deadline_ms = None
        if self.state == IDLE or what in (CLEAR, ASK):
            self._digits = ""
        if self.state == IDLE:
            self.key = None
        if what == ASK:
            self.key = given
        elif what == DIGIT and len(self._digits) <= pin.MAX_DIGITS:  # one too many fits no PIN
            self._digits += str(given)
        return steps
