"""A broker that floods the link with messages of 256 MB: the door decides and records as ever."""

import socket
import threading
from pathlib import Path

from kill_rig import TOPIC, Controller
from link_rig import Seen

from firmware.trust import chain

CONNACK_311 = bytes.fromhex("20020000")
PRESSES = 20


class Flooder:
    """Greets whoever connects in MQTT 3.1.1, then sends commands of 256 MB without end."""

    def __init__(self) -> None:
        self.floods = Seen()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._flood(connection)
                except OSError:
                    pass  # the link has ended: the next one is welcome

    def _flood(self, connection: socket.socket) -> None:
        hello = connection.recv(4096)
        if b"MQTT\x04" not in hello:
            return  # it asks in MQTT 5 first
        connection.sendall(CONNACK_311)
        topic = (TOPIC + "/command").encode()
        begin = len(topic).to_bytes(2, "big") + topic + b"\0\7"
        while True:
            connection.sendall(b"\x32" + bytes.fromhex("ffffff7f") + begin)
            self.floods.add(True)
            left = 0xFFFFFFF - len(begin)
            while left:
                left -= connection.send(bytes(min(left, 1 << 20)))


def test_while_a_broker_floods_the_link_every_press_releases_and_none_is_late(
    tmp_path: Path,
) -> None:
    flooder = Flooder()
    door = Controller(tmp_path, flooder.port)
    try:
        door.start()
        flooder.floods.wait("a flood", lambda items: items)
        door.do(f"exits {PRESSES}")
        door.do("help 1")
        door.stop()
    finally:
        door.kill()
        flooder.close()
    events = list(door.journal().values())
    released = [event for event in events if event["type"] == "portal.released"]
    assert [event["cause"] for event in released] == ["rex"] * PRESSES
    assert [event for event in events if event["type"] == "alarm.raised"] != []
    assert [event for event in events if "late" in event] == []
    faults = [event for event in events if event["type"] == "system.fault"]
    assert faults == [], "the door has noticed something of it"
    assert chain.verify(events) == (True, None, "")
