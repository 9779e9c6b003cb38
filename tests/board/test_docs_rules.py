"""Every snippet of docs/rules.md is right as it stands, on the demo building."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hal import board

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/rules.md").read_text()
DEMO = str(ROOT / "board_configs/demo-sim.toml")
SNIPPETS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)

#: The sections of which a snippet may name an entry that the demo has; its keys are then set one by one.
_WIRED = ("controller", "portals", "access_points", "alarms")


def _overrides(snippet: str) -> dict[str, object]:
    """What the snippet sets, by dotted path."""
    raw = tomllib.loads(snippet)
    demo = tomllib.loads(Path(DEMO).read_text())
    found: dict[str, object] = {}
    for section, entries in raw.items():
        if not isinstance(entries, dict):
            found[section] = entries
            continue
        for name, entry in entries.items():
            known: Any = demo.get(section, {}).get(name)
            if section in _WIRED and isinstance(known, dict):
                found.update({f"{section}.{name}.{key}": value for key, value in entry.items()})
            else:
                found[f"{section}.{name}"] = entry
    return found


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_is_right_on_the_demo_building(snippet: str) -> None:
    board.load(DEMO, _overrides(snippet))


def test_every_rule_has_its_snippet() -> None:
    named = set(re.findall(r"\w+", " ".join(SNIPPETS)))
    sections = {
        "areas",
        "interlocks",
        "levels",
        "partitions",
        "automation",
        "schedules",
        "holidays",
    }
    keys = {"anti_passback", "two_person", "first_card", "free_access", "verification_at"}
    keys |= {"repeat_ms", "tamper_blocks", "fault_after_ms", "appointments", "occupancy_max"}
    assert (sections | keys) - named == set()


def test_the_page_links_to_pages_that_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
