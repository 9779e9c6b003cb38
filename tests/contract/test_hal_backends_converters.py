"""MCP3008 and ADS1115 keep the contract of the analog inputs, on chips as their data sheets say."""

import errno
import os
import sys
from collections.abc import Callable

import pytest
from analog_checks import CHECKS, AnalogRig
from fake_i2c import FakeAds1115, FakeSmbus2
from line_checks import refused

from hal.backends.ads1115 import Ads1115
from hal.backends.chip_poller import ChipPoller
from hal.backends.converters import ConverterInputs
from hal.backends.i2c_bus import I2cBus
from hal.backends.mcp3008 import Mcp3008
from hal.drivers.supervised_contact import SupervisedContact
from hal.errors import DeviceUnavailableError

STUB = os.environ.get("DOORWARD_I2C_STUB", "")
ADDRESS = 0x48


class FakeSpidev:
    """Stands in for the module `spidev`, with an MCP3008 (DS21295, figure 6-1) at chip select 0.0."""

    def __init__(self) -> None:
        self.codes = [0] * 8
        self.powered = True
        self.refuses = 0
        self.max_speed_hz = 0
        self.mode = 3

    def SpiDev(self) -> "FakeSpidev":  # noqa: N802  the library's own name
        return self

    def open(self, bus: int, device: int) -> None:
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        assert (bus, device) == (0, 0)

    def close(self) -> None:
        """The device's file."""

    def xfer2(self, sent: list[int]) -> list[int]:
        assert 0 < self.max_speed_hz <= 1_350_000
        assert self.mode in (0, 3)
        if not self.powered:
            return [0xFF] * len(sent)  # DOUT is pulled up
        assert sent[0] == 1, "a start bit"
        assert sent[1] & 0x80, "single-ended"
        code = self.codes[sent[1] >> 4 & 7]
        return [0xFF, 0xF8 | code >> 8, code & 0xFF]  # undriven, null bit, ten bits


class Mcp3008Rig(AnalogRig):
    """The backend on a fake of spidev."""

    names = ("adc.CH0", "adc.CH3", "adc.CH7")
    unknown = "adc.CH8"
    exact = 1

    def __init__(self) -> None:
        self.library = FakeSpidev()
        self.poller = ChipPoller(threaded=False)
        converter = Mcp3008("/dev/spidev0.0", self.library)
        self.inputs: ConverterInputs = ConverterInputs("adc", converter, self.poller)

    def drive(self, name: str, permille: int) -> None:
        self.library.codes[int(name[-1])] = round(permille * 1023 / 1000)
        self.poller.turn()

    def lose(self) -> None:
        self.library.powered = False
        self.poller.turn()

    def find(self) -> None:
        self.library.powered = True
        self.poller.turn()


class Ads1115Rig(AnalogRig):
    """The backend on a fake of smbus2."""

    names = ("adc.AIN0", "adc.AIN1", "adc.AIN3")
    unknown = "adc.AIN4"
    exact = 1
    supply_mv = 3300

    def __init__(self) -> None:
        self.chip = FakeAds1115()
        self.library = FakeSmbus2({ADDRESS: self.chip})
        self.poller = ChipPoller(threaded=False)
        converter = Ads1115(I2cBus("/dev/i2c-1", self.library), ADDRESS, self.supply_mv)
        self.inputs: ConverterInputs = ConverterInputs("adc", converter, self.poller)

    def drive(self, name: str, permille: int) -> None:
        self.chip.millivolts[int(name[-1])] = permille * self.supply_mv / 1000
        self.poller.turn()

    def lose(self) -> None:
        self.library.gone.add(ADDRESS)
        self.poller.turn()

    def find(self) -> None:
        self.library.gone.clear()
        self.poller.turn()


class Ads1115At5VRig(Ads1115Rig):
    """Loops and chip at 5 V: another gain."""

    supply_mv = 5000


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("make", [Mcp3008Rig, Ads1115Rig, Ads1115At5VRig])
def test_a_converter_keeps_the_contract(
    make: type[AnalogRig], check: Callable[[AnalogRig], str | None]
) -> None:
    rig = make()
    reason = check(rig)
    rig.close()
    assert reason is None or reason == "its reader polls"


