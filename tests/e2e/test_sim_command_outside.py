"""Nobody but the owner: commands made outside with a kept library, right ones and nearly right ones."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from host_rig import Demo, Host, listening, port_of, until, wait_lock
from outsider import Outsider, replies


@pytest.fixture
def host(demo: Demo) -> Iterator[Host]:
    with listening(port_of(demo)) as one:
        one.last("status", state="online")  # from then on it hears commands
        yield one


@pytest.fixture
def owner(demo: Demo, host: Host) -> Iterator[Outsider]:
    one = Outsider(demo.world(), port_of(demo))
    yield one
    one.close()


def opens(owner: Outsider) -> dict[str, Any]:
    return owner.command("portal.release", {"portal": "front"})


def releases(host: Host) -> list[dict[str, Any]]:
    return [event for event in host.events() if event["type"] == "portal.released"]


def settled(owner: Outsider, host: Host) -> None:
    """Everything sent so far has been dealt with: a last, harmless command has its answer."""
    last = owner.command("alarm.silence", {})
    owner.send(last)
    assert owner.reply(host, last)["ok"] is True


def test_a_signed_command_opens_the_door_and_the_signed_reply_says_so(
    demo: Demo, host: Host, owner: Outsider
) -> None:
    command = opens(owner)
    owner.send(command)
    assert owner.reply(host, command)["ok"] is True
    wait_lock(demo, "front", "unlocked")
    accepted = host.wait_event("command.accepted", command=command["id"])
    assert (accepted["op"], accepted["by"]) == ("portal.release", "op-demo")
    released = host.wait_event("portal.released", portal="front")
    assert (released["cause"], released["by"]) == ("command", "op-demo")
    assert released["seq"] == accepted["seq"] + 1


def test_a_byte_identical_repeat_is_answered_again_and_runs_once(
    demo: Demo, host: Host, owner: Outsider
) -> None:
    command = opens(owner)
    owner.send(command)
    owner.send(command)
    until("two answers", lambda: replies(host, command) == 2)
    settled(owner, host)
    assert len(releases(host)) == 1


def test_another_order_under_a_known_number_does_nothing(
    demo: Demo, host: Host, owner: Outsider
) -> None:
    command = owner.command("alarm.silence", {})
    owner.send(command)
    owner.reply(host, command)
    owner.send(owner.command("portal.release", {"portal": "front"}, id=command["id"]))
    assert host.wait_event("command.rejected", command=command["id"])["reason"] == "replayed"
    assert releases(host) == []


def lived(demo: Demo, from_s: int) -> dict[str, str]:
    """The half minute of a command that was made `from_s` seconds from now."""
    at = datetime.fromisoformat(demo.world()["clock"]["utc"].replace("Z", "+00:00"))
    begin, end = at + timedelta(seconds=from_s), at + timedelta(seconds=from_s + 30)
    form = "%Y-%m-%dT%H:%M:%SZ"
    return {"issued": begin.strftime(form), "expires": end.strftime(form)}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (lambda demo: lived(demo, -600), "expired"),
        (lambda demo: lived(demo, 600), "not_yet"),
        (lambda demo: {"to": "sunrise/c-02"}, "wrong_controller"),
        (lambda demo: {"by": "op-nobody"}, "unknown_operator"),
    ],
)
def test_a_signed_command_that_is_not_for_now_and_here_does_nothing(
    demo: Demo, host: Host, owner: Outsider, more: Callable[[Demo], dict[str, Any]], reason: str
) -> None:
    command = owner.command("portal.release", {"portal": "front"}, **more(demo))
    owner.send(command)
    assert host.wait_event("command.rejected", reason=reason)["type"] == "command.rejected"
    settled(owner, host)
    assert releases(host) == []
    assert demo.world()["portals"]["front"]["lock"] == "locked"


def test_a_changed_and_a_strangers_command_do_nothing_and_are_not_answered(
    demo: Demo, host: Host, owner: Outsider
) -> None:
    changed = opens(owner) | {"args": {"portal": "yard"}}
    owner.send(changed)
    stranger = Outsider(demo.world(), port_of(demo), seed=bytes(32))
    strange = opens(stranger)
    stranger.send(strange)
    stranger.close()
    host.messages.wait(
        "both told", lambda items: [1] if len(_rejected(host, "bad_signature")) == 2 else []
    )
    settled(owner, host)
    assert releases(host) == []
    assert [replies(host, one) for one in (changed, strange)] == [0, 0]


def test_a_command_that_the_broker_keeps_does_nothing_when_it_is_told_again(
    demo: Demo, host: Host, owner: Outsider
) -> None:
    kept = opens(owner)
    owner.send(kept, retain=True)  # whoever is subscribed gets it as any other
    owner.reply(host, kept)
    demo.act("cut_network")
    until("the controller is away", lambda: demo.world()["network"] is False)
    demo.act("restore_network")
    until("what was kept is told as refused", lambda: _rejected(host, "bad_command"))
    owner.send(b"", retain=True)
    settled(owner, host)
    assert len(releases(host)) == 1
    assert replies(host, kept) == 1


def _rejected(host: Host, reason: str) -> list[dict[str, Any]]:
    told = [event for event in host.events() if event["type"] == "command.rejected"]
    return [event for event in told if event["reason"] == reason]


def test_a_hundred_old_commands_after_an_outage_open_nothing_and_are_all_told(
    start_demo: Any, tmp_path: Path
) -> None:
    demo = start_demo(state=tmp_path / "kept")
    with listening(port_of(demo)) as host:
        host.last("status", state="online")
        owner = Outsider(demo.world(), port_of(demo))
        demo.act("cut_network")
        until("the controller is away", lambda: demo.world()["network"] is False)
        then = lived(demo, -600)
        for _ in range(100):
            owner.send(owner.command("portal.release", {"portal": "front"}, **then))
        demo.act("restore_network")
        until("the first told", lambda: len(_rejected(host, "expired")) == 20)
        settled(owner, host)
        owner.close()
        assert demo.world()["portals"]["front"]["lock"] == "locked"
        singly = _rejected(host, "expired")
    demo.stop()
    again = start_demo(state=tmp_path / "kept")
    with listening(port_of(again)) as host:
        host.wait_event("system.started", boot=2)
        # The broker may tell what it kept once more: each number counts once.
        told = {event["seq"]: event for event in [*singly, *_rejected(host, "expired")]}
        assert sum(event.get("count", 1) for event in told.values()) == 100
        assert len(told) == 21
        assert [one for one in releases(host) if one["cause"] == "command"] == []


def test_after_a_restart_a_used_command_is_still_used(
    demo: Demo, host: Host, owner: Outsider
) -> None:
    command = opens(owner)
    owner.send(command)
    first = owner.reply(host, command)
    host.wait_event("portal.released", portal="front")
    demo.act("cut_power")
    demo.act("restore_power")
    host.wait_event("system.started", boot=2)
    owner.send(command)
    until("a second answer", lambda: replies(host, command) == 2)
    settled(owner, host)
    released = [event for event in releases(host) if event["cause"] == "command"]
    assert len(released) == 1
    topic = f"/reply/{command['id']}"
    said = [json.loads(m.body) for m in host.messages.items if m.topic.endswith(topic)]
    assert said == [first, first]
