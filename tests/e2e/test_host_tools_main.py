"""`doorctl` against a running simulator, as a person would use it."""

import json
import subprocess
import sys
from typing import Any

from conftest import ROOT


def doorctl(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "host_tools", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_status_names_every_door_and_the_one_in_alarm(demo: Any) -> None:
    demo.act("force_door", portal="yard")
    demo.wait_for("alarm.raised", point="yard")
    done = doorctl("--demo", "--url", demo.url)
    assert done.returncode == 0, done.stderr
    assert "✓ front" in done.stdout
    assert "✗ yard" in done.stdout
    assert "Yard gate: opened without permission." in done.stdout


def test_status_tells_what_was_seen_from_what_was_not(demo: Any) -> None:
    demo.act("fail_mains", on=True)
    demo.wait_for("alarm.raised", point="mains")
    first = doorctl("--demo", "--url", demo.url).stdout
    assert "✗ Mains: mains or supply lost." in first
    assert "Not seen yet." in first
    assert "Check the breaker." in first
    demo.act("press_ack")
    demo.wait_for("alarm.acknowledged", point="mains")
    then = doorctl("--demo", "--url", demo.url).stdout
    assert "! Mains: mains or supply lost." in then
    assert "Seen by someone at the key switch; not over yet." in then
    zh = doorctl("--demo", "--lang", "zh", "--url", demo.url).stdout
    assert "! 市电：供电异常。" in zh


def test_status_without_power_says_what_each_lock_does(demo: Any) -> None:
    demo.act("cut_power")
    said = doorctl("--demo", "--url", demo.url).stdout
    assert "? front      No power: stays locked" in said
    assert "? yard       No power: free" in said


def test_events_are_sentences_in_the_language_asked_for(demo: Any) -> None:
    demo.act("present_card", access_point="front-in", person="lost_card")
    demo.wait_for("access.denied")
    assert "was reported lost" in doorctl("events", "--demo", "--url", demo.url).stdout
    assert "该凭证已挂失" in doorctl("events", "--demo", "--lang", "zh", "--url", demo.url).stdout


def test_events_as_json_are_the_contracts_events(demo: Any) -> None:
    demo.wait_for("system.started")
    lines = doorctl("events", "--demo", "--json", "--url", demo.url).stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_no_simulator_is_one_clear_line() -> None:
    done = doorctl("--demo", "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "expected a running simulator" in done.stderr


def test_without_a_site_it_says_what_to_give() -> None:
    done = doorctl("watch")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--demo" in done.stderr
