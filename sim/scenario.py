"""Scenario files: what happens, and what must come of it (the contract, section 5).

`load` decides whether a file is right, against the board's config and the world's verbs; `Expectations`
decides, from a trace, whether what was expected came true. Running is `sim.run`'s.
"""

import datetime
import tomllib
from dataclasses import dataclass, field
from typing import Any

import hal.board
from hal import schema
from hal.errors import BoardConfigError
from sim import expected, person, verbs
from sim.world import OUTPUTS

EVENT_TYPES = list(expected.FIELDS)

TAIL_MS = 10_000  #: a run without end_ms goes on so long after the last step or expectation

_TOP = (
    "board",
    "start",
    "end_ms",
    "override",
    "person",
    "step",
    "expect",
    "expect_not",
    "expect_world",
)
_WINDOW = ("type", "after_ms", "within_ms", "before_ms", "count")
_WORLD = ("at_ms", "portal", "lock", "door", "mode", "output", "on")


class ScenarioError(Exception):
    """The file is wrong; ``problems`` are lines `file: path: what was wrong; what was expected`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Scenario:
    """One file, checked."""

    path: str
    config: dict[str, Any]
    start_ms: int
    end_ms: int
    people: list[person.Person]
    steps: list[dict[str, Any]] = field(default_factory=list)
    expect: list[dict[str, Any]] = field(default_factory=list)
    expect_not: list[dict[str, Any]] = field(default_factory=list)
    expect_world: list[dict[str, Any]] = field(default_factory=list)


def load(path: str) -> Scenario:
    """The scenario in the file at `path`. Raises `ScenarioError` with every problem at once."""
    return check(path, _Checker(path).read())


def check(path: str, raw: dict[str, Any]) -> Scenario:
    """The scenario that the tables `raw` of a file called `path` hold. Raises `ScenarioError`."""
    checker = _Checker(path)
    checker.known(raw)
    config = checker.config(raw)
    start_ms = checker.start(raw)
    people = checker.people(raw, config, start_ms)
    for kind in ("step", "expect", "expect_not", "expect_world"):
        checker.tables(raw, kind)
    if checker.problems or config is None:
        raise ScenarioError(checker.problems)
    checks = verbs.Checker(config, people)
    for index, step in enumerate(raw.get("step", [])):
        checker.step(step, f"step[{index}]", checks)
    for kind in ("expect", "expect_not"):
        for index, wanted in enumerate(raw.get(kind, [])):
            checker.expectation(kind, wanted, f"{kind}[{index}]", config)
    for index, wanted in enumerate(raw.get("expect_world", [])):
        checker.world(wanted, f"expect_world[{index}]", config)
    end_ms = checker.end(raw)
    if checker.problems:
        raise ScenarioError(checker.problems)
    steps = sorted(raw.get("step", []), key=lambda step: int(step["at_ms"]))
    return Scenario(
        path,
        config,
        start_ms,
        end_ms,
        people,
        steps,
        raw.get("expect", []),
        raw.get("expect_not", []),
        raw.get("expect_world", []),
    )


class _Checker:
    """Collects what is wrong with one file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[str] = []

    def wrong(self, where: str, what: str) -> None:
        self.problems.append(f"{self.path}: {where}: {what}")

    def read(self) -> dict[str, Any]:
        try:
            with open(self.path, "rb") as file:
                raw = tomllib.load(file)
        except OSError as error:
            self.wrong("file", f"{(error.strerror or 'not readable').lower()}; expected a scenario")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.wrong("file", f"not TOML: {error}; expected TOML in UTF-8")
        else:
            return raw
        raise ScenarioError(self.problems)

    def known(self, raw: dict[str, Any]) -> None:
        for key in raw:
            if key not in _TOP:
                self.wrong(key, f"unknown key; {schema.nearest_known(key, _TOP)}")

    def config(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        board = raw.get("board")
        override = raw.get("override", {})
        if not isinstance(board, str):
            self.wrong("board", "missing; expected the path of a board config")
            return None
        if not isinstance(override, dict):
            self.wrong("override", "is no table; expected dotted paths and values")
            return None
        try:
            return hal.board.load(board, _dotted(override))
        except BoardConfigError as error:
            for line in error.problems:
                self.wrong("board", line)
            return None

    def start(self, raw: dict[str, Any]) -> int:
        text = raw.get("start")
        try:
            if isinstance(text, datetime.datetime):
                at = text
            else:
                at = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
            if at.tzinfo is None or not 1971 <= at.year <= 2399:
                raise ValueError
        except ValueError:
            said = "missing" if text is None else f"{schema.show(text)} is no time of 1971 to 2399"
            self.wrong("start", f'{said}; expected such as "2026-11-21T08:00:00Z"')
            return 0
        return round(at.timestamp() * 1000)

    def people(
        self, raw: dict[str, Any], config: dict[str, Any] | None, start_ms: int
    ) -> list[person.Person]:
        tables = raw.get("person", [])
        if config is None:
            return []
        try:
            return person.people(config, start_ms, tables)
        except person.PersonError as error:
            for line in error.problems:
                self.problems.append(f"{self.path}: {line}")
            return []

    def tables(self, raw: dict[str, Any], kind: str) -> None:
        tables = raw.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.wrong(kind, f"is no list of tables; expected [[{kind}]]")
            raw[kind] = []

    def time(self, table: dict[str, Any], key: str, where: str, default: int | None) -> int:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.wrong(f"{where}.{key}", "is no time; expected whole milliseconds from 0")
            return 0
        return value

    def step(self, step: dict[str, Any], where: str, checks: "verbs.Checker") -> None:
        self.time(step, "at_ms", where, None)
        args = {key: value for key, value in step.items() if key not in ("at_ms", "do")}
        try:
            checks.check(step.get("do"), args)
        except verbs.VerbError as error:
            self.wrong(where, str(error))

    def expectation(
        self, kind: str, wanted: dict[str, Any], where: str, config: dict[str, Any]
    ) -> None:
        type = wanted.get("type")
        if type is None:
            self.wrong(f"{where}.type", 'missing; expected an event type such as "access.granted"')
        elif type not in EVENT_TYPES:
            near = schema.nearest_known(str(type), EVENT_TYPES)
            self.wrong(f"{where}.type", f"unknown event type {schema.show(type)}; {near}")
        for key in ("after_ms", "within_ms", "before_ms"):
            if key in wanted:
                self.time(wanted, key, where, None)
        stray = "before_ms" if kind == "expect" else "within_ms"
        if stray in wanted or (kind == "expect_not" and "count" in wanted):
            right = "within_ms" if kind == "expect" else "before_ms"
            key = stray if stray in wanted else "count"
            self.wrong(f"{where}.{key}", f"does not go with [[{kind}]]; expected {right}")
        count = wanted.get("count", 1)
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            self.wrong(f"{where}.count", "is no number; expected a whole number from 0")
        for key, value in wanted.items():
            if type not in EVENT_TYPES or key in _WINDOW:
                continue
            problem = expected.problem(type, key, value, config)
            if problem is not None:
                self.wrong(f"{where}.{key}", problem)

    def world(self, wanted: dict[str, Any], where: str, config: dict[str, Any]) -> None:
        self.time(wanted, "at_ms", where, None)
        for key in wanted:
            if key not in _WORLD:
                self.wrong(f"{where}.{key}", f"unknown key; {schema.nearest_known(key, _WORLD)}")
        if "portal" in wanted and "output" in wanted:
            self.wrong(where, "names portal and output; expected one of them")
        if "portal" in wanted:
            if wanted["portal"] not in config["portals"]:
                near = schema.nearest_known(str(wanted["portal"]), config["portals"])
                self.wrong(f"{where}.portal", f"unknown {schema.show(wanted['portal'])}; {near}")
            if not {"lock", "door", "mode"} & set(wanted):
                self.wrong(where, "expects nothing of the portal; expected lock, door or mode")
            allowed = {
                "lock": ("locked", "unlocked"),
                "door": ("open", "closed"),
                "mode": ("locked", "unlocked", "accessed", "blocked", "locked_down", "locked_open"),
            }
            for key, values in allowed.items():
                if key in wanted and wanted[key] not in values:
                    said = schema.show(wanted[key])
                    self.wrong(f"{where}.{key}", f"{said}; expected {', '.join(values)}")
        elif "output" in wanted:
            outputs = [
                name for name, part in config["devices"].items() if part["driver"] in OUTPUTS
            ]
            if wanted["output"] not in outputs:
                near = schema.nearest_known(str(wanted["output"]), outputs)
                self.wrong(f"{where}.output", f"unknown {schema.show(wanted['output'])}; {near}")
            if not isinstance(wanted.get("on"), bool):
                self.wrong(f"{where}.on", "missing; expected true or false")
        else:
            self.wrong(where, "names nothing; expected portal or output")

    def end(self, raw: dict[str, Any]) -> int:
        if "end_ms" in raw:
            end_ms = self.time(raw, "end_ms", "file", None)
            for index, look in enumerate(raw.get("expect_world", [])):
                if self.time(look, "at_ms", "expect_world", 0) > end_ms:
                    self.wrong(
                        f"expect_world[{index}].at_ms", "is after end_ms; expected before it"
                    )
            return end_ms
        if self.problems:
            return 0  # times that are none are named already
        last_ms = 0
        for kind in ("step", "expect", "expect_not", "expect_world"):
            for table in raw.get(kind, []):
                for key in ("at_ms", "before_ms"):
                    last_ms = max(last_ms, self.time(table, key, kind, 0))
                after_ms = self.time(table, "after_ms", kind, 0)
                last_ms = max(last_ms, after_ms + self.time(table, "within_ms", kind, 0))
        return last_ms + TAIL_MS


def _dotted(table: dict[str, Any], prefix: str = "") -> dict[str, object]:
    """Overrides as dotted paths, however they were written in TOML."""
    flat: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict) and not {"en", "zh"} & set(value):
            flat.update(_dotted(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def failures(scenario: Scenario, trace: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Every expectation that does not hold, as (the millisecond to look at, one line)."""
    events = [line for line in trace if line["kind"] == "event"]
    failed = []
    for wanted in scenario.expect:
        from_ms = wanted.get("after_ms", 0)
        to_ms = from_ms + wanted["within_ms"] if "within_ms" in wanted else scenario.end_ms
        found = _matching(events, wanted, from_ms, to_ms)
        count = wanted.get("count")
        if (count is None and not found) or (count is not None and len(found) != count):
            at_least = "at least 1" if count is None else f"exactly {count}"
            failed.append(
                (
                    from_ms,
                    f"expected {at_least} {_words(wanted)} in {from_ms}..{to_ms} ms; "
                    f"found {len(found)}",
                )
            )
    for wanted in scenario.expect_not:
        from_ms = wanted.get("after_ms", 0)
        to_ms = wanted.get("before_ms", scenario.end_ms)
        found = _matching(events, wanted, from_ms, to_ms)
        if found:
            at_ms = found[0]["at_ms"]
            failed.append(
                (at_ms, f"expected no {_words(wanted)} in {from_ms}..{to_ms} ms; one at {at_ms} ms")
            )
    return failed


def _matching(
    events: list[dict[str, Any]], wanted: dict[str, Any], from_ms: int, to_ms: int
) -> list[dict[str, Any]]:
    fields = {key: value for key, value in wanted.items() if key not in _WINDOW}
    fields["type"] = wanted["type"]
    return [
        line
        for line in events
        if from_ms <= line["at_ms"] <= to_ms
        and all(line["event"].get(key) == value for key, value in fields.items())
    ]


def _words(wanted: dict[str, Any]) -> str:
    rest = [f"{key}={value}" for key, value in wanted.items() if key not in _WINDOW]
    return " ".join([wanted["type"], *rest])
