"""Which keys the rule sections of a board config have: areas, interlocks, levels, partitions, automation.

Types, ranges and defaults, and how a table of these becomes a normalised one. What the rules owe each
other is `hal.board_policy_rules`. The keys that rules add to portals, access points, alarms and the
controller stand with the others, in `hal.board_schema`.
"""

import re
from collections.abc import Callable
from typing import Any

from hal import board_events, schema
from hal.board_schema import device_name, group, local_minute, name, time_of_day
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

ANYWHERE = "*"  #: every access point

YEAR_MS = 31_536_000_000


AREA: Fields = {
    "title": optional(title),
    "occupancy_max": optional(whole(1, 100_000, "people")),
    "forgive_after_ms": optional(whole(1000, YEAR_MS)),
    "forgive_at": optional(time_of_day),
}

INTERLOCK: Fields = {"title": optional(title), "portals": required(each(name, 100))}

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
    "flat": optional(group),
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
#: What automation may raise: what an input could. Never fire, which releases; never duress, which is secret.
RAISED = ("intrusion", "panic", "tamper", "power_fault", "battery_low")


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

#: What a condition asks, by the key that it is known by.
CONDITIONS: dict[str, Fields] = {
    "portal": {"portal": required(name), "mode": required(choice(*board_events.MODES))},
    "schedule": {"schedule": required(name)},
    "partition": {"partition": required(name), "armed": optional(flag, True)},
    "area": {"area": required(name), "empty": optional(flag, True)},
    "alarm": {"alarm": required(choice(*board_events.CLASSES))},
}

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
    """One table of [automation]; its `when` keeps the fields it names, `if` and `do` one form each."""
    entry = schema.table(value, AUTOMATION, path, problems)
    if entry["when"] is not None:
        entry["when"] = _when(entry["when"], f"{path}.when", problems)
    for key, forms in (("if", CONDITIONS), ("do", ACTIONS)):
        if entry[key] is not None:
            entry[key] = _form(entry[key], forms, f"{path}.{key}", problems)
    return entry


def _with_rows(
    value: Any, fields: Fields, inner: dict[str, Fields], path: str, problems: Problems
) -> Config:
    entry = schema.table(value, fields, path, problems)
    for key, of_row in inner.items():
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
        fields[key] = Field(_field_check(key), False, None)
    entry = schema.table(value, fields, path, problems)
    return {key: part for key, part in entry.items() if part is not None}


def _field_check(key: str) -> Callable[[Any], Any]:
    return choice(*board_events.VALUES[key]) if key in board_events.VALUES else _plain


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, int) and 0 <= value < 1 << 53):
        return value
    if isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable():
        return value
    raise ValueError(
        f"{schema.show(value)} is not allowed; expected a text, a whole number or true/false"
    )


def _form(value: Config, forms: dict[str, Fields], path: str, problems: Problems) -> Config | None:
    """`value` as the one of `forms` whose key it has; None, told, if it has none or several."""
    named = [key for key in forms if key in value]
    words = ", ".join(f'"{key}"' for key in forms)
    if len(named) != 1:
        has = " and ".join(f'"{key}"' for key in named) or "none of them"
        problems.add(path, f"has {has}; expected exactly one of {words}")
        return None
    return schema.table(value, forms[named[0]], path, problems)
