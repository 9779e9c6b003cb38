"""Brings what was recorded, and the conditions now, to the broker: at least once, in order.

Decides what leaves next; keeps nothing of its own that a power cut could lose. After a reconnect it begins
again from what the broker has not taken, so an event can leave twice and is never left out. Alarms come
first in a backlog: the journal sorts. Retained topics are sent when they change and all again after each
reconnect, before the events.

What the broker takes has left, or with `host_ack` waits for the host's word (`Journal.stored`). A broker can
lose it, so it is sent again, alarms first, behind everything else: after each reconnect, and while the host
is silent after `AGAIN_MS`, then twice as long, up to `AGAIN_MAX_MS`. Such a round sends
`AGAIN_WINDOW` events, and as many each time the host's word goes on: a host that never says one costs no more
than that. Behind that again goes what somebody asked for (`firmware.runtime.ranges`).

The caller calls `retain` for a condition; the journal calls `wake` after events were written. Portable.
"""

from firmware.runtime.ranges import Ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.runtime.aio import Loop, Timer
    from firmware.runtime.ports import Journal, Transport

WINDOW = 256  #: messages on their way at once, events and conditions together
LOW_WINDOW = 64  #: of those, events that are sent again or were asked for
AGAIN_WINDOW = 256  #: events that are sent again before the host's word has to go on
AGAIN_MS = 10000  #: without the host's word, then they are sent again; doubled each time
AGAIN_MAX_MS = 600000
TOPICS_LIMIT = 4096  #: retained topics; a config has far fewer
STALLED_MS = 1000  #: how soon to ask a journal again that is behind

# A round of sending again: none, begins, goes on, waits for the host's word to go further.
_NONE, _BEGINS, _GOES_ON, _WAITS = 0, 1, 2, 3


