"""Siren and beacon as they are told, not as their lines are at the instant: a rhythm's pauses count as on."""

from pathlib import Path

import pytest

from sim import run, scenario

ROOT = Path(__file__).parents[2]


def _changes(story: str, output: str, lines: list[str]) -> tuple[list[tuple[int, bool]], int]:
    """When `output` was seen to change in a story, and how often its line did."""
    told = run.Run(scenario.load(f"tests/scenario/{story}.toml"), 0)
    driven: list[bool | None] = []
    world = told._building.world
    follow = world._output_changed

    def output_changed(line: str, high: bool | None) -> None:
        if line in lines:
            driven.append(high)
        follow(line, high)

    world._lines.on_output = output_changed
    told.go()
    assert told.failed == []
    changes = [
        (line["at_ms"], line["event"]["on"])
        for line in told.trace
        if line["kind"] == "world" and line["event"]["id"] == output
    ]
    return changes, len(driven)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_a_siren_is_seen_to_begin_and_to_end_though_its_line_follows_a_rhythm() -> None:
    changes, driven = _changes("rhythms", "siren", ["siren"])
    assert driven > 20
    begun_and_ended = [(1026, 6000), (7000, 14030), (20030, 22000)]
    assert changes == [
        (at_ms, on) for pair in begun_and_ended for at_ms, on in zip(pair, (True, False))
    ]


def test_a_beacon_is_seen_to_begin_and_to_end_though_its_line_flashes() -> None:
    changes, driven = _changes("rhythms", "beacon", ["beacon"])
    assert driven > 10
    assert [on for _, on in changes] == [True, False, True, False]
