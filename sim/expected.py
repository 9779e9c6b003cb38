"""Which events a scenario may expect, which fields each can carry, and what may stand in them.

What the core decides is `hal.board_events`, as for automation; here stand beside it what only the
controller itself tells, what comes with later parts of the contract, and what every event carries.
"""

from typing import Any

from hal import board_events, schema

#: What every event carries (the contract, section 3).
COMMON = (
    *("v", "id", "journal", "seq", "boot", "time", "clock", "prev", "hash", "simulated", "late"),
)

_PASSAGE = ("portal", "access_point", "credential", "holder", "verification", "passback", "visit")
_SHELVED = ("point", "class", "priority", "by", "until")
_CALL = ("portal", "access_point", "flat", "call", "talk_ms", "reason", "by")
_MEDIA = ("media", "event", "bytes", "from", "to", "camera", "count", "by")
_COMMAND = ("command", "op", "by", "reason", "count")
_PART = ("part", "text", "reason", "point")
_UPDATE = ("version", "part", "text", "reason", "by")

#: type: fields beside those of `hal.board_events`; a type that is not there has these alone.
_MORE: dict[str, tuple[str, ...]] = {
    "access.granted": _PASSAGE,
    "access.denied": _PASSAGE,
    "access.taken": _PASSAGE,
    "access.not_taken": _PASSAGE,
    "portal.released": ("by", "command", "call", "flat", "visit"),
    "portal.mode": ("command",),
    "passback.forgiven": ("credential", "holder", "visit"),
    "alarm.raised": _SHELVED,
    "alarm.repeated": _SHELVED,
    "alarm.acknowledged": _SHELVED,
    "alarm.cleared": _SHELVED,
    "alarm.silenced": _SHELVED,
    "alarm.shelved": _SHELVED,
    "alarm.unshelved": _SHELVED,
    "partition.bypassed": ("points",),
    "partition.refused": ("points",),
    "partition.entry": ("by",),
    "automation.done": ("automation", "by"),
    "intercom.called": _CALL,
    "intercom.ringing": _CALL,
    "intercom.answered": _CALL,
    "intercom.missed": _CALL,
    "intercom.ended": _CALL,
    "intercom.released": _CALL,
    "media.snapshot": _MEDIA,
    "media.clip": _MEDIA,
    "media.pruned": _MEDIA,
    "credential.changed": ("credential", "change", "by"),
    "credential.synced": ("version", "count", "by"),
    "operator.changed": ("operator", "change", "by"),
    "command.accepted": _COMMAND,
    "command.rejected": _COMMAND,
    "system.started": ("gap_ms", "reason", "version"),
    "system.stopping": ("reason", "by"),
    "system.fault": _PART,
    "system.recovered": _PART,
    "system.journal_started": ("previous", "reason"),
    "system.checkpoint": ("controller", "upto", "head", "sig"),
    "system.egress_test": ("portal", "results", "by"),
    "clock.changed": ("delta_ms", "quality", "by"),
    "update.started": _UPDATE,
    "update.done": _UPDATE,
    "update.failed": _UPDATE,
    "update.rolled_back": _UPDATE,
}

#: type: what it can carry beside `COMMON`.
FIELDS: dict[str, tuple[str, ...]] = {
    kind: tuple(dict.fromkeys((*board_events.FIELDS.get(kind, ()), *_MORE.get(kind, ()))))
    for kind in (*board_events.FIELDS, *_MORE)
}

_QUALITIES = ("trusted", "holdover", "untrusted")

#: As `board_events.VALUES`, where a scenario may say more than a rule, which must not betray duress.
_VALUES: dict[tuple[str, str], tuple[object, ...]] = {
    ("", "class"): board_events.CLASSES,
    ("", "clock"): _QUALITIES,
    ("", "quality"): _QUALITIES,
    ("", "simulated"): (True, False),
    ("", "late"): (True, False),
    ("portal.mode", "cause"): (*board_events.CAUSES, "automation"),
}

#: Field: the section of the board config whose names may stand in it.
_NAMES = {
    "portal": "portals",
    "access_point": "access_points",
    "partition": "partitions",
    "area": "areas",
    "automation": "automation",
}
_NUMBERS = ("v", "seq", "boot", "credential", "holder", "delta_ms", "gap_ms", "talk_ms", "bytes")


def problem(kind: str, key: str, value: Any, config: dict[str, Any]) -> str | None:
    """What is wrong with expecting `value` in the field `key` of an event of type `kind`; None: nothing.

    config  a board config as `hal.board.load` returns it
    """
    fields = (*FIELDS[kind], *COMMON)
    if key not in fields:
        return f"unknown key; {schema.nearest_known(key, fields)}"
    if key in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"{schema.show(value)}; expected a whole number"
        return None
    known = _known(kind, key, config)
    if known is None or any(value == one and type(value) is type(one) for one in known):
        return None
    if isinstance(value, str) and all(isinstance(one, str) for one in known):
        return f"unknown {schema.show(value)}; {schema.nearest_known(value, map(str, known))}"
    return f"{schema.show(value)}; expected one of {', '.join(schema.show(one) for one in known)}"


def _known(kind: str, key: str, config: dict[str, Any]) -> tuple[object, ...] | None:
    """All that may stand in the field `key`; None: anything."""
    if key == "point":
        sections = ("portals", "access_points", "devices", "cameras")
        names = [name for section in sections for name in config.get(section, ())]
        return ("controller", *names, *config["alarms"]["points"])
    if key in _NAMES:
        return tuple(config[_NAMES[key]])
    for values in (_VALUES, board_events.VALUES):
        found = values.get((kind, key)) or values.get(("", key))
        if found is not None:
            return found
    return None
