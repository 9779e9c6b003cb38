"""The keys of the rule sections: types, ranges, forms, and what they become."""

from pathlib import Path
from typing import Any

import pytest
from board_texts import SMALL, problems

from hal import board, board_policy
from hal.errors import BoardConfigError

RULES = str(Path(__file__).parents[2] / "board_configs/sim-all-rules.toml")


def load(override: dict[str, object]) -> Any:
    return board.load(RULES, override)


def small(tmp_path: Path, override: dict[str, object]) -> Any:
    (tmp_path / "small.toml").write_text(SMALL)
    return board.load(str(tmp_path / "small.toml"), override)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        # types and ranges
        ("controller.untrusted_time", "maybe",
         '"maybe" is not allowed; expected one of "refuse", "allow"'),
        ("controller.narrow_after_h", 8761, "8761 is not allowed; expected a whole number, 1 to 8760 h"),
        ("controller.credential_wrong_attempts", 0,
         "0 is not allowed; expected a whole number, 1 to 10 attempts"),
        ("controller.credential_block_ms", 3_600_001,
         "3600001 is not allowed; expected a whole number, 1000 to 3600000 ms"),
        ("portals.front.first_card_early_ms", -1,
         "-1 is not allowed; expected a whole number, 0 to 86400000 ms"),
        ("portals.front.free_access", ["day"], '["day"] is not allowed; expected 1 to 32 of a-z, 0-9 and -'),
        ("access_points.front-in.anti_passback", "strict",
         '"strict" is not allowed; expected one of "off", "soft", "hard", "timed" (nearest: "soft")'),
        ("access_points.front-in.second_person_ms", 0,
         "0 is not allowed; expected a whole number, 1000 to 600000 ms"),
        ("access_points.front-in.verification_at", {"schedule": "day"},
         '{"schedule": "day"} is not a list; expected a list of { ... }'),
        ("areas.house.forgive_at", "4:00", '"4:00" is no time of day; expected such as "04:00"'),
        ("areas.house.forgive_at", "24:00", '"24:00" is no time of day; expected such as "04:00"'),
        ("areas.house.occupancy_max", 0, "0 is not allowed; expected a whole number, 1 to 100000 people"),
        ("interlocks.entrance.portals", "front",
         '"front" is not a list; expected a list, each 1 to 32 of a-z, 0-9 and -'),
        ("interlocks.entrance.portals", ["front", "front"],
         '"front" stands there twice; expected each once'),
        ("levels.staff.rights", 5, "5 is not a list; expected a list of { ... }"),
        ("partitions.cellar.entry_ms", 300_001,
         "300001 is not allowed; expected a whole number, 0 to 300000 ms"),
        ("partitions.cellar.keys", "open",
         '"open" is not allowed; expected one of "ignore", "alarm", "disarm"'),
        ("partitions.cellar.group", "", '"" is not allowed; expected 1 to 64 characters'),
        ("alarms.repeat_ms", 86_400_001,
         "86400001 is not allowed; expected a whole number, 0 to 86400000 ms"),
        ("alarms.tamper_blocks", True,
         'true is not allowed; expected one of "active", "acknowledged", "off"'),
        ("alarms.fault_after_ms", 5, "5 is not a table; expected [alarms.fault_after_ms]"),
        ("automation.panic.when", "alarm.raised",
         '"alarm.raised" is not a table; expected { type = "alarm.raised", ... }'),
        # the rows of lists, by place
        ("access_points.front-in.verification_at", [{"verification": "pin"}, 5], [
            "[0].schedule: missing; expected 1 to 32 of a-z, 0-9 and -",
            "[1]: 5 is not a table; expected [access_points.front-in.verification_at[1]]",
        ]),
        ("levels.staff.rights", [{"access_point": "Front", "denies": True}], [
            "[0].denies: unknown key; the nearest known one is \"deny\"",
            '[0].access_point: "Front" is not allowed; expected a name of [access_points], or "*" for all',
        ]),
        ("partitions.flat-302.appointments", [{"from": "2027-02-01", "to": "2027-02-30T00:00"}], [
            '[0].from: "2027-02-01" is no local time; expected such as "2027-02-01T00:00"',
            '[0].to: "2027-02-30T00:00" is no local time; expected such as "2027-02-01T00:00"',
        ]),
        # unknown keys
        ("areas.house.ocupancy_max", 5, 'unknown key; the nearest known one is "occupancy_max"'),
        ("alarms.fault_after_ms.reader_foult", 5,
         'unknown key; the nearest known one is "reader_fault"'),
        ("interlock", {}, 'unknown key; the nearest known one is "interlocks"'),
        # automation
        ("automation.panic.when", {}, [".type: missing; expected one of "]),
        ("automation.panic.when.type", "alarm.raisd", '"alarm.raisd" is not allowed; expected one of '),
        ("automation.panic.when.clas", "panic", 'unknown key; the nearest known one is "class"'),
        ("automation.panic.when.class", "panick", '"panick" is not allowed; expected one of '),
        ("automation.panic.when.class", "duress", '"duress" is not allowed; expected one of '),
        ("automation.panic.when", {"type": "access.denied", "reason": "late"},
         [".reason: \"late\" is not allowed; expected one of "]),
        ("automation.panic.when", {"type": "access.denied", "credential": 1.5},
         [".credential: 1.5 is not allowed; expected a text, a whole number or true/false"]),
        ("automation.panic.if", {},
         "asks nothing; expected a portal, a schedule, a partition, an area or an alarm"),
        ("automation.panic.if", {"portal": "front"}, [".mode: missing beside portal; expected both"]),
        ("automation.panic.if", {"mode": "locked"}, [".portal: missing beside mode; expected both"]),
        ("automation.panic.if", {"armed": True}, [".partition: missing beside armed; expected both"]),
        ("automation.panic.if", {"empty": True}, [".area: missing beside empty; expected both"]),
        ("automation.panic.if", {"alarm": "duress"}, ['.alarm: "duress" is not allowed; expected one of ']),
        ("automation.panic.do", {}, 'has none of them; expected exactly one of "mode", "output", "alarm"'),
        ("automation.panic.do", {"mode": "locked", "alarm": "panic"},
         'has "mode" and "alarm"; expected exactly one of "mode", "output", "alarm"'),
        ("automation.panic.do", {"mode": "unlocked"}, [
            '.mode: "unlocked" releases, and automation never releases; expected one of "locked", '
            '"blocked", "locked_down"',
        ]),
        ("automation.panic.do", {"mode": "locked_open"}, [
            '.mode: "locked_open" releases, and automation never releases; expected one of "locked", '
            '"blocked", "locked_down"',
        ]),
        ("automation.panic.do", {"alarm": "fire"}, ['.alarm: "fire" is not allowed; expected one of ']),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_was_expected(
    path: str, value: object, text: str | list[str]
) -> None:
    with pytest.raises(BoardConfigError) as caught:
        load({path: value})
    told = [line.removeprefix(f"{RULES}: ") for line in caught.value.problems]
    for part in [f": {text}"] if isinstance(text, str) else text:
        sep = "" if part[0] in ".[:" else ": "
        assert any(line.startswith(f"{path}{sep}{part}") for line in told), told


