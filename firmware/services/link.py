"""The door's side of the link: starts the process that talks to the broker, and starts it again.

The door process imports nothing that parses what strangers send. It gives records to
`firmware.services.link_process` over a socket pair and takes records back, each of them checked
(`link_records`); a child that says anything else is ended. Nothing here waits, but for `stop`.
"""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
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

CHILD = "firmware.services.link_process"  #: the module that the child runs
OUT_BYTES = 1 << 20  #: what waits for the child; more is a child that hangs
FLUSH_MS = 20  #: how soon to write again what the channel did not take
RESTART_MS = 1000  #: before the first restart of a child that died; doubled up to the next
RESTART_MAX_MS = 30_000
HEALTHY_MS = 60_000  #: a child that lived this long starts over with `RESTART_MS`
CHOKED_LIMIT = 3  #: children in a row that end on what a broker kept for us; then it is dropped
STOP_MS = 1000  #: for a clean end


class LinkProcess(ports.Transport):
    """Port `Transport`, carried by a child process.

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
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._lines = Lines(TO_DOOR)
        self._out = bytearray()
        self._up = False
        self._said_up = False  # by the child, whatever we think of it since
        self._choked = 0  # children in a row that ended on what the broker sent
        self._owed = 0  # messages that this child may still say are taken
        self._with_us: dict[str, tuple[int, int]] = {}  # topic: (our token, the child's)
        self._last_token = 0
        self._wanted = False
        self._started_ms = 0
        self._restart_ms = RESTART_MS
        self._restart: aio.Timer | None = None
        self._flush_timer: aio.Timer | None = None
        self._health: tuple[bool, str] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Start the child; nothing where the config says ``enabled = false``."""
        self._wanted = bool(self._link["enabled"])
        if self._wanted and self._child is None:
            self._spawn()

    def stop(self) -> None:
        """Publish `offline`, disconnect and end the child; waits at most `STOP_MS`."""
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
        self._flush()

    def heard(self, token: int) -> None:
        """The message of `token` is dealt with; one of a child that has ended is nobody's."""
        for topic, (own, theirs) in self._with_us.items():
            if own == token:
                del self._with_us[topic]
                self._out += encode("heard", token=theirs)
                self._flush()
                return

    def _spawn(self) -> None:
        self._restart = None
        self._started_ms = self._loop.now_ms()
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            number = str(theirs.fileno())
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", CHILD, number],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    close_fds=True,
                    env=_environment(),
                )
            except OSError as error:
                ours.close()
                reason = (error.strerror or "unknown").lower()
                self._say(False, f"link: its process does not start ({reason}); trying again")
                self._later()
                return
        self._channel = ours
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
        self._loop.waiter.add_reader(ours.fileno(), self._readable)
        self._flush()

    def _readable(self) -> None:
        """Take what the child says. Called by the waiter, so it never raises."""
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
        else:
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
            ports.Message(token, topic, record["payload"], record["retained"], record["flaw"])
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
        """The child has ended, or must: tell it, and start another one later."""
        self._end()
        self._up = False
        if self.on_up is not None:
            self.on_up(False)
        if text:
            self._say(False, f"{text}; trying again")
        self._later()

    def _later(self) -> None:
        if not self._wanted:
            return
        now_ms = self._loop.now_ms()
        if now_ms - self._started_ms >= HEALTHY_MS:
            self._restart_ms = RESTART_MS
            self._choked = 0
        self._restart = self._loop.call_at(now_ms + self._restart_ms, self._again)
        self._restart_ms = min(self._restart_ms * 2, RESTART_MAX_MS)

    def _again(self) -> None:
        if self._wanted and self._child is None:
            self._spawn()

    def _end(self) -> None:
        """Let go of the child: our end closes, and it dies."""
        for timer in (self._restart, self._flush_timer):
            if timer is not None:
                timer.cancel()
        self._restart = self._flush_timer = None
        if self._channel is not None:
            self._loop.waiter.remove_reader(self._channel.fileno())
            self._channel.close()
            self._channel = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
        self._said_up = False
        self._owed = 0
        self._with_us.clear()
        self._out = bytearray()

    def _finish(self, channel: socket.socket) -> None:
        """Serve the child until it ends by itself; what the broker still takes is noted."""
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
        child = self._child
        self._loop.call_at(
            self._loop.now_ms(), lambda: call() if child is self._child is not None else None
        )

    def _say(self, ok: bool, text: str) -> None:
        """Tell a line, unless it is what was told last."""
        if self._health != (ok, text):
            self._health = (ok, text)
            if self.on_health is not None:
                self.on_health(ok, text)


def _environment() -> dict[str, str]:
    """Ours, and where this package is: the child must find the same one, and not the current folder's."""
    root = str(Path(__file__).resolve().parents[2])
    others = os.environ.get("PYTHONPATH")
    path = f"{root}{os.pathsep}{others}" if others else root
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
