"""What the tables of a board config owe each other: roles, ways out, keys, alarms, the broker."""

from pathlib import Path

import pytest
from board_texts import SMALL, problems

from hal import board

#: A yard gate beside the small house's door: a magnet, an exit button that cuts its current.
YARD = (
    SMALL
    + """
[portals.yard]
lock = "magnet"
contact = "gate"
rex = "exit"
egress = "button_cuts_power"

[access_points.yard-in]
portal = "yard"
direction = "in"
reader = "yard-reader"

[alarms]
acknowledge = "key"

[alarms.fire]
class = "fire"
input = "loop"

[devices.magnet]
driver = "lock"
line = "GPIO22"
fail_mode = "fail_safe"

[devices.gate]
driver = "contact"
line = "GPIO12"

[devices.exit]
driver = "rex"
line = "GPIO20"

[devices.yard-reader]
driver = "serial_reader"
port = "/dev/ttyUSB0"
framing = "lines"

[devices.loop]
driver = "contact"
line = "GPIO26"

[devices.key]
driver = "contact"
line = "GPIO13"
"""
)


def test_the_yard_is_right(tmp_path: Path) -> None:
    (tmp_path / "yard.toml").write_text(YARD)
    config = board.load(str(tmp_path / "yard.toml"))
    assert config["alarms"]["points"]["fire"]["reset"] == "manual"


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        # names that are none, and roles that are others'
        ({"portals.front.contact": "dor"}, [
            'portals.front.contact: no device "dor"; expected a name of [devices], the nearest '
            'known one is "door"',
        ]),
        ({"portals.yard.contact": "door"}, [
            'portals.yard.contact: device "door" is already used by portals.front.contact; '
            'expected a device of its own',
            "devices.gate: nothing uses it; expected a portal, access point, reader or alarm that names it",
        ]),
        ({"portals.yard.lock": "strike", "portals.yard.egress": "handle"}, [
            'portals.yard.lock: device "strike" is already used by portals.front.lock; expected a '
            'device of its own',
            "devices.magnet: nothing uses it; expected a portal, access point, reader or alarm that names it",
        ]),
        ({"access_points.yard-in.reader": "reader"}, [
            'access_points.yard-in.reader: device "reader" is already used by '
            'access_points.front-in.reader; expected a device of its own',
            "devices.yard-reader: nothing uses it; expected a portal, access point, reader or "
            "alarm that names it",
        ]),
        ({"alarms.acknowledge": "loop"}, [
            'alarms.fire.input: device "loop" is already used by alarms.acknowledge; expected a '
            'device of its own',
            "devices.key: nothing uses it; expected a portal, access point, reader or alarm that names it",
        ]),
        ({"access_points.yard-in.reader": "key", "alarms.acknowledge": "yard-reader"}, [
            'access_points.yard-in.reader: device "key" has driver "contact"; expected '
            'wiegand_reader or serial_reader or osdp_reader',
            'alarms.acknowledge: device "yard-reader" has driver "serial_reader"; expected contact',
        ]),
        ({"devices.reader.tamper": "door"}, [
            'devices.reader.tamper: device "door" is already used by portals.front.contact; '
            'expected a device of its own',
        ]),
        ({"cameras.above": {"portal": "frnt"}}, [
            'cameras.above.portal: no portal "frnt"; expected a name of [portals], the nearest '
            'known one is "front"',
        ]),
        # ways out
        ({"portals.front.egress": "none"}, [
            'portals.front.egress: "none" on an escape route; expected "handle" or '
            '"button_cuts_power", or escape_route = false',
        ]),
        ({"portals.front.egress": "button_cuts_power"}, [
            'portals.front.egress: "button_cuts_power" with the fail-secure lock "strike", which '
            'stays locked without power; expected "handle", or escape_route = false',
        ]),
        ({"portals.yard.egress": "handle"}, [
            'portals.yard.egress: "handle" with the fail-safe lock "magnet", which no handle '
            'frees; expected "button_cuts_power", or escape_route = false',
        ]),
        ({"portals.yard.on_fire": "latch"}, [
            'portals.yard.on_fire: "latch" with egress = "button_cuts_power"; expected "release", '
            'or a handle that opens it',
        ]),
        ({"portals.yard.egress": "none", "portals.yard.escape_route": False,
          "portals.yard.on_fire": "latch"}, [
            'portals.yard.on_fire: "latch" with egress = "none"; expected "release", or a handle '
            'that opens it',
        ]),
        # times
        ({"portals.front.pre_alarm_ms": 30_000}, [
            "portals.front.pre_alarm_ms: 30000 is not below open_ms; expected less than 30000",
        ]),
        ({"portals.front.extended_release_ms": 4999, "portals.front.extended_open_ms": 29_999}, [
            "portals.front.extended_release_ms: 4999 is shorter than release_ms; expected 5000 or more",
            "portals.front.extended_open_ms: 29999 is shorter than open_ms; expected 30000 or more",
        ]),
        # keys
        ({"access_points.yard-in.verification": "card+pin"}, [
            'access_points.yard-in.verification: "card+pin" needs keys and "yard-reader" has none; '
            'expected a keypad, or "card"',
        ]),
        # alarms
        ({"alarms.fire.normal": "open"}, [
            'alarms.fire.normal: "open" on the fire loop; expected "closed": a cut wire is fire',
        ]),
        ({"alarms": {"fire": {"class": "fire", "input": "loop"}, "lid": {"class": "tamper",
          "input": "key"}}}, [
            'alarms.fire.reset: "manual" without a key switch; expected alarms.acknowledge, or '
            'reset = "input"',
        ]),
        ({"alarms": {"fire": {"class": "fire", "input": "loop", "reset": "input"},
                     "lid": {"class": "tamper", "input": "key", "reset": "input"}}}, [
            "alarms.lid.reset: only a fire point has it; expected no such key",
        ]),
        ({"alarms": {"fire": {"class": "fire", "input": "loop", "reset": "input"},
                     "hall": {"class": "fire", "input": "key", "reset": "input"}}}, [
            "alarms.hall: a second fire point beside alarms.fire; expected one fire loop",
        ]),
        ({"devices.lamp": {"driver": "led"}, "access_points.front-in.led": "lamp"}, [
            "devices.lamp: a light without lines; expected red, green or both",
        ]),
        # the broker
        ({"link": {}}, ["link.host: missing; expected the broker's name, or enabled = false"]),
        ({"link": {"host": "h", "ca": "/ca"}}, [
            "link.ca: set without TLS; expected tls = true, or no such key",
        ]),
        ({"link": {"host": "h", "tls": True, "cert": "/c"}}, [
            "link.key: missing beside cert; expected the path of a file",
        ]),
        ({"link": {"host": "h", "password_file": "/p"}}, [
            "link.username: missing beside password_file; expected the broker's user",
        ]),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(
    tmp_path: Path, override: dict[str, object], lines: list[str]
) -> None:
    assert problems(tmp_path, YARD, override) == lines


