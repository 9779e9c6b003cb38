"""The link's own process: what a broker says is parsed here, and a broker can kill no more than this.

``python -m firmware.services.link_process FD``: FD is one end of a socket pair whose other end is
`firmware.services.link` in the door process (records: `link_records`). ``--socket PATH``: a service of its
own, which calls the door at PATH, and ends when the door does; systemd starts it again.
It connects, says who is up and
what the broker has taken, and connects again when the broker is gone; order and repetition are the door's
(`firmware.runtime.outbox`), so every connection is a new client. It ends as soon as the door's end closes,
and never holds more than `GROWTH_BYTES` beyond what it starts with. What comes on `command` and `stored` is
looked at, handed to the door one by one (`link_inbox`), and acknowledged when the door has dealt with it.
"""

import os
import random
import select
import socket
import sys
import time
from typing import Any

from firmware.services import link_channel, link_limits
from firmware.services.back_off import BackOff
from firmware.services.link_broken import Broken
from firmware.services.link_channel import Ended, Gone, Life
from firmware.services.link_connection import WAIT_MS, Connection
from firmware.services.link_inbox import Inbox
from firmware.services.link_records import (
    DROPPING,
    READ_BYTES,
    TO_LINK,
    Lines,
    LinkRecordError,
    encode,
)

GROWTH_BYTES = 48 << 20  #: address space beyond what the start took
GARBLED_LIMIT = (
    3  #: connections in a row that end on nonsense; then what the broker kept is dropped
)
STOP_MS = 800  #: for what is on its way, at a clean stop


