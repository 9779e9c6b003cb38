"""A waiter that other threads can wake: `aio.PollWaiter` with a pipe to itself. CPython only."""

import os

from firmware.runtime import aio


class WakingPollWaiter(aio.PollWaiter):
    """Waits on descriptors in real time; `wake` ends the wait from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)
        self.add_reader(self._read_fd, self._drain)

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
