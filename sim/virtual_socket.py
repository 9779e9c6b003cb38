"""The link's end of a connection to a virtual broker: bytes of MQTT, as paho writes and reads them.

What the link sends is cut into packets and carried to `sim.virtual_broker`; what comes back is put into
packets and lies here until it is read. MQTT 3.1.1 and 5, of them what a link uses: CONNECT with a last will,
SUBSCRIBE, PUBLISH and PUBACK at QoS 1, PINGREQ, DISCONNECT (OASIS MQTT 3.1.1 and 5.0, chapter 3). Anything
else is a `ValueError`: the link has no reason to send it.

Does not imitate: a window of TCP that is full, a packet in pieces, UNSUBSCRIBE, QoS 0 and 2.
"""

import errno
import select
import socket
import struct
from collections.abc import Callable

from sim.virtual_broker import VirtualBroker
from sim.virtual_connection import IN_FLIGHT, WAY_MS

CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, 0x20, 0x30, 0x40
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 0x80, 0x90, 0xC0, 0xD0, 0xE0
MQTT_5 = 5
RECEIVE_MAXIMUM = 0x21
#: length of each property that a link sends (MQTT 5, 2.2.2.2)
PROPERTIES = {0x11: 4, RECEIVE_MAXIMUM: 2, 0x27: 4}
DO_NOT_SEND = 2  #: retained messages, at this subscription (MQTT 5, 3.8.3.1)
SILENT_MS = 10_000  #: unless the link says otherwise: so long unanswered, and the kernel gives up


