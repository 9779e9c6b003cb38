"""What the owner made of the simulator's keys outlives `kill -9` and the next start on the same state."""

import json
import signal
import urllib.request
from collections.abc import Callable
from typing import Any

from host_rig import PATIENCE_S, Demo, listening, port_of

Start = Callable[..., Demo]


def command(demo: Demo, op: str, **args: object) -> dict[str, Any]:
    """Have the demo's operator order it; the controller's verified answer, which is yes."""
    asked = json.dumps({"op": op, "args": args}).encode()
    request = urllib.request.Request(demo.url + "api/command", asked, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        told = json.load(answer)
    assert told["ok"], told
    return dict(told["result"])


def wait_online(demo: Demo, boot: int) -> None:
    """Wait until the controller hears commands: an answer is waited for no longer than 5 s."""
    with listening(port_of(demo)) as host:
        host.last("status", state="online", boot=boot)


def denied(demo: Demo, person: str) -> tuple[str, int | None]:
    """Show somebody's card; why it does not open, and whose it is."""
    before = demo.world()["records"]
    demo.act("present_card", access_point="front-in", person=person)
    event = demo.wait_for("access.denied", after_seq=before)
    return event["reason"], event.get("credential")


def test_lost_removed_and_half_sent_keys_are_after_kill_9_as_they_were(start_demo: Start) -> None:
    first = start_demo()
    cards = {somebody["name"]: somebody for somebody in first.world()["people"]}
    manager = cards["manager"]
    lost = {
        "id": manager["credential"],
        "cards": [manager["card"]],
        "state": "lost",
        "version": 1,
    }
    wait_online(first, boot=1)
    command(first, "credential.remove", credential=cards["resident"]["credential"])
    command(first, "credential.upsert", credential=lost)
    page = {"version": 3, "pages": 2, "all": False}
    command(first, "credential.sync", **page, page=1, upsert=[{"id": 5, "cards": ["w26:099:5"]}])
    first.stop(signal.SIGKILL)

    second = start_demo()
    assert denied(second, "resident") == ("unknown_credential", None)
    assert denied(second, "manager") == ("credential_lost", manager["credential"])
    wait_online(second, boot=2)
    command(second, "credential.sync", **page, page=2, upsert=[])
    second.act("present_card", access_point="front-in", number="w26:099:00005")
    second.wait_for("access.denied", reason="no_right", credential=5)
    assert second.stop() == 0

    third = start_demo()
    assert denied(third, "resident") == ("unknown_credential", None)
