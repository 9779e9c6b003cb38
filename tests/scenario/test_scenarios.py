"""Every story of this folder comes out as it says, and none breaks a law on the way."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from stories import FOLDER, STORIES
from stories import go as _go
from traces import LAWS, events

from firmware.access import alarm, credential, record
from sim import expected, run, scenario, verbs

ROOT = Path(__file__).parents[2]
SEEDS = (0, 7)

#: Of CONTRACT.md, section 3.
REASONS = """
`bad_read`, `reader_blocked`, `unknown_credential`, `credential_lost`,
`credential_cancelled`, `credential_suspended`, `uses_exhausted`, `clock_untrusted`,
`not_yet_valid`, `credential_expired`, `no_right`,
`portal_blocked`, `locked_down`, `outside_schedule`, `credential_blocked`, `wrong_pin`, `pin_timeout`,
`second_person_missing`, `anti_passback`, `occupancy_full`, `interlock`
"""
CLASSES = """
`door_forced`, `door_held`, `tamper`, `duress`, `panic`, `intrusion`, `fire`,
`credential_misuse` (a lost or cancelled key was shown), `wrong_attempts`, `reader_fault`, `lock_fault`,
`camera_fault`, `camera_covered`, `power_fault`, `battery_low`, `storage_fault`, `link_fault`,
`clock_fault`, `certificate_expiring`, `update_fault`
"""

each_story = pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story names its board from the project's folder."""
    monkeypatch.chdir(ROOT)


@each_story
def test_a_story_comes_out_as_it_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([str(path)], 0, False, None) == 0, capsys.readouterr().out


@each_story
@pytest.mark.parametrize("seed", SEEDS)
def test_no_story_breaks_a_law(path: Path, seed: int) -> None:
    told = _go(path, seed)
    assert told.failed == []
    for law in LAWS:
        law(told)


def test_a_story_may_await_whatever_is_recorded() -> None:
    recorded = {value for name, value in vars(record).items() if name.isupper()}
    types = {value for value in recorded if isinstance(value, str) and "." in value}
    assert "partition.armed" in types
    assert types <= set(scenario.EVENT_TYPES)


def test_the_stories_use_every_verb() -> None:
    used = {step["do"] for path in STORIES for step in tomllib.loads(path.read_text())["step"]}
    assert used == set(verbs.VERBS)


def test_the_stories_tell_every_reason_of_a_denial() -> None:
    told = set()
    for path in STORIES:
        told |= {event["reason"] for _, event in events(_go(path), "access.denied")}
    listed = re.findall("`(.+?)`", REASONS)
    assert len(listed) == 21
    assert list(credential.REASONS) == listed  # the order is the contract's too
    assert told == set(listed)


def test_the_stories_raise_every_class_of_alarm() -> None:
    raised = set()
    for path in STORIES:
        raised |= {event["class"] for _, event in events(_go(path), "alarm.raised")}
    listed = re.findall("`(.+?)`", CLASSES)
    assert len(listed) == 20
    assert set(alarm.PRIORITY) == set(listed)
    assert raised == set(listed)


# ---- what a trace must show that no expectation can say --------------------------------------------


def _sounds(told: run.Run, access_point: str) -> list[tuple[int, bool]]:
    """When the buzzer of `access_point` began and ended to sound, from 1 ms on."""
    changes: list[tuple[int, bool]] = []
    for line in told.trace:
        change = line["event"]
        if (
            line["kind"] == "world"
            and change["kind"] == "access_point"
            and change["id"] == access_point
        ):
            before = changes[-1][1] if changes else False
            if change["buzzer"] != before:
                changes.append((line["at_ms"], change["buzzer"]))
    return changes


def test_the_pre_alarm_sounds_each_second_from_5_s_before_the_end_until_the_door_is_held() -> None:
    told = _go(FOLDER / "held.toml")
    opened_ms = events(told, "portal.opened")[0][0]
    held_ms = events(told, "alarm.raised")[0][0]
    assert held_ms == opened_ms + 30000
    begun = [at_ms for at_ms, on in _sounds(told, "front-in") if on]
    assert begun == [opened_ms + 25000 + 1000 * second for second in range(5)]


