"""The brokers of docs/brokers/ as they are shipped, with certificates made as their README says.

Substituted are only paths, ports and addresses (all on 127.0.0.1), and mosquitto stays whoever started it.
"""

import contextlib
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from children import end_with_us
from link_rig import PATIENCE_S, Seen
from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

SHIPPED = Path(__file__).resolve().parents[2] / "docs" / "brokers"
HOST = "host"
CONTROLLERS = ("c-01", "c-02")


class Site:
    """An authority, and the certificates of a broker, a host and its `controllers`, in `folder`."""

    def __init__(
        self, folder: Path, name: str = "sunrise", controllers: tuple[str, ...] = CONTROLLERS
    ) -> None:
        self.folder = folder
        self.name = name
        self.controllers = controllers
        readme = (SHIPPED / "README.md").read_text()
        authority, broker, host, controller = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
        assert "IP:192.0.2.10" in broker
        assert "name=c-01\n" in controller
        assert "/CN=sunrise\\/" in controller
        self._run(authority)
        self._run(broker.replace("IP:192.0.2.10", "IP:127.0.0.1"))
        self._run(host)
        controller = controller.replace("/CN=sunrise\\/", f"/CN={name}\\/")
        for one in controllers:
            self._run(controller.replace("name=c-01\n", f"name={one}\n"))

    @property
    def ca(self) -> str:
        """Path of the authority's certificate."""
        return str(self.folder / "ca.pem")

    def keys(self, name: str) -> tuple[str, str]:
        """Paths of the certificate and the key of host, broker or a controller."""
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")

    def link(self, name: str) -> dict[str, object]:
        """What of [link] says so."""
        cert, key = self.keys(name)
        return {"tls": True, "ca": self.ca, "cert": cert, "key": key}

    def _run(self, lines: str) -> None:
        subprocess.run(["sh", "-eu", "-c", lines], cwd=self.folder, check=True, capture_output=True)


