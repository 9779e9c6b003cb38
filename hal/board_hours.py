"""What the hours of schedules cover: whether they ever hold, hold always, or hold together.

Looks at kinds of days, not at dates: a weekday follows the weekday before it or a holiday, a holiday
follows any day. Takes lines that `hal.board_schema.hours` has allowed.
"""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "hol")
_HOLIDAY = 7
_DAY = 24 * 60
_ALL_DAY = (1 << _DAY) - 1

#: Every kind of day, with every kind of day that may be before it.
_PAIRS = (
    [(day, (day - 1) % 7) for day in range(_HOLIDAY)]
    + [(day, _HOLIDAY) for day in range(_HOLIDAY)]
    + [(_HOLIDAY, before) for before in range(_HOLIDAY + 1)]
)

#: One number for each of `_PAIRS`; its bit n says whether the hours hold in minute n of that day.
Cover = tuple[int, ...]


def cover(lines: list[str]) -> Cover:
    """What `lines` cover."""
    own = [0] * len(DAYS)  # of each day: its own minutes, and from bit 1440 on those of the next
    for line in lines:
        days, times = line.lower().split()
        start, end = (_minute(text) for text in times.split("-"))
        if end <= start:
            end += _DAY  # into the next day, whatever day that is
        for day in _days(days):
            own[day] |= ((1 << (end - start)) - 1) << start
    return tuple((own[day] & _ALL_DAY) | own[before] >> _DAY for day, before in _PAIRS)


def never_but_on_holidays(one: Cover) -> bool:
    """Whether only holidays have such a minute, or the night after one."""
    return not any(
        minutes
        for minutes, (day, before) in zip(one, _PAIRS, strict=True)
        if _HOLIDAY not in (day, before)
    )


def always(one: Cover) -> bool:
    """Whether there is no other minute; holidays do not count."""
    return all(
        minutes == _ALL_DAY
        for minutes, (day, before) in zip(one, _PAIRS, strict=True)
        if _HOLIDAY not in (day, before)
    )


def overlap(one: Cover, other: Cover) -> bool:
    """Whether there is a minute of both."""
    return any(mine & others for mine, others in zip(one, other, strict=True))


def within(inner: Cover, outer: Cover) -> bool:
    """Whether every minute of `inner` is one of `outer`."""
    return not any(mine & ~others for mine, others in zip(inner, outer, strict=True))


def either(one: Cover, other: Cover) -> Cover:
    """The minutes of either."""
    return tuple(mine | others for mine, others in zip(one, other, strict=True))


def _days(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        if part == "daily":
            found += range(len(DAYS))
            continue
        first, _, last = part.partition("-")
        start = DAYS.index(first)
        count = (DAYS.index(last) - start) % 7 + 1 if last else 1
        found += [start if start == _HOLIDAY else (start + i) % 7 for i in range(count)]
    return found


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
