"""How a loop waits: on descriptors in real time, or by moving a virtual clock to the next timer.

Users take these from `firmware.runtime.aio`, beside the loop that they serve.
"""

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Deadlock(Exception):
    """Nothing is ready, no timer runs and nothing can wake the loop: virtual time cannot go on."""


class PollWaiter:
    """Waits in real time on descriptors (`select.poll`, which both interpreters have)."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._calls: dict[int, Callable[[], None]] = {}

    def add_reader(self, fd: int, call: "Callable[[], None]") -> None:
        """Make `call` whenever `fd` is readable or has failed."""
        self._poll.register(fd, select.POLLIN)
        self._calls[fd] = call

    def remove_reader(self, fd: int) -> None:
        """Watch `fd` no longer; unknown ones are fine."""
        if self._calls.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def wait(self, ms: "int | None") -> None:
        """Wait for a descriptor, at most `ms` (None: for ever), and make the calls that are due."""
        for entry in self._poll.poll(-1 if ms is None else ms):
            call = self._calls.get(entry[0])
            if call is not None:
                call()

    def wake(self) -> None:
        """End a wait from another thread; without threads (MicroPython) there is nobody to end it."""


class VirtualClock:
    """Time that moves only when `JumpWaiter` moves it."""

    def __init__(self, start_ms: int = 0) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Virtual milliseconds."""
        return self._now_ms

    def advance(self, ms: int) -> None:
        """Move on by `ms`."""
        self._now_ms += ms


class JumpWaiter:
    """Waits by moving a `VirtualClock` on: a day passes as fast as its work can be done."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def wait(self, ms: "int | None") -> None:
        """Jump by `ms`. Raises `Deadlock` where nothing would ever end the wait."""
        if ms is None:
            raise Deadlock("nothing is ready and no timer runs")
        self._clock.advance(ms)

    def wake(self) -> None:
        """Nothing to end: virtual time has one thread."""
