"""One MQTT connection, from CONNECT to its end; in the link's process only.

Wraps a paho client that lives for one connection; the session outlives it at the broker, so that what is
sent to us meanwhile arrives, late, and is recorded. Whatever goes wrong, and whatever the broker sends, ends
in one `Broken` that says in a line why, and how to ask next. The caller waits on `fileno` for `events`, at
most `wait_ms`, and then calls `serve`. What came goes to an `Inbox`; while that is full nothing is read.
"""

import select
import socket
from collections import deque
from typing import Any

from firmware.services import link_identity
from firmware.services.back_off import CONNECT_MS
from firmware.services.link_broken import Broken, reason_of, words_of
from firmware.services.link_inbox import HELD, Inbox
from firmware.services.link_net import Net
from firmware.services.link_records import TOKENS_LIMIT, TOPICS, LinkRecordError

IN_FLIGHT = 128  #: messages on their way at once, where the broker has no smaller limit
ANSWER_S = 10  #: for TLS, and for the broker's answer
PROBE_S = 5  #: of silence, then the network is asked whether the broker's machine is still there
GONE_S = 10  #: without its answer, or without it taking what was sent
SESSION_S = 7 * 86_400  #: how long a broker keeps for us what comes while we are away (MQTT 5)
PACKET_BYTES = (
    16 << 20
)  #: of which we tell a broker that we take it (MQTT 5): what is longer it drops, and nobody can tell of it
AGAIN_MS = (
    500  #: from the first subscription to the second: NATS can miss one right after its start
)
READ_AT_ONCE = 256  #: packets in one `serve`
WAIT_MS = 5000  #: the longest wait; keep-alive is looked at this often
UNSUPPORTED_VERSION = 0x84  #: MQTT 5, 4.13; paho gives MQTT 3.1.1's return code 1 this number too
KEEP_ALIVE_TIMEOUT = 0x8D


