"""What came from the broker and has not been dealt with: bounded, in order, no faster than a door likes it.

Pure: the caller passes the time. At most one message of a topic is with the door; the broker is told that
we have one only after the door has said `heard`, and never on another connection than it came on.

What waits is read off the connection, for what the broker has taken from us is told behind it: a flood of
commands must not hold up an alarm. What a broker delivers again although it was dealt with is acknowledged
and told no second time: it has the same message id then, also on another connection (MQTT 5.0, 4.4). A broker
that gives it another one is not recognised: rather told twice than not at all.
"""

import base64
from collections import deque
from typing import Any, NamedTuple

from firmware.services.link_records import FLAW_CHARS, PAYLOAD_BYTES, TOO_LONG, TOPICS
from firmware.trust import envelope

HELD = (
    16  #: messages, those with the door included: what a broker is told (MQTT 5), and all of QoS 0
)
HELD_MOST = 4096  #: where a broker cannot be told (mosquitto sends 20, NATS 1,000); beyond it nothing is read
DEALT = 4096  #: of so many it is known that they were dealt with, should they come again
HELD_BYTES = 4 << 20  #: neither beyond so much of them
BURST = 200  #: messages that go to the door at once, if none went for a while
PER_SECOND = 50  #: and from then on
NEVER_MS = 1 << 40


class _Known(NamedTuple):
    """What a message is known by: its id (0: the broker wants no answer) and its content."""

    number: int
    content: int


class Inbox:
    """The messages of one broker's connections, one connection after the other."""

    def __init__(self) -> None:
        # What it is known by, and what the door is told.
        self._waiting: dict[str, deque[tuple[_Known, dict[str, Any]]]] = {
            t: deque() for t in TOPICS
        }
        self._with_door: dict[str, tuple[int, _Known]] = {}  # topic: (token, ...)
        self._numbers: set[int] = set()  # message ids of both
        self._dealt: dict[_Known, None] = {}  # of any connection, the newest last
        self._retained: dict[str, int] = {}  # topic: which payload the broker keeps, a hash
        self._turns = list(TOPICS)  # whose turn it is, where not all may go at once
        self._bytes = 0  # of what waits
        self._last_token = 0
        self._bucket = BURST * 1000  # thousandths of a message
        self._filled_ms = 0

    @property
    def full(self) -> bool:
        """Whether to take no more."""
        return self._count() >= HELD_MOST or self._bytes >= HELD_BYTES

    def add(
        self,
        number: int,
        topic: str,
        payload: bytes,
        retained: bool,
        length: int,
        again: bool = False,
    ) -> bool:
        """Hold what came on `topic` under the message id `number`; False: nobody needs it.

        number   int   0: sent at QoS 0, which promises nothing: there must be room
        length   int   of the message as it was announced; `payload` may be cut
        again    bool  the broker says that it has sent it before (DUP)
        """
        if not number and self._count() >= HELD:
            return False
        if number in self._numbers:
            return True  # sent again before we had answered: it is the same one
        known = _Known(number, hash((topic, length, payload)))
        if again and known in self._dealt:
            return False
        self._dealt.pop(known, None)  # another message, in the same words
        if retained:
            # A broker sends what it keeps with each subscription: it is told once.
            mark = hash(payload)
            if self._retained.get(topic) == mark:
                return False
            self._retained[topic] = mark
        flaw = _flaw(payload, length)
        shown = "" if flaw else base64.b64encode(payload).decode()
        fields = {
            "topic": topic,
            "payload": shown,
            "retained": retained,
            "flaw": flaw,
            "again": again,
            "number": number,
        }
        self._waiting[topic].append((known, fields))
        self._bytes += len(shown)
        if number:
            self._numbers.add(number)
        return True

    def give(self, now_ms: int) -> list[dict[str, Any]]:
        """What goes to the door now: the fields of `message`."""
        given = []
        for topic in tuple(self._turns):
            if self._can_give(topic) and self._spend(now_ms):
                self._turns.remove(topic)
                self._turns.append(topic)
                known, fields = self._waiting[topic].popleft()
                self._bytes -= len(fields["payload"])
                self._last_token += 1
                self._with_door[topic] = (self._last_token, known)
                given.append({"token": self._last_token, **fields})
        return given

    def wait_ms(self, now_ms: int) -> int:
        """How long until `give` has something, if nothing else happens."""
        if not any(map(self._can_give, TOPICS)):
            return NEVER_MS
        self._fill(now_ms)
        return max(0, -(-(1000 - self._bucket) // PER_SECOND))

    def heard(self, token: int) -> int:
        """The door has dealt with it: the message id to acknowledge, 0 for none."""
        for topic, (own, known) in self._with_door.items():
            if own == token:
                del self._with_door[topic]
                self._numbers.discard(known.number)
                if known.number:
                    self._dealt.pop(known, None)
                    self._dealt[known] = None
                    if len(self._dealt) > DEALT:
                        del self._dealt[next(iter(self._dealt))]
                return known.number
        return 0

    def lost(self) -> None:
        """The connection is gone: the broker sends again what was not acknowledged."""
        for waiting in self._waiting.values():
            waiting.clear()
        self._bytes = 0
        self._numbers.clear()
        self._with_door = {
            topic: (token, known._replace(number=0))
            for topic, (token, known) in self._with_door.items()
        }

    def _count(self) -> int:
        return len(self._with_door) + sum(map(len, self._waiting.values()))

    def _can_give(self, topic: str) -> bool:
        return bool(self._waiting[topic]) and topic not in self._with_door

    def _fill(self, now_ms: int) -> None:
        since_ms = now_ms - self._filled_ms
        self._filled_ms = now_ms
        self._bucket = min(BURST * 1000, self._bucket + since_ms * PER_SECOND)

    def _spend(self, now_ms: int) -> bool:
        self._fill(now_ms)
        if self._bucket < 1000:
            return False
        self._bucket -= 1000
        return True


def _flaw(payload: bytes, length: int) -> str:
    """Why nobody needs to look at it; "": it looks like a message."""
    if max(length, len(payload)) > PAYLOAD_BYTES:
        return TOO_LONG
    try:
        envelope.read(payload)
    except envelope.Flaw as flaw:
        text = "".join(c for c in str(flaw) if c.isprintable())
        return text[:FLAW_CHARS] or "makes no sense"
    return ""
