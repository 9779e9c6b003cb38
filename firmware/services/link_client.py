"""The paho client of a link, with what paho keeps to itself: the only place that leans on its inside.

Reads one packet at a time and in large pieces, swallows what is longer than any message may be (paho
would hold whatever length a broker announces), and can say that it lives while it does not read. paho's
version is pinned; tests hold it to this. Imported late, after `link_limits.lean`.
"""

from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

from firmware.services.link_records import PAYLOAD_BYTES, READ_BYTES

PACKET_BYTES = (
    PAYLOAD_BYTES + 70_000
)  #: the longest packet that is kept whole: topic and properties too
HEAD_BYTES = 70_000  #: kept of one that is longer: its topic and message id stand there

LOST, NOTHING, READ = -1, 0, 1  #: what became of `LinkClient.read`


class LinkClient(Client):
    """See the module.

    dial   callable (address, s)  a connected socket, within so long
    tls_s  int                    for TLS, once it is connected
    """

    def __init__(
        self, *given: Any, dial: Callable[[tuple[str, int], float], Any], tls_s: int, **named: Any
    ) -> None:
        super().__init__(*given, **named)
        self._dial = dial
        self._tls_s = tls_s
        #: bool  somebody took the connection, and TLS began
        self.found = False
        self._came = b""  # read from the socket
        self._at = 0  # and used up to here

    @property
    def length(self) -> int:
        """Bytes that the packet announced which is being dealt with."""
        return int(self._in_packet["remaining_length"])

    @property
    def swallowed(self) -> bool:
        """Whether only its beginning is there."""
        return self.length > PACKET_BYTES

    def more(self) -> bool:
        """Whether something was read that the descriptor no longer shows."""
        pending = getattr(self.socket(), "pending", int)
        return self._at < len(self._came) or bool(pending())

    def read(self) -> int:
        """Read one packet and deal with it: `LOST`, `NOTHING` (not yet whole) or `READ`."""
        rc = self._packet_read()
        if rc > 0:
            self._loop_rc_handle(rc)
            return LOST
        return READ if rc == MQTTErrorCode.MQTT_ERR_SUCCESS else NOTHING

    def ping(self) -> None:
        """Say that we live; its answer is asked for when something is read again."""
        self._send_pingreq()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at >= len(self._came):
            self._came = super()._sock_recv(READ_BYTES)
            self._at = 0
        packet = self._in_packet
        used = min(bufsize, len(self._came) - self._at)
        start = self._at
        self._at += used
        if self.swallowed and len(packet["packet"]) >= HEAD_BYTES:
            packet["to_process"] -= max(0, used - 1)  # swallowed: paho sees one byte of it
            used = min(used, 1)
        return self._came[start : start + used]

    def _create_socket_connection(self) -> Any:
        return self._dial((self._host, self._port), self._connect_timeout)

    def _ssl_wrap_socket(self, tcp_sock: Any) -> Any:
        self.found = True
        self._connect_timeout = float(self._tls_s)
        return super()._ssl_wrap_socket(tcp_sock)
