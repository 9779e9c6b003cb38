"""Commands from outside: what `POST /api/command` sends, told by a client that knows only `/api/world`."""

import base64
import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from host_rig import PATIENCE_S, ROOT, Demo, Host, listening, port_of, until


def command(demo: Demo, **asked: object) -> tuple[int, dict[str, Any]]:
    """`POST /api/command`."""
    request = urllib.request.Request(
        demo.url + "api/command", json.dumps(asked).encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def sent(host: Host, id: str) -> bytes:
    """The command of that id as the broker told it."""

    def holds(items: list[Any]) -> list[bytes]:
        bodies = [item.body for item in items if item.topic == ROOT + "/command"]
        return [body for body in bodies if json.loads(body).get("id") == id]

    return bytes(host.messages.wait("a command", holds)[0])


def test_a_command_goes_over_the_broker_signed_by_the_demos_operator(demo: Demo) -> None:
    world = demo.world()
    seed = base64.b64decode(world["operator"]["private_key"])
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    with listening(port_of(demo)) as host:
        status, told = command(
            demo, op="portal.release", args={"portal": "front"}, life_s=5, wait_s=0
        )
        body = sent(host, told["id"])
    assert status in (200, 202)
    made = json.loads(body)
    assert made == told["command"]
    signature = base64.b64decode(made.pop("sig"))
    plain = json.dumps(made, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    public.verify(signature, plain.encode())
    assert (made["by"], made["to"]) == (world["operator"]["id"], "sunrise/c-01")
    assert (made["op"], made["args"]) == ("portal.release", {"portal": "front"})


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"op": "portal.relaese"}, "op: "),
        ({"op": "portal.release", "args": []}, "portal.release: args is no object"),
        ({"op": "portal.release", "args": {"portal": "\ud800"}}, "portal.release: "),
        ({"op": "portal.release", "args": {"n": 1e400}}, "portal.release: "),
        ({"op": "alarm.silence", "life_s": 61}, "alarm.silence: life_s is out of range"),
        ({"op": "alarm.silence", "wait_s": 6}, "wait_s: is out of range"),
        ({"op": "alarm.silence", "portal": "front"}, "portal: unknown"),
        ({"op": "alarm.silence", "stranger": 1}, "stranger: is neither true nor false"),
        ({"op": 1}, "body: expected a JSON object"),
        ({"args": {}}, "body: expected a JSON object"),
    ],
)
def test_what_cannot_be_sent_is_one_line(
    shared_demo: Demo, asked: dict[str, object], line: str
) -> None:
    status, told = command(shared_demo, **asked)
    assert status == 422, told
    assert told["error"].startswith(line)
    assert "\n" not in told["error"]


def test_the_nearest_op_is_named(shared_demo: Demo) -> None:
    assert "portal.release" in command(shared_demo, op="portal.relaese")[1]["error"]


def test_without_an_answer_it_says_when_the_command_ends(demo: Demo) -> None:
    demo.act("cut_network")
    status, told = command(demo, op="portal.release", args={"portal": "front"}, wait_s=1)
    assert status == 202
    assert told["ok"] is False
    assert told["error"]["code"] == "no_answer"
    assert told["error"]["message"] == f"sent, not answered; ends at {told['expires']}"


def apply(demo: Demo, config: str) -> dict[str, Any]:
    """What the controller says to `config.apply`, once it listens."""
    asked = {"op": "config.apply", "args": {"config": config}, "wait_s": 5}

    def answered() -> dict[str, Any]:
        told = command(demo, **asked)[1]
        heard = told["ok"] or (
            isinstance(told["error"], dict) and told["error"]["code"] == "failed"
        )
        return told if heard else {}

    return dict(until("an answer", answered))


def title(demo: Demo) -> str:
    """The front door's, as the page has it."""
    return str(demo.world()["portals"]["front"]["title"]["en"])


def test_a_config_that_is_sent_is_in_force_after_the_start_that_it_brings(
    start_demo: Callable[..., Demo],
) -> None:
    demo = start_demo()
    text = Path("board_configs/demo-sim.toml").read_text()
    sent = text.replace('en = "Front door", zh', 'en = "Street door", zh', 1)
    assert sent != text
    assert apply(demo, sent)["ok"] is True
    until("the new title", lambda: title(demo) == "Street door")
    demo.stop(signal.SIGKILL)
    again = start_demo()
    assert title(again) == "Street door"
    told = apply(again, text.replace('line = "strike"', 'line = "other"', 1))
    assert told["ok"] is False
    assert "devices.front-strike: differs" in told["error"]["message"]


def test_the_world_tells_the_controllers_public_keys(shared_demo: Demo) -> None:
    keys = shared_demo.world()["public_key"]
    assert sorted(keys) == ["seal", "sign"]
    assert [len(base64.b64decode(key, validate=True)) for key in keys.values()] == [32, 32]
