"""What a shortest story expects: it is a scenario that fails while the law is broken, and passes then."""

from pathlib import Path
from typing import Any

import pytest

from firmware.access import portal
from sim import run as runs
from sim import scenario
from sim.soak import expects, run, story


@pytest.mark.parametrize(
    ("law", "text", "kind", "entry"),
    [
        (
            "1 egress",
            "front: not released 100 ms after 8899 ms",
            "expect",
            {"type": "portal.released", "portal": "front", "after_ms": 8899, "within_ms": 100},
        ),
        (
            "1 fire",
            "front: locked while it burns",
            "expect_world",
            {"at_ms": 9060, "portal": "front", "lock": "unlocked"},
        ),
        (
            "4 forced",
            "yard: forced at 1000 ms, and no alarm",
            "expect",
            {"type": "alarm.raised", "point": "yard", "class": "door_forced"},
        ),
        (
            "4 held",
            "yard: open since 1000 ms, and no alarm",
            "expect",
            {"type": "alarm.raised", "point": "yard"},
        ),
        (
            "5 ended",
            "yard-in: guest-1 granted at 8999 ms; it ended before",
            "expect_not",
            {
                "type": "access.granted",
                "access_point": "yard-in",
                "after_ms": 8999,
                "before_ms": 8999,
            },
        ),
        (
            "6 stale",
            "portal.release at 8999 ms: accepted, and is stale",
            "expect_not",
            {
                "type": "command.accepted",
                "op": "portal.release",
                "after_ms": 8999,
                "before_ms": 8999,
            },
        ),
        (
            "2 cause rex",
            "front: released by rex at 8999 ms; nobody pressed it",
            "expect_not",
            {
                "type": "portal.released",
                "portal": "front",
                "cause": "rex",
                "after_ms": 8999,
                "before_ms": 8999,
            },
        ),
    ],
)
def test_each_law_that_can_says_what_is_right(
    law: str, text: str, kind: str, entry: dict[str, Any]
) -> None:
    tables = {"board": "board_configs/demo-sim.toml", "start": "2027-03-18T17:04:46Z"}
    whole = expects.added({**tables, "end_ms": 9000, "step": []}, law, 9000, text)
    assert whole[kind] == [entry]
    checked = story.checked(whole)  # a scenario may say so
    assert checked.end_ms > entry.get("at_ms", 0)


def test_a_law_that_needs_the_checkers_books_expects_nothing() -> None:
    assert expects.of("3 gap", 9000, "1234abcd: seq 3 follows 1") == {}


def test_the_story_of_a_handle_that_is_not_heard_is_a_test_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leave = {"at_ms": 1000, "do": "leave", "portal": "front"}
    tables = {
        "board": "board_configs/demo-sim.toml",
        "start": "2027-03-18T17:04:46Z",
        "end_ms": 20_000,
        "person": [],
        "step": [{"at_ms": 500, "do": "press_ack"}, leave],
    }
    monkeypatch.setattr("sim.soak.plan.draw", lambda seed, hours, board: tables)
    with monkeypatch.context() as faulty:
        for verb in ("rex", "hold_exit"):
            faulty.setattr(portal.Portal, verb, lambda *told: [])
        told = run.try_seed(1, 1.0, None, shrink=True)
        assert told.law == "1 egress"
        path = tmp_path / "story.toml"
        path.write_text(told.story, encoding="utf-8")
        assert [step["do"] for step in scenario.load(str(path)).steps] == ["leave"]
        broken = runs.Run(scenario.load(str(path)), 1)
        broken.go()
        assert broken.failed
    whole = runs.Run(scenario.load(str(path)), 1)
    whole.go()
    assert whole.failed == []
