"""When something holds: weekly hours in the site's own time, with holidays.

Pure. Times are local seconds since 1970-01-01 (the caller has added the zone's offset, so daylight
saving is its business). Hours are half-open: ``08:00-12:00`` ends the second before noon.
"""

from collections import namedtuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "hol")
HOLIDAY = 7  #: the index of "hol": hours that hold on holidays, when the weekday's own do not

DAY_S = 86400

#: One stretch of a day.
#: day      int   index in `DAYS`
#: start_s  int   seconds since midnight, 0..86399
#: end_s    int   seconds since that midnight, exclusive; beyond 86400 it lies on the next day
Hours = namedtuple("Hours", ("day", "start_s", "end_s"))


def parse(text: str) -> "list[Hours]":
    """The stretches of one line such as ``mon-fri 08:00-12:00``, ``sat,sun,hol 22:00-06:00``.

    Days are names of `DAYS`, ranges (``fri-mon`` goes over the weekend) or ``daily`` (holidays too).
    An end at or before the start is on the next day, whatever day that is (a night before a holiday
    lasts until its morning). Raises ValueError with one line.
    """
    words = text.strip().lower().split()
    if len(words) != 2 or "-" not in words[1]:
        raise ValueError('hours "%s" are not clear; expected such as "mon-fri 08:00-12:00"' % text)
    start, _, end = words[1].partition("-")
    start_s = _seconds(start, text)
    end_s = _seconds(end, text)
    if start_s == DAY_S:
        raise ValueError('hours "%s" begin at 24:00; expected 00:00 to 23:59' % text)
    found: list[Hours] = []
    for day in _days(words[0], text):
        found.append(Hours(day, start_s, end_s if start_s < end_s else end_s + DAY_S))
    return found


def covers(hours: "list[Hours]", holidays: "list[int]", local_s: int) -> bool:
    """Whether `local_s` lies in one of `hours`; `holidays` are local days since 1970-01-01."""
    number = local_s // DAY_S
    second = local_s % DAY_S
    return _within(hours, _day(number, holidays), second) or _within(
        hours, _day(number - 1, holidays), second + DAY_S
    )


def next_edge(hours: "list[Hours]", holidays: "list[int]", local_s: int) -> "int | None":
    """The first local second after `local_s` at which one of `hours` begins or ends.

    Looks to the end of tomorrow; None: nothing changes until then.
    """
    edge_s: int | None = None
    today = local_s // DAY_S
    for number in (today - 1, today, today + 1):
        day = _day(number, holidays)
        for one in hours:
            if one.day != day:
                continue
            for second in (one.start_s, one.end_s):
                at_s = number * DAY_S + second
                if at_s > local_s and (edge_s is None or at_s < edge_s):
                    edge_s = at_s
    return edge_s


def day_number(text: str) -> int:
    """The days from 1970-01-01 to a date ``YYYY-MM-DD`` of the years 1970 to 2399. Raises ValueError."""
    parts = text.split("-")
    if [len(part) for part in parts] == [4, 2, 2] and "".join(parts).isdigit():
        year, month, day = int(parts[0]), int(parts[1]), int(parts[2])
        if 1970 <= year < 2400 and 1 <= month <= 12 and 1 <= day <= _month_days(year, month):
            # Days to 1 March of a year counted from March, as in every proleptic Gregorian count.
            shifted = year - 1 if month < 3 else year
            from_march = (month + 9) % 12
            before = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400
            return before + (153 * from_march + 2) // 5 + day - 1 - 719468
    raise ValueError('date "%s" is none; expected YYYY-MM-DD' % text)


def second_of_day(text: str) -> int:
    """The seconds since midnight of ``HH:MM``. Raises ValueError."""
    return _seconds(text, text)


def local_second(text: str) -> int:
    """The local seconds since 1970-01-01 of ``YYYY-MM-DDTHH:MM``. Raises ValueError."""
    day, _, time = text.partition("T")
    return day_number(day) * DAY_S + _seconds(time, text)


def _day(number: int, holidays: "list[int]") -> int:
    return HOLIDAY if number in holidays else (number + 3) % 7  # 1970-01-01 was a Thursday


def _within(hours: "list[Hours]", day: int, second: int) -> bool:
    return any(one.day == day and one.start_s <= second < one.end_s for one in hours)


def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _days(word: str, text: str) -> list[int]:
    days: list[int] = []
    for part in word.split(","):
        if part == "daily":
            days = days + list(range(8))
            continue
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS[:7]) or (dash and first == "hol"):
            raise ValueError(
                'day "%s" in hours "%s" is unknown; expected mon..sun, hol' % (part, text)
            )
        start = DAYS.index(first)
        count = (DAYS.index(last) - start) % 7 + 1 if dash else 1
        days = days + [start if start == HOLIDAY else (start + i) % 7 for i in range(count)]
    return sorted(set(days))


def _seconds(word: str, text: str) -> int:
    hour, _, minute = word.partition(":")
    if len(hour) == 2 and len(minute) == 2 and (hour + minute).isdigit():
        seconds = int(hour) * 3600 + int(minute) * 60
        if int(minute) < 60 and seconds <= DAY_S:
            return seconds
    raise ValueError('time "%s" in "%s" is none; expected HH:MM' % (word, text))
