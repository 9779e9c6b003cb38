"""Fakes of the two clocks: the board's ticks and the clock on the wall. Portable."""

from firmware.runtime.clock import WallClock
from hal.ports import Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class FakeTicks(Ticks):
    """Milliseconds of `clock` since `started_ms`.

    Does not imitate: ticks that wrap (``period_ms`` is 0), a crystal that drifts.
    """

    def __init__(self, clock: "Any", started_ms: int = 0) -> None:
        self._clock = clock
        self.started_ms = started_ms

    def ticks_ms(self) -> int:
        """Milliseconds since the start."""
        ticks: int = self._clock.now_ms() - self.started_ms
        return ticks

    def restart(self) -> None:
        """Count from 0 again, as a board does when it boots."""
        self.started_ms = self._clock.now_ms()


class FakeWall(WallClock):
    """Wall time that runs with `clock` from `start_utc_ms` and can be set.

    zone  str | callable   name of a zone (CPython only), or UTC seconds -> seconds to add for local time

    ``trusted`` is what `vouched` answers: True, as with an RTC that keeps running through a power cut.
    Does not imitate: drift, NTP that slews, an RTC whose battery is empty.
    """

    def __init__(
        self, clock: "Any", start_utc_ms: int, zone: "str | Callable[[int], int]" = "UTC"
    ) -> None:
        self._clock = clock
        self._ahead_ms = start_utc_ms - clock.now_ms()
        self._offset_s = zone_offset(zone) if isinstance(zone, str) else zone
        self.trusted = True

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        utc_ms: int = self._clock.now_ms() + self._ahead_ms
        return utc_ms

    def vouched(self) -> bool:
        """Whether a source stands behind it."""
        return self.trusted

    def offset_s(self, utc_s: int) -> int:
        """Seconds to add for local time."""
        return self._offset_s(utc_s)

    def set_utc_ms(self, utc_ms: int) -> None:
        """Set the clock."""
        self._ahead_ms = utc_ms - self._clock.now_ms()

    def jump_ms(self, delta_ms: int) -> None:
        """Put the clock forward, or back."""
        self._ahead_ms += delta_ms

    def step(self, utc_ms: "int | None", jump_ms: "int | None") -> None:
        """One of the two, as `sim.world.World.on_clock` tells it."""
        if utc_ms is not None:
            self.set_utc_ms(utc_ms)
        if jump_ms is not None:
            self.jump_ms(jump_ms)


def zone_offset(name: str) -> "Callable[[int], int]":
    """UTC seconds -> seconds to add for local time in the zone `name`. CPython only."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(name)
    span: list[int] = [0, 0, 0]  # the hour last asked for, and its answer

    def offset_s(utc_s: int) -> int:
        # No zone changes within a quarter of an hour of UTC, and decisions ask often.
        quarter = utc_s // 900
        if span[2] == 0 or span[0] != quarter:
            offset = datetime.fromtimestamp(quarter * 900, zone).utcoffset()
            span[0], span[1], span[2] = quarter, int(offset.total_seconds()) if offset else 0, 1
        return span[1]

    return offset_s
