"""`hal.backends.linux_watchdog` keeps the contract, and says to the kernel what its documentation asks for.

A kernel's own watchdog is tried on an emulated board; here a plain file stands for the device (what is
written to it stays) and a stand-in answers its ioctls.
"""

import errno
import os
import struct
from pathlib import Path

import pytest
from watchdog_checks import WatchdogChecks

from hal.backends.linux_watchdog import LinuxWatchdog
from hal.errors import DeviceUnavailableError, HalError, LineBusyError
from hal.ports import Watchdog


class Kernel:
    """The driver behind a watchdog's device file, as Documentation/watchdog/watchdog-api.rst has it."""

    def __init__(self, path: Path, own_s: int = 60, most_s: int = 15) -> None:
        self.path = path
        self.path.write_bytes(b"")
        self.timeout_s = own_s
        self.most_s = most_s
        self.settable = True
        self.gone = False
        self.keepalives = 0

    def ioctl(self, fd: int, request: int, argument: bytes) -> bytes:
        os.fstat(fd)  # it must be open
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        (value,) = struct.unpack("i", argument)
        if request == 0x80045705:
            self.keepalives += 1
        elif request == 0xC0045706:
            if not self.settable:
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")
            if value > self.most_s:
                raise OSError(errno.EINVAL, "Invalid argument")
            self.timeout_s = value
        elif request != 0x80045707:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        return struct.pack("i", self.timeout_s)

    @property
    def runs(self) -> bool:
        """Closed without the magic character it goes on."""
        return not self.path.read_bytes().endswith(b"V")


class TestContract(WatchdogChecks):
    """The real backend on the stand-in."""

    @pytest.fixture(autouse=True)
    def device(self, tmp_path: Path) -> None:
        self.kernel = Kernel(tmp_path / "watchdog0")

    def open(self) -> Watchdog:
        return LinuxWatchdog(str(self.kernel.path), self.kernel.ioctl)

    def pets(self) -> int:
        return self.kernel.keepalives

    def runs(self) -> bool:
        return self.kernel.runs

    def break_(self) -> None:
        self.kernel.gone = True


def test_it_asks_for_15_seconds_and_takes_what_the_device_has_instead(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path / "watchdog0")
    assert LinuxWatchdog(str(kernel.path), kernel.ioctl).timeout_ms == 15_000
    small = Kernel(tmp_path / "watchdog1", own_s=8, most_s=10)
    assert LinuxWatchdog(str(small.path), small.ioctl).timeout_ms == 8000
    fixed = Kernel(tmp_path / "watchdog2", own_s=30)
    fixed.settable = False
    assert LinuxWatchdog(str(fixed.path), fixed.ioctl).timeout_ms == 30_000


def test_one_that_would_bite_a_start_is_stopped_and_refused(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path / "watchdog0", own_s=2, most_s=2)
    with pytest.raises(DeviceUnavailableError) as told:
        LinuxWatchdog(str(kernel.path), kernel.ioctl)
    assert str(told.value) == (
        f"{kernel.path}: bites after 2 s; expected a watchdog that waits 5 s"
    )
    assert not kernel.runs


def test_a_process_that_dies_does_not_stop_it(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path / "watchdog0")
    watchdog = LinuxWatchdog(str(kernel.path), kernel.ioctl)
    os.close(watchdog._fd)  # as the kernel does for a process that was killed
    assert kernel.runs


def test_a_missing_and_a_busy_device_are_one_line_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "watchdog0")
    with pytest.raises(DeviceUnavailableError) as told:
        LinuxWatchdog(path)
    assert str(told.value) == (
        f"{path}: no such file or directory; expected a watchdog's device file"
    )

    def busy(path: str, flags: int) -> int:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "open", busy)
    with pytest.raises(LineBusyError) as also:
        LinuxWatchdog(path)
    assert str(also.value) == (
        f"{path}: somebody has it; expected a free watchdog (no RuntimeWatchdogSec=)"
    )


def test_a_file_that_is_no_watchdog_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "watchdog0"
    path.write_bytes(b"")
    with pytest.raises(HalError) as told:
        LinuxWatchdog(str(path))
    assert "inappropriate ioctl for device; expected a watchdog's device file" in str(told.value)
