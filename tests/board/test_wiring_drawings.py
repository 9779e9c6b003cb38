"""Every shipped config is drawn in both languages, and an electrician can read it."""

import re
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest
import wiring_geometry as geometry

from hal import board, board_wires
from host_tools import words
from host_tools.wiring import drawing

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "board_configs").glob("*.toml"))
SOURCE = ("house.toml", "01234567", "2026-11-21")

each_drawing = pytest.mark.parametrize(
    ("path", "lang"),
    [(path, lang) for path in SHIPPED for lang in words.LANGUAGES],
    ids=[f"{path.stem}-{lang}" for path in SHIPPED for lang in words.LANGUAGES],
)


def drawn(path: Path, lang: str) -> str:
    return drawing.draw(board.load(str(path)), words.load(lang), lang, SOURCE)


@each_drawing
def test_no_text_touches_anything_and_no_two_wires_share_a_lane(path: Path, lang: str) -> None:
    sheets = geometry.sheets(drawn(path, lang))
    faults = [
        f"sheet {place}: {fault}"
        for place, sheet in enumerate(sheets, 1)
        for fault in geometry.faults(sheet)
    ]
    assert faults == []


@each_drawing
def test_every_claimed_line_is_drawn_once(path: Path, lang: str) -> None:
    claims = board.claims(board.load(str(path)))
    assert geometry.claimed(drawn(path, lang)) == Counter(
        f"{claim.device}.{claim.role}" for claim in claims
    )


@each_drawing
def test_every_wire_is_drawn_on_a_sheet_and_not_only_listed(path: Path, lang: str) -> None:
    shown = {
        line.attrib["data-wire"]
        for line in ET.fromstring(drawn(path, lang)).iter(geometry.SVG + "line")
        if "data-wire" in line.attrib
    }
    wires = [wire.number for wire in board_wires.wires(board.load(str(path)))]
    assert [number for number in wires if number not in shown] == []


def test_a_supply_that_is_kept_apart_is_said_to_be_and_has_no_wire_to_0_v() -> None:
    override: dict[str, object] = {
        "supplies.locks": {"volts": 24, "title": {"en": "24 V for locks", "zh": "24V锁电源"}},
        "devices.front-strike.supply": "locks",
    }
    told = " ".join(_told("rpi5-two-doors", override))
    assert "24 V for locks: kept apart from 0 V on purpose" in told
    assert "5 V converter: minus on 0 V common" in told
    assert "kept apart" not in " ".join(_told("rpi5-two-doors", {}))


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_the_same_config_gives_the_same_bytes(path: Path) -> None:
    assert drawn(path, "en") == drawn(path, "en")


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_one_sheet_by_its_number_is_the_one_of_the_whole_drawing(path: Path) -> None:
    whole = geometry.sheets(drawn(path, "en"))
    config, said = board.load(str(path)), words.load("en")
    for number in (1, len(whole)):
        one = geometry.sheets(drawing.draw(config, said, "en", SOURCE, number))
        texts = [element.text for element in one[0].iter(geometry.SVG + "text")]
        assert texts == [element.text for element in whole[number - 1].iter(geometry.SVG + "text")]
    with pytest.raises(IndexError, match=f"expected 1 to {len(whole)}"):
        drawing.draw(config, said, "en", SOURCE, len(whole) + 1)


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_no_two_cores_of_a_cable_have_one_colour(path: Path) -> None:
    config = board.load(str(path))
    cores = Counter((wire.cable, wire.colour) for wire in board_wires.wires(config) if wire.cable)
    assert [core for core, count in cores.items() if count > 1] == []


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_the_chinese_drawing_has_no_english_sentence(path: Path) -> None:
    raw = tomllib.loads(path.read_text())
    named = set(re.findall(r"[A-Za-z]+", str(raw)))
    known = {"Doorward", "doorward", "selftest", "house", "toml", "supplies"}
    for sheet in geometry.sheets(drawn(path, "zh")):
        for one in sheet.iter(geometry.SVG + "text"):
            found = re.findall(r"[a-z]{4,}", one.text or "")
            assert [
                word
                for word in found
                if word not in named and not any(word in other for other in named | known)
            ] == [], one.text


