"""A Linux watchdog device (``/dev/watchdog0``): the board restarts when it is not petted.

Linux, Documentation/watchdog/watchdog-api.rst. The device counts from its opening on. A clean `close` says
``V`` first, which stops it, unless the kernel was told never to stop one (nowayout); a process that dies
says nothing, and the board restarts after `Watchdog.timeout_ms` unless somebody opens the device again
before. Only one may have it: systemd's own ``RuntimeWatchdogSec=`` and this exclude each other.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Callable

from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import Watchdog

TIMEOUT_S = 15  #: the most that a Raspberry Pi's takes; longer than a start of the program
LEAST_S = 5  #: a device that bites sooner would bite a start
KEEPALIVE = 0x80045705  #: WDIOC_KEEPALIVE
SET_TIMEOUT = 0xC0045706  #: WDIOC_SETTIMEOUT, seconds; tells what it has become
GET_TIMEOUT = 0x80045707  #: WDIOC_GETTIMEOUT
STOP = b"V"  #: the magic character: close means stop

Ioctl = Callable[[int, int, bytes], bytes]


class LinuxWatchdog(Watchdog):
    """One watchdog device, running from here on.

    path   str  such as /dev/watchdog0
    ioctl  stands in for `fcntl.ioctl`

    Raises `hal.errors.LineBusyError` if somebody has it, `hal.errors.DeviceUnavailableError` if it is not
    there, may not be opened, or bites too soon.
    """

    def __init__(self, path: str, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._path = path
        self._ioctl = ioctl
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            timeout_s = self._timeout_s()
        except OSError as error:
            self.close()
            if error.errno == errno.EBUSY:
                raise LineBusyError(
                    f"{path}: somebody has it; expected a free watchdog (no RuntimeWatchdogSec=)"
                ) from error
            raise self._gone(error) from error
        if timeout_s < LEAST_S:
            self.close()
            raise DeviceUnavailableError(
                f"{path}: bites after {timeout_s} s; expected a watchdog that waits {LEAST_S} s"
            )
        self.timeout_ms = timeout_s * 1000
        self.pet()

    def pet(self) -> None:
        """See `Watchdog.pet`."""
        if self._fd < 0:
            raise DeviceUnavailableError(f"{self._path}: closed; expected an open watchdog")
        try:
            self._ioctl(self._fd, KEEPALIVE, struct.pack("i", 0))
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """See `Watchdog.close`."""
        if self._fd < 0:
            return
        try:
            os.write(self._fd, STOP)
        except OSError:
            pass  # it has gone, and bites or not: nobody can stop it any more
        os.close(self._fd)
        self._fd = -1

    def _timeout_s(self) -> int:
        try:
            answer = self._ioctl(self._fd, SET_TIMEOUT, struct.pack("i", TIMEOUT_S))
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            answer = self._ioctl(self._fd, GET_TIMEOUT, struct.pack("i", 0))  # it has its own
        return int(struct.unpack("i", answer)[0])

    def _gone(self, error: OSError) -> DeviceUnavailableError:
        reason = (error.strerror or "not answering").lower()
        return DeviceUnavailableError(f"{self._path}: {reason}; expected a watchdog's device file")
