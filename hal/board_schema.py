"""Which keys a board config has: every section, with ranges and defaults.

The page for people is board_configs/README.md; a test holds the two together. The drivers of [devices]
are in `hal.board_devices`, rules that need more than one table in `hal.board_rules`, those about lines in
`hal.board_lines`.
"""

import datetime
import re
import zoneinfo
from typing import Any

from hal.board_events import FAULTS
from hal.schema import (
    Fields,
    a_table,
    choice,
    each,
    flag,
    optional,
    required,
    rows,
    show,
    title,
    whole,
    word,
)

SCHEMA = 1  #: the version of this layout

INPUT_CLASSES = ("fire", "tamper", "panic", "intrusion", "power_fault", "battery_low")

#: A point's priority where the config names none, by class (1 is the most urgent).
PRIORITIES = {
    "fire": 1,
    "panic": 1,
    "intrusion": 2,
    "tamper": 2,
    "power_fault": 3,
    "battery_low": 3,
}

READER_DRIVERS = ("wiegand_reader", "serial_reader", "osdp_reader")
CONTACT_DRIVERS = ("contact", "supervised_contact")  #: closed or open; the second sees a cut wire
KEY_DRIVERS = ("wiegand_reader", "keypad", "osdp_reader")  #: keys can be pressed on these

#: Names that reach topics, and names that stay here. `\Z`: unlike `$` it takes no newline.
NAME = re.compile(r"[a-z0-9-]{1,32}\Z").match
DEVICE_NAME = re.compile(r"[a-z0-9_-]{1,32}\Z").match

name = word(NAME, "1 to 32 of a-z, 0-9 and -")
device_name = word(DEVICE_NAME, "1 to 32 of a-z, 0-9, _ and - (a name of [devices])")
path = word(lambda text: 0 < len(text) <= 255 and "\0" not in text, "the path of a file")
text = word(lambda text: 0 < len(text) <= 255 and text.isprintable(), "1 to 255 characters")

flat = word(re.compile(r"[A-Za-z0-9-]{1,16}\Z").match, "a flat's number")
group = word(lambda text: 0 < len(text) <= 64 and text.isprintable(), "1 to 64 characters")

_HOURS = re.compile(
    r"\s*[a-z,-]+\s+([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\s*\Z"
).match
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z").match
_DAY_OF = r"(19[7-9][0-9]|2[0-3][0-9]{2})-[0-9]{2}-[0-9]{2}"
_DATE = re.compile(rf"{_DAY_OF}\Z").match
_MINUTE = re.compile(rf"{_DAY_OF}T[0-9]{{2}}:[0-9]{{2}}\Z").match
_DAY = r"(daily|hol|(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?)"
_DAYS = re.compile(rf"\s*{_DAY}(,{_DAY})*\s").match
hours = word(
    lambda line: _HOURS(line.lower()) and _DAYS(line.lower()), 'such as "mon-fri 08:00-12:00"'
)


def timezone(value: Any) -> str:
    """A zone of the time zone database, such as Asia/Shanghai."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise ValueError(
            f"{show(value)} is no time zone; expected a name such as Asia/Shanghai"
        ) from error
    return str(value)


def holiday(value: Any) -> str:
    """A date, as text or as TOML's own, as text."""
    day = str(value) if type(value) is datetime.date else value
    try:
        if not _DATE(day):
            raise ValueError
        datetime.date.fromisoformat(day)
    except (ValueError, TypeError) as error:
        raise ValueError(f'{show(value)} is no date; expected such as "2027-01-01"') from error
    return str(day)


def local_minute(value: Any) -> str:
    """A local date and time to the minute, as text or as TOML's own, as text."""
    own = type(value) is datetime.datetime and _is_whole_minute(value)
    words = value.isoformat("T", "minutes") if own else value
    try:
        if not _MINUTE(words):
            raise ValueError
        datetime.datetime.fromisoformat(words)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f'{show(value)} is no local time; expected such as "2027-02-01T00:00"'
        ) from error
    return str(words)


def _is_whole_minute(value: Any) -> bool:
    """Whether TOML's own time, or date and time, says no seconds."""
    has = isinstance(value, datetime.datetime | datetime.time)
    return has and value.second == 0 and value.microsecond == 0


def time_of_day(value: Any) -> str:
    """A time of day, ``HH:MM``, as text or as TOML's own, as text."""
    own = type(value) is datetime.time and _is_whole_minute(value)
    words = value.strftime("%H:%M") if own else value
    if not isinstance(words, str) or not _TIME(words):
        raise ValueError(f'{show(value)} is no time of day; expected such as "04:00"')
    return words


CONTROLLER: Fields = {
    "site": required(name),
    "name": required(name),
    "timezone": required(timezone),
    "rtc": optional(flag, False),
    "gpio": optional(choice("gpiod", "rpi_gpio"), "gpiod"),
    "watchdog": optional(path),
    "title": optional(title),
    "flats": optional(each(flat, 2000), []),
    "untrusted_time": optional(choice("refuse", "allow"), "refuse"),
    "narrow_after_h": optional(whole(1, 8760, "h")),
    "credential_wrong_attempts": optional(whole(1, 10, "attempts"), 5),
    "credential_block_ms": optional(whole(1000, 3_600_000), 30_000),
}

