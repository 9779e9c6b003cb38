"""What a virtual broker has of one client: its session, and the TCP connection that it lasts longer than."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.virtual_broker import Client, VirtualBroker

WAY_MS = 5  #: from one end of a connection to the other
IN_FLIGHT = 20  #: unacknowledged messages on their way, either way, as in mosquitto

#: (topic, payload, retained)
Delivery = tuple[str, str, bool]
#: (message id, topic, payload, retained, whether it says that it was sent before)
OnDelivery = Callable[[int, str, str, bool, bool], None]


class Session:
    """What the broker keeps of one client: its subscriptions, what waits for it and what is under way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.filters: list[str] = []
        self.waiting: deque[Delivery] = deque()
        #: int  how many the client takes unacknowledged
        self.window = IN_FLIGHT
        #: message id: what was delivered and is not acknowledged
        self.under_way: dict[int, Delivery] = {}
        self.connection: Connection | None = None
        self.host: Client | None = None  # whose it is, if it is a host's
        self.will: tuple[str, str] | None = None
        self.last_id = 0


class Connection:
    """One TCP connection between a link and the broker, as both ends see it: in order, or dead."""

    def __init__(self, broker: "VirtualBroker") -> None:
        self.session: Session | None = None  # once the client has said who it is
        self.keepalive_ms = 0
        self.alive = True
        #: something comes for the client
        self.on_delivery: OnDelivery | None = None
        #: callable (message id)  the broker has taken what was published with that id
        self.on_puback: Callable[[int], None] | None = None
        #: callable  the broker has ended it
        self.on_lost: Callable[[], None] | None = None
        #: callable  it carries nothing any more, and nobody says so
        self.on_silent: Callable[[], None] | None = None
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
