"""The cable between link and broker as it is on a bad day: it stalls, resets, and carries one way only."""

import selectors
import socket

from link_rig import Seen

from sim.network import Cable, _Pipe


class StallingProxy(Cable):
    """A `Cable` that can also do what a cut does not; every call returns when it is so."""

    def __init__(self, host: str, port: int) -> None:
        self._stalled = False
        self._left: int | None = None  # bytes toward the broker until the reset
        self._abandoned: list[socket.socket] = []
        self.accepted = Seen()  # one item a connection
        self.resets = Seen()  # one item a reset of `reset_after`
        super().__init__(host, port)

    def stall(self) -> None:
        """Carry nothing more, every connection open: the peers notice nothing."""
        self._order(self._hold)

    def flow(self) -> None:
        """Carry again, what was held included."""
        self._order(self._release)

    def reset(self) -> None:
        """Reset every connection; new ones are welcome."""
        self._order(self._drop_all)

    def reset_after(self, toward_broker: int) -> None:
        """Carry so many bytes toward the broker, then reset every connection in the middle of it."""
        self._order(lambda: setattr(self, "_left", toward_broker))

    def abandon(self) -> None:
        """Half open: what is connected stays so and carries nothing ever again; new ones work."""
        self._order(self._leave)

    def half_close(self, toward_broker: bool) -> None:
        """End one direction of every connection: one side hears the end, the other hears nothing."""
        self._order(lambda: self._end(toward_broker))

    def _hold(self) -> None:
        self._stalled = True

    def _release(self) -> None:
        self._stalled = False
        for pipe in list(self._pipes):
            self._watch(pipe)

    def _leave(self) -> None:
        for pipe in self._pipes:
            if pipe.plug in self._selector.get_map():
                self._selector.unregister(pipe.plug)
            self._abandoned.append(pipe.plug)
        self._pipes.clear()

    def _drop_all(self) -> None:
        for pipe in list(self._pipes):
            self._drop(pipe)

    def _end(self, toward_broker: bool) -> None:
        for pipe in list(self._pipes):
            if pipe in self._pipes and self._is_broker(pipe) == toward_broker:
                try:
                    pipe.plug.shutdown(socket.SHUT_WR)
                except OSError:
                    self._drop(pipe)

    def _is_broker(self, pipe: _Pipe) -> bool:
        return bool(pipe.plug.getsockname()[1] != self.port)

    def _accept(self, ready: int) -> None:
        super()._accept(ready)
        self.accepted.add("connection")

    def _stop(self) -> None:
        super()._stop()
        for plug in self._abandoned:
            plug.close()

    def _move(self, pipe: _Pipe, ready: int) -> None:
        if pipe not in self._pipes:
            return  # abandoned by an order of this very turn
        if self._stalled:
            self._selector.unregister(pipe.plug)
            return
        if self._left is None or not ready & selectors.EVENT_READ or self._is_broker(pipe):
            super()._move(pipe, ready)
            return
        try:
            data = pipe.plug.recv(self._left)
            self._left -= len(data)
            pipe.other.waiting += data
            self._write(pipe.other)
        except OSError:
            self._drop(pipe)
            return
        if not data or not self._left:
            self._left = None
            self._drop_all()
            self.resets.add("reset")
