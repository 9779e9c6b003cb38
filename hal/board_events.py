"""The events that a board config may name, what each carries, and the words that stand in them.

The controller's own words are `firmware.access.record` and its neighbours, which this room does not
know; a test holds the two together.
"""

MODES = ("locked", "unlocked", "blocked", "locked_down", "locked_open")

#: Alarm classes of the contract.
CLASSES = (
    "door_forced",
    "door_held",
    "tamper",
    "duress",
    "panic",
    "intrusion",
    "fire",
    "credential_misuse",
    "wrong_attempts",
    "reader_fault",
    "lock_fault",
    "camera_fault",
    "camera_covered",
    "power_fault",
    "battery_low",
    "storage_fault",
    "link_fault",
    "clock_fault",
    "certificate_expiring",
    "update_fault",
)

#: Those that may be seen at the door: a rule that answered to duress would betray it.
SHOWN = tuple(kind for kind in CLASSES if kind != "duress")

#: The classes that are faults: they count only if they last.
FAULTS = (
    "reader_fault",
    "lock_fault",
    "camera_fault",
    "camera_covered",
    "power_fault",
    "battery_low",
    "storage_fault",
    "link_fault",
    "clock_fault",
    "certificate_expiring",
    "update_fault",
)

#: Reasons of a denial.
REASONS = (
    "bad_read",
    "reader_blocked",
    "unknown_credential",
    "credential_lost",
    "credential_cancelled",
    "credential_suspended",
    "uses_exhausted",
    "clock_untrusted",
    "not_yet_valid",
    "credential_expired",
    "no_right",
    "portal_blocked",
    "locked_down",
    "outside_schedule",
    "credential_blocked",
    "wrong_pin",
    "pin_timeout",
    "second_person_missing",
    "anti_passback",
    "occupancy_full",
    "interlock",
)

CAUSES = ("credential", "command", "schedule", "rex", "fire", "call", "override", "power")

_WHO = ("portal", "access_point", "credential", "holder")
_ALARM = ("point", "class", "priority")
_PARTITION = ("partition", "by")

#: type: what it carries. What the core decides; the controller's own upkeep sets nothing off. Duress is told
#: by no event of a door, so nothing here betrays it.
FIELDS: dict[str, tuple[str, ...]] = {
    "access.granted": (*_WHO, "verification", "passback", "visit"),
    "access.denied": (*_WHO, "reason"),
    "access.taken": _WHO,
    "access.not_taken": _WHO,
    "portal.released": (*_WHO, "cause"),
    "portal.secured": ("portal",),
    "portal.mode": ("portal", "mode", "cause", "by"),
    "portal.opened": ("portal",),
    "portal.closed": ("portal",),
    "alarm.raised": _ALARM,
    "alarm.repeated": _ALARM,
    "alarm.acknowledged": (*_ALARM, "by"),
    "alarm.cleared": (*_ALARM, "by"),
    "alarm.silenced": ("by",),
    "alarm.shelved": ("point", "class", "by"),
    "alarm.unshelved": ("point", "class", "by"),
    "passback.forgiven": ("area", "by", "count"),
    "partition.armed": _PARTITION,
    "partition.disarmed": _PARTITION,
    "partition.bypassed": (*_PARTITION, "point"),
    "partition.refused": (*_PARTITION, "reason"),
    "partition.entry": ("partition", "point"),
}

#: (type, or "" for all, field): what it can be, where that is a closed list.
VALUES: dict[tuple[str, str], tuple[object, ...]] = {
    ("", "class"): SHOWN,
    ("", "priority"): (1, 2, 3, 4),
    ("", "mode"): MODES,
    ("", "cause"): CAUSES,
    ("", "verification"): ("card", "pin", "card+pin", "qr"),
    ("", "passback"): ("violated",),
    ("access.denied", "reason"): REASONS,
    ("partition.refused", "reason"): ("sensor_open", "sensor_unavailable"),
}