class Connection:
    """One connection to the broker of `link`, the board config's section.

    root      str   what topics begin with; the last will is retained at its `status`
    client    str   MQTT client id
    will      str   payload of the last will
    protocol  str   "5" or "3.1.1" to ask with under "auto", "" for the newest
    known     bool  the broker has spoken it before
    inbox     Inbox where messages go; its acknowledgements come through `acknowledge`
    clean     bool  have the broker forget what it kept for us
    connect_ms  int  for finding it
    net       Net   whose time and sockets; None: this machine's
    """

    def __init__(
        self,
        link: dict[str, Any],
        root: str,
        client: str,
        will: str,
        protocol: str,
        known: bool,
        inbox: Inbox,
        clean: bool = False,
        connect_ms: int = CONNECT_MS,
        net: Net | None = None,
    ) -> None:
        from paho.mqtt.client import MQTTv5, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        from firmware.services.link_client import LinkClient

        host = link["host"]
        self.where = f"[{host}]:{link['port']}" if ":" in host else f"{host}:{link['port']}"
        self.auto = link["protocol"] == "auto"
        #: int  for finding the broker, ms
        self.connect_ms = connect_ms
        self.known = known
        #: str  the version that is spoken here
        self.protocol = (protocol or "5") if self.auto else str(link["protocol"])
        #: bool  the broker has accepted
        self.up = False
        #: str  what is not as it should be although it is up, one line; "" if nothing is
        self.problem = ""
        net = net or Net()
        self._now_ms = net.now_ms
        self._link = link
        self._root = root
        self._inbox = inbox
        self._clean = clean
        self._topics = {f"{root}/{topic}".encode(): topic for topic in TOPICS}
        self._subscribe_ms = 0  # when to subscribe once more; 0: not at all
        self._granted = False  # a subscription
        self._ping_ms = 0
        self._most = IN_FLIGHT
        self._queue: deque[tuple[int, str, str, bool]] = deque()  # not sent yet, in order
        self._tokens: dict[int, tuple[int, int]] = {}  # message id: (token, since when)
        self._taken: list[int] = []
        self._refused: Any = None  # why, a paho ReasonCode
        self._said = ""  # the last thing paho complained of
        self._open_ms = self._now_ms()
        self._client = LinkClient(
            CallbackAPIVersion.VERSION2,
            client_id=client,
            protocol=MQTTv5 if self.protocol == "5" else MQTTv311,
            clean_session=None if self.protocol == "5" else clean,
            reconnect_on_failure=False,
            manual_ack=True,
            dial=net.dial,
            tls_s=ANSWER_S,
        )
        self._client.connect_timeout = connect_ms / 1000
        self._client.max_inflight_messages_set(0)  # the queue is ours: paho's asks no broker
        self._client.will_set(root + "/status", will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_log = self._on_log
        link_identity.show(self._client, link)

    @property
    def ready(self) -> bool:
        """Whether hosts may begin to speak to us: what they send now arrives, or is kept."""
        return self.up and (self._granted or not self._subscribe_ms)

    @property
    def greeting(self) -> str:
        """The line for people when it is up."""
        return f"link: connected to {self.where} (MQTT {self.protocol})"

    def open(self) -> None:
        """Connect, and send CONNECT. Raises `Broken`."""
        given: dict[str, Any] = {}
        if self.protocol == "5":
            given = {"clean_start": self._clean, "properties": self._properties()}
        try:
            self._client.connect(
                self._link["host"], self._link["port"], self._link["keepalive_s"], **given
            )
        except OSError as error:
            in_tls = type(error).__module__ == "ssl" or isinstance(error, ConnectionResetError)
            if self._link["tls"] and in_tls:
                raise self._broken(
                    f"link: no TLS with {self.where} ({reason_of(error)}); "
                    "expected TLS there, and a certificate that ca vouches for"
                ) from error
            silent = isinstance(error, TimeoutError) and self._client.found
            raise self._no_broker(reason_of(error), silent) from error
        except (ValueError, UnicodeError) as error:
            raise self._no_broker("no such name") from error
        self._open_ms = self._now_ms()
        # A machine that lost its power says nothing; when it is back, we must have noticed before.
        own = min(self._link["keepalive_s"], GONE_S)
        plain = self._socket()
        for option, value in (
            (socket.TCP_NODELAY, 1),
            (socket.TCP_USER_TIMEOUT, own * 1000),
            (socket.TCP_KEEPIDLE, PROBE_S),
            (socket.TCP_KEEPINTVL, PROBE_S // 2),
        ):
            plain.setsockopt(socket.IPPROTO_TCP, option, value)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return int(self._socket().fileno())

    def events(self) -> int:
        """What to wait for on it."""
        # While the inbox is full the broker waits: its messages stay in the sockets between us.
        reading = 0 if self._inbox.full else select.POLLIN
        return reading | (select.POLLOUT if self._client.want_write() else 0)

    def wait_ms(self) -> int:
        """The longest time until the next `serve`."""
        if self._client.more() and not self._inbox.full:
            return 0
        quarter_ms: int = self._link["keepalive_s"] * 250
        most_ms = min(WAIT_MS, quarter_ms)
        if self._subscribe_ms:
            most_ms = min(most_ms, max(0, self._subscribe_ms - self._now_ms()))
        return most_ms

    def serve(self, ready: int) -> None:
        """Read and write what is possible, look at the time. Raises `Broken`."""
        try:
            lost = self._serve(ready)
        except (Broken, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  whatever a broker's bytes do to paho ends here
            gone = self._gone(f"it made no sense ({type(error).__name__})")
            gone.garbled = True
            raise gone from error
        if self._refused is not None:
            raise self._refusal()
        if lost or self._client.socket() is None:
            raise self._gone(self._said or "connection lost")
        self._send()
        now_ms = self._now_ms()
        if self._subscribe_ms and now_ms >= self._subscribe_ms:
            self._subscribe_ms = 0
            self._subscribe(again=True)
        if not self.up and now_ms - self._open_ms > ANSWER_S * 1000:
            gone = self._gone(f"no answer in {ANSWER_S} s")
            gone.silent = True
            raise gone
        keepalive_s = self._link["keepalive_s"]
        oldest_ms = next(iter(self._tokens.values()), (0, now_ms))[1]
        if now_ms - oldest_ms > keepalive_s * 1000:
            raise self._gone(f"a message was not taken in {keepalive_s} s")

    def publish(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """Send at QoS 1, in order. Raises `Broken`, or `LinkRecordError` for what cannot be sent."""
        if len(self._queue) >= TOKENS_LIMIT:
            raise LinkRecordError(
                f"link: too much at once; expected at most {TOKENS_LIMIT} messages"
            )
        self._queue.append((token, topic, payload, retain))
        self._send()

    def acknowledge(self, number: int) -> None:
        """The message of that id was dealt with: the broker may forget it."""
        self._client.ack(number, 1)

    def waiting(self) -> int:
        """How many messages the broker has not taken yet."""
        return len(self._queue) + len(self._tokens)

    def taken(self) -> list[int]:
        """Tokens of what the broker has taken since the last call."""
        taken = self._taken
        self._taken = []
        return taken

    def leave(self) -> None:
        """Say goodbye: the broker forgets the last will."""
        self._client.disconnect()

    def close(self) -> None:
        """End it without a word; the broker will publish the last will unless we left."""
        plain: Any = self._client.socket()
        if plain is not None:
            plain.close()

    def _serve(self, ready: int) -> bool:
        if ready & (select.POLLERR | select.POLLHUP) and self._inbox.full:
            return True
        if self._read(bool(ready & ~select.POLLOUT)):
            return True
        if ready & select.POLLOUT and self._client.loop_write():
            return True
        if not self._inbox.full and not self._client.more():
            return bool(self._client.loop_misc())
        # The answer to a ping could stand behind what we do not read yet: only say that we live.
        if self._now_ms() >= self._ping_ms:
            self._ping_ms = self._now_ms() + self._link["keepalive_s"] * 500
            self._client.ping()
        return False

    def _read(self, readable: bool) -> bool:
        """Read while there is something and room for it; whether the connection is lost."""
        for _ in range(READ_AT_ONCE):
            if self._inbox.full or not (readable or self._client.more()):
                return False
            outcome = self._client.read()
            if outcome < 0:
                return True
            # Once, what the descriptor showed; from then on what was read with it.
            readable = False
        return False

    def _send(self) -> None:
        """Send what waits, as far as the broker lets us."""
        while self._queue and len(self._tokens) < self._most:
            token, topic, payload, retain = self._queue.popleft()
            try:
                info = self._client.publish(topic, payload, qos=1, retain=retain)
            except ValueError as error:
                raise LinkRecordError(
                    "link: a topic that is none; expected one without # or +"
                ) from error
            if info.rc:
                raise self._gone(self._said or "connection lost")
            self._tokens[info.mid] = (token, self._now_ms())

    def _socket(self) -> Any:
        plain = self._client.socket()
        if plain is None:
            raise self._gone(self._said or "connection lost")
        return plain

    def _properties(self) -> Any:
        if self.protocol != "5":
            return None
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = PACKET_BYTES
        properties.ReceiveMaximum = HELD
        properties.SessionExpiryInterval = SESSION_S
        return properties

    def _subscribe(self, again: bool) -> None:
        wanted: list[tuple[str, Any]] = [(topic.decode(), 1) for topic in self._topics]
        if self.protocol == "5":
            from paho.mqtt.subscribeoptions import SubscribeOptions

            # A retained command is refused, so we want to know which one is (MQTT 5, 3.8.3.1).
            kept = SubscribeOptions.RETAIN_DO_NOT_SEND if again else 0
            options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=kept)
            wanted = [(topic, options) for topic, _ in wanted]
        self._client.subscribe(wanted)

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, given: Any) -> None:
        if reason.is_failure:
            self._refused = reason
            return
        self.up = True
        if not self._clean:
            self._subscribe(again=False)
            self._subscribe_ms = self._now_ms() + AGAIN_MS
        most = getattr(given, "ReceiveMaximum", None)  # MQTT 5, 3.2.2.3.3
        if most is not None:
            self._most = min(IN_FLIGHT, most)

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, given: Any) -> None:
        if flags.is_disconnect_packet_from_server or reason.value == KEEP_ALIVE_TIMEOUT:
            self._said = str(reason).lower()

    def _on_publish(self, client: Any, data: Any, number: int, reason: Any, given: Any) -> None:
        token = self._tokens.pop(number, (0, 0))[0]
        if reason.is_failure:
            raise self._gone(f"it did not take a message: {str(reason).lower()}")
        if token:
            self._taken.append(token)

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        # As bytes: paho's own property fails on a topic that is no UTF-8.
        topic = self._topics.get(message._topic)
        number = message.mid if message.qos else 0
        length = self._client.length if self._client.swallowed else len(message.payload)
        wanted = topic is not None and self._inbox.add(
            number, topic, message.payload, bool(message.retain), length, bool(message.dup)
        )
        if number and not wanted:
            self.acknowledge(number)  # it is not to come again

    def _on_subscribe(self, client: Any, data: Any, number: int, reasons: Any, given: Any) -> None:
        self._granted = True
        if any(reason.is_failure for reason in reasons):
            self.problem = (
                f"link: {self.where} does not let this controller hear its commands; "
                f"expected read on {' and '.join(topic.decode() for topic in self._topics)}"
            )

    def _on_log(self, client: Any, data: Any, level: int, text: str) -> None:
        head, _, reason = text.partition(" on socket: ")
        if head in ("failed to receive", "timeout"):
            self._said = words_of(reason)

    def _refusal(self) -> Broken:
        reason = str(self._refused).lower()
        if self._refused.value == UNSUPPORTED_VERSION:
            other = "3.1.1" if self.protocol == "5" else "5"
            text = f"link: {self.where} speaks no MQTT {self.protocol}; expected protocol = "
            return (
                Broken(f'{text}"auto"; trying again', other, at_once=other == "3.1.1")
                if self.auto
                else Broken(f'{text}"{other}" or "auto"; trying again')
            )
        return self._broken(
            f"link: {self.where} refused this controller ({reason}); "
            "expected a broker that knows it (username, password_file, cert)"
        )

    def _no_broker(self, reason: str, silent: bool = False) -> Broken:
        text = f"link: no broker at {self.where} ({reason}); expected an MQTT broker there"
        return Broken(text + "; trying again", silent=silent)

    def _gone(self, reason: str) -> Broken:
        if self.up:
            return self._broken(f"link: lost {self.where} ({reason}); expected it to stay")
        other = "3.1.1" if self.protocol == "5" else "5"
        # A broker that knows only one version may say nothing at all to the other one.
        return self._broken(
            f"link: no MQTT from {self.where} ({reason}); expected an MQTT broker there",
            "" if self.known or not self.auto else other,
        )

    def _broken(self, text: str, protocol: str = "") -> Broken:
        return Broken(text + "; trying again", protocol)
