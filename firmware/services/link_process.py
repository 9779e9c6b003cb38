"""The link's own process: what a broker says is parsed here, and a broker can kill no more than this.

``python -m firmware.services.link_process FD``: FD is one end of a socket pair whose other end is
`firmware.services.link` in the door process (records: `link_records`). ``--socket PATH``: a service of its
own, which calls the door at PATH, and ends when the door does; systemd starts it again.
What it does is `link_turns`' affair; here it waits, and ends as soon as the door's end closes. It never
holds more than `GROWTH_BYTES` beyond what it starts with. Each `BEAT_MS` it tells the door that it lives.
"""

import os
import select
import socket
import sys
import time
from typing import Any

from firmware.services import link_channel, link_limits
from firmware.services.link_broken import Broken
from firmware.services.link_channel import Ended, Gone, Life
from firmware.services.link_connection import Connection
from firmware.services.link_net import Net
from firmware.services.link_records import READ_BYTES, LinkRecordError, encode
from firmware.services.link_turns import Course, LinkTurns, Opening, Wait

GROWTH_BYTES = 48 << 20  #: address space beyond what the start took
BEAT_MS = 10_000  #: from one sign of life to the next; opening a connection may hold one up


class LinkProcess:
    """The turns of one link, in a process that waits."""

    def __init__(self, door: socket.socket, life: Life) -> None:
        self._door = door
        self._life = life
        self._beat_s = time.monotonic()
        self._poll = select.poll()
        self._poll.register(door, select.POLLIN)
        self._poll.register(life, select.POLLIN)
        # `sendall` waits while the door does not read: a door process that hangs goes offline at the broker.
        self._turns = LinkTurns(Net(), door.sendall, _keep_lean)

    def run(self) -> None:
        """Until somebody says stop. Raises `Gone` when the door process has."""
        course = self._turns.course()
        try:
            wanted = next(course)
            while True:
                if isinstance(wanted, Opening):
                    wanted = self._open(course, wanted.connection)
                else:
                    wanted = course.send(self._wait(wanted))
        except Ended:
            return
        except OSError as error:
            raise Gone from error
        finally:
            course.close()

    def _open(self, course: Course, connection: Connection) -> Opening | Wait:
        failed = None
        self._life.blocking(True)
        try:
            connection.open()
        except Broken as broken:
            failed = broken
        finally:
            self._life.blocking(False)
        return course.send(0) if failed is None else course.throw(failed)

    def _wait(self, wanted: Wait) -> int:
        """Wait for anybody; take what the door says, and give the broker's events."""
        self._life.goes_on()
        now_s = time.monotonic()
        if (now_s - self._beat_s) * 1000 >= BEAT_MS:
            self._beat_s = now_s
            self._door.sendall(encode("beat"))
        if wanted.fd >= 0:
            self._poll.register(wanted.fd, wanted.events)
        try:
            ready = dict(self._poll.poll(min(wanted.ms, BEAT_MS)))
        finally:
            if wanted.fd >= 0:
                self._poll.unregister(wanted.fd)
        if ready.get(self._life.fileno()):
            self._poll.unregister(self._life)  # once is enough
        self._turns.over = self._life.over
        if ready.get(self._door.fileno()):
            data = self._door.recv(READ_BYTES)
            if not data:
                raise Gone
            self._turns.hear(data)
        return ready.get(wanted.fd, 0)


def _keep_lean(link: dict[str, Any]) -> None:
    try:
        link_limits.lean(link["tls"])
    except KeyError:
        raise LinkRecordError("link: a config without tls; expected [link]") from None


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
