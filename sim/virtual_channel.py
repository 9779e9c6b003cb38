"""The channel between a door and its link in virtual time: two ends of a stream, as a socket pair has them.

What is said at one end can be read at the other in the same millisecond. An end that does not read fills the
channel; then the door's end says so, and the link waits (`End.full`).
"""

import itertools
from collections.abc import Callable

from firmware.runtime import aio

CHANNEL_BYTES = 212_992  #: of a socket pair, as Linux has it

_numbers = itertools.count(1 << 20)


class ReadyWaiter(aio.JumpWaiter):
    """Waits in virtual time, also for ends of channels."""

    def __init__(self, clock: aio.VirtualClock) -> None:
        super().__init__(clock)
        self._calls: dict[int, Callable[[], None]] = {}

    def add_reader(self, fd: int, call: Callable[[], None]) -> None:
        """Make `call` whenever the end `fd` has something to read."""
        self._calls[fd] = call

    def remove_reader(self, fd: int) -> None:
        """Watch `fd` no longer; unknown ones are fine."""
        self._calls.pop(fd, None)

    def come(self, fd: int) -> None:
        """There is something to read at `fd`."""
        call = self._calls.get(fd)
        if call is not None:
            call()


class End:
    """One end. Made by `pair`."""

    def __init__(self, loop: aio.Loop) -> None:
        #: callable  there may be something to read, or room again at the other end
        self.on_change: Callable[[], None] | None = None
        self.peer: End = self
        self._loop = loop
        self._fd = next(_numbers)
        self._came = bytearray()
        self._closed = False
        self._told = False

    def fileno(self) -> int:
        """What it is known by."""
        return self._fd

    def setblocking(self, on: bool) -> None:
        """It never blocks."""

    @property
    def full(self) -> bool:
        """Whether the other end has to read before this one may say more."""
        return len(self.peer._came) >= CHANNEL_BYTES

    @property
    def readable(self) -> bool:
        """Whether `recv` has something, the end of it all included."""
        return bool(self._came) or self.peer._closed

    def recv(self, most: int) -> bytes:
        """What has come; b"" after the end. Raises BlockingIOError."""
        if not self.readable:
            raise BlockingIOError
        data = bytes(self._came[:most])
        del self._came[:most]
        if self.readable and data:
            self._change()
        if data:
            self.peer._change()
        return data

    def send(self, data: bytes | bytearray) -> int:
        """As much as there is room for. Raises BlockingIOError, OSError."""
        if self.peer._closed:
            raise BrokenPipeError
        if self.full:
            raise BlockingIOError
        taken = data[: CHANNEL_BYTES - len(self.peer._came)]
        self.sendall(taken)
        return len(taken)

    def sendall(self, data: bytes | bytearray) -> None:
        """All of it; the caller looks whether it is `full` before it goes on. Raises OSError."""
        if self.peer._closed:
            raise BrokenPipeError
        self.peer._came += data
        self.peer._change()

    def close(self) -> None:
        """The other end reads what is there, and then that it is over."""
        if not self._closed:
            self._closed = True
            self.on_change = None
            self.peer._change()

    def _change(self) -> None:
        if not self._told and not self._closed:
            self._told = True
            self._loop.call_at(self._loop.now_ms(), self._tell)

    def _tell(self) -> None:
        self._told = False
        if self._closed:
            return
        if self.on_change is not None:
            self.on_change()
        elif self.readable:
            self._loop.waiter.come(self._fd)


def pair(loop: aio.Loop) -> tuple[End, End]:
    """Both ends; the loop's waiter is a `ReadyWaiter`."""
    one, other = End(loop), End(loop)
    one.peer, other.peer = other, one
    return one, other
