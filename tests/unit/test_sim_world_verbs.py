# portable
"""`sim.verbs` and `sim.world`: what each verb does, and the one line of each that does not fit."""

from sim_house import House, times

from sim.verbs import LATER, VERBS, Checker, VerbError, accepts, nearest, utc_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WRONG: "list[tuple[Any, dict[str, Any], str]]" = [
    ("present_crd", {}, 'verb "present_crd" is unknown; the nearest known one is "present_card"'),
    (None, {}, 'verb null is unknown; the nearest known one is "wait"'),
    (
        "cover_camera",
        {"device": "cam"},
        "cover_camera: comes in a later version; expected one of the verbs of now",
    ),
    ("leave", {}, "leave: argument portal is missing; expected the name of a portal"),
    (
        "leave",
        {"portl": "front"},
        'leave: argument "portl" is unknown; the nearest known one is "portal"',
    ),
    (
        "leave",
        {"portal": "frnt"},
        'leave: portal "frnt" is unknown; the nearest known one is "front"',
    ),
    ("leave", {"portal": 1}, "leave: portal is no text; expected the name of a portal"),
    ("leave", {"portal": None}, "leave: portal is no text; expected the name of a portal"),
    (
        "cut_power",
        {"on": True},
        'cut_power: argument "on" is unknown; the nearest known one is "at_write"',
    ),
    ("set_fire", {"on": 1}, "set_fire: on is 1; expected true or false"),
    ("set_fire", {"on": None}, "set_fire: on is null; expected true or false"),
    ("set_fire", {"on": []}, "set_fire: on is a list; expected true or false"),
    ("set_fire", {"on": {}}, "set_fire: on is an object; expected true or false"),
    ("wait", {"ms": True}, "wait: ms is true; expected whole milliseconds from 0"),
    ("wait", {"ms": -1}, "wait: ms is out of range; expected 0 to 31622400000"),
    ("wait", {"ms": 1.5}, "wait: ms is 1.5; expected whole milliseconds from 0"),
    ("set_clock", {}, "set_clock: neither of utc and jump_ms given; expected one"),
    (
        "set_clock",
        {"utc": "2026-11-21T08:00:00Z", "jump_ms": 1},
        "set_clock: both of utc and jump_ms given; expected one",
    ),
    (
        "set_clock",
        {"utc": "today"},
        'set_clock: time is none; expected such as "2026-11-21T08:15:00Z"',
    ),
    (
        "tamper",
        {"device": "siren", "on": True},
        "tamper: device siren has no loop; "
        "expected the name of a reader with a tamper contact, a contact or an alarm point",
    ),
    (
        "unplug",
        {"device": "sirn", "on": True},
        'unplug: device "sirn" is unknown; the nearest known one is "siren"',
    ),
    (
        "press_panic",
        {"point": "enclosure"},
        'press_panic: point "enclosure" is unknown; the nearest known one is "lobby-panic"',
    ),
    (
        "trip_sensor",
        {"point": "enclosur", "on": True},
        'trip_sensor: point "enclosur" is unknown; the nearest known one is "enclosure"',
    ),
    (
        "trip_sensor",
        {"point": "enclosure"},
        "trip_sensor: argument on is missing; expected true or false",
    ),
    (
        "present_card",
        {"access_point": "front-in"},
        "present_card: neither of number and person given; expected one",
    ),
    (
        "present_card",
        {"access_point": "front-in", "person": "rezident"},
        'present_card: person "rezident" is unknown; the nearest known one is "resident"',
    ),
    (
        "present_card",
        {"access_point": "front-in", "person": "visitor"},
        "present_card: visitor has no card; expected somebody who has",
    ),
    (
        "present_card",
        {"access_point": "front", "number": "w26:1:1"},
        'present_card: access_point "front" is unknown; the nearest known one is "front-in"',
    ),
    (
        "present_card",
        {"access_point": "front-in", "number": "w26:256:1"},
        "present_card: card number: facility is too large; expected 0 to 255",
    ),
    (
        "present_card",
        {"access_point": "yard-out", "number": "w26:1:1"},
        "present_card: rdm6300: cannot send this form; expected w34 or a uid of 4 bytes",
    ),
    (
        "fail_line",
        {"device": "front-contact", "fault": "shrt"},
        'fail_line: fault "shrt" is unknown; the nearest known one is "short"',
    ),
    (
        "fail_line",
        {"device": "strike", "fault": "short"},
        "fail_line: device strike is an output, whose fuse a short would blow; "
        "expected fault cut, stuck or none",
    ),
    (
        "fail_line",
        {"device": "strike"},
        "fail_line: argument fault is missing; expected cut, short, stuck or none",
    ),
    ("jam_lock", {"portal": "front"}, "jam_lock: argument on is missing; expected true or false"),
    (
        "show_qr",
        {"access_point": "front-in", "text": "a"},
        'show_qr: this reader reads no codes; expected a serial reader with "lines"',
    ),
    (
        "show_qr",
        {"access_point": "yard-out", "text": "a"},
        'show_qr: this reader reads no codes; expected a serial reader with "lines"',
    ),
    (
        "show_qr",
        {"access_point": "yard-in", "text": "a\nw26:1:1"},
        "show_qr: text has control characters; expected none",
    ),
    (
        "show_qr",
        {"access_point": "yard-in", "text": ""},
        "show_qr: text is empty or too long; expected 1 to 512 bytes of UTF-8",
    ),
    (
        "show_qr",
        {"access_point": "yard-in", "text": "x" * 513},
        "show_qr: text is empty or too long; expected 1 to 512 bytes of UTF-8",
    ),
    (
        "show_qr",
        {"access_point": "yard-in", "person": "resident"},
        "show_qr: resident has no qr; expected somebody who has",
    ),
    (
        "enter_pin",
        {"access_point": "yard-out", "digits": "1"},
        "enter_pin: access point yard-out has no keys",
    ),
    (
        "enter_pin",
        {"access_point": "front-in", "digits": "47a1"},
        "enter_pin: digits are no keys; expected 0 to 9, * and #",
    ),
    (
        "enter_pin",
        {"access_point": "front-in", "digits": ""},
        "enter_pin: digits are none or too many; expected 1 to 64",
    ),
    (
        "enter_pin",
        {"access_point": "front-in", "digits": 4711},
        "enter_pin: digits is no text; expected a text",
    ),
]


