"""What a host would be: an independent MQTT client at a real broker, and a look at processes."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from link_rig import Seen
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

ROOT = "doorward/sunrise/c-01"
EVENT = ROOT + "/event"
PATIENCE_S = 60


class Demo(Protocol):
    """A running simulator, as the fixture ``demo`` gives it."""

    url: str
    broker: str
    state: Path
    process: Any

    def act(self, do: str, **args: object) -> None: ...

    def try_act(self, do: str, **args: object) -> tuple[int, dict[str, Any]]: ...

    def world(self) -> dict[str, Any]: ...

    def wait_for(self, type: str, after_seq: int = 0, **fields: object) -> dict[str, Any]: ...

    def events(self, after_seq: int = 0) -> Iterator[dict[str, Any]]: ...

    def stop(self, how: int = signal.SIGTERM) -> int: ...


class Message:
    """One message as the client got it."""

    def __init__(self, topic: str, body: bytes, qos: int, retained: bool) -> None:
        self.topic = topic
        self.body = body
        self.qos = qos
        self.retained = retained

    def __repr__(self) -> str:
        return f"{self.topic} {self.body[:100]!r}"


class Host:
    """A subscriber of everything at QoS 1; one with a `name` has a session that outlives it."""

    def __init__(self, name: str = "") -> None:
        self.messages = Seen()
        self.granted = Seen()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=not name,
            protocol=MQTTv311,
        )
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *given: self.granted.add(True)
        self._client.on_message = self._message

    def start(self, port: int) -> None:
        """Connect and wait until the broker has granted the subscription."""
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.granted.wait("a subscription", lambda items: items)

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def events(self) -> list[dict[str, Any]]:
        """The controller's events so far, in the order in which they came, each id once."""
        return _once(self.messages.items)

    def wait_events(self, what: str, count: int) -> list[dict[str, Any]]:
        """Wait for that many different events; all of them."""
        found = self.messages.wait(
            what, lambda items: len(_once(items)) >= count and [_once(items)]
        )
        return list(found[0])

    def wait_event(self, type: str, **fields: object) -> dict[str, Any]:
        """Wait for an event of `type` with these fields."""

        def holds(items: list[Message]) -> list[dict[str, Any]]:
            return [
                event
                for event in _once(items)
                if event["type"] == type and all(event.get(k) == v for k, v in fields.items())
            ]

        return dict(self.messages.wait(f"{type} {fields}", holds)[0])

    def last(self, topic: str, **fields: object) -> dict[str, Any]:
        """Wait until the last payload of a retained topic has these fields; it."""

        def holds(items: list[Message]) -> list[dict[str, Any]]:
            said = [json.loads(item.body) for item in items if item.topic == f"{ROOT}/{topic}"]
            return said[-1:] if said and fields.items() <= said[-1].items() else []

        return dict(self.messages.wait(f"{topic} {fields}", holds)[0])

    def _connected(self, client: Client, data: Any, flags: Any, reason: Any, given: Any) -> None:
        client.subscribe(ROOT + "/#", qos=1)

    def _message(self, client: Client, data: Any, message: Any) -> None:
        got = Message(message.topic, message.payload, message.qos, bool(message.retain))
        self.messages.add(got)


@contextmanager
def listening(port: int, name: str = "") -> Iterator[Host]:
    """A host that is subscribed."""
    host = Host(name)
    host.start(port)
    try:
        yield host
    finally:
        host.stop()


def until(what: str, holds: Callable[[], Any]) -> Any:
    """Ask again until the answer is true, which is returned; for what nobody announces."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        answer = holds()
        if answer:
            return answer
        threading.Event().wait(0.02)
    raise AssertionError(f"waited for {what}")


def wait_lock(demo: Demo, portal: str, lock: str) -> None:
    """Wait until the bolt has moved: a record can be at the host before it has."""
    until(f"{portal} {lock}", lambda: demo.world()["portals"][portal]["lock"] == lock)


def port_of(demo: Demo) -> int:
    """The port of the simulator's broker."""
    return int(demo.broker.rpartition(":")[2])


def children_of(parent: int) -> list[int]:
    """The processes below `parent`, at any depth."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = _stat(folder)[1]
            except OSError:
                continue
    found: list[int] = []
    level = [parent]
    while level:
        level = [pid for pid, its in parents.items() if its in level]
        found += level
    return sorted(found)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return _stat(Path(f"/proc/{pid}"))[0] != "Z"
    except OSError:
        return False


def _stat(folder: Path) -> tuple[str, int]:
    """State and parent of a process."""
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[1])


def _once(items: list[Message]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        if item.topic == EVENT:
            event = json.loads(item.body)
            found.setdefault(event["id"], event)
    return list(found.values())
