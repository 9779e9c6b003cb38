"""The simulator's broker, cable and observer: what the link's tests and the demo rely on."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_rig import ONLINE, ROOT, STATUS, door, link_config, listening, wait_gone, wait_status

from sim.broker import BrokerError, EmbeddedBroker
from sim.network import Cable

FOLDER = Path(__file__).resolve().parents[2]

#: Starts a broker and says its process id, then waits to be killed.
STARTER = """
import sys
from sim.broker import EmbeddedBroker
broker = EmbeddedBroker("127.0.0.1", 0, sys.argv[1])
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    one = EmbeddedBroker("127.0.0.1", 0, str(tmp_path / "broker"))
    one.start()
    yield one
    one.stop()


def test_a_broker_takes_connections_once_it_has_started_and_none_when_stopped(
    broker: EmbeddedBroker,
) -> None:
    socket.create_connection(("127.0.0.1", broker.port)).close()
    port, pid = broker.port, broker.pid
    broker.stop()
    assert broker.pid is None
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    broker.stop()  # twice is fine


def test_a_busy_port_is_one_clear_line(broker: EmbeddedBroker, tmp_path: Path) -> None:
    second = EmbeddedBroker("127.0.0.1", broker.port, str(tmp_path / "second"))
    with pytest.raises(BrokerError) as refused:
        second.start()
    assert str(refused.value) == (
        f"127.0.0.1:{broker.port}: port is in use; expected a free port (MQTT_PORT=...)"
    )
    assert second.pid is None


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one = EmbeddedBroker("127.0.0.1", 0, str(tmp_path / "file"))
    with pytest.raises(BrokerError) as refused:
        one.start()
    assert str(refused.value) == (
        f"{tmp_path / 'file'}: file exists; expected a folder for the broker's data"
    )


def test_a_broker_keeps_what_was_retained_over_kill_and_start(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        one.wait_up()
        wait_status(seen, ONLINE)
        one.stop()
    port = broker.port
    broker.kill()
    broker.start()
    assert broker.port == port
    with listening(broker.port) as seen:
        seen.wait("status", lambda items: [m for m in items if m[0] == STATUS and m[2]])
        about = ROOT + "/about"
        seen.wait("about", lambda items: [m for m in items if m[0] == about and m[2]])


def test_a_broker_dies_with_the_process_that_started_it_and_stays_in_its_group(
    tmp_path: Path,
) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)],
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert os.getpgid(pid) == os.getpgid(starter.pid)
        starter.kill()
    wait_gone(pid)


def test_an_observer_that_outlives_a_restart_of_the_broker_hears_on(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with listening(broker.port) as seen:
        broker.kill()
        broker.start()
        with door(tmp_path, link_config(broker.port)) as one:
            one.wait_up()
            wait_status(seen, ONLINE)


def test_a_cut_cable_resets_what_was_connected_and_refuses_what_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        cable = Cable("127.0.0.1", server.getsockname()[1])
        near = socket.create_connection(("127.0.0.1", cable.port))
        far, _ = server.accept()
        near.sendall(b"there")
        assert far.recv(100) == b"there"
        far.sendall(b"back")
        assert near.recv(100) == b"back"
        cable.cut()
        cable.cut()  # twice is fine
        for end in (near, far):
            with pytest.raises(ConnectionResetError):
                end.recv(100)
            end.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", cable.port))
        cable.restore()
        near = socket.create_connection(("127.0.0.1", cable.port))
        far, _ = server.accept()
        near.close()
        assert far.recv(100) == b""  # an end is carried too
        far.close()
        cable.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", cable.port))


def test_a_cable_carries_more_than_one_end_will_hold() -> None:
    sent = os.urandom(1 << 22)
    with socket.create_server(("127.0.0.1", 0)) as server:
        cable = Cable("127.0.0.1", server.getsockname()[1])
        near = socket.create_connection(("127.0.0.1", cable.port))
        far, _ = server.accept()
        near.setblocking(False)
        came = bytearray()
        left = memoryview(sent)
        while len(came) < len(sent):
            if left:
                try:
                    left = left[near.send(left) :]
                    continue
                except BlockingIOError:
                    pass  # everything between the ends is full
            came += far.recv(65536)
        assert bytes(came) == sent
        near.close()
        far.close()
        cable.close()


def test_a_cable_to_nobody_lets_go_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    cable = Cable("127.0.0.1", port)
    near = socket.create_connection(("127.0.0.1", cable.port))
    with pytest.raises(ConnectionResetError):
        near.recv(1)
    near.close()
    cable.close()
