"""Where work on a simulated disk is done, in virtual time: in order, and as slowly as that disk is."""

from collections import deque

from firmware.runtime.aio import Loop
from firmware.services.executor import Done, InlineExecutor, Work
from sim.disk import SLOW_MS, SimDisk


class DiskExecutor(InlineExecutor):
    """Works at once while the disk is quick; behind a slow write everything waits its turn.

    at_end  bool  on a slow disk the work itself is done at the end of its time, whatever it is, for whom it
                  matters when exactly it was done: a journal says by itself what is durable
    """

    def __init__(self, loop: Loop, disk: SimDisk, at_end: bool = False) -> None:
        super().__init__(loop)
        self._at_end = at_end
        self._disk = disk
        self._latency_ms = self.latency_ms
        self._free_ms = 0
        self._queue: deque[tuple[Work, Done | None]] = deque()
        self._turn = loop

    def submit(self, work: Work, done: Done | None = None) -> None:
        """See `Executor.submit`."""
        if self._at_end:
            self.slow_ms = SLOW_MS if self._disk.is_slow else 0
            super().submit(lambda: self._disk.hurried(work), done)
            return
        if self._queue or self._free_ms > self._turn.now_ms():
            if not self._closed:
                self._queue.append((work, done))
            return
        self._do(work, done)

    def kill(self) -> None:
        """See `Executor.kill`."""
        self._queue.clear()
        super().kill()

    def close(self) -> None:
        """See `Executor.close`."""
        while self._queue:
            super().submit(*self._queue.popleft())
        super().close()

    def _do(self, work: Work, done: Done | None) -> None:
        cost_ms = 0

        def measured() -> object:
            nonlocal cost_ms
            self._disk.take_owed_ms()
            try:
                return work()
            finally:
                cost_ms = self._disk.take_owed_ms()
                self.latency_ms = max(self._latency_ms, cost_ms)

        super().submit(measured, done)
        self.latency_ms = self._latency_ms
        if cost_ms and not self._closed:
            self._free_ms = self._turn.now_ms() + cost_ms
            self._turn.call_at(self._free_ms, self._next)

    def _next(self) -> None:
        while self._queue and self._free_ms <= self._turn.now_ms():
            self._do(*self._queue.popleft())
