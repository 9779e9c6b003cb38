"""Wall time from the operating system, with its zone, and whether a source stands behind it.

The clock chip (RTC) is read once, when the process starts, and carried on by the monotonic clock: the
kernel sets the chip by what a time server says, so a later reading would let a bad answer vouch for itself.
"""

import ctypes
import os
import time
import zoneinfo

from firmware.runtime.clock import WallClock

_ASK_MS = 10_000  #: how long an answer of the kernel is good
_TIME_ERROR = 5  #: adjtimex(2): the clock is not synchronised
_RTC = "/sys/class/rtc/rtc0/since_epoch"
_RTC_SINCE_S = 1_735_689_600  #: 2025-01-01: a chip that says less has lost its battery
_AGREE_S = 60
_TIMEX_BYTES = 256  #: struct timex is 208 bytes on 64-bit Linux; all zeros asks and sets nothing


class SystemWall(WallClock):
    """The system's clock.

    timezone  str   of the tz database
    rtc       bool  a clock chip keeps the time while the power is away; one that cannot be read, or whose
                    battery is empty, counts as none
    chip      path  where the kernel tells the chip's time
    """

    def __init__(self, timezone: str, rtc: bool, chip: str | os.PathLike[str] = _RTC) -> None:
        self._zone = zoneinfo.ZoneInfo(timezone)
        chip_s = _chip_s(chip) if rtc else None
        self._second_ahead_ms = None if chip_s is None else chip_s * 1000 - _monotonic_ms()
        # A chip that says another time than the system's clock kept something, but not this.
        self._chip_kept = chip_s is not None and abs(time.time() - chip_s) <= _AGREE_S
        self._asked_ns: int | None = None
        self._synchronised = False
        self._offset: tuple[int | None, int] = (
            None,
            0,
        )  # the last minute asked for, and its offset

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def vouched(self) -> bool:
        """Whether an RTC kept the time or the kernel's clock is disciplined (adjtimex)."""
        if self._chip_kept:
            return True
        now_ns = time.monotonic_ns()
        if self._asked_ns is None or now_ns - self._asked_ns > _ASK_MS * 1_000_000:
            self._asked_ns = now_ns
            self._synchronised = _kernel_synchronised()
        return self._synchronised

    def second_ms(self) -> int | None:
        """What the RTC said when the process started, carried on."""
        if self._second_ahead_ms is None:
            return None
        return _monotonic_ms() + self._second_ahead_ms

    def offset_s(self, utc_s: int) -> int:
        """The zone's offset at `utc_s`, daylight saving included; it changes with a whole minute."""
        minute = utc_s // 60
        if minute != self._offset[0]:
            self._offset = (minute, offset_s(self._zone, utc_s))
        return self._offset[1]


def offset_s(zone: zoneinfo.ZoneInfo, utc_s: int) -> int:
    """Seconds to add to `utc_s` for local time in `zone`."""
    import datetime

    at = datetime.datetime.fromtimestamp(utc_s, datetime.UTC)
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _monotonic_ms() -> int:
    # Unlike the system's clock nobody sets it; unlike CLOCK_MONOTONIC it also runs while the board sleeps.
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _chip_s(chip: str | os.PathLike[str]) -> int | None:
    try:
        with open(chip, encoding="ascii") as file:
            utc_s = int(file.read())
    except (OSError, ValueError):
        return None
    return utc_s if utc_s >= _RTC_SINCE_S else None


def _kernel_synchronised() -> bool:
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return bool(0 <= state < _TIME_ERROR)
