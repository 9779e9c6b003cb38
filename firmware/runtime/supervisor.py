"""Keeps tasks alive: every task has a name, and what it owned goes to its safe level when it dies."""

from firmware.runtime import aio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

BACK_OFF_MS = 500  #: before the first restart; doubled up to `BACK_OFF_MAX_MS`
BACK_OFF_MAX_MS = 30000
HEALTHY_MS = 60000  #: a task that ran this long starts over with the shortest back-off


class Supervisor:
    """Starts tasks and starts them again. ``on_death`` is told (name, what kind of error)."""

    def __init__(self, loop: aio.Loop) -> None:
        self._loop = loop
        self._tasks: dict[str, aio.Task] = {}
        self._stopped = False
        self.on_death: Callable[[str, str], None] | None = None

    def start(
        self,
        name: str,
        make: "Callable[[], Coroutine[Any, Any, Any]]",
        make_safe: "Callable[[], None] | None" = None,
    ) -> None:
        """Run `make()` as task `name`; if it dies, call `make_safe`, wait, and run it again."""
        self._run(name, make, make_safe, BACK_OFF_MS)

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
    ) -> None:
        started_ms = self._loop.now_ms()

        def ended(task: aio.Task) -> None:
            if self._stopped:
                return
            healthy = self._loop.now_ms() - started_ms >= HEALTHY_MS
            wait_ms = BACK_OFF_MS if healthy else back_off_ms
            longer_ms = min(wait_ms * 2, BACK_OFF_MAX_MS)
            self._loop.call_at(  # first: it is started again whatever fails below
                self._loop.now_ms() + wait_ms,
                lambda: None if self._stopped else self._run(name, make, make_safe, longer_ms),
            )
            try:
                if make_safe is not None:
                    make_safe()
            finally:
                if self.on_death is not None:
                    # The kind of error only: its text could hold what no record may (law 7).
                    kind = "ended" if task.error is None else type(task.error).__name__
                    self.on_death(name, kind)

        self._tasks[name] = self._loop.spawn(make(), name, ended)
