"""Drives `link_door` in a process of its own, and listens at the broker as a host does."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from sim.observer import Observer

FOLDER = Path(__file__).resolve().parent
PATIENCE_S = 60
ROOT = "doorward/sunrise/c-01"
STATUS = ROOT + "/status"
ONLINE = '{"state":"online"}'
OFFLINE = '{"state":"offline"}'


def link_config(port: int, **more: Any) -> dict[str, Any]:
    """The section [link] as a checked config has it."""
    return {
        "enabled": True,
        "host": "127.0.0.1",
        "port": port,
        "protocol": "auto",
        "tls": False,
        "ca": None,
        "cert": None,
        "key": None,
        "username": None,
        "password_file": None,
        "host_ack": False,
        "keepalive_s": 5,
        "reconnect_max_ms": 1000,
        **more,
    }


class Seen:
    """A list that grows on another thread, and can be waited for."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def add(self, item: Any) -> None:
        """Add one; any thread."""
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, what: str, holds: Callable[[list[Any]], Any]) -> Any:
        """Wait until `holds` of the list is true, and return that."""
        with self._changed:
            self._changed.wait_for(lambda: holds(self.items), PATIENCE_S)
            found = holds(self.items)
            assert found, f"waited for {what}; saw {self.items[-20:]}"
            return found


class Door:
    """One run of `link_door`."""

    def __init__(self, state: Path, link: dict[str, Any]) -> None:
        self.said = Seen()
        self.process = subprocess.Popen(
            [sys.executable, str(FOLDER / "link_door.py"), str(state), json.dumps(link)],
            cwd=FOLDER.parents[1],
            env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def append(self, count: int, alarms: tuple[int, ...] = ()) -> int:
        """Have it record `count` events; wait until they are durable. The last seq."""
        before = len(self.said.items)
        self._tell({"do": "append", "count": count, "alarms": alarms})
        said = self.said.wait(
            "records", lambda items: [s for s in items[before:] if "written" in s]
        )
        return int(said[-1]["written"])

    def listen(self, on: bool) -> None:
        """Whether what comes counts as dealt with at once, or not until it listens again."""
        self._tell({"do": "listen", "on": on})

    def messages(self) -> list[dict[str, Any]]:
        """What came on `command` and `stored` so far."""
        return [said for said in self.said.items if "message" in said]

    def wait_messages(self, count: int) -> list[dict[str, Any]]:
        """Wait for the first `count` messages."""
        came = self.said.wait(
            f"{count} messages",
            lambda items: (
                [said for said in items if "message" in said]
                if sum("message" in said for said in items) >= count
                else None
            ),
        )
        return list(came)

    def wait_up(self, up: bool = True, after: int = 0) -> dict[str, Any]:
        """Wait until it says so, after its `after` first lines."""
        said = self.said.wait(
            f"up {up}", lambda items: [s for s in items[after:] if s.get("up") is up]
        )
        return dict(said[-1])

    def wait_health(self, text: str) -> dict[str, Any]:
        """Wait for a line of health that holds `text`."""
        said = self.said.wait(
            f"health {text}", lambda items: [s for s in items if text in s.get("health", "")]
        )
        return dict(said[0])

    def health(self) -> list[str]:
        """The lines of health so far."""
        return [said["health"] for said in self.said.items if "health" in said]

    def stop(self) -> list[dict[str, Any]]:
        """A clean end; everything it said."""
        self._tell({"do": "stop"})
        self.process.wait(PATIENCE_S)
        self._reader.join()
        self._close()
        assert self.process.returncode == 0
        return list(self.said.items)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._close()

    def _tell(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.add(json.loads(line))

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def door(state: Path, link: dict[str, Any]) -> Iterator[Door]:
    """A door that is gone afterwards, whatever happened."""
    one = Door(state, link)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.kill()


@contextlib.contextmanager
def listening(port: int) -> Iterator[Seen]:
    """What a host sees from now on: (topic, payload, retained)."""
    seen = Seen()
    observer = Observer(
        "127.0.0.1", port, ROOT, lambda topic, body, kept: seen.add((topic, body.decode(), kept))
    )
    observer.start()
    try:
        assert observer.subscribed.wait(PATIENCE_S)
        yield seen
    finally:
        observer.stop()


@contextlib.contextmanager
def host(port: int) -> Iterator["Host"]:
    """Somebody who publishes, and is gone afterwards."""
    one = Host(port)
    try:
        yield one
    finally:
        one.close()


class Host:
    """Publishes at QoS 1, and waits until the broker has it."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def say(
        self, payload: bytes | str, topic: str = "command", retain: bool = False, qos: int = 1
    ) -> None:
        """One message on a topic of the controller's."""
        info = self._client.publish(f"{ROOT}/{topic}", payload, qos=qos, retain=retain)
        info.wait_for_publish(PATIENCE_S)
        assert info.is_published()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def wait_status(seen: Seen, *payloads: str) -> None:
    """Wait until these were the last ones of `status`, repetitions left out."""

    def holds(items: list[Any]) -> bool:
        said = [payload for topic, payload, _ in items if topic == STATUS]
        changes = [now for now, before in zip(said, [None, *said], strict=False) if now != before]
        return changes[-len(payloads) :] == list(payloads)

    seen.wait(f"status {payloads}", holds)


def events(items: list[Any]) -> list[dict[str, Any]]:
    """The events among what was seen, in the order of their arrival."""
    return [json.loads(payload) for topic, payload, _ in items if topic == ROOT + "/event"]


def once(items: list[Any]) -> list[dict[str, Any]]:
    """The same, each id once, as a consumer takes them."""
    return list({event["id"]: event for event in reversed(events(items))}.values())[::-1]


def wait_seqs(seen: Seen, last: int) -> None:
    """Wait until every event from the first to `last` has arrived."""
    every = set(range(1, last + 1))
    seen.wait(f"events up to {last}", lambda items: every <= {e["seq"] for e in events(items)})


def child_of(said: dict[str, Any]) -> int:
    """The process id of the link in a door's `up`."""
    return int(said["pid"])


def wait_gone(pid: int) -> None:
    """Wait until a process that is not ours has ended."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            waiting = threading.Thread(target=_poll, args=(handle,), daemon=True)
            waiting.start()
            waiting.join(PATIENCE_S)
            assert not waiting.is_alive(), f"process {pid} has not ended"
        finally:
            os.close(handle)


def _poll(handle: int) -> None:
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(PATIENCE_S * 1000)