def test_a_small_table_of_automation_has_an_end() -> None:
    rule = {"when": {"type": "portal.opened"}, "do": {"alarm": "panic"}}
    with pytest.raises(BoardConfigError) as caught:
        load({"automation": {f"rule-{n}": rule for n in range(201)}})
    assert f"{RULES}: automation: 201 rules; expected at most 200" in caught.value.problems


# ---- what a right one becomes ----------------------------------------------------------------------


def test_an_access_point_without_an_area_leads_into_one_like_its_portal(tmp_path: Path) -> None:
    config = small(tmp_path, {"portals.front.title": {"en": "Front", "zh": "大门"}})
    assert config["access_points"]["front-in"]["area"] == "front"
    assert config["areas"] == {
        "front": {
            "title": {"en": "Front", "zh": "大门"},
            "occupancy_max": None,
            "forgive_after_ms": None,
            "forgive_at": None,
        }
    }


def test_a_table_of_that_area_is_the_one(tmp_path: Path) -> None:
    config = small(tmp_path, {"areas": {"front": {"forgive_at": "04:30"}}})
    assert config["areas"]["front"]["forgive_at"] == "04:30"
    assert list(config["areas"]) == ["front"]


def test_times_may_be_tomls_own(tmp_path: Path) -> None:
    text = Path(RULES).read_text()
    text = text.replace('forgive_at = "04:00"', "forgive_at = 04:00:00", 1)
    text = text.replace('from = "2027-02-01T00:00"', "from = 2027-02-01T00:00:00")
    (tmp_path / "own.toml").write_text(text)
    assert board.load(str(tmp_path / "own.toml")) == board.load(RULES)


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ('forgive_at = "04:00"', "forgive_at = 04:00:30"),
        ('from = "2027-02-01T00:00"', "from = 2027-02-01T00:00:30"),
        ('from = "2027-02-01T00:00"', "from = 2027-02-01T00:00:00Z"),
        ('from = "2027-02-01T00:00"', "from = 00:00:00"),
        ('from = "2027-02-01T00:00"', "from = 2027-02-01"),
        ('"2027-01-01"', "2027-01-01T00:00:00"),
        ('"2027-01-01"', '"20270101"'),
        ('"2027-01-01"', '"2027-W01-1"'),
        ('"2027-01-01"', "1969-12-31"),
        ('"2027-01-01"', "2400-01-01"),
    ],
)
def test_times_that_the_controller_cannot_keep_are_refused(
    tmp_path: Path, words: str, own: str
) -> None:
    (line,) = problems(tmp_path, Path(RULES).read_text().replace(words, own, 1))
    assert " is no " in line


