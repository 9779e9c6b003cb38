"""The MCP23017 backend keeps the contract of the lines, on a chip that behaves as its data sheet says."""

import errno
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_i2c import FakeMcp23017, FakeSmbus2
from line_checks import CHECKS, Rig, refused

from hal.backends.chip_poller import ChipPoller
from hal.backends.i2c_bus import I2cBus
from hal.backends.mcp23017 import GPPU, IODIR, OLAT, PINS, Mcp23017Lines
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.errors import BoardConfigError, DeviceUnavailableError

ADDRESS = 0x20
STUB = os.environ.get("DOORWARD_I2C_STUB", "")  #: such as /dev/i2c-1, with i2c-stub chip_addr=0x20
PATIENCE_MS = 60_000


class ChipRig(Rig):
    """The backend on a chip of registers; the bus's thread is the test."""

    names = ("exp0.GPA0", "exp0.GPB1", "exp0.GPA6", "exp0.GPB2")
    unknown = "exp0.GPC0"
    buffer = 256

    def __init__(self) -> None:
        self.chip = FakeMcp23017()
        self.library = FakeSmbus2({ADDRESS: self.chip})
        self.ticks = MonotonicTicks()
        self.poller = ChipPoller(threaded=False)
        self.bus = I2cBus("/dev/i2c-1", self.library)
        self.lines = Mcp23017Lines("exp0", self.bus, ADDRESS, self.ticks, self.poller)

    def drive(self, name: str, high: bool) -> None:
        self.chip.world[PINS[name[5:]]] = high
        self.poller.turn()

    def level(self, name: str) -> bool:
        self.poller.turn()
        return self.chip.high(PINS[name[5:]])

    def shown(self, name: str) -> list[bool]:
        return self.chip.shown[PINS[name[5:]]]


@pytest.fixture
def rig() -> ChipRig:
    return ChipRig()


@pytest.mark.parametrize("check", [check for check in CHECKS if "gone_back" not in check.__name__])
def test_the_backend_keeps_the_contract(rig: ChipRig, check: Callable[[Rig], str | None]) -> None:
    if check.__name__ == "check_closing_the_board_lets_every_line_go":
        rig.sampled = True  # what was written and taken back between two turns is never driven
    assert check(rig) is None


def test_a_closed_output_stays_driven_at_its_safe_level(rig: ChipRig) -> None:
    for name, on in ((rig.names[0], False), (rig.names[1], True)):
        output = rig.lines.output(name, False, on)
        output.write(not on)
        assert rig.level(name) is not on
        output.close()
        assert rig.shown(name) == [on, not on, on]
        assert rig.chip.is_output(PINS[name[5:]])
        assert output.read() is on


def test_a_pin_gets_its_level_before_its_direction(rig: ChipRig) -> None:
    rig.lines.output("exp0.GPB3", False, True)
    written = [(register, value) for _, register, value in rig.library.log]
    assert written.index((OLAT + 1, 0x08)) < written.index((IODIR + 1, 0xF7))


def test_pins_that_nobody_claimed_stay_as_from_power_up(rig: ChipRig) -> None:
    rig.lines.output("exp0.GPA0", False, True)
    rig.lines.inputs(["exp0.GPB6"], True, "up")
    rig.lines.inputs(["exp0.GPB5"], True, "none")
    assert rig.chip.registers[IODIR : IODIR + 2] == [0xFE, 0xFF]
    assert rig.chip.registers[GPPU : GPPU + 2] == [0x00, 0x40]


@pytest.mark.parametrize("pin", ["GPA7", "GPB7"])
def test_a_pin_that_is_an_output_only_is_no_input(rig: ChipRig, pin: str) -> None:
    assert refused(BoardConfigError, lambda: rig.lines.inputs([f"exp0.{pin}"], True, "up")) == (
        f"exp0.{pin}: an MCP23017's {pin} is an output only; expected another pin for an input"
    )
    rig.lines.output(f"exp0.{pin}", False, False)


def test_a_pull_down_is_refused(rig: ChipRig) -> None:
    refused(
        BoardConfigError, lambda: rig.lines.inputs(["exp0.GPA1"], True, "down"), "pull-ups only"
    )


def test_a_chip_that_lost_its_supply_is_told_everything_again(rig: ChipRig) -> None:
    """It comes back with every pin an input, without a word."""
    output = rig.lines.output("exp0.GPA0", False, False)
    rig.lines.inputs(["exp0.GPB1"], True, "up")
    output.write(True)
    assert rig.level("exp0.GPA0") is True
    rig.chip.power_up()
    assert rig.chip.high(0) is False
    for _ in range(10):
        rig.poller.turn()
    assert rig.chip.high(0) is True
    assert rig.chip.shown[0] == [True]
    assert rig.chip.registers[GPPU + 1] == 0x02


