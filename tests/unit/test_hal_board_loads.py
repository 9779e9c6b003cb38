"""A converter's load is drawn from what feeds it, and a battery carries what hangs behind converters too."""

from pathlib import Path

import pytest
from board_texts import SMALL

from hal import board, board_feeds, board_loads
from hal import board_wiring_warnings as warnings
from hal.errors import BoardConfigError

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "board_configs").glob("*.toml"))
TWO_DOORS = str(ROOT / "board_configs/rpi5-two-doors.toml")
BATTERY = 12_000
STEP_UP: dict[str, object] = {
    "supplies.up": {"volts": 24, "fed_by": "main"},
    "devices.yard-magnet.supply": "up",
}


def load(folder: Path, override: dict[str, object]) -> board.Config:
    (folder / "right.toml").write_text(SMALL)
    return board.load(str(folder / "right.toml"), override)


def minutes(draw_ma: int) -> int:
    return BATTERY * 60 * 4 // 5 // draw_ma


def test_what_hangs_on_a_converter_draws_from_what_feeds_it_by_volts_and_efficiency(
    tmp_path: Path,
) -> None:
    config = load(
        tmp_path,
        {
            "supplies": {
                "main": {"volts": 12, "other_ma": 100},
                "up": {"volts": 24, "fed_by": "main", "other_ma": 300},
                "five": {"volts": 5, "fed_by": "up", "other_ma": 900, "efficiency_percent": 90},
            }
        },
    )
    assert board_loads.input_ma(config, "five") == 209  # 900 mA x 5 V / 24 V / 0.9, rounded up
    assert board_loads.input_ma(config, "up") == 1273  # 509 mA x 24 V / 12 V / 0.8, rounded up
    assert board_loads.draw_ma(config, "main") == 1373


def test_a_magnet_behind_a_converter_shortens_the_battery_that_feeds_it() -> None:
    on_main = board_loads.battery_min(board.load(TWO_DOORS), "main")
    behind = board_loads.battery_min(board.load(TWO_DOORS, STEP_UP), "main")
    # Board and the magnet's coil by the 5 V converter, two readers, and the magnet.
    assert on_main == minutes(1342 + 240 + 500)
    assert behind == minutes(1342 + 240 + 1250)


def test_coils_on_the_boards_own_pin_draw_from_what_feeds_the_board(tmp_path: Path) -> None:
    supplies = {"five": {"volts": 5, "feeds_board": True}}
    config = load(tmp_path, {"supplies": supplies, "relay_board": {"coil_ma": 60}})
    assert config["relay_board"]["coil_supply"] is None
    assert board_loads.draw_ma(config, "five") == 60


def test_a_converters_load_can_be_more_than_what_feeds_it_gives() -> None:
    override: dict[str, object] = {**STEP_UP, "supplies.main.max_ma": 3500}
    (one,) = [one for one in warnings.found(board.load(TWO_DOORS, override)) if one.sort == "load"]
    assert one.text == (
        "supplies.main.max_ma: 3500, and all its loads draw 3999 mA; expected 3999 or more"
    )


def test_the_battery_of_a_supply_is_its_own_or_the_nearest_that_feeds_it(tmp_path: Path) -> None:
    supplies = {
        "main": {"volts": 12, "battery_mah": 7000},
        "up": {"volts": 24, "fed_by": "main"},
        "down": {"volts": 12, "fed_by": "up"},
        "kept": {"volts": 24, "fed_by": "main", "battery_mah": 2000},
        "mains": {"volts": 12},
    }
    config = load(tmp_path, {"supplies": supplies})
    found = {name: board_loads.battery_of(config, name) for name in (*supplies, "")}
    assert found == {
        "main": "main",
        "up": "main",
        "down": "main",
        "kept": "kept",
        "mains": "",
        "": "",
    }


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ({"devices.front-strike.supply": "five"}, '"five" feeds the board too'),
        (
            {
                "devices.front-strike.supply": "up",
                "supplies.up": {"volts": 12, "fed_by": "five"},
            },
            '"up" hangs on "five", which feeds the board too',
        ),
    ],
)
def test_a_load_on_what_feeds_the_board_is_warned_of(
    override: dict[str, object], text: str
) -> None:
    (one,) = [
        one for one in warnings.found(board.load(TWO_DOORS, override)) if one.sort == "shared"
    ]
    assert (one.where, one.text) == (
        "front-strike",
        f"devices.front-strike.supply: {text}, and the load's current may restart the controller; "
        "expected a supply that does not",
    )


def test_a_reader_on_what_feeds_the_board_and_a_lock_on_what_feeds_its_converter_are_right() -> (
    None
):
    config = board.load(TWO_DOORS, {"devices.front-reader.supply": "five"})
    assert [one for one in warnings.found(config) if one.sort == "shared"] == []


def test_a_siren_on_what_feeds_the_board_is_warned_of_too() -> None:
    config = board.load(TWO_DOORS, {"devices.siren.supply": "five"})
    assert [one.where for one in warnings.found(config) if one.sort == "shared"] == ["siren"]


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        (
            {"supplies.five.volts": 24},
            [
                "supplies.five.feeds_board: 24 V on a board that bears 5 V; expected true at a 5 V supply "
                "alone"
            ],
        ),
        (
            {"supplies.main.feeds_board": True},
            [
                "supplies.main.feeds_board: 12 V on a board that bears 5 V; expected true at a 5 V supply "
                "alone",
                'supplies.five.feeds_board: "main" feeds the board already; expected one supply',
            ],
        ),
    ],
)
def test_a_board_is_fed_with_5_v_by_one_supply(
    override: dict[str, object], lines: list[str]
) -> None:
    with pytest.raises(BoardConfigError) as raised:
        board.load(TWO_DOORS, override)
    assert [line.partition(": ")[2] for line in str(raised.value).splitlines()] == lines


def test_a_carrier_with_a_12_v_connector_is_fed_with_12_v_and_drawn_so() -> None:
    carrier = str(ROOT / "board_configs/cm4-two-doors.toml")
    config = board.load(carrier, {"supplies.five.volts": 12})
    (fed,) = [
        feed
        for feed in board_feeds.feeds(config)
        if feed.end[0] == "board" and feed.end[2] != "0 V"
    ]
    assert (fed.start, fed.end) == (("supply", "five", "+"), ("board", "", "12 V"))


def test_a_varistor_across_a_magnet_is_warned_of() -> None:
    config = board.load(TWO_DOORS, {"devices.yard-magnet.suppression": "varistor"})
    (one,) = warnings.found(config)
    assert (one.where, one.sort, one.text) == (
        "yard-magnet",
        "maker",
        'devices.yard-magnet.suppression: "varistor" across a magnet; expected "maker": its maker\'s own '
        "alone",
    )


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_no_shipped_config_has_a_load_on_what_feeds_the_board(path: Path) -> None:
    told = warnings.found(board.load(str(path)))
    assert [one for one in told if one.sort in ("shared", "load")] == []
