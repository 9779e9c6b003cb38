"""Every shipped board config is right, and says what it says of its pins truly."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hal import (
    board,
    board_chips,
    board_devices,
    board_facts,
    board_policy,
    board_schema,
    board_wiring,
)

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "board_configs"
SHIPPED = sorted(FOLDER.glob("*.toml"))
README = (FOLDER / "README.md").read_text()

ids = [path.stem for path in SHIPPED]
each_config = pytest.mark.parametrize("path", SHIPPED, ids=ids)


def _entries(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [
        (f"{section}.{name}", entry)
        for section in ("portals", "access_points", "cameras")
        for name, entry in config[section].items()
    ]
    points = config["alarms"]["points"].items()
    return found + [(f"alarms.{name}", entry) for name, entry in points]


@each_config
def test_a_shipped_config_is_right_and_without_warnings(path: Path) -> None:
    config = board.load(str(path))
    assert board.warnings(config) == []


@each_config
def test_what_people_see_has_a_title_in_both_languages(path: Path) -> None:
    raw = tomllib.loads(path.read_text())
    assert "title" in raw["controller"]
    for name, entry in _entries(board.load(str(path))):
        assert entry["title"]["en"] != name.rpartition(".")[2], f"{name} has no title"
        assert re.search("[\u4e00-\u9fff]", entry["title"]["zh"]), f"{name} has no Chinese title"


@each_config
def test_a_shipped_house_has_siren_beacon_fire_loop_enclosure_and_key_switch(path: Path) -> None:
    alarms = board.load(str(path))["alarms"]
    assert alarms["siren"]
    assert alarms["beacon"]
    assert alarms["acknowledge"]
    assert {"fire", "tamper"} <= {point["class"] for point in alarms["points"].values()}


@each_config
def test_the_pin_in_a_comment_is_the_pin_of_the_line(path: Path) -> None:
    named = 0
    for text in path.read_text().splitlines():
        found = re.match(r'\w+ = "GPIO(\d+)" +# pin (\d+)', text)
        if found is not None:
            assert board_facts.HEADER[int(found[1])] == int(found[2]), text
            named += 1
    claims = board.claims(board.load(str(path)))
    # a chip's line is no pin of the header
    lines = [one for one in claims if one.direction != "serial" and "." not in one.line]
    simulated = board.load(str(path))["board"] == "sim"  # its lines are no pins
    assert named == (0 if simulated else len(lines))


def test_every_board_has_a_config() -> None:
    assert {board.load(str(path))["board"] for path in SHIPPED} == set(board_facts.BOARDS)


def test_the_readme_lists_every_config_and_no_other() -> None:
    assert sorted(set(re.findall(r"^\| `([\w-]+\.toml)`", README, re.M))) == [
        path.name for path in SHIPPED
    ]


def test_the_readme_names_every_key_and_every_board() -> None:
    named = set(
        re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", README.replace("```", ""))))
    )
    tables = [
        board_schema.CONTROLLER,
        board_schema.PORTAL,
        board_schema.ACCESS_POINT,
        board_schema.ALARMS,
        board_schema.ALARM_POINT,
        board_schema.CAMERA,
        board_schema.SCHEDULE,
        board_schema.LINK,
        board_schema.JOURNAL,
        board_schema.VERIFICATION_AT,
        board_schema.FAULT_AFTER_MS,
        *board_chips.CHIPS.values(),
        board_policy.AREA,
        board_policy.INTERLOCK,
        board_policy.LEVEL,
        board_policy.PARTITION,
        board_policy.AUTOMATION,
        board_policy.RIGHT,
        board_policy.APPOINTMENT,
        board_policy.CONDITION,
        *board_policy.ACTIONS.values(),
        *board_devices.DEVICES.values(),
        board_wiring.SUPPLY,
        board_wiring.CABLE,
        board_wiring.RELAY_BOARD,
        board_wiring.PORTAL,
        *(board_wiring.fields(driver) for driver in board_devices.DEVICES),
    ]
    keys = {key for table in tables for key in table}
    assert keys - named == set()
    assert set(board_facts.BOARDS) - named == set()
    assert set(board_devices.DEVICES) - named == set()


def test_the_building_with_all_rules_has_every_rule_on() -> None:
    text = (FOLDER / "sim-all-rules.toml").read_text()
    rules = {
        *board_policy.AREA,
        *board_policy.INTERLOCK,
        *board_policy.LEVEL,
        *board_policy.RIGHT,
        *board_policy.PARTITION,
        *board_policy.APPOINTMENT,
        *board_policy.AUTOMATION,
        *board_policy.CONDITION,
        *(key for action in board_policy.ACTIONS.values() for key in action),
    }
    # the keys that rules add to what there was before them
    rules |= set(board_schema.CONTROLLER) - {
        "gpio",
        "watchdog",
        "site",
        "name",
        "timezone",
        "rtc",
        "flats",
    }
    rules |= {key for key in board_schema.PORTAL if key.startswith(("first_card", "free_", "bond"))}
    rules |= set(list(board_schema.ACCESS_POINT)[list(board_schema.ACCESS_POINT).index("area") :])
    rules |= {"verification_at", "repeat_ms", "tamper_blocks", "fault_after_ms"}
    hosts = {"first_card_level"}  # a level that the demo's people do not have
    assert {key for key in rules - hosts if not re.search(rf"\b{key}\b", text)} == set()


def test_the_readme_gives_the_defaults_that_hold() -> None:
    for table in (board_schema.PORTAL, board_schema.ACCESS_POINT, board_schema.ALARMS):
        for key, field in table.items():
            if isinstance(field.default, (int, str)) and not isinstance(field.default, bool):
                row = re.search(rf"^\| `{key}` \|[^|]*\|([^|]*)\|", README, re.M)
                assert row is not None, key
                assert row[1].strip().strip("`") == str(field.default), key
    for driver, fields in board_devices.DEVICES.items():
        rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*) \|$", README, re.M)
        own = [text for names, text in rows if f"`{driver}`" in names.split(", ")]
        for key in ("debounce_ms", "hold_off_ms", "frame_gap_ms", "travel_ms", "reopen_ms", "baud"):
            if key in fields:
                found = re.search(rf"`{key}` \d+ to \d+, default (\d+)", " ".join(own))
                assert found is not None, f"{driver}.{key}"
                assert int(found[1]) == fields[key].default, f"{driver}.{key}"
