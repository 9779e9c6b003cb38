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