@pytest.mark.parametrize(
    "override",
    [
        {"portals.front.egress": "none", "portals.front.escape_route": False},
        {"portals.yard.egress": "handle", "portals.yard.escape_route": False},
        {"portals.front.on_fire": "latch"},
        {"portals.front.pre_alarm_ms": 0},
        {"access_points.front-in.verification": "pin"},
        {
            "access_points.yard-in.verification": "card-or-pin",
            "access_points.yard-in.keypad": "keys",
            "devices.keys": {"driver": "keypad", "d0": "GPIO23", "d1": "GPIO24"},
        },
        {"link": {"host": "h", "tls": True, "ca": "/ca"}},
        {"link": {"enabled": False}},
    ],
)
def test_what_fits_together_is_taken(tmp_path: Path, override: dict[str, object]) -> None:
    (tmp_path / "yard.toml").write_text(YARD)
    board.load(str(tmp_path / "yard.toml"), override)


# ---- contacts, plain and supervised ----------------------------------------------------------------

WATCHED = {"driver": "supervised_contact", "input": "adc0"}


def test_a_supervised_contact_stands_wherever_a_contact_does(tmp_path: Path) -> None:
    (tmp_path / "right.toml").write_text(SMALL)
    board.load(
        str(tmp_path / "right.toml"),
        {
            "board": "sim",
            "devices.door": WATCHED,
            "devices.bolt": {**WATCHED, "input": "adc1"},
            "portals.front.bond": "bolt",
            "devices.housing": {**WATCHED, "input": "adc2"},
            "devices.reader.tamper": "housing",
            "devices.mains": {**WATCHED, "input": "adc3"},
            "alarms.mains": {"class": "power_fault", "input": "mains"},
        },
    )


def test_the_fire_loop_and_the_key_switch_are_plain_contacts(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "board": "sim",
        "devices.loop": WATCHED,
        "devices.key": {**WATCHED, "input": "adc1"},
        "alarms.acknowledge": "key",
        "alarms.fire": {"class": "fire", "input": "loop"},
    }
    assert problems(tmp_path, override=override) == [
        'alarms.acknowledge: device "key" has driver "supervised_contact"; expected contact',
        'alarms.fire.input: device "loop" has driver "supervised_contact"; expected contact',
    ]


def test_a_bond_is_a_contact_of_its_own(tmp_path: Path) -> None:
    assert problems(tmp_path, override={"portals.front.bond": "door"}) == [
        'portals.front.bond: device "door" is already used by portals.front.contact; '
        "expected a device of its own"
    ]
    assert problems(tmp_path, override={"portals.front.bond": "strike"}) == [
        'portals.front.bond: device "strike" has driver "lock"; '
        "expected contact or supervised_contact",
        'portals.front.bond: device "strike" is already used by portals.front.lock; '
        "expected a device of its own",
    ]