def said(house: House, do: "Any", args: "dict[str, Any]") -> str:
    """The line with which a verb is refused, the same by `check` and `perform`."""
    lines = []
    for call in (house.world.check, house.world.perform):
        try:
            call(do, args)
            lines.append("it was taken")
        except VerbError as error:
            lines.append(str(error))
    assert lines[0] == lines[1]
    return lines[0]


def test_what_does_not_fit_is_one_clear_line() -> None:
    house = House()
    for do, args, text in WRONG:
        assert said(house, do, args) == text
    assert house.changes == []


def test_every_verb_of_a_later_version_is_named_as_such() -> None:
    house = House()
    for do in LATER:
        assert said(house, do, {}).startswith(do + ": comes in a later version")
        assert do not in VERBS


def test_words_from_outside_do_not_break_the_line() -> None:
    house = House()
    text = said(house, "leave", {"portal": 'a\n"\x1b\x7f' + "b" * 100})
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) < 150
    assert said(house, "leave", {"self": 1, "do": 2, "portal": "front"}).startswith(
        "leave: argument"
    )


def test_check_does_nothing() -> None:
    house = House()
    for do, args in (
        ("force_door", {"portal": "front"}),
        ("cut_power", {}),
        ("present_card", {"access_point": "front-in", "person": "resident"}),
        ("set_clock", {"jump_ms": -5}),
        ("wait", {"ms": 1000}),
    ):
        house.world.check(do, args)
    house.run(1000)
    assert house.changes == []
    assert house.world.power


def test_a_building_without_what_a_verb_needs_says_so() -> None:
    house = House()
    house.config["alarms"] = {"acknowledge": None, "points": {}}
    checker = Checker(house.config, [])
    for do, args, said in (
        ("press_ack", {}, "this building has no key switch; expected [alarms] acknowledge"),
        (
            "set_fire",
            {"on": True},
            "this building has no fire loop; expected a point of class fire",
        ),
        (
            "fail_mains",
            {"on": True},
            "no input of this building shows it; expected a point of class power_fault",
        ),
        (
            "fail_battery",
            {"on": True},
            "no input of this building shows it; expected a point of class battery_low",
        ),
    ):
        text = ""
        try:
            checker.check(do, args)
        except VerbError as error:
            text = str(error)
        assert text == do + ": " + said


def test_what_an_access_point_accepts() -> None:
    config = House().config
    cards = ["w26", "w34", "w37", "uid"]
    assert accepts(config, "front-in") == cards + ["pin"]
    assert accepts(config, "yard-in") == cards + ["qr", "pin"]
    assert accepts(config, "yard-out") == ["w34", "uid"]


def test_times_are_utc_and_nothing_else() -> None:
    assert utc_ms("2026-11-21T08:00:00Z") == 1795248000000
    assert utc_ms("2026-11-21T08:00:00.25Z") == 1795248000250
    for text in (
        "2026-11-21T08:00:00",
        "2026-11-21 08:00:00Z",
        "2026-13-21T08:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T8:00:00Z",
        "2026-11-21T08:00:00.Z",
        "2026-11-21T08:00:00.1234Z",
        "2026-11-21T08:00:00+00:00",
        "2026-11-21T08:0\u0661:00Z",
        "",
    ):
        try:
            utc_ms(text)
            raise AssertionError(text)
        except ValueError:
            pass


