"""Extra digital lines: the I2C expander MCP23017 (Microchip DS20001952, registers with IOCON.BANK = 0).

From power-up every pin is an input without a pull. A line gets its level in OLAT before IODIR makes it an
output. The chip is not reset with the board, so it keeps what it was told; and it may lose its own supply
while the board runs: it is then found with its registers as from power-up, and told everything again.

Inputs are looked at by the bus's thread (`chip_poller`), so an edge is dated up to `PERIOD_MS` late and
what lasts less is not seen: contacts and buttons, never a reader's pulses. An output is driven by the same
thread, a few milliseconds after `write`, which raises while the chip is known to have gone.

A chip that does not answer when a line is claimed may come later: the line is claimed, cannot be read or
written until then, and the chip is told everything as soon as it is there.
"""

import os
from collections import deque

from hal.backends.chip_poller import ChipPoller
from hal.backends.i2c_bus import I2cBus
from hal.errors import (
    BoardConfigError,
    DeviceUnavailableError,
    HalError,
    LineBusyError,
    LineUnknownError,
)
from hal.ports import DigitalInputs, DigitalOutput, Edge, Lines, Ticks

IODIR, IPOL, GPINTEN, GPPU, GPIO, OLAT = 0x00, 0x02, 0x04, 0x0C, 0x12, 0x14

PINS = {f"GP{port}{bit}": (ord(port) - ord("A")) * 8 + bit for port in "AB" for bit in range(8)}
OUTPUT_ONLY = ("GPA7", "GPB7")  #: DS20001952D, 1.0: reading them may upset the bus

BUFFER = 256  #: edges kept of one request; then the oldest go
_CHECK_TURNS = 10  #: turns from one look at whether the chip has lost its supply to the next


class Mcp23017Lines(Lines):
    """The sixteen lines of one chip, ``NAME.GPA0`` to ``NAME.GPB7``.

    name     str         the chip's in the config
    bus      I2cBus
    address  int         0x20 to 0x27
    ticks    Ticks       the clock that dates an edge
    poller   ChipPoller  that of the bus
    """

    def __init__(
        self, name: str, bus: I2cBus, address: int, ticks: Ticks, poller: ChipPoller
    ) -> None:
        self._name = name
        self._bus = bus
        self._address = address
        self._ticks = ticks
        self._poller = poller
        self._claims: dict[int, _Output | _Inputs] = {}
        # What the chip is to hold: a bit a pin.
        self._outputs = 0xFFFF  # IODIR: 1 is an input
        self._pulls = 0
        self._latch = 0
        self._driven = -1  # what OLAT was last told
        self._levels = 0
        self._known = False  # the chip has been told everything since it last failed
        self._turns = 0
        self.problem: HalError | None = None

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        """See `Lines.output`."""
        pin = self._free(name)
        self._bus.load()
        with self._poller.bus_lock:
            self._latch = _put(self._latch, pin, on != active_low)
            self._outputs = _put(self._outputs, pin, False)
            self._claimed()
            output = self._claims[pin] = _Output(self, name, pin, active_low, on)
        self._poller.add(self)
        return output

    def inputs(self, names: list[str], active_low: bool, pull: str) -> DigitalInputs:
        """See `Lines.inputs`. Raises `hal.errors.BoardConfigError` for a pull that it has not."""
        pins: list[int] = []
        for name in names:
            pin = self._free(name)
            if pin in pins:
                raise LineBusyError(f"{name}: named twice; expected lines of their own")
            pins.append(pin)
            wrong = no_input(name.rpartition(".")[2], pull)
            if wrong is not None:
                raise BoardConfigError([f"{name}: {wrong}"])
        self._bus.load()
        with self._poller.bus_lock:
            for pin in pins:
                self._pulls = _put(self._pulls, pin, pull == "up")
                self._outputs = _put(self._outputs, pin, True)
            self._claimed()
            inputs = _Inputs(self, tuple(names), pins, active_low)
            for pin in pins:
                self._claims[pin] = inputs
        self._poller.add(self)
        return inputs

    def close(self) -> None:
        """See `Lines.close`; raises the first error, after the last line was let go."""
        failed: HalError | None = None
        for claim in list(dict.fromkeys(self._claims.values())):
            try:
                claim.close()
            except HalError as error:
                failed = failed or error
        self._poller.remove(self)
        self._bus.close()
        if failed is not None:
            raise failed

    # ---- on the bus's thread -------------------------------------------------------------------------

    def turn(self) -> None:
        """See `chip_poller.Chip.turn`."""
        try:
            self._turns = (self._turns + 1) % _CHECK_TURNS
            if self._known and not self._turns and not self._as_told():
                self._known = False
            if not self._known:
                self._tell()
            elif self._driven != self._latch:
                self._drive()
            self._levels = self._read(GPIO)
        except HalError as error:
            self._known = False
            self._fail(error)
            return
        at_ms = self._ticks.ticks_ms()
        for claim in list(dict.fromkeys(self._claims.values())):
            if isinstance(claim, _Inputs):
                claim.look(self._levels, at_ms)
        self._fail(None)  # not before: who asks is told levels from then on

    def _claimed(self) -> None:
        """Tell the chip at once. One that is silent is asked once and not for each line: a bus that hangs
        takes a second for each transfer."""
        if self.problem is not None:
            return
        try:
            self._tell()
            self._levels = self._read(GPIO)
        except HalError as error:
            self._known = False
            self.problem = error

    def _fail(self, error: HalError | None) -> None:
        changed = (error is None) != (self.problem is None)
        self.problem = error
        if changed:
            for claim in list(dict.fromkeys(self._claims.values())):
                if isinstance(claim, _Inputs):
                    claim.wake()

    def _tell(self) -> None:
        """Everything that the chip is to hold; levels before directions."""
        self._known = False
        self._drive()
        for register, value in ((GPINTEN, 0), (IPOL, 0), (GPPU, self._pulls)):
            self._write(register, value)
        self._write(IODIR, self._outputs)
        self._known = True

    def _drive(self) -> None:
        wanted = self._latch
        self._driven = -1
        self._write(OLAT, wanted)
        self._driven = wanted

    def _as_told(self) -> bool:
        return self._read(IODIR) == self._outputs and self._read(GPPU) == self._pulls

    def _write(self, register: int, value: int) -> None:
        for port in (0, 1):
            self._bus.write_byte(self._address, register + port, value >> 8 * port & 0xFF)

    def _read(self, register: int) -> int:
        low, high = self._bus.read_bytes(self._address, register, 2)
        return low | high << 8

    # ---- claims --------------------------------------------------------------------------------------

    def _free(self, name: str) -> int:
        chip, _, short = name.rpartition(".")
        if chip != self._name or short not in PINS:
            raise LineUnknownError(
                f"{name}: {self._name} has no such line; expected {self._name}.GPA0 to GPB7"
            )
        if PINS[short] in self._claims:
            raise LineBusyError(f'{name}: "doorward" has the line; expected a free one')
        return PINS[short]

    def _want(self, pin: int, high: bool) -> None:
        self._latch = _put(self._latch, pin, high)
        self._poller.hurry()


