"""Which keys the rule sections of a board config have: areas, interlocks, levels, partitions, automation.

Types, ranges and defaults, and how a table of these becomes a normalised one. What the rules owe each
other is `hal.board_policy_rules`. The keys that rules add to portals, access points, alarms and the
controller stand with the others, in `hal.board_schema`.
"""

import re
from collections.abc import Callable
from typing import Any

from hal import board_events, schema
from hal.board_schema import device_name, flat, group, local_minute, name, time_of_day
from hal.schema import (
    Field,
    Fields,
    Problems,
    choice,
    each,
    flag,
    optional,
    required,
    rows,
    title,
    whole,
)

Config = dict[str, Any]

_RULES = 200  #: of automation

ANYWHERE = "*"  #: every access point

YEAR_MS = 31_536_000_000


AREA: Fields = {
    "title": optional(title),
    "occupancy_max": optional(whole(1, 100_000, "people")),
    "forgive_after_ms": optional(whole(1000, YEAR_MS)),
    "forgive_at": optional(time_of_day),
}

INTERLOCK: Fields = {"title": optional(title), "portals": required(each(name, 16))}

LEVEL: Fields = {"title": optional(title), "rights": required(rows(1000))}
RIGHT: Fields = {
    "access_point": required(
        schema.word(
            lambda text: text == ANYWHERE or bool(re.fullmatch(r"[a-z0-9-]{1,32}", text)),
            'a name of [access_points], or "*" for all',
        )
    ),
    "schedule": optional(name),
    "deny": optional(flag, False),
}

KEYS = ("ignore", "alarm", "disarm")  #: what a granted key means while its partition is armed

PARTITION: Fields = {
    "title": optional(title),
    "points": required(each(name, 1000)),
    "delayed": optional(each(name, 1000), []),
    "entry_ms": optional(whole(0, 300_000), 30_000),
    "exit_ms": optional(whole(0, 300_000), 30_000),
    "schedule": optional(name),
    "flat": optional(flat),
    "group": optional(group),
    "keys": optional(choice(*KEYS), "ignore"),
    "appointments": optional(rows(1000), []),
}
APPOINTMENT: Fields = {
    "from": required(local_minute),
    "to": required(local_minute),
    "keys": optional(choice(*KEYS)),  # the partition's
}

#: What automation may set a portal to. Never a mode that releases.
MODES = ("locked", "blocked", "locked_down")
RELEASING = ("unlocked", "locked_open", "accessed")
#: What automation may raise: what an input or a device could. Never fire, which releases; never duress,
#: which is secret.
RAISED = (
    "intrusion",
    "panic",
    "tamper",
    "power_fault",
    "battery_low",
    "storage_fault",
    "camera_fault",
    "camera_covered",
    "certificate_expiring",
    "update_fault",
)


def automation_mode(value: Any) -> Any:
    """A mode that automation may set."""
    if isinstance(value, str) and value in RELEASING:
        raise ValueError(
            f"{schema.show(value)} releases, and automation never releases; "
            f"expected one of {', '.join(schema.show(mode) for mode in MODES)}"
        )
    return choice(*MODES)(value)


AUTOMATION: Fields = {
    "title": optional(title),
    "when": required(schema.a_table('{ type = "alarm.raised", ... }')),
    "if": optional(schema.a_table('{ portal = "...", mode = "..." } or another condition')),
    "do": required(schema.a_table('{ mode = "..." }, { output = "..." } or { alarm = "..." }')),
}

#: What a condition may ask; all of it must be so.
CONDITION: Fields = {
    "portal": optional(name),
    "mode": optional(choice(*board_events.MODES)),
    "schedule": optional(name),
    "partition": optional(name),
    "armed": optional(flag),
    "area": optional(name),
    "empty": optional(flag),
    "alarm": optional(choice(*board_events.SHOWN)),
}

#: Of a condition: what says nothing without the other.
_TOGETHER = (("portal", "mode"), ("mode", "portal"), ("armed", "partition"), ("empty", "area"))

#: What a rule does, by the key that it is known by.
ACTIONS: dict[str, Fields] = {
    "mode": {"mode": required(automation_mode), "portals": optional(each(name, 1000))},
    "output": {"output": required(device_name), "for_ms": optional(whole(1, 86_400_000), 5000)},
    "alarm": {"alarm": required(choice(*RAISED)), "point": optional(device_name)},
}


