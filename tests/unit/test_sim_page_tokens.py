"""The page's colours can be read by people: contrast of every pair, computed from style.css."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "sim" / "page" / "style.css").read_text(encoding="utf-8")
TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\)", CSS
    )
}
PRIORITIES = ("p1", "p2", "p3", "p4")

TEXT = [
    *((ink, ground) for ink in ("ink", "ink2", "accent", "ok") for ground in ("bg", "surface")),
    ("on-accent", "accent"),
    ("ok", "ok-bg"),
    *((f"{p}-text", f"{p}-bg") for p in PRIORITIES),
    *(("ink", f"{p}-bg") for p in PRIORITIES),
    ("p2-text", "bg"),
]
EDGES = [
    *((edge, ground) for edge in ("edge", "accent", "ok") for ground in ("bg", "surface")),
    *((f"{p}-text", ground) for p in PRIORITIES for ground in ("bg", "surface")),
    *((f"on-{p}", p) for p in PRIORITIES),
    *((f"led-{c}", "surface") for c in ("red", "green")),
]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3: from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_stands_out_from_its_ground(ink: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[ink][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_and_signs_stand_out_from_their_ground(edge: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[edge][theme], TOKENS[ground][theme]) >= 3


def test_no_colour_is_written_outside_the_tokens() -> None:
    house = (Path(__file__).parents[2] / "sim" / "page" / "house.css").read_text(encoding="utf-8")
    outside = CSS[CSS.index("* { box-sizing") :] + house
    assert re.findall(r"#[0-9A-Fa-f]{3,8}\b(?=[;, )])", outside) == []