class Shipped:
    """One broker; what differs is in the two below."""

    protocol = ""
    certs = ""  #: where the configuration wants the broker's files, relative to its folder

    def __init__(self, folder: Path, site: Site) -> None:
        self.port = 0
        self._folder = folder
        self._site = site
        self._process: subprocess.Popen[str] | None = None
        (folder / self.certs).mkdir(parents=True)
        (folder / "data").mkdir()
        for name in ("ca.pem", "broker.pem", "broker.key"):
            (folder / self.certs / name).write_bytes((site.folder / name).read_bytes())

    def start(self) -> None:
        """Start it, on the port it had before. Another's use of a port just chosen is tried around."""
        for _ in range(5):
            port = self.port or _free_port()
            if self._start_on(port):
                self.port = port
                return
        raise AssertionError(f"{type(self).__name__} does not start on port {port}")

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def forget(self) -> None:
        """Lose everything it has kept; only while it is stopped."""
        shutil.rmtree(self._folder / "data")
        (self._folder / "data").mkdir()

    def command(self, port: int) -> list[str]:
        """Write its files; what to run."""
        raise NotImplementedError

    def ready(self, line: str) -> bool:
        """Whether this line of its log says that it takes clients."""
        raise NotImplementedError

    def _start_on(self, port: int) -> bool:
        self._process = subprocess.Popen(
            self.command(port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_us,
            errors="replace",
        )
        running: queue.SimpleQueue[bool] = queue.SimpleQueue()
        threading.Thread(target=self._follow, args=(self._process, running), daemon=True).start()
        if running.get(timeout=PATIENCE_S):
            return True
        self.kill()
        return False

    def _follow(self, process: "subprocess.Popen[str]", running: "queue.SimpleQueue[bool]") -> None:
        assert process.stderr is not None
        with process.stderr as log:
            for line in log:
                if self.ready(line.rstrip()):
                    running.put(True)
        running.put(False)


class ShippedMosquitto(Shipped):
    """mosquitto.conf and mosquitto.acl."""

    protocol = "5"
    certs = "certs"

    def command(self, port: int) -> list[str]:
        """Write its files; what to run."""
        text = _replaced(
            (SHIPPED / "mosquitto.conf").read_text(),
            ("/etc/mosquitto/", f"{self._folder}/"),
            ("/var/lib/mosquitto/", f"{self._folder}/data/"),
            ("listener 8883", f"listener {port} 127.0.0.1"),
        )
        (self._folder / "mosquitto.acl").write_bytes((SHIPPED / "mosquitto.acl").read_bytes())
        config = self._folder / "mosquitto.conf"
        config.write_text(text + "user root\n")
        return ["/usr/sbin/mosquitto", "-c", str(config)]

    def ready(self, line: str) -> bool:
        """Whether this line of its log says that it takes clients."""
        return line.endswith("running")


class ShippedNats(Shipped):
    """nats.conf, with a block for each controller."""

    protocol = "3.1.1"
    certs = "certs"

    def command(self, port: int) -> list[str]:
        """Write its files; what to run."""
        text = _replaced(
            (SHIPPED / "nats.conf").read_text(),
            ("/etc/nats/", f"{self._folder}/"),
            ("/var/lib/nats", f"{self._folder}/data"),
            ("0.0.0.0", "127.0.0.1"),
            ("port: 8883", f"port: {port}"),
            ("port: 4222", "port: -1"),
        )
        found = re.search(r" +# --- one block a controller.*?\n(.*?) +# --- the end", text, re.S)
        assert found is not None
        block = found[1]
        assert block.count("c-01") == 10  # as nats.conf and its README say
        assert block.count("sunrise") == 10
        blocks = [
            block.replace("c-01", one).replace("sunrise", self._site.name)
            for one in self._site.controllers
        ]
        text = text.replace(block, "".join(blocks))
        config = self._folder / "nats.conf"
        config.write_text(text)
        return [str(Path(sys.prefix) / "bin" / "nats-server"), "-c", str(config)]

    def ready(self, line: str) -> bool:
        """Whether this line of its log says that it takes clients."""
        return line.endswith(" Server is ready")


class Party:
    """One client with a certificate, or without: `keys` is None then."""

    def __init__(
        self, broker: Shipped, ca: str, keys: tuple[str, str] | None, client: str = ""
    ) -> None:
        #: Seen  (topic, payload, retained)
        self.seen = Seen()
        self._broker = broker
        self._came = Seen()  # "up", or how it ended
        self._granted = Seen()
        version = MQTTv5 if broker.protocol == "5" else MQTTv311
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client,
            protocol=version,
            clean_session=None if version == MQTTv5 else not client,
            reconnect_on_failure=False,
        )
        cert, key = keys or (None, None)
        self._client.tls_set(ca, cert, key)
        self._client.on_connect = lambda c, d, f, reason, p: self._came.add(
            "refused" if reason.is_failure else "up"
        )
        self._client.on_disconnect = lambda c, d, f, reason, p: self._came.add("gone")
        self._client.on_subscribe = lambda c, d, number, reasons, p: self._granted.add(
            [not reason.is_failure for reason in reasons]
        )
        self._client.on_message = lambda c, d, message: self.seen.add(
            (message.topic, message.payload.decode(), bool(message.retain))
        )

    def connect(self, will: str = "") -> bool:
        """Whether the broker takes it."""
        if will:
            self._client.will_set(will, "will", 1, True)
        given = {}
        if self._broker.protocol == "5":
            given = {"clean_start": not self._client._client_id, "properties": _lasting()}
        try:
            self._client.connect("127.0.0.1", self._broker.port, **given)  # type: ignore[arg-type]
        except OSError:
            return False
        self._client.loop_start()
        return bool(self._came.wait("an answer", lambda items: items)[0] == "up")

    def subscribe(self, *topics: str, qos: int = 1) -> list[bool]:
        """Whether each was granted."""
        before = len(self._granted.items)
        self._client.subscribe([(topic, qos) for topic in topics])
        return list(self._granted.wait("SUBACK", lambda items: items[before:])[0])

    def say(self, topic: str, payload: str, retain: bool = False) -> None:
        """Publish at QoS 1, and wait for its PUBACK."""
        info = self._client.publish(topic, payload, 1, retain)
        info.wait_for_publish(PATIENCE_S)
        assert info.is_published()

    def say_all(self, topic: str, payloads: list[str]) -> None:
        """Publish all at once, and wait for every PUBACK."""
        infos = [self._client.publish(topic, payload, 1) for payload in payloads]
        for info in infos:
            info.wait_for_publish(PATIENCE_S)
            assert info.is_published()

    def try_to_say(self, topic: str, payload: str) -> None:
        """Publish, whether or not the broker answers."""
        self._client.publish(topic, payload, 1)

    def break_off(self) -> None:
        """End the connection without a word, so that the last will is published."""
        plain: Any = self._client.socket()
        plain.shutdown(socket.SHUT_RDWR)
        self._came.wait("its end", lambda items: "gone" in items)
        self._client.loop_stop()

    def leave(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def party(
    broker: Shipped, site: Site, name: str, client: str = "", will: str = ""
) -> Iterator[Party]:
    """Somebody of the site's, connected; with a `client` id the session stays."""
    one = Party(broker, site.ca, site.keys(name), client)
    try:
        assert one.connect(will)
        yield one
    finally:
        one.leave()


def _lasting() -> object:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    return properties


def _replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, f"{old} is not in the shipped file any more"
        text = text.replace(old, new)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
