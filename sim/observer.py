"""What a host would be: subscribes to everything a controller publishes, and sends it commands.

A paho client in a thread of its own, which connects again by itself. Right after its restart a NATS
server's first SUBSCRIBE can miss a retained message, so each connection subscribes a second time; one that
is refused, as by a server whose disk is slow, is asked for until it is granted.
"""

import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

AGAIN_S = 0.5  #: from the first subscription of a connection to the second
RECONNECT_MAX_S = 2


class Observer:
    """Listens to ``root/#``; `on_message` is called on its thread with (topic, payload, retained).

    A retained message can come twice. `on_listening` is called on its thread too: with True once the broker
    has granted the subscription, from when on nothing that is published is missed, and also when it will not
    (it refused us, or the subscription twice); with False when a connection begins and when it is lost.
    """

    def __init__(
        self,
        host: str,
        port: int,
        root: str,
        on_message: Callable[[str, bytes, bool], None],
        on_listening: Callable[[bool], None] = lambda on: None,
    ) -> None:
        self._address = (host, port)
        self._root = root
        self._topic = root + "/#"
        self._on_message = on_message
        self._on_listening = on_listening
        self._again: threading.Timer | None = None
        self._let_in = False  # this connection stands
        self._refusals = 0  # of its subscriptions
        #: threading.Event  the broker has granted a subscription of this connection
        self.subscribed = threading.Event()
        #: threading.Event  the first attempt has come to an end: listening, refused, or no broker there
        self.answered = threading.Event()
        #: bool  what `on_listening` was told last
        self.listening = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._client.reconnect_delay_set(1, RECONNECT_MAX_S)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = lambda client, data: self.answered.set()
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._granted
        self._client.on_message = self._message

    def start(self) -> None:
        """Connect, and again whenever it is lost; a broker that is not there yet is waited for."""
        self._client.connect_async(*self._address, keepalive=30)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send below the root at QoS 1, from any thread; False: there is no connection, nothing is sent."""
        if not self.subscribed.is_set():
            return False
        self._client.publish(f"{self._root}/{topic}", payload, qos=1)
        return True

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()
        self._forget()

    def _connected(self, client: Client, data: Any, flags: Any, reason: Any, given: Any) -> None:
        self._refusals = 0
        self._let_in = not reason.is_failure
        self._listens(reason.is_failure)  # where nobody may listen nobody need wait for it
        if reason.is_failure:
            return
        self._subscribe()
        self._subscribe_in(AGAIN_S)

    def _subscribe(self) -> None:
        self._client.subscribe(self._topic, qos=1)

    def _subscribe_in(self, pause_s: float) -> None:
        self._forget()
        self._again = threading.Timer(pause_s, self._subscribe)
        self._again.daemon = True
        self._again.start()

    def _disconnected(self, client: Client, data: Any, flags: Any, reason: Any, given: Any) -> None:
        self.subscribed.clear()
        self._forget()
        if self._let_in:
            self._let_in = False
            self._listens(False)
        self.answered.set()

    def _granted(self, client: Client, data: Any, number: int, reasons: Any, given: Any) -> None:
        if not any(reason.is_failure for reason in reasons):
            self.subscribed.set()
            self._listens(True)
            return
        self._refusals += 1
        if self._refusals > 1:  # the first one is followed by the second subscription anyway
            self._listens(True)
            self._subscribe_in(RECONNECT_MAX_S)

    def _listens(self, on: bool) -> None:
        if on != self.listening:
            self.listening = on
            self._on_listening(on)
        if on:
            self.answered.set()

    def _message(self, client: Client, data: Any, message: Any) -> None:
        self._on_message(message.topic, message.payload, bool(message.retain))

    def _forget(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