def test_an_opening_counts_at_its_edge_and_forced_once_a_late_permission_is_ruled_out() -> None:
    told = _go(FOLDER / "forced.toml")
    opened_ms, opened = events(told, "portal.opened")[0]
    forced_ms, forced = events(told, "alarm.raised")[0]
    assert (opened_ms, opened["time"]) == (1000, "2026-11-21T08:00:01.000Z")
    rules, contact = told.story.config["portals"]["front"], told.story.config["devices"]
    settled_ms = opened_ms + rules["settle_ms"]
    debounce_ms = contact[rules["contact"]]["debounce_ms"]
    assert settled_ms <= forced_ms <= settled_ms + debounce_ms + 10  # the chatter's own time
    assert forced["time"] == f"2026-11-21T08:00:01.{forced_ms - 1000}Z"


def test_the_first_start_records_a_journal_and_a_start_and_nothing_else() -> None:
    told = _go(FOLDER / "resident-enters.toml")
    at_start = [event["type"] for at_ms, event in events(told) if at_ms == 0]
    assert at_start == ["system.journal_started", "system.started"]


# ---- the program: traces, exit codes, errors -------------------------------------------------------


def _door_sim(*args: str, hash_seed: str = "0") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sim", "run", *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=1200,
    )


def test_the_same_seed_gives_the_same_trace_byte_for_byte() -> None:
    stories = [str(path.relative_to(ROOT)) for path in STORIES]
    first = _door_sim(*stories, "--json", "--seed", "3", hash_seed="1")
    again = _door_sim(*stories, "--json", "--seed", "3", hash_seed="2")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert first.stdout == again.stdout
    other = _door_sim(stories[0], "--json", "--seed", "4")
    assert other.stdout.splitlines()[0] not in first.stdout  # another journal's name at least


def test_the_json_is_one_object_a_line_in_order_of_time(tmp_path: Path) -> None:
    out = tmp_path / "trace.jsonl"
    told = _door_sim("tests/scenario/resident-enters.toml", "--json", "--trace", str(out))
    assert told.returncode == 0
    assert out.read_text() == told.stdout
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert all(set(line) == {"at_ms", "kind", "event"} for line in lines)
    assert {line["kind"] for line in lines} == {"step", "event", "world"}
    times = [line["at_ms"] for line in lines]
    assert times == sorted(times)
    assert "✓ tests/scenario/resident-enters.toml" in told.stderr


HEAD = 'board = "board_configs/demo-sim.toml"\nstart = "2026-11-21T08:00:00Z"\n'
CARD = '[[step]]\nat_ms = 1000\ndo = "present_card"\naccess_point = "front-in"\n'


def _write(folder: Path, text: str) -> str:
    path = folder / "story.toml"
    path.write_text(text)
    return str(path)


def test_a_failing_expectation_is_told_with_the_trace_around_it(tmp_path: Path) -> None:
    text = (
        HEAD + CARD + 'person = "resident"\n[[expect]]\ntype = "access.denied"\nafter_ms = 1000\n'
    )
    text += '[[expect_not]]\ntype = "access.granted"\n'
    text += '[[expect_world]]\nat_ms = 2000\nportal = "front"\nlock = "locked"\n'
    told = _door_sim(_write(tmp_path, text))
    assert told.returncode == 1
    assert told.stderr == ""
    lines = told.stdout.splitlines()
    assert "  expected at least 1 access.denied in 1000..12000 ms; found 0" in lines
    assert "  expected no access.granted in 0..12000 ms; one at 1077 ms" in lines
    assert "  expected front lock locked at 2000 ms; it is unlocked" in lines
    around = [line for line in lines if "type=access.granted" in line]
    assert around
    assert around[0].startswith("        1077  event  ")


def test_several_files_are_counted_and_one_failure_is_enough(tmp_path: Path) -> None:
    bad = _write(tmp_path, HEAD + '[[expect]]\ntype = "access.granted"\n')
    told = _door_sim("tests/scenario/resident-enters.toml", bad)
    assert told.returncode == 1
    assert told.stdout.splitlines()[-1] == "1 of 2 passed"


