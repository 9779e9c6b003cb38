"""`kill -9`, restarts and brokers that are away: nothing recorded is lost, nothing used up comes back."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Mosquitto
from host_rig import (
    Demo,
    children_of,
    is_running,
    listening,
    port_of,
    until,
)

from firmware.trust import chain

Start = Callable[..., Demo]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of one's own."""
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


def _by_seq(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: int(event["seq"]))


def _is_whole(events: list[dict[str, Any]]) -> None:
    """One journal from its beginning, gapless, chained."""
    events = _by_seq(events)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "system.journal_started"
    assert chain.verify(events) == (True, None, "")


def test_after_kill_9_the_record_goes_on_and_a_used_up_code_stays_used_up(
    start_demo: Start,
) -> None:
    first = start_demo()
    first.act("show_qr", access_point="yard-in", person="visitor")
    granted = first.wait_for("access.granted", verification="qr")
    first.stop(signal.SIGKILL)

    second = start_demo()
    with listening(port_of(second)) as host:
        second.act("show_qr", access_point="yard-in", person="visitor")
        denied = host.wait_event("access.denied")
    assert (denied["reason"], denied["credential"]) == ("uses_exhausted", granted["credential"])
    assert denied["journal"] == granted["journal"]
    assert (granted["boot"], denied["boot"]) == (1, 2)
    started = second.wait_for("system.started", boot=2)
    # The power was away for a moment, so the magnet let go; the record says so.
    released = second.wait_for("portal.released", cause="power")
    assert started["seq"] < released["seq"] < denied["seq"]
    second.act("present_card", access_point="front-in", person="resident")
    second.wait_for("access.granted", after_seq=denied["seq"], verification="card")
    assert second.stop() == 0
    _is_whole(_journal(second.state))


def _journal(state: Path) -> list[dict[str, Any]]:
    """What the journal's file holds."""
    connection = sqlite3.connect(state / "journal.db")
    rows = connection.execute("SELECT body FROM events ORDER BY seq").fetchall()
    connection.close()
    return [json.loads(body) for (body,) in rows]


def test_alarms_blocks_and_conditions_survive_kill_9(start_demo: Start) -> None:
    first = start_demo()
    for number in range(5):
        first.act("present_card", access_point="front-in", number=f"w26:099:0000{number}")
    first.wait_for("alarm.raised", point="front-in")
    first.act("tamper", device="enclosure", on=True)
    first.wait_for("alarm.raised", point="enclosure")
    first.stop(signal.SIGKILL)

    second = start_demo()
    world = second.world()
    alarms = {(alarm["point"], alarm["class"]): alarm["state"] for alarm in world["alarms"]}
    # The new world begins with its lid closed.
    assert alarms == {
        ("front-in", "wrong_attempts"): "returned",
        ("enclosure", "tamper"): "returned",
    }
    assert world["outputs"] == {"siren": False, "beacon": True}
    assert world["access_points"]["front-in"]["blocked_until"] is not None
    second.act("present_card", access_point="front-in", person="resident")
    second.wait_for("access.denied", reason="reader_blocked")
    second.act("press_ack")
    second.wait_for("alarm.cleared", point="enclosure")
    assert second.world()["alarms"] == []


def _count(demo: Demo) -> int:
    return int(demo.world()["waiting"] or 0)


def test_a_broker_that_is_killed_again_and_again_loses_nothing(
    start_demo: Start, mosquitto: Mosquitto
) -> None:
    demo = start_demo("--mqtt", f"127.0.0.1:{mosquitto.port}")
    with listening(mosquitto.port, "host-1"):
        pass
    for number in range(3):
        mosquitto.stop()
        card = f"w26:099:0000{number}"
        demo.act("present_card", access_point="front-in", number=card)
        until("one waits", lambda: _count(demo) >= 1)
        mosquitto.start()
        until("nothing waits", lambda: _count(demo) == 0)
    with listening(mosquitto.port, "host-1") as host:
        for number in range(3):
            host.wait_event("access.denied", seq=3 + number)
        denied = [event for event in host.events() if event["type"] == "access.denied"]
    assert len(denied) == 3
    assert [event["seq"] for event in denied] == sorted(event["seq"] for event in denied)


def test_sigterm_ends_it_cleanly_with_its_goodbye_recorded_and_told(
    start_demo: Start, mosquitto: Mosquitto
) -> None:
    demo = start_demo("--mqtt", f"127.0.0.1:{mosquitto.port}")
    with listening(mosquitto.port) as host:
        host.last("status", state="online")
        pid = demo.process.pid
        below = children_of(pid)
        assert below
        assert demo.stop() == 0
        host.last("status", state="offline")
    assert not [child for child in below if is_running(child)]
    last = _journal(demo.state)[-1]
    assert (last["type"], last["reason"]) == ("system.stopping", "stopped")
    again = start_demo("--mqtt", f"127.0.0.1:{mosquitto.port}")
    until("it decides", lambda: again.world()["power"])
    again.stop()
    _is_whole(_journal(again.state))


def test_its_processes_share_its_group_and_end_with_it(start_demo: Start) -> None:
    demo = start_demo()
    demo.world()
    pid = demo.process.pid
    below = until("broker and link", lambda: _at_least(children_of(pid), 2))
    assert {os.getpgid(child) for child in below} == {os.getpgid(pid)}
    demo.stop(signal.SIGKILL)
    until("all gone", lambda: not [child for child in below if is_running(child)])


def _at_least(pids: list[int], count: int) -> list[int]:
    return pids if len(pids) >= count else []
