# portable
"""Ports in the hand of a test: edges, bytes and failures exactly when the test wants them.

They imitate no electricity: no chatter of their own, no time. The simulator's fakes do that.
"""

from hal.errors import DeviceUnavailableError
from hal.ports import AnalogInput, BusReader, ByteStream, DigitalInputs, DigitalOutput, Edge


class FakeInputs(DigitalInputs):
    """Lines that a test moves."""

    def __init__(self, lines: int = 1) -> None:
        self.now = [False] * lines
        self.edges: list[Edge] = []
        self.missing = 0
        self.gone = False
        self.blind = False  # edges come, but the levels cannot be read

    def move(self, at_ms: int, level: bool, line: int = 0) -> None:
        """One edge."""
        self.now[line] = level
        self.edges.append(Edge(line, level, at_ms))

    def pulse(self, at_ms: int, line: int = 0, width_ms: int = 0) -> None:
        """Active and back."""
        self.move(at_ms, True, line)
        self.move(at_ms + width_ms, False, line)

    def bits(self, at_ms: int, bits: str, pitch_ms: int = 1) -> int:
        """A burst, one pulse each `pitch_ms`; the time of its last edge."""
        for bit in bits:
            self.pulse(at_ms, "01".find(bit))
            at_ms += pitch_ms
        return at_ms - pitch_ms

    def levels(self) -> list[bool]:
        self._check()
        if self.blind:
            raise DeviceUnavailableError("lines: cannot be read; expected a level")
        return list(self.now)

    def take(self) -> list[Edge]:
        self._check()
        edges = self.edges
        self.edges = []
        return edges

    def lost(self) -> int:
        missing = self.missing
        self.missing = 0
        return missing

    def _check(self) -> None:
        if self.gone:
            raise DeviceUnavailableError("lines: the chip is missing; expected it to be there")


class FakeBusReader(BusReader):
    """A reader on a bus that says what a test wants."""

    wakes = True

    def __init__(self) -> None:
        self.said: list[tuple[str, object]] = []
        self.shown: list[tuple[str, object]] = []

    def take(self) -> "list[tuple[str, object]]":
        said = self.said
        self.said = []
        return said

    def light(self, red: bool, green: bool) -> None:
        self.shown.append(("light", (red, green)))

    def sound(self, on: bool) -> None:
        self.shown.append(("sound", on))


class FakeStream(ByteStream):
    """A serial line that a test fills and unplugs."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.sent = b""
        self.gone = False
        self.is_open = False
        self.opened = 0

    def open(self) -> None:
        self._check()
        self.is_open = True
        self.opened += 1

    def read(self) -> bytes:
        self._check()
        assert self.is_open
        return self.arrived.pop(0) if self.arrived else b""

    def write(self, data: bytes) -> int:
        self._check()
        self.sent += data
        return len(data)

    def _check(self) -> None:
        if self.gone:
            self.is_open = False
            raise DeviceUnavailableError("port: unplugged; expected a device")


class FakeChannel(AnalogInput):
    """A level that a test sets; None: the converter does not answer."""

    def __init__(self, level: "int | None" = 333) -> None:
        self.level = level

    def read(self) -> int:
        if self.level is None:
            raise DeviceUnavailableError("adc0: no answer; expected the converter")
        return self.level


class FakeOutput(DigitalOutput):
    """A line that remembers every level."""

    def __init__(self) -> None:
        self.written: list[bool] = []
        self.gone = False

    def write(self, on: bool) -> None:
        if self.gone:
            raise DeviceUnavailableError("line: not ours any more; expected to hold it")
        self.written.append(on)

    def read(self) -> bool:
        return self.written[-1] if self.written else False


def test_a_burst_is_one_pulse_a_bit_on_the_line_of_its_value() -> None:
    inputs = FakeInputs(2)
    assert inputs.bits(5, "01", 2) == 7
    assert inputs.take() == [
        Edge(0, True, 5),
        Edge(0, False, 5),
        Edge(1, True, 7),
        Edge(1, False, 7),
    ]
    assert inputs.take() == []
    assert inputs.levels() == [False, False]
