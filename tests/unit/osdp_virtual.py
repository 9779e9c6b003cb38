"""One OSDP bus in virtual time: the real bus and links; wire and protocol library in the hand of the test.

Nothing waits, so what is measured is the bus's own doing, on any machine. The library is a stand-in that
steps as libosdp does (tests/contract holds the real one): it asks for ID, capabilities and the secure
channel, then every 50 ms; a reply whose check fails takes its reader off line; what is refused does too.
Not imitated: cryptography, and the time that a library or a machine takes.
"""

import binascii
import random
from typing import Any

from hal.backends import osdp_frames as frames
from hal.backends.osdp_bus import Bus, BusTime
from hal.backends.osdp_link import Link
from hal.errors import DeviceUnavailableError
from hal.ports import BITS, ByteStream

POLL, ACK, NAK, CARD = 0x60, 0x40, 0x41, 0x50
SPOILT = (0x51, 0x53)  #: a card, keys: the library refuses them
_ASKS_AFTER_MS = 50
_NOISE_MS = 10.0  # it comes in pieces, so far apart
QUIET, NOISE, BEGINNINGS = (
    "quiet",
    "noise",
    "beginnings of reader 0's answers",
)  #: what is on the line
_FD = 1_000_000  # of no file: only `VirtualTime` waits on it


def frame(address: int, number: int, code: int) -> bytes:
    """One frame of a code and no data."""
    head = bytes((0x53, address, 8, 0, number | 4, code))
    return head + (binascii.crc_hqx(head, 0x1D0F)).to_bytes(2, "little")


class VirtualTime(BusTime):
    """Moves on when somebody waits.

    day_ms  float  the time of day at its start: what libosdp reckons by may be set while it runs
    """

    def __init__(self) -> None:
        self.at_ms = 0.0
        self.day_ms = 0.0
        self.wire: Wire | None = None

    def now_ms(self) -> int:
        return int(self.at_ms)

    def wait(self, descriptor: int, ms: int) -> bool:
        until_ms = self.at_ms + max(ms, 1)
        due_ms = None if self.wire is None else self.wire.next_ms()
        if descriptor == _FD and due_ms is not None and due_ms <= until_ms:
            self.at_ms = max(self.at_ms, due_ms)
            return True
        self.at_ms = until_ms
        return False


class Side:
    """One reader at the wire."""

    def __init__(self) -> None:
        self.silent = False
        #: commands that it, or who is between, answers so that the library takes it off line
        self.refuses: tuple[int, ...] = ()
        #: how many polls after each handshake are answered rightly; None: all
        self.stands: int | None = None
        self.hushes = False  #: and the others not at all
        self.spoils = 0  #: one of `SPOILT`: so its cards come, and the library takes it off line
        self.polls = 0
        self.delay_ms = 3.0
        #: cards that were shown to it and not asked for yet
        self.cards = 0
        #: when it was asked, and when its answers were whole
        self.asked_ms: list[float] = []
        self.answered_ms: list[float] = []
        self.challenged_ms: list[float] = []


class Wire(ByteStream):
    """The bus's port, with the readers behind it."""

    name = "/dev/ttyUSB0"

    def __init__(self, time: VirtualTime, baud: int) -> None:
        self._time = time
        self._byte_ms = 10_000 / baud
        self._coming: list[tuple[float, bytes]] = []
        self.sides: dict[int, Side] = {}
        self.there = True
        self.opened_ms: list[float] = []
        self._random = random.Random(12)
        self._carries = QUIET
        self._noise_ms = 0.0

    def carry(self, what: str) -> None:
        """From now on, NOISE or BEGINNINGS without a pause, between what the readers say; or QUIET."""
        self._carries = what
        self._noise_ms = self._time.at_ms

    def open(self) -> None:
        self._check()
        self._coming.clear()
        self.opened_ms.append(self._time.at_ms)

    def read(self) -> bytes:
        self._check()
        while self._carries != QUIET and self._noise_ms <= self._time.at_ms:
            size = int(_NOISE_MS / self._byte_ms)
            noise = (
                self._random.randbytes(size) if self._carries == NOISE else b"\x53\x80\x40\0" * size
            )
            self._coming.append((self._noise_ms, noise[:size]))
            self._noise_ms += _NOISE_MS
        self._coming.sort(key=lambda one: one[0])
        here = [data for at_ms, data in self._coming if at_ms <= self._time.at_ms]
        self._coming = [one for one in self._coming if one[0] > self._time.at_ms]
        return b"".join(here)

    def write(self, data: bytes) -> int:
        self._check()
        start = data.index(0x53)
        side = self.sides[data[start + 1]]
        side.asked_ms.append(self._time.at_ms)
        if data[start + 5] == frames.CHALLENGE:
            side.challenged_ms.append(self._time.at_ms)
            side.polls = 0
        if not side.silent:
            side.polls += data[start + 5] == POLL
            broken = data[start + 5] == POLL and side.polls > (side.stands or side.polls)
            if broken and side.hushes:
                return len(data)
            code = NAK if broken or data[start + 5] in side.refuses else ACK
            if code == ACK and data[start + 5] == POLL and side.cards:
                code = side.spoils or CARD
                side.cards -= 1
            reply = frame(data[start + 1] | 0x80, data[start + 4] & 3, code)
            at_ms = self._time.at_ms + side.delay_ms
            at_ms += (len(data) + len(reply)) * self._byte_ms
            self._coming.append((at_ms, reply))
            side.answered_ms.append(at_ms)
        return len(data)

    def fileno(self) -> int:
        return _FD

    def close(self) -> None:
        pass

    def next_ms(self) -> float | None:
        """When something comes; with a port that has gone there is something to read at once."""
        if not self.there:
            return self._time.at_ms
        dues = [at_ms for at_ms, _ in self._coming]
        return min(dues if self._carries == QUIET else [*dues, self._noise_ms], default=None)

    def _check(self) -> None:
        if not self.there:
            raise DeviceUnavailableError(f"{self.name}: has gone; expected the reader plugged in")


