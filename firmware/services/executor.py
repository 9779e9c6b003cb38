"""Where work that may wait for a disk is done, so that the loop never does: in order, one at a time.

`ThreadExecutor` for real time, `InlineExecutor` for virtual time. `submit(work, done)`: `work` runs,
then `done(result, error)` is called on the loop's thread, one of the two being None. What is opened by
the work registers its end with `on_end`; it is told how the executor ended.
"""

import queue
import threading
import time
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
            time.sleep(0)  # the interpreter is the thread's at once, not when the loop sleeps

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

    With `slow_ms` the work itself is done at the end of that time, one after the other, as on a disk
    that takes so long: what changes meanwhile is seen, and a power cut before loses it.
    """

    def __init__(self, loop: Loop, latency_ms: int = 1) -> None:
        #: int  how long after the work the answer comes; may be changed at any time
        self.latency_ms = latency_ms
        #: int  how long work takes before it is done; likewise, for what is submitted from then on
        self.slow_ms = 0
        self._loop = loop
        self._ends: list[Callable[[bool], None]] = []
        self._closed = False
        self._killed = False
        self._answered_ms = 0
        self._slow: list[tuple[Work, Done | None]] = []  # not done yet, in order
        self._done_ms = 0  # when the last of them is

    def submit(self, work: Work, done: Done | None = None) -> None:
        """Do `work` now, or when it has taken its time; nothing overtakes an earlier one."""
        if self._closed:
            return
        if not self.slow_ms and not self._slow:
            self._perform(work, done)
            return
        self._slow.append((work, done))
        self._done_ms = max(self._done_ms, self._loop.now_ms()) + self.slow_ms
        self._loop.call_at(self._done_ms, self._perform_next)

    def on_end(self, call: Callable[[bool], None]) -> None:
        """Have `call(killed)` made by `kill` or `close`."""
        self._ends.append(call)

    def kill(self) -> None:
        """Never call back, whatever was done."""
        self._killed = True
        self._slow = []
        self.close()

    def close(self) -> None:
        """Take no more work; what was taken is done, and still answered."""
        if not self._closed:
            while self._slow:
                self._perform_next()
            self._closed = True
            for end in self._ends:
                _, error = _outcome(partial(end, self._killed))
                if error is not None and not self._killed:
                    self._loop.on_error("executor", error)

    def _perform_next(self) -> None:
        if self._slow:
            self._perform(*self._slow.pop(0))

    def _perform(self, work: Work, done: Done | None) -> None:
        result, error = _outcome(work)
        if done is None:
            return

        def answer() -> None:
            if not self._killed:
                done(result, error)

        self._answered_ms = max(self._answered_ms, self._loop.now_ms() + self.latency_ms)
        self._loop.call_at(self._answered_ms, answer)


def _outcome(work: Work) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001  whatever it is, its owner is told by `done`
        return None, error
