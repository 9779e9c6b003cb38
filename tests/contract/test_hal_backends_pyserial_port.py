"""The pyserial backend keeps the contract of the ports on pseudo-terminals, and says what is wrong."""

import errno
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from line_checks import refused
from pty_rig import PtyRig
from stream_checks import CHECKS, StreamRig, opened

from hal.backends import access
from hal.backends.pyserial_port import PyserialPorts
from hal.errors import DeviceUnavailableError


@pytest.fixture
def rig() -> Iterator[PtyRig]:
    rig = PtyRig()
    yield rig
    rig.close()


@pytest.mark.parametrize("check", CHECKS)
def test_the_backend_keeps_the_contract(
    rig: PtyRig, check: Callable[[StreamRig], str | None]
) -> None:
    assert check(rig) is None


def test_a_port_that_another_program_has_is_named(rig: PtyRig) -> None:
    descriptor = os.open(rig.name, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    stream = rig.ports.stream(rig.name, 9600)
    assert refused(DeviceUnavailableError, stream.open) == (
        f"{rig.name}: another program has it; expected nobody else on the reader's port"
    )
    os.close(descriptor)
    stream.open()
    stream.close()


def test_an_open_port_is_locked_against_other_programs(rig: PtyRig) -> None:
    stream = opened(rig)
    descriptor = os.open(rig.name, os.O_RDWR | os.O_NOCTTY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    stream.close()
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_a_port_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    stream = PyserialPorts().stream(str(tmp_path / "ttyUSB0"), 9600)
    assert refused(DeviceUnavailableError, stream.open) == (
        f"{tmp_path}/ttyUSB0: not there; expected the reader or its adapter plugged in"
    )


def test_a_file_is_no_serial_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stream = PyserialPorts().stream(str(tmp_path / "file"), 9600)
    assert refused(DeviceUnavailableError, stream.open) == (
        f"{tmp_path}/file: is no serial line; expected a serial device"
    )


def test_a_machine_without_the_library_says_so_at_the_first_open(
    rig: PtyRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    stream = rig.ports.stream(rig.name, 9600)
    assert refused(DeviceUnavailableError, stream.open) == (
        "pyserial: the library is not installed; expected the Python package pyserial"
    )


def test_a_port_that_may_not_be_opened_says_who_may(
    rig: PtyRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
        if path == rig.name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    stream = rig.ports.stream(rig.name, 9600)
    said = refused(DeviceUnavailableError, stream.open)
    assert said == f"{rig.name}: may not be opened; expected {access.expected(rig.name, 'dialout')}"


# ---- RS-485 --------------------------------------------------------------------------------------------

GET, SET = 0x542E, 0x542F  # TIOCGRS485, TIOCSRS485
ENABLED, ON_SEND, AFTER_SEND = 1, 2, 4
MODES = {"kernel": ENABLED | ON_SEND, "kernel_inverted": ENABLED | AFTER_SEND}


class _Uart:
    """A kernel's driver that turns RS-485 by RTS, behind `fcntl.ioctl`; `takes`: the flags it honours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, takes: int = 0xFF) -> None:
        self.flags = 0
        self.told: list[int] = []
        self.takes = takes
        self._real = fcntl.ioctl
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)

    def _ioctl(self, descriptor: int, request: int, argument: Any = 0, *more: Any) -> Any:
        if request == SET:
            self.told.append(argument[0])
            self.flags = argument[0] & self.takes
            return 0
        if request == GET:
            argument[0] = self.flags
            return 0
        return self._real(descriptor, request, argument, *more)


@pytest.mark.parametrize("mode", MODES)
def test_a_kernel_is_told_how_to_turn_an_rs485_line_at_each_open(
    rig: PtyRig, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    uart = _Uart(monkeypatch)
    stream = PyserialPorts({rig.name: mode}).stream(rig.name, 9600)
    for _ in range(2):
        stream.open()
        assert uart.told[-1:] == [MODES[mode]]
        assert stream.write(b"\xff") == 1
        stream.close()
        assert uart.told  # each time anew: an adapter that was pulled out has forgotten it
        uart.told.clear()
        uart.flags = 0


@pytest.mark.parametrize("named", [True, False])
def test_a_line_that_turns_by_itself_is_told_nothing(
    rig: PtyRig, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    uart = _Uart(monkeypatch)
    ports = PyserialPorts({rig.name: "adapter"} if named else None)
    stream = ports.stream(rig.name, 9600)
    stream.open()
    assert uart.told == []
    stream.close()


@pytest.mark.parametrize("mode", MODES)
def test_a_port_that_cannot_turn_an_rs485_line_is_refused_and_sends_nothing(
    rig: PtyRig, mode: str
) -> None:
    """A pseudo-terminal is one: ENOTTY."""
    stream = PyserialPorts({rig.name: mode}).stream(rig.name, 9600)
    assert refused(DeviceUnavailableError, stream.open) == (
        f'{rig.name}: its driver does not turn RS-485 by RTS as rs485 = "{mode}" wants; expected a '
        'UART whose driver does, or rs485 = "adapter" and one that turns by itself'
    )
    assert stream.fileno() == -1
    refused(DeviceUnavailableError, lambda: stream.write(b"x"), "not open")


def test_a_driver_that_takes_the_word_and_turns_the_other_way_is_refused(
    rig: PtyRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    uart = _Uart(monkeypatch, takes=ENABLED | ON_SEND)
    ports = PyserialPorts({rig.name: "kernel_inverted"})
    refused(DeviceUnavailableError, ports.stream(rig.name, 9600).open, "does not turn RS-485")
    uart.takes = 0
    ports = PyserialPorts({rig.name: "kernel"})
    refused(DeviceUnavailableError, ports.stream(rig.name, 9600).open, "does not turn RS-485")
