"""Brings what was recorded, and the conditions now, to the broker: at least once, in order.

Decides what leaves next; keeps nothing of its own that a power cut could lose. Events stay in the
journal until the broker has taken them; after a reconnect it begins again from what was not taken, so
an event can leave twice and is never left out. Alarms come first in a backlog: `Journal.pending` sorts.
Retained topics are sent when they change and all again after each reconnect, before the events.

The caller calls `retain` for a condition and `wake` after events were written. Portable.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.runtime.aio import Loop
    from firmware.runtime.ports import Journal, Transport

WINDOW = 32  #: messages on their way at once, events and conditions together
TAKEN_LIMIT = 512  #: events that have left and that the journal still lists
TOPICS_LIMIT = 4096  #: retained topics; a config has far fewer
STALLED_MS = 1000  #: how soon to ask a journal again that is behind


class Outbox:
    """One controller's messages to its broker.

    journal    Journal     where the events are
    transport  Transport   carries them; its two callbacks are taken over
    loop       Loop        whose thread everything happens on
    root       str         what every topic begins with, without the last slash
    """

    def __init__(self, journal: "Journal", transport: "Transport", loop: "Loop", root: str) -> None:
        self._journal = journal
        self._transport = transport
        self._loop = loop
        self._root = root
        self._up = False
        self._dead = False
        # Which connection this is; an answer that was asked for on another one is stale.
        self._connection = 0
        self._topics: list[str] = []  # in the order in which they first came
        self._payloads: dict[str, str] = {}
        self._unsent: list[str] = []  # topics that changed since they were sent
        # Tokens on their way: an event's seq, or for a condition a number below zero.
        self._in_flight: set[int] = set()
        self._last_condition = 0
        self._taken: set[int] = set()  # left, but the journal may still list them
        self._noted: list[int] = []  # taken, and not yet told to the journal
        self._asking = False
        self._ask_again = False
        self._looking_again = False
        #: callable ()  told when the broker has taken something that this connection sent
        self.on_taken: Callable[[], None] | None = None
        transport.on_up = self._on_up
        transport.on_taken = self._on_taken

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

    def kill(self) -> None:
        """Do nothing more, where it stands: a power cut."""
        self._dead = True
        self._up = False

    def _on_up(self, up: bool) -> None:
        if self._dead:
            return
        self._up = up
        self._connection += 1
        self._in_flight.clear()
        if up:
            self._unsent = list(self._topics)
            self._pump()

    def _on_taken(self, token: int) -> None:
        # Only what this connection sent counts: nobody else can make the journal let go of an event.
        if self._dead or token not in self._in_flight:
            return
        self._in_flight.discard(token)
        if self.on_taken is not None:
            self.on_taken()
        if token > 0:
            self._taken.add(token)
            self._noted.append(token)
            if len(self._noted) == 1:  # those that come in the same turn are told together
                self._loop.call_at(self._loop.now_ms(), self._tell_journal)
        if len(self._in_flight) <= WINDOW // 2:  # half a window at a time: fewer questions
            self._pump()

    def _tell_journal(self) -> None:
        if self._dead:
            return
        noted = self._noted
        self._noted = []
        self._journal.sent(noted)

    def _pump(self) -> None:
        self._send_conditions()
        if not self._up or len(self._in_flight) >= WINDOW:
            return
        if self._asking:
            self._ask_again = True
            return
        self._asking = True
        self._ask_again = False
        connection = self._connection
        # So many that a whole window of new ones stands behind those that have left.
        limit = WINDOW + len(self._in_flight) + len(self._taken)
        self._journal.pending(limit, lambda events: self._on_pending(connection, events))

    def _on_pending(self, connection: int, events: "list[tuple[int, str]]") -> None:
        self._asking = False
        if not self._up:
            return
        if connection == self._connection:
            # What the journal lists no longer needs no remembering.
            self._taken = self._taken.intersection([seq for seq, _ in events])
            self._send_events(connection, events)
        else:
            self._ask_again = True
        if self._ask_again and self._up:
            self._pump()

    def _send_events(self, connection: int, events: "list[tuple[int, str]]") -> None:
        for seq, body in events:
            # `send` may find the line broken and say so at once: the connection is then another.
            if connection != self._connection or len(self._in_flight) >= WINDOW:
                return
            if seq in self._in_flight or seq in self._taken:
                continue
            if len(self._taken) + len(self._in_flight) >= TAKEN_LIMIT:
                break
            self._in_flight.add(seq)
            self._transport.send(seq, self._root + "/event", body, False)
        # Nothing to wait for, yet something waits: the journal is behind, or could not read.
        if not self._in_flight and self._journal.waiting() and not self._looking_again:
            self._looking_again = True
            self._loop.call_at(self._loop.now_ms() + STALLED_MS, self._look_again)

    def _look_again(self) -> None:
        self._looking_again = False
        self._pump()

    def _send_conditions(self) -> None:
        while self._up and self._unsent and len(self._in_flight) < WINDOW:
            topic = self._unsent.pop(0)
            self._last_condition -= 1
            self._in_flight.add(self._last_condition)
            self._transport.send(
                self._last_condition, self._root + "/" + topic, self._payloads[topic], True
            )
