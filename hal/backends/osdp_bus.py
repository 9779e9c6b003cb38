"""The wire of one RS-485 bus: who of its OSDP readers is asked when. A thread of its own.

One command is on the wire at a time. A reader that does not answer costs the others `REPLY_MS` and no
more, whatever noise there is: after it each of them has its turn first, and readers that are lost are asked
only in a fifth of the time while others work.
"""

import os
import select
import threading
import time
from collections.abc import Callable

from hal.backends import osdp_frames as frames
from hal.backends.osdp_link import Link
from hal.errors import HalError
from hal.ports import ByteStream

REPLY_MS = 200  #: a reader begins to answer within this (IEC 60839-11-5, 5.7)
GAP_MS = 60  #: what pauses in the end of a reply that began in time may come to
REOPEN_MS = 500  #: between two tries on a port that has gone
SHARE = 4  #: how much longer than it cost a lost reader then waits
_MOST_REST_MS = 500


class BusTime:
    """The bus's own clock, and how it waits."""

    def now_ms(self) -> int:
        """Milliseconds since some start."""
        return time.monotonic_ns() // 1_000_000

    def wait(self, descriptor: int, ms: int) -> bool:
        """Whether `descriptor` has something to read; waits for that, at most `ms`."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(ms))


class Bus:
    """One bus. Readers are added by `add` before or while it runs; `start` starts its thread.

    clock  BusTime  whoever hands over another calls `turn` in its thread's place
    """

    def __init__(self, stream: ByteStream, baud: int, clock: BusTime | None = None) -> None:
        self.name = stream.name
        self._time = clock or BusTime()
        self._stream = stream
        self._byte_ms = 10_000 / baud
        self._links: list[Link] = []  # who is next stands first
        self._makers: list[Callable[[], Link]] = []
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ended = False
        self._thread: threading.Thread | None = None
        self._open = False
        self._owed = 0  # turns of readers that work, since one that does not had its own
        self._ill_ms = 0  # no lost one before this
        self._received = bytearray()

    def add(self, maker: Callable[[], Link]) -> None:
        """Have a reader asked too; its link is made in the bus's own thread."""
        self._makers.append(maker)
        self.wake()

    def start(self) -> None:
        """Begin, if it has not begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Something may be due sooner. From any thread."""
        if not self._ended:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """End, and let the port go; closing twice is fine. Waits for the command on the wire."""
        if self._ended:
            return
        os.eventfd_write(self._wake, 1)
        self._ended = True
        if self._thread is not None:
            self._thread.join()
        os.close(self._wake)
        self._stream.close()

    # ---- its thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended:
            self.turn()

    def turn(self) -> None:
        """Open the port if it is not, then ask the next reader, or rest until one is due."""
        try:
            self._round()
        except HalError as error:
            self._gone(str(error))
        except Exception as error:  # noqa: BLE001  whatever it is, readers are said to be away
            self._gone(f"{self.name}: its task failed ({type(error).__name__}); it goes on")

    def _gone(self, problem: str) -> None:
        self._open = False
        for link in self._links:
            link.gone(problem)
        self._rest(REOPEN_MS)

    def _round(self) -> None:
        while self._makers:
            self._links.append(self._makers[0]())
            del self._makers[0]
        if not self._open:
            self._stream.open()
            self._open = True
        at_ms = self._time.now_ms()
        link = self._turn(at_ms)
        if link is None:
            dues = [one.due_ms for one in self._links]
            dues += [self._ill_ms] if min(dues, default=0) <= at_ms else []
            later = [due_ms - at_ms for due_ms in dues if due_ms > at_ms]
            self._rest(min(later, default=_MOST_REST_MS))
            return
        self._links.remove(link)
        self._links.append(link)
        command = link.ready(at_ms)
        if command is not None:
            self._exchange(link, command)

    def _turn(self, at_ms: int) -> Link | None:
        """Who is asked now; None: nobody yet."""
        for link in self._links:
            if link.misses and not link.lost:  # while others are waited for its time passes too
                link.look(at_ms)
        due = [link for link in self._links if link.due_ms <= at_ms]
        well = [link for link in due if link.answers and not link.misses]
        ill = [link for link in due if link not in well]
        ill = [link for link in ill if not link.lost or at_ms >= self._ill_ms]
        ill.sort(key=lambda link: link.lost)
        if ill and (self._owed <= 0 or not well):
            self._owe()
            return ill[0]
        if well:
            self._owed -= 1
            return well[0]
        return None

    def _owe(self) -> None:
        """Whoever works has a turn before the next one that may not."""
        self._owed = len([link for link in self._links if link.answers and not link.misses])

    def _exchange(self, link: Link, command: bytes) -> None:
        """Send `command` and wait for its reply."""
        began_ms = self._time.now_ms()
        was_lost = link.lost
        self._received.clear()
        while self._stream.read():
            pass  # what comes now was meant for nobody
        self._send(command)
        sent_ms = began_ms + int(len(command) * self._byte_ms)
        reply = self._reply(link.address, frames.sequence_of(command), sent_ms + REPLY_MS)
        at_ms = self._time.now_ms()
        if reply is not None:
            link.answered(reply, at_ms)
        else:
            link.missed(at_ms)
            self._owe()
        if was_lost and link.lost:
            self._pause(at_ms, at_ms - began_ms)

    def _reply(self, address: int, number: int, until_ms: int) -> bytes | None:
        """The reply, if it begins before `until_ms`. Then its end is waited for; noise prolongs nothing."""
        waits_for_end = False
        while True:
            reply = frames.take_reply(self._received, address, number)
            at_ms = self._time.now_ms()
            if reply is not None:
                return reply
            if at_ms >= until_ms:
                missing = 0 if waits_for_end else frames.missing(self._received, address)
                if not missing:
                    return None
                waits_for_end = True
                until_ms = at_ms + int(missing * self._byte_ms) + GAP_MS
            self._time.wait(self._stream.fileno(), until_ms - at_ms)
            self._received += self._stream.read()

    def _pause(self, at_ms: int, cost_ms: int) -> None:
        """Leave the wire to those that work, if there are any."""
        if any(link.answers for link in self._links):
            self._ill_ms = at_ms + SHARE * cost_ms

    def _send(self, command: bytes) -> None:
        left = command
        while left:
            taken = self._stream.write(left)
            left = left[taken:]
            if not taken:
                time.sleep(0.002)
                self._stream.read()  # raises if the port has gone

    def _rest(self, ms: int) -> None:
        """For somebody to wake it, at most `ms`."""
        if not self._ended and self._time.wait(self._wake, max(1, ms)):
            os.eventfd_read(self._wake)