def test_a_chip_that_goes_is_told_wakes_who_waits_and_comes_back_as_it_should_be(
    rig: ChipRig,
) -> None:
    output = rig.lines.output("exp0.GPA0", False, False)
    inputs = rig.lines.inputs(["exp0.GPB1"], True, "up")
    assert inputs.take() == []
    rig.library.gone.add(ADDRESS)
    rig.poller.turn()
    assert readable(inputs.fileno(), 0)
    refused(DeviceUnavailableError, inputs.take, "/dev/i2c-1 0x20: does not answer; expected")
    refused(DeviceUnavailableError, inputs.levels)
    refused(DeviceUnavailableError, lambda: output.write(True))
    assert output.read() is False
    rig.chip.power_up()
    rig.chip.world[PINS["GPB1"]] = False
    rig.library.gone.clear()
    rig.poller.turn()
    assert rig.chip.shown[0] == [True]  # what was wanted meanwhile, and no other level before
    assert [edge.level for edge in inputs.take()] == [True]
    assert inputs.levels() == [True]


def test_a_chip_that_comes_after_the_start_is_told_everything_and_says_what_is(
    rig: ChipRig,
) -> None:
    rig.library.gone.add(ADDRESS)
    output = rig.lines.output("exp0.GPA0", False, True)
    lamp = rig.lines.output("exp0.GPA2", False, False)
    inputs = rig.lines.inputs(["exp0.GPB1", "exp0.GPB2"], True, "up")
    for call in (inputs.take, inputs.levels, lambda: lamp.write(True)):
        refused(DeviceUnavailableError, call, "/dev/i2c-1 0x20: does not answer; expected the chip")
    rig.poller.turn()
    refused(DeviceUnavailableError, inputs.take, "/dev/i2c-1 0x20: does not answer")
    rig.chip.world[PINS["GPB1"]] = False
    rig.library.gone.clear()
    rig.poller.turn()
    assert readable(inputs.fileno(), 0)
    assert inputs.take() == []  # what is, and nothing that has happened
    assert inputs.levels() == [True, False]
    assert rig.chip.shown[0] == [True]
    assert rig.chip.shown[2] == [True]  # as it was wanted meanwhile
    output.write(False)
    assert rig.level("exp0.GPA0") is False


def test_who_asks_at_the_moment_a_chip_is_back_is_told_what_was_read_and_nothing_else(
    rig: ChipRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.library.gone.add(ADDRESS)
    inputs = rig.lines.inputs(["exp0.GPB1"], False, "none")
    rig.chip.world[PINS["GPB1"]] = True
    told: list[list[bool] | None] = []

    def asked(*_: object) -> None:
        """The loop's thread, whenever the bus's thread lets it."""
        try:
            told.append(inputs.levels())
        except DeviceUnavailableError:
            told.append(None)

    for moment in ("wake", "look"):
        real = getattr(type(inputs), moment)

        def beside(self: object, *given: object, real: Callable[..., None] = real) -> None:
            asked()
            real(self, *given)
            asked()

        monkeypatch.setattr(type(inputs), moment, beside)
    rig.library.gone.clear()
    rig.poller.turn()
    assert len(told) == 4
    assert told[-1] == [True]
    assert [False] not in told


def test_a_chip_that_is_silent_is_asked_once_and_not_for_each_line(rig: ChipRig) -> None:
    """With a wire on ground each transfer takes a second, and the doors wait for the start."""
    asked = []
    rig.library.gone.add(ADDRESS)
    chip = rig.library._chip
    rig.library._chip = lambda address: asked.append(address) or chip(address)  # type: ignore[method-assign, func-returns-value]
    for pin in range(6):
        rig.lines.output(f"exp0.GPA{pin}", False, False)
    rig.lines.inputs(["exp0.GPB0"], True, "up")
    assert len(asked) == 1


def test_a_machine_without_the_library_says_so_at_the_first_claim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "smbus2", None)
    bus = I2cBus("/dev/i2c-1")
    lines = Mcp23017Lines("exp0", bus, ADDRESS, MonotonicTicks(), ChipPoller(threaded=False))
    for claim in (
        lambda: lines.output("exp0.GPA0", False, False),
        lambda: lines.inputs(["exp0.GPA1"], True, "up"),
    ):
        assert refused(DeviceUnavailableError, claim) == (
            "smbus2: the library is not installed; expected the Python package smbus2"
        )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOENT, "no such file or directory; expected an I2C bus (dtparam=i2c_arm=on"),
        (errno.EACCES, "may not be opened; expected this user in the group i2c"),
    ],
)
def test_a_bus_that_does_not_open_says_what_to_do_and_is_opened_when_it_can_be(
    rig: ChipRig, number: int, text: str
) -> None:
    rig.library.refuses = number
    bus = I2cBus("/dev/i2c-77", rig.library)
    lines = Mcp23017Lines("exp0", bus, ADDRESS, rig.ticks, rig.poller)
    inputs = lines.inputs(["exp0.GPA1"], False, "up")
    refused(DeviceUnavailableError, inputs.levels, f"/dev/i2c-77: {text}")
    rig.library.refuses = 0
    rig.poller.turn()
    assert inputs.levels() == [True]