@each_drawing
def test_a_shipped_board_is_drawn_with_whole_names(path: Path, lang: str) -> None:
    texts = ET.fromstring(drawn(path, lang)).iter(geometry.SVG + "text")
    short = [str(one.text) for one in texts if "..." in str(one.text)]
    assert [text for text in short if not text.startswith("usb-")] == []  # whole beside its wire


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_a_name_of_64_letters_takes_no_wires_colour_and_no_terminal_with_it(lang: str) -> None:
    name = next(override for board, override in ODD if board == "cm4-two-doors")
    config = board.load(str(ROOT / "board_configs/cm4-two-doors.toml"), name)
    said = words.load(lang)
    svg = ET.fromstring(drawing.draw(config, said, lang, SOURCE))
    told = [str(one.text) for one in svg.iter(geometry.SVG + "text")]
    for core, code in (("d0", "GN"), ("d1", "WH")):
        end = f"{said[f'draw.core.{core}']} · {code} {said[f'draw.colour.{code}']}"
        assert [text for text in told if text.endswith(end)] != []
    assert any(text.endswith("K1 COM") for text in told)
    poles = [text for text in told if text.startswith(LONG[lang][:5]) and text[-1] in "+−"]
    assert {text[-1] for text in poles} == {"+", "−"}


OSDP = "rpi4-two-doors-osdp"


def test_the_plan_leads_a_bus_from_reader_to_reader_as_its_cores_do() -> None:
    told = _told(OSDP, {})
    assert "from Front door reader: LiYCY-TP 2 x 2 x 0.5, 30 m" in told  # where it hangs
    assert [text for text in told if text.startswith("back-reader · from Front door reader · ")]
    assert told.count("120 Ω") == 2
    star = _told(OSDP, {"devices.bus.topology": "star"})
    assert not [text for text in star if "from Front door reader" in text]
    assert star.count("120 Ω") == 2


def test_a_usb_cable_among_other_wires_is_drawn_beside_them_with_a_sign() -> None:
    override: dict[str, object] = {"devices.yard-reader.cable": "yard-reader"}
    assert "Yard gate reader: USB wants a cable of its own." in _told(
        "rpi4-supervised-expander", override
    )
    assert _signs("rpi4-supervised-expander", override) == 1


def test_a_screen_goes_on_to_the_next_reader_and_is_earthed_once() -> None:
    told = " ".join(_told(OSDP, {}))
    assert told.count("screen joined to the one before") == 1
    assert (
        told.count("screen earthed at the controller only") == 2
    )  # its first piece, and the fire panel's


LONG = {"en": "An entrance door whose name has sixty-four letters, as it may be", "zh": "门" * 64}
ODD: list[tuple[str, dict[str, object]]] = [
    (
        "rpi5-two-doors",  # everything is wrong that may be
        {
            "devices.front-reader.interface": "direct",
            "devices.yard-reader.interface": "direct",
            "devices.front-led.interface": "direct",
            "devices.yard-contact.interface": "direct",
            "devices.front-strike.suppression": "none",
            "devices.yard-magnet.fire_cuts": False,
            "devices.yard-magnet.draw_ma": 3000,
            "devices.yard-magnet.fuse_ma": 5000,
            "devices.yard-exit.place": "outside",
            "devices.siren.fuse_ma": 6300,
            "devices.front-strike.fuse_ma": 20000,
            "devices.front-reader.fuse_ma": 250,
            "devices.yard-reader.fuse_ma": 250,
            "supplies.main.max_ma": 400,
            "portals.yard.egress": "none",
            "portals.yard.escape_route": False,
            "portals.front.egress": "none",
            "portals.front.escape_route": False,
        },
    ),
    (
        "cm4-two-doors",  # alternating current, a panic bar, long names
        {
            "supplies.main.current": "ac",
            "devices.street-strike.suppression": "varistor",
            "devices.cellar-strike.suppression": "varistor",
            "portals.street.exit_device": "panic_bar",
            "portals.street.title": LONG,
            "devices.street-strike.title": LONG,
            "devices.street-reader.title": LONG,
            "supplies.main.title": LONG,
            "supplies.five.title": LONG,
            "cables.street-lock.title": LONG,
            "cables.street-lock.kind": "a kind of cable with as many letters as",
            "controller.title": LONG,
        },
    ),
    (
        "rpi4-one-door",  # a break-glass unit; the coils on the board's own 5 V; the screen the other way
        {
            "portals.yard.exit_device": "break_glass",
            "relay_board": {},
            "cables.yard-reader.screen": "device",
            "devices.yard-reader.interface": "rs485",
            "devices.yard-reader.terminated": False,
            "devices.yard-magnet.draw_ma": 1,
        },
    ),
    (
        "cm5-two-doors",  # a strike with a button, a magnet that only the fire panel cuts; wide titles
        {
            "portals.front.egress": "button_cuts_power",
            "portals.front.escape_route": False,
            "portals.yard.egress": "none",
            "portals.yard.escape_route": False,
            "controller.title": {"en": "W" * 64, "zh": "龘" * 64},
        },
    ),
    (
        "rpi5-two-doors",  # a strike that current locks, with a handle
        {
            "portals.yard.egress": "handle",
            "portals.yard.escape_route": False,
            "devices.yard-magnet.suppression": "diode",
            "devices.yard-magnet.title": {"en": "Yard gate lock", "zh": "后院门锁"},
        },
    ),
    (
        "rpi5-two-doors",  # and one that stays locked in a fire, which the panel frees all the same
        {
            "portals.yard.egress": "handle",
            "portals.yard.escape_route": False,
            "portals.yard.on_fire": "latch",
            "devices.yard-magnet.fire_cuts": True,
            "devices.yard-magnet.suppression": "none",
        },
    ),
    (  # an RS-485 adapter on the header, turned by RTS
        "rpi4-two-doors-osdp",
        {"devices.bus.port": "/dev/serial0", "devices.bus.rs485": "kernel"},
    ),
    ("rpi4-two-doors-osdp", {"devices.bus.topology": "star"}),
    (
        "rpi4-supervised-expander",
        {"supplies.five.volts": 12, "supplies.five.feeds_board": False},
    ),  # 5 V from the board's pin
    ("rpi4-two-doors-osdp", {"devices.front-reader.place": "inside"}),  # the chain passes the wall
    ("rpi4-two-doors-osdp", {"devices.back-reader.place": "inside"}),
    (
        "rpi4-two-doors-osdp",
        {"devices.front-reader.place": "inside", "devices.back-reader.place": "inside"},
    ),
    ("rpi4-supervised-expander", {"devices.yard-reader.cable": "yard-reader"}),
    (  # chips on the second SPI bus
        "rpi4-supervised-expander",
        {"chips.adc.bus": "/dev/spidev1.2", "devices.yard-exit.line": "GPIO8"},
    ),
    ("demo-sim", {"devices.yard-exit.cable": "lobby", "portals.yard.rex": "yard-exit"}),
]


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize(("name", "override"), ODD, ids=[name for name, _ in ODD])
def test_an_odd_house_is_drawn_as_cleanly(
    name: str, override: dict[str, object], lang: str
) -> None:
    config = board.load(str(ROOT / f"board_configs/{name}.toml"), override)
    svg = drawing.draw(config, words.load(lang), lang, SOURCE)
    found = [fault for sheet in geometry.sheets(svg) for fault in geometry.faults(sheet)]
    assert found == []


