"""Tasks, queues and timeouts: one source for CPython and MicroPython, in the same order on both.

Keeps asyncio's words (task, event, queue, task group) over a scheduler of its own, because order is
part of the product here: the same inputs give the same trace, byte for byte, on either interpreter and
in virtual time. Ready tasks run first in, first out; timers by (time, order of setting).

A `Loop` is given a clock and a waiter. `PollWaiter` waits on descriptors in real time, `JumpWaiter`
moves a `VirtualClock` to the next timer instead. No task is started without a name, and none dies
unheard: its ``on_done`` is told, or the loop's ``on_error``.
"""

import heapq

from firmware.runtime.waiter import Deadlock as Deadlock
from firmware.runtime.waiter import JumpWaiter as JumpWaiter
from firmware.runtime.waiter import PollWaiter as PollWaiter
from firmware.runtime.waiter import VirtualClock as VirtualClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from typing import Any


BUSY_TURNS = 8  #: turns with work to do between two looks at the descriptors


class Cancelled(BaseException):
    """Thrown into a task by `Task.cancel`; a task may clean up and must let it pass."""


class TimedOut(Exception):
    """The time given to a wait is over."""


class QueueFull(Exception):
    """`Queue.put_nowait` on a queue that has met its limit."""


class _Wait:
    """What a task yields to the loop: wake me by this event (or none), at the latest in `ms`."""

    __slots__ = ("event", "ms", "task", "token")

    def __init__(self, event: "Event | None", ms: "int | None") -> None:
        self.event = event
        self.ms = ms
        self.task: Any = None
        self.token = 0

    def __await__(self) -> "Generator[_Wait, bool, bool]":
        return (yield self)

    __iter__ = __await__  # MicroPython's await asks for __iter__


class Task:
    """One running coroutine. Made by `Loop.spawn`."""

    __slots__ = ("name", "loop", "error", "finished", "cancelled", "on_done", "_coro", "_token")

    def __init__(self, loop: "Loop", coro: "Coroutine[Any, Any, Any]", name: str) -> None:
        self.name = name
        self.loop = loop
        #: BaseException or None  why it ended, if not by its own return
        self.error: BaseException | None = None
        self.finished = Event()
        self.cancelled = False
        self.on_done: Callable[[Task], None] | None = None
        self._coro = coro
        self._token = 0

    def done(self) -> bool:
        """Whether it has ended, by return, error or cancellation."""
        return self.finished.is_set()

    def cancel(self) -> None:
        """Throw `Cancelled` into it at its next turn; nothing happens to a task that has ended."""
        self.cancelled = True
        self._wake(self._token, False)

    def kill(self) -> None:
        """End it where it is, now; nobody is told. Only for a power cut that is being simulated."""
        if not self.finished.is_set():
            self.on_done = _ignore
            self.finished.set()
            self._coro.close()

    def _wake(self, token: int, value: bool) -> None:
        # A token names one wait: a late timer or event of an earlier wait wakes nobody.
        if token == self._token and not self.finished.is_set():
            self._token += 1
            self.loop._ready.append((self, self._token, value))

    def _step(self, value: bool) -> None:
        try:
            if self.cancelled:
                self.cancelled = False
                wait = self._coro.throw(Cancelled())
            elif self._token == 0:
                wait = self._coro.send(None)
            else:
                wait = self._coro.send(value)
        except StopIteration:
            self._end(None)
        except Cancelled:
            self._end(None)
        except Exception as error:  # noqa: BLE001  a task's error is its supervisor's, whatever it is
            self._end(error)
        else:
            wait.task = self
            wait.token = self._token
            if wait.event is not None:
                wait.event._waiting.append(wait)
            if wait.ms is not None:
                self.loop._timer(self.loop.now_ms() + max(0, wait.ms), wait)

    def _end(self, error: "BaseException | None") -> None:
        self.error = error
        self.finished.set()
        if self.on_done is not None:
            try:
                self.on_done(self)
            except Exception as failed:  # noqa: BLE001  a supervisor's error must not end the loop
                self.loop.on_error(self.name, failed)
        elif error is not None:
            self.loop.on_error(self.name, error)


