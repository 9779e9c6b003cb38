"""The wires in the box have a colour and a cross-section that bears what may flow."""

from pathlib import Path

import pytest

from hal import board, board_fuses, board_wires

ROOT = Path(__file__).parents[2]
SHIPPED = [  # all that state their supplies
    path
    for path in sorted((ROOT / "board_configs").glob("*.toml"))
    if "[supplies.five]" in path.read_text()
]
FIVE = str(ROOT / "board_configs/rpi5-two-doors.toml")


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_every_wire_has_a_colour_and_every_one_in_the_box_a_cross_section(path: Path) -> None:
    wires = board_wires.wires(board.load(str(path)))
    assert [wire.number for wire in wires if not wire.colour and wire.via != "usb"] == []
    assert [wire.number for wire in wires if wire.inside and wire.area_mm2 is None] == []


def test_a_wire_from_a_supply_bears_what_it_gives_and_one_in_a_locks_circuit_its_fuse() -> None:
    config = board.load(FIVE)
    for wire in board_wires.wires(config):
        if not wire.inside:
            continue
        bears = board_fuses.most_ma(wire.area_mm2)
        if wire.device in ("front-strike", "yard-magnet") and wire.role == "feed":
            assert bears >= config["devices"][wire.device]["fuse_ma"]
        elif "supply" in (wire.start[0], wire.end[0]):
            assert bears >= 5000


def test_plus_is_red_0_v_black_3_volts_orange_and_a_signal_white() -> None:
    wires = board_wires.wires(board.load(FIVE))
    inside = {(wire.start, wire.end): wire.colour for wire in wires if wire.inside}
    common = ("common", "", "0 V")
    assert inside[("supply", "main", "+"), ("fuse", "F1", "1")] == "RD"
    assert inside[("fuse", "F1", "2"), ("relay", "K1", "COM")] == "RD"
    assert inside[common, ("relays", "", "GND")] == "BK"
    assert inside[("supply", "main", "-"), ("input", "five", "-")] == "BK"
    assert inside[common, ("device", "enclosure", "return")] == "BK"
    assert inside[("pin", "3V3", "1"), ("common", "", "3.3 V")] == "OG"
    assert inside[("pin", "GPIO5", "29"), ("relays", "K1", "IN1")] == "WH"


def test_without_what_a_supply_gives_no_cross_section_is_guessed() -> None:
    config = board.load(FIVE, {"supplies.main.max_ma": 50})
    config["supplies"]["main"]["max_ma"] = None
    ends = {wire.end: wire.area_mm2 for wire in board_wires.wires(config)}
    assert ends["input", "five", "+"] is None
    assert ends["relays", "", "VCC"] == 0.5
