"""Rules that contradict each other, that can never be or that lock people out are named, with their key."""

from pathlib import Path

import pytest

from hal import board
from hal.errors import BoardConfigError

RULES = str(Path(__file__).parents[2] / "board_configs/sim-all-rules.toml")

ALL_DAY = {"hours": ["daily 00:00-24:00"]}
ROW = {"from": "2027-02-01T00:00", "to": "2027-02-09T00:00"}


def told(override: dict[str, object]) -> list[str]:
    with pytest.raises(BoardConfigError) as caught:
        board.load(RULES, override)
    return [line.removeprefix(f"{RULES}: ") for line in caught.value.problems]


DOORS: list[tuple[dict[str, object], list[str]]] = [
    # schedules that never are, or are unknown
    ({"schedules.day.hours": []}, [
        'schedules.day.hours: no hours; expected such as ["mon-fri 08:00-12:00"]',
    ]),
    ({"schedules.day.hours": ["hol 08:00-12:00"], "holidays": []}, [
        'schedules.day.hours: only "hol", and there are no holidays; expected days of the week, or '
        'holidays',
    ]),
    ({"portals.yard.free_access": "dya"}, [
        'portals.yard.free_access: no schedule "dya"; expected a name of [schedules], the nearest '
        'known one is "day"',
    ]),
    ({"access_points.front-in.verification_at": [{"schedule": "nigth", "verification": "pin"}]}, [
        'access_points.front-in.verification_at[0].schedule: no schedule "nigth"; expected a name of '
        '[schedules], the nearest known one is "night"',
    ]),
    ({"levels.staff.rights": [{"access_point": "*", "schedule": "dayy"}]}, [
        'levels.staff.rights[0].schedule: no schedule "dayy"; expected a name of [schedules], the '
        'nearest known one is "day"',
    ]),
    # levels
    ({"levels.staff.rights": []}, [
        'levels.staff.rights: no rights; expected such as [{ access_point = "*" }]',
    ]),
    ({"levels.staff.rights": [{"access_point": "frontin"}]}, [
        'levels.staff.rights[0].access_point: no access point "frontin"; expected a name of '
        '[access_points], the nearest known one is "front-in"',
    ]),
    ({"levels.staff.rights": [{"access_point": "*"}, {"access_point": "*"}]}, [
        "levels.staff.rights[1]: stands there twice; expected each right once",
    ]),
    ({"levels.staff.rights": [{"access_point": "front-in", "schedule": "day"},
                              {"access_point": "*", "deny": True}]}, [
        "levels.staff.rights[0]: the same level always denies it, and deny wins; expected one of the two",
    ]),
    # interlocks
    ({"interlocks.entrance.portals": ["front"]}, [
        "interlocks.entrance.portals: only front; expected two portals at least, of which one is open "
        "at a time",
    ]),
    ({"interlocks.entrance.portals": []}, [
        "interlocks.entrance.portals: none; expected two portals at least, of which one is open at a time",
    ]),
    ({"interlocks.entrance.portals": ["front", "iner"]}, [
        'interlocks.entrance.portals: no portal "iner"; expected a name of [portals], the nearest '
        'known one is "inner"',
    ]),
    ({"portals.front.mode": "unlocked"}, [
        'interlocks.entrance.portals: portal "front" has mode = "unlocked", so the others never open; '
        'expected it locked, or not among them',
    ]),
    ({"portals.inner.mode": "locked_open"}, [
        'interlocks.entrance.portals: portal "inner" has mode = "locked_open", so the others never '
        'open; expected it locked, or not among them',
    ]),
    ({"portals.inner.free_access": "always", "schedules.always": ALL_DAY}, [
        'interlocks.entrance.portals: portal "inner" has free access all day, so the others never '
        'open; expected fewer hours, or not among them',
    ]),
    ({"portals.front.free_access": "day", "portals.inner.free_access": "noon",
      "schedules.noon": {"hours": ["sat 23:00-01:00", "fri 17:59-19:00"]}}, [
        'portals.inner.free_access: overlaps the free access of portal "front", and '
        'interlocks.entrance lets only one of them open; expected hours that do not meet',
    ]),
    # areas
    ({"access_points.inner-in.area": "hous"}, [
        'access_points.inner-in.area: no area "hous"; expected a name of [areas], the nearest known '
        'one is "house"',
    ]),
    ({"access_points.inner-in.direction": "out"}, [
        'areas.house.occupancy_max: nobody is counted in; expected an access point with '
        'direction = "in"',
    ]),
    ({"areas.attic": {}}, [
        "areas.attic: no access point leads into it or out of it; expected one with this area",
    ]),
    ({"access_points.front-in.anti_passback": "hard"}, [
        'access_points.front-in.anti_passback: "hard", and "lobby" has no access point with '
        'direction = "out": whoever came through once is refused for ever; expected a way out of it, '
        'areas.lobby.forgive_at, or "soft"',
    ]),
    ({"access_points.front-in.anti_passback": "hard", "access_points.front-in.direction": "out"}, [
        'access_points.front-in.anti_passback: "hard", and "lobby" has no access point with '
        'direction = "in": whoever came through once is refused for ever; expected a way into it, '
        'areas.lobby.forgive_at, or "soft"',
    ]),
    ({"areas.lobby.occupancy_max": 5}, [
        'areas.lobby.occupancy_max: nobody is counted out, so it fills up for ever; expected an '
        'access point with direction = "out", or forgive_at',
    ]),
    ({"areas.house.occupancy_max": 1, "access_points.inner-in.two_person": "any"}, [
        'areas.house.occupancy_max: 1, and access_points.inner-in lets people in by twos: nobody ever '
        'gets in; expected 2 at least, or two_person = "off"',
    ]),
    # verification, two people, visitors
    ({"access_points.meters-in.verification_at": [{"schedule": "night", "verification": "card+pin"}]}, [
        'access_points.meters-in.verification_at[0].verification: "card+pin" needs keys and '
        '"meters-reader" has none; expected a keypad, or "card"',
    ]),
    ({"access_points.front-in.verification_at": [
        {"schedule": "night", "verification": "card+pin"},
        {"schedule": "day", "verification": "card"},
        {"schedule": "small", "verification": "pin"}],
      "schedules.small": {"hours": ["sat 23:00-05:00"]}}, [
        'access_points.front-in.verification_at[2].schedule: "small" holds only while one above it '
        'does, which wins; expected other hours, or a place further up',
    ]),
    ({"access_points.meters-in.visitors": True, "access_points.meters-in.visitor_digits": True}, [
        'access_points.meters-in.visitor_digits: codes of digits need keys and "meters-reader" has '
        'none; expected a keypad, or false',
    ]),
    ({"access_points.front-in.visitors": False}, [
        "access_points.front-in.visitor_digits: true with visitors = false; expected both, or neither",
    ]),
    # free access and first card
    ({"portals.front.first_card": True}, [
        "portals.front.first_card: true without free_access; expected a schedule there, or false",
    ]),
    ({"portals.yard.first_card": False, "portals.yard.first_card_level": "staff"}, [
        "portals.yard.first_card_level: set without first_card; expected first_card = true, or no such key",
    ]),
    ({"portals.yard.first_card_level": "staf"}, [
        'portals.yard.first_card_level: no level "staf"; expected a name of [levels], the nearest '
        'known one is "staff"',
    ]),
    ({"portals.yard.first_card_level": "guard",
      "levels.guard": {"rights": [{"access_point": "front-in"}]}}, [
        'portals.yard.first_card_level: "guard" opens none of its access points; expected a level '
        'that opens one of yard-in',
    ]),
    ({"access_points.yard-in.direction": "out"}, [
        'portals.yard.first_card: nobody ever comes in by a card; expected an access point with '
        'direction = "in", or false',
    ]),
    # the host
    ({"link": {"enabled": False}}, [
        "controller.narrow_after_h: set without a link, on which no host is ever heard; expected "
        "[link], or no such key",
    ]),
]  # fmt: skip