class Event:
    """A flag that tasks can wait for. `set` from another thread goes through `Loop.post`."""

    __slots__ = ("_flag", "_waiting")

    def __init__(self) -> None:
        self._flag = False
        self._waiting: list[_Wait] = []

    def is_set(self) -> bool:
        """Whether the flag is up."""
        return self._flag

    def clear(self) -> None:
        """Take the flag down."""
        self._flag = False

    def set(self) -> None:
        """Put the flag up and wake every task that waits for it, in the order in which they came."""
        self._flag = True
        waiting = self._waiting
        self._waiting = []
        for wait in waiting:
            wait.task._wake(wait.token, True)

    async def wait(self, ms: "int | None" = None) -> bool:
        """Wait until the flag is up, at most `ms`; whether it is."""
        if self._flag:
            return True
        wait = _Wait(self, ms)
        try:
            return bool(await wait)
        finally:
            if wait in self._waiting:
                self._waiting.remove(wait)


class Queue:
    """First in, first out, with a limit (0: none)."""

    __slots__ = ("_items", "_limit", "_came", "_went")

    def __init__(self, limit: int = 0) -> None:
        self._items: list[Any] = []
        self._limit = limit
        self._came = Event()
        self._went = Event()

    def __len__(self) -> int:
        return len(self._items)

    def put_nowait(self, item: "Any") -> None:
        """Add `item`. Raises `QueueFull` at the limit."""
        if self._limit and len(self._items) >= self._limit:
            raise QueueFull("queue full: %d items" % self._limit)
        self._items.append(item)
        self._came.set()

    async def put(self, item: "Any") -> None:
        """Add `item`, waiting for room."""
        while self._limit and len(self._items) >= self._limit:
            self._went.clear()
            await self._went.wait()
        self.put_nowait(item)

    async def get(self, ms: "int | None" = None, loop: "Loop | None" = None) -> "Any":
        """Take the oldest item, waiting at most `ms` (which needs the `loop`). Raises `TimedOut`."""
        end_ms = None if ms is None or loop is None else loop.now_ms() + ms
        left_ms = None if end_ms is None else ms
        while not self._items:
            self._came.clear()
            if not await self._came.wait(left_ms) and not self._items:
                raise TimedOut("queue empty after %s ms" % ms)
            if end_ms is not None and loop is not None:
                left_ms = max(0, end_ms - loop.now_ms())
        return self.get_nowait()

    def get_nowait(self) -> "Any":
        """Take the oldest item. Raises IndexError if there is none."""
        self._went.set()
        return self._items.pop(0)


class TaskGroup:
    """``async with TaskGroup(loop) as group``: the first error cancels the others and is raised."""

    def __init__(self, loop: "Loop") -> None:
        self._loop = loop
        self._tasks: list[Task] = []
        self._error: BaseException | None = None
        self._changed = Event()

    def spawn(self, coro: "Coroutine[Any, Any, Any]", name: str) -> Task:
        """Start a task that ends before the group does."""
        task = self._loop.spawn(coro, name, self._task_done)
        self._tasks.append(task)
        return task

    def cancel(self) -> None:
        """Cancel every task that still runs."""
        for task in self._tasks:
            if not task.done():
                task.cancel()

    def _task_done(self, task: Task) -> None:
        if task.error is not None and self._error is None:
            self._error = task.error
            self.cancel()
        self._changed.set()

    async def __aenter__(self) -> "TaskGroup":
        return self

    async def __aexit__(self, kind: "Any", error: "Any", trace: "Any") -> bool:
        if error is not None:
            self.cancel()
        while [task for task in self._tasks if not task.done()]:
            self._changed.clear()
            try:
                await self._changed.wait()
            except Cancelled:
                self.cancel()
                raise
        if self._error is not None and error is None:
            raise self._error
        return False


class Timer:
    """A call that was set with `Loop.call_at`."""

    __slots__ = ("call", "task", "token")

    def __init__(self, call: "Callable[[], None]") -> None:
        self.call: Callable[[], None] | None = call
        self.task = None

    def cancel(self) -> None:
        """Forget the call; once made it cannot be taken back."""
        self.call = None


