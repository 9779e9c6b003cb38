"""Automation: when this is recorded, and that is so, do this. A small table of the config; no code.

Pure. It decides which rules a record calls for; `firmware.access.site` does what they say, and what is
recorded by that calls for nothing further. It never releases a door: the modes that it may set are
`MODES`, and there is nothing else that it can do to one.
"""

from collections import namedtuple

from firmware.access import alarm, portal, record

#: The modes that a rule may set.
MODES = (portal.LOCKED, portal.BLOCKED, portal.LOCKED_DOWN)

#: One rule.
#: name       str
#: when       dict  fields of an event, all equal: {"type": "alarm.raised", "class": "panic"}
#: condition  dict  what must be so besides, see `holds`; empty: nothing
#: do         SetMode, SwitchOutput or RaiseAlarm
Rule = namedtuple("Rule", ("name", "when", "condition", "do"))

#: Set the mode of `portals`; empty: of all.
SetMode = namedtuple("SetMode", ("mode", "portals"))

#: Switch output `device` on for `for_ms`.
SwitchOutput = namedtuple("SwitchOutput", ("device", "for_ms"))

#: Raise an alarm of class `kind` at `point`; None: at the controller. It is over at once.
RaiseAlarm = namedtuple("RaiseAlarm", ("kind", "point"))

#: An effect of a site: switch output `device` on or off.
Switch = namedtuple("Switch", ("device", "on"))

CAUSE = "automation"  #: of a mode that a rule set


def called(rules: "tuple[Rule, ...]", made: "record.Record") -> "list[Rule]":
    """The rules whose `when` a record meets, in their order. None for duress, which nothing may betray."""
    if made.fields.get("class") == alarm.DURESS:
        return []
    return [rule for rule in rules if _meets(rule.when, made)]


def holds(
    condition: "dict[str, object]",
    modes: "dict[str, str]",
    in_hours: "set[str]",
    armed: "set[str]",
    empty: "set[str]",
    alarms: "set[str]",
) -> bool:
    """Whether all of a rule's condition is so.

    modes     portal -> its mode: {"portal": "front", "mode": "locked"}
    in_hours  schedules that hold now: {"schedule": "night"}
    armed     partitions that are armed: {"partition": "flat-302", "armed": true}
    empty     areas with nobody in them: {"area": "hall", "empty": true}
    alarms    classes that are not normal somewhere: {"alarm": "fire"}
    """
    if "portal" in condition and modes.get(str(condition["portal"])) != condition.get("mode"):
        return False
    if "schedule" in condition and condition["schedule"] not in in_hours:
        return False
    partition = condition.get("partition")
    if partition is not None and (partition in armed) != condition.get("armed", True):
        return False
    if "area" in condition and (condition["area"] in empty) != condition.get("empty", True):
        return False
    return "alarm" not in condition or condition["alarm"] in alarms


def _meets(when: "dict[str, object]", made: "record.Record") -> bool:
    said = [made.type if field == "type" else made.fields.get(field) for field in when]
    return said == [when[field] for field in when]


class Pulses:
    """The outputs that rules have switched on, and until when."""

    def __init__(self) -> None:
        self._until_ms: dict[str, int] = {}

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        return min(self._until_ms.values()) if self._until_ms else None

    def switch(self, device: str, for_ms: int, now_ms: int) -> "list[Switch]":
        """Switch `device` on for `for_ms` from now; one that is on stays on for the longer time."""
        until_ms = now_ms + for_ms
        was = self._until_ms.get(device)
        self._until_ms[device] = until_ms if was is None else max(was, until_ms)
        return [Switch(device, True)] if was is None else []

    def tick(self, now_ms: int) -> "list[Switch]":
        """Switch off what has been on for its time."""
        over = [device for device in sorted(self._until_ms) if now_ms >= self._until_ms[device]]
        for device in over:
            del self._until_ms[device]
        return [Switch(device, False) for device in over]