def no_input(terminal: str, pull: str) -> str | None:
    """Why `terminal` cannot be an input with that pull; None: it can."""
    if terminal in OUTPUT_ONLY:
        return f"an MCP23017's {terminal} is an output only; expected another pin for an input"
    if pull == "down":
        return 'an MCP23017 has pull-ups only; expected pull = "up", or "none" with a resistor'
    return None


def _put(bits: int, pin: int, on: bool) -> int:
    return bits | 1 << pin if on else bits & ~(1 << pin)


class _Output(DigitalOutput):
    def __init__(
        self, chip: Mcp23017Lines, name: str, pin: int, active_low: bool, on: bool
    ) -> None:
        self.name = name
        self._chip: Mcp23017Lines | None = chip
        self._pin = pin
        self._active_low = active_low
        self._safe = self._on = on

    def write(self, on: bool) -> None:
        if self._chip is None:
            raise DeviceUnavailableError(f"{self.name}: closed; expected an open line")
        self._chip._want(self._pin, on != self._active_low)
        self._chip._poller.check(self.name)
        if self._chip.problem is not None:  # driven all the same when it is back
            raise DeviceUnavailableError(str(self._chip.problem))
        self._on = on

    def read(self) -> bool:
        return self._on

    def close(self) -> None:
        """The line stays an output at its safe level: as an input it would float."""
        if self._chip is None:
            return
        chip, self._chip = self._chip, None
        self._on = self._safe
        del chip._claims[self._pin]
        with chip._poller.bus_lock:
            chip._latch = _put(chip._latch, self._pin, self._safe != self._active_low)
            chip._drive()


class _Inputs(DigitalInputs):
    def __init__(
        self, chip: Mcp23017Lines, names: tuple[str, ...], pins: list[int], active_low: bool
    ) -> None:
        self.names = names
        self._chip: Mcp23017Lines | None = chip
        self._pins = pins
        self._active_low = active_low
        self._edges: deque[Edge] = deque(maxlen=BUFFER)
        self._lost = 0
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._last = self._logical(chip._levels)
        self._seen = chip.problem is None  # else nothing is known of its levels yet

    def levels(self) -> list[bool]:
        self._open()
        return list(self._last)

    def take(self) -> list[Edge]:
        chip = self._chip
        if chip is not None:
            try:
                os.eventfd_read(self._fd)
            except BlockingIOError:
                pass
        self._open()
        return [self._edges.popleft() for _ in range(len(self._edges))]

    def lost(self) -> int:
        lost, self._lost = self._lost, 0
        return lost

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        if self._chip is not None:
            chip, self._chip = self._chip, None
            with chip._poller.bus_lock:
                for pin in self._pins:
                    del chip._claims[pin]
                os.close(self._fd)
                self._fd = -1

    def look(self, bits: int, at_ms: int) -> None:
        """On the bus's thread: the chip's levels were read at `at_ms`."""
        found = self._logical(bits)
        if not self._seen:
            self._seen, self._last = True, found
        moved = [line for line, level in enumerate(found) if level != self._last[line]]
        for line in moved:
            self._lost += len(self._edges) == BUFFER
            self._edges.append(Edge(line, found[line], at_ms))
        self._last = found
        if moved:
            self.wake()

    def wake(self) -> None:
        """On the bus's thread: there is something to say."""
        os.eventfd_write(self._fd, 1)

    def _logical(self, bits: int) -> list[bool]:
        return [bool(bits >> pin & 1) != self._active_low for pin in self._pins]

    def _open(self) -> None:
        if self._chip is None:
            raise DeviceUnavailableError(f"{', '.join(self.names)}: closed; expected open lines")
        self._chip._poller.check(self.names[0])
        if self._chip.problem is not None:
            raise DeviceUnavailableError(str(self._chip.problem))