def _told(name: str, override: dict[str, object]) -> list[str]:
    """Every text of the English drawing, where something is wrong with the house."""
    config = board.load(str(ROOT / f"board_configs/{name}.toml"), override)
    svg = drawing.draw(config, words.load("en"), "en", SOURCE)
    return [
        str(one.text) for sheet in geometry.sheets(svg) for one in sheet.iter(geometry.SVG + "text")
    ]


def _signs(name: str, override: dict[str, object]) -> int:
    """How many signs that something is wrong are drawn: triangles that are not filled."""
    config = board.load(str(ROOT / f"board_configs/{name}.toml"), override)
    svg = drawing.draw(config, words.load("en"), "en", SOURCE)
    return sum(
        one.attrib["fill"] == "none"
        for sheet in geometry.sheets(svg)
        for one in sheet.iter(geometry.SVG + "polygon")
    )


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_a_house_without_warnings_has_no_sign_of_one(path: Path) -> None:
    assert _signs(path.stem, {}) == 0


def test_what_check_warns_of_stands_in_the_drawing() -> None:
    name, override = ODD[0]
    told = _told(name, override)
    for text in (
        "W4 W5 Front door reader: 5 V on a 3.3 V pin",
        "No diode at the strike: the relay's contact wears out.",
        "The fire panel does not cut this magnet's current itself.",
        "The cable loses more than 10 %: thicker or shorter.",
        "No handle or panic bar inside: nobody gets out without the controller.",
        "No exit device inside that cuts this magnet's current.",
        "Yard exit button hangs outside: whoever presses it opens the door.",
        "12 V supply with battery: its loads draw more than it gives.",
        "The fuse is larger than the cable or the supply bears.",
        "Horn: its fuse is larger than its cable or supply bears.",
    ):
        assert text in told
    assert _signs(name, override) >= 9 + 7  # beside each sentence, and on each such wire


def test_a_magnet_is_drawn_without_a_diode_and_a_strike_with_its_own() -> None:
    told = _told("rpi5-two-doors", {})
    assert told.count("No diode here.") == 1
    assert told.count("D1 1N4007") == 1
    assert "Use NO. With NC the magnet would hold while the controller is dead." in told
    assert "Use NO. With NC the strike would be unlocked while the controller is dead." in told


