"""One MQTT connection of a host to one controller's topics, for as long as one command takes.

A real client (paho, MQTT 3.1.1) with a clean session: what it sends at QoS 1 is at the broker when `send`
returns. It checks no signature; whoever calls does.
"""

import json
import queue
import ssl
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from firmware.trust import order
from host_tools.console import FailedError

CONNECT_S = 5
QUIET_S = 0.3  #: retained messages have no last one: so long nothing more comes
MOST_S = 3.0  #: and so long they are waited for

#: Where the broker is.
#:
#: host, port     str, int
#: ca, cert, key  str or None  PEM files for TLS; with none of them the connection is plain
Address = namedtuple("Address", "host port ca cert key", defaults=(None, None, None))


class SiteLink:
    """To use: ``with SiteLink(address, "doorward/sunrise/c-01") as link``. Raises `FailedError`."""

    def __init__(self, address: Address, root: str) -> None:
        self._address = address
        self._root = root
        self._where = f"{address.host}:{address.port}"
        self._came: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        self._up = threading.Event()
        self._granted = threading.Event()
        self._reason = ""
        self._said = ""  # the last thing paho complained of
        self._topics: list[tuple[str, int]] = []
        self._tls = bool(address.ca or address.cert)
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_log = self._log
        self._client.on_subscribe = lambda *given: self._granted.set()
        self._client.on_message = lambda client, data, message: self._came.put(
            (message.topic, bytes(message.payload), bool(message.retain))
        )

    def __enter__(self) -> "SiteLink":
        try:
            if self._tls:
                context = ssl.create_default_context(cafile=self._address.ca)
                if self._address.cert:
                    context.load_cert_chain(self._address.cert, self._address.key)
                self._client.tls_set_context(context)
            self._client.connect(self._address.host, self._address.port, keepalive=30)
        except ssl.SSLCertVerificationError as error:
            reason = _words(error.verify_message)
            text = f"its certificate does not hold ({reason}); expected --ca of its authority"
            raise FailedError(f"{self._where}: {text}") from None
        except ssl.SSLError as error:
            text = f"no TLS ({_words(str(error))}); expected a broker that speaks it"
            raise FailedError(f"{self._where}: {text}") from None
        except OSError as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise FailedError(f"{self._where}: {reason.lower()}; expected the broker") from None
        self._client.loop_start()
        if not self._up.wait(CONNECT_S) or self._reason:
            self._client.loop_stop()
            reason = self._reason or f"no answer in {CONNECT_S} s; expected the broker to let us in"
            raise FailedError(f"{self._where}: {reason}")
        return self

    def __exit__(self, *given: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def listen(self, *topics: str) -> None:
        """Subscribe below the root; returns when the broker has granted it."""
        self._granted.clear()
        self._topics = [(f"{self._root}/{topic}", 1) for topic in topics]
        self._client.subscribe(self._topics)
        if not self._granted.wait(CONNECT_S):
            raise FailedError(f"{self._where}: no answer in {CONNECT_S} s; expected the broker")

    def kept(self, *topics: str) -> dict[str, Any]:
        """What the broker has kept on these topics, by topic below the root."""
        self.listen(*topics)
        found: dict[str, Any] = {}
        end_s = time.monotonic() + MOST_S
        for topic, said, retained in self.messages(QUIET_S):
            if retained and said is not None:
                found[topic] = said
            if time.monotonic() > end_s:
                break
        return found

    def ask(self, commands: list[dict[str, Any]], wait_s: float) -> dict[str, Any]:
        """Send commands one after another and wait for their replies: by id, those that came in time."""
        self.listen(*(f"reply/{command['id']}" for command in commands))
        for command in commands:
            self.send(command)
        waiting = {f"reply/{command['id']}" for command in commands}
        replies: dict[str, Any] = {}
        end_s = time.monotonic() + wait_s
        while waiting and (left_s := end_s - time.monotonic()) > 0:
            for topic, said, _ in self.messages(left_s):
                if topic in waiting:
                    waiting.discard(topic)
                    replies[topic.removeprefix("reply/")] = said
                    break
        return replies

    def send(self, command: dict[str, Any]) -> None:
        """Send a command; the broker has it when this returns."""
        sent = self._client.publish(f"{self._root}/command", order.text(command), qos=1)
        sent.wait_for_publish(CONNECT_S)
        if not sent.is_published():
            raise FailedError(f"{self._where}: did not take the command; expected the broker")

    def messages(self, quiet_s: float | None) -> Iterator[tuple[str, Any, bool]]:
        """(topic below the root, payload or None, retained) as they come, until it is quiet for `quiet_s`."""
        while True:
            try:
                topic, body, retained = self._came.get(timeout=quiet_s)
            except queue.Empty:
                return
            try:
                said = json.loads(body)
            except (ValueError, RecursionError):
                said = None
            yield topic.removeprefix(self._root + "/"), said, retained

    def _connected(self, client: Client, data: Any, flags: Any, reason: Any, given: Any) -> None:
        if reason.is_failure:
            self._reason = f"{str(reason).lower()}; expected the broker to let us in"
        elif self._topics:
            client.subscribe(self._topics)  # it was gone meanwhile
        self._up.set()

    def _disconnected(self, client: Client, data: Any, flags: Any, reason: Any, given: Any) -> None:
        if self._up.is_set():
            return  # it is looked for again
        why = self._said or "hung up"
        expected = "the broker, or --ca FILE where it speaks TLS"
        if self._tls:
            expected = "--cert and --key that the broker's authority signed"
        self._reason = f"did not let us in ({why}); expected {expected}"
        self._up.set()

    def _log(self, client: Client, data: Any, level: int, text: str) -> None:
        head, found, reason = text.partition(" on socket: ")
        if found and head.startswith("failed"):
            self._said = _words(reason)


def _words(text: str) -> str:
    """What OpenSSL or the system complained of, without numbers and places in its code."""
    plain = text.split("(_ssl.c")[0].split("] ")[-1].strip().lower()[:80]
    return "".join(c for c in plain if c.isprintable())
