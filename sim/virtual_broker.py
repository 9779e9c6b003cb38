"""A broker in virtual time: sessions, retained topics, last wills, QoS 1, as far as a controller needs them.

One broker, in one building's loop. The controller's link (`sim.virtual_link`) reaches it over a network that
can be cut; hosts (`Client`) stand beside it and are there whenever it is. Faults, each on or off by `fail`:
down, slow, duplicate, reorder (as MQTT allows it over a reconnect, and as a hostile broker might), half_open
(connections look up and carry nothing), lose_puback (what was taken is not acknowledged: the connection
breaks just before) and forget (at once: sessions, queues and what was retained are gone).

Does not imitate: TLS, who may read or write what, QoS 2, wildcards but a last ``#``.
"""

import random
from collections import deque
from collections.abc import Callable

from firmware.runtime import aio

DOWN = "down"
SLOW = "slow"
DUPLICATE = "duplicate"
REORDER = "reorder"
HALF_OPEN = "half_open"
LOSE_PUBACK = "lose_puback"
FORGET = "forget"
FAULTS = (DOWN, SLOW, DUPLICATE, REORDER, HALF_OPEN, LOSE_PUBACK, FORGET)

WAY_MS = 5  #: from one end of a connection to the other and back
SLOW_MS = 1500  #: one way, while it is slow
SHUFFLE_MS = 400  #: how long a message may be held back while they are out of order
BACK_MS = 50  #: from the broker's return to its hosts'
QUEUE_LIMIT = 1000  #: messages that wait for one client, as in mosquitto
IN_FLIGHT = 16  #: unacknowledged messages on their way to one client

#: (topic, payload, retained)
Delivery = tuple[str, str, bool]


