"""Whoever wires from the list alone ends with one 0 V, and with nothing on it that is to be kept apart."""

from pathlib import Path

import pytest
from board_texts import SMALL, problems

from hal import board, board_feeds, board_wires, board_wiring

ROOT = Path(__file__).parents[2]
SHIPPED = [  # all that state their supplies
    path
    for path in sorted((ROOT / "board_configs").glob("*.toml"))
    if "[supplies.five]" in path.read_text()
]
GND = ("pin", "GND", "6")
MAIN: dict[str, object] = {"supplies": {"main": {"volts": 12}}}
#: So that 5 V come from the board's pin.
NO_FIVE: dict[str, object] = {"supplies.five.volts": 12, "supplies.five.feeds_board": False}

each_config = pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])


def load(folder: Path, override: dict[str, object] | None = None) -> board.Config:
    (folder / "right.toml").write_text(SMALL)
    return board.load(str(folder / "right.toml"), override)


def net(config: board.Config, start: board_wires.Place) -> set[board_wires.Place]:
    """Every place that wires alone join to `start`: nothing passes a relay, a fuse or a converter."""
    found, more = {start}, True
    while more:
        more = False
        for wire in board_wires.wires(config):
            if len({wire.start, wire.end} & found) == 1:
                found |= {wire.start, wire.end}
                more = True
    return found


def test_every_board_has_a_config_that_is_looked_at_here() -> None:
    assert {path.stem.partition("-")[0] for path in SHIPPED} == {"cm4", "cm5", "demo"} | {
        f"rpi{kind}" for kind in ("", "3b", "4", "5")
    }


@each_config
def test_all_that_talks_to_a_pin_has_the_pins_own_0_v(path: Path) -> None:
    config = board.load(str(path))
    ground = net(config, GND)
    wires = board_wires.wires(config)
    wanted = {("relays", "", "GND"), ("supply", "main", "-"), ("supply", "five", "-")}
    wanted |= {("input", "five", "-"), ("board", "", "0 V")}
    for wire in wires:
        if wire.via in ("level_converter", "optocoupler", "transistor", "divider", "resistors"):
            wanted.add(("converters", wire.via, "GND"))
    for device, entry in config["devices"].items():
        reader = entry["driver"] in (*board_wiring.PULSES, "serial_reader", "osdp_reader")
        if reader and board_wiring.interface(config, device) != "usb":
            wanted.add(("device", device, "-"))
        if entry["driver"] == "osdp_bus":
            wanted.add(("adapter", device, "GND"))
    assert wanted - ground == set()


@each_config
def test_no_plus_is_on_the_same_net_as_0_v_or_as_another_supplys(path: Path) -> None:
    config = board.load(str(path))
    assert {
        place for place in net(config, GND) if place[2] in ("+", "5 V", "3.3 V", "VCC")
    } == set()
    plus = net(config, ("supply", "main", "+"))
    assert ("input", "five", "+") in plus
    assert plus & net(config, ("supply", "five", "+")) == set()
    assert plus & net(config, ("pin", "3V3", "1")) == set()


@each_config
def test_each_chip_is_fed_and_on_0_v(path: Path) -> None:
    config = board.load(str(path))
    ground, logic = net(config, GND), net(config, ("pin", "3V3", "1"))
    for chip in config["chips"] if config["board"] != "sim" else ():
        assert [place for place in ground if place[:2] == ("chips", chip)] != []
        assert [place for place in logic if place[:2] == ("chips", chip)] != []


def test_a_supply_that_only_relays_touch_is_kept_apart(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "supplies": {"main": {"volts": 12}, "locks": {"volts": 24}},
        "devices.strike.supply": "locks",
    }
    config = load(tmp_path, override)
    assert board_feeds.joined(config) == ["main"]
    assert ("supply", "locks", "-") not in net(config, GND)
    assert ("device", "strike", "-") not in net(config, GND)


def test_a_supply_behind_optocouplers_is_kept_apart_and_one_with_a_converter_is_not(
    tmp_path: Path,
) -> None:
    parted = {**MAIN, "devices.reader.interface": "optocoupler"}
    assert board_feeds.joined(load(tmp_path, parted)) == []
    assert board_feeds.joined(load(tmp_path, MAIN)) == ["main"]


