"""A controller that may be killed at any moment, and a host that keeps what it hears and says so, signed."""

import base64
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
from link_rig import Seen
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from firmware.runtime.clock import iso
from firmware.trust import order, signing

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
BOARD = ROOT / "board_configs/rpi4-one-door.toml"
TO = "my-site/c-03"
TOPIC = f"doorward/{TO}"
PATIENCE_S = 60
SEEDS = {"op-owner": b"\x01" * 32, "host-1": b"\x02" * 32}
ROLES = {"op-owner": "owner", "host-1": "host"}


class Controller:
    """`doorward` on a board of wires, started and ended as often as one likes on one state folder.

    keys  what [link] says of TLS
    """

    def __init__(
        self, folder: Path, broker_port: int, seed: int = 1, keys: dict[str, object] | None = None
    ) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self._board = folder / "board.toml"
        head = BOARD.read_text().split("[link]")[0]
        self._board.write_text(
            f'{head}[link]\nhost = "127.0.0.1"\nport = {broker_port}\nkeepalive_s = 5\n'
            "reconnect_max_ms = 1000\nhost_ack = true\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in (keys or {}).items())
        )
        self._seed = seed
        self.process: subprocess.Popen[str] | None = None
        self.done = Seen()
        self.said = Seen()
        self._import_operators(folder / "operators.json")

    def start(self) -> None:
        """Start it; nothing is waited for."""
        self._seed += 1
        self.done, self.said = Seen(), Seen()
        self.process = subprocess.Popen(
            [sys.executable, str(FOLDER / "peopled_main.py"), *self._args()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for stream, seen in ((self.process.stdout, self.done), (self.process.stderr, self.said)):
            threading.Thread(target=_follow, args=(stream, seen), daemon=True).start()

    def tell(self, what: str) -> None:
        """An order to its people, done later."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()

    def do(self, what: str) -> None:
        """An order to its people, and wait until it is done."""
        before = len(self.done.items)
        self.tell(what)
        self.done.wait(f"done {what}", lambda items: f"done {what}" in items[before:])

    def wait_connected(self) -> None:
        """Wait until its link says so."""
        self.said.wait(
            "a connection", lambda items: [1 for line in items if "connected to" in line]
        )

    def kill(self) -> None:
        """SIGKILL, where it stands."""
        if self.process is not None:
            self.process.kill()
            self._end()

    def stop(self) -> None:
        """A clean end."""
        assert self.process is not None
        self.process.terminate()
        assert self._end() == 0, self.said.items

    def journal(self) -> dict[tuple[str, int], dict[str, Any]]:
        """What is in its journal, while it does not run."""
        connection = apsw.Connection(str(self.state / "journal.db"))
        rows = connection.execute("SELECT body FROM events ORDER BY seq").fetchall()
        connection.close()
        events = [json.loads(str(body)) for (body,) in rows]
        return {(event["journal"], event["seq"]): event for event in events}

    def _end(self) -> int:
        assert self.process is not None
        code = self.process.wait(PATIENCE_S)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None
        return code

    def _args(self) -> list[str]:
        return [str(self._board), str(self._seed), "--state", str(self.state)]

    def _import_operators(self, file: Path) -> None:
        people = [
            {
                "id": name,
                "role": role,
                "public_key": base64.b64encode(signing.public_of(SEEDS[name])).decode(),
            }
            for name, role in ROLES.items()
        ]
        file.write_text(json.dumps(people))
        subprocess.run(
            [sys.executable, "-m", "firmware", "--import-operators", file, "--state", self.state],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )


class StoringHost:
    """Stores every event by (journal, seq), and acknowledges what it has without a gap.

    acknowledges  whether it says what it has stored; one that does not is a broken host
    keys          paths for TLS: the authority's certificate, its own, and its key
    """

    def __init__(
        self, port: int, acknowledges: bool = True, keys: tuple[str, str, str] | None = None
    ) -> None:
        #: events in the order of their first arrival
        self.arrived: list[dict[str, Any]] = []
        self.stored: dict[tuple[str, int], dict[str, Any]] = {}
        self.replies: list[dict[str, Any]] = []
        self.twice = 0
        self.wrong: list[str] = []
        self.acknowledges = acknowledges
        self.acknowledged = 0
        self._prefix: dict[str, int] = {}
        self._changed = threading.Condition()
        self._granted = 0
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="storing-host",
            clean_session=False,
            protocol=MQTTv311,
        )
        if keys is not None:
            self._client.tls_set(*keys)
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # seconds, as it uses them
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._message
        self._port = port
        self.come()

    def come(self) -> None:
        """Connect, and wait until the broker has granted what is to be heard."""
        before = self._granted
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self.wait("a subscription", lambda: self._granted > before)

    def leave(self) -> None:
        """Go away; the broker keeps what comes, if it can."""
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, what: str, holds: Callable[[], Any]) -> Any:
        """Wait until `holds`, asked whenever something came; what it gives."""
        with self._changed:
            self._changed.wait_for(holds, PATIENCE_S)
            found = holds()
            assert found, f"waited for {what}; {len(self.stored)} stored, last {self.arrived[-2:]}"
            assert self.wrong == []
            return found

    def wait_more(self, count: int = 1) -> None:
        """Wait for so many events that were not there before."""
        so_far = len(self.arrived)
        self.wait("new events", lambda: len(self.arrived) >= so_far + count)

    def wait_boot(self, after: int) -> int:
        """Wait for an event of a later start than `after`; which one that is."""
        return int(self.wait(f"boot {after + 1}", lambda: self.boot > after and self.boot))

    def wait_all(self, journal: dict[tuple[str, int], dict[str, Any]]) -> None:
        """Wait until everything that a journal holds is stored."""
        self.wait("the whole journal", lambda: set(journal) <= set(self.stored))

    @property
    def boot(self) -> int:
        """The latest start that was heard of; 0: none."""
        return max((event["boot"] for event in self.arrived), default=0)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of one type, sorted."""
        found = [event for event in self.stored.values() if event["type"] == kind]
        return sorted(found, key=lambda event: (event["boot"], event["seq"]))

    def say(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        said = self._client.publish(f"{TOPIC}/{topic}", payload, qos=1, retain=retain)
        said.wait_for_publish(PATIENCE_S)

    def command(
        self, op: str, args: dict[str, Any], n: int, late_s: int = 0, retain: bool = False
    ) -> str:
        """Send a command of the owner, signed `late_s` ago; its id."""
        id = f"{n:032x}"
        issued_ms = int(time.time() * 1000) - late_s * 1000
        made = order.make(
            op,
            args,
            id=id,
            to=TO,
            by="op-owner",
            seed=SEEDS["op-owner"],
            issued=iso(issued_ms),
            expires=iso(issued_ms + 30_000),
            n=n,
        )
        self.say("command", order.text(made), retain)
        return id

    def barrier(self, n: int) -> None:
        """Wait until everything that was said before is dealt with: commands are taken in their order."""
        id = self.command("alarm.silence", {}, n)
        self.wait("an answer", lambda: [reply for reply in self.replies if reply["id"] == id])

    # ---- paho's thread -----------------------------------------------------------------------------

    def _connected(self, client: Client, data: Any, flags: Any, reason: Any, given: Any) -> None:
        client.subscribe(TOPIC + "/#", qos=1)

    def _subscribed(self, *given: Any) -> None:
        with self._changed:
            self._granted += 1
            self._changed.notify_all()

    def _message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        with self._changed:
            if message.topic == TOPIC + "/event":
                self._store(json.loads(message.payload))
            elif message.topic.startswith(TOPIC + "/reply/"):
                self.replies.append(json.loads(message.payload))
            self._changed.notify_all()

    def _store(self, event: dict[str, Any]) -> None:
        key = (event["journal"], event["seq"])
        known = self.stored.setdefault(key, event)
        if known is not event:
            self.twice += 1
            if known != event:
                self.wrong.append(f"two different events are {event['id']}")
            return
        self.arrived.append(event)
        name = event["journal"]
        last = self._prefix.get(name, 0)
        while (name, last + 1) in self.stored:
            last += 1
        if last > self._prefix.get(name, 0):
            self._prefix[name] = last
            if self.acknowledges:
                self._acknowledge(self.stored[name, last])

    def _acknowledge(self, event: dict[str, Any]) -> None:
        said = order.acknowledgement(
            to=TO,
            journal=event["journal"],
            seq=event["seq"],
            hash=event["hash"],
            by="host-1",
            seed=SEEDS["host-1"],
        )
        self.acknowledged += 1
        self._client.publish(TOPIC + "/stored", order.text(said), qos=1)


def moment(seeded: random.Random, most_s: float) -> None:
    """Let a random time pass: it is the moment itself that is random, nothing is waited for."""
    threading.Event().wait(seeded.uniform(0, most_s))


def _follow(stream: Any, seen: Seen) -> None:
    with stream:
        for line in stream:
            if line.strip():
                seen.add(line.rstrip("\n"))
