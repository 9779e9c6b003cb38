"""A fake of the board's digital lines, at the level of electricity. Portable.

Every name exists. What hangs on a line outside (`drive`) pulls it high, low or lets it float; an input
that floats goes where its pull takes it.
"""

from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import DigitalInputs, DigitalOutput, Edge, Lines, Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BUFFER = 1024  #: edges kept of one request; then the oldest go, as in the kernel


class _Output(DigitalOutput):
    """One claimed output."""

    def __init__(self, lines: "FakeLines", name: str, active_low: bool, on: bool) -> None:
        self.name = name
        self._lines: FakeLines | None = lines
        self._active_low = active_low
        self._on = self._safe = on

    def write(self, on: bool) -> None:
        """Drive the line."""
        if self._lines is None:
            raise DeviceUnavailableError("line %s: no longer ours; expected it open" % self.name)
        self._on = on
        self._lines._put(self.name, on != self._active_low)

    def read(self) -> bool:
        """The level last driven."""
        return self._on

    def close(self) -> None:
        """Go back to the safe level and let the line go."""
        if self._lines is not None:
            lines = self._lines
            self.write(self._safe)
            self._lines = None
            del lines._claims[self.name]
            lines._put(self.name, None)

    def forget(self) -> None:
        """The power has gone: whoever holds this holds nothing."""
        self._lines = None


class _Inputs(DigitalInputs):
    """One request for inputs."""

    wakes = True

    def __init__(self, lines: "FakeLines", names: "list[str]", active_low: bool, pull: str) -> None:
        self.names = tuple(names)
        self._lines: FakeLines | None = lines
        self._active_low = active_low
        # Without a pull of the board's own there is a resistor outside: the line rests.
        self._floats_high = pull == "up" if pull in ("up", "down") else active_low
        self._levels = [self._level(lines.driven.get(name)) for name in names]
        self._edges: list[Edge] = []
        self._lost = 0

    def levels(self) -> "list[bool]":
        """The levels now."""
        self._check()
        return list(self._levels)

    def take(self) -> "list[Edge]":
        """Every edge since the last call."""
        self._check()
        edges = self._edges
        self._edges = []
        return edges

    def lost(self) -> int:
        """How many edges there was no room for since the last call."""
        lost = self._lost
        self._lost = 0
        return lost

    def close(self) -> None:
        """Let the lines go."""
        if self._lines is not None:
            for name in self.names:
                del self._lines._claims[name]
            self._lines = None

    def forget(self) -> None:
        """The power has gone: whoever holds this holds nothing."""
        self._lines = None

    def driven(self, name: str, high: "bool | None", at_ms: int) -> None:
        """A line was driven from outside."""
        line = self.names.index(name)
        level = self._level(high)
        if level == self._levels[line]:
            return
        self._levels[line] = level
        if len(self._edges) >= BUFFER:
            self._edges.pop(0)
            self._lost += 1
        self._edges.append(Edge(line, level, at_ms))
        if self.ready is not None:
            self.ready()

    def _level(self, high: "bool | None") -> bool:
        return (self._floats_high if high is None else high) != self._active_low

    def _check(self) -> None:
        if self._lines is None:
            raise DeviceUnavailableError("lines: no longer ours; expected them open")


class FakeLines(Lines):
    """The lines of one board.

    on_output  callable (name, high) or None  told of every change of an output: True, False, or None
               when nothing drives the line (it was let go, or the power went)

    Does not imitate: voltages between high and low, currents, a line driven against an output, edges
    lost by a slow kernel, chips that are missing, levels of pins before they are claimed. Chatter and
    pulses are the world's (`sim.switch`, `sim.wires`).
    """

    def __init__(self, ticks: Ticks) -> None:
        self.ticks = ticks
        self.on_output: Callable[[str, bool | None], None] | None = None
        #: line name -> True, False or None (floating), as `drive` left it
        self.driven: dict[str, bool | None] = {}
        self._claims: dict[str, _Output | _Inputs] = {}
        self._outputs: dict[str, bool | None] = {}

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        """Claim `name` as an output; it has its level before anybody can look."""
        self._free(name)
        output = _Output(self, name, active_low, on)
        self._claims[name] = output
        self._put(name, on != active_low)
        return output

    def inputs(self, names: "list[str]", active_low: bool, pull: str) -> DigitalInputs:
        """Claim `names`, all of them or none."""
        for index, name in enumerate(names):
            self._free(name)
            if name in names[:index]:
                raise LineBusyError("line %s: asked for twice; expected each line once" % name)
        inputs = _Inputs(self, names, active_low, pull)
        for name in names:
            self._claims[name] = inputs
        return inputs

    def close(self) -> None:
        """Let every line go, outputs by their safe level."""
        for name in sorted(self._claims):
            claim = self._claims.get(name)
            if claim is not None:
                claim.close()

    def drive(self, name: str, high: "bool | None", late_ms: int = 0) -> None:
        """The world pulls `name` high or low, or lets it float (None); it did so `late_ms` ago."""
        if self.driven.get(name) == high:
            return
        self.driven[name] = high
        claim = self._claims.get(name)
        if isinstance(claim, _Inputs):
            claim.driven(name, high, self.ticks.ticks_ms() - late_ms)

    def output_level(self, name: str) -> "bool | None":
        """What an output drives: True is high, None is nothing."""
        return self._outputs.get(name)

    def level(self, name: str) -> bool:
        """Whether the line is high; an output that nothing drives, or without power, is low."""
        return bool(self._outputs.get(name)) or bool(self.driven.get(name))

    def claimed(self) -> "list[str]":
        """The names of the lines that are open."""
        return sorted(self._claims)

    def power_off(self) -> None:
        """The board loses its power: every claim is forgotten, no output drives anything.

        What held a line raises `hal.errors.DeviceUnavailableError`; its `close` does nothing. There is
        no power_on: the next start claims its lines anew.
        """
        for name in sorted(self._claims):
            self._claims[name].forget()
        self._claims = {}
        for name in sorted(self._outputs):
            self._put(name, None)

    def _free(self, name: str) -> None:
        if name in self._claims:
            raise LineBusyError("line %s: in use; expected a line that nobody has" % name)

    def _put(self, name: str, high: "bool | None") -> None:
        if name in self._outputs and self._outputs[name] == high:
            return
        self._outputs[name] = high
        if self.on_output is not None:
            self.on_output(name, high)
