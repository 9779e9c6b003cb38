"""The controller's link in virtual time: the firmware's own, both processes of it, over a virtual broker.

The door's side is `firmware.services.link.Link`, the other process's what it does (`link_turns`), paho
included, with time, sockets and the channel between the two from here.

Does not imitate: TLS, a name server, the other process's memory limit.
"""

import itertools
import random
from collections.abc import Callable
from typing import Any

from paho.mqtt import client as paho

from firmware.runtime import aio
from firmware.services.link import STOP_MS, Link
from firmware.services.link_broken import Broken
from firmware.services.link_channel import Ended
from firmware.services.link_connection import Connection
from firmware.services.link_net import Net
from firmware.services.link_records import READ_BYTES
from firmware.services.link_turns import LinkTurns, Opening, Wait
from sim.virtual_broker import VirtualBroker
from sim.virtual_channel import End, pair
from sim.virtual_connection import WAY_MS
from sim.virtual_socket import VirtualSocket

#: in one millisecond; a link that takes more waits for nothing and would go on for ever
TURNS = 10_000


class VirtualLink(Link):
    """See `Link`; here the other process is a `Process` of the simulator's.

    broker  VirtualBroker  where it connects, whatever host `link` names
    seeded  random.Random  how long it waits between two attempts
    """

    def __init__(
        self,
        link: dict[str, Any],
        site: str,
        controller: str,
        loop: aio.Loop,
        will_payload: str,
        broker: VirtualBroker,
        seeded: random.Random,
    ) -> None:
        super().__init__(link, site, controller, loop, will_payload)
        self._broker = broker
        self._random = seeded
        self._process: Process | None = None

    def crash(self) -> None:
        """The other process dies; the door starts it again."""
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        """The door process hangs: it neither reads nor sends."""
        if self._channel is not None:
            self._loop.waiter.remove_reader(self._channel.fileno())
        self._wanted = self._up = False

    def _begin(self) -> None:
        ours, theirs = pair(self._loop)
        self._process = Process(self._loop, self._broker, theirs, self._random)
        channel: Any = ours
        self._attach(channel)

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _finish(self, channel: Any) -> None:
        """Virtual time does not pass in a call: the other process says goodbye after we have gone."""
        channel.sendall(self._out)
        self._loop.waiter.remove_reader(channel.fileno())
        if self._process is not None:
            self._loop.call_at(self._loop.now_ms() + STOP_MS, self._process.kill)
        self._channel = self._process = None


class Process:
    """The link's process: its turns, each as soon as there is a reason for it.

    door  End  its end of the channel
    """

    def __init__(
        self, loop: aio.Loop, broker: VirtualBroker, door: End, seeded: random.Random
    ) -> None:
        self._loop = loop
        self._broker = broker
        self._door = door
        self._net = _VirtualNet(loop, broker, seeded, self._look)
        self._turns = LinkTurns(self._net, door.sendall, _nothing)
        self._course = self._turns.course()
        self._wanted: Wait | None = None  # what it waits for
        self._timer: aio.Timer | None = None
        self._turned = (0, 0)  # when last, and how often then
        door.on_change = self._look
        self._go(lambda: next(self._course))

    def kill(self) -> None:
        """It is gone, and its sockets with it."""
        if self._timer is not None:
            self._timer.cancel()
        self._wanted = None
        self._course.close()
        self._door.close()

    def _go(self, turn: Callable[[], Opening | Wait]) -> None:
        now_ms, turns = self._loop.now_ms(), 0
        if self._turned[0] == now_ms:
            turns = self._turned[1] + 1
        self._turned = (now_ms, turns)
        if turns > TURNS:
            raise RuntimeError(f"link: {turns} turns at {now_ms} ms; expected it to wait")
        before = paho.time_func
        paho.time_func = self._net.now_s
        try:
            wanted = turn()
        except (Ended, OSError):  # an OSError: the door has gone
            self.kill()
            return
        finally:
            paho.time_func = before
        if isinstance(wanted, Opening):
            self._dial(wanted.connection)
        else:
            self._wait(wanted)

    def _wait(self, wanted: Wait) -> None:
        self._wanted = wanted
        self._timer = self._loop.call_at(self._loop.now_ms() + wanted.ms, self._turn)
        self._look()

    def _look(self) -> None:
        """Something may be there that it waits for."""
        wanted, timer = self._wanted, self._timer
        if wanted is None or timer is None or self._door.full:
            return
        if self._door.readable or self._net.ready(wanted.fd, wanted.events):
            timer.cancel()
            self._timer = self._loop.call_at(self._loop.now_ms(), self._turn)

    def _turn(self) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        if self._door.full:
            self._timer = self._loop.call_at(self._loop.now_ms() + 1000, self._turn)
            return
        self._wanted = None
        if self._door.readable:
            said = self._door.recv(READ_BYTES)
            if not said:
                self.kill()
                return
            self._turns.hear(said)
        ready = self._net.ready(wanted.fd, wanted.events)
        self._go(lambda: self._course.send(ready))

    def _dial(self, connection: Connection) -> None:
        """Open it, after the time that takes: for a network that swallows everything, all there is."""
        took_ms = 0 if self._broker.refuses else 2 * WAY_MS
        if not self._broker.refuses and not self._broker.reachable:
            took_ms = connection.connect_ms
        self._timer = self._loop.call_at(
            self._loop.now_ms() + took_ms, lambda: self._go(lambda: self._opened(connection))
        )

    def _opened(self, connection: Connection) -> Opening | Wait:
        try:
            connection.open()
        except Broken as broken:
            return self._course.throw(broken)
        return self._course.send(0)


class _VirtualNet(Net):
    """Virtual time, and sockets to a virtual broker."""

    def __init__(
        self,
        loop: aio.Loop,
        broker: VirtualBroker,
        seeded: random.Random,
        nudge: Callable[[], None],
    ) -> None:
        self.chance = seeded.random
        self._loop = loop
        self._broker = broker
        self._nudge = nudge
        self._numbers = itertools.count(3)
        self._socket: VirtualSocket | None = None  # the last one

    def now_ms(self) -> int:
        """Virtual milliseconds."""
        return self._loop.now_ms()

    def now_s(self) -> float:
        """The same for paho."""
        return self._loop.now_ms() / 1000

    def dial(self, address: tuple[str, int], wait_s: float) -> VirtualSocket:
        """See `Net.dial`; the time that it takes has passed."""
        if self._broker.refuses:
            raise ConnectionRefusedError
        if not self._broker.reachable:
            raise TimeoutError
        self._socket = VirtualSocket(self._broker, next(self._numbers), self._nudge)
        return self._socket

    def ready(self, fd: int, events: int) -> int:
        """Which of `events` there are at `fd`."""
        one = self._socket
        return one.ready(events) if one is not None and fd >= 0 and one.fileno() == fd else 0


def _nothing(link: dict[str, Any]) -> None:
    """Nothing to keep out of memory here."""
