"""A board config, read and validated: the one entry for whoever has a file and wants a board.

`load` decides whether a file is right and says everything that is not. What it may say is
`hal.board_schema`, `hal.board_devices`, `hal.board_chips` and `hal.board_policy`; what its tables owe each
other `hal.board_rules`, `hal.board_policy_rules`, `hal.board_watch_rules` and `hal.board_lines`; how it is
wired `hal.board_wiring_rules`. What becomes of it is `hal.opening`.
"""

import copy
import os
import re
import stat
import tomllib
from collections.abc import Callable
from typing import Any

from hal import (
    board_bus_rules,
    board_chips,
    board_devices,
    board_facts,
    board_lines,
    board_loops,
    board_policy,
    board_policy_rules,
    board_rules,
    board_schema,
    board_warnings,
    board_watch_rules,
    board_wiring,
    board_wiring_rules,
    board_wiring_warnings,
    schema,
)
from hal.board_lines import Claim, claims
from hal.board_summary import tables
from hal.errors import BoardConfigError
from hal.opening import Board, open_board
from hal.schema import Problems

__all__ = ["Board", "Claim", "claims", "load", "open_board", "tables", "warnings"]

Config = dict[str, Any]

_LARGEST = 1_000_000  #: bytes of a config; a hundred doors are a tenth of that


def load(
    path: str,
    override: dict[str, object] | None = None,
    absent: dict[str, str] | None = None,
) -> Config:
    """The config in the file at `path`, validated, with every default filled in.

    override  values by dotted path (``portals.front.mode``) that stand in place of the file's
    absent    takes the devices on lines that the board has not, and why, which is no error then: who
              starts a door has the rest of it work (`open_board`). Emptied first

    Raises `hal.errors.BoardConfigError` with every problem at once.
    """
    problems = Problems(path)
    if absent is not None:
        absent.clear()  # of another file
    raw = _read(path, problems)
    for key, value in (override or {}).items():
        _override(raw, key, value, problems)
    config = _normalise(raw, problems)
    board_rules.check(config, problems)
    board_policy_rules.check(config, problems)
    board_watch_rules.check(config, problems)
    board_bus_rules.check(config, problems)
    board_lines.check(config, problems, absent)
    board_wiring_rules.check(config, problems)
    if problems.lines:
        raise BoardConfigError(problems.lines)
    return config


def warnings(config: Config) -> list[str]:
    """What is allowed in `config` (from `load`) and may still surprise: one line each."""
    return [
        *board_lines.warnings(config),
        *board_warnings.warnings(config),
        *board_wiring_warnings.warnings(config),
    ]


def _read(path: str, problems: Problems) -> Config:
    """The file as TOML. Raises `hal.errors.BoardConfigError` if it is none."""
    data = b""
    try:
        with open(path, "rb", opener=_at_once) as file:
            plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(_LARGEST + 1) if plain else b""
        if not plain:
            problems.add("file", "is no plain file; expected a board config")
        elif len(data) > _LARGEST:
            problems.add("file", f"over {_LARGEST} bytes; expected a board config")
        else:
            return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        reason = (error.strerror or "not readable").lower()
        problems.add("file", f"{reason}; expected a board config")
    except UnicodeDecodeError as error:
        problems.add(f"byte {error.start}", "not UTF-8; expected TOML in UTF-8")
    except tomllib.TOMLDecodeError as error:
        wrong, _, where = str(error).rpartition(" (at ")
        problems.add(where.rstrip(")"), f"not TOML: {wrong}; expected TOML 1.0")
    except RecursionError:
        problems.add("file", "nested too deep; expected a board config")
    except ValueError:  # tomllib lets through what int() says of too many digits
        problems.add(_line_of_digits(data), "a number of thousands of digits; expected 18 at most")
    raise BoardConfigError(problems.lines)