class Outbox:
    """One controller's messages to its broker.

    journal    Journal     where the events are; ``on_stored`` and ``on_more`` are taken over
    transport  Transport   carries them; its two callbacks are taken over
    loop       Loop        whose thread everything happens on
    root       str         what every topic begins with, without the last slash
    host_ack   bool        an event has left at the host's word, not at the broker's
    """

    def __init__(
        self,
        journal: "Journal",
        transport: "Transport",
        loop: "Loop",
        root: str,
        host_ack: bool = False,
    ) -> None:
        self._journal = journal
        self._transport = transport
        self._loop = loop
        self._root = root
        self._host_ack = host_ack
        self._up = False
        self._dead = False
        # Which connection this is; an answer that was asked for on another one is stale.
        self._connection = 0
        self._topics: list[str] = []  # in the order in which they first came
        self._payloads: dict[str, str] = {}
        self._unsent: list[str] = []  # topics that changed since they were sent
        # What is on its way -> the token to note when it is taken, 0: none. The first is that token for
        # an event that leaves for the first time, a number below zero for everything else.
        self._in_flight: dict[int, int] = {}
        self._last_number = 0
        self._low: set[int] = set()  # of these, what is sent again or was asked for
        self._noted: list[int] = []  # taken, and not yet told to the journal
        self._begin = True  # ask the journal from the front
        self._drained = False  # the journal has handed out all there was
        self._asking = False
        self._ask_again = False
        self._looking_again = False
        self._round = _NONE
        self._resent: set[int] = set()  # of what the journal listed last
        self._queue: list[tuple[int, str]] = []  # to be sent again as soon as there is room
        self._ranges = Ranges()
        self._asking_low = False
        self._again_ms = AGAIN_MS
        self._again_timer: Timer | None = None
        #: callable ()  told when the broker has taken something that this connection sent
        self.on_taken: Callable[[], None] | None = None
        transport.on_up = self._on_up
        transport.on_taken = self._on_taken
        journal.on_stored = self._on_stored
        journal.on_more = self.wake

    @property
    def up(self) -> bool:
        """Whether the broker is there."""
        return self._up

    def retain(self, topic: str, payload: str) -> bool:
        """Keep `payload` as the condition of `topic`; False where there are too many topics.

        Sent now or with the next connection, unless it is what was said last.
        """
        if self._payloads.get(topic) == payload:
            return True
        if topic not in self._payloads:
            if len(self._topics) >= TOPICS_LIMIT:
                return False
            self._topics.append(topic)
        self._payloads[topic] = payload
        if topic not in self._unsent:
            self._unsent.append(topic)
        self._send_conditions()
        return True

    def wake(self) -> None:
        """Events were written: let them leave."""
        self._pump()

    def replay(self, from_seq: int, to_seq: int) -> "tuple[int, int] | None":
        """Send what is there of a range once more, behind everything else; from where to where that is.

        (0, 0): nothing. None: `RANGES_LIMIT` others are still to be sent. In order, one range after
        another, over reconnects, until the broker has it; a restart forgets it.
        """
        first = max(from_seq, self._journal.first(), 1)
        last = min(to_seq, self._journal.count())
        if first > last:
            return 0, 0
        if not self._ranges.add(first, last):
            return None
        self._pump()
        return first, last

    def kill(self) -> None:
        """Do nothing more, where it stands: a power cut."""
        self._dead = True
        self._up = False

    def _on_up(self, up: bool) -> None:
        if self._dead:
            return
        self._tell_journal()
        self._up = up
        self._connection += 1
        self._in_flight.clear()
        self._low.clear()
        self._queue = []
        self._ranges.begin_again()
        self._drained = False
        self._begin = True
        self._round = _NONE
        if up:
            self._unsent = list(self._topics)
            self._round = _BEGINS if self._journal.held() else _NONE
            self._wait_for_host()
            self._pump()

    def _on_taken(self, number: int) -> None:
        # Only what this connection sent counts: nobody else can make the journal let go of an event.
        if self._dead or number not in self._in_flight:
            return
        token = self._in_flight.pop(number)
        self._low.discard(number)
        self._ranges.taken(number)
        if self.on_taken is not None:
            self.on_taken()
        if token:
            self._noted.append(token)
            if len(self._noted) == 1:  # those that come in the same turn are told together
                self._loop.call_at(self._loop.now_ms(), self._tell_journal)
        # Half a window at a time, and not while there is nothing: fewer questions.
        if self._drained:
            if not self._in_flight:
                self._pump()
            elif len(self._low) <= LOW_WINDOW // 2:
                self._send_conditions()
                self._pump_low()
        elif len(self._in_flight) <= WINDOW // 2:
            self._pump()

    def _tell_journal(self) -> None:
        if self._dead or not self._noted:
            return
        noted = self._noted
        self._noted = []
        if self._host_ack:
            self._journal.taken(noted)
            self._wait_for_host()
        else:
            self._journal.sent(noted)

    # ---- what leaves for the first time ------------------------------------------------------------

    def _pump(self) -> None:
        self._send_conditions()
        room = WINDOW - len(self._in_flight)
        if not self._up or room <= 0:
            return
        if self._asking:
            self._ask_again = True
            return
        self._asking = True
        self._ask_again = False
        connection = self._connection
        begin = self._begin
        self._begin = False
        self._journal.onward(room, begin, lambda events: self._on_pending(connection, room, events))

    def _on_pending(self, connection: int, room: int, events: "list[tuple[int, str]]") -> None:
        self._asking = False
        if not self._up:
            return
        if connection == self._connection:
            for token, body in events:
                # `send` may find the line broken and say so at once: the connection is then another.
                if connection == self._connection:
                    self._in_flight[token] = token
                    self._transport.send(token, self._root + "/event", body, False)
            self._drained = connection == self._connection and len(events) < room
            if self._drained:
                self._pump_low()
                self._look_for_more(bool(events))
        else:
            self._ask_again = True
        if self._ask_again and self._up:
            self._pump()

    def _look_for_more(self, found: bool) -> None:
        """Nothing to wait for, yet something waits: the journal is behind, or could not read."""
        if not found and not self._in_flight and self._journal.waiting() > self._journal.held():
            self._look_later()

    def _look_later(self) -> None:
        if not self._looking_again:
            self._looking_again = True
            self._loop.call_at(self._loop.now_ms() + STALLED_MS, self._look_again)

    def _look_again(self) -> None:
        self._looking_again = False
        self._begin = self._begin or not self._in_flight
        self._pump()

    def _send_conditions(self) -> None:
        while self._up and self._unsent and len(self._in_flight) < WINDOW:
            topic = self._unsent.pop(0)
            self._send(0, topic, self._payloads[topic], True)

    def _send(self, token: int, topic: str, payload: str, retain: bool) -> int:
        self._last_number -= 1
        self._in_flight[self._last_number] = token
        self._transport.send(self._last_number, self._root + "/" + topic, payload, retain)
        return self._last_number

    # ---- what leaves once more ---------------------------------------------------------------------

    def _pump_low(self) -> None:
        """Nothing leaves for the first time just now: send what is to be sent once more."""
        if not self._up:
            return
        connection = self._connection
        while self._queue and self._room_low() > 0:
            token, body = self._queue.pop(0)
            self._send_low(0 if self._host_ack else token, body)
            if connection != self._connection:
                return
        if self._queue or self._asking_low or self._room_low() <= 0:
            return
        if self._round in (_BEGINS, _GOES_ON):
            begin = self._round == _BEGINS
            self._asking_low = True
            self._journal.again(
                AGAIN_WINDOW, begin, lambda events: self._on_again(connection, events)
            )
            return
        asked = self._ranges.ask()
        if asked is not None:
            first, last = asked
            self._asking_low = True
            self._journal.between(
                first,
                last,
                self._room_low(),
                lambda events: self._on_between(connection, first, last, events),
            )

    def _room_low(self) -> int:
        return min(LOW_WINDOW - len(self._low), WINDOW - len(self._in_flight))

    def _send_low(self, token: int, body: str, asked_seq: int = 0) -> None:
        connection = self._connection
        number = self._send(token, "event", body, False)
        if connection == self._connection:
            self._low.add(number)
            if asked_seq:
                self._ranges.sent(number, asked_seq)

    def _on_again(self, connection: int, events: "list[tuple[int, str]]") -> None:
        self._asking_low = False
        if connection != self._connection:
            self._pump()
            return
        if self._round == _BEGINS:
            self._resent = set()
        new = [event for event in events if event[0] not in self._resent]
        self._resent = {token for token, _ in events}
        self._queue += new
        self._round = _WAITS if events else _NONE
        self._pump_low()

    def _on_between(
        self, connection: int, first: int, last: int, events: "list[tuple[int, str]]"
    ) -> None:
        self._asking_low = False
        if connection != self._connection:
            self._pump()
            return
        for seq, body in events:
            if connection == self._connection:
                self._send_low(0, body, seq)
        if not events and (self._journal.first() > last or self._journal.count() < first):
            self._ranges.skip(last)
            self._pump_low()
        elif not events:
            self._look_later()  # they are there, and could not be read

    def _on_stored(self) -> None:
        if self._dead:
            return
        self._again_ms = AGAIN_MS
        if self._again_timer is not None:
            self._again_timer.cancel()
            self._again_timer = None
        self._wait_for_host()
        if self._round == _WAITS:
            self._round = _GOES_ON
            self._pump()

    def _wait_for_host(self) -> None:
        """See that the host's word is missed, while something waits for it."""
        if self._again_timer is None and self._journal.held():
            due_ms = self._loop.now_ms() + self._again_ms
            self._again_timer = self._loop.call_at(due_ms, self._host_is_silent)

    def _host_is_silent(self) -> None:
        self._again_timer = None
        if self._dead or not self._up or not self._journal.held():
            return
        self._again_ms = min(self._again_ms * 2, AGAIN_MAX_MS)
        self._wait_for_host()
        if not self._queue and not self._asking_low:
            self._round = _BEGINS
            self._pump()
