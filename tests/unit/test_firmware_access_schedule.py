# portable
"""`firmware.access.schedule`: hours to the second, over midnight, on holidays; days to a date."""

from firmware.access import schedule
from firmware.access.schedule import DAY_S, HOLIDAY, Hours, covers, day_number, parse

HOUR_S = 3600
MON = day_number("2026-11-16")  # a Monday
TUE, WED, THU, FRI, SAT, SUN = (MON + i for i in range(1, 7))


def at(day: int, clock: str) -> int:
    """Local seconds of a time such as 08:00:00 on a day."""
    hour, minute, second = clock.split(":")
    return day * DAY_S + int(hour) * HOUR_S + int(minute) * 60 + int(second)


def holds(text: str, day: int, clock: str, holidays: "list[int] | None" = None) -> bool:
    return covers(parse(text), holidays or [], at(day, clock))


def refused(text: str, date: bool = False) -> str:
    try:
        if date:
            day_number(text)
        else:
            parse(text)
    except ValueError as error:
        return str(error)
    raise AssertionError("taken: " + text)


def test_hours_begin_with_their_first_second_and_end_before_their_last() -> None:
    assert not holds("mon-fri 08:00-12:00", MON, "07:59:59")
    assert holds("mon-fri 08:00-12:00", MON, "08:00:00")
    assert holds("mon-fri 08:00-12:00", MON, "11:59:59")
    assert not holds("mon-fri 08:00-12:00", MON, "12:00:00")


def test_hours_hold_on_their_days_only() -> None:
    days = [holds("mon-fri 08:00-12:00", MON + i, "09:00:00") for i in range(7)]
    assert days == [True] * 5 + [False] * 2
    days = [holds("sat,tue 08:00-12:00", MON + i, "09:00:00") for i in range(7)]
    assert days == [False, True, False, False, False, True, False]


def test_a_range_of_days_may_go_over_the_weekend() -> None:
    days = [holds("fri-mon 08:00-12:00", MON + i, "09:00:00") for i in range(7)]
    assert days == [True, False, False, False, True, True, True]


def test_a_range_from_a_day_to_itself_is_that_day() -> None:
    assert parse("wed-wed 08:00-09:00") == [Hours(2, 8 * HOUR_S, 9 * HOUR_S)]


def test_a_day_ends_at_24_00() -> None:
    assert holds("mon 00:00-24:00", MON, "00:00:00")
    assert holds("mon 00:00-24:00", MON, "23:59:59")
    assert not holds("mon 00:00-24:00", TUE, "00:00:00")
    assert not holds("mon 00:00-24:00", SUN, "23:59:59")


def test_hours_over_midnight_end_on_the_next_day() -> None:
    text = "fri 22:00-06:00"
    assert not holds(text, FRI, "05:59:59")
    assert not holds(text, FRI, "21:59:59")
    assert holds(text, FRI, "22:00:00")
    assert holds(text, SAT, "00:00:00")
    assert holds(text, SAT, "05:59:59")
    assert not holds(text, SAT, "06:00:00")
    assert not holds(text, SAT, "22:00:00")


def test_a_night_from_sunday_ends_on_monday() -> None:
    assert holds("sun 22:00-06:00", MON, "05:59:59")
    assert not holds("sun 22:00-06:00", MON, "06:00:00")


def test_hours_that_end_at_midnight_leave_the_next_day_alone() -> None:
    assert holds("mon 22:00-00:00", MON, "23:59:59")
    assert not holds("mon 22:00-00:00", TUE, "00:00:00")


def test_hours_from_a_time_to_itself_last_a_day() -> None:
    assert holds("mon 08:00-08:00", TUE, "07:59:59")
    assert not holds("mon 08:00-08:00", TUE, "08:00:00")


def test_a_holiday_has_its_own_hours_only() -> None:
    assert not holds("mon-fri 08:00-12:00", WED, "09:00:00", [WED])
    assert holds("mon-fri 08:00-12:00", THU, "09:00:00", [WED])
    assert holds("hol 08:00-12:00", WED, "09:00:00", [WED])
    assert not holds("hol 08:00-12:00", WED, "09:00:00")
    assert holds("sat,sun,hol 08:00-12:00", WED, "09:00:00", [WED])


def test_daily_hours_hold_on_holidays_too() -> None:
    assert holds("daily 08:00-12:00", WED, "09:00:00", [WED])
    assert holds("daily 08:00-12:00", WED, "09:00:00")


