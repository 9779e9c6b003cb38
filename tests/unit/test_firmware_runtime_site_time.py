# portable
"""`firmware.runtime.site_time`: what is believed of a clock that leaps, and who may say otherwise."""

from firmware.access import schedule
from firmware.runtime.clock import HOLDOVER, TRUSTED, UNTRUSTED, SiteTime, WallClock

HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS
NOON_MS = schedule.day_number("2026-11-21") * DAY_MS + 12 * HOUR_MS


class Wall(WallClock):
    """A wall clock, a second source, and the monotonic clock beside them; set by hand."""

    def __init__(self, utc_ms: int, sure: bool = True) -> None:
        self.now = utc_ms
        self.mono = 1000
        self.sure = sure
        self.second: int | None = None

    def utc_ms(self) -> int:
        return self.now

    def vouched(self) -> bool:
        return self.sure

    def second_ms(self) -> "int | None":
        return self.second

    def offset_s(self, utc_s: int) -> int:
        return 3600

    def now_ms(self) -> int:
        return self.mono

    def passes(self, ms: int) -> None:
        self.now += ms
        self.mono += ms
        if self.second is not None:
            self.second += ms


class Site:
    """A `SiteTime` over a `Wall`, and the steps that it told of."""

    def __init__(self, wall: Wall, floor_ms: int = 0, lead_ms: int = 0) -> None:
        self.wall = wall
        self.time = SiteTime(wall, wall, floor_ms, lead_ms)
        self.steps: list[tuple[int, str]] = []
        self.time.on_step = lambda delta_ms, quality: self.steps.append((delta_ms, quality))

    def now(self) -> "tuple[int, str]":
        """Seconds since noon, and the quality."""
        moment = self.time.moment(self.wall.mono)
        assert moment.trusted == (self.time.quality() != UNTRUSTED)
        return moment.utc_s - NOON_MS // 1000, self.time.quality()

    def leaps(self, ms: int) -> "tuple[int, str]":
        self.wall.now += ms
        return self.now()


def leapt(ms: int = 30 * DAY_MS) -> Site:
    """A site whose clock has leapt."""
    site = Site(Wall(NOON_MS))
    site.now()
    site.leaps(ms)
    return site


# ---- a leap ----------------------------------------------------------------------------------------


def test_time_goes_on_from_what_was_trusted_while_a_leap_is_not_believed() -> None:
    site = leapt()
    assert site.now() == (0, UNTRUSTED)
    site.wall.passes(90000)
    assert site.now() == (90, UNTRUSTED)
    moment = site.time.moment(site.wall.mono)
    assert moment.local_s == moment.utc_s + 3600
    assert site.time.utc_ms_at(site.wall.mono - 40) == NOON_MS + 89960
    assert site.time.lead_ms == 30 * DAY_MS
    assert site.steps == [(30 * DAY_MS, UNTRUSTED)]


def test_what_went_by_during_a_leap_stays_gone_by() -> None:
    site = leapt()
    site.wall.passes(90000)
    site.now()
    site.leaps(-30 * DAY_MS - 60000)  # set right, a minute slow
    assert site.now() == (90, TRUSTED)


def test_a_clock_that_is_set_back_after_a_leap_is_believed() -> None:
    site = leapt()
    assert site.leaps(-30 * DAY_MS) == (0, TRUSTED)
    assert site.time.lead_ms == 0
    assert site.steps == [(30 * DAY_MS, UNTRUSTED), (-30 * DAY_MS, TRUSTED)]


def test_leaps_of_23_hours_do_not_add_up_within_a_day() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    assert site.leaps(23 * HOUR_MS) == (23 * 3600, TRUSTED)
    site.wall.passes(HOUR_MS)
    assert site.leaps(23 * HOUR_MS) == (24 * 3600, UNTRUSTED)
    site.wall.passes(30 * HOUR_MS)  # and waiting does not help it
    assert site.now() == (54 * 3600, UNTRUSTED)