class LinkProcess:
    """One broker's connection after the other, for one door process."""

    def __init__(self, door: socket.socket, life: Life) -> None:
        self._door = door
        self._life = life
        self._lines = Lines(TO_LINK)
        self._poll = select.poll()
        self._poll.register(door, select.POLLIN)
        self._poll.register(life, select.POLLIN)
        self._records: list[dict[str, Any]] = []
        self._config: dict[str, Any] = {}
        self._protocol = ""  # the MQTT version that worked last, or is worth a try
        self._known = False  # it worked
        self._clean = False  # have the broker forget what it kept for us, once
        self._garbled = 0
        self._pause_ms = 0
        self._inbox = Inbox()

    def run(self) -> None:
        """Until somebody says stop. Raises `Gone` when the door process has."""
        try:
            self._configure()
            while True:
                self._connect_once()
                self._pause()
        except Ended:
            return
        except OSError as error:
            raise Gone from error

    def _configure(self) -> None:
        while not self._records:
            self._look(WAIT_MS)
            if self._life.over:
                raise Ended
        self._config = self._records.pop(0)
        if self._config["kind"] != "config":
            raise LinkRecordError("link: no config; expected it before all else")
        self._protocol = self._config["protocol"]
        self._known = bool(self._protocol)
        self._clean = self._config["clean"]
        most_ms = self._config["link"]["reconnect_max_ms"]
        self._back_off = BackOff(most_ms, random.SystemRandom().random)
        try:
            link_limits.lean(self._config["link"]["tls"])
        except KeyError:
            raise LinkRecordError("link: a config without tls; expected [link]") from None

    def _connect_once(self) -> None:
        """One connection, from the first packet to the last."""
        config = self._config
        began_ms = _now_ms()
        self._pause_ms = 0
        try:
            connection = Connection(
                config["link"],
                config["root"],
                config["client"],
                config["will"],
                self._protocol,
                self._known,
                self._inbox,
                self._clean,
                self._back_off.connect_ms(began_ms),
            )
        except Broken as broken:
            self._pause_ms = self._back_off.pause_ms(began_ms, _now_ms())
            self._tell("health", ok=False, text=str(broken))
            return
        told_up = False
        up_at_ms = 0
        try:
            self._life.blocking(True)
            try:
                connection.open()
            finally:
                self._life.blocking(False)
            while True:
                self._wait(connection)
                if connection.up and self._clean:
                    self._clean = False
                    connection.leave()
                    return  # and now, with nothing left of what was kept, the real one
                if connection.ready and not told_up:
                    told_up = True
                    up_at_ms = _now_ms()
                    self._protocol = connection.protocol
                    self._known = True
                    self._tell("up", on=True, protocol=connection.protocol)
                    self._tell("health", ok=True, text=connection.greeting)
                self._tell_taken(connection)
                if told_up:
                    self._tell_messages(connection)
                if self._serve_door(connection):
                    self._stop(connection)
        except Broken as broken:
            self._tell_taken(connection)
            if told_up:
                self._tell("up", on=False, protocol=connection.protocol)
            self._protocol = broken.protocol or self._protocol
            if broken.at_once:
                return  # the same broker, asked in another version: nothing to wait for
            self._broke(broken, began_ms, up_at_ms)
        finally:
            self._inbox.lost()
            connection.close()

    def _broke(self, broken: Broken, began_ms: int, up_at_ms: int) -> None:
        """Say why, and choose the pause after a connection that was up from `up_at_ms` on, 0: never."""
        now_ms = _now_ms()
        if up_at_ms:
            self._back_off.held(up_at_ms, now_ms)
            began_ms = now_ms
        self._pause_ms = self._back_off.pause_ms(began_ms, now_ms, broken.silent)
        self._tell("health", ok=False, text=str(broken))
        self._garbled = self._garbled + 1 if broken.garbled else 0
        if self._garbled >= GARBLED_LIMIT:
            self._garbled = 0
            self._clean = True
            self._tell("health", ok=False, text=DROPPING)

    def _wait(self, connection: Connection, most_ms: int = WAIT_MS) -> None:
        broker = connection.fileno()
        self._poll.register(broker, connection.events())
        try:
            own_ms = min(connection.wait_ms(), self._inbox.wait_ms(_now_ms()))
            ready = self._look(min(most_ms, own_ms))
        finally:
            self._poll.unregister(broker)
        connection.serve(ready.get(broker, 0))

    def _serve_door(self, connection: Connection) -> bool:
        """Send what the door gave; whether it wants to stop. What comes while down is lost."""
        records = self._records
        self._records = []
        for record in records:
            if record["kind"] == "send" and connection.up:
                connection.publish(
                    record["token"], record["topic"], record["payload"], record["retain"]
                )
            elif record["kind"] == "heard":
                number = self._inbox.heard(record["token"])
                if number:
                    connection.acknowledge(number)
            elif record["kind"] == "stop":
                return True
        return self._life.over

    def _stop(self, connection: Connection) -> None:
        """Say `offline` after all that is on its way, then leave."""
        if not connection.up:
            raise Ended
        config = self._config
        connection.publish(0, config["root"] + "/status", config["will"], True)
        end_ms = _now_ms() + STOP_MS
        try:
            while connection.waiting() and _now_ms() < end_ms:
                self._wait(connection, end_ms - _now_ms())
                self._tell_taken(connection)
            connection.leave()
        except Broken:
            pass  # the broker has our last will
        raise Ended

    def _pause(self) -> None:
        """Before the next attempt: a random time, so that ten thousand doors do not come at once."""
        end_ms = _now_ms() + self._pause_ms
        while (left_ms := end_ms - _now_ms()) > 0:
            self._look(min(left_ms, WAIT_MS))
            if self._life.over or any(record["kind"] == "stop" for record in self._records):
                raise Ended
            for record in self._records:
                if record["kind"] == "heard":
                    self._inbox.heard(record["token"])
            self._records.clear()  # the broker is not there: lost, and sent again by the door

    def _look(self, most_ms: int) -> dict[int, int]:
        """Wait at most so long for anybody; take what the door says, and give the broker's events."""
        self._life.goes_on()
        ready = dict(self._poll.poll(most_ms))
        if ready.get(self._life.fileno()):
            self._poll.unregister(self._life)  # once is enough
        if ready.get(self._door.fileno()):
            data = self._door.recv(READ_BYTES)
            if not data:
                raise Gone
            self._records += self._lines.feed(data)
        return ready

    def _tell_taken(self, connection: Connection) -> None:
        tokens = connection.taken()
        if tokens:
            self._tell("taken", tokens=tokens)

    def _tell_messages(self, connection: Connection) -> None:
        for fields in self._inbox.give(_now_ms()):
            self._tell("message", **fields)
        if connection.problem:
            self._tell("health", ok=False, text=connection.problem)
            connection.problem = ""

    def _tell(self, kind: str, **fields: Any) -> None:
        # Waits while the door does not read: a door process that hangs goes offline at the broker.
        self._door.sendall(encode(kind, **fields))


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def main(arguments: list[str]) -> int:
    """Run on the channel that `arguments` name; 2 if they name none, 3 if the door made no sense.

    1 if the door has ended without a word.
    """
    life = Life()
    try:
        door = _channel(arguments, life)
    except Ended:
        return 0
    except ValueError as error:
        _say(str(error))
        return 2
    # A name server that is away, too, costs 2 s.
    os.environ["RES_OPTIONS"] = "timeout:1 attempts:2"
    link_limits.limit_memory(GROWTH_BYTES)
    text = ""
    choked = False
    try:
        LinkProcess(door, life).run()
    except Gone:
        return 1
    except LinkRecordError as error:
        text = str(error)
    except MemoryError:
        choked = True
        text = f"link: the broker sent more than fits into {GROWTH_BYTES >> 20} MB; expected small messages"
    if not text:
        return 0
    try:
        door.sendall(encode("health", ok=False, text=text))
        if choked:
            door.sendall(encode("choked"))
    except OSError:
        pass  # nobody is left to be told
    return 3


def _say(text: str) -> None:
    print(f"link: {text}", file=sys.stderr, flush=True)


def _channel(arguments: list[str], life: Life) -> socket.socket:
    """The channel to the door. Raises `Ended`, `ValueError`."""
    if arguments[:1] == ["--socket"] and len(arguments) == 2:
        life.hear_signals()
        return link_channel.called(arguments[1], life, _say)
    life.ignore_signals()
    door = link_channel.given(*arguments) if len(arguments) == 1 else None
    if door is None:
        raise ValueError("started without its channel; expected to be the door's child")
    link_limits.die_with_parent()
    return door


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