def test_a_night_that_begins_on_a_holiday_ends_on_the_morning_after() -> None:
    text = "hol 22:00-06:00"
    assert not holds(text, WED, "05:59:59", [WED])
    assert holds(text, WED, "22:00:00", [WED])
    assert holds(text, THU, "05:59:59", [WED])
    assert not holds(text, THU, "06:00:00", [WED])
    assert not holds(text, THU, "22:00:00", [WED])


def test_a_night_before_a_holiday_lasts_until_its_morning() -> None:
    assert holds("tue 22:00-06:00", WED, "05:59:59", [WED])
    assert not holds("tue 22:00-06:00", WED, "06:00:00", [WED])


def test_no_hours_never_hold() -> None:
    assert not covers([], [], at(MON, "09:00:00"))


def test_case_and_space_around_do_not_matter() -> None:
    assert parse("  Mon-FRI 08:00-12:00 ") == parse("mon-fri 08:00-12:00")


def test_a_day_named_twice_counts_once() -> None:
    assert parse("mon,mon-tue 08:00-09:00") == parse("mon-tue 08:00-09:00")


def test_hours_that_are_not_clear_are_refused_with_what_was_expected() -> None:
    expected = 'hours "%s" are not clear; expected such as "mon-fri 08:00-12:00"'
    for text in ("", "always", "mon-fri", "08:00-12:00", "mon 08:00 12:00", "mon 08:00 - 12:00"):
        assert refused(text) == expected % text, text


def test_a_day_that_does_not_exist_is_named() -> None:
    expected = 'day "%s" in hours "%s" is unknown; expected mon..sun, hol'
    for word in ("mo", "mon-", "-fri", "funday", "mon-hol", "hol-mon", "mon-fri-sun", ""):
        text = "%s 08:00-12:00" % word if word else "mon, 08:00-12:00"
        assert refused(text) == expected % (word, text), text


def test_a_time_that_does_not_exist_is_named() -> None:
    expected = 'time "%s" in "%s" is none; expected HH:MM'
    for word in ("8:00", "08:60", "24:01", "25:00", "0800", "08:0", "ab:cd", "08:00:00", "+8:00"):
        text = "mon %s-12:00" % word
        assert refused(text) == expected % (word, text), text
        text = "mon 06:00-%s" % word
        assert refused(text) == expected % (word, text), text


def test_hours_cannot_begin_at_24_00() -> None:
    text = "mon 24:00-06:00"
    assert refused(text) == 'hours "%s" begin at 24:00; expected 00:00 to 23:59' % text


def test_days_are_counted_from_1970_over_leap_years() -> None:
    known = (
        ("1970-01-01", 0),
        ("1970-12-31", 364),
        ("1972-02-29", 789),
        ("1999-12-31", 10956),
        ("2000-02-29", 11016),
        ("2000-03-01", 11017),
        ("2024-02-29", 19782),
        ("2026-11-21", 20778),
        ("2100-02-28", 47540),
        ("2100-03-01", 47541),
        ("2399-12-31", 157053),
    )
    for text, days in known:
        assert day_number(text) == days, text


def test_every_day_from_2024_to_2029_follows_the_one_before() -> None:
    number = day_number("2024-01-01")
    for year in range(2024, 2030):
        for month in range(1, 13):
            days = (31, 29 if year in (2024, 2028) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
            for day in range(1, days[month - 1] + 1):
                assert day_number("%04d-%02d-%02d" % (year, month, day)) == number
                number += 1


def test_the_leap_day_is_a_day_of_the_week_like_any_other() -> None:
    leap = day_number("2028-02-29")  # a Tuesday
    assert holds("tue 08:00-12:00", leap, "08:00:00")
    assert not holds("wed 08:00-12:00", leap, "08:00:00")
    assert holds("wed 08:00-12:00", leap + 1, "08:00:00")


def test_a_date_that_does_not_exist_is_named() -> None:
    for text in (
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "1969-12-31",
        "2400-01-01",
        "2026-1-01",
        "2026-1-001",
        "26-11-21",
        "2026/11/21",
        "20261121",
        "",
    ):
        assert refused(text, True) == 'date "%s" is none; expected YYYY-MM-DD' % text, text


def test_the_holiday_comes_after_the_seven_days() -> None:
    assert schedule.DAYS[HOLIDAY] == "hol"
    assert len(schedule.DAYS) == 8


def test_a_minute_of_the_site_is_its_local_second() -> None:
    assert schedule.local_second("1970-01-02T00:01") == 86460
    assert schedule.local_second("2028-02-29T23:59") == day_number("2028-03-01") * 86400 - 60
    assert schedule.second_of_day("04:30") == 16200
    for text in ("2028-02-29", "2028-02-30T10:00", "2028-02-29T25:00", ""):
        try:
            schedule.local_second(text)
        except ValueError:
            continue
        raise AssertionError(text)
