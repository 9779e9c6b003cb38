"""What hours cover: never, always, together, one within the other."""

import pytest

from hal.board_hours import always, cover, either, never_but_on_holidays, overlap, within


@pytest.mark.parametrize(
    ("lines", "holds"),
    [
        (["daily 00:00-24:00"], True),
        (["mon-sun 00:00-24:00"], True),  # holidays have no hours, which does not count
        (["daily 06:00-06:00"], True),  # until the same time of the next day
        (["daily 00:00-12:00", "daily 12:00-24:00"], True),
        (["daily 00:00-23:59"], False),
        (["mon-sat 00:00-24:00"], False),
        (["sun-sat 00:00-24:00"], True),  # round the week
        (["daily 22:00-06:00", "daily 06:00-21:59"], False),
    ],
)
def test_hours_hold_always_only_without_a_gap(lines: list[str], holds: bool) -> None:
    assert always(cover(lines)) is holds


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("mon 08:00-12:00", "mon 12:00-18:00", False),
        ("mon 08:00-12:00", "mon 11:59-18:00", True),
        ("mon 22:00-06:00", "tue 05:59-07:00", True),  # the night reaches into the next day
        ("mon 22:00-06:00", "tue 06:00-07:00", False),
        ("sun 22:00-06:00", "mon 00:00-01:00", True),
        ("mon-fri 08:00-12:00", "sat,sun 08:00-12:00", False),
        ("fri-mon 08:00-12:00", "mon 08:00-09:00", True),
        ("hol 08:00-12:00", "mon 08:00-12:00", False),  # a holiday's Monday hours do not hold
        ("hol 22:00-06:00", "mon 05:00-06:00", True),  # but the night after it does
        ("sat 23:00-01:00", "hol 00:00-01:00", True),  # and that before it
        ("DAILY 08:00-12:00", "hol 11:00-12:00", True),
    ],
)
def test_hours_overlap_if_a_minute_is_in_both(one: str, other: str, meet: bool) -> None:
    assert overlap(cover([one]), cover([other])) is meet
    assert overlap(cover([other]), cover([one])) is meet


@pytest.mark.parametrize(
    ("inner", "outer", "lies"),
    [
        ("sat 23:00-05:00", "daily 22:00-06:00", True),
        ("sat 23:00-06:01", "daily 22:00-06:00", False),
        ("mon 08:00-12:00", "mon-fri 08:00-12:00", True),
        ("daily 08:00-12:00", "mon-sun 08:00-12:00", False),  # holidays
    ],
)
def test_hours_lie_within_others_only_whole(inner: str, outer: str, lies: bool) -> None:
    assert within(cover([inner]), cover([outer])) is lies


def test_two_schedules_together_cover_what_neither_does_alone() -> None:
    both = either(cover(["daily 00:00-12:00"]), cover(["daily 12:00-24:00"]))
    assert always(both)


def test_only_holidays_and_the_nights_after_them_are_never_without_holidays() -> None:
    assert never_but_on_holidays(cover(["hol 20:00-04:00"]))
    assert not never_but_on_holidays(cover(["hol,mon 20:00-04:00"]))
