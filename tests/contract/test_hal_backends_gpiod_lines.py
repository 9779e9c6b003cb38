"""The gpiod backend keeps the contract of the ports: on a fake of the library, and on a real chip."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpio_sim
import gpiod
import pytest
from fake_gpiod import FakeChip, FakeGpiod
from line_checks import CHECKS, Rig, refused

from hal import board_facts
from hal.backends.gpiod_lines import GpiodLines
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.errors import DeviceUnavailableError, LineBusyError, LineUnknownError
from hal.ports import Edge

LABEL = "pinctrl-bcm2711"


class FakeRig(Rig):
    """The backend on a fake of the library, whose chip is the second of two."""

    buffer = 256

    def __init__(self, folder: Path) -> None:
        paths = [str(folder / name) for name in ("gpiochip0", "gpiochip4")]
        for path in paths:
            Path(path).touch()
        self.chip = FakeChip(LABEL)
        self.library = FakeGpiod(
            {paths[0]: FakeChip("raspberrypi-exp-gpio", 8), paths[1]: self.chip}
        )
        self.ticks = MonotonicTicks()
        self.lines = GpiodLines(LABEL, str(folder), self.library)

    def drive(self, name: str, high: bool) -> None:
        self.chip.drive(int(name[4:]), high)

    def level(self, name: str) -> bool:
        return self.chip.lines[int(name[4:])].high

    def shown(self, name: str) -> list[bool]:
        return self.chip.lines[int(name[4:])].shown

    def request(self, name: str) -> Any:
        """What the library was asked for."""
        return self.chip.lines[int(name[4:])].owner


@pytest.fixture
def rig(tmp_path: Path) -> FakeRig:
    return FakeRig(tmp_path)


@pytest.mark.parametrize("check", CHECKS)
def test_the_backend_keeps_the_contract_on_the_librarys_fake(
    rig: FakeRig, check: Callable[[Rig], str | None]
) -> None:
    assert check(rig) is None


@pytest.mark.parametrize("check", CHECKS)
def test_the_backend_keeps_the_contract_on_a_real_chip(
    check: Callable[[Rig], str | None],
) -> None:
    reason = gpio_sim.missing()
    if reason:
        pytest.skip(reason)
    real = gpio_sim.GpioSimRig()
    try:
        reason = check(real) or ""
    finally:
        real.close()
    if reason:
        pytest.skip(reason)


# ---- what only this backend does ---------------------------------------------------------------------


def test_the_chip_is_found_by_its_label_and_the_others_are_closed(rig: FakeRig) -> None:
    rig.lines.output("GPIO5", False, False)
    assert [Path(path).name for path in rig.library.opened] == ["gpiochip4"]
    rig.lines.close()
    assert rig.library.opened == []


def test_a_line_that_the_chip_names_is_taken_by_name(rig: FakeRig) -> None:
    rig.chip.names["GPIO5"] = 40
    rig.lines.output("GPIO5", False, True)
    assert rig.chip.lines[40].shown == [True]
    assert rig.chip.lines[5].owner is None


def test_a_request_says_what_the_config_says(rig: FakeRig) -> None:
    bias = gpiod.line.Bias
    for name, pull, wanted in (
        ("GPIO5", "up", bias.PULL_UP),
        ("GPIO6", "down", bias.PULL_DOWN),
        ("GPIO7", "none", bias.DISABLED),
    ):
        rig.lines.inputs([name], True, pull)
        request = rig.request(name)
        assert request.settings == gpiod.LineSettings(
            direction=gpiod.line.Direction.INPUT,
            edge_detection=gpiod.line.Edge.BOTH,
            bias=wanted,
            active_low=True,
            event_clock=gpiod.line.Clock.MONOTONIC,
        )
        assert request.size >= 64
        assert request.consumer == "doorward"


def test_a_readers_two_lines_are_one_request(rig: FakeRig) -> None:
    rig.lines.inputs(["GPIO16", "GPIO17"], True, "up")
    assert rig.request("GPIO16") is rig.request("GPIO17")


def test_who_has_a_busy_line_is_named(rig: FakeRig) -> None:
    rig.lines.output("GPIO5", False, False)
    rig.request("GPIO5").consumer = "spi0 CS0"
    assert refused(LineBusyError, lambda: rig.lines.output("GPIO5", False, False)) == (
        'GPIO5: "spi0 CS0" has the line; expected a free one, then a new start'
    )
    rig.request("GPIO5").consumer = ""
    assert refused(LineBusyError, lambda: rig.lines.inputs(["GPIO5"], False, "up")) == (
        "GPIO5: the kernel has the line; expected a free one, then a new start"
    )


def test_edges_carry_the_kernels_time_in_whole_milliseconds(rig: FakeRig) -> None:
    inputs = rig.lines.inputs(["GPIO16"], True, "up")
    rising = gpiod.EdgeEvent.Type.RISING_EDGE
    rig.request("GPIO16").arrive(rising, 16, 1, 1_234_999_999)
    assert inputs.take() == [Edge(0, True, 1234)]


def test_sequence_numbers_that_start_again_are_no_loss(rig: FakeRig) -> None:
    inputs = rig.lines.inputs(["GPIO16"], True, "up")
    rig.request("GPIO16").count_from(0xFFFFFFFE)
    rig.drive("GPIO16", False)
    inputs.take()
    inputs.lost()
    rig.drive("GPIO16", True)
    rig.drive("GPIO16", False)
    assert len(inputs.take()) == 2
    assert inputs.lost() == 0


def test_lines_that_have_gone_are_unavailable(rig: FakeRig) -> None:
    output = rig.lines.output("GPIO5", False, False)
    inputs = rig.lines.inputs(["GPIO16"], True, "up")
    rig.request("GPIO5").gone = rig.request("GPIO16").gone = True
    refused(DeviceUnavailableError, lambda: output.write(True), "GPIO5", "No such device")
    refused(DeviceUnavailableError, inputs.take, "GPIO16")
    refused(DeviceUnavailableError, inputs.levels, "GPIO16")
    assert output.read() is False
    refused(DeviceUnavailableError, output.close, "GPIO5")
    output.close()
    assert rig.chip.lines[5].owner is None


def test_one_line_that_has_gone_keeps_no_other_from_being_let_go(rig: FakeRig) -> None:
    rig.lines.output("GPIO5", False, False)
    rig.lines.output("GPIO6", False, False).write(True)
    rig.request("GPIO5").gone = True
    refused(DeviceUnavailableError, rig.lines.close, "GPIO5")
    assert rig.shown("GPIO6") == [False, True, False]
    assert rig.library.opened == []


def test_a_board_without_its_chip_names_those_there_are(rig: FakeRig, tmp_path: Path) -> None:
    lines = GpiodLines("pinctrl-rp1", str(tmp_path), rig.library)
    assert refused(DeviceUnavailableError, lambda: lines.output("GPIO5", False, False)) == (
        "gpiod: no chip is labelled pinctrl-rp1, only raspberrypi-exp-gpio (gpiochip0), "
        "pinctrl-bcm2711 (gpiochip4); expected the board that the config names"
    )
    assert rig.library.opened == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EACCES, "may not be opened; expected a udev rule that gives it to a group"),
        (errno.EIO, "Input/output error; expected a GPIO chip's device file"),
    ],
)
def test_a_chip_that_does_not_open_says_what_to_do(rig: FakeRig, number: int, text: str) -> None:
    path = next(path for path in rig.library.chips if path.endswith("gpiochip4"))
    os.chmod(path, 0o600)
    rig.library.denied[path] = number
    said = refused(DeviceUnavailableError, lambda: rig.lines.inputs(["GPIO5"], True, "up"))
    assert said.startswith(f"{path}: {text}")


def test_another_chip_that_does_not_open_keeps_nobody_from_ours(rig: FakeRig) -> None:
    path = next(path for path in rig.library.chips if path.endswith("gpiochip0"))
    rig.library.denied[path] = errno.EACCES
    rig.lines.output("GPIO5", False, True)
    assert rig.level("GPIO5")


@pytest.mark.parametrize("number", [0, 4, 10, 13])
def test_the_pi_5s_chip_is_found_by_its_label_whatever_its_number(
    tmp_path: Path, number: int
) -> None:
    """It was gpiochip4 on older kernels and is gpiochip0 on newer ones; others stand before and behind."""
    chips = {
        str(tmp_path / f"gpiochip{at}"): FakeChip(f"gpio-brcmstb@107d5{at:02d}000", 32)
        for at in (0, 4, 10, 11, 12, 13)
    }
    rp1 = chips[str(tmp_path / f"gpiochip{number}")] = FakeChip("pinctrl-rp1", 54)
    for path in chips:
        Path(path).touch()
    lines = GpiodLines(board_facts.BOARDS["rpi5"].chip_label, str(tmp_path), FakeGpiod(chips))
    lines.output("GPIO17", False, True)
    assert rp1.lines[17].shown == [True]


# ---- the real library --------------------------------------------------------------------------------


def test_the_real_library_on_a_machine_without_a_chip(tmp_path: Path) -> None:
    lines = GpiodLines(LABEL, str(tmp_path))
    refused(
        DeviceUnavailableError,
        lambda: lines.output("GPIO5", False, False),
        f"gpiod: no chip in {tmp_path}; expected {LABEL}",
    )


def test_the_real_library_on_a_file_that_is_no_chip(tmp_path: Path) -> None:
    path = tmp_path / "gpiochip0"
    path.touch()
    lines = GpiodLines(LABEL, str(tmp_path))
    assert refused(DeviceUnavailableError, lambda: lines.output("GPIO5", False, False)) == (
        f"{path}: Inappropriate ioctl for device; expected a GPIO chip's device file"
    )


def test_a_machine_without_the_library_says_so_at_the_first_claim(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    lines = GpiodLines(LABEL, str(tmp_path))
    refused(
        DeviceUnavailableError,
        lambda: lines.output("GPIO5", False, False),
        "gpiod: the library is not installed; expected the Python package gpiod 2",
    )


def test_a_line_beyond_the_chip_is_unknown(rig: FakeRig) -> None:
    assert refused(LineUnknownError, lambda: rig.lines.output("GPIO58", False, False)) == (
        "GPIO58: pinctrl-bcm2711 has no such line; expected GPIO0 to GPIO57"
    )
