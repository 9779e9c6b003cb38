"""What the drawing says of loads, fuses, supervised loops and long cables."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import wiring_geometry as geometry

from hal import board, board_fuses, board_wiring
from hal import board_wiring_warnings as warnings
from hal.errors import BoardConfigError
from host_tools import words
from host_tools.wiring import drawing, field

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "board_configs").glob("*.toml"))
SOURCE = ("house.toml", "01234567", "2026-11-21")
SUPERVISED = ROOT / "board_configs/rpi4-supervised-expander.toml"


def texts(config: dict[str, Any], lang: str = "en") -> list[tuple[float, str]]:
    """Every text of the drawing with its x in mm."""
    made = ET.fromstring(drawing.draw(config, words.load(lang), lang, SOURCE))
    found = made.iter(geometry.SVG + "text")
    return [(float(one.attrib["x"]), "".join(one.itertext())) for one in found]


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_every_load_has_its_volts_its_amps_and_its_fuse(path: Path) -> None:
    config = board.load(str(path))
    told = [text for _, text in texts(config)]
    for device, entry in config["devices"].items():
        if not board_fuses.is_fused(config, device):
            continue
        fuse, ma = board_fuses.fuse_name(config, device), board_wiring.fuse_ma(config, device)
        rated = "? A" if ma is None else f"{ma / 1000:g} A"
        draw = "?" if entry["draw_ma"] is None else entry["draw_ma"]
        assert [text for text in told if f"{draw} mA, {fuse} {rated}" in text], device
        locked = entry["driver"] == "lock"  # whose fuse is drawn in the lock's own circuit
        assert (rated if locked else f"{fuse}.1 ({rated})") in told, device


def test_a_supervised_loop_has_its_resistors_at_the_contact_and_its_pull_up_at_the_board() -> None:
    told = texts(board.load(str(SUPERVISED)))
    for ohm in ("1.1 k", "3.3 k"):
        places = [x for x, text in told if text == ohm]
        assert places
        assert min(places) > field.SCREEN_END  # beyond the cable
    assert any("at the contact: 1.1 k in series, 3.3 k across" in text for _, text in told)
    assert all(x < field.SCREEN for x, text in told if text.endswith("· 2.2 k to 3V3"))
    assert any(text.endswith("adc.CH0 · 2.2 k to 3V3") for _, text in told)


def test_the_resistors_that_nobody_stated_belong_at_the_contact_too() -> None:
    override: dict[str, object] = {
        "devices.yard-contact": {
            "driver": "supervised_contact",
            "input": "adc.CH0",
            "thresholds_permille": [170, 500, 830],
        }
    }
    told = [text for _, text in texts(board.load(str(SUPERVISED), override))]
    assert any(text.endswith("its resistors at the contact") for text in told)


def test_a_cable_that_alone_loses_too_much_is_told_though_another_is_not_stated(
    tmp_path: Path,
) -> None:
    shipped = (ROOT / "board_configs/cm5-two-doors.toml").read_text(encoding="utf-8")
    before, begins, rest = shipped.partition("[devices.yard-exit]\n")
    path = tmp_path / "house.toml"
    path.write_text(before + begins + rest.replace("cable = ", "#", 1), encoding="utf-8")
    override: dict[str, object] = {
        "cables.yard-lock.length_m": 120,
        "cables.yard-lock.area_mm2": 0.5,
    }
    config = board.load(str(path), override)
    lost, whole = board_wiring.drop(config, "yard-magnet")
    assert not whole
    (text,) = [one.text for one in warnings.found(config) if one.sort == "drop"]
    assert text.startswith("devices.yard-magnet.cable: loses ")
    assert " of 12 V in the cables that are stated alone, so " in text
    assert " V arrive at most; expected at most 10 %" in text
    assert any(f"> {lost:.2f} V (" in text for _, text in texts(config))


def test_a_reader_whose_cable_burns_before_its_supply_gives_in_wants_a_fuse(tmp_path: Path) -> None:
    shipped = (ROOT / "board_configs/rpi5-two-doors.toml").read_text(encoding="utf-8")
    path = tmp_path / "house.toml"
    path.write_text(shipped.replace("fuse_ma = 500\n", "", 1), encoding="utf-8")
    config = board.load(str(path))
    (one,) = warnings.found(config)
    assert (one.where, one.sort) == ("front-reader", "unfused")
    assert one.text == (
        "devices.front-reader.fuse_ma: none, and supplies.main gives 5000 mA into 0.25 mm2, which bears "
        "2960; expected a fuse"
    )
    told = [text for _, text in texts(config)]
    assert "Front door reader: its cable bears less than its supply gives; it wants a fuse." in told


TWO_DOORS = str(ROOT / "board_configs/rpi5-two-doors.toml")


def test_a_lock_behind_a_converter_is_drawn_with_the_battery_that_carries_it() -> None:
    override: dict[str, object] = {
        "supplies.up": {"volts": 24, "title": {"en": "24 V", "zh": "24V"}, "fed_by": "main"},
        "devices.yard-magnet.supply": "up",
    }
    told = [text for _, text in texts(board.load(TWO_DOORS, override))]
    assert "12 V supply with battery: 203 min" in told
    assert "battery 12000 mAh, 203 min" in told
    assert told.count("mains lost, on battery") == 2


@pytest.mark.parametrize(
    ("lang", "own", "shared"),
    [
        (
            "en",
            "The lock's own supply, never",
            "The strike hangs on what feeds the board: it wants",
        ),
        ("zh", "电锁独立供电", "锁扣接在主板的供电上"),
    ],
)
def test_a_lock_on_what_feeds_the_board_is_told_on_its_sheet_and_not_called_right(
    lang: str, own: str, shared: str
) -> None:
    right = " ".join(text for _, text in texts(board.load(TWO_DOORS), lang))
    wrong = board.load(TWO_DOORS, {"devices.front-strike.supply": "five"})
    told = " ".join(text for _, text in texts(wrong, lang))
    assert (right.count(own), right.count(shared)) == (2, 0)
    assert (told.count(own), told.count(shared)) == (1, 1)


def test_a_siren_on_what_feeds_the_board_stands_on_the_first_sheet() -> None:
    told = [text for _, text in texts(board.load(TWO_DOORS, {"devices.siren.supply": "five"}))]
    assert "Horn hangs on what feeds the board: it wants another supply." in told


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_a_varistor_across_a_magnet_is_told_on_its_sheet(lang: str) -> None:
    config = board.load(TWO_DOORS, {"devices.yard-magnet.suppression": "varistor"})
    told = [text for _, text in texts(config, lang)]
    assert told.count(words.load(lang)["draw.warn.maker.magnet"]) == 1


def test_a_reader_behind_another_has_no_fuse_of_its_own() -> None:
    chain = str(ROOT / "board_configs/rpi4-two-doors-osdp.toml")
    with pytest.raises(BoardConfigError, match="it is fed through front-reader; expected the fuse"):
        board.load(chain, {"devices.back-reader.fuse_ma": 500})
    with pytest.raises(BoardConfigError, match="100 blows at the load's own 150 mA"):
        board.load(chain, {"devices.front-reader.fuse_ma": 100})


def test_contacts_are_drawn_as_they_stand_at_rest() -> None:
    config = board.load(str(ROOT / "board_configs/rpi5-two-doors.toml"))
    at_rest = {
        device: board_wiring.closed_at_rest(config, device)
        for device, entry in config["devices"].items()
        if entry["driver"] in board_wiring.LOOPS
    }
    assert at_rest == {
        "front-contact": True,
        "front-handle": False,
        "yard-contact": True,
        "yard-exit": False,
        "front-tamper": True,
        "fire-loop": True,
        "enclosure": True,
        "key-switch": False,
    }
    other = board.load(
        str(ROOT / "board_configs/rpi5-two-doors.toml"), {"devices.yard-exit.active": "high"}
    )
    assert board_wiring.closed_at_rest(other, "yard-exit")
    demo = board.load(str(ROOT / "board_configs/demo-sim.toml"))
    for point in demo["alarms"]["points"].values():
        assert board_wiring.closed_at_rest(demo, point["input"]) == (point["normal"] == "closed")


def test_what_is_wrong_and_has_no_room_on_the_first_sheet_is_counted_there() -> None:
    override: dict[str, object] = {
        f"devices.{device}.supply": "five" for device in ("siren", "beacon")
    }
    override |= {"supplies.five.max_ma": 2000, "devices.yard-exit.place": "outside"}
    told = [text for _, text in texts(board.load(TWO_DOORS, override))]
    assert told.count("and 1 more: see --check") == 1


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_each_wire_of_a_bus_names_its_terminal_at_the_adapter(lang: str) -> None:
    chain = str(ROOT / "board_configs/rpi4-two-doors-osdp.toml")
    told = [text for _, text in texts(board.load(chain), lang)]
    between = words.load(lang)["draw.via.rs485"]
    for terminal in "AB":
        assert [text for text in told if text.endswith(f"· {between} {terminal}")], terminal