class VirtualSocket:
    """One connected socket, for one paho client.

    fd     int       what it is known by to whoever waits
    nudge  callable  told when there is something to read
    """

    def __init__(self, broker: VirtualBroker, fd: int, nudge: Callable[[], None]) -> None:
        self._broker = broker
        self._fd = fd
        self._nudge = nudge
        self._level = MQTT_5
        self._sent = bytearray()  # of the link's, not yet a whole packet
        self._came = bytearray()
        self._error: int | None = None  # why it ended; 0: the broker closed it
        self._closed = False
        self._leaving = False
        self._silent_ms = SILENT_MS
        self._connection = connection = broker.accept()
        connection.on_delivery = self._delivered
        connection.on_puback = lambda number: self._say(PUBACK, struct.pack("!H", number))
        connection.on_lost = lambda: self._end(0)
        connection.on_silent = self._fall_silent

    # ---- what a socket is -----------------------------------------------------------------------------

    def fileno(self) -> int:
        """What it is known by; -1 once it is closed."""
        return -1 if self._closed else self._fd

    def setblocking(self, on: bool) -> None:
        """It never blocks."""

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Of all options it is how long the kernel waits for an answer that counts."""
        if (level, option) == (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT):
            self._silent_ms = value

    def recv(self, most: int) -> bytes:
        """What has come; nothing more, ever: b"". Raises BlockingIOError, OSError."""
        if self._came:
            data = bytes(self._came[:most])
            del self._came[:most]
            return data
        if self._error is None:
            raise BlockingIOError
        if self._error:
            raise OSError(self._error, "timed out")
        return b""

    def send(self, data: bytes | bytearray) -> int:
        """Take all of it. Raises OSError once the broker has gone."""
        if self._error is not None:
            raise BrokenPipeError(errno.EPIPE, "broken pipe")
        # Carried outside of the link's turn, as a kernel does.
        if not self._sent:
            loop = self._broker.loop
            loop.call_at(loop.now_ms(), self._carry)
        self._sent += data
        return len(data)

    def close(self) -> None:
        """The broker hears of it, if it hears anything."""
        if self._closed:
            return
        self._closed = True
        connection = self._connection
        connection.on_delivery = connection.on_puback = connection.on_lost = None
        self._broker.loop.call_at(self._broker.loop.now_ms(), self._gone)

    def ready(self, events: int) -> int:
        """Which of `events` (of `select.poll`) there are."""
        there = select.POLLOUT
        if self._came or self._error is not None:
            there |= select.POLLIN
        return events & there

    # ---- what the link sends --------------------------------------------------------------------------

    def _gone(self) -> None:
        if self._connection.held is None and not self._leaving:
            self._broker.break_off(self._connection)

    def _carry(self) -> None:
        while (packet := self._cut()) is not None:
            self._packet(*packet)

    def _cut(self) -> tuple[int, bytes] | None:
        """The next whole packet: its first byte, and what follows its length."""
        length, at = 0, 1
        while True:
            if at >= len(self._sent):
                return None
            length |= (self._sent[at] & 0x7F) << 7 * (at - 1)
            at += 1
            if not self._sent[at - 1] & 0x80:
                break
        if len(self._sent) < at + length:
            return None
        first, body = self._sent[0], bytes(self._sent[at : at + length])
        del self._sent[: at + length]
        return first, body

    def _packet(self, first: int, body: bytes) -> None:
        kind, connection = first & 0xF0, self._connection
        reader = _Reader(body)
        if kind == PUBLISH:
            topic, number = reader.text(), reader.number()
            self._properties(reader)
            connection.publish(number, topic, reader.rest().decode(), bool(first & 1))
        elif kind == PUBACK:
            connection.acknowledge(reader.number())
        elif kind == PINGREQ:
            connection.carry(lambda: connection.carry(lambda: self._say(PINGRESP), WAY_MS), WAY_MS)
        elif kind == SUBSCRIBE:
            self._subscribe(reader)
        elif kind == CONNECT:
            self._connect(reader)
        elif kind == DISCONNECT:
            self._leaving = True
            connection.carry(lambda: self._broker.leave(connection), WAY_MS)
        else:
            raise ValueError(f"a packet {first:#x} of a link; expected one that a link sends")

    def _connect(self, reader: "_Reader") -> None:
        reader.text()  # MQTT
        self._level, flags = reader.byte(), reader.byte()
        keepalive_ms = reader.number() * 1000
        window = self._properties(reader).get(RECEIVE_MAXIMUM, IN_FLIGHT)
        name = reader.text()
        self._properties(reader)  # of the last will
        will = (reader.text(), reader.text())
        connection, clean = self._connection, bool(flags & 2)

        def arrive() -> None:
            known = self._broker.attach(connection, name, clean, will, keepalive_ms, window)
            limit = struct.pack("!BH", RECEIVE_MAXIMUM, IN_FLIGHT)
            given = bytes([len(limit)]) + limit if self._level == MQTT_5 else b""
            connection.carry(lambda: self._say(CONNACK, bytes([known, 0]) + given), WAY_MS)

        connection.carry(arrive, WAY_MS)

    def _subscribe(self, reader: "_Reader") -> None:
        number = reader.number()
        self._properties(reader)
        filters, kept = [], True
        while not reader.ended:
            filters.append(reader.text())
            kept = reader.byte() >> 4 & 3 != DO_NOT_SEND
        connection = self._connection
        granted = struct.pack("!H", number) + self._no_properties() + b"\1" * len(filters)

        def arrive() -> None:
            connection.carry(lambda: self._say(SUBACK, granted), WAY_MS)
            self._broker.subscribe(connection, filters, kept)

        connection.carry(arrive, WAY_MS)

    def _properties(self, reader: "_Reader") -> dict[int, int]:
        """Those that stand here, MQTT 5 only."""
        found: dict[int, int] = {}
        if self._level != MQTT_5:
            return found
        inner = _Reader(reader.take(reader.byte()))
        while not inner.ended:
            name = inner.byte()
            found[name] = int.from_bytes(inner.take(PROPERTIES[name]), "big")
        return found

    def _no_properties(self) -> bytes:
        return b"\0" if self._level == MQTT_5 else b""

    # ---- what comes for it ----------------------------------------------------------------------------

    def _delivered(
        self, number: int, topic: str, payload: str, retained: bool, again: bool
    ) -> None:
        head = topic.encode()
        head = struct.pack("!H", len(head)) + head + struct.pack("!H", number)
        first = PUBLISH | again << 3 | 2 | retained
        self._say(first, head + self._no_properties() + payload.encode("utf-8", "surrogateescape"))

    def _say(self, first: int, body: bytes = b"") -> None:
        """A packet has come for the link."""
        if self._closed:
            return
        self._came.append(first)
        length = len(body)
        while length > 0x7F:
            self._came.append(length & 0x7F | 0x80)
            length >>= 7
        self._came.append(length)
        self._came += body
        self._nudge()

    def _end(self, error: int) -> None:
        if not self._closed and self._error is None:
            self._error = error
            self._nudge()

    def _fall_silent(self) -> None:
        """Nothing is answered any more: the kernel's probes find that out."""
        held = self._connection.held
        loop = self._broker.loop
        loop.call_at(
            loop.now_ms() + self._silent_ms,
            lambda: self._end(errno.ETIMEDOUT) if self._connection.held is held else None,
        )


class _Reader:
    """Reads one packet."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._data)

    def take(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def text(self) -> str:
        return self.take(self.number()).decode()

    def rest(self) -> bytes:
        return self._data[self._at :]
