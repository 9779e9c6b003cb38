"""A broker in virtual time: sessions, retained topics, last wills, QoS 1, as far as a controller needs them.

One broker, in one building's loop. The controller's link reaches it over a network that can be cut, in
packets (`sim.virtual_socket`); hosts (`Client`) stand beside it and are there whenever it is. Faults, each on
or off by `fail`: down, slow, duplicate, reorder (as MQTT allows it over a reconnect, and as a hostile broker
might), half_open (connections look up and carry nothing), lose_puback (what was taken is not acknowledged:
the connection breaks just before) and forget (at once: sessions, queues and what was retained are gone).

Does not imitate: TLS, who may read or write what, QoS 2, wildcards but a last ``#``.
"""

import random
from collections import deque
from collections.abc import Callable

from firmware.runtime import aio
from sim.virtual_connection import IN_FLIGHT, WAY_MS, Connection, Delivery, Session

DOWN = "down"
SLOW = "slow"
DUPLICATE = "duplicate"
REORDER = "reorder"
HALF_OPEN = "half_open"
LOSE_PUBACK = "lose_puback"
FORGET = "forget"
FAULTS = (DOWN, SLOW, DUPLICATE, REORDER, HALF_OPEN, LOSE_PUBACK, FORGET)

SLOW_MS = 1500  #: one way, while it is slow
SHUFFLE_MS = 400  #: how long a message may be held back while they are out of order
BACK_MS = 50  #: from the broker's return to its hosts'
UNNAMED_MS = 10_000  #: for a client to say who it is
QUEUE_LIMIT = 1000  #: messages that wait for one client, as in mosquitto


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
        self._connections: list[Connection] = []
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
            for connection in list(self._connections):
                self._halve(connection, on)

    def set_network(self, on: bool) -> None:
        """Cut the controller's cable, or mend it."""
        if on == self.network:
            return
        self.network = on
        if not on:
            self._go_down()

    @property
    def reachable(self) -> bool:
        """Whether somebody would take a connection now."""
        return self.network and DOWN not in self.faults and HALF_OPEN not in self.faults

    @property
    def refuses(self) -> bool:
        """Whether a link that connects is refused at once, and not left to wait."""
        return not self.network or DOWN in self.faults

    # ---- links -------------------------------------------------------------------------------------

    def accept(self) -> Connection:
        """A link connects, and has not said who it is."""
        connection = Connection(self)
        self._connections.append(connection)
        return connection

    def attach(
        self,
        connection: Connection,
        name: str,
        clean: bool,
        will: tuple[str, str],
        keepalive_ms: int,
        window: int = IN_FLIGHT,
    ) -> bool:
        """The client is `name`; whether there was a session. One that was connected as `name` is let go.

        clean   bool  forget the session that was
        window  int   how many messages the client takes unacknowledged
        """
        session = self._sessions.get(name)
        known = session is not None and not clean
        if session is not None and session.connection is not None:
            self.break_off(session.connection)
        if session is None or clean:
            session = self._sessions[name] = Session(name)
            self._fits = {}
        connection.session = session
        connection.keepalive_ms = keepalive_ms
        session.connection = connection
        session.will = will
        session.window = window
        self.loop.call_at(self.loop.now_ms(), lambda: self._resume(connection))
        return known

    def subscribe(self, connection: Connection, filters: list[str], kept: bool = True) -> None:
        """A client wants these topics; what is retained there first, if `kept`."""
        session = connection.session
        if session is not None and session.connection is connection:
            self._subscribe(session, filters, kept)
            self._deliver(session)

    def leave(self, connection: Connection) -> None:
        """A client says goodbye: no last will."""
        if connection.alive:
            if connection.session is not None:
                connection.session.will = None
            self.break_off(connection)

    def break_off(self, connection: Connection) -> None:
        """A connection breaks: the broker tells the last will, the other end notices."""
        if not connection.alive:
            return
        connection.alive = False
        self._connections.remove(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            will, session.will = session.will, None
            if will is not None:
                self.route(will[0], will[1], True)
        if connection.on_lost is not None and connection.held is None:
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
        if session is None or session.connection is not connection:
            return
        if session.under_way.pop(number, None) is not None:
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

    def _resume(self, connection: Connection) -> None:
        """What was under way on the connection before is sent once more, under the same ids."""
        session = connection.session
        if session is not None and session.connection is connection:
            for number in session.under_way:
                self._hand_over(connection, session, number, True)
            self._deliver(session)

    def _subscribe(self, session: Session, filters: list[str], kept: bool = True) -> None:
        session.filters = filters
        self._fits = {}
        for topic in sorted(self.retained) if kept else ():
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
        while session.waiting and len(session.under_way) < session.window:
            session.last_id = session.last_id % 65535 + 1
            session.under_way[session.last_id] = session.waiting.popleft()
            self._hand_over(connection, session, session.last_id, False)

    def _hand_over(
        self, connection: Connection, session: Session, number: int, again: bool
    ) -> None:
        topic, payload, retained = session.under_way[number]

        def arrive(again: bool) -> None:
            if connection.on_delivery is not None:
                connection.on_delivery(number, topic, payload, retained, again)

        self._tell(connection, lambda: arrive(again))
        if self._falls(DUPLICATE, 0.5):
            said = self.random.random() < 0.5
            self._tell(connection, lambda: arrive(again or said))

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
        for connection in list(self._connections):
            self.break_off(connection)

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
            if connection.on_silent is not None:
                connection.on_silent()
            # The broker waits between one and one and a half times what the client promised.
            keepalive_ms = connection.keepalive_ms or UNNAMED_MS
            silent_ms = keepalive_ms + self.random.randrange(keepalive_ms // 2)
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
