"""What a config may say and an installer should hear of before it surprises him."""

from pathlib import Path

import pytest

from hal import board

RULES = str(Path(__file__).parents[2] / "board_configs/sim-all-rules.toml")


def warned(override: dict[str, object]) -> list[str]:
    return board.warnings(board.load(RULES, override))


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        ({"areas.house": {}}, [
            'access_points.inner-in.anti_passback: "hard", and people leave by handle or button at '
            '"inner" and are not counted out: they are refused when they come back; expected '
            'areas.house.forgive_at, or "soft"',
        ]),
        ({"areas.house": {"occupancy_max": 50}, "access_points.inner-in.anti_passback": "soft"}, [
            'areas.house.occupancy_max: people leave by handle or button at "inner" and are not counted '
            'out: it fills up with people who have gone; expected forgive_at',
        ]),
        ({"access_points.yard-in.anti_passback": "hard"}, [
            'portals.yard.free_access: who passes while it is free is not counted in or out of "yard", '
            'which access_points.yard-in goes by',
        ]),
        ({"portals.front.free_access": "day"}, [
            'portals.front.free_access: while it is free nobody is let in at "inner", by '
            'interlocks.entrance',
        ]),
        ({"portals.yard.mode": "unlocked"}, [
            'portals.yard.free_access: mode = "unlocked" at first, so the hours change nothing until '
            'somebody sets the mode "locked"',
        ]),
        ({"portals.yard.mode": "locked_open"}, [
            'portals.yard.free_access: mode = "locked_open" at first, so the hours change nothing until '
            'somebody sets the mode "locked"',
        ]),
        ({"portals.yard.mode": "blocked"}, [
            'portals.yard.free_access: mode = "blocked" at first, so the hours change nothing until '
            'somebody sets the mode "locked"',
        ]),
        ({"portals.yard.mode": "locked_down"}, [
            'portals.yard.free_access: mode = "locked_down" at first, so the hours change nothing until '
            'somebody sets the mode "locked"',
        ]),
        ({"schedules.extra": {"hours": ["mon 08:00-12:00", "daily 08:00-08:00"]}}, [
            'schedules.extra.hours: "daily 08:00-08:00" ends when it begins, so it holds for 24 hours; '
            'expected "00:00-24:00" for whole days, or another end',
        ]),
        ({"schedules.extra": {"hours": ["daily 00:00-24:00"]}}, []),
        ({"partitions.cellar.entry_ms": 0}, [
            "partitions.cellar.entry_ms: 0, so its delayed points alarm at once; expected time to get "
            "in and disarm",
        ]),
        ({  # nobody leaves but by card: all are counted out
            "areas.house": {},
            "portals.inner.egress": "none",
            "portals.inner.escape_route": False,
        }, [
            "portals.inner.egress: a strike without a handle inside, which cutting its supply cannot "
            'free; expected "handle" wherever somebody may be inside',
        ]),
        ({"automation.break-in.when": {"type": "alarm.raised", "class": "fire"}}, [
            "automation.break-in.do.mode: fire releases doors whatever their mode; the mode shows when "
            "the fire is over",
        ]),
    ],
)  # fmt: skip
def test_what_is_allowed_and_may_surprise_is_told(
    override: dict[str, object], lines: list[str]
) -> None:
    assert warned(override) == lines


def test_a_block_that_only_the_house_can_lift_is_told_where_it_has_no_key_switch(
    tmp_path: Path,
) -> None:
    text = Path(RULES).read_text()
    text = text.replace('acknowledge = "key-switch"\n', "")
    text = text.replace('tamper_blocks = "active"', 'tamper_blocks = "acknowledged"')
    device = text.index("[devices.key-switch]")
    text = text[:device] + text[text.index("[devices.meters-motion]") :]
    (tmp_path / "house.toml").write_text(text)
    assert board.warnings(board.load(str(tmp_path / "house.toml"))) == [
        'alarms.tamper_blocks: "acknowledged" without a key switch; a reader that was opened stays '
        "blocked until a manager's card or a command acknowledges it"
    ]


@pytest.mark.parametrize(
    "override",
    [
        {},
        {"areas.house": {"forgive_after_ms": 3_600_000}},
        {"access_points.inner-in.anti_passback": "soft", "areas.house": {}},
    ],
)
def test_what_is_as_expected_is_not_told(override: dict[str, object]) -> None:
    assert warned(override) == []