def _at_once(path: str, flags: int) -> int:
    """A named pipe that nobody writes to is opened too, and told of: it is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _line_of_digits(data: bytes) -> str:
    """Where the number stands that has more digits than Python reads."""
    found = re.search(rb"[0-9](_?[0-9]){4300}", data)
    if found is None:
        return "file"
    before = data.count(b"\n", 0, found.start())
    return f"line {before + 1}"


_RULES = ("areas", "automation", "interlocks", "levels", "partitions", "schedules")


def _override(raw: Config, path: str, value: object, problems: Problems) -> None:
    """Put `value` at the dotted `path`. What is wired (a portal, a device) must be there; a rule need not."""
    *parents, last = path.split(".")
    table = raw
    for depth, key in enumerate(parents):
        if depth and key not in table and parents[0] not in _RULES:
            near = schema.nearest_known(key, table)
            problems.add(path, f'override of an unknown "{key}"; expected an entry, {near}')
            return
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            problems.add(path, f'override inside "{key}", which is no table; expected a table')
            return
        table = inner
    table[last] = copy.deepcopy(value)


def _normalise(raw: Config, problems: Problems) -> Config:
    for key in raw:
        if key not in board_schema.SECTIONS and not problems.full:
            problems.add(key, f"unknown key; {schema.nearest_known(key, board_schema.SECTIONS)}")
    top = schema.table(
        {key: raw[key] for key in ("schema", "board", "holidays") if key in raw},
        {
            "schema": schema.required(schema.choice(board_schema.SCHEMA)),
            "board": schema.required(schema.choice(*board_facts.BOARDS)),
            "holidays": schema.optional(schema.each(board_schema.holiday, 1000), []),
        },
        "",
        problems,
    )
    config: Config = {"schema": top["schema"], "board": top["board"]}
    config["controller"] = _section(raw, "controller", board_schema.CONTROLLER, problems)
    _fill_title(config["controller"], config["controller"]["name"])
    config["portals"] = _entries(raw, "portals", _portal, problems)
    config["access_points"] = _entries(raw, "access_points", _access_point, problems)
    config["devices"] = _entries(raw, "devices", _device, problems)
    config["chips"] = _entries(raw, "chips", board_chips.chip, problems)
    config["alarms"] = _alarms(raw.get("alarms", {}), problems)
    config["areas"] = _entries(raw, "areas", board_policy.area, problems)
    _implicit_areas(config)
    config["interlocks"] = _entries(raw, "interlocks", board_policy.interlock, problems)
    config["levels"] = _entries(raw, "levels", board_policy.level, problems)
    config["partitions"] = _entries(raw, "partitions", board_policy.partition, problems)
    config["automation"] = board_policy.automation_rules(
        _entries(raw, "automation", board_policy.automation, problems), problems
    )
    config["cameras"] = _entries(raw, "cameras", _camera, problems)
    config["schedules"] = _entries(raw, "schedules", _schedule, problems)
    config["holidays"] = top["holidays"]
    link = raw.get("link", {"enabled": False})  # no section: a door that stands alone
    config["link"] = schema.table(
        link, board_schema.LINK, "link", problems, board_schema.LINK_HINTS
    )
    config["journal"] = _section(raw, "journal", board_schema.JOURNAL, problems)
    config["media"] = _section(raw, "media", {}, problems)
    config["intercom"] = _section(raw, "intercom", {}, problems)
    config["supplies"] = _entries(raw, "supplies", _supply, problems)
    config["cables"] = _entries(raw, "cables", _cable, problems)
    config["relay_board"] = _section(raw, "relay_board", board_wiring.RELAY_BOARD, problems)
    if not config["portals"]:
        problems.add("portals", "none; expected at least one [portals.NAME]")
    return config


def _section(raw: Config, key: str, fields: schema.Fields, problems: Problems) -> Config:
    return schema.table(raw.get(key, {}), fields, key, problems)


def _entries(
    raw: Config, section: str, one: Callable[[Any, str, Problems], Config], problems: Problems
) -> Config:
    """Every named table of a section, each checked by `one`."""
    tables = raw.get(section, {})
    if not isinstance(tables, dict):
        problems.add(section, f"{schema.show(tables)} is not a table; expected [{section}.NAME]")
        return {}
    wired = section in ("devices", "chips", "supplies", "cables")  # names that reach no topic
    right = board_schema.DEVICE_NAME if wired else board_schema.NAME
    allowed = "a-z, 0-9, _ and -" if wired else "a-z, 0-9 and -"
    entries = {}
    for name, entry in tables.items():
        if not right(name):
            problems.add(f"{section}.{name}", f"not a name; expected 1 to 32 of {allowed}")
        entries[name] = one(entry, f"{section}.{name}", problems)
        _fill_title(entries[name], name)
    return entries


def _fill_title(entry: Config, name: str | None) -> None:
    if entry.get("title") is None:
        entry["title"] = {"en": name, "zh": name}


def _portal(value: Any, path: str, problems: Problems) -> Config:
    entry = schema.table(value, {**board_schema.PORTAL, **board_wiring.PORTAL}, path, problems)
    if entry["pre_alarm_ms"] is None:
        entry["pre_alarm_ms"] = min(5000, entry["open_ms"] // 2)
    if entry["extended_release_ms"] is None:
        entry["extended_release_ms"] = max(15_000, entry["release_ms"])
    if entry["extended_open_ms"] is None:
        entry["extended_open_ms"] = max(60_000, entry["open_ms"])
    return entry


def _access_point(value: Any, path: str, problems: Problems) -> Config:
    entry = schema.table(value, board_schema.ACCESS_POINT, path, problems)
    entry["verification_at"] = schema.table_rows(
        entry["verification_at"],
        board_schema.VERIFICATION_AT,
        f"{path}.verification_at",
        problems,
    )
    return entry


def _implicit_areas(config: Config) -> None:
    """An access point that names no area leads into or out of one that is named like its portal."""
    for entry in config["access_points"].values():
        portal = entry["portal"]
        if entry["area"] is None and portal is not None:
            entry["area"] = portal
            if portal not in config["areas"]:
                config["areas"][portal] = board_policy.implicit_area(config["portals"].get(portal))


def _camera(value: Any, path: str, problems: Problems) -> Config:
    return schema.table(value, board_schema.CAMERA, path, problems)


def _supply(value: Any, path: str, problems: Problems) -> Config:
    return schema.table(value, board_wiring.SUPPLY, path, problems)


def _cable(value: Any, path: str, problems: Problems) -> Config:
    return schema.table(value, board_wiring.CABLE, path, problems)


def _schedule(value: Any, path: str, problems: Problems) -> Config:
    return schema.table(value, board_schema.SCHEDULE, path, problems)


def _device(value: Any, path: str, problems: Problems) -> Config:
    name = value.get("driver") if isinstance(value, dict) else None
    if not isinstance(name, str) or name not in board_devices.DEVICES:
        # Which keys it has hangs on its driver: say only what is wrong with that.
        kept = {"driver": name} if name is not None else {}
        fields = {"driver": board_devices.DEVICES["lock"]["driver"]}
        return schema.table(kept if isinstance(value, dict) else value, fields, path, problems)
    hints = board_devices.DEVICE_HINTS.get(name)
    fields = {**board_devices.DEVICES[name], **board_wiring.fields(name)}
    entry = schema.table(value, fields, path, problems, hints)
    if name == "supervised_contact":
        board_loops.fill(entry, value, path, problems)
    return entry


def _alarms(value: Any, problems: Problems) -> Config:
    """[alarms]: its own keys, and every other table is a point."""
    tables = value if isinstance(value, dict) else {}
    points = {
        name: entry
        for name, entry in tables.items()
        if isinstance(entry, dict) and name not in board_schema.ALARMS
    }
    plain = {name: entry for name, entry in tables.items() if name not in points}
    alarms = schema.table(
        plain if isinstance(value, dict) else value, board_schema.ALARMS, "alarms", problems
    )
    alarms["fault_after_ms"] = schema.table(
        alarms["fault_after_ms"], board_schema.FAULT_AFTER_MS, "alarms.fault_after_ms", problems
    )
    alarms["points"] = _entries({"alarms": points}, "alarms", _alarm_point, problems)
    return alarms


def _alarm_point(value: Any, path: str, problems: Problems) -> Config:
    entry = schema.table(value, board_schema.ALARM_POINT, path, problems)
    if entry["priority"] is None:
        entry["priority"] = board_schema.PRIORITIES.get(entry["class"])
    if entry["reset"] is None and entry["class"] == "fire":
        entry["reset"] = "manual"
    return entry
