"""OSDP readers on RS-485 through libosdp, above whatever opens serial ports.

What a reader says is put into a queue of `MOST` cards and keys by the thread of its bus; the event loop is
woken by a descriptor and never waits. What a reader is (lost, tampered with, without power) is kept as it is
now, so nothing of that can be dropped.
"""

import collections
import importlib
import os
import threading
from collections.abc import Callable
from typing import Any

from hal.backends.osdp_bus import Bus
from hal.backends.osdp_link import Link
from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import BACK, BITS, LOST, BusReader, ReaderBuses, SerialPorts

MOST = 64  #: cards and keys of one reader that wait; what comes then is dropped and counted


class LibosdpReader(BusReader):
    """One reader. Made by `LibosdpBuses.reader`."""

    def __init__(self, library: Any, device: str, address: int, bus: Bus) -> None:
        self.name = f"{device}: {bus.name} address {address}"
        self.address = address
        self._library = library
        self._bus = bus
        self._lock = threading.Lock()
        self._waiting: collections.deque[tuple[str, Any]] = collections.deque()
        self._dropped = 0
        self._now: dict[str, Any] = {}
        self._told: dict[str, Any] = {LOST: ""}
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._link: Link | None = None
        self._light = 0
        self._sound = False
        self._closed = False

    def take(self) -> list[tuple[str, Any]]:
        """See `BusReader.take`."""
        with self._lock:
            try:
                os.eventfd_read(self._event)
            except (BlockingIOError, OSError):
                pass
            said = list(self._waiting)
            self._waiting.clear()
            for kind in sorted(self._now):
                if self._now[kind] != self._told.get(kind):
                    self._told[kind] = self._now[kind]
                    back = kind == LOST and not self._now[kind]
                    said.append((BACK, None) if back else (kind, self._now[kind]))
            return said

    def lost(self) -> int:
        """See `BusReader.lost`."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def light(self, red: bool, green: bool) -> None:
        """See `BusReader.light`."""
        library = self._library
        self._light = {
            (False, False): library.LED_COLOR_NONE,
            (True, False): library.LED_COLOR_RED,
            (False, True): library.LED_COLOR_GREEN,
            (True, True): library.LED_COLOR_AMBER,
        }[red, green]
        self._pass_on()

    def sound(self, on: bool) -> None:
        """See `BusReader.sound`."""
        self._sound = on
        self._pass_on()

    def fileno(self) -> int:
        """The descriptor; -1 once it is closed."""
        return -1 if self._closed else self._event

    def close(self) -> None:
        """See `BusReader.close`. The bus ends with its first reader: they are let go together."""
        self._bus.close()
        if not self._closed:
            self._closed = True
            os.close(self._event)

    @property
    def up(self) -> bool:
        """Whether it is on line in its secure channel, as its bus last saw it."""
        return self._link is not None and self._link.seen_up

    @property
    def answers(self) -> bool:
        """Whether it has answered at all."""
        return self._link is not None and self._link.heard

    @property
    def has_key(self) -> bool:
        """Whether it has taken the key of `give_key`."""
        return self._link is not None and self._link.key_taken

    def give_key(self, key: bytes) -> None:
        """Have it given a new key."""
        if self._link is not None:
            self._link.new_key = key
            self._bus.wake()

    def linked(self, link: Link) -> None:
        """In the thread of its bus: the link is made."""
        self._link = link
        self._pass_on()

    def say(self, kind: str, data: Any) -> None:
        """In the thread of its bus: the reader has said something."""
        with self._lock:
            if kind != BITS:
                self._now[kind] = data
            elif len(self._waiting) < MOST:
                self._waiting.append((kind, data))
            else:
                self._dropped += 1
            os.eventfd_write(self._event, 1)

    def set_problem(self, problem: str | None) -> None:
        """In the thread of its bus: it is lost, or back."""
        own = problem or ""
        if own and not own.startswith(self._bus.name):
            own = f"{self.name}: {own}"
        if own != self.problem:
            self.problem = own
            self.say(LOST, own)

    def _pass_on(self) -> None:
        link = self._link
        if link is not None:
            link.want(self._light, self._sound)
            self._bus.wake()


class LibosdpBuses(ReaderBuses):
    """The OSDP buses of this machine.

    ports  what opens the serial lines
    key    callable (device)  the reader's key, 16 bytes, or None: it has none yet; raises
           `hal.errors.DeviceUnavailableError` if it cannot be read
    """

    def __init__(self, ports: SerialPorts, key: Callable[[str], bytes | None]) -> None:
        self._ports = ports
        self._key = key
        self._buses: dict[str, Bus] = {}
        self._addresses: dict[tuple[str, int], str] = {}

    def reader(
        self, device: str, port: str, baud: int, address: int, install: bool = False
    ) -> LibosdpReader:
        """See `ReaderBuses.reader`. A reader without a key is never asked, and said to be lost.

        install  give it its key if it waits for one under the default key
        """
        library = load()
        other = self._addresses.setdefault((port, address), device)
        if other != device:
            raise LineBusyError(f"{port}: address {address} is {other}'s; expected one of its own")
        bus = self._buses.get(port)
        if bus is None:
            bus = self._buses[port] = Bus(self._ports.stream(port, baud), baud)
        reader = LibosdpReader(library, device, address, bus)
        key = self._key(device)
        if key is None:
            reader.set_problem(f"has no key; expected it given by --osdp-install {device}")
            return reader

        def make() -> Link:
            link = Link(library, address, key, reader.say, reader.set_problem, install)
            reader.linked(link)
            return link

        bus.add(make)
        bus.start()
        return reader

    def close(self) -> None:
        """See `ReaderBuses.close`."""
        for bus in self._buses.values():
            bus.close()
        self._buses = {}
        self._addresses = {}


def load() -> Any:
    """The library, quiet. Raises `hal.errors.DeviceUnavailableError` where it is not installed."""
    try:
        library = importlib.import_module("osdp_sys")
    except ImportError as error:
        raise DeviceUnavailableError(
            "libosdp: the library is not installed; expected the Python package libosdp"
        ) from error
    library.set_loglevel(library.LOG_EMERG)
    return library
