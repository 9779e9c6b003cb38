"""Port `Watchdog` on the desk and in virtual time: bites by calling somebody.

Does not imitate: a watchdog that cannot be stopped once it runs (nowayout), and what the bitten machine
does then, which is `on_bite`'s.
"""

from firmware.runtime import aio
from hal.errors import DeviceUnavailableError
from hal.ports import Watchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class FakeWatchdog(Watchdog):
    """One watchdog on a loop's clock; `on_bite` is called once, `timeout_ms` after the last `pet`.

    ``pets`` remembers when it was petted, `broken` makes `pet` fail as a device that has gone.
    """

    def __init__(self, loop: aio.Loop, timeout_ms: int, on_bite: "Callable[[], None]") -> None:
        self.timeout_ms = timeout_ms
        self.on_bite = on_bite
        self.broken = False
        #: int  how often it was petted
        self.pets = 0
        self._loop = loop
        self._last_ms = loop.now_ms()
        self._timer: aio.Timer | None = None
        self._arm()

    def pet(self) -> None:
        """See `Watchdog.pet`."""
        if self.broken or self._timer is None:
            raise DeviceUnavailableError("watchdog: does not answer; expected it to be there")
        self.pets += 1
        self._last_ms = self._loop.now_ms()

    def close(self) -> None:
        """See `Watchdog.close`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        # One timer, set anew when it ends: a pet costs nothing.
        self._timer = self._loop.call_at(self._last_ms + self.timeout_ms, self._due)

    def _due(self) -> None:
        if self._loop.now_ms() - self._last_ms < self.timeout_ms:
            self._arm()
            return
        self._timer = None
        self.on_bite()