WATCH: list[tuple[dict[str, object], list[str]]] = [
    # partitions
    ({"partitions.cellar.points": []}, [
        "partitions.cellar.points: no points; expected alarm points of class intrusion",
        'partitions.cellar.delayed: "meters-motion" is not among its points; none is known here',
    ]),
    ({"partitions.cellar.points": ["meters-motion", "cellar-windw"]}, [
        'partitions.cellar.points: no alarm point "cellar-windw"; expected a point of class '
        'intrusion, the nearest known one is "cellar-window"',
    ]),
    ({"partitions.cellar.points": ["meters-motion", "enclosure"]}, [
        'partitions.cellar.points: "enclosure" is of class tamper, which is watched always; expected '
        'points of class intrusion',
    ]),
    ({"partitions.flat-302.points": ["flat-302-door", "cellar-window"]}, [
        'partitions.flat-302.points: "cellar-window" is already in partitions.cellar; expected a '
        'point in one partition',
    ]),
    ({"partitions.cellar.delayed": ["meters-motoin"]}, [
        'partitions.cellar.delayed: "meters-motoin" is not among its points; the nearest known one '
        'is "meters-motion"',
    ]),
    ({"partitions.cellar.schedule": "nigth"}, [
        'partitions.cellar.schedule: no schedule "nigth"; expected a name of [schedules], the '
        'nearest known one is "night"',
    ]),
    ({"partitions.flat-302.flat": "3002"}, [
        'partitions.flat-302.flat: no flat "3002"; expected one of controller.flats, the nearest '
        'known one is "302"',
    ]),
    ({"partitions.lone": {"points": ["yard-lamp"], "keys": "disarm"}, "devices.yard-lamp":
      {"driver": "contact", "line": "l"}, "alarms.yard-lamp": {"class": "intrusion", "input": "yard-lamp"}}, [
        'partitions.lone.keys: "disarm", and nobody\'s keys are named; expected flat or group, or '
        '"ignore"',
    ]),
    ({"partitions.lone": {"points": ["yard-lamp"], "appointments": [{**ROW, "keys": "alarm"}]},
      "devices.yard-lamp": {"driver": "contact", "line": "l"},
      "alarms.yard-lamp": {"class": "intrusion", "input": "yard-lamp"}}, [
        'partitions.lone.appointments[0].keys: "alarm", and nobody\'s keys are named; expected flat '
        'or group, or "ignore"',
    ]),
    ({"partitions.flat-302.appointments": [{"from": ROW["to"], "to": ROW["to"]}]}, [
        'partitions.flat-302.appointments[0].to: "2027-02-09T00:00" is not after from; expected a '
        'time after 2027-02-09T00:00',
    ]),
    ({"partitions.flat-302.appointments": [
        {"from": "2027-02-08T23:59", "to": "2027-03-01T00:00"}, ROW]}, [
        "partitions.flat-302.appointments[1]: overlaps partitions.flat-302.appointments[0]; expected "
        "times that do not meet",
    ]),
    # automation
    ({"automation.panic.when": {"type": "portal.opened", "portal": "frnt"}}, [
        'automation.panic.when.portal: no portal "frnt"; expected a name of [portals], the nearest '
        'known one is "front"',
    ]),
    ({"automation.panic.when": {"type": "portal.opened", "portal": 5}}, [
        "automation.panic.when.portal: not a name; expected a name of [portals]",
    ]),
    ({"automation.panic.when": {"type": "partition.armed", "partition": "cellr"}}, [
        'automation.panic.when.partition: no partition "cellr"; expected a name of [partitions], the '
        'nearest known one is "cellar"',
    ]),
    ({"automation.panic.when": {"type": "alarm.raised", "point": "lobby-panik"}}, [
        'automation.panic.when.point: nothing is called "lobby-panik"; expected an alarm point, a '
        'portal, an access point, a device or "controller", the nearest known one is "lobby-panic"',
    ]),
    ({"automation.panic.when": {"type": "alarm.raised", "point": "mains", "class": "panic"}}, [
        'automation.panic.when.class: "panic" never comes from "mains", which is of class '
        'power_fault; expected "power_fault"',
    ]),
    ({"automation.panic.if": {"portal": "frnt", "mode": "locked"}}, [
        'automation.panic.if.portal: no portal "frnt"; expected a name of [portals], the nearest '
        'known one is "front"',
    ]),
    ({"automation.panic.if": {"schedule": "nigth", "partition": "cell", "area": "hous"}}, [
        'automation.panic.if.partition: no partition "cell"; expected a name of [partitions], the '
        'nearest known one is "cellar"',
        'automation.panic.if.area: no area "hous"; expected a name of [areas], the nearest known one '
        'is "house"',
        'automation.panic.if.schedule: no schedule "nigth"; expected a name of [schedules], the '
        'nearest known one is "night"',
    ]),
    ({"automation.panic.do.output": "lmap", "automation.come-home.do.output": "lmap"}, [
        'automation.panic.do.output: no device "lmap"; expected a name of [devices], the nearest '
        'known one is "lamp"',
    ]),
    ({"automation.panic.do.output": "front-strike"}, [
        'automation.panic.do.output: "front-strike" is a lock, and automation never releases; '
        'expected a relay',
    ]),
    ({"automation.panic.do.output": "siren"}, [
        'automation.panic.do.output: device "siren" has driver "siren"; expected relay',
        'automation.panic.do.output: device "siren" is already used by alarms.siren; expected a '
        'device of its own',
    ]),
    ({"automation.panic.do.for_ms": 600_001}, [
        'automation.panic.do.for_ms: 600001 is longer than max_pulse_ms of "lamp"; expected 600000 '
        'at most',
    ]),
    ({"automation.break-in.do": {"mode": "blocked", "portals": ["metres"]}}, [
        'automation.break-in.do.portals: no portal "metres"; expected a name of [portals], the '
        'nearest known one is "meters"',
    ]),
    ({"automation.break-in.do": {"mode": "blocked", "portals": []}}, [
        "automation.break-in.do.portals: no portals; expected one at least, or no such key for all",
    ]),
    ({"automation.break-in.do": {"alarm": "panic", "point": "attic"}}, [
        'automation.break-in.do.point: nothing is called "attic"; expected an alarm point, a portal, '
        'an access point, a device or "controller", the nearest known one is "battery"',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("override", "lines"), DOORS)
def test_rules_of_doors_that_cannot_be_are_named(
    override: dict[str, object], lines: list[str]
) -> None:
    assert told(override) == lines


@pytest.mark.parametrize(("override", "lines"), WATCH)
def test_partitions_and_automation_that_cannot_be_are_named(
    override: dict[str, object], lines: list[str]
) -> None:
    assert told(override) == lines


def test_every_contradiction_is_told_at_once() -> None:
    several = [DOORS[0], DOORS[9], WATCH[1], WATCH[-1]]
    override = {path: value for one, _ in several for path, value in one.items()}
    assert sorted(told(override)) == sorted(line for _, lines in several for line in lines)


@pytest.mark.parametrize(
    "override",
    [
        {"schedules.day.hours": ["hol 08:00-12:00"]},  # there are holidays
        {"schedules.day.hours": ["hol 20:00-04:00", "mon 08:00-08:00"], "holidays": []},
        # hours that meet at an edge, or not at all
        {"portals.front.free_access": "day", "portals.inner.free_access": "evening",
         "schedules.evening": {"hours": ["mon-fri 18:00-20:00"]}},
        {"portals.inner.free_access": "most", "schedules.most": {"hours": ["daily 00:00-23:59"]}},
        {"interlocks.entrance.portals": ["front", "inner", "yard", "meters"]},
        # hard where somebody is forgiven or can go both ways; soft anywhere
        {"access_points.front-in.anti_passback": "hard", "areas.lobby.forgive_after_ms": 3_600_000},
        {"access_points.inner-in.anti_passback": "hard", "areas.house": {}},
        {"access_points.front-in.anti_passback": "soft"},
        {"areas.lobby.occupancy_max": 5, "areas.lobby.forgive_at": "04:00"},
        # a night that is longer than the one above it
        {"access_points.front-in.verification_at": [
            {"schedule": "night", "verification": "card+pin"},
            {"schedule": "evening", "verification": "pin"}],
         "schedules.evening": {"hours": ["daily 21:59-06:00"]}},
        {"portals.yard.first_card_level": "staff"},
        {"portals.yard.first_card_level": "cleaner"},
        {"partitions.flat-302.appointments": [ROW, {"from": ROW["to"], "to": "2027-02-10T00:00"}]},
        {"controller.flats": [], "partitions.flat-302.flat": "990"},
        {"automation.panic.when": {"type": "alarm.raised", "point": "front", "class": "door_forced"}},
        {"automation.panic.when": {"type": "access.granted", "access_point": "yard-in", "credential": 7}},
        {"automation.panic.if": {"portal": "front", "mode": "locked", "schedule": "night"}},
        {"automation.panic.do": {"mode": "locked_down"}},
    ],
)  # fmt: skip
def test_rules_that_can_be_are_taken(override: dict[str, object]) -> None:
    board.load(RULES, override)
