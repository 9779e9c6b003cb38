"""Somebody outside who has read the contract and knows `/api/world`: signs with a kept library, speaks MQTT.

Uses nothing of the project's own: what it makes is right because the contract says so, not because the
same code reads it.
"""

import base64
import json
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from host_rig import ROOT, Host
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion


def plain(fields: dict[str, Any]) -> bytes:
    """RFC 8785 for what commands carry here: ASCII keys, texts and whole numbers."""
    bare = {key: value for key, value in fields.items() if key != "sig"}
    return json.dumps(bare, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


class Outsider:
    """One operator's hand at one broker."""

    def __init__(self, world: dict[str, Any], port: int, seed: bytes | None = None) -> None:
        self._world = world
        self._read_s = time.monotonic()
        self._key = Ed25519PrivateKey.from_private_bytes(
            base64.b64decode(world["operator"]["private_key"]) if seed is None else seed
        )
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def command(self, op: str, args: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A signed command of now that lives for half a minute; `more` replaces or adds fields."""
        now = datetime.fromisoformat(self._world["clock"]["utc"].replace("Z", "+00:00"))
        now += timedelta(seconds=time.monotonic() - self._read_s)
        made = {
            "v": 1,
            "id": secrets.token_hex(16),
            "to": f"{self._world['site']}/{self._world['controller']}",
            "op": op,
            "args": args,
            "issued": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "expires": (now + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "by": self._world["operator"]["id"],
            **more,
        }
        return made | {"sig": base64.b64encode(self._key.sign(plain(made))).decode()}

    def send(self, command: dict[str, Any] | bytes, retain: bool = False) -> None:
        """The broker has it when this returns."""
        body = command if isinstance(command, bytes) else json.dumps(command).encode()
        sent = self._client.publish(ROOT + "/command", body, qos=1, retain=retain)
        sent.wait_for_publish(10)
        assert sent.is_published()

    def reply(self, host: Host, command: dict[str, Any]) -> dict[str, Any]:
        """Wait for the controller's answer; its signature is right, or this fails."""
        topic = f"{ROOT}/reply/{command['id']}"
        found = host.messages.wait(
            f"a reply to {command['op']}",
            lambda items: [item.body for item in items if item.topic == topic],
        )
        reply: dict[str, Any] = json.loads(found[0])
        public = base64.b64decode(self._world["public_key"]["sign"])
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(
                base64.b64decode(reply["sig"]), plain(reply)
            )
        except InvalidSignature:
            raise AssertionError("the reply's signature is wrong") from None
        assert reply["id"] == command["id"]
        return reply


def replies(host: Host, command: dict[str, Any]) -> int:
    """How many answers to `command` the broker has told so far."""
    topic = f"{ROOT}/reply/{command['id']}"
    return sum(item.topic == topic for item in host.messages.items)