def test_the_nearest_name_is_the_one_with_the_fewest_changes() -> None:
    assert nearest("yard-im", ["front-in", "yard-out", "yard-in"]) == "yard-in"
    assert nearest("", ["b", "a"]) == "a"
    assert nearest("x", []) == ""


def test_the_help_button_is_pressed_for_500_ms() -> None:
    house = House()
    inputs = house.inputs("help")
    house.act("press_panic", point="lobby-panic")
    house.run(1000)
    edges = inputs.take()
    assert edges[0] == (0, True, 0)
    assert times(edges, False)[-1] in range(500, 511)
    house.act("press_panic", point="lobby-panic", on=False)
    assert inputs.take() == []


def test_the_key_switch_is_turned_for_300_ms() -> None:
    house = House()
    inputs = house.inputs("key-switch")
    house.act("press_ack")
    house.run(200)
    house.act("press_ack")
    house.run(1000)
    edges = inputs.take()
    assert edges[0] == (0, True, 0)
    assert edges[-1].at_ms in range(500, 511)
    assert not edges[-1].level


def test_fire_opens_the_loop_for_as_long_as_it_burns() -> None:
    house = House()
    inputs = house.inputs("fire-loop")
    assert inputs.levels() == [True]
    house.act("set_fire", on=True)
    house.act("set_fire", on=True)
    house.run(60000)
    assert inputs.levels() == [False]
    house.act("set_fire", on=False)
    house.run(100)
    assert inputs.levels() == [True]
    assert inputs.take()[0] == (0, False, 0)


def test_a_sensor_is_active_for_as_long_as_it_is_tripped() -> None:
    house = House()
    inputs = house.inputs("lid", "help")
    house.act("trip_sensor", point="enclosure", on=True)
    house.act("trip_sensor", point="lobby-panic", on=True)
    house.run(5000)
    assert inputs.levels() == [False, True]
    house.act("trip_sensor", point="enclosure", on=False)
    house.act("trip_sensor", point="lobby-panic", on=False)
    house.run(100)
    assert inputs.levels() == [True, False]


def test_tampering_opens_the_loop_of_reader_point_or_contact() -> None:
    for device, line in (
        ("front-reader", "front-tamper"),
        ("front-tamper", "front-tamper"),
        ("enclosure", "lid"),
        ("lid", "lid"),
        ("front-contact", "front-contact"),
    ):
        house = House()
        inputs = house.inputs(line)
        house.act("tamper", device=device, on=True)
        assert inputs.take() == [(0, False, 0)], device
        house.act("tamper", device=device, on=False)
        assert inputs.take() == [(0, True, 0)], device


def test_a_loop_that_is_cut_twice_must_be_mended_twice() -> None:
    house = House()
    inputs = house.inputs("lid")
    house.act("tamper", device="lid", on=True)
    house.act("unplug", device="lid", on=True)
    house.act("tamper", device="lid", on=False)
    assert inputs.levels() == [False]
    house.act("unplug", device="lid", on=False)
    assert inputs.levels() == [True]


def test_owners_are_told_of_power_network_and_clock_once_a_change() -> None:
    house = House()
    told: list[Any] = []
    house.world.on_power = lambda on: told.append(("power", on, house.lines.claimed()))
    house.world.on_network = lambda on: told.append(("network", on))
    house.world.on_clock = lambda utc_ms, jump_ms: told.append(("clock", utc_ms, jump_ms))
    house.output("strike", True)
    for verb in ("cut_power", "restore_power", "cut_network", "restore_network"):
        house.act(verb)
        house.act(verb)
    house.act("set_clock", utc="2026-11-21T07:00:00Z")
    house.act("set_clock", jump_ms=-3600000)
    assert told == [
        ("power", False, []),
        ("power", True, []),
        ("network", False),
        ("network", True),
        ("clock", 1795244400000, None),
        ("clock", None, -3600000),
    ]


