"""What a config gives the deciding core beside what the host stores."""

from pathlib import Path
from typing import Any

from firmware.access.credential import Right, Rights
from firmware.access.schedule import day_number, parse
from firmware.runtime.wiring import Wiring
from hal import board

DEMO = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")

CONFIG: dict[str, object] = {
    "schedules": {"day": {"hours": ["mon-fri 08:00-12:00", "hol 09:00-10:00"]}},
    "levels": {
        "staff": {
            "rights": [
                {"access_point": "*", "schedule": "day"},
                {"access_point": "yard-out", "deny": True},
            ]
        }
    },
    "holidays": ["2027-01-01"],
}
HOST = Rights(
    {"all": [Right("*", None, False)]}, {"week": parse("mon 08:00-09:00")}, [5], False, False
)


def wiring(override: dict[str, object]) -> Any:
    return Wiring(board.load(DEMO, override))


def test_the_levels_hours_and_holidays_of_the_config_stand_beside_the_hosts() -> None:
    rights = wiring(CONFIG).rights(HOST)
    assert rights.levels == {
        "staff": [Right("*", "day", False), Right("yard-out", None, True)],
        "all": [Right("*", None, False)],
    }
    assert rights.schedules == {
        "day": parse("mon-fri 08:00-12:00") + parse("hol 09:00-10:00"),
        "week": parse("mon 08:00-09:00"),
    }
    assert sorted(rights.holidays) == [5, day_number("2027-01-01")]


def test_a_name_that_both_give_is_the_hosts() -> None:
    host = Rights({"staff": []}, {"day": parse("sun 00:00-24:00")}, [], False, False)
    rights = wiring(CONFIG).rights(host)
    assert rights.levels == {"staff": []}
    assert rights.schedules == {"day": parse("sun 00:00-24:00")}
    assert wiring(CONFIG).rights(HOST).levels[
        "staff"
    ] == [  # and the config's own is not lost by that
        Right("*", "day", False),
        Right("yard-out", None, True),
    ]


def test_the_config_says_whether_time_that_nobody_vouches_for_counts() -> None:
    assert wiring({}).rights(HOST).lenient is False
    assert wiring({"controller.untrusted_time": "allow"}).rights(HOST).lenient is True


def test_a_host_that_was_silent_for_too_long_narrows_the_rights() -> None:
    assert wiring({}).rights(HOST).narrowed is False
    assert wiring({}).rights(HOST, True).narrowed is True