@pytest.mark.parametrize("make", [Mcp3008Rig, Ads1115Rig])
def test_a_supervised_loop_tells_its_four_states_and_a_silent_converter(
    make: type[AnalogRig],
) -> None:
    """1.1 kOhm in series, 3.3 kOhm across, 2.2 kOhm to the supply."""
    rig = make()
    name = rig.names[0]
    rig.drive(name, 333)
    loop = SupervisedContact(rig.inputs.channel(name), [150, 500, 850])
    found = [loop.state]
    now_ms = 0
    for level in (667, 1000, 0, 333):
        rig.drive(name, level)
        for _ in range(2):
            now_ms += 40
            found += [reading.data for reading in loop.poll(now_ms) if reading.kind == "state"]
    assert found == ["normal", "active", "cut", "short", "normal"]
    rig.lose()
    assert [reading.kind for reading in loop.poll(now_ms + 20)] == ["lost", "state"]
    assert loop.problem.startswith(f"{name}: /dev/")
    rig.find()
    assert [reading.kind for reading in loop.poll(now_ms + 600)] == ["back", "state"]
    assert (loop.state, loop.problem) == ("normal", "")


def test_a_little_below_ground_is_ground() -> None:
    rig = Ads1115Rig()
    channel = rig.inputs.channel("adc.AIN0")
    rig.chip.millivolts[0] = -4
    rig.poller.turn()
    assert channel.read() == 0


def test_a_conversion_that_never_ends_is_told() -> None:
    rig = Ads1115Rig()
    rig.chip.looks = 10_000
    channel = rig.inputs.channel("adc.AIN0")
    refused(DeviceUnavailableError, channel.read, "never ends to measure")


@pytest.mark.parametrize("make", [Mcp3008Rig, Ads1115Rig])
def test_a_converter_that_comes_after_the_start_is_read_from_then_on(
    make: type[AnalogRig],
) -> None:
    rig = make()
    rig.lose()
    first, second = (rig.inputs.channel(name) for name in rig.names[:2])
    loop = SupervisedContact(first, [150, 500, 850])
    assert loop.state == "unknown"
    for channel in (first, second):
        refused(DeviceUnavailableError, channel.read, channel.name, "does not answer")
    assert [reading.kind for reading in loop.poll(0)] == ["lost", "state"]
    rig.find()
    rig.drive(rig.names[0], 667)
    assert abs(first.read() - 667) <= rig.exact
    assert [(one.kind, one.data) for one in loop.poll(600)] == [("back", None), ("state", "active")]


def test_a_machine_without_spidev_says_so_at_the_first_claim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)
    inputs = ConverterInputs("adc", Mcp3008("/dev/spidev0.0"), ChipPoller(threaded=False))
    assert refused(DeviceUnavailableError, lambda: inputs.channel("adc.CH0")) == (
        "spidev: the library is not installed; expected the Python package spidev"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOENT, "no such file or directory; expected an SPI device (dtparam=spi=on"),
        (errno.EACCES, "may not be opened; expected "),
    ],
)
def test_an_spi_device_that_does_not_open_says_what_to_do(number: int, text: str) -> None:
    rig = Mcp3008Rig()
    rig.library.refuses = number
    channel = rig.inputs.channel("adc.CH0")
    refused(DeviceUnavailableError, channel.read, f"/dev/spidev0.0: {text}")


def test_a_path_that_is_no_spi_device_is_told() -> None:
    converter = Mcp3008("/dev/i2c-1", FakeSpidev())
    assert refused(DeviceUnavailableError, lambda: converter.measure(0)) == (
        "/dev/i2c-1: no SPI device; expected /dev/spidev0.0"
    )


@pytest.mark.skipif(
    not STUB, reason="NOT RUN ON A KERNEL'S I2C BUS: no DOORWARD_I2C_STUB (modprobe i2c-stub)"
)
def test_the_converters_words_have_their_high_byte_first_on_a_kernels_bus() -> None:
    """i2c-stub keeps what is written: OS stays 1, as if each conversion had ended at once."""
    bus = I2cBus(STUB)
    bus.write_word(ADDRESS, 0, 0x4000)  # half of full scale: 2048 mV
    assert Ads1115(bus, ADDRESS, 4096).measure(2) == 500
    assert bus.read_word(ADDRESS, 1) == 0xE3E3
    bus.close()
