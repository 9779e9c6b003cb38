"""Reading a board config: the file, overrides, defaults, types, ranges, unknown keys."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from board_texts import SMALL, problems
from hypothesis import given
from hypothesis import strategies as st

from hal import board
from hal.errors import BoardConfigError

DEMO = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")


def load(folder: Path, text: str = SMALL, override: dict[str, object] | None = None) -> Any:
    (folder / "right.toml").write_text(text, encoding="utf-8")
    return board.load(str(folder / "right.toml"), override)


# ---- the file ------------------------------------------------------------------------------------


def test_a_missing_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    path = str(tmp_path / "none.toml")
    with pytest.raises(BoardConfigError) as caught:
        board.load(path)
    assert caught.value.problems == [
        f"{path}: file: no such file or directory; expected a board config"
    ]


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(tmp_path))
    assert caught.value.problems == [f"{tmp_path}: file: is a directory; expected a board config"]


def test_a_slip_of_toml_is_named_with_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, 'schema = 1\nboard "rpi4"\n') == [
        "line 2, column 7: not TOML: Expected '=' after a key in a key/value pair; expected TOML 1.0"
    ]


def test_a_section_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, SMALL + "\n[devices.door]\ndriver = 'rex'\n")
    assert "Cannot declare ('devices', 'door') twice" in line


def test_bytes_that_are_no_utf8_are_named_by_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes("schema = 1 # caf\xe9\n".encode("latin-1"))
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path))
    assert caught.value.problems == [f"{path}: byte 16: not UTF-8; expected TOML in UTF-8"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, "file: nested too deep; expected a board config"),
        ("#" * 1_000_001, "file: over 1000000 bytes; expected a board config"),
    ],
)
def test_a_file_made_to_harm_is_one_line(tmp_path: Path, text: str, wrong: str) -> None:
    assert problems(tmp_path, text) == [wrong]


def test_an_empty_file_lists_what_is_needed(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == [
        "schema: missing; expected one of 1",
        'board: missing; expected one of "sim", "rpi-zero2w", "rpi3b", "rpi3b-plus", "rpi4", "rpi5", '
        '"cm4", "cm5"',
        "controller.site: missing; expected 1 to 32 of a-z, 0-9 and -",
        "controller.name: missing; expected 1 to 32 of a-z, 0-9 and -",
        "controller.timezone: missing; expected a name such as Asia/Shanghai",
        "portals: none; expected at least one [portals.NAME]",
    ]


# ---- what a right one becomes ----------------------------------------------------------------------


def test_every_default_is_filled_in(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config["portals"]["front"] == {
        "title": {"en": "front", "zh": "front"},
        "lock": "strike",
        "contact": "door",
        "rex": None,
        "egress": "handle",
        "egress_ms": 30_000,
        "escape_route": True,
        "on_fire": "release",
        "mode": "locked",
        "release_ms": 5000,
        "open_ms": 30_000,
        "pre_alarm_ms": 5000,
        "extended_release_ms": 15_000,
        "extended_open_ms": 60_000,
        "relock": "open",
        "settle_ms": 200,
        "bond": None,
        "free_access": None,
        "first_card": False,
        "first_card_early_ms": 3_600_000,
        "first_card_level": None,
        "exit_device": None,
    }
    assert config["access_points"]["front-in"] == {
        "title": {"en": "front-in", "zh": "front-in"},
        "portal": "front",
        "direction": "in",
        "reader": "reader",
        "keypad": None,
        "led": None,
        "buzzer": None,
        "verification": "card",
        "pin_timeout_ms": 10_000,
        "wrong_attempts": 5,
        "wrong_window_ms": 600_000,
        "block_ms": 30_000,
        "verification_at": [],
        "area": "front",
        "anti_passback": "off",
        "anti_passback_ms": 600_000,
        "two_person": "off",
        "second_person_ms": 15_000,
        "visitors": True,
        "visitor_digits": False,
    }
    assert config["areas"]["front"] == {
        "title": {"en": "front", "zh": "front"},
        "occupancy_max": None,
        "forgive_after_ms": None,
        "forgive_at": None,
    }
    assert config["devices"]["reader"] == {
        "driver": "wiegand_reader",
        "title": {"en": "reader", "zh": "reader"},
        "active": "low",
        "pull": "up",
        "repeat_ms": 300,
        "tamper": None,
        "d0": "GPIO17",
        "d1": "GPIO27",
        "frame_gap_ms": 25,
        "format": "any",
        "interface": "level_converter",
        **dict.fromkeys(("supply", "draw_ma", "cable", "place")),
        "fuse_ma": None,
        "colours": {},
    }
    assert config["alarms"] == {
        "siren": None,
        "beacon": None,
        "siren_max_ms": 180_000,
        "acknowledge": None,
        "repeat_ms": 600_000,
        "tamper_blocks": "active",
        "fault_after_ms": {
            "reader_fault": 1000,
            "lock_fault": 1000,
            "camera_fault": 5000,
            "camera_covered": 0,
            "power_fault": 2000,
            "battery_low": 2000,
            "storage_fault": 0,
            "link_fault": 300_000,
            "clock_fault": 60_000,
            "certificate_expiring": 0,
            "update_fault": 0,
        },
        "points": {},
    }
    assert config["link"]["enabled"] is False
    assert (config["journal"], config["media"], config["intercom"]) == ({"limit": 100_000}, {}, {})


def test_the_demo_has_the_points_of_the_contract() -> None:
    points = board.load(DEMO)["alarms"]["points"]
    assert {
        name: (point["class"], point["reset"], point["priority"]) for name, point in points.items()
    } == {
        "fire": ("fire", "input", 1),
        "enclosure": ("tamper", None, 2),
        "lobby-panic": ("panic", None, 1),
        "mains": ("power_fault", None, 3),
        "battery": ("battery_low", None, 3),
    }


def test_defaults_give_way_to_other_times(tmp_path: Path) -> None:
    times = {"release_ms": 20_000, "open_ms": 4000}
    config = load(tmp_path, override={f"portals.front.{key}": ms for key, ms in times.items()})
    front = config["portals"]["front"]
    assert (front["pre_alarm_ms"], front["extended_release_ms"]) == (2000, 20_000)
    config = load(tmp_path, override={"portals.front.open_ms": 90_000})
    assert config["portals"]["front"]["extended_open_ms"] == 90_000


def test_holidays_may_be_dates_or_text(tmp_path: Path) -> None:
    text = 'holidays = [2027-01-01, "2027-02-06"]\n' + SMALL
    text += '[schedules.office]\nhours = ["mon-fri 08:00-12:00", "sat,hol 22:00-06:00"]\n'
    config = load(tmp_path, text)
    assert config["holidays"] == ["2027-01-01", "2027-02-06"]
    assert config["schedules"]["office"]["hours"][1] == "sat,hol 22:00-06:00"


# ---- overrides -----------------------------------------------------------------------------------


def test_an_override_stands_in_place_of_the_file() -> None:
    config = board.load(DEMO, {"portals.front.mode": "locked_down", "link.port": 2883})
    assert config["portals"]["front"]["mode"] == "locked_down"
    assert (config["link"]["host"], config["link"]["port"]) == ("127.0.0.1", 2883)


def test_an_override_may_bring_a_whole_table(tmp_path: Path) -> None:
    table: dict[str, object] = {"host": "127.0.0.1"}
    override = {"link": table, "link.port": 2883, "cameras.above": {"portal": "front"}}
    config = load(tmp_path, override=override)
    assert (config["link"]["enabled"], config["link"]["port"]) == (True, 2883)
    assert list(config["cameras"]) == ["above"]
    assert table == {"host": "127.0.0.1"}


def test_an_override_may_bring_a_rule_that_the_file_does_not_have(tmp_path: Path) -> None:
    override: dict[str, object] = {"schedules.night.hours": ["daily 22:00-06:00"]}
    config = load(tmp_path, override=override)
    assert config["schedules"]["night"]["hours"] == ["daily 22:00-06:00"]


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        (
            "portals.fornt.mode",
            "locked",
            ['portals.fornt.mode: override of an unknown "fornt"; expected an entry, '
             'the nearest known one is "front"'],
        ),
        (
            "portals.front.mode",
            "lokced",
            ['portals.front.mode: "lokced" is not allowed; expected one of "locked", "unlocked", '
             '"blocked", "locked_down", "locked_open" (nearest: "locked")'],
        ),
        (
            "portals.front.mdoe",
            "locked",
            ['portals.front.mdoe: unknown key; the nearest known one is "mode"'],
        ),
        (
            "schema.x.y",
            1,
            ['schema.x.y: override inside "schema", which is no table; expected a table'],
        ),
        ("", 1, [': unknown key; the nearest known one is "supplies"']),
    ],
)  # fmt: skip
def test_a_wrong_override_is_a_problem_like_any_other(
    tmp_path: Path, path: str, value: object, lines: list[str]
) -> None:
    found = problems(tmp_path, override={path: value})
    assert found[: len(lines)] == lines


# ---- keys and values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("schema", 2, "2 is not allowed; expected one of 1"),
        ("schema", True, "true is not allowed; expected one of 1"),
        ("controller.site", "My Site", '"My Site" is not allowed; expected 1 to 32 of a-z, 0-9 and -'),
        ("controller.site", "site\n", '"site\\n" is not allowed; expected 1 to 32 of a-z, 0-9 and -'),
        ("controller.timezone", "Asia/Shangai",
         '"Asia/Shangai" is no time zone; expected a name such as Asia/Shanghai'),
        ("controller.timezone", "../etc/passwd",
         '"../etc/passwd" is no time zone; expected a name such as Asia/Shanghai'),
        ("controller.rtc", 1, "1 is not allowed; expected true or false"),
        ("controller.flats", "101", "\"101\" is not a list; expected a list, each a flat's number"),
        ("controller.flats", ["101", "101"], '"101" stands there twice; expected each once'),
        ("controller.title", "House",
         '"House" is not a title; expected { en = "...", zh = "..." }, each 1 to 64 characters on one line'),
        ("controller.title", {"en": "House"},
         '{"en": "House"} is not a title; expected { en = "...", zh = "..." }, each 1 to 64 '
         'characters on one line'),
        ("portals.front.release_ms", 499, "499 is not allowed; expected a whole number, 500 to 600000 ms"),
        ("portals.front.release_ms", 600_001,
         "600001 is not allowed; expected a whole number, 500 to 600000 ms"),
        ("portals.front.release_ms", 5.0, "5.0 is not allowed; expected a whole number, 500 to 600000 ms"),
        ("portals.front.release_ms", True, "true is not allowed; expected a whole number, 500 to 600000 ms"),
        ("portals.front.settle_ms", 49, "49 is not allowed; expected a whole number, 50 to 1000 ms"),
        ("access_points.front-in.wrong_attempts", 6,
         "6 is not allowed; expected a whole number, 1 to 5 attempts"),
        ("devices.door.debounce_ms", 400, "400 is not allowed; expected a whole number, 1 to 399 ms"),
        ("devices.door.line", "", '"" is not allowed; expected the name of a line, such as GPIO17'),
        ("devices.reader.frame_gap_ms", 26, "26 is not allowed; expected a whole number, 5 to 25 ms"),
        ("devices.strike.travel_ms", 2001, "2001 is not allowed; expected a whole number, 0 to 2000 ms"),
        ("journal.limit", 99999, "99999 is not allowed; expected a whole number, 100000 to 10000000 records"),
        ("link.port", 65_536, "65536 is not allowed; expected a whole number, 1 to 65535"),
        ("link.protocol", 5, '5 is not allowed; expected one of "auto", "5", "3.1.1"'),
        ("portals", [], "[] is not a table; expected [portals.NAME]"),
        ("devices.door", 5, "5 is not a table; expected [devices.door]"),
        ("link", "broker", '"broker" is not a table; expected [link]'),
        ("alarms", 3, "3 is not a table; expected [alarms]"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_was_expected(
    tmp_path: Path, path: str, value: object, text: str
) -> None:
    assert f"{path}: {text}" in problems(tmp_path, override={path: value})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("portal", 'unknown key; the nearest known one is "portals"'),
        ("controller.timezon", 'unknown key; the nearest known one is "timezone"'),
        ("devices.door.debouce_ms", 'unknown key; the nearest known one is "debounce_ms"'),
        ("alarms.sirne", 'unknown key; the nearest known one is "siren"'),
        ("media.quota", "unknown key; none is known here"),
        ("devices.strike.max_pulse_ms",
         "unknown key; a lock has no time limit of its own: release_ms of its portal says how long "
         "it is released"),
        ("devices.reader.line", 'unknown key; a Wiegand reader has two lines, "d0" and "d1"'),
        ("link.password",
         'unknown key; a password does not stand here; "password_file" names a file that holds it'),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named_with_the_nearest_or_a_hint(
    tmp_path: Path, path: str, text: str
) -> None:
    assert f"{path}: {text}" in problems(tmp_path, override={path: 5})


def test_an_unknown_driver_is_the_only_thing_said_of_its_device(tmp_path: Path) -> None:
    text = SMALL.replace('driver = "contact"', 'driver = "contakt"')
    (line,) = problems(tmp_path, text)
    assert line.startswith(
        'devices.door.driver: "contakt" is not allowed; expected one of "lock", '
    )
    assert line.endswith('(nearest: "contact")')


def test_a_name_that_no_topic_can_carry_is_refused(tmp_path: Path) -> None:
    text = SMALL.replace("[portals.front]", '[portals."Front/1"]').replace(
        'portal = "front"', 'portal = "Front/1"'
    )
    assert problems(tmp_path, text) == [
        "portals.Front/1: not a name; expected 1 to 32 of a-z, 0-9 and -",
        'access_points.front-in.portal: "Front/1" is not allowed; expected 1 to 32 of a-z, 0-9 and -',
    ]


@pytest.mark.parametrize(
    "line",
    [
        "mon-fri 8:00-12:00",
        "mon 08:00",
        "noday 08:00-12:00",
        "mon 24:00-08:00",
        "mon 08:60-09:00",
        "",
    ],
)
def test_hours_that_nobody_can_read_are_refused(tmp_path: Path, line: str) -> None:
    found = problems(tmp_path, override={"schedules": {"office": {"hours": [line]}}})
    assert found == [
        f'schedules.office.hours: "{line}" is not allowed; expected such as "mon-fri 08:00-12:00"'
    ]


def test_every_line_of_hours_that_nobody_can_read_is_named(tmp_path: Path) -> None:
    hours = ["mon 8:00-9:00", "tue 08:00-09:00", "noday 08:00-09:00", "tue 08:00-09:00", 7]
    assert problems(tmp_path, override={"schedules": {"office": {"hours": hours}}}) == [
        'schedules.office.hours: "mon 8:00-9:00" is not allowed; expected such as "mon-fri 08:00-12:00"',
        'schedules.office.hours: "noday 08:00-09:00" is not allowed; '
        'expected such as "mon-fri 08:00-12:00"',
        'schedules.office.hours: "tue 08:00-09:00" stands there twice; expected each once',
        'schedules.office.hours: 7 is not allowed; expected such as "mon-fri 08:00-12:00"',
    ]


def test_a_holiday_that_is_no_date_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, override={"holidays": ["2027-02-30"]}) == [
        'holidays: "2027-02-30" is no date; expected such as "2027-01-01"'
    ]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    wrong: dict[str, object] = {
        "portals.front.release_ms": 1,
        "devices.door.pull": "sideways",
        "access_points.front-in.portal": "frnt",
    }
    assert problems(tmp_path, override=wrong) == [
        "portals.front.release_ms: 1 is not allowed; expected a whole number, 500 to 600000 ms",
        'devices.door.pull: "sideways" is not allowed; expected one of "up", "down", "none"',
        'access_points.front-in.portal: no portal "frnt"; expected a name of [portals], '
        'the nearest known one is "front"',
    ]


# ---- whatever stands there -------------------------------------------------------------------------

RAW = tomllib.loads(SMALL)
LEAVES = [
    (section, name, key)
    for section in ("portals", "access_points", "devices")
    for name in RAW[section]
    for key in (None, *RAW[section][name], "rex", "line", "tamper", "led", "odd")
]
VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["front", "strike", "door", "reader", "GPIO17", "handle", "none", "led", "rex"]
    ),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("board") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return str(path)


@given(changes=st.lists(st.tuples(st.sampled_from(LEAVES), VALUES), min_size=1, max_size=6))
def test_no_value_anywhere_is_more_than_a_list_of_problems(
    small: str, changes: list[tuple[tuple[str, str, str | None], object]]
) -> None:
    override: dict[str, object] = {}
    for (section, name, key), value in changes:
        path = f"{section}.{name}" if key is None else f"{section}.{name}.{key}"
        override[path] = value
    try:
        config = board.load(small, override)
    except BoardConfigError as error:
        assert error.problems  # noqa: PT017  which, is for the tests above
    else:
        assert board.claims(config)