@pytest.mark.parametrize("current", ["dc", "ac"])
def test_a_converter_shares_its_minus_with_what_feeds_it_if_that_has_one(
    tmp_path: Path, current: str
) -> None:
    override: dict[str, object] = {
        "supplies": {
            "main": {"volts": 12},
            "locks": {"volts": 24, "current": current},
            "five": {"volts": 5, "fed_by": "locks", "feeds_board": True},
        }
    }
    joined = ["main", "locks", "five"] if current == "dc" else ["main", "five"]
    assert board_feeds.joined(load(tmp_path, override)) == joined


def test_without_a_stated_supply_the_unstated_one_is_joined_and_5_v_come_from_the_board(
    tmp_path: Path,
) -> None:
    config = load(tmp_path)
    assert board_feeds.joined(config) == [""]
    five = [(feed.start, feed.end) for feed in board_feeds.feeds(config) if feed.role == "five"]
    assert five == [
        (("pin", "5V", "4"), board_feeds.FIVE),
        (board_feeds.FIVE, ("converters", "level_converter", "5 V")),
    ]


def test_two_supplies_behind_optocouplers_have_a_terminal_each(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "supplies": {"main": {"volts": 12}, "far": {"volts": 24}},
        "devices.reader.interface": "optocoupler",
        "devices.door.interface": "optocoupler",
        "devices.door.supply": "far",
    }
    feeds = board_feeds.feeds(load(tmp_path, override))
    assert [(feed.start, feed.end) for feed in feeds if feed.role == "field"] == [
        (("supply", "far", "+"), ("converters", "optocoupler", "far +")),
        (("supply", "main", "+"), ("converters", "optocoupler", "main +")),
    ]


def test_a_chips_address_pins_are_wired_as_its_address_says(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "chips": {
            "exp0": {"chip": "mcp23017", "address": 0x25},
            "low": {"chip": "ads1115"},
            "high": {"chip": "ads1115", "address": 0x49, "supply_mv": 5000},
            "data": {"chip": "ads1115", "address": 0x4A},
        },
        "alarms.beacon": "lamp",
        "devices.lamp": {"driver": "beacon", "line": "exp0.GPA0"},
    }
    feeds = board_feeds.feeds(load(tmp_path, override))
    ends = {feed.end: feed.start for feed in feeds if feed.end[0] == "chips"}
    assert ends["chips", "exp0", "VDD RESET A0 A2"] == board_feeds.LOGIC
    assert ends["chips", "exp0", "VSS A1"] == board_feeds.COMMON
    assert ends["chips", "low", "GND ADDR"] == board_feeds.COMMON
    assert ends["chips", "high", "VDD ADDR"] == board_feeds.FIVE
    assert ends["chips", "data", "ADDR"] == ("chips", "data", "SDA")


@pytest.mark.parametrize(
    ("supplies", "line"),
    [
        (
            {"five": {"volts": 5, "fed_by": "mian"}, "main": {"volts": 12}},
            'supplies.five.fed_by: no "mian"; expected a name of [supplies], the nearest known one is '
            '"main"',
        ),
        (
            {"five": {"volts": 5, "fed_by": "five"}},
            'supplies.five.fed_by: "five" is fed by it in turn; expected another supply',
        ),
    ],
)
def test_a_converter_without_a_supply_is_refused(
    tmp_path: Path, supplies: dict[str, object], line: str
) -> None:
    assert problems(tmp_path, override={"supplies": supplies}) == [line]


def test_two_converters_that_feed_each_other_are_both_named(tmp_path: Path) -> None:
    supplies = {"a": {"volts": 5, "fed_by": "b"}, "b": {"volts": 12, "fed_by": "a"}}
    told = problems(tmp_path, override={"supplies": supplies})
    assert [line.split(":")[0] for line in told] == ["supplies.a.fed_by", "supplies.b.fed_by"]


@each_config
def test_no_pin_has_two_wires(path: Path) -> None:
    config = board.load(str(path), NO_FIVE)
    pins = [wire.start for wire in board_wires.wires(config) if wire.start[0] == "pin"]
    assert sorted(pins) == sorted(set(pins))