def test_many_small_steps_are_counted_too() -> None:
    site = Site(Wall(NOON_MS))
    for _ in range(50):
        site.wall.passes(1000)
        site.leaps(HOUR_MS // 2)
    assert site.now()[1] == UNTRUSTED
    assert site.now()[0] <= 24 * 3600 + 50


def test_a_leap_a_day_after_another_one_counts_by_itself() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    site.leaps(23 * HOUR_MS)
    for _ in range(25):
        site.wall.passes(HOUR_MS)
        site.now()
    assert site.leaps(23 * HOUR_MS)[1] == TRUSTED


def test_a_clock_that_comes_back_to_where_it_was_gains_nothing() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    for _ in range(40):
        site.leaps(-10 * DAY_MS)
        assert site.leaps(10 * DAY_MS) == (0, TRUSTED)


def test_a_clock_that_was_held_over_can_leap_too() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    site.wall.sure = False
    site.wall.passes(HOUR_MS)
    assert site.now() == (3600, HOLDOVER)
    site.wall.sure = True
    assert site.leaps(2 * DAY_MS) == (3600, UNTRUSTED)


# ---- a second source -------------------------------------------------------------------------------


def test_a_second_source_that_agrees_makes_a_leap_believed_at_once() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    site.wall.second = NOON_MS + 3 * DAY_MS + 60000
    assert site.leaps(3 * DAY_MS) == (3 * 86400, TRUSTED)
    assert site.steps == [(3 * DAY_MS, TRUSTED)]


def test_a_second_source_that_does_not_agree_changes_nothing() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    for second in (NOON_MS, NOON_MS + 3 * DAY_MS + 60001):
        site.wall.second = second
        assert site.leaps(3 * DAY_MS) == (0, UNTRUSTED)
        site.leaps(-3 * DAY_MS)


def test_a_second_source_that_was_read_after_the_leap_vouches_for_nothing() -> None:
    wall = Wall(NOON_MS + 3 * DAY_MS)
    wall.second = wall.now
    site = Site(wall, NOON_MS, 3 * DAY_MS)
    assert site.now() == (0, UNTRUSTED)


def test_a_second_source_that_was_read_after_a_leap_does_not_vouch_for_the_next_one() -> None:
    wall = Wall(NOON_MS + 30 * DAY_MS)
    wall.second = wall.now
    site = Site(wall, NOON_MS, 30 * DAY_MS)
    assert site.leaps(-30 * DAY_MS) == (0, TRUSTED)
    assert site.leaps(30 * DAY_MS) == (0, UNTRUSTED)


def test_a_witness_within_a_minute_is_believed_and_another_one_is_not() -> None:
    site = leapt()
    assert not site.time.witness(NOON_MS + 30 * DAY_MS - 60001)
    assert not site.time.witness(NOON_MS)
    assert site.now() == (0, UNTRUSTED)
    assert site.time.witness(NOON_MS + 30 * DAY_MS - 60000)
    assert site.now() == (30 * 86400, TRUSTED)
    assert site.steps[-1] == (30 * DAY_MS, TRUSTED)


def test_a_witness_gives_a_board_without_a_source_the_time() -> None:
    site = Site(Wall(NOON_MS, sure=False))
    assert site.now() == (0, UNTRUSTED)
    assert site.time.witness(NOON_MS + 5000)
    site.wall.passes(1000)
    assert site.now() == (1, HOLDOVER)


# ---- the start -------------------------------------------------------------------------------------


def test_a_board_that_starts_in_1970_believes_its_first_source() -> None:
    for floor_ms in (0, NOON_MS - 5 * DAY_MS, NOON_MS - 399 * DAY_MS, NOON_MS + DAY_MS):
        site = Site(Wall(0, sure=False), floor_ms)
        assert site.now()[1] == UNTRUSTED
        site.wall.sure = True
        assert site.leaps(NOON_MS)[1] == TRUSTED, floor_ms
        assert site.steps == [(NOON_MS, TRUSTED)]


def test_a_board_that_starts_in_1970_is_at_its_last_trusted_time() -> None:
    site = Site(Wall(0, sure=False), NOON_MS)
    site.wall.passes(5000)
    moment = site.time.moment(site.wall.mono)
    assert (moment.utc_s, moment.local_s) == (NOON_MS // 1000 + 5, NOON_MS // 1000 + 3605)


def test_a_first_source_far_beyond_or_before_the_last_trusted_time_is_not_believed() -> None:
    for floor_ms in (NOON_MS - 401 * DAY_MS, NOON_MS + DAY_MS + 1):
        site = Site(Wall(0, sure=False), floor_ms)
        site.wall.sure = True
        assert site.leaps(NOON_MS)[1] == UNTRUSTED, floor_ms


def test_what_was_trusted_before_the_start_is_no_gain_after_it() -> None:
    site = Site(Wall(NOON_MS - 10 * HOUR_MS), NOON_MS)
    assert site.now() == (0, TRUSTED)
    assert site.leaps(30 * HOUR_MS) == (20 * 3600, TRUSTED)
    assert site.leaps(4 * HOUR_MS + 1)[1] == UNTRUSTED


def test_an_unbelieved_leap_survives_a_restart_until_the_clock_is_right() -> None:
    lead_ms = leapt(700 * DAY_MS).time.lead_ms
    site = Site(Wall(NOON_MS + 700 * DAY_MS), NOON_MS, lead_ms)
    assert site.now() == (0, UNTRUSTED)
    assert site.leaps(-697 * DAY_MS) == (3 * 86400, TRUSTED)  # three days without power
    assert Site(Wall(NOON_MS + 3 * DAY_MS), NOON_MS, 2 * DAY_MS).now()[1] == UNTRUSTED


# ---- the owner -------------------------------------------------------------------------------------


def test_the_owner_can_confirm_a_leap() -> None:
    site = leapt()
    assert site.time.confirm(NOON_MS + 30 * DAY_MS) == 30 * DAY_MS
    assert site.now() == (30 * 86400, TRUSTED)
    site.wall.passes(60000)
    assert site.now() == (30 * 86400 + 60, TRUSTED)


def test_the_owner_moves_the_time_and_its_floor_back() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    site.leaps(20 * HOUR_MS)
    assert site.now() == (20 * 3600, TRUSTED)
    assert site.time.confirm(NOON_MS) == -20 * HOUR_MS
    assert site.time.floor_ms == NOON_MS
    site.wall.passes(60000)  # the wall clock still says otherwise, and nobody set it anew
    assert site.now() == (60, HOLDOVER)
    assert site.leaps(-20 * HOUR_MS) == (60, TRUSTED)


def test_the_owners_time_lasts_a_day_without_a_source_that_agrees() -> None:
    site = Site(Wall(0, sure=False))
    site.time.confirm(NOON_MS)
    site.wall.passes(DAY_MS - 1)
    assert site.now() == (86399, HOLDOVER)
    site.wall.passes(1)
    assert site.now() == (86400, UNTRUSTED)


def test_a_source_that_comes_after_the_owner_is_believed_within_a_day_of_the_owners_time() -> None:
    for off_ms, quality in ((HOUR_MS, TRUSTED), (-DAY_MS, TRUSTED), (2 * DAY_MS, HOLDOVER)):
        site = Site(Wall(0, sure=False))
        site.time.confirm(NOON_MS)
        site.wall.passes(60000)
        site.now()
        site.wall.sure = True
        assert site.leaps(NOON_MS + off_ms)[1] == quality, off_ms


def test_the_owner_sets_the_clock_after_a_leap_that_nobody_takes_back() -> None:
    site = leapt()
    site.time.confirm(NOON_MS + 5000)
    site.wall.passes(1000)
    assert site.now() == (6, HOLDOVER)
    assert site.time.lead_ms == 0


# ---- what is told ----------------------------------------------------------------------------------


def test_losing_and_finding_trust_is_told_though_nobody_set_the_clock() -> None:
    site = Site(Wall(NOON_MS))
    site.now()
    site.wall.sure = False
    site.wall.passes(DAY_MS)
    site.now()
    site.wall.sure = True
    site.wall.passes(1000)
    site.now()
    assert site.steps == [(0, UNTRUSTED), (0, TRUSTED)]
