# portable
"""`sim.fake_watchdog` keeps the contract of a watchdog."""

from watchdog_checks import WatchdogChecks

from firmware.runtime import aio
from sim.fake_watchdog import FakeWatchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import Watchdog


class Fake(WatchdogChecks):
    def open(self) -> "Watchdog":
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))
        self.bitten = False
        self.watchdog = FakeWatchdog(self.loop, 3000, self.bite)
        return self.watchdog

    def bite(self) -> None:
        self.bitten = True

    def pets(self) -> int:
        return self.watchdog.pets

    def runs(self) -> bool:
        self.loop.run(aio.sleep_ms(3000))
        return self.bitten

    def break_(self) -> None:
        self.watchdog.broken = True


CHECKS = [name for name in sorted(dir(Fake)) if name.startswith("test_")]


def test_the_fake_keeps_the_contract() -> None:
    assert len(CHECKS) == 5
    for name in CHECKS:
        getattr(Fake(), name)()
