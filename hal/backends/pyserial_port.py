"""Serial lines through pyserial: readers on a UART or a USB adapter.

Reads and writes never wait. An adapter that is pulled out shows as a read that fails; the stream is then
closed and may be opened again. A port is locked against other programs (flock), and against a second
stream of this one.

RS-485 has one pair for both directions. Most adapters turn it by themselves; where the driver of a UART does,
by its RTS line (Linux, Documentation/driver-api/serial/serial-rs485.rst), it is told so at each open, and
asked whether it does: some take the word and do something else.
"""

import array
import errno
import fcntl
import importlib
import os
from typing import Any

from hal.backends import access
from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import ByteStream, SerialPorts

_MOST_BYTES = 4096
_LATER = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)
_NOT_THERE = "not there; expected the reader or its adapter plugged in"  # or pulled out: one cause
_TO_DO = {
    errno.ENOENT: _NOT_THERE,
    errno.ENXIO: _NOT_THERE,
    errno.ENODEV: _NOT_THERE,
    errno.EAGAIN: "another program has it; expected nobody else on the reader's port",
    errno.EBUSY: "another program has it; expected nobody else on the reader's port",
}


_TIOCGRS485 = 0x542E
_ENABLED, _RTS_ON_SEND, _RTS_AFTER_SEND = 1, 2, 4  # struct serial_rs485, flags
#: what the kernel is told by an "rs485" of the config: RTS while it sends, RTS while it listens
_RTS = {"kernel": (True, False), "kernel_inverted": (False, True)}


class PyserialPorts(SerialPorts):
    """The serial lines of this machine, by device path.

    rs485  dict or None  port: who turns its direction, "adapter", "kernel" (RTS is active while it sends) or
           "kernel_inverted"; a port that is not in it has none to turn
    """

    def __init__(self, rs485: dict[str, str] | None = None) -> None:
        self._claims: dict[str, PyserialStream] = {}
        self._rs485 = rs485 or {}

    def stream(self, port: str, baud: int) -> "PyserialStream":
        """See `SerialPorts.stream`. The path is claimed until the stream is closed."""
        stream = PyserialStream(self, port, baud, self._rs485.get(port, "adapter"))
        self._claim(stream)
        return stream

    def _claim(self, stream: "PyserialStream") -> None:
        if self._claims.get(stream.name, stream) is not stream:
            raise LineBusyError(f"{stream.name}: already a reader's; expected a port of its own")
        self._claims[stream.name] = stream

    def _release(self, stream: "PyserialStream") -> None:
        if self._claims.get(stream.name) is stream:
            del self._claims[stream.name]


class PyserialStream(ByteStream):
    """One serial line, 8N1. Made by `PyserialPorts.stream`."""

    def __init__(self, ports: PyserialPorts, port: str, baud: int, rs485: str) -> None:
        self.name = port
        self._ports = ports
        self._baud = baud
        self._rs485 = rs485
        self._serial: Any = None

    def open(self) -> None:
        """See `ByteStream.open`; opening an open one again is opening it anew."""
        self._ports._claim(self)
        self._shut()
        library = _load()
        try:
            self._serial = library.Serial(
                self.name, self._baud, timeout=0, write_timeout=0, exclusive=True
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError
            number = error.errno if isinstance(error, OSError) else None
            reason = _TO_DO.get(number or 0, "is no serial line; expected a serial device")
            if number == errno.EACCES:
                wanted = access.expected(self.name, "dialout")
                reason = f"may not be opened; expected {wanted}"
            raise DeviceUnavailableError(f"{self.name}: {reason}") from error
        if self._rs485 in _RTS:
            self._turn_by_rts()

    def _turn_by_rts(self) -> None:
        """Have the kernel turn the direction, or close the port again: mute, it would disturb the others."""
        sends, listens = _RTS[self._rs485]
        settings = importlib.import_module("serial.rs485").RS485Settings(sends, listens)
        told = array.array("i", [0] * 8)
        try:
            self._serial.rs485_mode = settings
            fcntl.ioctl(self._serial.fileno(), _TIOCGRS485, told)
        except (OSError, ValueError):  # pyserial: whatever the kernel answered
            told[0] = 0
        wanted = _ENABLED | (_RTS_ON_SEND if sends else 0) | (_RTS_AFTER_SEND if listens else 0)
        if told[0] & (_ENABLED | _RTS_ON_SEND | _RTS_AFTER_SEND) != wanted:
            self._shut()
            raise DeviceUnavailableError(
                f'{self.name}: its driver does not turn RS-485 by RTS as rs485 = "{self._rs485}" wants; '
                'expected a UART whose driver does, or rs485 = "adapter" and one that turns by itself'
            )

    def read(self) -> bytes:
        """See `ByteStream.read`."""
        try:
            data: bytes = self._open().read(_MOST_BYTES)
        except (OSError, TypeError) as error:  # TypeError: pyserial, closed under a read
            raise self._gone() from error
        return data

    def write(self, data: bytes) -> int:
        """See `ByteStream.write`.

        Past pyserial: its own `write` spins while the line is full, even when told not to wait.
        """
        if not data:
            return 0
        try:
            return os.write(self._open().fileno(), data)
        except OSError as error:
            if error.errno in _LATER:
                return 0
            raise self._gone() from error

    def fileno(self) -> int:
        """The descriptor; another one after each `open`, -1 while it is closed."""
        if self._serial is None:
            return -1
        descriptor: int = self._serial.fileno()
        return descriptor

    def close(self) -> None:
        """See `ByteStream.close`; the path is free for another stream."""
        self._shut()
        self._ports._release(self)

    def _shut(self) -> None:
        if self._serial is not None:
            serial = self._serial
            self._serial = None
            serial.close()

    def _open(self) -> Any:
        if self._serial is None:
            raise DeviceUnavailableError(f"{self.name}: not open; expected an open port")
        return self._serial

    def _gone(self) -> DeviceUnavailableError:
        self._shut()
        return DeviceUnavailableError(f"{self.name}: {_NOT_THERE}")


def _load() -> Any:
    try:
        return importlib.import_module("serial")
    except ImportError as error:
        raise DeviceUnavailableError(
            "pyserial: the library is not installed; expected the Python package pyserial"
        ) from error
