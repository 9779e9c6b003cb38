"""Digital lines of a microcontroller through MicroPython's `machine.Pin`. Portable.

An interrupt writes each edge into a ring that is there from the start (a handler must not allocate) and
`take` empties it. Where the port's interrupt tells which edges it was for (``irq().flags()``), a pulse
that is over before the handler runs is still two edges; elsewhere the handler reads the level, and such
a pulse is counted as lost. Handlers are soft ones: their stamps are whole milliseconds anyway.

Every port of `machine.Pin` that takes ``value`` writes it before it sets the direction.
"""

from array import array

from hal.errors import DeviceUnavailableError, LineBusyError, LineUnknownError
from hal.ports import DigitalInputs, DigitalOutput, Edge, Lines, Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_RING = 256  #: edges; a power of two; three of the longest Wiegand bursts


class MachineTicks(Ticks):
    """`time.ticks_ms`, which starts again after 2**30 ms."""

    period_ms = 1 << 30

    def __init__(self) -> None:
        self._read: Any = __import__("time").ticks_ms

    def ticks_ms(self) -> int:
        """Milliseconds, from 0 up to `period_ms`."""
        now: int = self._read()
        return now


class MachineLines(Lines):
    """The pins of this microcontroller; ``GPIO17`` is pin 17, any other name the board's own."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._claims: dict[str, Any] = {}  # line: the port that has it

    def output(self, name: str, active_low: bool, on: bool) -> "DigitalOutput":
        """See `Lines.output`."""
        library = _library()
        known = self._free_pin(name)
        level = 1 if on != active_low else 0
        pin = _made(name, library, (known, library.OUT), {"value": level})
        output = _Output(self, name, pin, active_low, on)
        self._claims[name] = output
        return output

    def inputs(self, names: "list[str]", active_low: bool, pull: str) -> "DigitalInputs":
        """See `Lines.inputs`."""
        library = _library()
        resistor = {"up": library.PULL_UP, "down": library.PULL_DOWN, "none": None}[pull]
        pins: list[Any] = []
        for index in range(len(names)):
            known = self._free_pin(names[index])
            if names[index] in names[:index]:
                raise LineBusyError("%s: named twice; expected lines of their own" % names[index])
            pins.append(_made(names[index], library, (known, library.IN, resistor), {}))
        inputs = _Inputs(self, names, pins, active_low, library)
        for name in names:
            self._claims[name] = inputs
        return inputs

    def close(self) -> None:
        """See `Lines.close`. Outputs stay outputs, at their safe levels."""
        for name in sorted(self._claims):
            if name in self._claims:  # its neighbour's `close` may have been its own
                self._claims[name].close()

    def _free_pin(self, name: str) -> "int | str":
        """What `machine.Pin` calls the line `name`, which nobody has."""
        if name in self._claims:
            raise LineBusyError('%s: "doorward" has the line; expected a free one' % name)
        return int(name[4:]) if name[:4] == "GPIO" and name[4:].isdigit() else name


class _Output(DigitalOutput):
    def __init__(
        self, lines: MachineLines, name: str, pin: "Any", active_low: bool, on: bool
    ) -> None:
        self.name = name
        self._lines = lines
        self._pin = pin
        self._active_low = active_low
        self._safe = on
        self._on = on

    def write(self, on: bool) -> None:
        if self._pin is None:
            raise DeviceUnavailableError("%s: closed; expected an open line" % self.name)
        self._pin.value(1 if on != self._active_low else 0)
        self._on = on

    def read(self) -> bool:
        return self._on

    def close(self) -> None:
        # The pin stays an output at its safe level: let go, it would float.
        if self._pin is not None:
            self.write(self._safe)
            self._pin = None
            del self._lines._claims[self.name]


class _Inputs(DigitalInputs):
    def __init__(
        self,
        lines: MachineLines,
        names: "list[str]",
        pins: "list[Any]",
        active_low: bool,
        library: "Any",
    ) -> None:
        self.names = tuple(names)
        self._lines = lines
        self._pins = pins
        self._active_low = active_low
        self._ring = _Ring()
        for index in range(len(pins)):
            try:
                _Tap(names[index], index, pins[index], self._ring, lines._ticks, library)
            except LineUnknownError:
                for pin in pins[:index]:
                    pin.irq(handler=None)
                raise

    def levels(self) -> "list[bool]":
        if not self._pins:
            raise DeviceUnavailableError("%s: closed; expected open lines" % ", ".join(self.names))
        return [(pin.value() == 1) != self._active_low for pin in self._pins]

    def take(self) -> "list[Edge]":
        if not self._pins:
            raise DeviceUnavailableError("%s: closed; expected open lines" % ", ".join(self.names))
        return [
            Edge(entry >> 1, (entry & 1 == 1) != self._active_low, at_ms)
            for entry, at_ms in self._ring.drain()
        ]

    def lost(self) -> int:
        return self._ring.lost_since()

    def close(self) -> None:
        for index in range(len(self._pins)):
            self._pins[index].irq(handler=None)
            del self._lines._claims[self.names[index]]
        self._pins = []


class _Ring:
    """Edges from the interrupt to `take`: one writer, one reader, neither waits. Full: the newest go."""

    def __init__(self) -> None:
        #: what happened: the line's index in all bits but the last, the electrical level in that
        self._entries = array("H", [0] * _RING)
        self._times = array("i", [0] * _RING)
        self._head = 0  # where the next one goes; only the writer moves it
        self._tail = 0  # where the oldest is; only the reader moves it
        self.dropped = 0  # how many there was no room for, or that nobody saw; only the writer
        self._told = 0

    def put(self, entry: int, at_ms: int) -> None:
        """Add one edge. Called from the interrupt: allocates nothing."""
        after = (self._head + 1) & (_RING - 1)
        if after == self._tail:
            self.dropped += 1
            return
        self._entries[self._head] = entry
        self._times[self._head] = at_ms
        self._head = after

    def drain(self) -> "list[tuple[int, int]]":
        """Every edge, oldest first."""
        found = []
        while self._tail != self._head:
            found.append((self._entries[self._tail], self._times[self._tail]))
            self._tail = (self._tail + 1) & (_RING - 1)
        return found

    def lost_since(self) -> int:
        """How many were dropped since the last call."""
        dropped = self.dropped
        lost = dropped - self._told
        self._told = dropped
        return lost


class _Tap:
    """Listens to one pin. `_fired` is its interrupt handler."""

    def __init__(
        self, name: str, index: int, pin: "Any", ring: _Ring, ticks: Ticks, library: "Any"
    ) -> None:
        self._entry = index << 1
        self._ring = ring
        self._ticks = ticks
        self._falling: int = library.IRQ_FALLING
        self._rising: int = library.IRQ_RISING
        self._level: int = pin.value()
        self._flags: Any = None
        if not hasattr(pin, "irq"):
            raise LineUnknownError(
                "%s: has no interrupt; expected a pin that reports its edges" % name
            )
        both = self._falling | self._rising
        request = _made(name, pin.irq, (), {"handler": self._fired, "trigger": both})
        self._flags = getattr(request, "flags", None)

    def _fired(self, pin: "Any") -> None:
        at_ms = self._ticks.ticks_ms()
        flags: int = self._flags() if self._flags is not None else 0
        both = self._falling | self._rising
        if flags & both == both:
            self._saw(1 - self._level, at_ms)
            self._saw(1 - self._level, at_ms)
        elif flags & both:
            self._saw(1 if flags & self._rising else 0, at_ms)
        else:
            self._saw(pin.value(), at_ms)

    def _saw(self, level: int, at_ms: int) -> None:
        if level == self._level:
            self._ring.dropped += 1  # the edge between was over before we looked
            return
        self._level = level
        self._ring.put(self._entry | level, at_ms)


def _made(name: str, make: "Callable[..., Any]", given: "Any", named: "Any") -> "Any":
    """What `make` makes of the pin `name`. No ``raise from``: MicroPython warns of it at run time."""
    try:
        return make(*given, **named)
    except (ValueError, TypeError, OSError):
        pass
    raise LineUnknownError("%s: no such pin; expected one of this board, free for that" % name)


def _library() -> "Any":
    """`machine.Pin`."""
    pins = None
    try:
        pins = getattr(__import__("machine"), "Pin", None)
    except ImportError:
        pass
    if pins is None:
        raise DeviceUnavailableError(
            "machine: this interpreter has no pins; expected MicroPython on a microcontroller"
        )
    return pins
