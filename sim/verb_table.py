"""The world's vocabulary as tables: each verb with its arguments, and what may stand in them. Portable."""

from sim.switch import FAULTS
from sim.wires import TROUBLES

LONGEST_PIN = 64  #: keys of one `enter_pin`
LONGEST_WAIT_MS = 366 * 86400000
LONGEST_JUMP_MS = 10 * 366 * 86400000
MOST_DRIFT_PPM = 100000
MOST_WRITES = 100000

#: Verb: its arguments, as (name, what it is); a "?" behind the name: may be left out.
VERBS: "dict[str, tuple[tuple[str, str], ...]]" = {
    "present_card": (("access_point", "access_point"), ("number?", "text"), ("person?", "person")),
    "enter_pin": (("access_point", "access_point"), ("digits", "text")),
    "show_qr": (("access_point", "access_point"), ("text?", "text"), ("person?", "person")),
    "press_rex": (("portal", "portal"),),
    "leave": (("portal", "portal"),),
    "push_door": (("portal", "portal"),),
    "close_door": (("portal", "portal"),),
    "prop_door": (("portal", "portal"),),
    "force_door": (("portal", "portal"),),
    "walk_through": (("portal", "portal"),),
    "press_panic": (("point", "panic point"), ("on?", "flag")),
    "trip_sensor": (("point", "alarm point"), ("on", "flag")),
    "press_ack": (),
    "set_fire": (("on", "flag"),),
    "tamper": (("device", "loop"), ("on", "flag")),
    "unplug": (("device", "device"), ("on", "flag")),
    "fail_line": (("device", "device"), ("fault", "fault")),
    "jam_lock": (("portal", "portal"), ("on", "flag")),
    "fail_mains": (("on", "flag"),),
    "fail_battery": (("on", "flag"),),
    "cut_power": (("at_write?", "writes"),),
    "restore_power": (),
    "cut_network": (),
    "restore_network": (),
    "set_clock": (("utc?", "time"), ("jump_ms?", "jump")),
    "command": (("op", "op"), ("args?", "table")),
    "command_by": (("by", "staff"), ("op", "op"), ("args?", "table")),
    "forge_command": (("how", "forgery"),),
    "fail_storage": (("on", "flag"), ("mode?", "storage fault")),
    "fail_disk": (("fault", "disk fault"), ("file?", "database")),
    "fail_broker": (("fault", "broker fault"), ("on", "flag")),
    "fail_reader": (("device", "reader"), ("fault", "reader fault")),
    "chatter_contact": (("device", "contact"),),
    "fail_task": (("task", "task"), ("how", "task fault")),
    "kill_process": (("process", "process"),),
    "drift_clock": (("ppm", "drift"),),
    "limit_memory": (("on", "flag"),),
    "wait": (("ms", "wait"),),
}

#: Verbs of which one of two arguments is given.
ONE_OF = {
    "present_card": ("number", "person"),
    "show_qr": ("text", "person"),
    "set_clock": ("utc", "jump_ms"),
}

#: Verbs of the power supply, and the class of the points that its inputs raise.
SUPPLY = {"fail_mains": "power_fault", "fail_battery": "battery_low"}

LATER = (
    "cover_camera",
    "ring_flat",
    "answer",
    "decline",
    "hang_up",
    "press_dtmf",
)

#: Done by whoever owns the controller, its disk, its broker and its host: `sim.world_deeds.Deeds.outside`.
OUTSIDE = (
    "command",
    "command_by",
    "forge_command",
    "fail_storage",
    "fail_disk",
    "fail_broker",
    "fail_task",
    "kill_process",
    "drift_clock",
    "limit_memory",
)

#: Ops of a command (the contract, section 3).
OPS = (
    "alarm.acknowledge",
    "alarm.shelve",
    "alarm.silence",
    "clip.record",
    "clock.set",
    "config.apply",
    "credential.enrol",
    "credential.remove",
    "credential.sync",
    "credential.upsert",
    "events.replay",
    "intercom.directory",
    "level.set",
    "media.fetch",
    "media.hold",
    "operator.set",
    "partition.arm",
    "partition.bypass",
    "partition.disarm",
    "passback.forgive",
    "portal.mode",
    "portal.release",
    "schedule.set",
    "system.restart",
    "update.apply",
)

#: What an argument may be: one of these words.
CHOICES = {
    "fault": FAULTS,
    "op": OPS,
    "forgery": (
        ("again", "altered", "stranger", "elsewhere", "stale", "flood", "retained", "junk")
        + ("old_nonce", "low_n", "unsealed", "stored")
    ),
    "staff": ("op-keeper", "op-desk", "op-fitter"),
    "storage fault": ("error", "full", "slow"),
    "disk fault": ("torn", "unsynced", "flip", "flip_read", "rot"),
    "database": ("journal", "keys"),
    "broker fault": ("down", "slow", "duplicate", "reorder", "half_open", "lose_puback", "forget"),
    "reader fault": TROUBLES,
    "task fault": ("dies", "hangs", "waits"),
    "process": ("door", "link"),
}

#: What an argument may be: least, most.
NUMBERS = {
    "wait": (0, LONGEST_WAIT_MS),
    "jump": (-LONGEST_JUMP_MS, LONGEST_JUMP_MS),
    "drift": (-MOST_DRIFT_PPM, MOST_DRIFT_PPM),
    "writes": (1, MOST_WRITES),
}

#: What an argument is, in words.
WANTED = {
    "flag": "true or false",
    "wait": "whole milliseconds from 0",
    "jump": "whole milliseconds",
    "text": "a text",
    "drift": "whole millionths",
    "writes": "a whole number from 1",
    "table": "a table",
    "op": "the name of an op",
    "fault": "cut, short, stuck or none",
    "forgery": (
        "again, altered, stranger, elsewhere, stale, flood, retained, junk, "
        "old_nonce, low_n, unsealed or stored"
    ),
    "staff": "op-keeper (a caretaker), op-desk (a manager) or op-fitter (an installer)",
    "storage fault": "error, full or slow",
    "disk fault": "torn, unsynced, flip, flip_read or rot",
    "database": "journal or keys",
    "broker fault": "down, slow, duplicate, reorder, half_open, lose_puback or forget",
    "reader fault": "noise, torn, silent, stuck or none",
    "task fault": "dies, hangs or waits",
    "process": "door or link",
    "task": "door, or feed- and the name of an input's device",
    "reader": "the name of a reader or keypad",
    "contact": "the name of a contact",
    "time": 'such as "2026-11-21T08:15:00Z"',
    "access_point": "the name of an access point",
    "portal": "the name of a portal",
    "person": "the name of a person",
    "device": "the name of a device",
    "alarm point": "the name of an alarm point",
    "panic point": "the name of an alarm point of class panic",
    "loop": "the name of a reader with a tamper contact, a contact or an alarm point",
}
