"""A board with `host_ack` in the simulator: its records wait for the word of a host, as in a house."""

import base64
import json
import re
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from host_rig import ROOT, Demo, listening, port_of, until
from outsider import plain
from paho.mqtt.publish import single
from test_sim_serve_keys import command


def board_with_host(folder: Path) -> str:
    """The demo's board, without its word that the broker's PUBACK is enough."""
    text = Path("board_configs/demo-sim.toml").read_text(encoding="utf-8")
    board = folder / "with-host.toml"
    board.write_text(re.sub(r"(?m)^host_ack = false", "", text), encoding="utf-8")
    return str(board)


def _all_held(demo: Demo) -> bool:
    world = demo.world()
    return bool(world["records"] and world["records"] == world["waiting"] == world["held"])


def _word(demo: Demo, key: Ed25519PrivateKey, event: dict[str, Any]) -> str:
    """What a host says on `stored`: it has everything up to this event."""
    world = demo.world()
    said = {"by": "host-1", "to": f"{world['site']}/{world['controller']}"}
    said |= {name: event[name] for name in ("hash", "journal", "seq")}
    return json.dumps(said | {"sig": base64.b64encode(key.sign(plain(said))).decode()})


def test_a_page_that_comes_late_is_told_each_record_once_however_often_it_was_sent(
    demo: Demo,
) -> None:
    with listening(port_of(demo)) as host:
        first = host.wait_event("system.journal_started")
        command(demo, "events.replay", from_seq=1)
        told = host.messages.wait(
            "the record once more",
            lambda items: [one for one in items if first["hash"].encode() in one.body][1:],
        )
    assert told
    demo.act("press_panic", point="lobby-panic", on=True)
    seqs = []
    for event in demo.events():
        seqs.append(event["seq"])
        if event["type"] == "alarm.raised":
            break
    assert len(seqs) == len(set(seqs))


def test_records_wait_with_the_broker_until_a_host_has_stored_them(
    start_demo: Any, tmp_path: Path
) -> None:
    house = start_demo("--board", board_with_host(tmp_path))
    until("the broker has all, and no host", lambda: _all_held(house))
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    command(house, "operator.set", operator="host-1", role="host", public_key=public)
    with listening(port_of(house)) as host:
        house.act("present_card", access_point="front-in", number="w26:099:00001")
        denied = host.wait_event("access.denied")
        until("the broker has that too", lambda: _all_held(house))
        word = _word(house, key, denied)
        single(f"{ROOT}/stored", word, qos=1, hostname="127.0.0.1", port=port_of(house))
        until("all have left", lambda: house.world()["waiting"] == 0)
