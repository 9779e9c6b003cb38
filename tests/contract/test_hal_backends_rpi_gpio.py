"""The RPi.GPIO backend keeps the contract of the ports for outputs and slow inputs."""

import sys
from collections.abc import Callable
from types import ModuleType

import gpio_sim
import pytest
from fake_rpi_gpio import FakeRpiGpio
from line_checks import CHECKS, Rig, check_a_refused_request_holds_no_line, refused
from line_checks import check_what_is_dropped_is_counted as check_dropped

from hal.backends.monotonic_ticks import MonotonicTicks
from hal.backends.rpi_gpio import RpiGpioLines
from hal.errors import BoardConfigError, DeviceUnavailableError, LineBusyError, LineUnknownError

ELSEWHERE = (check_a_refused_request_holds_no_line, check_dropped)


class RpiRig(Rig):
    """The backend on a fake of the library."""

    unknown = "GPIO28"
    most_inputs = 1
    polled = True

    def __init__(self) -> None:
        self.gpio = FakeRpiGpio()
        self.ticks = MonotonicTicks()
        self.lines = RpiGpioLines(self.ticks, self.gpio)

    def drive(self, name: str, high: bool) -> None:
        self.gpio.high[int(name[4:])] = high

    def level(self, name: str) -> bool:
        return self.gpio.high[int(name[4:])]

    def shown(self, name: str) -> list[bool]:
        done = self.gpio.done[int(name[4:])]
        assert done[0][0] == "level", "a direction before a level"
        return [level is True for what, level in done if what == "level"]


@pytest.fixture
def rig() -> RpiRig:
    return RpiRig()


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in ELSEWHERE])
def test_the_backend_keeps_the_contract(rig: RpiRig, check: Callable[[Rig], str | None]) -> None:
    assert check(rig) is None


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in ELSEWHERE])
def test_the_backend_keeps_the_contract_on_a_real_chip(
    check: Callable[[Rig], str | None],
) -> None:
    reason = gpio_sim.missing_rpi()
    if reason:
        pytest.skip(reason)
    real = gpio_sim.RpiLgpioRig()
    try:
        assert check(real) is None
    finally:
        real.close()


@pytest.mark.parametrize("check", ELSEWHERE)
def test_what_polled_single_lines_cannot_show_is_left_out_knowingly(
    rig: RpiRig, check: Callable[[Rig], str | None]
) -> None:
    assert check(rig) is not None


def test_pulls_reach_the_library(rig: RpiRig) -> None:
    for name, pull, wanted in (("GPIO5", "up", 22), ("GPIO6", "down", 21), ("GPIO7", "none", 20)):
        rig.lines.inputs([name], True, pull)
        assert rig.gpio.done[int(name[4:])] == [("direction", 1), ("pull", wanted)]


def test_pulses_are_refused_because_polling_would_miss_them(rig: RpiRig) -> None:
    text = refused(BoardConfigError, lambda: rig.lines.inputs(["GPIO16", "GPIO17"], True, "up"))
    assert text == (
        "GPIO16, GPIO17: pulses cannot be polled with RPi.GPIO; expected the gpiod backend"
    )
    assert rig.gpio.done[16] == []


def test_a_bus_keeps_its_lines(rig: RpiRig) -> None:
    rig.gpio.functions[2] = FakeRpiGpio.I2C
    refused(LineBusyError, lambda: rig.lines.output("GPIO2", False, False), "GPIO2: a bus")
    rig.gpio.functions[3] = FakeRpiGpio.OUT  # left by a program that was killed
    rig.lines.output("GPIO3", False, False)


@pytest.mark.parametrize("name", ["GPIO28", "GPIOx", "17", "front-strike"])
def test_a_name_that_is_no_header_line_is_unknown(rig: RpiRig, name: str) -> None:
    refused(LineUnknownError, lambda: rig.lines.output(name, False, False), name)


def test_a_library_that_fails_is_an_unavailable_device(rig: RpiRig) -> None:
    output = rig.lines.output("GPIO5", False, False)
    inputs = rig.lines.inputs(["GPIO16"], True, "up")

    def fail() -> None:
        raise RuntimeError("No access to /dev/mem")

    rig.gpio.before = fail
    for call in (lambda: output.write(True), inputs.take, inputs.levels, output.close):
        refused(DeviceUnavailableError, call, "No access to /dev/mem")
    assert output.read() is False


def test_a_board_that_the_library_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Pi 5 or a desk the library itself refuses to be imported."""

    class Finder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "RPi.GPIO":
                raise RuntimeError("This module can only be run on a Raspberry Pi!")

    package = ModuleType("RPi")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "RPi", package)
    monkeypatch.delitem(sys.modules, "RPi.GPIO", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    lines = RpiGpioLines(MonotonicTicks())
    assert refused(DeviceUnavailableError, lambda: lines.output("GPIO5", False, False)) == (
        "RPi.GPIO: This module can only be run on a Raspberry Pi!; expected a Raspberry Pi"
    )


def test_a_machine_without_the_library_says_so_at_the_first_claim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", None)
    lines = RpiGpioLines(MonotonicTicks())
    assert refused(DeviceUnavailableError, lambda: lines.output("GPIO5", False, False)) == (
        "RPi.GPIO: the library is not installed; expected the Python package RPi.GPIO"
    )