def test_the_real_library_on_a_machine_without_that_bus(tmp_path: Path) -> None:
    poller = ChipPoller(threaded=False)
    lines = Mcp23017Lines(
        "exp0", I2cBus(str(tmp_path / "i2c-1")), ADDRESS, MonotonicTicks(), poller
    )
    inputs = lines.inputs(["exp0.GPA1"], False, "up")
    refused(
        DeviceUnavailableError,
        inputs.levels,
        f"{tmp_path}/i2c-1: no such file or directory; expected an I2C bus",
    )


# ---- the bus's thread --------------------------------------------------------------------------------


def test_the_thread_sees_drives_and_ends_with_the_board(rig: ChipRig) -> None:
    poller = ChipPoller()
    lines = Mcp23017Lines("exp0", rig.bus, ADDRESS, rig.ticks, poller)
    inputs = lines.inputs(["exp0.GPB1"], True, "up")
    output = lines.output("exp0.GPA0", False, False)
    rig.chip.world[PINS["GPB1"]] = False
    assert readable(inputs.fileno(), PATIENCE_MS)
    assert [edge.level for edge in inputs.take()] == [True]
    output.write(True)
    end_ms = rig.ticks.ticks_ms() + PATIENCE_MS
    while not rig.chip.high(0):
        assert rig.ticks.ticks_ms() < end_ms
    thread = poller._thread
    assert thread is not None
    lines.close()
    assert not thread.is_alive()
    assert rig.chip.shown[0] == [False, True, False]


def test_what_a_thread_that_hangs_found_is_not_believed(
    rig: ChipRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = ChipPoller()
    lines = Mcp23017Lines("exp0", rig.bus, ADDRESS, rig.ticks, poller)
    inputs = lines.inputs(["exp0.GPB1"], True, "up")
    output = lines.output("exp0.GPA0", False, False)
    with poller.bus_lock:  # as a transfer that never ends
        poller._turned_s -= 3
        refused(DeviceUnavailableError, inputs.take, "exp0.GPB1: its bus hangs; expected SDA")
        refused(DeviceUnavailableError, lambda: output.write(True), "its bus hangs")
    lines.close()


# ---- on a kernel's bus -------------------------------------------------------------------------------


@pytest.mark.skipif(
    not STUB, reason="NOT RUN ON A KERNEL'S I2C BUS: no DOORWARD_I2C_STUB (modprobe i2c-stub)"
)
def test_the_registers_hold_what_was_told_on_a_kernels_bus() -> None:
    """i2c-stub keeps what is written and drives nothing; its registers begin as 0."""
    bus = I2cBus(STUB)
    for register in (IODIR, IODIR + 1):
        bus.write_byte(ADDRESS, register, 0xFF)
    poller = ChipPoller(threaded=False)
    lines = Mcp23017Lines("exp0", bus, ADDRESS, MonotonicTicks(), poller)
    output = lines.output("exp0.GPA0", False, True)
    inputs = lines.inputs(["exp0.GPB1"], False, "up")
    assert bus.read_bytes(ADDRESS, IODIR, 2) == [0xFE, 0xFF]
    assert bus.read_bytes(ADDRESS, OLAT, 2) == [0x01, 0x00]
    assert bus.read_bytes(ADDRESS, GPPU, 2) == [0x00, 0x02]
    assert inputs.levels() == [False]
    bus.write_byte(ADDRESS, 0x13, 0x02)  # the world, on GPIOB
    output.write(False)
    poller.turn()
    assert [edge.level for edge in inputs.take()] == [True]
    assert bus.read_bytes(ADDRESS, OLAT, 2) == [0x00, 0x00]
    lines.close()


def readable(descriptor: int, patience_ms: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(patience_ms))
