"""Wall time from the operating system, with its zone, and whether a source stands behind it."""

import ctypes
import time
import zoneinfo

from firmware.runtime.clock import WallClock

_ASK_MS = 10_000  #: how long an answer of the kernel is good
_TIME_ERROR = 5  #: adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 256  #: struct timex is 208 bytes on 64-bit Linux; all zeros asks and sets nothing


class SystemWall(WallClock):
    """The system's clock.

    timezone  str   of the tz database
    rtc       bool  a clock chip kept the time while the power was away
    """

    def __init__(self, timezone: str, rtc: bool) -> None:
        self._zone = zoneinfo.ZoneInfo(timezone)
        self._rtc = rtc
        self._asked_ns: int | None = None
        self._synchronised = False

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def vouched(self) -> bool:
        """Whether an RTC is fitted or the kernel's clock is disciplined (adjtimex)."""
        if self._rtc:
            return True
        now_ns = time.monotonic_ns()
        if self._asked_ns is None or now_ns - self._asked_ns > _ASK_MS * 1_000_000:
            self._asked_ns = now_ns
            self._synchronised = _kernel_synchronised()
        return self._synchronised

    def offset_s(self, utc_s: int) -> int:
        """The zone's offset at `utc_s`, daylight saving included."""
        return offset_s(self._zone, utc_s)


def offset_s(zone: zoneinfo.ZoneInfo, utc_s: int) -> int:
    """Seconds to add to `utc_s` for local time in `zone`."""
    import datetime

    at = datetime.datetime.fromtimestamp(utc_s, datetime.UTC)
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _kernel_synchronised() -> bool:
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return bool(0 <= state < _TIME_ERROR)
