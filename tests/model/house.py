"""The building of the model tests, as plain values: no word of it comes from the code that is tested.

Portable. `building` turns it into the core's plan and keys; `oracle` reads it as it stands here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: A Monday, 00:00 in the site's zone (UTC+8, no daylight saving), as UTC seconds.
MONDAY_S = 1794787200 - 8 * 3600
ZONE_S = 8 * 3600
DAY_S = 86400
HOLIDAY = MONDAY_S + ZONE_S + 9 * DAY_S  #: the second Wednesday, local seconds at midnight

SETTLE_MS = 200
TRAVEL_MS = 60
PIN_TIMEOUT_MS = 10000
WRONG_ATTEMPTS = 5
WRONG_WINDOW_MS = 600000
BLOCK_MS = 30000
SIREN_MAX_MS = 180000

#: cuts: the exit button cuts the magnet's current; fire: it releases; closes: relocks when the door closes
PORTALS: "dict[str, dict[str, Any]]" = {
    "cellar": {"cuts": False, "fire": False, "closes": False, "mode": "locked"},
    "front": {"cuts": False, "fire": True, "closes": False, "mode": "locked"},
    "gate": {"cuts": False, "fire": True, "closes": True, "mode": "locked"},
    "inner": {"cuts": False, "fire": True, "closes": False, "mode": "locked"},
    "yard": {"cuts": True, "fire": True, "closes": False, "mode": "locked"},
}
EGRESS_MS = 30000
RELEASE_MS = 5000
EXTENDED_RELEASE_MS = 15000
OPEN_MS = 30000
EXTENDED_OPEN_MS = 60000
PRE_ALARM_MS = 5000


def _access_point(portal: str, way: str, area: str, **more: "Any") -> "dict[str, Any]":
    point: dict[str, Any] = {
        "portal": portal,
        "way": way,
        "area": area,
        "direction": "in",
        "passback": "off",
        "way_at": (),
        "pair": "off",
        "reader": None,
    }
    for name in more:
        assert name in point, name
        point[name] = more[name]
    return point


ACCESS_POINTS: "dict[str, dict[str, Any]]" = {
    "cellar-in": _access_point("cellar", "card+pin", "cellar", pair="other_group"),
    "front-in": _access_point(
        "front", "card-or-pin", "hall", way_at=(("night", "card+pin"),), reader="front-reader"
    ),
    "gate-in": _access_point("gate", "card", "garden", passback="soft"),
    "gate-out": _access_point("gate", "card", "garden", passback="soft", direction="out"),
    "inner-in": _access_point("inner", "pin", "vault", passback="timed"),
    "yard-in": _access_point("yard", "card", "yard", passback="hard"),
    "yard-out": _access_point("yard", "card", "yard", passback="hard", direction="out"),
}
AGAIN_MS = 600000  #: of "timed"
SECOND_PERSON_MS = 15000

#: people inside at most, forgiven so long after the last passage, and each day at this local second
AREAS: "dict[str, tuple[Any, Any, Any]]" = {
    "cellar": (3, None, None),
    "garden": (2, None, 4 * 3600),
    "yard": (None, 4 * 3600000, None),
}
INTERLOCKS = {"sluice": ("front", "inner")}

#: portal: hours, first card, how early the first card counts, level of who counts
FREE_ACCESS: "dict[str, tuple[Any, ...]]" = {
    "gate": ("work", False, 3600000, None),
    "yard": ("evening", True, 3600000, "all"),
}

KEY_WRONG_ATTEMPTS = 2
KEY_BLOCK_MS = 30000
KEY_BLOCK_MAX_MS = 3600000
LONG_S = 30 * DAY_S  #: a key that is valid for so long is there to stay

#: alarm points: class, priority
POINTS = {
    "attic": ("intrusion", 2),  # in no partition: always armed
    "enclosure": ("tamper", 2),
    "fire": ("fire", 1),
    "flat-motion": ("intrusion", 2),
    "front-reader": ("tamper", 2),
    "hall-door": ("intrusion", 2),
    "hall-motion": ("intrusion", 2),
    "lobby-panic": ("panic", 1),
}
FIRE_RESET = "manual"

#: points, delayed, entry_ms, exit_ms, hours, flat, group, keys, appointments
PARTITIONS: "dict[str, tuple[Any, ...]]" = {
    "flat": (("flat-motion",), (), 0, 0, None, "302", None, "disarm", ()),
    "hall": (
        ("hall-door", "hall-motion"),
        ("hall-door",),
        10000,
        5000,
        "night",
        "101",
        None,
        "alarm",
        (),
    ),
}
REPEAT_MS = 600000
FAULT_AFTER_MS = {
    "reader_fault": 1000,
    "lock_fault": 1000,
    "power_fault": 2000,
    "link_fault": 300000,
}

#: name, when, if, do: (what, ...)
AUTOMATION: "tuple[tuple[str, dict[str, Any], dict[str, Any], tuple[Any, ...]], ...]" = (
    ("shut", {"type": "alarm.raised", "class": "panic"}, {}, ("mode", "locked_down", ("front",))),
    (
        "light",
        {"type": "alarm.raised", "class": "door_forced"},
        {"partition": "hall", "armed": True},
        ("output", "lamp", 5000),
    ),
    (
        "told",
        {"type": "alarm.raised", "class": "wrong_attempts"},
        {},
        ("alarm", "camera_covered", "cam"),
    ),
    (
        "shut-empty",
        {"type": "access.taken", "portal": "gate"},
        {"area": "yard", "empty": False},
        ("mode", "blocked", ("inner",)),
    ),
)

#: name: (weekdays 0..6, 7 a holiday; from and to in minutes of that day; as the config writes it)
HOURS = {
    "work": ((0, 1, 2, 3, 4), 8 * 60, 12 * 60, "mon-fri 08:00-12:00"),
    "night": ((0, 1, 2, 3, 4, 5, 6, 7), 22 * 60, 30 * 60, "daily 22:00-06:00"),
    "holidays": ((7,), 10 * 60, 14 * 60, "hol 10:00-14:00"),
    "evening": ((0, 1, 2, 3, 4, 5, 6), 17 * 60, 19 * 60, "mon-sun 17:00-19:00"),
}

#: name: rights (access point, hours or None, deny)
LEVELS: "dict[str, Any]" = {
    "all": (("*", None, False),),
    "doors": (("front-in", None, False), ("gate-in", None, False), ("gate-out", None, False)),
    "work": (("*", "work", False), ("front-in", "holidays", False)),
    "nights": (("yard-in", "night", False), ("yard-out", "night", False)),
    "no-gate": (("gate-in", None, True),),
    "no-nights": (("*", "night", True),),
}


def _person(number: int, **more: "Any") -> "dict[str, Any]":
    """One key and its owner: everything that a host could say of it."""
    person: dict[str, Any] = {
        "id": number,
        "holder": 300 + number,
        "card": "w26:012:%05d" % number,
        "pin": None,
        "duress_pin": None,
        "code": None,
        "state": "active",
        "from_s": None,
        "to_s": None,
        "first_use_s": None,
        "uses": None,
        "levels": ["all"],
        "extended": False,
        "override": False,
        "flat": None,
        "group": None,
        "acknowledges": False,
        "duress": False,
    }
    for name in more:
        assert name in person, name
        person[name] = more[name]
    return person


def people() -> "dict[int, Any]":
    """Everybody, by record number; new values at every call, for they change."""
    made = [
        _person(1, pin="2580", duress_pin="2589", group="staff", flat="101"),
        _person(2, pin="3691", levels=["work"], group="guests"),
        _person(3, to_s=MONDAY_S + 3600),
        _person(4, state="lost", pin="4444"),
        _person(5, state="cancelled"),
        _person(6, state="suspended", pin="6666"),
        _person(7, from_s=MONDAY_S + 2 * DAY_S),
        _person(8, override=True, extended=True, pin="8080", acknowledges=True, group="staff"),
        _person(9, uses=3, code="VISIT-9"),
        _person(10, first_use_s=6 * 3600),
        _person(11, levels=[]),
        _person(12, duress=True, pin="1212", code="VISIT-12"),
        _person(13, levels=["all", "no-gate"], pin="1313", duress_pin="1314"),
        _person(14, levels=["all", "no-nights"], flat="302", group="guests", pin="1414"),
        _person(15, levels=["doors", "nights"], to_s=MONDAY_S + 5 * DAY_S, pin="1515"),
    ]
    return {one["id"]: one for one in made}


#: What a person may turn into: field, values.
CHANGES: "tuple[tuple[str, tuple[Any, ...]], ...]" = (
    ("state", ("active", "active", "active", "active", "suspended", "lost", "cancelled")),
    ("from_s", (None, None, MONDAY_S + 2 * DAY_S)),
    ("to_s", (None, None, None, None, None, MONDAY_S + 3600, MONDAY_S + 3 * DAY_S)),
    ("uses", (None, None, 2)),
    ("levels", (["all"], ["work"], ["doors", "nights"], ["all"], [])),
    ("override", (False, True)),
    ("extended", (False, True)),
)

STRANGERS = ("w26:099:00001", "w34:1234567890")
WRONG_DIGITS = ("0000", "99999")
MODES = ("locked", "unlocked", "blocked", "locked_down", "locked_open")
CONDITIONS = (
    ("front-reader", "reader_fault"),
    ("front-strike", "lock_fault"),
    ("controller", "power_fault"),
    ("controller", "battery_low"),
    ("controller", "storage_fault"),
    ("controller", "link_fault"),
    ("controller", "clock_fault"),
)
