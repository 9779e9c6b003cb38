"""What the link does, turn by turn, without waiting for anything itself.

`LinkTurns.course` connects, says who is up and what the broker has taken, and connects again when the broker
is gone; order and repetition are the door's (`firmware.runtime.outbox`), so every connection is a new client.
What comes on `command` and `stored` is looked at, handed to the door one by one (`link_inbox`), and
acknowledged when the door has dealt with it. Whenever it would wait it yields what for, and is sent what
came: `firmware.services.link_process` waits in a process of its own, the simulator in virtual time.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from firmware.services.back_off import BackOff
from firmware.services.link_broken import Broken
from firmware.services.link_channel import Ended
from firmware.services.link_connection import WAIT_MS, Connection
from firmware.services.link_inbox import Inbox
from firmware.services.link_net import Net
from firmware.services.link_records import DROPPING, TO_LINK, Lines, LinkRecordError, encode

GARBLED_LIMIT = (
    3  #: connections in a row that end on nonsense; then what the broker kept is dropped
)
STOP_MS = 800  #: for what is on its way, at a clean stop


class Opening(NamedTuple):
    """It wants `connection` opened; what that raises is thrown in."""

    connection: Connection


class Wait(NamedTuple):
    """It waits, at most `ms`, for a word of the door's and for `events` of `fd`; is sent those that came."""

    ms: int
    fd: int = -1
    events: int = 0


Course = Generator[Opening | Wait, int, None]


class LinkTurns:
    """One broker's connection after the other, for one door process.

    net    Net                   time, chance and sockets
    tell   callable (line)       takes a line for the door; may raise OSError once it is gone
    begin  callable ([link])     told the section before the first connection is made
    """

    def __init__(
        self, net: Net, tell: Callable[[bytes], None], begin: Callable[[dict[str, Any]], None]
    ) -> None:
        #: bool  to say goodbye and end
        self.over = False
        self._net = net
        self._give = tell
        self._begin = begin
        self._lines = Lines(TO_LINK)
        self._records: list[dict[str, Any]] = []
        self._config: dict[str, Any] = {}
        self._protocol = ""  # the MQTT version that worked last, or is worth a try
        self._known = False  # it worked
        self._clean = False  # have the broker forget what it kept for us, once
        self._garbled = 0
        self._pause_ms = 0
        self._inbox = Inbox()

    def hear(self, data: bytes) -> None:
        """The door has said something; dealt with in the next turn. Raises `LinkRecordError`."""
        self._records += self._lines.feed(data)

    def course(self) -> Course:
        """Until somebody says stop. Raises `Ended` then, `LinkRecordError` when the door makes no sense."""
        yield from self._configure()
        while True:
            yield from self._connect_once()
            yield from self._pause()

    def _configure(self) -> Course:
        while not self._records:
            yield Wait(WAIT_MS)
            if self.over:
                raise Ended
        self._config = self._records.pop(0)
        if self._config["kind"] != "config":
            raise LinkRecordError("link: no config; expected it before all else")
        self._protocol = self._config["protocol"]
        self._known = bool(self._protocol)
        self._clean = self._config["clean"]
        self._back_off = BackOff(self._config["link"]["reconnect_max_ms"], self._net.chance)
        self._begin(self._config["link"])

    def _connect_once(self) -> Course:
        """One connection, from the first packet to the last."""
        began_ms = self._net.now_ms()
        self._pause_ms = 0
        try:
            connection = self._connection(began_ms)
        except Broken as broken:
            self._pause_ms = self._back_off.pause_ms(began_ms, self._net.now_ms())
            self._tell("health", ok=False, text=str(broken))
            return
        told_up = False
        up_at_ms = 0
        try:
            yield Opening(connection)
            while True:
                # What lies in the inbox goes to the door only once it knows that we are up.
                inbox_ms = self._inbox.wait_ms(self._net.now_ms()) if told_up else WAIT_MS
                yield from self._wait(connection, inbox_ms)
                if connection.up and self._clean:
                    self._clean = False
                    connection.leave()
                    return  # and now, with nothing left of what was kept, the real one
                if connection.ready and not told_up:
                    told_up = True
                    up_at_ms = self._net.now_ms()
                    self._protocol = connection.protocol
                    self._known = True
                    self._tell("up", on=True, protocol=connection.protocol)
                    self._tell("health", ok=True, text=connection.greeting)
                self._tell_taken(connection)
                if told_up:
                    self._tell_messages(connection)
                if self._serve_door(connection):
                    yield from self._stop(connection)
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

    def _connection(self, began_ms: int) -> Connection:
        config = self._config
        return Connection(
            config["link"],
            config["root"],
            config["client"],
            config["will"],
            self._protocol,
            self._known,
            self._inbox,
            self._clean,
            self._back_off.connect_ms(began_ms),
            self._net,
        )

    def _broke(self, broken: Broken, began_ms: int, up_at_ms: int) -> None:
        """Say why, and choose the pause after a connection that was up from `up_at_ms` on, 0: never."""
        now_ms = self._net.now_ms()
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

    def _wait(self, connection: Connection, most_ms: int) -> Course:
        fd, events = connection.fileno(), connection.events()
        ready = yield Wait(min(most_ms, connection.wait_ms()), fd, events)
        connection.serve(ready)

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
        return self.over

    def _stop(self, connection: Connection) -> Course:
        """Say `offline` after all that is on its way, then leave."""
        if not connection.up:
            raise Ended
        config = self._config
        connection.publish(0, config["root"] + "/status", config["will"], True)
        end_ms = self._net.now_ms() + STOP_MS
        try:
            while connection.waiting() and self._net.now_ms() < end_ms:
                yield from self._wait(connection, end_ms - self._net.now_ms())
                self._tell_taken(connection)
            connection.leave()
        except Broken:
            pass  # the broker has our last will
        raise Ended

    def _pause(self) -> Course:
        """Before the next attempt: a random time, so that ten thousand doors do not come at once."""
        end_ms = self._net.now_ms() + self._pause_ms
        while (left_ms := end_ms - self._net.now_ms()) > 0:
            yield Wait(min(left_ms, WAIT_MS))
            if self.over or any(record["kind"] == "stop" for record in self._records):
                raise Ended
            for record in self._records:
                if record["kind"] == "heard":
                    self._inbox.heard(record["token"])
            self._records.clear()  # the broker is not there: lost, and sent again by the door

    def _tell_taken(self, connection: Connection) -> None:
        tokens = connection.taken()
        if tokens:
            self._tell("taken", tokens=tokens)

    def _tell_messages(self, connection: Connection) -> None:
        for fields in self._inbox.give(self._net.now_ms()):
            self._tell("message", **fields)
        if connection.problem:
            self._tell("health", ok=False, text=connection.problem)
            connection.problem = ""

    def _tell(self, kind: str, **fields: Any) -> None:
        self._give(encode(kind, **fields))
