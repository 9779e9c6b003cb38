"""Check tables of a TOML file against a description of their keys, and report every problem at once.

Decides types, ranges, defaults and unknown keys of one table at a time; rules that need two tables are
their owner's. A check is a callable that returns the normalised value or raises ValueError with
``what was wrong; expected ...``.
"""

import json
import re
from collections import namedtuple
from collections.abc import Callable, Iterable
from typing import Any

Check = Callable[[Any], Any]

#: One key of a table.
#: check     callable  see above
#: required  bool      a missing one is a problem
#: default   Any       what stands in its place, also while its value is wrong
Field = namedtuple("Field", ("check", "required", "default"))

Fields = dict[str, Field]


_LINES = 1000  #: problems told of one file; who mends so many sees the rest next time
_LONGEST = (200, 800)  #: characters of a path, and of what is said of it


class Problems:
    """Every problem found in one file, each one line: ``file: path: what was wrong; expected ...``.

    Whatever stands in the file, a line is one line of printable characters.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: list[str] = []

    @property
    def full(self) -> bool:
        """Whether no more are told."""
        return len(self.lines) >= _LINES

    def add(self, path: str, text: str) -> None:
        """Add the line about `path`."""
        if self.full:
            return
        where, what = (
            whole if len(whole) <= most else whole[: most - 3] + "..."
            for whole, most in zip((printable(path), printable(text)), _LONGEST, strict=True)
        )
        self.lines.append(f"{self.file}: {where}: {what}")


class WrongEntriesError(ValueError):
    """Several entries of a list are wrong; ``texts`` says of each what, as a ValueError of its own would."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(texts[0])
        self.texts = texts


def required(check: Check) -> Field:
    """A key that must be there; None stands for it while it is missing or wrong."""
    return Field(check, True, None)


def optional(check: Check, default: Any = None) -> Field:
    """A key that may be left out."""
    return Field(check, False, default)


def table(
    value: Any, fields: Fields, path: str, problems: Problems, hints: dict[str, str] | None = None
) -> dict[str, Any]:
    """The table `value` with every key of `fields`; what is wrong with it is added to `problems`.

    hints  what to say instead of the nearest known name, by unknown key
    """
    if not isinstance(value, dict):
        problems.add(path, f"{show(value)} is not a table; expected [{path}]")
        value = {}
    for key in value:
        if key not in fields and not problems.full:
            hint = (hints or {}).get(key) or nearest_known(key, fields)
            problems.add(join(path, key), f"unknown key; {hint}")
    return {key: _one(value, key, field, path, problems) for key, field in fields.items()}


def _one(value: dict[str, Any], key: str, field: Field, path: str, problems: Problems) -> Any:
    if key not in value:
        if field.required:
            problems.add(join(path, key), f"missing; expected {expectation(field.check)}")
        return field.default
    try:
        return field.check(value[key])
    except WrongEntriesError as error:
        for text in error.texts:
            problems.add(join(path, key), text)
    except ValueError as error:
        problems.add(join(path, key), str(error))
    return field.default


def join(path: str, key: str) -> str:
    """The dotted path of `key` in the table at `path` (empty: the file itself)."""
    return f"{path}.{key}" if path else key


def nearest(word: str, known: Iterable[str]) -> str:
    """The name among `known` that is most like `word`; empty if there are none."""
    import difflib  # only for who made a mistake

    found = difflib.get_close_matches(word[:64], sorted(known), n=1, cutoff=0.0)
    return found[0] if found else ""


def nearest_known(word: str, known: Iterable[str]) -> str:
    """The second half of a line about an unknown name: the nearest known one, or that there is none."""
    name = nearest(word, known)
    return f'the nearest known one is "{name}"' if name else "none is known here"


def show(value: Any) -> str:
    """A value as it stands in the file, cut to a readable length."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # more digits than Python writes
        return "a number of thousands of digits"
    except RecursionError:
        return "a value that is nested too deep"
    return text if len(text) <= 60 else text[:57] + "..."


def printable(text: str) -> str:
    """`text` on one line: what would break the line or the terminal is written as its code."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def expectation(check: Check) -> str:
    """What `check` wants, in words: what it says of something that cannot be right."""
    try:
        check(None)
    except ValueError as error:
        return str(error).partition("; expected ")[2]
    return "a value"


def whole(low: int, high: int, unit: str = "ms") -> Check:
    """A whole number from `low` to `high`."""
    words = f"{low} to {high}" + (f" {unit}" if unit else "")

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{show(value)} is not allowed; expected a whole number, {words}")
        return value

    return check


def choice(*names: Any) -> Check:
    """One of `names`."""
    words = ", ".join(show(name) for name in names)

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value not in names:
            near = ""
            if isinstance(value, str) and len(names) > 3:
                near = f' (nearest: "{nearest(value, [str(name) for name in names])}")'
            raise ValueError(f"{show(value)} is not allowed; expected one of {words}{near}")
        return value

    return check


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{show(value)} is not allowed; expected true or false")
    return value


def word(matches: Callable[[str], Any], what: str) -> Check:
    """A text for which `matches` is true; `what` says which."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not matches(value):
            raise ValueError(f"{show(value)} is not allowed; expected {what}")
        return value

    return check


def each(check_one: Check, limit: int) -> Check:
    """A list of at most `limit` different values, each of which `check_one` allows."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            inner = expectation(check_one)
            raise ValueError(f"{show(value)} is not a list; expected a list, each {inner}")
        if len(value) > limit:
            raise ValueError(f"{len(value)} entries; expected at most {limit}")
        done: list[Any] = []
        wrong: list[str] = []
        for item in value:
            try:
                right = check_one(item)
            except ValueError as error:
                wrong.append(str(error))
                continue
            if right in done:
                wrong.append(f"{show(item)} stands there twice; expected each once")
            done.append(right)
        if wrong:
            raise WrongEntriesError(wrong)
        return done

    return check


def rows(limit: int) -> Check:
    """A list of at most `limit` tables; what stands in each is `table_rows`'s."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError(f"{show(value)} is not a list; expected a list of {{ ... }}")
        if len(value) > limit:
            raise ValueError(f"{len(value)} entries; expected at most {limit}")
        return value

    return check


def table_rows(
    values: list[Any] | None, fields: Fields, path: str, problems: Problems
) -> list[dict[str, Any]]:
    """Every table of a list (see `rows`), the first at ``path[0]``; none where the list was wrong."""
    return [
        table(value, fields, f"{path}[{place}]", problems)
        for place, value in enumerate(values or [])
    ]


def a_table(what: str) -> Check:
    """A table such as `what`; what stands in it is looked at later."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"{show(value)} is not a table; expected {what}")
        return value

    return check


#: What no page, terminal or drawing shows: controls, ends of lines, turned direction, no characters.
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")


def title(value: Any) -> dict[str, str]:
    """What people see, in English and Chinese."""
    right = (
        isinstance(value, dict)
        and sorted(value) == ["en", "zh"]
        and all(
            isinstance(text, str) and 0 < len(text.strip()) <= 64 and not _UNSEEN.search(text)
            for text in value.values()
        )
    )
    if not right:
        raise ValueError(
            f'{show(value)} is not a title; expected {{ en = "...", zh = "..." }}, '
            "each 1 to 64 characters on one line"
        )
    return {"en": value["en"], "zh": value["zh"]}
