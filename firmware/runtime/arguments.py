"""What one argument of a command may be. A check takes the value and returns it, or raises `BadArgument`.

A message says what was wrong and what was expected, and never the value: it could be a secret.
"""

from firmware.access import schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Check = Callable[[object], Any]

UTC_FROM_MS = 1735689600000  #: 2025-01-01: no clock of this firmware was ever right before
UTC_TO_MS = 4102444800000  #: 2100-01-01


class BadArgument(ValueError):
    """An argument is wrong: one line, with its name in front once `check` has seen it."""


def check(args: object, fields: "dict[str, tuple[Check, bool]]") -> "dict[str, Any]":
    """`args` checked by `fields` (name -> (check, whether it must be there)); what is left out is None."""
    if not isinstance(args, dict):
        raise BadArgument("args are no table; expected %s" % (_names(fields) or "an empty one"))
    for key in args:
        if key not in fields:
            plain = isinstance(key, str) and 0 < len(key) <= 32 and not _odd(key)
            shown = key if plain else "one"
            raise BadArgument("%s is unknown; expected %s" % (shown, _names(fields) or "nothing"))
    given: dict[str, Any] = {}
    for key in fields:
        test, needed = fields[key]
        value = args.get(key)
        if value is None:
            if needed:
                raise BadArgument("%s is missing; expected %s" % (key, _names(fields)))
            given[key] = None
            continue
        try:
            given[key] = test(value)
        except BadArgument as error:
            raise BadArgument("%s %s" % (key, error)) from None
    return given


def one_of(words: "Sequence[str]") -> "Check":
    """One of `words`."""

    def test(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            expected = ", ".join(words) if words else "none: there is none here"
            raise BadArgument("is unknown; expected one of %s" % expected)
        return value

    return test


def text(longest: int) -> "Check":
    """1 to `longest` printable characters."""

    def test(value: object) -> str:
        right = isinstance(value, str) and 0 < len(value) <= longest
        if not right or _odd(str(value)):
            raise BadArgument("is no such text; expected 1 to %d printable characters" % longest)
        return str(value)

    return test


def name(longest: int) -> "Check":
    """A name of a-z, 0-9, - and _."""

    def test(value: object) -> str:
        allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_"
        right = isinstance(value, str) and 0 < len(value) <= longest
        if not right or [c for c in str(value) if c not in allowed]:
            raise BadArgument("is no name; expected 1 to %d of a-z, 0-9, - and _" % longest)
        return str(value)

    return test


def integer(low: int, high: int) -> "Check":
    """A whole number from `low` to `high`, exclusive."""

    def test(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value < high:
            raise BadArgument("is out of range; expected a whole number from %d" % low)
        return value

    return test


def many(each: "Check", most: int) -> "Check":
    """A list of at most `most`, each as `each` says."""

    def test(value: object) -> "list[Any]":
        if not isinstance(value, list) or len(value) > most:
            raise BadArgument("is no such list; expected at most %d entries" % most)
        found = []
        for at, entry in enumerate(value):
            try:
                found.append(each(entry))
            except BadArgument as error:
                raise BadArgument("entry %d: %s" % (at + 1, error)) from None
        return found

    return test


def table(value: object) -> "dict[str, Any]":
    """An object, whatever is in it."""
    if not isinstance(value, dict):
        raise BadArgument("is no table; expected its fields")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if value is not True and value is not False:
        raise BadArgument("is neither true nor false; expected one of them")
    return value is True


def utc(value: object) -> int:
    """A time that a clock may show (2025 to 2099), as `instant`."""
    utc_ms = instant(value)
    if not UTC_FROM_MS <= utc_ms < UTC_TO_MS:
        raise BadArgument("is no time for a clock; expected one of the years 2025 to 2099")
    return utc_ms


def instant(value: object) -> int:
    """A time as events carry it, ``2026-11-21T08:15:00Z`` or with milliseconds, as UTC milliseconds."""
    wrong = BadArgument('is no time; expected such as "2026-11-21T08:15:00Z"')
    if not isinstance(value, str) or len(value) not in (20, 24) or value[-1] != "Z":
        raise wrong
    day, _, clock = value[:-1].partition("T")
    parts = clock.partition(".")
    second, ms = parts[0][6:], parts[2] or "000"
    if len(parts[0]) != 8 or parts[0][5] != ":" or len(ms) != 3 or not (second + ms).isdigit():
        raise wrong
    try:
        utc_s = schedule.day_number(day) * 86400 + schedule.second_of_day(parts[0][:5])
    except ValueError:
        raise wrong from None
    utc_ms: int = (utc_s + int(second)) * 1000 + int(ms)
    if int(second) > 59 or parts[0][:2] == "24":
        raise wrong
    return utc_ms


def _names(fields: "dict[str, Any]") -> str:
    return ", ".join(sorted(fields))


def _odd(value: str) -> bool:
    """Whether there is a control character in it, or half of one beyond the first plane."""
    for character in value:
        point = ord(character)
        if point < 32 or 127 <= point < 160 or 0xD800 <= point < 0xE000:
            return True
    return False