class Session:
    """What the broker keeps of one client: its subscriptions, what waits for it and what is under way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.filters: list[str] = []
        self.waiting: deque[Delivery] = deque()
        #: message id: what was delivered and is not acknowledged
        self.under_way: dict[int, Delivery] = {}
        self.connection: Connection | None = None
        self.host: Client | None = None  # whose it is, if it is a host's
        self.will: tuple[str, str] | None = None
        self.last_id = 0


class Connection:
    """One TCP connection between a link and the broker, as both ends see it: in order, or dead."""

    def __init__(self, broker: "VirtualBroker", session: Session, keepalive_ms: int) -> None:
        self.session = session
        self.keepalive_ms = keepalive_ms
        self.alive = True
        #: callable (message id, topic, payload, retained)  something comes for the client
        self.on_delivery: Callable[[int, str, str, bool], None] | None = None
        #: callable (message id)  the broker has taken what was published with that id
        self.on_puback: Callable[[int], None] | None = None
        #: callable  the client's end has noticed that it is gone
        self.on_lost: Callable[[], None] | None = None
        #: list of what was sent and stands still, while the connection is half open
        self.held: list[Callable[[], None]] | None = None
        self._broker = broker
        self._due_ms = 0

    def publish(self, number: int, topic: str, payload: str, retain: bool) -> None:
        """Client to broker, QoS 1."""
        self.carry(lambda: self._broker.take(self, number, topic, payload, retain), WAY_MS)

    def acknowledge(self, number: int) -> None:
        """Client to broker: a delivery was taken."""
        self.carry(lambda: self._broker.acknowledged(self, number), WAY_MS)

    def carry(self, call: Callable[[], None], way_ms: int, in_order: bool = True) -> None:
        """Have `call` made at the other end."""
        loop = self._broker.loop
        due_ms = loop.now_ms() + way_ms + self._broker.late_ms
        if in_order:
            due_ms = self._due_ms = max(due_ms, self._due_ms)
        loop.call_at(due_ms, lambda: self._arrive(call))

    def _arrive(self, call: Callable[[], None]) -> None:
        if not self.alive:
            return
        if self.held is not None:
            self.held.append(call)
        else:
            call()

    def release(self) -> None:
        """It carries again: what stood still arrives."""
        held, self.held = self.held or [], None
        for call in held:
            self._arrive(call)


class Client:
    """A host beside the broker. Connected whenever the broker is there and `online`; its session is kept."""

    def __init__(
        self, broker: "VirtualBroker", name: str, on_message: Callable[[str, str, bool], None]
    ) -> None:
        self.session = Session(name)
        self.session.host = self
        self.online = True
        self.on_message = on_message
        self._broker = broker
        self._unsent: deque[Delivery] = deque()

    def publish(self, topic: str, payload: str, retain: bool = False) -> None:
        """At QoS 1; waits here until the broker is there."""
        self._unsent.append((topic, payload, retain))
        self.serve()

    def set_online(self, on: bool) -> None:
        """The host goes, or comes back; the broker keeps what comes for it meanwhile."""
        self.online = on
        self.serve()

    def serve(self) -> None:
        """Send and receive what waits, if it can be."""
        if not self.online or DOWN in self._broker.faults:
            return
        while self._unsent:
            self._broker.route(*self._unsent.popleft())
        while self.session.waiting:
            self.on_message(*self.session.waiting.popleft())


class VirtualBroker:
    """One broker.

    loop    Loop
    random  random.Random  how its faults fall
    """

    def __init__(self, loop: aio.Loop, seeded: random.Random | None = None) -> None:
        self.loop = loop
        self.random = seeded or random.Random(0)
        #: bool  the controller's cable is whole
        self.network = True
        #: the faults that are on
        self.faults: set[str] = set()
        #: int  how much longer everything takes, one way
        self.late_ms = 0
        self.retained: dict[str, str] = {}
        #: list of (topic, payload) or None  what links said, where somebody wants to know
        self.said: list[tuple[str, str]] | None = None
        self._sessions: dict[str, Session] = {}
        self._clients: list[Client] = []
        self._fits: dict[str, list[Session]] = {}

    # ---- faults ------------------------------------------------------------------------------------

    def fail(self, fault: str, on: bool) -> None:
        """Switch one of `FAULTS`; the same again does nothing but for `FORGET`, which happens each time."""
        if fault == FORGET:
            if on:
                self._forget()
            return
        if on == (fault in self.faults):
            return
        if on:
            self.faults.add(fault)
        else:
            self.faults.discard(fault)
        self.late_ms = SLOW_MS if SLOW in self.faults else 0
        if fault == DOWN:
            self._go_down() if on else self._come_back()
        elif fault == HALF_OPEN:
            for session in list(self._sessions.values()):
                if session.connection is not None:
                    self._halve(session.connection, on)

    def set_network(self, on: bool) -> None:
        """Cut the controller's cable, or mend it."""
        if on == self.network:
            return
        self.network = on
        if not on:
            for session in list(self._sessions.values()):
                if session.connection is not None:
                    self.break_off(session.connection)

    @property
    def reachable(self) -> bool:
        """Whether somebody would answer a link that connects now."""
        return self.network and DOWN not in self.faults and HALF_OPEN not in self.faults

    @property
    def refuses(self) -> bool:
        """Whether a link that connects is refused at once, and not left to wait."""
        return not self.network or DOWN in self.faults

    # ---- links -------------------------------------------------------------------------------------

    def attach(
        self, name: str, filters: list[str], will: tuple[str, str], keepalive_ms: int
    ) -> Connection:
        """A client connects with a session that is kept; one that was connected as `name` is let go."""
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = Session(name)
        elif session.connection is not None:
            self.break_off(session.connection)
        connection = Connection(self, session, keepalive_ms)
        session.connection = connection
        session.will = will
        self.loop.call_at(self.loop.now_ms(), lambda: self._greet(connection, filters))
        return connection

    def leave(self, connection: Connection) -> None:
        """A client says goodbye: no last will."""
        if connection.alive:
            connection.session.will = None
            connection.on_lost = None
            self.break_off(connection)

    def break_off(self, connection: Connection) -> None:
        """A connection breaks: the broker tells the last will, the other end notices."""
        if not connection.alive:
            return
        connection.alive = False
        session = connection.session
        if session.connection is connection:
            session.connection = None
            again = sorted(session.under_way)
            session.waiting.extendleft(session.under_way[number] for number in reversed(again))
            session.under_way = {}
            will, session.will = session.will, None
            if will is not None:
                self.route(will[0], will[1], True)
        if connection.on_lost is not None:
            self.loop.call_at(self.loop.now_ms(), connection.on_lost)

    def take(
        self, connection: Connection, number: int, topic: str, payload: str, retain: bool
    ) -> None:
        """A link has published something."""
        if self.said is not None:
            self.said.append((topic, payload))
        if self.faults:
            for _ in range(2 if self._falls(DUPLICATE, 0.5) else 1):
                self.route(topic, payload, retain)
            if self._falls(LOSE_PUBACK, 0.3):
                self.break_off(connection)
            else:
                self._tell(connection, lambda: _puback(connection, number))
            return
        self.route(topic, payload, retain)
        _puback(connection, number)

    def acknowledged(self, connection: Connection, number: int) -> None:
        """A link has dealt with a delivery."""
        session = connection.session
        if session.connection is connection and session.under_way.pop(number, None) is not None:
            self._deliver(session)

    # ---- hosts -------------------------------------------------------------------------------------

    def client(self, name: str, topic: str, on_message: Callable[[str, str, bool], None]) -> Client:
        """A host that hears `topic` (a last ``#`` is any), what is retained there first."""
        client = Client(self, name, on_message)
        self._clients.append(client)
        self._sessions[name] = client.session
        self._subscribe(client.session, [topic])
        client.serve()
        return client

    def route(self, topic: str, payload: str, retain: bool) -> None:
        """A message is here: keep it if it is to be retained, give it to whoever subscribed."""
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        fits = self._fits.get(topic)
        if fits is None:
            fits = self._fits[topic] = [
                session for session in self._sessions.values() if _any_fits(session.filters, topic)
            ]
        for session in fits:
            if len(session.waiting) < QUEUE_LIMIT or session.host is not None:
                session.waiting.append((topic, payload, retain))  # as MQTT 5 passes it on
                self._deliver(session)

    def _greet(self, connection: Connection, filters: list[str]) -> None:
        session = connection.session
        if session.connection is connection:
            self._subscribe(session, filters)
            self._deliver(session)

    def _subscribe(self, session: Session, filters: list[str]) -> None:
        session.filters = filters
        self._fits = {}
        for topic in sorted(self.retained):
            if _any_fits(filters, topic):
                session.waiting.append((topic, self.retained[topic], True))

    def _deliver(self, session: Session) -> None:
        """Send what waits for a client, as far as it is there and has room."""
        if session.host is not None:
            self._serve(session.host)
            return
        connection = session.connection
        if connection is None:
            return
        while session.waiting and len(session.under_way) < IN_FLIGHT:
            topic, payload, retained = session.waiting.popleft()
            session.last_id += 1
            session.under_way[session.last_id] = (topic, payload, retained)
            for _ in range(2 if self._falls(DUPLICATE, 0.5) else 1):
                self._hand_over(connection, session.last_id, topic, payload, retained)

    def _hand_over(
        self, connection: Connection, number: int, topic: str, payload: str, retained: bool
    ) -> None:
        def arrive() -> None:
            if connection.on_delivery is not None:
                connection.on_delivery(number, topic, payload, retained)

        self._tell(connection, arrive)

    def _tell(self, connection: Connection, call: Callable[[], None]) -> None:
        """Broker to client."""
        late_ms = self.random.randrange(SHUFFLE_MS) if REORDER in self.faults else 0
        connection.carry(call, WAY_MS + late_ms, not late_ms)

    def _serve(self, host: Client) -> None:
        """Give a host its messages: at once, or as the faults of the moment have it."""
        if not self.faults - {DOWN, HALF_OPEN, LOSE_PUBACK}:
            host.serve()
            return
        now_ms = self.loop.now_ms()
        while host.session.waiting:
            delivery = host.session.waiting.popleft()
            late_ms = self.random.randrange(SHUFFLE_MS) if REORDER in self.faults else 0
            for _ in range(2 if self._falls(DUPLICATE, 0.5) else 1):
                self.loop.call_at(now_ms + self.late_ms + late_ms, _reaching(host, delivery))

    def _falls(self, fault: str, chance: float) -> bool:
        return fault in self.faults and self.random.random() < chance

    def _go_down(self) -> None:
        for session in list(self._sessions.values()):
            if session.connection is not None:
                self.break_off(session.connection)

    def _come_back(self) -> None:
        def serve() -> None:
            for client in self._clients:
                client.serve()

        self.loop.call_at(self.loop.now_ms() + BACK_MS, serve)

    def _forget(self) -> None:
        """It starts again with nothing: hosts are there again at once, links have to come back."""
        self._go_down()
        hosts = [client.session for client in self._clients]
        self._sessions = {session.name: session for session in hosts}
        self.retained = {}
        self._fits = {}
        for session in hosts:
            session.waiting.clear()

    def _halve(self, connection: Connection, on: bool) -> None:
        if not on:
            connection.release()
        elif connection.held is None:
            held = connection.held = []
            # Keep-alive: both ends notice between one and one and a half times its length.
            silent_ms = connection.keepalive_ms + self.random.randrange(
                connection.keepalive_ms // 2
            )
            self.loop.call_at(
                self.loop.now_ms() + silent_ms,
                lambda: self.break_off(connection) if connection.held is held else None,
            )


def _reaching(host: Client, delivery: Delivery) -> Callable[[], None]:
    def reach() -> None:
        host.session.waiting.append(delivery)
        host.serve()

    return reach


def _puback(connection: Connection, number: int) -> None:
    if connection.on_puback is not None:
        connection.on_puback(number)


def _any_fits(filters: list[str], topic: str) -> bool:
    return any(topic.startswith(one[:-1]) if one.endswith("#") else one == topic for one in filters)
