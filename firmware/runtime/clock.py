"""The one place where ticks become a clock that never wraps, and wall time gets a quality.

Monotonic time is integer milliseconds. Wall time is for schedules, validity and records only.
"""

from firmware.access.credential import Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TRUSTED = "trusted"  #: a source (NTP, an RTC) vouches for it
HOLDOVER = "holdover"  #: was trusted within the last day; runs on its own
UNTRUSTED = "untrusted"  #: booted with no source, or leapt ahead by more than `LEAP_MS`

STEP_MS = 2000  #: a wall clock that differs by more from what was expected has been set
LEAP_MS = 86400000  #: a step forward of more is not believed
HOLDOVER_MS = 86400000


class MonotonicClock:
    """Milliseconds that never wrap, over a board's `Ticks` (which may).

    Must be read at least once every half period of the ticks.
    """

    def __init__(self, ticks: "Any") -> None:
        self._ticks = ticks
        self._last_ticks = ticks.ticks_ms()
        self._now_ms: int = self._last_ticks

    def now_ms(self) -> int:
        """Milliseconds since some start before the first reading."""
        ticks = self._ticks.ticks_ms()
        self._now_ms += self._since(ticks)
        self._last_ticks = ticks
        return self._now_ms

    def extend(self, ticks: int) -> int:
        """The time of an edge that was stamped with `ticks` less than half a period ago."""
        period: int = self._ticks.period_ms
        if not period:
            return ticks
        now_ms = self.now_ms()
        behind: int = (self._last_ticks - ticks) % period
        return now_ms - behind if behind < period // 2 else now_ms

    def _since(self, ticks: int) -> int:
        period: int = self._ticks.period_ms
        passed: int = ticks - self._last_ticks
        return passed % period if period else passed


class WallClock:
    """Port: where wall time comes from."""

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as the platform believes."""
        raise NotImplementedError

    def vouched(self) -> bool:
        """Whether a source (NTP, an RTC that kept running) stands behind it now."""
        raise NotImplementedError

    def offset_s(self, utc_s: int) -> int:
        """The site's zone at `utc_s`: seconds to add for local time."""
        raise NotImplementedError


class SiteTime:
    """Wall time with a quality, and a lower bound that a clock set back cannot pass.

    ``on_step`` is told of every step as (delta_ms, quality).
    """

    def __init__(self, wall: WallClock, clock: "Any", floor_ms: int, leapt: bool = False) -> None:
        self._wall = wall
        self._clock = clock
        self._floor_ms = floor_ms
        self._mono_ms = clock.now_ms()
        self._utc_ms = wall.utc_ms()
        self._vouched_ms: int | None = self._mono_ms if wall.vouched() else None
        # A leap that was not believed before a restart is not believed after it; neither is a first
        # reading that lies further ahead of the last trusted record than any outage.
        self._leapt = leapt or bool(floor_ms) and self._utc_ms - floor_ms > 400 * LEAP_MS
        self.on_step: Callable[[int, str], None] | None = None

    @property
    def floor_ms(self) -> int:
        """The latest trusted UTC time that is known, milliseconds; 0: none."""
        return self._floor_ms

    @property
    def leapt(self) -> bool:
        """Whether it leapt ahead by more than anybody believes; kept over a restart."""
        return self._leapt

    @property
    def behind(self) -> bool:
        """Whether the wall clock was set back to before it: records alone no longer tell of it."""
        return self._utc_ms < self._floor_ms

    def quality(self) -> str:
        """TRUSTED, HOLDOVER or UNTRUSTED."""
        if self._leapt or self._vouched_ms is None:
            return UNTRUSTED
        if self._mono_ms == self._vouched_ms:
            return TRUSTED
        return HOLDOVER if self._mono_ms - self._vouched_ms < HOLDOVER_MS else UNTRUSTED

    def moment(self, now_ms: int) -> Moment:
        """Now, for a decision. Never before a trusted time that was seen, so an ended key stays ended."""
        utc_ms = self._read(now_ms)
        quality = self.quality()
        if quality == TRUSTED and utc_ms > self._floor_ms:
            self._floor_ms = utc_ms
        utc_s = utc_ms // 1000
        return Moment(
            now_ms,
            max(utc_s, self._floor_ms // 1000),
            utc_s + self._wall.offset_s(utc_s),
            quality != UNTRUSTED,
        )

    def utc_ms_at(self, at_ms: int) -> int:
        """The wall time of a monotonic instant, by what was read last."""
        utc_ms: int = self._utc_ms + at_ms - self._mono_ms
        return utc_ms

    def _read(self, now_ms: int) -> int:
        utc_ms = self._wall.utc_ms()
        delta_ms = utc_ms - (self._utc_ms + now_ms - self._mono_ms)
        self._utc_ms = utc_ms
        self._mono_ms = now_ms
        if self._wall.vouched():
            self._vouched_ms = now_ms
        if abs(delta_ms) > STEP_MS:
            if delta_ms > LEAP_MS:
                self._leapt = True
            elif self._leapt and utc_ms < self._floor_ms + LEAP_MS:
                self._leapt = False
            if self.on_step is not None:
                self.on_step(delta_ms, self.quality())
        return utc_ms


def iso(utc_ms: int) -> str:
    """A UTC time as the contract writes it: ``2026-11-21T08:15:02.417Z``."""
    days, rest_ms = divmod(utc_ms, 86400000)
    seconds, ms = divmod(rest_ms, 1000)
    # Days to a date, the count begun on 1 March of year 0 (proleptic Gregorian).
    days += 719468
    era, day_of_era = divmod(days, 146097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (
        year,
        month,
        day,
        seconds // 3600,
        seconds // 60 % 60,
        seconds % 60,
        ms,
    )