def test_an_appointment_that_says_nothing_of_keys_has_its_partitions() -> None:
    config = load(
        {
            "partitions.flat-302.keys": "alarm",
            "partitions.flat-302.appointments": [
                {"from": "2027-02-01T00:00", "to": "2027-02-09T00:00"},
                {"from": "2027-03-01T00:00", "to": "2027-03-09T00:00", "keys": "ignore"},
            ],
        }
    )
    rows = config["partitions"]["flat-302"]["appointments"]
    assert [row["keys"] for row in rows] == ["alarm", "ignore"]


def test_a_rule_of_automation_keeps_what_it_names() -> None:
    rules = load({})["automation"]
    assert rules["break-in"] == {
        "title": {"en": "Nobody in after a break-in", "zh": "入侵后封门"},
        "when": {"type": "alarm.raised", "class": "intrusion", "point": "meters-motion"},
        "if": {"partition": "cellar", "armed": True},
        "do": {"mode": "blocked", "portals": ["meters"]},
    }
    assert rules["panic"]["if"] is None
    assert rules["panic"]["do"] == {"output": "lamp", "for_ms": 60_000}
    config = load(
        {
            "automation.panic.if": {"partition": "cellar", "area": "house"},
            "automation.gate-at-night.do": {"alarm": "tamper"},
            "automation.break-in.do": {"mode": "locked_down"},
        }
    )
    rules = config["automation"]
    assert rules["panic"]["if"] == {
        "partition": "cellar",
        "armed": True,
        "area": "house",
        "empty": True,
    }
    assert rules["gate-at-night"]["do"] == {"alarm": "tamper", "point": None}
    assert rules["break-in"]["do"] == {"mode": "locked_down", "portals": None}


def test_the_page_of_keys_names_every_class_that_automation_may_raise() -> None:
    page = (Path(RULES).parent / "README.md").read_text()
    row = page[page.index("`{ alarm, point }` (") :].partition("; `point` left out")[0]
    assert [word.strip("`") for word in row.partition("(")[2].split(", ")] == list(
        board_policy.RAISED
    )
