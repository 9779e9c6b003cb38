"""Keeps tasks alive: every task has a name, and what it owned goes to its safe level when it dies.

A task may promise to say `alive` so and so often; `look` ends one that has not, which is then started
again like one that died. The task that calls `look` is watched by the watchdog (`heartbeat`).
"""

from firmware.runtime import aio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

BACK_OFF_MS = 500  #: before the first restart; doubled up to `BACK_OFF_MAX_MS`
BACK_OFF_MAX_MS = 30000
LOOK_MS = 5000
HEALTHY_MS = 60000  #: a task that ran this long starts over with the shortest back-off


class Supervisor:
    """Starts tasks and starts them again. ``on_death`` is told (name, what kind of error)."""

    def __init__(self, loop: aio.Loop) -> None:
        self._loop = loop
        self._tasks: dict[str, aio.Task] = {}
        #: the latest time at which each task that promised it must say `alive` again
        self._due_ms: dict[str, int] = {}
        #: before this none of them is over
        self._next_ms = 0
        self._hung: set[str] = set()
        self._looked_ms = loop.now_ms()
        self._stopped = False
        self.on_death: Callable[[str, str], None] | None = None

    def start(
        self,
        name: str,
        make: "Callable[[], Coroutine[Any, Any, Any]]",
        make_safe: "Callable[[], None] | None" = None,
        most_ms: int = BACK_OFF_MAX_MS,
    ) -> None:
        """Run `make()` as task `name`; if it dies, call `make_safe`, wait, and run it again.

        most_ms  the longest wait before it runs again
        """
        self._run(name, make, make_safe, BACK_OFF_MS, most_ms)

    def alive(self, name: str, within_ms: int) -> None:
        """Task `name` lives, and says so again within `within_ms` or is ended."""
        due_ms = self._due_ms[name] = self._loop.now_ms() + within_ms
        self._next_ms = min(self._next_ms, due_ms)

    def look(self, now_ms: int) -> None:
        """End every task that has broken its promise; to be called at least every `LOOK_MS`."""
        gap_ms = now_ms - self._looked_ms
        self._looked_ms = now_ms
        if gap_ms > LOOK_MS:  # nothing ran meanwhile, so nobody could keep a promise
            for name in self._due_ms:
                self._due_ms[name] += gap_ms
        if now_ms <= self._next_ms:
            return
        for name in [name for name in sorted(self._due_ms) if self._due_ms[name] < now_ms]:
            del self._due_ms[name]
            self._hung.add(name)
            self._tasks[name].cancel()
        self._next_ms = min(self._due_ms.values()) if self._due_ms else now_ms

    def stop(self) -> None:
        """Cancel every task; they clean up."""
        self._stopped = True
        for name in sorted(self._tasks):
            self._tasks[name].cancel()

    def kill(self) -> None:
        """End every task where it is: a power cut."""
        self._stopped = True
        for name in sorted(self._tasks):
            self._tasks[name].kill()

    def _run(
        self,
        name: str,
        make: "Callable[[], Coroutine[Any, Any, Any]]",
        make_safe: "Callable[[], None] | None",
        back_off_ms: int,
        most_ms: int,
    ) -> None:
        started_ms = self._loop.now_ms()

        def ended(task: aio.Task) -> None:
            self._due_ms.pop(name, None)
            hung = name in self._hung
            self._hung.discard(name)
            if self._stopped:
                return
            healthy = self._loop.now_ms() - started_ms >= HEALTHY_MS
            wait_ms = BACK_OFF_MS if healthy else back_off_ms
            longer_ms = min(wait_ms * 2, most_ms)
            self._loop.call_at(  # first: it is started again whatever fails below
                self._loop.now_ms() + wait_ms,
                lambda: (
                    None if self._stopped else self._run(name, make, make_safe, longer_ms, most_ms)
                ),
            )
            try:
                if make_safe is not None:
                    make_safe()
            finally:
                if self.on_death is not None:
                    # The kind of error only: its text could hold what no record may (law 7).
                    kind = "ended" if task.error is None else type(task.error).__name__
                    kind = "hangs" if hung else kind
                    self.on_death(name, kind)

        self._tasks[name] = self._loop.spawn(make(), name, ended)
