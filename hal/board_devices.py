"""Which keys a device of a board config has, by its driver, with ranges and defaults."""

import re
from typing import Any

from hal.board_loops import FIELDS as RESISTORS
from hal.board_schema import device_name, path
from hal.opening import LINE_KEYS
from hal.schema import Fields, choice, optional, required, show, title, whole, word

line_name = word(re.compile(r"[A-Za-z0-9_.:-]{1,32}\Z").match, "the name of a line, such as GPIO17")

#: permille between two thresholds: room for noise, long cables and what resistors are worth
_APART = 100


def thresholds(value: Any) -> list[int]:
    """Where a supervised loop's bands meet: short | closed | open | cut, permille of the supply."""
    right = (
        isinstance(value, list)
        and len(value) == 3
        and all(isinstance(one, int) and not isinstance(one, bool) for one in value)
        and all(high - low >= _APART for low, high in zip([0, *value], [*value, 1000]))
    )
    if not right:
        raise ValueError(
            f"{show(value)} is not allowed; expected three rising numbers such as [150, 500, 850]: "
            f"below the first is a short, then closed, then open, from the last on cut; "
            f"each {_APART} or more from its neighbours, 0 and 1000"
        )
    return list(value)


_OUTPUT: Fields = {
    "driver": required(choice(*LINE_KEYS)),
    "title": optional(title),
    "active": optional(choice("high", "low"), "high"),
}
_PULSE: Fields = {
    **_OUTPUT,
    "line": required(line_name),
    "max_pulse_ms": optional(whole(1, 600_000)),
}
_INPUT: Fields = {
    "driver": required(choice(*LINE_KEYS)),
    "title": optional(title),
    "active": optional(choice("high", "low"), "low"),
    "pull": optional(choice("up", "down", "none"), "up"),
}
_READER: Fields = {
    "repeat_ms": optional(whole(0, 300), 300),
    "tamper": optional(device_name),
}

#: The keys of a device, by driver.
DEVICES: dict[str, Fields] = {
    "lock": {
        **_OUTPUT,
        "line": required(line_name),
        "fail_mode": required(choice("fail_secure", "fail_safe")),
        "travel_ms": optional(whole(0, 2000), 100),
    },
    # IEC 60839-11-1: what lasts more than 400 ms must be seen
    "contact": {
        **_INPUT,
        "line": required(line_name),
        "debounce_ms": optional(whole(1, 399), 30),
    },
    "supervised_contact": {
        "driver": required(choice(*LINE_KEYS)),
        "title": optional(title),
        "input": required(line_name),
        "thresholds_permille": optional(thresholds, [150, 500, 850]),
        **RESISTORS,
        "debounce_ms": optional(whole(1, 399), 30),
    },
    "rex": {**_INPUT, "line": required(line_name), "hold_off_ms": optional(whole(1, 399), 50)},
    "wiegand_reader": {
        **_INPUT,
        **_READER,
        "d0": required(line_name),
        "d1": required(line_name),
        "frame_gap_ms": optional(whole(5, 25), 25),
        "format": optional(choice("any", "w26", "w34", "w37"), "any"),
    },
    "keypad": {
        **_INPUT,
        "d0": required(line_name),
        "d1": required(line_name),
        "frame_gap_ms": optional(whole(5, 25), 25),
    },
    "serial_reader": {
        "driver": required(choice(*LINE_KEYS)),
        "title": optional(title),
        **_READER,
        "port": required(path),
        "baud": optional(choice(1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200), 9600),
        "framing": required(choice("lines", "decimal", "rdm6300", "pn532")),
        "reopen_ms": optional(whole(100, 60_000), 500),
    },
    "osdp_bus": {
        "driver": required(choice(*LINE_KEYS)),
        "title": optional(title),
        "port": required(path),
        "baud": optional(choice(9600, 19_200, 38_400, 57_600, 115_200, 230_400), 9600),
        "rs485": optional(choice("adapter", "kernel", "kernel_inverted"), "adapter"),
    },
    "osdp_reader": {
        "driver": required(choice(*LINE_KEYS)),
        "title": optional(title),
        "repeat_ms": optional(whole(0, 300), 300),
        "bus": required(device_name),
        "address": required(whole(0, 126, "")),
        "format": optional(choice("any", "w26", "w34", "w37", "csn"), "any"),
    },
    "osdp_led": {
        "driver": required(choice(*LINE_KEYS)),
        "title": optional(title),
        "reader": required(device_name),
    },
    "osdp_buzzer": {
        "driver": required(choice(*LINE_KEYS)),
        "title": optional(title),
        "reader": required(device_name),
        "max_pulse_ms": optional(whole(1, 600_000)),
    },
    "led": {**_OUTPUT, "red": optional(line_name), "green": optional(line_name)},
    "buzzer": _PULSE,
    "siren": _PULSE,
    "beacon": _PULSE,
    "relay": _PULSE,
}

_NO_LIMIT = (
    "a lock has no time limit of its own: release_ms of its portal says how long it is released"
)

#: What to say of a key that people try and that is not there, by driver.
DEVICE_HINTS = {
    "lock": {
        "max_pulse_ms": _NO_LIMIT,
        "release_ms": _NO_LIMIT,
        "pull": "an output has no pull; its level at boot is the board's own",
    },
    "led": {"line": 'a reader\'s light has two lines, "red" and "green"'},
    "wiegand_reader": {"line": 'a Wiegand reader has two lines, "d0" and "d1"'},
    "keypad": {"line": 'a keypad has two lines, "d0" and "d1"'},
    "supervised_contact": {
        "line": 'a supervised contact hangs on an analog "input", such as "adc0"',
        "active": "its resistors say what is closed: thresholds_permille",
        "pull": "its resistors say what is closed: thresholds_permille",
        "normal": "how it rests is the alarm point's: alarms.NAME.normal",
    },
    "osdp_bus": {"address": "each of its readers has one of its own"},
    "osdp_reader": {
        "port": 'its bus has the port: "bus" names that device',
        "key": 'no key stands here; "doorward --osdp-install" gives the reader one',
        "tamper": "an OSDP reader tells of its own housing",
    },
    "serial_reader": {"line": 'a serial reader has a "port"'},
}
