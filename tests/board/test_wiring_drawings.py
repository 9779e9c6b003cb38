"""Every shipped config is drawn in both languages, and an electrician can read it."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import wiring_geometry as geometry

from hal import board, board_facts, board_wires
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
    if path.stem != "sim-all-rules":  # it says nothing of its wires
        assert cores
    assert [core for core, count in cores.items() if count > 1] == []


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_the_chinese_drawing_has_no_english_sentence(path: Path) -> None:
    raw = tomllib.loads(path.read_text())
    named = set(re.findall(r"[A-Za-z]+", str(raw)))
    known = {"Doorward", "doorward", "selftest", "house", "toml", "supplies"}
    known |= set(" ".join(board_facts.TITLES.values()).split())
    for sheet in geometry.sheets(drawn(path, "zh")):
        for one in sheet.iter(geometry.SVG + "text"):
            found = re.findall(r"[a-z]{4,}", one.text or "")
            assert [
                word
                for word in found
                if word not in named and not any(word in other for other in named | known)
            ] == [], one.text


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
