"""Fakes of the two clocks: the board's ticks and the clock on the wall. Portable."""

from firmware.runtime.clock import WallClock
from hal.ports import Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


ANSWER_MS = 3000  #: from power and network to the first answer of a time server
KERNEL_MS = 32000000  #: how long the kernel takes its clock for synchronised without an answer


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
    rtc   bool             a clock chip keeps the time while the power is away

    Begins with a source behind it. Without a chip the clock stands still while the power is away (as where
    the system remembers when it was last seen alive) and nobody vouches for it until a time server
    answers, `ANSWER_MS` after there is power and network; without a network the kernel vouches for what a
    server once said for `KERNEL_MS`. With a chip somebody always vouches for it, and what it said at the
    start, carried on, is the second source. Whoever sets the clock sets what the sources say as well, but
    for a clock that nobody vouches for: that one is right again with the next answer.
    It drifts as `drift` says, the chip does not. Does not imitate: NTP that slews, an RTC whose battery is
    empty.
    """

    def __init__(
        self,
        clock: "Any",
        start_utc_ms: int,
        zone: "str | Callable[[int], int]" = "UTC",
        rtc: bool = True,
    ) -> None:
        self._clock = clock
        self._ahead_ms = start_utc_ms - clock.now_ms()
        self._true_ahead_ms = self._ahead_ms  # what a source would say
        self._second_ahead_ms = self._ahead_ms
        self._offset_s = zone_offset(zone) if isinstance(zone, str) else zone
        self._rtc = rtc
        self._power = self._network = True
        self._stopped_ms = 0  # when the power went
        self._answered = True
        self._answers_ms = clock.now_ms()  # when a server answers, while there is a network
        self._cut_ms = 0  # when the network went
        self._drift_ppm = self._drifts_ms = 0  # by how much it drifts, since when
        #: bool  False: nobody ever vouches for it
        self.trusted = True

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        self._ask()
        utc_ms: int = self._clock.now_ms() + self._ahead_ms
        if self._drift_ppm:
            utc_ms += self._drifted_ms()
        return utc_ms

    def vouched(self) -> bool:
        """Whether a source stands behind it."""
        if self._rtc or not self.trusted:
            return self.trusted
        self._ask()
        if not self._answered:
            return False
        known: bool = self._network or self._clock.now_ms() - self._cut_ms < KERNEL_MS
        return known

    def second_ms(self) -> "int | None":
        """What the chip said at the last start, carried on."""
        if not self._rtc:
            return None
        second_ms: int = self._clock.now_ms() + self._second_ahead_ms
        return second_ms

    def offset_s(self, utc_s: int) -> int:
        """Seconds to add for local time."""
        return self._offset_s(utc_s)

    def set_power(self, on: bool) -> None:
        """The board loses its power, or starts."""
        if on == self._power:
            return
        self._ask()
        self._power = on
        now_ms = self._clock.now_ms()
        if not on:
            self._stopped_ms = now_ms
            return
        if not self._rtc:
            self._ahead_ms -= now_ms - self._stopped_ms
            self._answered = False
            self._answers_ms = now_ms + ANSWER_MS
        self._second_ahead_ms = self._ahead_ms

    def set_network(self, on: bool) -> None:
        """The network goes, or comes."""
        if on == self._network:
            return
        self._ask()
        self._network = on
        self._cut_ms = self._clock.now_ms()
        self._answers_ms = self._cut_ms + ANSWER_MS

    def set_utc_ms(self, utc_ms: int) -> None:
        """Set the clock."""
        self._ask()
        self.drift(self._drift_ppm)
        self._ahead_ms = utc_ms - self._clock.now_ms()
        if self.vouched():
            self._true_ahead_ms = self._ahead_ms

    def jump_ms(self, delta_ms: int) -> None:
        """Put the clock forward, or back."""
        self.set_utc_ms(self.utc_ms() + delta_ms)

    def drift(self, ppm: int) -> None:
        """From now on it gains so many millionths, or loses them."""
        now_ms = self._clock.now_ms()
        self._ahead_ms += self._drifted_ms()
        self._drift_ppm, self._drifts_ms = ppm, now_ms

    def _drifted_ms(self) -> int:
        drifted_ms: int = (self._clock.now_ms() - self._drifts_ms) * self._drift_ppm // 1000000
        return drifted_ms

    def step(self, utc_ms: "int | None", jump_ms: "int | None") -> None:
        """One of the two, as `sim.world.World.on_clock` tells it."""
        if utc_ms is not None:
            self.set_utc_ms(utc_ms)
        if jump_ms is not None:
            self.jump_ms(jump_ms)

    def _ask(self) -> None:
        """Take a time server's answer, if one came meanwhile."""
        if self._answered or not (self._power and self._network):
            return
        if self._clock.now_ms() >= self._answers_ms:
            self._answered = True
            self._drifts_ms = self._clock.now_ms()
            self._ahead_ms = self._true_ahead_ms


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