def test_lamps_and_sounders_are_seen_as_they_are_driven() -> None:
    house = House()
    siren = house.output("siren", False, True)
    red, green = house.output("front-in-led-red"), house.output("front-in-led-green")
    buzzer = house.output("front-in-buzzer")
    seen = house.world.snapshot
    assert seen()["outputs"] == {"siren": False, "beacon": False, "stairs-light": False}
    siren.write(True)
    red.write(True)
    buzzer.write(True)
    assert seen()["outputs"] == {"siren": True, "beacon": False, "stairs-light": False}
    assert seen()["access_points"]["front-in"] == {"led": "red", "buzzer": True}
    green.write(True)
    assert seen()["access_points"]["front-in"]["led"] == "amber"
    red.write(False)
    assert seen()["access_points"]["front-in"]["led"] == "green"
    house.act("unplug", device="front-in-led", on=True)
    house.act("unplug", device="siren", on=True)
    assert seen()["access_points"]["front-in"] == {"led": "off", "buzzer": True}
    assert seen()["outputs"]["siren"] is False
    house.act("cut_power")
    assert seen()["access_points"]["front-in"] == {"led": "off", "buzzer": False}


def test_each_change_is_told_once_and_two_lines_are_one_colour() -> None:
    house = House()
    red, green = house.output("front-in-led-red", True), house.output("front-in-led-green")
    beacon = house.output("beacon")
    house.run(1)
    house.changes = []
    red.write(False)
    green.write(True)
    beacon.write(True)
    beacon.write(True)
    house.run(1)
    red.write(True)
    red.write(False)
    house.run(1)
    assert house.changes == [
        (1, "access_point", "front-in", {"led": "green", "buzzer": False}),
        (1, "output", "beacon", {"on": True}),
    ]


def test_a_new_world_is_at_rest() -> None:
    seen = House().world.snapshot()
    at_rest = {
        "lock": "locked",
        "door": "closed",
        "propped": False,
        "broken": False,
        "jammed": False,
    }
    free = dict(at_rest, lock="unlocked")
    dark = {"led": "off", "buzzer": False}
    assert seen == {
        "portals": {"front": at_rest, "shed": at_rest, "yard": free},
        "outputs": {"beacon": False, "siren": False, "stairs-light": False},
        "access_points": {"front-in": dark, "yard-in": dark, "yard-out": dark},
    }


OUTSIDE_WRONG: "tuple[tuple[str, dict[str, Any], str], ...]" = (
    ("command", {}, "command: argument op is missing; expected the name of an op"),
    (
        "command",
        {"op": "portal.relase"},
        'command: op "portal.relase" is unknown; the nearest known one is "portal.release"',
    ),
    (
        "command",
        {"op": "portal.release", "args": [1]},
        "command: args is no table of JSON values; expected one",
    ),
    (
        "fail_storage",
        {"on": True, "mode": "slowly"},
        'fail_storage: mode "slowly" is unknown; the nearest known one is "slow"',
    ),
    (
        "fail_broker",
        {"fault": "slwo", "on": True},
        'fail_broker: fault "slwo" is unknown; the nearest known one is "slow"',
    ),
    (
        "fail_task",
        {"task": "door", "how": "die"},
        'fail_task: how "die" is unknown; the nearest known one is "dies"',
    ),
    (
        "fail_task",
        {"task": "feed-frontreader", "how": "dies"},
        'fail_task: task "feed-frontreader" is unknown; the nearest known one is "feed-front-reader"',
    ),
    (
        "drift_clock",
        {"ppm": 100001},
        "drift_clock: ppm is out of range; expected -100000 to 100000",
    ),
    (
        "fail_reader",
        {"device": "strike", "fault": "noise"},
        'fail_reader: device "strike" is unknown; the nearest known one is "out-reader"',
    ),
)


def test_what_is_wrong_with_a_verb_of_somebody_else_is_one_clear_line_too() -> None:
    house = House()
    for do, args, text in OUTSIDE_WRONG:
        assert said(house, do, args) == text


def test_args_of_a_command_that_are_no_table_are_one_clear_line() -> None:
    house = House()
    deep: dict[str, Any] = {}
    for _ in range(17):
        deep = {"a": deep}
    half = chr(0xD800)
    wrong: list[Any] = ["front", 7, True, [], [{}], {"portal": half}, {half: 1}, deep]
    wrong += [{"portal": float("nan")}, {"portal": [float("inf")]}]
    for args in wrong:
        line = said(house, "command", {"op": "portal.release", "args": args})
        assert line == "command: args is no table of JSON values; expected one"


def test_what_nobody_here_can_do_says_where_it_can_be_done() -> None:
    house = House()
    args = {"fault": "down", "on": True}
    where = "fail_broker: not in real time; expected a scenario (door-sim run)"
    assert said(house, "fail_broker", args) == where


def test_somebody_else_gets_the_arguments_complete() -> None:
    house = House()
    got: list[object] = []
    house.world.outside = {"fail_storage": got.append, "command": got.append}
    house.act("fail_storage", on=True)
    house.act("fail_storage", on=False, mode="nonsense")
    house.act("command", op="alarm.silence")
    assert got == [
        {"on": True, "mode": "error"},
        {"on": False, "mode": "error"},
        {"op": "alarm.silence", "args": {}},
    ]
