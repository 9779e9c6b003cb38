"""The cable between link and broker as it is on a bad day: it stalls, resets, and carries one way only."""

import socket

from sim.network import Cable, _Pipe


class StallingProxy(Cable):
    """A `Cable` that can also do what a cut does not; every call returns when it is so."""

    def __init__(self, host: str, port: int) -> None:
        self._stalled = False
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

    def half_close(self, toward_broker: bool) -> None:
        """End one direction of every connection: one side hears the end, the other hears nothing."""
        self._order(lambda: self._end(toward_broker))

    def _hold(self) -> None:
        self._stalled = True

    def _release(self) -> None:
        self._stalled = False
        for pipe in list(self._pipes):
            self._watch(pipe)

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

    def _move(self, pipe: _Pipe, ready: int) -> None:
        if self._stalled:
            self._selector.unregister(pipe.plug)
        else:
            super()._move(pipe, ready)