PORTAL: Fields = {
    "title": optional(title),
    "lock": required(device_name),
    "contact": required(device_name),
    "rex": optional(device_name),
    "egress": required(choice("handle", "button_cuts_power", "none")),
    "egress_ms": optional(whole(1000, 600_000), 30_000),
    "escape_route": optional(flag, True),
    "on_fire": optional(choice("release", "latch"), "release"),
    "mode": optional(
        choice("locked", "unlocked", "blocked", "locked_down", "locked_open"), "locked"
    ),
    "release_ms": optional(whole(500, 600_000), 5000),
    "open_ms": optional(whole(1000, 3_600_000), 30_000),
    "pre_alarm_ms": optional(whole(0, 3_600_000)),  # 5000, or half of a shorter open_ms
    "extended_release_ms": optional(whole(500, 600_000)),  # 15000, or a longer release_ms
    "extended_open_ms": optional(whole(1000, 3_600_000)),  # 60000, or a longer open_ms
    "relock": optional(choice("open", "close"), "open"),
    "settle_ms": optional(whole(50, 1000), 200),
    "bond": optional(device_name),
    "free_access": optional(name),
    "first_card": optional(flag, False),
    "first_card_early_ms": optional(whole(0, 86_400_000), 3_600_000),
    "first_card_level": optional(name),
}

WAYS = ("card", "card+pin", "pin", "card-or-pin")

ACCESS_POINT: Fields = {
    "title": optional(title),
    "portal": required(name),
    "direction": required(choice("in", "out")),
    "reader": required(device_name),
    "keypad": optional(device_name),
    "led": optional(device_name),
    "buzzer": optional(device_name),
    "verification": optional(choice(*WAYS), "card"),
    "verification_at": optional(rows(100), []),
    "pin_timeout_ms": optional(whole(1000, 60_000), 10_000),
    "wrong_attempts": optional(whole(1, 5, "attempts"), 5),
    "wrong_window_ms": optional(whole(60_000, 86_400_000), 600_000),
    "block_ms": optional(whole(1000, 3_600_000), 30_000),
    "area": optional(name),  # one named like its portal
    "anti_passback": optional(choice("off", "soft", "hard", "timed"), "off"),
    "anti_passback_ms": optional(whole(1000, 86_400_000), 600_000),
    "two_person": optional(choice("off", "any", "other_group"), "off"),
    "second_person_ms": optional(whole(1000, 600_000), 15_000),
    "visitors": optional(flag, True),
    "visitor_digits": optional(flag, False),
}

VERIFICATION_AT: Fields = {
    "schedule": required(name),
    "verification": required(choice(*WAYS)),
}

_LASTING_MS = {
    "reader_fault": 1000,
    "lock_fault": 1000,
    "power_fault": 2000,
    "battery_low": 2000,
    "link_fault": 300_000,
    "clock_fault": 60_000,
    "camera_fault": 5000,
}

ALARMS: Fields = {
    "siren": optional(device_name),
    "beacon": optional(device_name),
    "siren_max_ms": optional(whole(1000, 600_000), 180_000),
    "acknowledge": optional(device_name),
    "repeat_ms": optional(whole(0, 86_400_000), 600_000),
    "tamper_blocks": optional(choice("active", "acknowledged", "off"), "active"),
    "fault_after_ms": optional(a_table("[alarms.fault_after_ms]"), {}),
}

#: How long a fault lasts before it is an alarm, where the config names no other time.
FAULT_AFTER_MS: Fields = {
    kind: optional(whole(0, 86_400_000), _LASTING_MS.get(kind, 0)) for kind in FAULTS
}

ALARM_POINT: Fields = {
    "title": optional(title),
    "class": required(choice(*INPUT_CLASSES)),
    "input": required(device_name),
    "normal": optional(choice("closed", "open"), "closed"),
    "reset": optional(choice("manual", "input")),
    "priority": optional(whole(1, 4, "")),
}

CAMERA: Fields = {"title": optional(title), "portal": required(name)}

SCHEDULE: Fields = {"title": optional(title), "hours": required(each(hours, 100))}

LINK: Fields = {
    "enabled": optional(flag, True),
    "host": optional(text),
    "port": optional(whole(1, 65_535, ""), 1883),
    "protocol": optional(choice("auto", "5", "3.1.1"), "auto"),
    "tls": optional(flag, False),
    "ca": optional(path),
    "cert": optional(path),
    "key": optional(path),
    "username": optional(text),
    "password_file": optional(path),
    "host_ack": optional(flag, True),
    "keepalive_s": optional(whole(5, 3600, "s"), 30),
    "reconnect_max_ms": optional(whole(1000, 600_000), 30_000),
}

LINK_HINTS = {
    "password": 'a password does not stand here; "password_file" names a file that holds it'
}

JOURNAL: Fields = {"limit": optional(whole(100_000, 10_000_000, "records"), 100_000)}

#: Every key at the top of the file; each section is checked by its own table above.
SECTIONS = (
    "schema",
    "board",
    "controller",
    "portals",
    "access_points",
    "devices",
    "chips",
    "alarms",
    "areas",
    "interlocks",
    "levels",
    "partitions",
    "automation",
    "cameras",
    "schedules",
    "holidays",
    "link",
    "journal",
    "media",
    "intercom",
    "supplies",
    "cables",
    "relay_board",
)
