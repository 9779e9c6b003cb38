"""The link against what is no broker, a broken one, and a hostile one: the door lives, one clear line."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from brokers import Mosquitto
from link_rig import ROOT, Door, Seen, child_of, door, link_config, listening, wait_seqs

CONNACK_5 = bytes.fromhex("200300000090050001000101")  # and the subscription is granted
CONNACK_311 = bytes.fromhex("20020000900400010101")
REFUSED_311 = bytes.fromhex("20020001")  # unacceptable protocol version
REFUSED_5 = bytes.fromhex("2003008400")  # unsupported protocol version
MOST = 0xFFFFFFF  # bytes in a packet
COMMAND = b"\0" + bytes([len(ROOT) + 8]) + ROOT.encode() + b"/command"
PROTOCOL_AT = 8  # of a CONNECT of less than 128 bytes: 4 is MQTT 3.1.1, 5 is MQTT 5


class FakeBroker:
    """Takes connections one by one and has `answer(connection, its CONNECT)` play the broker."""

    def __init__(self, answer: Callable[[socket.socket, bytes], None]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.versions = Seen()  # of each CONNECT, 4 or 5; 0 for what was none
        self._open: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            try:
                hello = connection.recv(4096)
                self.versions.add(hello[PROTOCOL_AT] if len(hello) > PROTOCOL_AT else 0)
                self._answer(connection, hello)
            except OSError:
                pass  # the link has gone, as it should


@contextmanager
def fake_broker(answer: Callable[[socket.socket, bytes], None]) -> Iterator[FakeBroker]:
    """A fake broker that is closed afterwards."""
    one = FakeBroker(answer)
    try:
        yield one
    finally:
        one.close()


def _length(number: int) -> bytes:
    """As MQTT writes how long a packet is, here below 2 MB."""
    return bytes([number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14])


def lives(one: Door) -> bool:
    """Whether the door still records."""
    return one.append(1) > 0


def test_nobody_at_the_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    with door(tmp_path, link_config(port)) as one:
        one.wait_health("no broker")
        assert lives(one)
        assert one.health() == [
            f"link: no broker at 127.0.0.1:{port} (connection refused); "
            "expected an MQTT broker there; trying again"
        ]


def test_a_name_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with door(tmp_path, link_config(1883, host="no such host")) as one:
        said = one.wait_health("no broker at")["health"]
        assert said == (
            "link: no broker at no such host:1883 (no such name); "
            "expected an MQTT broker there; trying again"
        )


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b'INFO {"server_id":"N"}\r\n', b"", b"\x20\x7f"]
)
def test_what_is_no_broker_is_said_to_be_none(answer: bytes, tmp_path: Path) -> None:
    def say(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(answer)
        connection.close()

    with fake_broker(say) as broker, door(tmp_path, link_config(broker.port)) as one:
        said = one.wait_health("no MQTT from")["health"]
        assert said.startswith(f"link: no MQTT from 127.0.0.1:{broker.port} (")
        assert said.endswith("); expected an MQTT broker there; trying again")
        broker.versions.wait("four attempts", lambda versions: len(versions) >= 4)
        assert lives(one)
        assert one.health() == [said]  # once, however often it tries


@pytest.mark.parametrize("refusal", [REFUSED_311, REFUSED_5])
def test_a_broker_that_refuses_mqtt_5_is_asked_in_3_1_1_from_then_on(
    refusal: bytes, tmp_path: Path
) -> None:
    def old(connection: socket.socket, hello: bytes) -> None:
        if hello[PROTOCOL_AT] == 5:
            connection.sendall(refusal)
            connection.close()
        else:
            connection.sendall(CONNACK_311)
            connection.recv(4096)
            connection.close()

    with fake_broker(old) as broker, door(tmp_path, link_config(broker.port)) as one:
        assert one.wait_up()["protocol"] == "3.1.1"
        os.kill(child_of(one.wait_up()), signal.SIGKILL)  # another process knows it too
        one.said.wait("two more", lambda items: len([s for s in items if s.get("up")]) >= 3)
        assert broker.versions.items[0] == 5
        assert set(broker.versions.items[1:]) == {4}


def test_a_broker_that_says_nothing_to_mqtt_5_is_asked_in_3_1_1(tmp_path: Path) -> None:
    def mute(connection: socket.socket, hello: bytes) -> None:
        if hello[PROTOCOL_AT] == 5:
            connection.close()
        else:
            connection.sendall(CONNACK_311)

    with fake_broker(mute) as broker, door(tmp_path, link_config(broker.port)) as one:
        assert one.wait_up()["protocol"] == "3.1.1"


def test_a_version_that_the_config_wants_is_kept_to(tmp_path: Path) -> None:
    def old(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(REFUSED_311)
        connection.close()

    link = link_config(1, protocol="5")
    with fake_broker(old) as broker, door(tmp_path, {**link, "port": broker.port}) as one:
        said = one.wait_health("speaks no")["health"]
        assert said == (
            f"link: 127.0.0.1:{broker.port} speaks no MQTT 5; "
            'expected protocol = "3.1.1" or "auto"; trying again'
        )
        assert set(broker.versions.items) == {5}


@pytest.mark.parametrize(("connack", "protocol"), [(CONNACK_5, "5"), (CONNACK_311, "3.1.1")])
def test_a_message_of_256_mb_is_told_as_too_long_and_the_next_one_arrives(
    connack: bytes, protocol: str, tmp_path: Path
) -> None:
    def flood(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(connack)
        begin = COMMAND + b"\0\x07" + b"\0" * (protocol == "5")  # its id, and no properties
        connection.sendall(b"\x32" + bytes.fromhex("ffffff7f") + begin)
        left = MOST - len(begin)
        while left:
            left -= connection.send(bytes(min(left, 1 << 20)))
        small = COMMAND + b"\0\x08" + b"\0" * (protocol == "5") + b"{}"
        connection.sendall(bytes([0x32, len(small)]) + small)
        while connection.recv(4096):
            pass

    with fake_broker(flood) as broker:
        link = link_config(broker.port, protocol=protocol)
        with door(tmp_path, link) as one:
            came = one.wait_messages(2)
            assert [(said["payload"], said["flaw"]) for said in came] == [
                ("", "too_long"),
                ("{}", ""),
            ]
            assert len({said["pid"] for said in one.said.items if "pid" in said}) == 1


def test_what_is_sent_again_after_it_was_taken_is_taken_again_and_told_once(tmp_path: Path) -> None:
    def repeat(connection: socket.socket, hello: bytes) -> None:
        heard = bytearray()

        def say(kind: int, number: int, payload: bytes) -> None:
            packet = COMMAND + bytes([0, number]) + payload
            connection.sendall(bytes([kind, len(packet)]) + packet)
            while (puback := bytes([0x40, 2, 0, number])) not in heard:
                heard.extend(connection.recv(4096) or b"end")
            del heard[: heard.index(puback) + len(puback)]

        connection.sendall(CONNACK_311)
        say(0x32, 7, b"{}")
        say(0x3A, 7, b"{}")  # DUP
        say(0x32, 7, b"{}")  # another one, in the same words
        say(0x3A, 8, b'{"last":1}')
        while connection.recv(4096):
            pass

    with (
        fake_broker(repeat) as broker,
        door(tmp_path, link_config(broker.port, protocol="3.1.1")) as one,
    ):
        came = one.wait_messages(3)
        assert [said["payload"] for said in came] == ["{}", "{}", '{"last":1}']
        assert [said["again"] for said in came] == [False, False, True]


@pytest.mark.parametrize("connack", [b"", CONNACK_5])
def test_a_broker_that_sends_more_than_memory_ends_the_link_and_not_the_door(
    connack: bytes, tmp_path: Path
) -> None:
    def flood(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(connack)
        body = COMMAND + b"%s" + b"\0" + bytes(250_000)
        for number in range(
            1, 65_536
        ):  # QoS 2, which nobody asked for, and which is never released
            packet = body % number.to_bytes(2, "big")
            connection.sendall(b"\x34" + _length(len(packet)) + packet)

    with fake_broker(flood) as broker, door(tmp_path, link_config(broker.port)) as one:
        said = one.wait_health("fits into")
        assert said["health"] == (
            "link: the broker sent more than fits into 48 MB; expected small messages"
        )
        assert lives(one)
        broker.versions.wait("the next link", lambda versions: len(versions) >= 2)


@pytest.mark.parametrize(
    "rubbish",
    [
        bytes.fromhex("4002ffff"),  # PUBACK of what was never sent
        bytes.fromhex("3003000161"),  # PUBLISH to a topic nobody subscribed
        bytes.fromhex("300500026162ff"),  # with properties that are none
        bytes.fromhex("3002ffff"),  # a topic longer than the packet
        bytes.fromhex("f0ff"),
        bytes.fromhex("e000"),  # DISCONNECT
        bytes.fromhex("20020000") * 3,
        bytes.fromhex("9003000102") * 3,
        bytes(range(256)),
    ],
)
def test_rubbish_after_the_greeting_does_not_reach_the_door(rubbish: bytes, tmp_path: Path) -> None:
    def spoil(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(CONNACK_5)
        connection.recv(4096)
        connection.sendall(rubbish)
        connection.recv(4096)
        connection.close()

    with fake_broker(spoil) as broker, door(tmp_path, link_config(broker.port)) as one:
        one.said.wait("two ups", lambda items: len([s for s in items if s.get("up")]) >= 2)
        assert len({s["pid"] for s in one.said.items if s.get("up")}) == 1  # and the link lives
        last = one.append(1)
        assert one.said.items[-1] == {"written": last, "waiting": last}  # nothing counts as taken


def test_a_refused_message_is_not_taken(tmp_path: Path) -> None:
    def full(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(CONNACK_5)
        while connection.recv(4096):
            # Quota exceeded, for message ids 2 to 8.
            connection.sendall(b"".join(bytes([0x40, 4, 0, n, 0x97, 0]) for n in range(2, 9)))

    with fake_broker(full) as broker, door(tmp_path, link_config(broker.port)) as one:
        said = one.wait_health("did not take a message")["health"]
        assert said.startswith(f"link: lost 127.0.0.1:{broker.port} (it did not take a message: ")
        last = one.append(1)
        assert one.said.items[-1]["waiting"] == last


def test_a_broker_that_hangs_is_noticed_and_left(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        with door(tmp_path, link_config(broker.port)) as one:
            one.wait_up()
            so_far = len(one.said.items)
            broker.hang()
            last = one.append(3)
            one.wait_up(False, so_far)
            broker.kill()
            broker.start()
            with listening(broker.port) as seen:
                wait_seqs(seen, last)
    finally:
        broker.kill()


def test_a_broker_that_hangs_is_noticed_when_nothing_is_to_be_sent_too(tmp_path: Path) -> None:
    def hang(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(CONNACK_5)
        buffer = b""
        acknowledged = 0
        while data := connection.recv(4096):
            buffer += data
            if acknowledged < 3:  # about, status and the journal's first event; then silence
                acknowledged += 1
                ids = range(2, 8)  # and the subscription's own id is 1
                connection.sendall(b"".join(bytes([0x40, 2, 0, n]) for n in ids))

    with fake_broker(hang) as broker, door(tmp_path, link_config(broker.port)) as one:
        one.wait_up()
        one.wait_up(False)
        assert one.wait_health("lost")["health"].startswith(f"link: lost 127.0.0.1:{broker.port} (")


def test_what_ends_one_process_after_the_other_is_dropped_at_the_broker(tmp_path: Path) -> None:
    clean_start: list[bool] = []

    def choke(connection: socket.socket, hello: bytes) -> None:
        clean_start.append(bool(hello[PROTOCOL_AT + 1] & 2))
        connection.sendall(CONNACK_5)
        if any(clean_start):  # it has dropped what it kept
            while connection.recv(4096):
                pass
            return
        body = COMMAND + b"%s" + b"\0" + bytes(250_000)
        for number in range(1, 65_536):
            packet = body % number.to_bytes(2, "big")
            connection.sendall(b"\x34" + _length(len(packet)) + packet)

    with fake_broker(choke) as broker, door(tmp_path, link_config(broker.port)) as one:
        assert lives(one)
        broker.versions.wait("five connections", lambda versions: len(versions) >= 5)
        assert lives(one)
        said = one.wait_health("having it dropped")["health"]
        assert said.startswith("link: what the broker keeps for this controller makes no sense; ")
        # Three that die, one that has it dropped, and one that stays.
        one.said.wait("it is up", lambda items: any(said.get("up") for said in items[-3:]))
        assert clean_start == [False, False, False, True, False]


@pytest.mark.parametrize("granted", [True, False])
def test_nobody_is_told_online_before_what_is_said_then_would_be_heard(
    granted: bool, tmp_path: Path
) -> None:
    """A broker keeps nothing for a session that never subscribed: `status` comes after SUBSCRIBE."""
    kinds = Seen()

    def note(connection: socket.socket, hello: bytes) -> None:
        connection.sendall(CONNACK_5 if granted else CONNACK_5[:5])
        buffer = b""
        while data := connection.recv(4096):
            buffer += data
            while len(buffer) > 1 and len(buffer) >= 2 + buffer[1] < 130:
                kinds.add(buffer[0] >> 4)
                buffer = buffer[2 + buffer[1] :]

    with fake_broker(note) as broker, door(tmp_path, link_config(broker.port)):
        kinds.wait("the first PUBLISH", lambda items: 3 in items)
        told = kinds.items[: kinds.items.index(3)]
        assert told == ([8] if granted else [8, 8])  # ungranted, it asks once more
