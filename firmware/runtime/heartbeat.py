"""Says that the door decides, to every watchdog and to nobody else.

Only the door task calls `beat`, at the end of each of its rounds. A round comes at least once a second
(`controller.IDLE_MS`); so a door task that is dead, waits for ever or computes for ever is silent here,
whatever the other tasks of the loop do, and the watchdogs bite.
"""

from hal.errors import DeviceUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal.ports import Watchdog

EVERY_MS = 500  #: a busy door does not pet more often


class Heartbeat:
    """The heartbeat of one controller.

    watchdogs  list of Watchdog  each petted with every beat; none is fine
    """

    def __init__(self, watchdogs: "list[Watchdog]") -> None:
        self._watchdogs = list(watchdogs)
        self._petted_ms: int | None = None
        self._failed: list[bool] = [False for _ in watchdogs]
        #: callable  told once, at the end of the first round: the controller decides
        self.on_first: Callable[[], None] | None = None
        #: callable (ok, text)  told when a watchdog can no longer be petted, or can again
        self.on_fault: Callable[[bool, str], None] | None = None

    def add(self, watchdog: "Watchdog") -> None:
        """Pet one more from the next beat on."""
        self._watchdogs.append(watchdog)
        self._failed.append(False)

    def beat(self, now_ms: int) -> None:
        """A round of the door task has ended."""
        first = self._petted_ms is None
        if self._petted_ms is not None and 0 <= now_ms - self._petted_ms < EVERY_MS:
            return
        self._petted_ms = now_ms
        for number, watchdog in enumerate(list(self._watchdogs)):
            self._pet(number, watchdog)
        if first and self.on_first is not None:
            self.on_first()

    def _pet(self, number: int, watchdog: "Watchdog") -> None:
        text = "works again"
        try:
            watchdog.pet()
        except DeviceUnavailableError as error:
            text = str(error)
        failed = text != "works again"
        if failed != self._failed[number]:
            self._failed[number] = failed
            if self.on_fault is not None:
                self.on_fault(not failed, text)