def area(value: Any, path: str, problems: Problems) -> Config:
    """One table of [areas]."""
    return schema.table(value, AREA, path, problems)


def implicit_area(portal: Config | None) -> Config:
    """The area that is named like a portal and has no table of its own."""
    entry = {key: field.default for key, field in AREA.items()}
    if portal is not None:
        entry["title"] = dict(portal["title"])
    return entry


def interlock(value: Any, path: str, problems: Problems) -> Config:
    """One table of [interlocks]."""
    return schema.table(value, INTERLOCK, path, problems)


def level(value: Any, path: str, problems: Problems) -> Config:
    """One table of [levels]."""
    return _with_rows(value, LEVEL, {"rights": RIGHT}, path, problems)


def partition(value: Any, path: str, problems: Problems) -> Config:
    """One table of [partitions]; an appointment that says nothing of keys has its partition's."""
    entry = _with_rows(value, PARTITION, {"appointments": APPOINTMENT}, path, problems)
    for one in entry["appointments"]:
        if one["keys"] is None:
            one["keys"] = entry["keys"]
    return entry


def automation(value: Any, path: str, problems: Problems) -> Config:
    """One table of [automation]; `when` and `if` keep what they name, `do` has the keys of one action."""
    entry = schema.table(value, AUTOMATION, path, problems)
    if entry["when"] is not None:
        entry["when"] = _when(entry["when"], f"{path}.when", problems)
    if entry["if"] is not None:
        entry["if"] = _condition(entry["if"], f"{path}.if", problems)
    if entry["do"] is not None:
        entry["do"] = _action(entry["do"], f"{path}.do", problems)
    return entry


def automation_rules(rules: Config, problems: Problems) -> Config:
    """All of [automation], unless that is more than a small table."""
    if len(rules) <= _RULES:
        return rules
    problems.add("automation", f"{len(rules)} rules; expected at most {_RULES}")
    return {}


def _with_rows(
    value: Any, fields: Fields, inner: dict[str, Fields], path: str, problems: Problems
) -> Config:
    entry = schema.table(value, fields, path, problems)
    for key, of_row in inner.items():
        if entry[key] is not None:
            entry[key] = schema.table_rows(entry[key], of_row, f"{path}.{key}", problems)
    return entry


def _when(value: Config, path: str, problems: Problems) -> Config:
    """The type and the fields that an event must have; only what is named."""
    kind = value.get("type")
    known = board_events.FIELDS.get(kind, ()) if isinstance(kind, str) else ()
    fields: Fields = {"type": required(choice(*board_events.FIELDS))}
    if not known:  # which fields it has hangs on its type: say only what is wrong with that
        value = {key: value[key] for key in ("type",) if key in value}
    for key in known:
        fields[key] = Field(_field_check(kind, key), False, None)
    entry = schema.table(value, fields, path, problems)
    return {key: part for key, part in entry.items() if part is not None}


def _field_check(kind: Any, key: str) -> Callable[[Any], Any]:
    values = board_events.VALUES.get((kind, key)) or board_events.VALUES.get(("", key))
    return choice(*values) if values else _plain


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, int) and 0 <= value < 1 << 53):
        return value
    if isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable():
        return value
    raise ValueError(
        f"{schema.show(value)} is not allowed; expected a text, a whole number or true/false"
    )


def _condition(value: Config, path: str, problems: Problems) -> Config:
    if not value:
        problems.add(
            path, "asks nothing; expected a portal, a schedule, a partition, an area or an alarm"
        )
    for key, beside in _TOGETHER:
        if key in value and beside not in value:
            problems.add(f"{path}.{beside}", f"missing beside {key}; expected both")
    entry = schema.table(value, CONDITION, path, problems)
    for one, other in (("partition", "armed"), ("area", "empty")):
        if entry[one] is not None and other not in value:
            entry[other] = True
    return {key: part for key, part in entry.items() if part is not None}


def _action(value: Config, path: str, problems: Problems) -> Config | None:
    """`value` as the one of `ACTIONS` whose key it has; None, told, if it has none or several."""
    named = [key for key in ACTIONS if key in value]
    if len(named) == 1:
        return schema.table(value, ACTIONS[named[0]], path, problems)
    words = ", ".join(f'"{key}"' for key in ACTIONS)
    has = " and ".join(f'"{key}"' for key in named) or "none of them"
    problems.add(path, f"has {has}; expected exactly one of {words}")
    return None