OVERLAP = '<text x="{x}" y="50" font-size="3" textLength="20">one</text>'
SHEET = (
    '<svg xmlns="http://www.w3.org/2000/svg"><g><title>t</title><desc>d</desc>{inside}</g></svg>'
)


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        (OVERLAP.format(x=50) + OVERLAP.format(x=69), "texts 'one' and 'one' overlap"),
        (OVERLAP.format(x=50).replace('"3"', '"2.4"'), "text 'one' is smaller than 2.5 mm"),
        (OVERLAP.format(x=280), "text 'one' is outside the frame"),
        (
            OVERLAP.format(x=50) + '<line x1="40" y1="49" x2="90" y2="49"/>',
            "text 'one' stands on a line",
        ),
        (
            OVERLAP.format(x=50) + '<rect x="60" y="40" width="5" height="20" fill="none"/>',
            "text 'one' stands on a line",
        ),
        (
            '<line x1="40" y1="49" x2="90" y2="49" data-wire="W1"/>'
            '<line x1="80" y1="49" x2="99" y2="49" data-wire="W2"/>',
            "W1 and W2 on one lane",
        ),
        (
            '<line x1="40" y1="49" x2="290" y2="49"/>',
            "line (40.0, 49.0, 290.0, 49.0) is outside the frame",
        ),
    ],
)
def test_the_checker_sees_what_is_wrong(inside: str, fault: str) -> None:
    assert geometry.faults(geometry.sheets(SHEET.format(inside=inside))[0]) == [fault]


def test_the_checker_takes_a_text_beside_another_and_above_a_line() -> None:
    right = OVERLAP.format(x=50) + OVERLAP.format(x=71) + '<line x1="40" y1="51" x2="90" y2="51"/>'
    assert geometry.faults(geometry.sheets(SHEET.format(inside=right))[0]) == []


def test_a_lock_that_current_holds_and_a_handle_frees_is_drawn_as_a_strike() -> None:
    override = next(more for _, more in ODD if "devices.yard-magnet.title" in more)
    told = _told("rpi5-two-doors", override)
    assert "Yard gate: fail-safe strike, locked by current" in told
    assert "Drawn without power: K2 open, the door is free." in told
    assert "Use NO. With NC the strike would stay locked while the controller is dead." in told
    assert "Without current it is free from outside too. People leave by: handle." in told
    assert "D2 1N4007" in told
    assert "locked" in told
    assert [text for text in told if "magnet" in text] == []


def _relays(count: int, place: str) -> dict[str, object]:
    """So many more loads on two expanders, each with an automation that switches it."""
    more: dict[str, object] = {
        "chips": {"exp0": {"chip": "mcp23017"}, "exp1": {"chip": "mcp23017", "address": 0x21}}
    }
    for number in range(count):
        more[f"devices.load-{number}"] = {
            "driver": "relay",
            "line": f"exp{number // 16}.GP{'AB'[number % 16 // 8]}{number % 8}",
            "max_pulse_ms": 5000,
            "place": place,
            "title": {"en": f"Load {number}", "zh": f"负载{number}"},
        }
        more[f"automation.rule-{number}"] = {
            "when": {"type": "portal.opened"},
            "do": {"output": f"load-{number}", "for_ms": 1000},
        }
    return more


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("place", ["inside", "box"])
def test_a_box_with_thirty_relays_shows_each_of_them_once_on_as_many_sheets_as_it_needs(
    lang: str, place: str
) -> None:
    config = board.load(str(ROOT / "board_configs/rpi4-one-door.toml"), _relays(30, place))
    said = words.load(lang)
    made = geometry.sheets(drawing.draw(config, said, lang, SOURCE))
    assert [fault for sheet in made for fault in geometry.faults(sheet)] == []
    first, second, *_ = (
        [str(one.text) for one in sheet.iter(geometry.SVG + "text")] for sheet in made
    )
    told = [text.partition(" ")[0] for text in first + second if re.match(r"K\d+ ", text)]
    assert told == [f"K{number}" for number in range(1, 34)]
    assert said["draw.box.goes_on"].format(n=2) in first
    relays = said["draw.box.relays"]
    assert relays in first
    assert said["draw.box.continued"].format(what=relays) in second
    assert said["draw.box.inputs"] in second


def test_a_box_that_one_sheet_shows_is_shown_whole_on_each_sheet_of_its_cables() -> None:
    override = {**_relays(6, "inside"), "devices.key-switch.place": "inside"}  # 15 cables
    config = board.load(str(ROOT / "board_configs/rpi4-one-door.toml"), override)
    said = words.load("en")
    made = geometry.sheets(drawing.draw(config, said, "en", SOURCE))
    for sheet in made[:2]:
        told = [str(one.text) for one in sheet.iter(geometry.SVG + "text")]
        assert "K9 Load 5" in told
        assert not any("continue" in text for text in told)