class Loop:
    """One scheduler. `clock` has ``now_ms()``; `waiter` has ``wait(ms)`` and ``wake()``."""

    def __init__(self, clock: "Any", waiter: "Any") -> None:
        self.clock = clock
        #: callable () -> int  the loop's clock, in milliseconds
        self.now_ms: Callable[[], int] = clock.now_ms
        self.waiter = waiter
        #: callable (name, error)  told of a task or call that died and that nobody watches
        self.on_error: Callable[[str, BaseException], None] = _raise
        self._ready: list[tuple[Task, int, bool]] = []
        self._timers: list[tuple[int, int, Any]] = []
        self._set = 0
        self._posted: list[Callable[[], None]] = []
        self._busy_turns = 0

    def spawn(
        self,
        coro: "Coroutine[Any, Any, Any]",
        name: str,
        on_done: "Callable[[Task], None] | None" = None,
    ) -> Task:
        """Start a task; it runs first at the loop's next turn. `on_done` is told when it has ended."""
        task = Task(self, coro, name)
        task.on_done = on_done
        self._ready.append((task, 0, False))
        return task

    def call_at(self, at_ms: int, call: "Callable[[], None]") -> Timer:
        """Call `call` at `at_ms`, or at the next turn if that has passed."""
        timer = Timer(call)
        self._timer(at_ms, timer)
        return timer

    def post(self, call: "Callable[[], None]") -> None:
        """Have `call` made by the loop. The one method that other threads may use."""
        self._posted.append(call)
        self.waiter.wake()

    async def wait_for(self, coro: "Coroutine[Any, Any, Any]", ms: int, name: str) -> None:
        """Run `coro` as a task for at most `ms`, then cancel it and raise `TimedOut`."""
        task = self.spawn(coro, name, _ignore)
        try:
            in_time = await task.finished.wait(ms)
        except Cancelled:
            task.cancel()
            raise
        if not in_time:
            task.cancel()
            await task.finished.wait()
            raise TimedOut("%s: not done in %d ms" % (name, ms))
        if task.error is not None:
            raise task.error

    def run(self, main: "Coroutine[Any, Any, Any]", name: str = "main") -> None:
        """Run until `main` ends; its error is raised. Other tasks stay where they are."""
        task = self.spawn(main, name, _ignore)
        while not task.done():
            self.turn()
        if task.error is not None:
            raise task.error

    def turn(self) -> None:
        """One turn: what is ready runs once, else wait for the next timer or wake-up."""
        self._run_posted()
        if not self._ready:
            wait_ms = None
            if self._timers:
                wait_ms = max(0, self._timers[0][0] - self.now_ms())
            self.waiter.wait(wait_ms)
        else:
            self._busy_turns += 1
            if self._busy_turns >= BUSY_TURNS:  # work never starves descriptors
                self._busy_turns = 0
                self.waiter.wait(0)
        self._run_posted()
        self._run_timers()
        batch = self._ready
        self._ready = []
        for task, token, value in batch:
            if token == task._token and not task.done():
                task._step(value)

    def _timer(self, at_ms: int, what: "Any") -> None:
        self._set += 1
        heapq.heappush(self._timers, (at_ms, self._set, what))

    def _run_timers(self) -> None:
        now_ms = self.now_ms()
        while self._timers and self._timers[0][0] <= now_ms:
            what = heapq.heappop(self._timers)[2]
            if what.task is not None:
                what.task._wake(what.token, False)
            elif what.call is not None:
                self._call(what.call)

    def _run_posted(self) -> None:
        while self._posted:
            self._call(self._posted.pop(0))

    def _call(self, call: "Callable[[], None]") -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001  whatever it is, the loop goes on and tells
            self.on_error("call", error)


async def sleep_ms(ms: int) -> None:
    """Let others run, for `ms` milliseconds (0: one turn)."""
    await _Wait(None, ms)


def _raise(name: str, error: BaseException) -> None:
    raise error


def _ignore(task: Task) -> None:
    """`on_done` of a task whose owner looks at ``error`` itself."""
