"""Where work that may wait for a disk is done, so that the loop never does: in order, one at a time.

`ThreadExecutor` for real time, `InlineExecutor` for virtual time. `submit(work, done)`: `work` runs,
then `done(result, error)` is called on the loop's thread, one of the two being None. What is opened by
the work registers its end with `on_end`; it is told how the executor ended.
"""

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from firmware.runtime.aio import Loop

Work = Callable[[], Any]
Done = Callable[[Any, Exception | None], None]

KILL_WAIT_S = 5  #: how long `kill` waits for the work that is under way


class Executor:
    """Port: runs work in order."""

    def submit(self, work: Work, done: Done | None = None) -> None:
        """Have `work` done; after the end it is dropped."""
        raise NotImplementedError

    def on_end(self, call: Callable[[bool], None]) -> None:
        """Have `call(killed)` made after the last work, where the work is done."""
        raise NotImplementedError

    def kill(self) -> None:
        """Drop what is queued and never call back, as at a power cut."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish what is queued, and end."""
        raise NotImplementedError


class ThreadExecutor(Executor):
    """One daemon thread, first in, first out."""

    def __init__(self, loop: Loop, name: str) -> None:
        self._loop = loop
        self._jobs: queue.SimpleQueue[tuple[Work, Done | None] | None] = queue.SimpleQueue()
        self._ends: list[Callable[[bool], None]] = []
        self._closed = False
        self._killed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Work, done: Done | None = None) -> None:
        """Have `work` done in the thread."""
        if not self._closed:
            self._jobs.put((work, done))

    def on_end(self, call: Callable[[bool], None]) -> None:
        """Have `call(killed)` made in the thread, after the last work."""
        self._ends.append(call)

    def kill(self) -> None:
        """Drop what is queued; waits for the work that is under way, whose result is dropped too."""
        self._killed = True
        self._end(KILL_WAIT_S)

    def close(self) -> None:
        """Finish what is queued, and wait for that."""
        self._end(None)

    def _end(self, wait_s: float | None) -> None:
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        self._thread.join(wait_s)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None or self._killed:
                break
            work, done = job
            result, error = _outcome(work)
            if done is not None:
                self._answer(done, result, error)
        for end in self._ends:
            _, error = _outcome(partial(end, self._killed))
            if error is not None and not self._killed:
                self._loop.post(partial(self._loop.on_error, "executor", error))

    def _answer(self, done: Done, result: Any, error: Exception | None) -> None:
        def answer() -> None:
            if not self._killed:
                done(result, error)

        self._loop.post(answer)


class InlineExecutor(Executor):
    """Works at once and answers `latency_ms` later: for virtual time, with no thread.

    Does not imitate: time that passes between submitting and doing.
    """

    def __init__(self, loop: Loop, latency_ms: int = 1) -> None:
        #: int  how long work takes; may be changed at any time
        self.latency_ms = latency_ms
        self._loop = loop
        self._ends: list[Callable[[bool], None]] = []
        self._closed = False
        self._killed = False
        self._answered_ms = 0

    def submit(self, work: Work, done: Done | None = None) -> None:
        """Do `work` now; the answer never overtakes an earlier one."""
        if self._closed:
            return
        result, error = _outcome(work)
        if done is None:
            return

        def answer() -> None:
            if not self._killed:
                done(result, error)

        self._answered_ms = max(self._answered_ms, self._loop.now_ms() + self.latency_ms)
        self._loop.call_at(self._answered_ms, answer)

    def on_end(self, call: Callable[[bool], None]) -> None:
        """Have `call(killed)` made by `kill` or `close`."""
        self._ends.append(call)

    def kill(self) -> None:
        """Never call back, whatever was done."""
        self._killed = True
        self.close()

    def close(self) -> None:
        """Take no more work; what was done is still answered."""
        if not self._closed:
            self._closed = True
            for end in self._ends:
                _, error = _outcome(partial(end, self._killed))
                if error is not None and not self._killed:
                    self._loop.on_error("executor", error)


def _outcome(work: Work) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001  whatever it is, its owner is told by `done`
        return None, error
