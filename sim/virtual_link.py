"""The controller's link in virtual time, over a virtual broker: what `firmware.services.link` is in life.

Connects, and again after a loss when the firmware's own back-off says so; keeps its session; hands one
message of a topic at a time to the door and acknowledges it to the broker only when the door has heard it.
Holds no more than the broker sends unacknowledged.

Does not imitate: the channel between the two processes, which is never full here.
"""

import random
from collections import deque
from typing import Any

from firmware.runtime import aio, ports
from firmware.services.back_off import BackOff
from sim.virtual_broker import Connection, VirtualBroker

CONNECT_MS = 15  #: TCP, CONNECT and SUBSCRIBE on a quick network
RESTART_MS = 1000  #: until a link process that died is there again
TOPICS = ("command", "stored")


class VirtualLink(ports.Transport):
    """Port `Transport`: one start of the link's process.

    link  dict  the section [link] of a board config
    root  str   what topics begin with
    name  str   client id
    will  str   payload of the topic `status` when we are gone
    """

    def __init__(
        self,
        loop: aio.Loop,
        broker: VirtualBroker,
        link: dict[str, Any],
        root: str,
        name: str,
        will: str,
        seeded: random.Random,
    ) -> None:
        self._loop = loop
        self._broker = broker
        self._root = root
        self._name = name
        self._will = (root + "/status", will)
        self._back_off = BackOff(link["reconnect_max_ms"], seeded.random)
        self._keepalive_ms = link["keepalive_s"] * 1000
        self._connection: Connection | None = None
        self._try = 0  # which attempt is under way; what belongs to an older one is stale
        self._began_ms = 0  # the attempt, or the connection
        self._running = False
        self._under_way: dict[int, int] = {}  # message id -> token
        self._last_id = 0
        self._waiting: dict[str, deque[tuple[int, ports.Message]]] = {}
        #: topic: token of the message that is with the door, and the broker's id of it (0: of another
        #: connection, nobody asks)
        self._with_door: dict[str, tuple[int, int]] = {}
        self._last_token = 0

    def start(self) -> None:
        """Begin to connect."""
        self._running = True
        self._connect()

    def stop(self) -> None:
        """Publish `offline`, and say goodbye."""
        self._running = False
        if self._connection is not None:
            self._broker.route(self._will[0], self._will[1], True)
            self._broker.leave(self._connection)
        self._drop()

    def kill(self) -> None:
        """The box has no power, or its process died: gone without a word, and nobody is told."""
        self._running = False
        self.on_up = self.on_taken = self.on_message = None
        connection = self._connection
        self._drop()
        if connection is not None:
            connection.on_lost = None
            self._broker.break_off(connection)

    def crash(self) -> None:
        """The link's process dies; the door's starts it again."""
        if not self._running:
            return
        connection = self._connection
        self._drop()
        if connection is not None:
            connection.on_lost = None
            self._broker.break_off(connection)
            self._tell_up(False)
        self._later(RESTART_MS)

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """See `ports.Transport.send`."""
        if self._connection is not None:
            self._last_id += 1
            self._under_way[self._last_id] = token
            self._connection.publish(self._last_id, topic, payload, retain)

    def heard(self, token: int) -> None:
        """See `ports.Transport.heard`."""
        for topic, (held, number) in self._with_door.items():
            if held == token:
                del self._with_door[topic]
                if number and self._connection is not None:
                    self._connection.acknowledge(number)
                self._hand_over(topic)
                return

    # ---- connecting --------------------------------------------------------------------------------

    def _connect(self) -> None:
        if not self._running or self._connection is not None:
            return
        self._try += 1
        attempt = self._try
        now_ms = self._began_ms = self._loop.now_ms()
        if self._broker.refuses:
            self._again()
            return
        wait_ms = self._back_off.connect_ms(now_ms)  # for an answer that may never come
        if self._broker.reachable:
            wait_ms = CONNECT_MS + 2 * self._broker.late_ms
        self._loop.call_at(now_ms + wait_ms, lambda: self._answered(attempt))

    def _answered(self, attempt: int) -> None:
        if attempt != self._try or not self._running or self._connection is not None:
            return
        if not self._broker.reachable:
            self._again()
            return
        self._began_ms = self._loop.now_ms()
        filters = [self._root + "/" + topic for topic in TOPICS]
        connection = self._broker.attach(self._name, filters, self._will, self._keepalive_ms)
        connection.on_puback = self._taken
        connection.on_delivery = self._delivered
        connection.on_lost = lambda: self._lost(connection)
        self._connection = connection
        self._tell_up(True)

    def _again(self) -> None:
        """Try again after an attempt that found nobody."""
        self._later(self._back_off.pause_ms(self._began_ms, self._loop.now_ms()))

    def _later(self, ms: int) -> None:
        self._try += 1
        attempt = self._try
        self._loop.call_at(
            self._loop.now_ms() + ms, lambda: self._connect() if attempt == self._try else None
        )

    def _lost(self, connection: Connection) -> None:
        if connection is self._connection:
            self._drop()
            self._tell_up(False)
            if self._running:
                now_ms = self._loop.now_ms()
                self._back_off.held(self._began_ms, now_ms)
                self._began_ms = now_ms
                self._again()

    def _drop(self) -> None:
        """What was under way on this connection is nobody's any more."""
        self._connection = None
        self._try += 1
        self._under_way = {}
        self._waiting = {}
        self._with_door = {topic: (held[0], 0) for topic, held in self._with_door.items()}

    def _tell_up(self, up: bool) -> None:
        if self.on_up is not None:
            self.on_up(up)

    # ---- what comes --------------------------------------------------------------------------------

    def _taken(self, number: int) -> None:
        token = self._under_way.pop(number, 0)
        if token and self.on_taken is not None:
            self.on_taken(token)

    def _delivered(self, number: int, topic: str, payload: str, retained: bool) -> None:
        short = topic[len(self._root) + 1 :]
        self._last_token += 1
        message = ports.Message(
            self._last_token, short, payload.encode("utf-8", "surrogateescape"), retained
        )
        self._waiting.setdefault(short, deque()).append((number, message))
        self._hand_over(short)

    def _hand_over(self, topic: str) -> None:
        """Give the door the next message of a topic, if it has none of it."""
        waiting = self._waiting.get(topic)
        if not waiting or topic in self._with_door:
            return
        number, message = waiting.popleft()
        if self.on_message is None:  # nobody listens: as if it had been heard
            if self._connection is not None:
                self._connection.acknowledge(number)
            self._hand_over(topic)
            return
        self._with_door[topic] = (message.token, number)
        self.on_message(message)
