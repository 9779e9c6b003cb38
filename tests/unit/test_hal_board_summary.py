"""`--check` says which rules a config sets, in tables that an installer can read at the door."""

from pathlib import Path

import pytest

import firmware.main
from firmware.check import report
from hal import board

ROOT = Path(__file__).parents[2]
RULES = str(ROOT / "board_configs/sim-all-rules.toml")
ZERO = str(ROOT / "board_configs/rpi-zero2w-one-door-wiegand.toml")


def test_every_rule_of_a_building_stands_in_a_table() -> None:
    tables = board.tables(board.load(RULES))
    assert tables == [
        [
            ("way", "asks for", "area", "besides"),
            ("front-in", "card-or-pin; night: card+pin", "into lobby", "visitors' digits"),
            ("inner-in", "card", "into house", "hard anti-passback"),
            ("inner-out", "card", "out of house", "hard anti-passback"),
            ("meters-in", "card", "into meters", "two people within 15 s, no visitors"),
            ("yard-in", "card", "into yard", "soft anti-passback"),
            ("yard-out", "card", "out of yard", "the same way again after 10 s"),
        ],
        [
            ("area", "in by", "out by", "people at most", "forgiven"),
            ("house", "inner-in", "inner-out", "200", "at 04:00"),
            ("yard", "yard-in", "yard-out", "-", "after 12 h"),
        ],
        [("interlock", "one open at a time"), ("entrance", "front, inner")],
        [
            ("hours", "when", "for"),
            ("day", "mon-fri 08:00-18:00", "yard is free once somebody came, level cleaner"),
            (
                "night",
                "daily 22:00-06:00",
                "front-in asks for card+pin, cellar is armed, automation come-home, "
                "automation gate-at-night",
            ),
            ("holidays", "3 days", "hours of hol and daily"),
        ],
        [
            ("partition", "points", "armed", "keys"),
            (
                "cellar",
                "meters-motion (after 30 s), cellar-window",
                "night",
                "disarm: of group staff",
            ),
            (
                "flat-302",
                "flat-302-door",
                "2027-02-01T00:00 to 2027-02-09T00:00",
                "alarm: of flat 302",
            ),
        ],
        [
            ("automation", "when", "if", "do"),
            ("panic", "alarm.raised panic", "-", "lamp on for 1 min"),
            ("come-home", "access.granted front-in", "schedule night", "lamp on for 2 min"),
            (
                "break-in",
                "alarm.raised meters-motion intrusion",
                "partition cellar, armed true",
                "blocked: meters",
            ),
            (
                "gate-at-night",
                "alarm.raised yard door_held",
                "schedule night, area yard, empty true",
                "alarm intrusion at yard",
            ),
        ],
    ]


def test_a_building_without_rules_has_no_tables_of_them() -> None:
    tables = board.tables(board.load(ZERO))
    assert [table[0][0] for table in tables] == ["way"]


def test_rules_that_are_seldom_used_are_said_too() -> None:
    config = board.load(
        RULES,
        {
            "access_points.meters-in.two_person": "other_group",
            "access_points.meters-in.second_person_ms": 1500,
            "automation.break-in.do": {"mode": "locked_down"},
            "automation.gate-at-night.do": {"alarm": "panic"},
            "partitions.cellar.keys": "ignore",
            "partitions.flat-302.appointments": [
                {"from": f"2027-0{n}-01T00:00", "to": f"2027-0{n}-02T00:00"} for n in range(1, 5)
            ],
            "partitions.lone": {"points": ["flat-302-door"]},
            "partitions.flat-302.points": ["cellar-window"],
            "partitions.cellar.points": ["meters-motion"],
            "schedules.spare": {"hours": ["sun 10:00-12:00"]},
        },
    )
    rows = {one[0]: one for table in board.tables(config) for one in table}
    assert rows["meters-in"][3] == "two people of another group within 1500 ms, no visitors"
    assert rows["break-in"][3] == "locked_down: all portals"
    assert rows["gate-at-night"][3] == "alarm panic at the controller"
    assert rows["cellar"][3] == "-"
    assert rows["flat-302"][2:] == (
        "2027-01-01T00:00 to 2027-01-02T00:00, 2027-02-01T00:00 to 2027-02-02T00:00, 2 more",
        "-",
    )
    assert rows["lone"][2] == "by command"
    assert rows["spare"][2] == "the host's levels"


def test_one_portal_is_no_portals() -> None:
    config = board.load(RULES)
    config["portals"] = {"front": config["portals"]["front"]}
    config["access_points"] = {"front-in": config["access_points"]["front-in"]}
    assert report(config)[-1] == "sim: 1 portal, 1 access point, 37 lines; right"


def test_check_prints_lines_rules_and_what_may_surprise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(RULES).read_text().replace("entry_ms = 30000", "entry_ms = 0")
    path = tmp_path / "house.toml"
    path.write_text(text)
    assert firmware.main.main(["--board", str(path), "--check"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].split()[:5] == ["device", "role", "line", "direction", "active"]
    assert "interlock  one open at a time" in lines
    assert "entrance   front, inner" in lines
    assert lines[-1] == "sim: 4 portals, 6 access points, 37 lines; right"
    assert all(line == line.rstrip() for line in lines)
    assert told.err == (
        "! partitions.cellar.entry_ms: 0, so its delayed points alarm at once; expected time to get "
        "in and disarm\n"
    )


def test_check_of_a_config_with_a_contradiction_names_it_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(RULES).read_text().replace('portals = ["front", "inner"]', 'portals = ["front"]')
    path = tmp_path / "house.toml"
    path.write_text(text)
    assert firmware.main.main(["--board", str(path), "--check"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"{path}: interlocks.entrance.portals: only front; expected two portals at least, of which "
        "one is open at a time\n"
    )
