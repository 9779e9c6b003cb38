"""The cable between controller and broker, which can be cut.

A TCP forwarder on loopback, in one thread of its own. Cut, it resets what was connected and refuses what
wants to connect, as a network does whose switch has lost power; it does not imitate packets that are
lost or late, or a peer that silently stays away.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Callable

READ_BYTES = 65_536
CONNECT_S = 5.0  #: for the broker to accept


class _Pipe:
    """One end of a forwarded connection, and what waits to be sent to it."""

    def __init__(self, plug: socket.socket) -> None:
        self.plug = plug
        self.other: _Pipe = self
        self.waiting = bytearray()
        self.ended = False  # what came from the other side has ended


class Cable:
    """From a port of ours, chosen by the system, to `host` and `port`; `held` until `restore`."""

    def __init__(self, host: str, port: int, held: bool = False) -> None:
        self._target = (host, port)
        # Bound and never listening: holds the port while the cable is cut, so that it is refused.
        self._holder = _bound(("127.0.0.1", 0))
        #: int  where the controller connects
        self.port: int = self._holder.getsockname()[1]
        self._listener: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._pipes: set[_Pipe] = set()
        self._orders: list[Callable[[], None]] = []
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, self._obey)
        self._running = True
        if not held:
            self._mend()
        self._thread = threading.Thread(target=self._run, name="cable", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Reset every connection and refuse new ones; returns when that is so."""
        self._order(self._sever)

    def hold(self) -> None:
        """Refuse new connections; those that stand go on."""
        self._order(self._refuse)

    def restore(self) -> None:
        """Carry again; returns when it does."""
        self._order(self._mend)

    def close(self) -> None:
        """Cut it for good and end its thread."""
        if self._running:
            self._order(self._stop)
            self._thread.join()

    def _order(self, call: Callable[[], None]) -> None:
        """Have the cable's thread do it, and wait until it has."""
        if not self._running:
            return
        done = threading.Event()

        def ordered() -> None:
            call()
            done.set()

        self._orders.append(ordered)
        self._wake.send(b"!")
        done.wait()

    def _run(self) -> None:
        while self._running:
            for key, ready in self._selector.select():
                if key.fileobj.fileno() != -1:  # type: ignore[union-attr]  # closed by one before it
                    key.data(ready)
        self._selector.close()
        for plug in (self._wake, self._woken, self._holder):
            plug.close()

    def _obey(self, ready: int) -> None:
        self._woken.recv(READ_BYTES)
        while self._orders:
            self._orders.pop(0)()

    def _mend(self) -> None:
        if self._listener is None:
            self._listener = _bound(("127.0.0.1", self.port))
            self._listener.listen(64)
            self._listener.setblocking(False)
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _refuse(self) -> None:
        if self._listener is not None:
            # Those that wait to be accepted are reset by closing it.
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _sever(self) -> None:
        self._refuse()
        for pipe in list(self._pipes):
            self._drop(pipe)

    def _stop(self) -> None:
        self._sever()
        self._running = False

    def _accept(self, ready: int) -> None:
        assert self._listener is not None
        try:
            near, _ = self._listener.accept()
        except OSError:
            return  # it has gone again
        try:
            far = socket.create_connection(self._target, CONNECT_S)
        except OSError:
            _reset(near)
            return
        ends = (_Pipe(near), _Pipe(far))
        for pipe, other in (ends, ends[::-1]):
            pipe.other = other
            pipe.plug.setblocking(False)
            pipe.plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pipes.add(pipe)
            self._selector.register(pipe.plug, selectors.EVENT_READ, self._mover(pipe))

    def _mover(self, pipe: _Pipe) -> Callable[[int], None]:
        return lambda ready: self._move(pipe, ready)

    def _move(self, pipe: _Pipe, ready: int) -> None:
        try:
            if ready & selectors.EVENT_READ:
                data = pipe.plug.recv(READ_BYTES)
                pipe.other.waiting += data
                pipe.other.ended = not data
                self._write(pipe.other)
            if ready & selectors.EVENT_WRITE:
                self._write(pipe)
        except OSError:
            self._drop(pipe)
            return
        if pipe.ended and pipe.other.ended and not pipe.waiting and not pipe.other.waiting:
            self._drop(pipe)
            return
        self._watch(pipe)
        self._watch(pipe.other)

    def _write(self, pipe: _Pipe) -> None:
        if pipe.waiting:
            try:
                del pipe.waiting[: pipe.plug.send(pipe.waiting)]
            except BlockingIOError:
                return
        if pipe.ended and not pipe.waiting:
            pipe.plug.shutdown(socket.SHUT_WR)

    def _watch(self, pipe: _Pipe) -> None:
        """Read while the other side can take it, write while something waits."""
        events = 0
        if not pipe.other.ended and len(pipe.other.waiting) < READ_BYTES:
            events |= selectors.EVENT_READ
        if pipe.waiting:
            events |= selectors.EVENT_WRITE
        registered = pipe.plug in self._selector.get_map()
        if events and registered:
            self._selector.modify(pipe.plug, events, self._mover(pipe))
        elif events:
            self._selector.register(pipe.plug, events, self._mover(pipe))
        elif registered:
            self._selector.unregister(pipe.plug)

    def _drop(self, pipe: _Pipe) -> None:
        for end in (pipe, pipe.other):
            if end in self._pipes:
                self._pipes.discard(end)
                if end.plug in self._selector.get_map():
                    self._selector.unregister(end.plug)
                _reset(end.plug)


def _bound(address: tuple[str, int]) -> socket.socket:
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    plug.bind(address)
    return plug


def _reset(plug: socket.socket) -> None:
    """Close it with RST, not FIN: the peer notices at once and nothing lingers."""
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plug.close()