class Library:
    """What stands in for `osdp_sys`: numbers for its names, and a panel."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._numbers: dict[str, int] = {}

    def __getattr__(self, name: str) -> int:
        if not name.isupper():
            raise AttributeError(name)
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    def ControlPanel(self, about: list[dict[str, Any]]) -> "Panel":  # noqa: N802  the library's name
        return Panel(self, self._time, about[0])


class Panel:
    """The library's side of one reader."""

    def __init__(self, library: Library, time: VirtualTime, about: dict[str, Any]) -> None:
        self._library = library
        self._time = time
        self._address = about["address"]
        self._channel = about["channel"]
        self._tell: Any = None
        self._step = 0
        self._number = 0
        self._waits = False
        self._enabled = True
        self._waking = False
        self._wanted: list[int] = []
        self._heard_ms = 0.0

    def set_event_callback(self, tell: Any) -> None:
        self._tell = tell

    def status(self) -> int:
        return int(self._step >= len(frames.HANDSHAKE))

    sc_status = status

    def check_capability(self, index: int, capability: int) -> tuple[int, int]:
        return 1, 1

    def submit_command(self, index: int, command: dict[str, Any]) -> bool:
        self._wanted.append(0x68)
        return True

    def disable_pd(self, index: int) -> None:
        self._enabled = False
        if not self._waits:
            self._step = 0

    def is_pd_enabled(self, index: int) -> bool:
        return self._enabled or self._waits

    def enable_pd(self, index: int) -> None:
        self._enabled = self._waking = True

    def refresh(self) -> None:
        if self._waking:
            self._waking = False  # a step of its own, as libosdp's
        elif self._waits:
            self._answered(self._channel.read(512))
        elif self._enabled:
            self._ask()

    def _answered(self, reply: bytes) -> None:
        if not reply:
            return
        self._waits = False
        self._heard_ms = self._time.day_ms + self._time.at_ms
        if not self._enabled:
            self._step = 0
        elif reply[5] in (NAK, *SPOILT) or reply != frame(reply[1], reply[4] & 3, reply[5]):
            self._off()
        elif self._step < len(frames.HANDSHAKE):
            self._step += 1
        elif reply[5] == CARD:
            kind = self._library.EVENT_CARDREAD
            self._tell(0, {"event": kind, "data": bytes(4), "length": 26})

    def _off(self) -> None:
        self._step = 0
        library = self._library
        kind = library.EVENT_NOTIFICATION_PD_STATUS
        self._tell(0, {"event": library.EVENT_NOTIFICATION, "type": kind, "arg0": 0, "arg1": 0})

    def _ask(self) -> None:
        if self._step < len(frames.HANDSHAKE):
            code = frames.HANDSHAKE[self._step]
        elif self._wanted:
            code = self._wanted.pop(0)
        elif self._time.day_ms + self._time.at_ms - self._heard_ms >= _ASKS_AFTER_MS:
            code = POLL
        else:
            return
        self._number = self._number % 3 + 1 if self._step else 0
        self._waits = True
        self._channel.write(frame(self._address, self._number, code))


class VirtualBus:
    """So many readers on one bus, all of them on line after `settle`."""

    def __init__(self, readers: int, baud: int = 38_400) -> None:
        self.time = VirtualTime()
        self.wire = self.time.wire = Wire(self.time, baud)
        self.bus = Bus(self.wire, baud, self.time)
        #: what each was said to be: (ms, problem), None: it is back
        self.told: dict[int, list[tuple[float, str | None]]] = {}
        self.sides = self.wire.sides
        #: when a card of each was told
        self.cards: dict[int, list[float]] = {}
        for address in range(readers):
            self.sides[address] = Side()
            self.told[address] = []
            self.cards[address] = []
            self.bus.add(lambda address=address: self._link(address))  # type: ignore[misc]

    def run(self, ms: float) -> None:
        """So much time passes."""
        until_ms = self.time.at_ms + ms
        while self.time.at_ms < until_ms:
            self.bus.turn()

    def lost_ms(self, address: int, since: int = 0) -> list[float]:
        """When it was said to be lost."""
        return [at_ms for at_ms, problem in self.told[address][since:] if problem is not None]

    def back_ms(self, address: int) -> list[float]:
        """When it was said to be back."""
        return [at_ms for at_ms, problem in self.told[address] if problem is None]

    def _link(self, address: int) -> Link:
        def state(problem: str | None) -> None:
            told = self.told[address]
            if problem != (told[-1][1] if told else None):  # as LibosdpReader tells it
                told.append((self.time.at_ms, problem))

        def say(kind: str, data: object) -> None:
            if kind == BITS:
                self.cards[address].append(self.time.at_ms)

        return Link(Library(self.time), address, bytes(16), say, state)