#: What is wrong in a file: what is said of it. The nearest known name stands in each.
WRONG = {
    "verb": (
        '[[step]]\nat_ms = 1\ndo = "present_crad"\n',
        'step[0]: verb "present_crad" is unknown; the nearest known one is "present_card"',
    ),
    "verb of a later part": (
        '[[step]]\nat_ms = 1\ndo = "cover_camera"\ndevice = "front-cam"\non = true\n',
        "step[0]: cover_camera: comes in a later version",
    ),
    "argument": (
        CARD + 'persn = "resident"\n',
        'step[0]: present_card: argument "persn" is unknown; the nearest known one is "person"',
    ),
    "person": (
        CARD + 'person = "residnet"\n',
        'step[0]: present_card: person "residnet" is unknown; the nearest known one is "resident"',
    ),
    "portal": (
        '[[step]]\nat_ms = 1\ndo = "push_door"\nportal = "fornt"\n',
        'step[0]: push_door: portal "fornt" is unknown; the nearest known one is "front"',
    ),
    "event type": (
        '[[expect]]\ntype = "access.grantd"\n',
        'expect[0].type: unknown event type "access.grantd"; the nearest known one is "access.granted"',
    ),
    "no event type": (
        '[[expect]]\nportal = "front"\n',
        'expect[0].type: missing; expected an event type such as "access.granted"',
    ),
    "world's word": (
        '[[expect_world]]\nat_ms = 1\nportal = "front"\nlock = true\n',
        "expect_world[0].lock: true; expected locked, unlocked",
    ),
    "event's key": (
        '[[expect_not]]\ntype = "alarm.raised"\nclas = "tamper"\n',
        'expect_not[0].clas: unknown key; the nearest known one is "class"',
    ),
    "key of another event": (
        '[[expect]]\ntype = "portal.opened"\ncause = "rex"\n',
        "expect[0].cause: unknown key; the nearest known one is ",
    ),
    "class": (
        '[[expect_not]]\ntype = "alarm.raised"\nclass = "tampr"\n',
        'expect_not[0].class: unknown "tampr"; the nearest known one is "tamper"',
    ),
    "reason": (
        '[[expect]]\ntype = "access.denied"\nreason = "nope"\n',
        'expect[0].reason: unknown "nope"; the nearest known one is ',
    ),
    "point": (
        '[[expect]]\ntype = "alarm.raised"\npoint = "enclosur"\n',
        'expect[0].point: unknown "enclosur"; the nearest known one is "enclosure"',
    ),
    "expected portal": (
        '[[expect_not]]\ntype = "portal.opened"\nportal = "fornt"\n',
        'expect_not[0].portal: unknown "fornt"; the nearest known one is "front"',
    ),
    "verification": (
        '[[expect_not]]\ntype = "access.granted"\nverification = "card-pin"\n',
        'expect_not[0].verification: unknown "card-pin"; the nearest known one is "card+pin"',
    ),
    "cause": (
        '[[expect]]\ntype = "portal.released"\ncause = "automation"\n',
        'expect[0].cause: unknown "automation"; the nearest known one is ',
    ),
    "mode": (
        '[[expect]]\ntype = "portal.mode"\nmode = "lockd"\n',
        'expect[0].mode: unknown "lockd"; the nearest known one is "locked"',
    ),
    "priority": (
        '[[expect]]\ntype = "alarm.raised"\npriority = true\n',
        "expect[0].priority: true; expected one of 1, 2, 3, 4",
    ),
    "credential": (
        '[[expect_not]]\ntype = "access.granted"\ncredential = "x"\n',
        'expect_not[0].credential: "x"; expected a whole number',
    ),
    "partition": (
        '[[expect]]\ntype = "partition.armed"\npartition = "hall"\n',
        "expect[0].partition: ",
    ),
    "top key": ("ende_ms = 3\n", "ende_ms: unknown key; the nearest known one is "),
    "world key": (
        '[[expect_world]]\nat_ms = 1\nportal = "front"\ndoor = "open"\nlokc = "locked"\n',
        'expect_world[0].lokc: unknown key; the nearest known one is "lock"',
    ),
    "output": (
        '[[expect_world]]\nat_ms = 1\noutput = "sirne"\non = true\n',
        'expect_world[0].output: unknown "sirne"; the nearest known one is "siren"',
    ),
    "person's key": (
        '[[person]]\nname = "tester"\ncrad = "w26:012:00001"\n',
        "person[0].crad: unknown key; the nearest known one is ",
    ),
    "person's card": (
        '[[person]]\nname = "tester"\ncard = "w26:999:00001"\n',
        "person[0].card: ",
    ),
    "override": (
        '[override]\n"portals.fornt.mode" = "blocked"\n',
        "board: board_configs/demo-sim.toml: portals.fornt.",
    ),
    "override's value": (
        '[override]\n"portals.front.mode" = "lockd"\n',
        "board: board_configs/demo-sim.toml: portals.front.mode: ",
    ),
    "time": ('[[step]]\nat_ms = -1\ndo = "press_ack"\n', "step[0].at_ms: is no time"),
    "expect_not's window": (
        '[[expect_not]]\ntype = "access.denied"\nwithin_ms = 5\n',
        "expect_not[0].within_ms: does not go with [[expect_not]]; expected before_ms",
    ),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_a_wrong_file_names_what_is_wrong_and_the_nearest_known(what: str, tmp_path: Path) -> None:
    text, said = WRONG[what]
    path = _write(tmp_path, (text + HEAD) if what == "top key" else (HEAD + text))
    told = _door_sim(path)
    assert told.returncode == 2
    assert told.stdout == ""
    lines = told.stderr.splitlines()
    assert len(lines) == 1, told.stderr
    assert lines[0].startswith(f"{path}: {said}"), lines[0]
    assert "00001" not in lines[0]


#: Fields of every part of the contract, and values that only look odd.
RIGHT = """
[[expect_not]]
type = "alarm.raised"
class = "duress"
point = "controller"
by = "op-ling"
clock = "holdover"
journal = "5f3a9c01"
seq = 184
simulated = true

[[expect_not]]
type = "command.rejected"
command = "9f0c"
op = "portal.release"
reason = "any words"

[[expect_not]]
type = "intercom.ended"
flat = "101"
call = "c1"
talk_ms = 5

[[expect_not]]
type = "media.clip"
media = "m1"
event = "c-01:5f3a9c01:184"
bytes = 3
from = "2026-11-21T08:15:02.417Z"

[[expect_not]]
type = "portal.mode"
cause = "automation"
mode = "blocked"
by = "op-ling"

[[expect_not]]
type = "credential.changed"
change = "extend"
"""


def test_whatever_an_event_of_the_contract_can_carry_may_be_expected(tmp_path: Path) -> None:
    told = _door_sim(_write(tmp_path, HEAD + RIGHT))
    assert (told.returncode, told.stderr) == (0, "")


def test_what_only_some_events_of_the_controller_carry_may_be_expected_of_them() -> None:
    # Every event of the run of a day has no field that a file could not name.
    for path in ("tests/scenario/duress.toml", "tests/scenario/panic-locks-down.toml"):
        for line in _door_sim("--json", path).stdout.splitlines():
            told = json.loads(line)
            if told["kind"] == "event":
                event = told["event"]
                fields = {*expected.FIELDS[event["type"]], *expected.COMMON, "type"}
                assert set(event) <= fields


def test_every_mistake_of_every_file_is_named_at_once_and_nothing_runs(tmp_path: Path) -> None:
    bad = _write(tmp_path, HEAD + WRONG["verb"][0] + WRONG["event type"][0])
    missing = str(tmp_path / "missing.toml")
    told = _door_sim("tests/scenario/resident-enters.toml", bad, missing)
    assert told.returncode == 2
    assert told.stdout == ""
    lines = told.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [bad, bad, missing]


@pytest.mark.parametrize(
    "args",
    [("--seed", "x"), ("--nonsense",), (), ("tests/scenario/held.toml", "--trace", "/no/where/t")],
)
def test_wrong_use_is_one_clear_line_and_exit_2(args: tuple[str, ...]) -> None:
    told = _door_sim(*args)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
    assert told.stderr.splitlines()[-1] != ""


def test_help_has_an_example() -> None:
    told = _door_sim("--help")
    assert told.returncode == 0
    assert "door-sim run tests/scenario/" in told.stdout
