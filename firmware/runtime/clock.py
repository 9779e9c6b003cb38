"""The one place where ticks become a clock that never wraps; the port behind which wall time lies.

Monotonic time is integer milliseconds. Wall time is for schedules, validity and records only; what is
believed of it is `firmware.runtime.site_time`, which users take from here.
"""

from firmware.runtime.site_time import HOLDOVER as HOLDOVER
from firmware.runtime.site_time import LEAP_MS as LEAP_MS
from firmware.runtime.site_time import TRUSTED as TRUSTED
from firmware.runtime.site_time import UNTRUSTED as UNTRUSTED
from firmware.runtime.site_time import SiteTime as SiteTime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
        ticks: int = self._ticks.ticks_ms()
        period: int = self._ticks.period_ms
        if not period:
            return ticks
        self._now_ms += (ticks - self._last_ticks) % period
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


class WallClock:
    """Port: where wall time comes from."""

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as the platform believes."""
        raise NotImplementedError

    def vouched(self) -> bool:
        """Whether a source (NTP, an RTC that kept running) stands behind it now."""
        raise NotImplementedError

    def second_ms(self) -> "int | None":
        """What a source says that had no part in the last step; None: there is none."""
        return None

    def offset_s(self, utc_s: int) -> int:
        """The site's zone at `utc_s`: seconds to add for local time."""
        raise NotImplementedError


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
