"""The door's side of the link: records to a process that talks to the broker, and records back.

The door process imports nothing that parses what strangers send. Where the other process comes from is its
subclasses' affair: `link_child` starts one, `link_socket` is called by one. Each of its records is checked
(`link_records`); one that says anything else, says too much or does not read is let go, and another one
comes after a while. Nothing here waits, but for `stop`.
"""

import select
import socket
from collections.abc import Callable
from typing import Any

from firmware.runtime import aio, ports
from firmware.services.link_records import (
    DROPPING,
    READ_BYTES,
    TO_DOOR,
    Lines,
    LinkRecordError,
    encode,
)

OUT_BYTES = 1 << 20  #: what waits for the link; more is a link that hangs
FLUSH_MS = 20  #: how soon to write again what the channel did not take
RESTART_MS = 1000  #: before the next link after one that ended; doubled from one to the next
RESTART_MAX_MS = 30_000
HEALTHY_MS = 60_000  #: a link that lived this long starts over with `RESTART_MS`
CHOKED_LIMIT = 3  #: links in a row that end on what a broker kept for us; then it is dropped
STOP_MS = 1000  #: for a clean end


class Link(ports.Transport):
    """Port `Transport`, carried by another process, one after the other.

    link          dict  the section [link] of a checked board config
    site          str   name of the site; with `controller` it makes the topics and the client id
    controller    str   name of the controller
    loop          Loop  whose waiter has ``add_reader``
    will_payload  str   JSON of the topic `status` when we are gone
    """

    def __init__(
        self, link: dict[str, Any], site: str, controller: str, loop: aio.Loop, will_payload: str
    ) -> None:
        #: callable (ok: bool, text: str)  told one line when the state of the link changes
        self.on_health: Callable[[bool, str], None] | None = None
        #: str  the MQTT version in use, "5" or "3.1.1"; "" before the first connection
        self.protocol = ""
        self._link = link
        self._root = f"doorward/{site}/{controller}"
        self._client = f"{site}-{controller}"
        self._loop = loop
        self._will = will_payload
        self._channel: socket.socket | None = None
        self._lines = Lines(TO_DOOR)
        self._out = bytearray()
        self._up = False
        self._said_up = False  # by the link, whatever we think of it since
        self._choked = 0  # links in a row that ended on what the broker sent
        self._owed = 0  # messages that this one may still say are taken
        self._with_us: dict[str, tuple[int, int]] = {}  # topic: (our token, the link's)
        self._last_token = 0
        self._wanted = False
        self._started_ms = 0
        self._restart_ms = RESTART_MS
        self._restart: aio.Timer | None = None
        self._flush_timer: aio.Timer | None = None
        self._health: tuple[bool, str] | None = None

    def start(self) -> None:
        """Have a link; nothing where the config says ``enabled = false``."""
        self._wanted = bool(self._link["enabled"])
        self._again()

    def stop(self) -> None:
        """Publish `offline`, disconnect and end the link; waits at most `STOP_MS`."""
        self._wanted = False
        channel = self._channel
        if channel is not None and self._up:
            self._out += encode("stop")
            self._finish(channel)
        self._end()

    def kill(self) -> None:
        """End it where it is, without a word: a power cut. Nobody is told."""
        self._wanted = False
        self._up = False
        self._end()

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """Send at QoS 1; lost while the broker is not there."""
        if not self._up:
            return
        try:
            line = encode("send", token=token, topic=topic, payload=payload, retain=retain)
        except LinkRecordError as error:
            self._say(False, str(error))  # never taken; nothing else waits for it
            return
        if len(self._out) + len(line) > OUT_BYTES:
            self._up = False  # from here on nothing is sent, and the Outbox begins again
            self._soon(lambda: self._lost("link: its process hangs; expected it to read"))
            return
        self._owed += token != 0
        self._out += line
        if self._flush_timer is None:  # what is sent in the same turn leaves in one piece
            self._flush_timer = self._loop.call_at(self._loop.now_ms(), self._flush_again)

    def heard(self, token: int) -> None:
        """The message of `token` is dealt with; one of a link that has ended is nobody's."""
        for topic, (own, theirs) in self._with_us.items():
            if own == token:
                del self._with_us[topic]
                self._out += encode("heard", token=theirs)
                self._flush()
                return

    # ---- a subclass's part ---------------------------------------------------------------------------

    def _begin(self) -> None:
        """Get a link, now or later, and hand its channel to `_attach`."""
        raise NotImplementedError

    def _let_go(self) -> None:
        """The channel has closed: nothing may be left of the link that was there, if one was."""

    # ---- one link, from its first record to its last -------------------------------------------------

    def _attach(self, channel: socket.socket) -> None:
        """Here is a link: `config` goes first."""
        channel.setblocking(False)
        self._started_ms = self._loop.now_ms()
        self._channel = channel
        self._lines = Lines(TO_DOOR)
        self._out = bytearray(
            encode(
                "config",
                link=self._link,
                root=self._root,
                client=self._client,
                will=self._will,
                protocol=self.protocol,
                clean=self._choked >= CHOKED_LIMIT,
            )
        )
        if self._choked >= CHOKED_LIMIT:
            self._choked = 0
        self._loop.waiter.add_reader(channel.fileno(), self._readable)
        self._flush()

    def _readable(self) -> None:
        """Take what the link says. Called by the waiter, so it never raises."""
        channel = self._channel
        if channel is None:
            return
        try:
            data = channel.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # What it said last, if it said anything, stands: it knew why.
            self._lost("" if self._health and not self._health[0] else "link: its process ended")
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            records = self._lines.feed(data)
        except LinkRecordError as error:
            self._lost(str(error))
            return
        for record in records:
            if self._channel is None:
                return  # ended by what a record before this one led to
            try:
                self._check(record)
            except LinkRecordError as error:
                self._lost(str(error))
                return
            try:
                self._record(record)
            except Exception as error:  # noqa: BLE001  a listener's error is the loop's to tell, as a task's is
                self._loop.on_error("link", error)

    def _check(self, record: dict[str, Any]) -> None:
        """That it fits to what was said before. Raises `LinkRecordError`."""
        kind = record["kind"]
        if kind in ("taken", "message") and not self._said_up:
            raise LinkRecordError(f"link: {kind} without a broker; expected up before it")
        if kind == "taken":
            self._owed -= len(record["tokens"])
            if self._owed < 0:
                raise LinkRecordError("link: taken what was not sent; expected each token once")
        elif kind == "message" and record["topic"] in self._with_us:
            raise LinkRecordError("link: a message before its turn; expected to be heard first")
        elif kind == "up":
            self._said_up = record["on"]

    def _record(self, record: dict[str, Any]) -> None:
        if record["kind"] == "taken":
            if self.on_taken is not None:
                for token in record["tokens"]:
                    self.on_taken(token)
        elif record["kind"] == "health":
            self._say(record["ok"], record["text"])
        elif record["kind"] == "choked":
            self._choked += 1
            if self._choked == CHOKED_LIMIT:
                self._say(False, DROPPING)
        elif record["kind"] == "message":
            self._tell_message(record)
        elif record["kind"] == "up":
            if record["on"]:
                self.protocol = record["protocol"]
            self._tell_up(record["on"])

    def _tell_message(self, record: dict[str, Any]) -> None:
        self._last_token += 1
        token, topic = self._last_token, record["topic"]
        self._with_us[topic] = (token, record["token"])
        if self.on_message is None:
            self.heard(token)
            return
        self.on_message(
            ports.Message(
                token,
                topic,
                record["payload"],
                record["retained"],
                record["flaw"],
                record["again"],
                record["number"],
            )
        )

    def _tell_up(self, up: bool) -> None:
        if up != self._up or up:
            self._up = up
            if self.on_up is not None:
                self.on_up(up)

    def _flush(self) -> None:
        if self._channel is None or not self._out:
            return
        try:
            del self._out[: self._channel.send(self._out)]
        except BlockingIOError:
            pass  # full; again in a moment
        except OSError:
            return  # it is gone, which the next read tells
        if self._out and self._flush_timer is None:
            self._flush_timer = self._loop.call_at(
                self._loop.now_ms() + FLUSH_MS, self._flush_again
            )

    def _flush_again(self) -> None:
        self._flush_timer = None
        self._flush()

    def _lost(self, text: str) -> None:
        """The link has ended, or must: tell it, and have another one later."""
        self._end()
        self._up = False
        if self.on_up is not None:
            self.on_up(False)
        if text:
            self._say(False, f"{text}; trying again")
        self._later()

    def _later(self) -> None:
        """`_begin` after a while, longer each time."""
        if not self._wanted:
            return
        pause_ms = self._pause_ms()
        self._restart = self._loop.call_at(self._loop.now_ms() + pause_ms, self._again)

    def _pause_ms(self) -> int:
        """How long to wait after the link that began last; longer each time, if none lives."""
        if self._loop.now_ms() - self._started_ms >= HEALTHY_MS:
            self._restart_ms = RESTART_MS
            self._choked = 0
        pause_ms = self._restart_ms
        self._restart_ms = min(pause_ms * 2, RESTART_MAX_MS)
        return pause_ms

    def _again(self) -> None:
        self._restart = None
        if self._wanted and self._channel is None:
            self._started_ms = self._loop.now_ms()
            self._begin()

    def _end(self) -> None:
        """Let go of the link: our end closes, and it ends."""
        for timer in (self._restart, self._flush_timer):
            if timer is not None:
                timer.cancel()
        self._restart = self._flush_timer = None
        if self._channel is not None:
            self._loop.waiter.remove_reader(self._channel.fileno())
            self._channel.close()
            self._channel = None
        self._let_go()
        self._said_up = False
        self._owed = 0
        self._with_us.clear()
        self._out = bytearray()

    def _finish(self, channel: socket.socket) -> None:
        """Serve the link until it ends by itself; what the broker still takes is noted."""
        poll = select.poll()
        end_ms = self._loop.now_ms() + STOP_MS
        while self._channel is channel and (left_ms := end_ms - self._loop.now_ms()) > 0:
            poll.register(channel, select.POLLIN | (select.POLLOUT if self._out else 0))
            for _, ready in poll.poll(left_ms):
                if ready & select.POLLOUT:
                    self._flush()
                if ready & ~select.POLLOUT:
                    try:
                        data = channel.recv(READ_BYTES)
                    except OSError:
                        return
                    if not data:
                        return
                    self._take(data)

    def _soon(self, call: Callable[[], None]) -> None:
        channel = self._channel
        self._loop.call_at(
            self._loop.now_ms(), lambda: call() if channel is self._channel is not None else None
        )

    def _say(self, ok: bool, text: str) -> None:
        """Tell a line, unless it is what was told last."""
        if self._health != (ok, text):
            self._health = (ok, text)
            if self.on_health is not None:
                self.on_health(ok, text)
