"""A waiter that other threads can wake: `aio.PollWaiter` with a pipe to itself. CPython only."""

import os
import select
import time

from firmware.runtime import aio


class WakingPollWaiter(aio.PollWaiter):
    """Waits on descriptors in real time; `wake` ends the wait from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)
        self.add_reader(self._read_fd, self._drain)

    def wait(self, ms: "int | None") -> None:
        """As `aio.PollWaiter.wait`, but the last of `ms` ends with the clock's, not up to one later."""
        if not ms:
            super().wait(ms)
            return
        rest_s = ms / 1000 - time.monotonic_ns() % 1_000_000 / 1e9  # which `poll` would round up
        try:
            found = select.select(self._calls, (), (), rest_s)[0]
        except (OSError, ValueError):  # one is closed, or above those that select knows
            super().wait(ms)
            return
        for fd in found:
            call = self._calls.get(fd)
            if call is not None:
                call()

    def wake(self) -> None:
        """End the wait that is under way, or else the next one."""
        try:
            os.write(self._write_fd, b"\0")
        except BlockingIOError:
            pass  # the pipe is full of wake-ups: one more says nothing new

    def close(self) -> None:
        """Give the pipe back; nobody may wait or wake after that."""
        self.remove_reader(self._read_fd)
        os.close(self._read_fd)
        os.close(self._write_fd)

    def _drain(self) -> None:
        try:
            os.read(self._read_fd, 4096)
        except BlockingIOError:
            pass
