# portable
"""`firmware.runtime.clock`: ticks that wrap, dates, and a wall clock that jumps."""

from firmware.access import schedule
from firmware.runtime.clock import (
    HOLDOVER,
    TRUSTED,
    UNTRUSTED,
    MonotonicClock,
    SiteTime,
    WallClock,
    iso,
)

PERIOD = 1 << 30  # MicroPython's ticks_ms on most ports
DAY_MS = 86400000
NOON_MS = schedule.day_number("2026-11-21") * DAY_MS + 12 * 3600000


class Ticks:
    """A board's ticks; set by hand."""

    def __init__(self, now: int, period_ms: int) -> None:
        self.now = now
        self.period_ms = period_ms

    def ticks_ms(self) -> int:
        return self.now

    def advance(self, ms: int) -> None:
        self.now += ms
        if self.period_ms:
            self.now %= self.period_ms


# ---- monotonic time --------------------------------------------------------------------------------


def test_ticks_that_wrap_become_a_clock_that_does_not() -> None:
    ticks = Ticks(PERIOD - 10, PERIOD)
    clock = MonotonicClock(ticks)
    start_ms = clock.now_ms()
    passed_ms = 0
    for step_ms in (5, 5, 5, 100, PERIOD // 2 - 1, PERIOD // 2 - 1, PERIOD // 2 - 1, 0, 1):
        ticks.advance(step_ms)
        passed_ms += step_ms
        assert clock.now_ms() - start_ms == passed_ms


def test_a_year_of_wrapping_ticks_loses_no_millisecond() -> None:
    ticks = Ticks(0, PERIOD)
    clock = MonotonicClock(ticks)
    step_ms = 3600000
    for _ in range(365 * 24):
        ticks.advance(step_ms)
        clock.now_ms()
    assert clock.now_ms() == 365 * 24 * step_ms


def test_ticks_without_a_period_are_taken_as_they_are() -> None:
    ticks = Ticks(1000, 0)
    clock = MonotonicClock(ticks)
    ticks.advance(PERIOD * 3)
    assert clock.now_ms() == 1000 + PERIOD * 3
    assert clock.extend(1234) == 1234


def test_an_edge_from_before_the_wrap_keeps_its_time() -> None:
    ticks = Ticks(PERIOD - 30, PERIOD)
    clock = MonotonicClock(ticks)
    start_ms = clock.now_ms()
    ticks.advance(50)
    assert ticks.now == 20
    assert clock.extend(PERIOD - 20) == start_ms + 10
    assert clock.extend(PERIOD - 1) == start_ms + 29
    assert clock.extend(0) == start_ms + 30
    assert clock.extend(20) == start_ms + 50


def test_an_edge_never_lies_ahead_of_now() -> None:
    ticks = Ticks(1000, PERIOD)
    clock = MonotonicClock(ticks)
    assert clock.extend(1003) == clock.now_ms()


# ---- dates -----------------------------------------------------------------------------------------


def test_dates_are_written_as_the_contract_writes_them() -> None:
    known = (
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (951782400000, "2000-02-29T00:00:00.000Z"),
        (951868799999, "2000-02-29T23:59:59.999Z"),
        (951868800000, "2000-03-01T00:00:00.000Z"),
        (1709164800000, "2024-02-29T00:00:00.000Z"),
        (1735689599000, "2024-12-31T23:59:59.000Z"),
        (1735689600000, "2025-01-01T00:00:00.000Z"),
        (1795248902417, "2026-11-21T08:15:02.417Z"),
        (2147483648000, "2038-01-19T03:14:08.000Z"),
        (4107542400000, "2100-03-01T00:00:00.000Z"),
        (4107542399000, "2100-02-28T23:59:59.000Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
    )
    for utc_ms, text in known:
        assert iso(utc_ms) == text, text


def test_every_day_of_seventy_years_is_the_day_that_the_schedules_count() -> None:
    for day in range(0, 70 * 366, 7):
        text = iso(day * DAY_MS)
        assert schedule.day_number(text[:10]) == day, text


# ---- wall time -------------------------------------------------------------------------------------


class Wall(WallClock):
    """A wall clock and the monotonic one beside it; set by hand."""

    def __init__(self, utc_ms: int, sure: bool = True, zone_s: int = 0) -> None:
        self.now = utc_ms
        self.mono = 1000
        self.sure = sure
        self.zone_s = zone_s

    def utc_ms(self) -> int:
        return self.now

    def vouched(self) -> bool:
        return self.sure

    def offset_s(self, utc_s: int) -> int:
        return self.zone_s

    def now_ms(self) -> int:
        return self.mono

    def passes(self, ms: int) -> None:
        self.now += ms
        self.mono += ms


class Site:
    """A `SiteTime` over a `Wall`, and the steps that it told of."""

    def __init__(self, wall: Wall, floor_ms: int = 0) -> None:
        self.wall = wall
        self.time = SiteTime(wall, wall, floor_ms)
        self.steps: list[tuple[int, str]] = []
        self.time.on_step = self.stepped

    def stepped(self, delta_ms: int, quality: str) -> None:
        self.steps.append((delta_ms, quality))

    def utc_s(self) -> int:
        moment = self.time.moment(self.wall.mono)
        assert moment.ms == self.wall.mono
        utc_s: int = moment.utc_s
        return utc_s

    def quality(self) -> str:
        moment = self.time.moment(self.wall.mono)
        found = self.time.quality()
        assert moment.trusted == (found != UNTRUSTED)
        return found


def test_a_clock_with_a_source_is_trusted() -> None:
    site = Site(Wall(NOON_MS + 417, zone_s=8 * 3600))
    moment = site.time.moment(1000)
    assert tuple(moment) == (1000, NOON_MS // 1000, NOON_MS // 1000 + 8 * 3600, True)
    assert (site.quality(), site.steps) == (TRUSTED, [])


def test_a_clock_that_drifts_has_not_been_set() -> None:
    site = Site(Wall(NOON_MS))
    for drift_ms in (2000, -2000, 1, 0):
        site.wall.passes(60000)
        site.wall.now += drift_ms
        site.utc_s()
    assert site.steps == []


def test_a_clock_that_is_set_is_told_with_how_far() -> None:
    site = Site(Wall(NOON_MS))
    site.wall.passes(60000)
    site.wall.now += 2001
    site.utc_s()
    site.wall.passes(60000)
    site.wall.now -= 3600000
    site.utc_s()
    assert site.steps == [(2001, TRUSTED), (-3600000, TRUSTED)]


def test_a_clock_that_jumps_back_does_not_pass_what_was_seen() -> None:
    site = Site(Wall(NOON_MS))
    site.wall.passes(60000)
    seen_s = site.utc_s()
    site.wall.now -= 3600000
    assert site.utc_s() == seen_s
    site.wall.passes(3599000)
    assert site.utc_s() == seen_s
    site.wall.passes(2000)
    assert site.utc_s() == seen_s + 1


def test_time_goes_on_while_the_clock_stands_more_than_a_day_behind() -> None:
    site = Site(Wall(NOON_MS, zone_s=3600))
    site.wall.passes(60000)
    seen_s = site.utc_s()
    site.wall.now -= 10 * DAY_MS
    site.wall.passes(1000)
    assert site.utc_s() == seen_s + 1
    site.wall.passes(11 * DAY_MS)
    assert site.utc_s() == seen_s + 1 + 11 * 86400
    local_s = (NOON_MS + 61000 + DAY_MS) // 1000 + 3600
    assert site.time.moment(site.wall.mono).local_s == local_s  # schedules follow the clock
    assert site.time.behind
    assert site.time.floor_ms == NOON_MS + 61000 + 11 * DAY_MS
    site.wall.now += 10 * DAY_MS  # set right: nothing was gained
    assert (site.quality(), site.utc_s()) == (TRUSTED, seen_s + 1 + 11 * 86400)


def test_a_day_behind_waits_and_more_than_a_day_does_not() -> None:
    for back_ms, passed_s in ((DAY_MS, 0), (DAY_MS + 1, 3600)):
        site = Site(Wall(NOON_MS))
        site.utc_s()
        site.wall.now -= back_ms
        site.wall.passes(3600000)
        assert site.utc_s() == NOON_MS // 1000 + passed_s


def test_time_goes_on_from_the_last_record_when_the_clock_came_back_days_behind() -> None:
    site = Site(Wall(NOON_MS - 7 * DAY_MS), floor_ms=NOON_MS)
    site.wall.passes(7200000)
    assert site.utc_s() == NOON_MS // 1000 + 7200


def test_the_owner_ends_a_time_that_went_on_without_the_clock() -> None:
    site = Site(Wall(NOON_MS))
    site.utc_s()
    site.wall.now -= 10 * DAY_MS
    site.wall.passes(3600000)
    site.time.confirm(site.wall.now)
    assert site.utc_s() == (NOON_MS - 10 * DAY_MS + 3600000) // 1000


def test_the_last_recorded_time_is_a_floor_from_the_start() -> None:
    site = Site(Wall(NOON_MS - 7 * DAY_MS), floor_ms=NOON_MS)
    assert site.utc_s() == NOON_MS // 1000


def test_a_clock_that_nobody_vouches_for_raises_no_floor() -> None:
    site = Site(Wall(NOON_MS, sure=False))
    site.utc_s()
    site.wall.now -= 3600000
    assert site.utc_s() == NOON_MS // 1000 - 3600


def test_a_clock_that_leaps_ahead_a_day_is_not_believed_and_raises_no_floor() -> None:
    site = Site(Wall(NOON_MS))
    site.utc_s()
    site.wall.now += DAY_MS + 1
    assert site.quality() == UNTRUSTED
    assert site.steps == [(DAY_MS + 1, UNTRUSTED)]
    site.wall.passes(60000)
    assert site.quality() == UNTRUSTED
    site.wall.now -= DAY_MS + 1
    assert site.quality() == TRUSTED
    assert site.utc_s() == (NOON_MS + 60000) // 1000


def test_a_clock_that_steps_ahead_by_a_day_or_less_is_believed() -> None:
    site = Site(Wall(NOON_MS))
    site.utc_s()
    site.wall.now += DAY_MS
    assert site.quality() == TRUSTED
    assert site.utc_s() == (NOON_MS + DAY_MS) // 1000


def test_a_leap_that_is_only_partly_taken_back_is_still_not_believed() -> None:
    site = Site(Wall(NOON_MS))
    site.utc_s()
    site.wall.now += 30 * DAY_MS
    site.utc_s()
    site.wall.now -= 20 * DAY_MS
    assert site.quality() == UNTRUSTED


def test_a_first_reading_far_ahead_of_the_last_record_is_not_believed() -> None:
    assert Site(Wall(NOON_MS + 401 * DAY_MS), floor_ms=NOON_MS).quality() == UNTRUSTED
    assert Site(Wall(NOON_MS + 399 * DAY_MS), floor_ms=NOON_MS).quality() == TRUSTED
    assert Site(Wall(NOON_MS), floor_ms=0).quality() == TRUSTED


def test_a_clock_that_lost_its_source_is_held_over_for_a_day() -> None:
    site = Site(Wall(NOON_MS))
    site.utc_s()
    site.wall.sure = False
    site.wall.passes(1)
    assert site.quality() == HOLDOVER
    site.wall.passes(DAY_MS - 2)
    assert site.quality() == HOLDOVER
    site.wall.passes(1)
    assert site.quality() == UNTRUSTED
    site.wall.sure = True
    site.wall.passes(1)
    assert site.quality() == TRUSTED


def test_a_clock_that_never_had_a_source_is_untrusted() -> None:
    site = Site(Wall(NOON_MS, sure=False))
    assert site.quality() == UNTRUSTED
    site.wall.passes(60000)
    assert site.quality() == UNTRUSTED


def test_an_edge_gets_the_wall_time_of_its_own_instant() -> None:
    site = Site(Wall(NOON_MS))
    site.wall.passes(5000)
    site.utc_s()
    assert site.time.utc_ms_at(site.wall.mono) == NOON_MS + 5000
    assert site.time.utc_ms_at(site.wall.mono - 40) == NOON_MS + 4960
