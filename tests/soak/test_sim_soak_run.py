"""`door-sim soak`: one seed is one run, byte for byte; what fails is told; wrong use is one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim import main as door_sim
from sim.soak import plan, run, story

ROOT = Path(__file__).parents[2]


def test_two_runs_of_one_seed_are_the_same_byte_for_byte() -> None:
    first = run.tell(plan.draw(12, 0.5), 12)
    second = run.tell(plan.draw(12, 0.5), 12)
    assert first.law is None
    assert first.events > 20
    assert first == second


def test_two_seeds_are_two_stories() -> None:
    assert plan.draw(1, 0.5) != plan.draw(2, 0.5)
    assert run.tell(plan.draw(1, 0.5), 1).digest != run.tell(plan.draw(2, 0.5), 2).digest


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_with_other_hashes_tells_the_same(hash_seed: str) -> None:
    command = [sys.executable, "-m", "sim", "soak", "--seed", "12", "--hours", "0.5", "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=True
    )
    told = json.loads(done.stdout)
    assert told["digest"] == run.tell(plan.draw(12, 0.5), 12).digest
    assert "0 violations" in done.stderr


def test_a_story_is_the_same_from_its_file(tmp_path: Path) -> None:
    tables = plan.draw(31, 0.3)
    file = tmp_path / "story.toml"
    file.write_text(story.text(tables, ["of a seed"]), encoding="utf-8")
    from sim import scenario

    read = scenario.load(str(file))
    drawn = story.checked(tables)
    assert (read.steps, read.config, read.end_ms) == (drawn.steps, drawn.config, drawn.end_ms)
    assert [one.shown() for one in read.people] == [one.shown() for one in drawn.people]


def test_more_hours_are_more_seeds() -> None:
    assert run.seeds_of(7, 20.0, None) == [(7, 20 / 3), (8, 20 / 3), (9, 20 / 3)]
    assert run.seeds_of(7, 1.0, None) == [(7, 1.0)]
    assert run.seeds_of(1, 2.0, 4) == [(1, 0.5), (2, 0.5), (3, 0.5), (4, 0.5)]


@pytest.mark.parametrize(
    "args", [["--hours", "0"], ["--hours", "many"], ["--runs", "0"], ["--board", "none.toml"]]
)
def test_wrong_use_is_exit_code_2(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = door_sim.main(["soak", *args])
    except SystemExit as left:
        code = int(str(left.code))
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_story_that_could_not_be_written_is_refused_before_the_first_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "main", lambda *args: pytest.fail("it ran"))
    expected = "expected a file that can be written (--out)"
    nowhere = tmp_path / "nope"
    for out, problem in (
        (nowhere / "x.toml", f"{nowhere} is no folder"),
        (tmp_path, "is a folder"),
    ):
        assert door_sim.main(["soak", "--out", str(out)]) == 2
        assert capsys.readouterr().err == f"{out}: {problem}; {expected}\n"


@pytest.mark.parametrize(
    ("broken", "code", "lines"),
    [
        (
            None,
            0,
            [
                "seed 7: 8 h, trace 0123456789abcdef",
                "seed 8: 8 h, trace 0123456789abcdef",
                "✓ 16 simulated hours, 2 seeds from 7, 2,400 events, 0 violations; ",
            ],
        ),
        (
            7,
            1,
            [
                "✗ seed 7: law 5 ended at 1018 ms: yard-out: ended_lease granted",
                "  the shortest story that breaks it (17 tried): story.toml",
                "✗ 8 simulated hours, 1 seed from 7, 1,200 events, 1 violation; ",
            ],
        ),
    ],
)
def test_what_came_of_it_is_a_line_and_a_broken_law_one_more(
    broken: int | None,
    code: int,
    lines: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(seed: int, hours: float, *given: object) -> run.Told:
        one = run.Told(seed, hours, "0123456789abcdef00", events=1200, attempts=17)
        if seed == broken:
            one.law, one.at_ms, one.text = "5 ended", 1018, "yard-out: ended_lease granted"
        return one

    monkeypatch.setattr(run, "try_seed", told)
    monkeypatch.chdir(tmp_path)
    assert run.main(7, 16.0, out="story.toml") == code
    out, err = capsys.readouterr()
    assert err == ""
    *first, last = out.splitlines()
    assert first == lines[:-1]
    assert last.startswith(lines[-1])
