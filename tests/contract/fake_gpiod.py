"""libgpiod's Python module over chips that a test holds; enums, settings and events are the real ones.

Imitates what `hal.backends.gpiod_lines` leans on, as seen on Linux 6.1 with gpio-sim: a second owner gets
EBUSY; edges are named by the line's active level; a full buffer keeps the newest edges and the line's
sequence numbers show the gap; the descriptor is readable while an edge waits; a released line goes back
to its pull, and so does one whose request nobody refers to. Does not imitate: time between an edge and
its stamp, debounce in the kernel, lines with other functions, a driver's own limits.
"""

import errno
import os
import time
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gpiod

ACTIVE = gpiod.line.Value.ACTIVE
INACTIVE = gpiod.line.Value.INACTIVE


class FakeLine:
    """One line of a chip, from outside."""

    def __init__(self) -> None:
        self.high = True
        #: every level it showed since it became an output, oldest first
        self.shown: list[bool] = []
        self._owner: Callable[[], FakeRequest | None] = _nobody

    @property
    def owner(self) -> "FakeRequest | None":
        """Who has it. A request that nobody refers to any more has let it go."""
        return self._owner()

    def own(self, request: "FakeRequest | None") -> None:
        """It is `request`'s from now on."""
        self._owner = _nobody if request is None else weakref.ref(request)


def _nobody() -> None:
    return None


class FakeChip:
    """One chip behind one device file."""

    def __init__(self, label: str, count: int = 58, names: dict[str, int] | None = None) -> None:
        self.label = label
        self.names = names or {}
        self.lines = [FakeLine() for _ in range(count)]

    def drive(self, offset: int, high: bool) -> None:
        """The world pulls an input."""
        line = self.lines[offset]
        if line.high != high:
            line.high = high
            if line.owner is not None:
                line.owner.edge(offset, high)


class FakeGpiod:
    """Stands in for the module `gpiod`: chips by the path of their file."""

    line = gpiod.line
    LineSettings = gpiod.LineSettings
    EdgeEvent = gpiod.EdgeEvent

    def __init__(self, chips: dict[str, FakeChip]) -> None:
        self.chips = chips
        self.denied: dict[str, int] = {}
        self.opened: list[str] = []

    def Chip(self, path: str) -> "FakeHandle":  # noqa: N802  the library's own name
        """Open a chip."""
        if path in self.denied:
            number = self.denied[path]
            raise OSError(number, os.strerror(number))
        self.opened.append(path)
        return FakeHandle(self, path)


class FakeHandle:
    """An open chip."""

    def __init__(self, library: FakeGpiod, path: str) -> None:
        self._library = library
        self._path = path
        self._chip = library.chips[path]

    def get_info(self) -> Any:
        """Label and number of lines."""
        return SimpleNamespace(label=self._chip.label, num_lines=len(self._chip.lines))

    def get_line_info(self, offset: int) -> Any:
        """Who has the line."""
        owner = self._chip.lines[offset].owner
        return SimpleNamespace(used=owner is not None, consumer=owner.consumer if owner else "")

    def line_offset_from_id(self, name: str) -> int:
        """The line of that name."""
        if name not in self._chip.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self._chip.names[name]

    def request_lines(self, config: Any, consumer: str, event_buffer_size: int) -> "FakeRequest":
        """Claim lines, all with the settings of their entry."""
        ((offsets, settings),) = config.items()
        if len(set(offsets)) != len(offsets):
            raise ValueError("line must be configured exactly once")
        if any(self._chip.lines[offset].owner is not None for offset in offsets):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return FakeRequest(self._chip, offsets, settings, consumer, event_buffer_size)

    def close(self) -> None:
        """Close the chip; requests live on."""
        self._library.opened.remove(self._path)


class FakeRequest:
    """Lines that somebody has."""

    def __init__(
        self, chip: FakeChip, offsets: tuple[int, ...], settings: Any, consumer: str, size: int
    ) -> None:
        self.consumer = consumer
        self.settings = settings
        self.size = size
        self.gone = False
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self._chip = chip
        self._offsets = offsets
        self._events: list[Any] = []
        self._sequence = dict.fromkeys(offsets, 0)
        for offset in offsets:
            line = chip.lines[offset]
            line.own(self)
            if settings.direction == gpiod.line.Direction.OUTPUT:
                line.high = (settings.output_value == ACTIVE) != settings.active_low
                line.shown = [line.high]

    def set_value(self, offset: int, value: Any) -> None:
        """Drive an output."""
        self._check()
        line = self._chip.lines[offset]
        line.high = (value == ACTIVE) != self.settings.active_low
        line.shown.append(line.high)

    def get_values(self, offsets: list[int]) -> list[Any]:
        """The logical levels."""
        self._check()
        low = self.settings.active_low
        return [ACTIVE if self._chip.lines[offset].high != low else INACTIVE for offset in offsets]

    def edge(self, offset: int, high: bool) -> None:
        """The line has moved."""
        if self.settings.edge_detection == gpiod.line.Edge.NONE:
            return
        types = gpiod.EdgeEvent.Type
        kind = types.RISING_EDGE if high != self.settings.active_low else types.FALLING_EDGE
        self._sequence[offset] = (self._sequence[offset] + 1) & 0xFFFFFFFF
        self.arrive(kind, offset, self._sequence[offset], time.monotonic_ns())

    def arrive(self, kind: Any, offset: int, sequence: int, at_ns: int) -> None:
        """An edge reaches the buffer."""
        if len(self._events) >= self.size:
            self._events.pop(0)
        self._events.append(gpiod.EdgeEvent(kind.value, at_ns, offset, 0, sequence))
        os.eventfd_write(self.fd, 1)

    def count_from(self, sequence: int) -> None:
        """Have the lines' sequence numbers go on from here."""
        self._sequence = dict.fromkeys(self._offsets, sequence)

    def wait_edge_events(self, timeout: float) -> bool:
        """Whether an edge waits."""
        assert timeout == 0, "a driver never waits"
        self._check()
        return bool(self._events)

    def read_edge_events(self) -> list[Any]:
        """Up to 64 edges, oldest first, as the library reads at a time."""
        assert self._events, "the library would wait here"
        events, self._events = self._events[:64], self._events[64:]
        if not self._events:
            os.eventfd_read(self.fd)
        return events

    def release(self) -> None:
        """Let the lines go; they fall back to their pull."""
        os.close(self.fd)
        for offset in self._offsets:
            self._chip.lines[offset].own(None)
            self._chip.lines[offset].high = True

    def _check(self) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
