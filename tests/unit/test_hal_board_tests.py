"""The installer's tests: every line once, in an order that makes sense, in both languages."""

import re
from pathlib import Path

import pytest

from hal import board, board_tests, board_wires

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "board_configs").glob("*.toml"))


def load(name: str) -> board.Config:
    return board.load(str(ROOT / f"board_configs/{name}.toml"))


def said(name: str, lang: str = "en") -> list[str]:
    config = load(name)
    return [board_tests.sentence(config, one, lang) for one in board_tests.tests(config)]


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_every_claimed_line_is_tested_and_nothing_twice(path: Path) -> None:
    config = board.load(str(path))
    wires = [wire.number for wire in board_wires.wires(config) if wire.claim is not None]
    tested = [
        number for one in board_tests.tests(config) for number in one.wire.split(", ") if number
    ]
    assert set(wires) - set(tested) == set()
    named = [(one.device, one.role, one.kind) for one in board_tests.tests(config)]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
@pytest.mark.parametrize("lang", board_tests.LANGUAGES)
def test_every_sentence_is_filled_and_fits_its_line(path: Path, lang: str) -> None:
    for line in said(path.stem, lang):
        assert not re.search("[{}]", line)
        assert len(line) <= {"en": 100, "zh": 50}[lang], line


def test_both_languages_have_the_same_sentences_with_the_same_places() -> None:
    en, zh = (board_tests.WORDS[lang] for lang in board_tests.LANGUAGES)
    assert list(en) == list(zh)
    for kind, text in en.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", zh[kind])), kind


def test_a_door_is_tested_from_what_shows_it_to_what_moves_it_to_who_asks() -> None:
    kinds = [one.kind for one in board_tests.tests(load("rpi5-two-doors")) if one.portal == "front"]
    assert kinds == [
        "contact", "rex", "strike", "card", "red", "green", "tamper", "dead_strike",
    ]  # fmt: skip


def test_fire_comes_after_all_that_is_alive_and_what_pulls_the_power_after_fire() -> None:
    lines = said("rpi5-two-doors")
    assert lines[-5:] == [
        "W16: open Fire loop at the fire panel; free now: Front door, Yard gate.",
        "Power pulled: Front door strike stays locked outside, the way out opens.",
        "Controller unplugged, K2 COM-NO bridged: S2 frees Yard gate magnet. Take the bridge out.",
        "Controller unplugged, K2 COM-NO bridged: fire panel frees Yard gate magnet. Bridge out.",
        "Power pulled: Yard gate magnet is free at once.",
    ]


def test_readers_on_a_bus_are_tested_by_the_wire_that_reaches_them() -> None:
    lines = said("rpi4-two-doors-osdp")
    front = [line for line in lines if "Front door reader" in line]
    assert front == [
        "W1: hold a card to Front door reader; one card is read.",
        "W1: Front door reader shows red.",
        "W1: Front door reader shows green.",
        "W1: Front door reader sounds for 1 s.",
    ]
    assert "W3: hold a card to Back door reader; one card is read." in lines


def test_a_card_tests_both_of_its_lines() -> None:
    assert "W4, W5: hold a card to Front door reader; one card is read." in said("rpi5-two-doors")


def test_a_strike_without_a_handle_is_not_said_to_open_from_inside() -> None:
    path = str(ROOT / "board_configs/rpi5-two-doors.toml")
    override: dict[str, object] = {
        "portals.front.egress": "button_cuts_power",
        "portals.front.escape_route": False,
    }
    config = board.load(path, override)
    front = [one for one in board_tests.tests(config) if one.portal == "front"]
    assert [one.kind for one in front][-1] == "dead_shut"
    assert "exit" not in [one.kind for one in front]
    assert board_tests.sentence(config, front[-1], "en") == (
        "Power pulled: Front door strike stays locked, from inside too."
    )
