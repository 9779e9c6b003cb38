"""One MQTT connection, from CONNECT to its end; in the link's process only.

Wraps a paho client that lives for one connection with a clean session. Whatever goes wrong, and whatever
the broker sends, ends in one `Broken` that says in a line why, and how to ask next. The caller waits
on `fileno` for `events`, at most `wait_ms`, and then calls `serve`.
"""

import select
import socket
import sys
import time
import types
from collections import deque
from typing import Any

from firmware.services.link_records import LINE_BYTES, TOKENS_LIMIT, LinkRecordError

IN_FLIGHT = 32  #: messages on their way at once, where the broker has no smaller limit
CONNECT_S = 10  #: for TCP and TLS together, and again for the broker's answer
WAIT_MS = 5000  #: the longest wait; keep-alive is looked at this often
UNSUPPORTED_VERSION = 0x84  #: MQTT 5, 4.13; paho gives MQTT 3.1.1's return code 1 this number too
KEEP_ALIVE_TIMEOUT = 0x8D


class Broken(Exception):
    """The connection is over, or never began.

    text      str   one line for people
    protocol  str   the MQTT version to ask with next time, "" for no change
    at_once   bool  the same broker, asked in another version: no need to wait
    """

    def __init__(self, text: str, protocol: str = "", at_once: bool = False) -> None:
        super().__init__(text)
        self.protocol = protocol
        self.at_once = at_once


def lean(tls: bool) -> None:
    """Keep out of memory what paho imports and a link never uses; call it before the first connection.

    Saves 2.5 MB of 22 (proxies from the environment, which must not apply to a door anyway), and
    without TLS 7 MB (OpenSSL).
    """
    stand_ins: dict[str, Any] = {
        "urllib.request": types.ModuleType("urllib.request"),
        "socks": None,
    }
    if not tls:
        ssl: Any = types.ModuleType("ssl")
        ssl.SSLWantReadError = ssl.SSLWantWriteError = type("NeverRaised", (OSError,), {})
        stand_ins.update({"ssl": ssl, "_hashlib": None})
    sys.modules.update(stand_ins)


class Connection:
    """One connection to the broker of `link`, the board config's section.

    root      str   what topics begin with; the last will is retained at its `status`
    client    str   MQTT client id
    will      str   payload of the last will
    protocol  str   "5" or "3.1.1" to ask with under "auto", "" for the newest
    known     bool  the broker has spoken it before
    """

    def __init__(
        self, link: dict[str, Any], root: str, client: str, will: str, protocol: str, known: bool
    ) -> None:
        from paho.mqtt.client import Client, MQTTv5, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        host = link["host"]
        self.where = f"[{host}]:{link['port']}" if ":" in host else f"{host}:{link['port']}"
        self.auto = link["protocol"] == "auto"
        self.known = known
        #: str  the version that is spoken here
        self.protocol = (protocol or "5") if self.auto else str(link["protocol"])
        #: bool  the broker has accepted
        self.up = False
        self._link = link
        self._most = IN_FLIGHT
        self._queue: deque[tuple[int, str, str, bool]] = deque()  # not sent yet, in order
        self._tokens: dict[int, tuple[int, int]] = {}  # message id: (token, since when)
        self._taken: list[int] = []
        self._refused: Any = None  # why, a paho ReasonCode
        self._said = ""  # the last thing paho complained of
        self._open_ms = _now_ms()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client,
            protocol=MQTTv5 if self.protocol == "5" else MQTTv311,
            clean_session=None if self.protocol == "5" else True,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = float(CONNECT_S)
        self._client.max_inflight_messages_set(0)  # the queue is ours: paho's asks no broker
        self._client.will_set(root + "/status", will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_log = self._on_log
        self._identify()

    @property
    def greeting(self) -> str:
        """The line for people when it is up."""
        return f"link: connected to {self.where} (MQTT {self.protocol})"

    def open(self) -> None:
        """Connect, and send CONNECT. Raises `Broken`."""
        try:
            self._client.connect(
                self._link["host"],
                self._link["port"],
                self._link["keepalive_s"],
                properties=self._properties(),
            )
        except OSError as error:
            in_tls = type(error).__module__ == "ssl" or isinstance(error, ConnectionResetError)
            if self._link["tls"] and in_tls:
                raise self._broken(
                    f"link: no TLS with {self.where} ({_reason(error)}); "
                    "expected TLS there, and a certificate that ca vouches for"
                ) from error
            raise self._no_broker(_reason(error)) from error
        except (ValueError, UnicodeError) as error:
            raise self._no_broker("no such name") from error
        self._open_ms = _now_ms()
        plain = self._socket()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lost_ms = self._link["keepalive_s"] * 1000  # sent and not even received there: gone
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, lost_ms)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return int(self._socket().fileno())

    def events(self) -> int:
        """What to wait for on it."""
        return select.POLLIN | (select.POLLOUT if self._client.want_write() else 0)

    def wait_ms(self) -> int:
        """The longest time until the next `serve`."""
        quarter_ms: int = self._link["keepalive_s"] * 250
        return min(WAIT_MS, quarter_ms)

    def serve(self, ready: int) -> None:
        """Read and write what is possible, look at the time. Raises `Broken`."""
        try:
            lost = self._serve(ready)
        except (Broken, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  whatever a broker's bytes do to paho ends here
            raise self._gone(f"it made no sense ({type(error).__name__})") from error
        if self._refused is not None:
            raise self._refusal()
        if lost or self._client.socket() is None:
            raise self._gone(self._said or "connection lost")
        self._send()
        now_ms = _now_ms()
        if not self.up and now_ms - self._open_ms > CONNECT_S * 1000:
            raise self._gone(f"no answer in {CONNECT_S} s")
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
        if ready & ~select.POLLOUT:
            while True:
                if self._client.loop_read():
                    return True
                plain: Any = self._client.socket()
                # TLS can hold whole messages that the descriptor no longer shows.
                if plain is None or not getattr(plain, "pending", int)():
                    break
        if ready & select.POLLOUT and self._client.loop_write():
            return True
        return bool(self._client.loop_misc())

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
            self._tokens[info.mid] = (token, _now_ms())

    def _socket(self) -> Any:
        plain = self._client.socket()
        if plain is None:
            raise self._gone(self._said or "connection lost")
        return plain

    def _identify(self) -> None:
        """User, password and certificates. Raises `Broken` for a file that is none."""
        link = self._link
        if link["username"] is not None:
            password = None
            if link["password_file"] is not None:
                password = _read(link["password_file"], "the broker's password").rstrip("\r\n")
            self._client.username_pw_set(link["username"], password)
        if not link["tls"]:
            return
        import ssl

        for key, meaning in (("ca", "certificates"), ("cert", "a certificate"), ("key", "a key")):
            if link[key] is not None:
                _read(link[key], meaning)
        try:
            context = ssl.create_default_context(cafile=link["ca"])
            if link["cert"] is not None:
                context.load_cert_chain(link["cert"], link["key"], password="")
        except (OSError, ValueError) as error:
            names = ", ".join(link[key] for key in ("ca", "cert", "key") if link[key] is not None)
            raise Broken(
                f"link: {names}: {_reason(error)}; expected PEM files, the key without a password"
            ) from error
        self._client.tls_set_context(context)

    def _properties(self) -> Any:
        if self.protocol != "5":
            return None
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = LINE_BYTES
        properties.ReceiveMaximum = 16
        return properties

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, given: Any) -> None:
        if reason.is_failure:
            self._refused = reason
            return
        self.up = True
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

    def _on_log(self, client: Any, data: Any, level: int, text: str) -> None:
        head, _, reason = text.partition(" on socket: ")
        if head in ("failed to receive", "timeout"):
            self._said = _words(reason)

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

    def _no_broker(self, reason: str) -> Broken:
        return self._broken(
            f"link: no broker at {self.where} ({reason}); expected an MQTT broker there"
        )

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


def _read(path: str, meaning: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(LINE_BYTES)
    except (OSError, ValueError) as error:
        raise Broken(
            f"link: {path}: {_reason(error)}; expected a file with {meaning}; trying again"
        ) from error


def _reason(error: Exception) -> str:
    """Why, in a few words of the system's."""
    if isinstance(error, socket.gaierror):
        return "no such name"
    if isinstance(error, TimeoutError):
        return "no answer"
    verify = getattr(error, "verify_message", "")
    reason = getattr(error, "reason", "") or ""
    text = verify or reason.replace("_", " ") or getattr(error, "strerror", "") or str(error)
    return _words(text)


def _words(text: str) -> str:
    """`text` on one line, without numbers of errors and of places in OpenSSL's code."""
    text = text.split("(_ssl.c")[0].split("] ")[-1]
    return "".join(c for c in text.strip().lower()[:120] if c.isprintable())


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
