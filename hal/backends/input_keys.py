"""USB readers that type like a keyboard, as byte streams: digits and letters, and a line's end for Enter.

The device is taken for ourselves alone (EVIOCGRAB), so what a card types reaches no console and no log-in.
Linux, include/uapi/linux/input.h and input-event-codes.h. A key that no card has, and events that the kernel
had to drop (SYN_DROPPED), become a ``?``: that line is a bad read and never another card.

A port is a device's path (``/dev/input/by-id/usb-...-event-kbd``), or ``input:VVVV:PPPP`` for the keyboard
with these USB numbers, whichever socket it is in.
"""

import errno
import fcntl
import glob
import os
import re
import struct
from collections.abc import Callable

from hal.backends import access
from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import ByteStream, SerialPorts

EVENT = struct.Struct("@llHHi")  #: time (2), type, code, value
EVIOCGRAB = 0x40044590
EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
KEY_ENTER = 28
_DOWN = 1  # 0 is up, 2 the keyboard's own repeat

_ENDS = (KEY_ENTER, 96, 15)  # Enter, the keypad's Enter, Tab
_SHIFTS = (
    42,
    54,
    29,
    97,
    56,
    100,
    58,
    69,
)  # shift, control, alt, locks: a letter's case means nothing
_KEYS = {
    **{code: f"{(code - 1) % 10}" for code in range(2, 12)},
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True)),
    **dict(zip((30, 48, 46, 32, 18, 33), "ABCDEF", strict=True)),
    39: ":",
    51: ",",
    57: " ",
}
_NUMBERS = re.compile(r"input:([0-9a-f]{4}):([0-9a-f]{4})\Z").match
_NOT_THERE = "not there; expected the reader plugged in (ls /dev/input/by-id shows it)"

Ioctl = Callable[[int, int, int], int]


def is_keys(port: str) -> bool:
    """Whether a config's `port` is one of these."""
    return port.startswith(("/dev/input/", "input:"))


class InputKeys(SerialPorts):
    """The machine's keyboards, and by `others` every port that is none.

    ioctl   stands in for `fcntl.ioctl`
    folder  str  where the kernel lists its input devices
    """

    def __init__(
        self,
        others: SerialPorts,
        ioctl: Ioctl = fcntl.ioctl,
        folder: str = "/sys/class/input",
    ) -> None:
        self._others = others
        self._ioctl = ioctl
        self._folder = folder
        self._claims: dict[str, KeyStream] = {}

    def stream(self, port: str, baud: int) -> ByteStream:
        """See `SerialPorts.stream`."""
        if not is_keys(port):
            return self._others.stream(port, baud)
        stream = KeyStream(self, port)
        self.claim(stream)
        return stream

    def claim(self, stream: "KeyStream") -> None:
        """The port is `stream`'s. Raises `hal.errors.LineBusyError` if it is another's."""
        if self._claims.get(stream.name, stream) is not stream:
            raise LineBusyError(f"{stream.name}: already a reader's; expected a port of its own")
        self._claims[stream.name] = stream

    def release(self, stream: "KeyStream") -> None:
        """It is nobody's."""
        if self._claims.get(stream.name) is stream:
            del self._claims[stream.name]

    def path(self, port: str) -> str:
        """The device file of `port`. Raises `hal.errors.DeviceUnavailableError` if there is none."""
        numbers = _NUMBERS(port)
        if numbers is None:
            return port
        for device in sorted(glob.glob(os.path.join(self._folder, "event*"))):
            found = [_line(device, "device/id", name) for name in ("vendor", "product")]
            if found == list(numbers.groups()) and _types(
                _line(device, "device/capabilities", "key")
            ):
                return f"/dev/input/{os.path.basename(device)}"
        raise DeviceUnavailableError(f"{port}: {_NOT_THERE}")

    def grab(self, descriptor: int) -> None:
        """Have what it types for ourselves."""
        self._ioctl(descriptor, EVIOCGRAB, 1)


class KeyStream(ByteStream):
    """What one keyboard types. Made by `InputKeys.stream`."""

    def __init__(self, ports: InputKeys, port: str) -> None:
        self.name = port
        self._ports = ports
        self._fd = -1

    def open(self) -> None:
        """See `ByteStream.open`; opening an open one again is opening it anew."""
        self._ports.claim(self)
        self._shut()
        path = self._ports.path(self.name)
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._ports.grab(self._fd)
        except OSError as error:
            self._shut()
            raise DeviceUnavailableError(f"{self.name}: {_reason(path, error)}") from error

    def read(self) -> bytes:
        """See `ByteStream.read`."""
        if self._fd < 0:
            raise DeviceUnavailableError(f"{self.name}: not open; expected an open port")
        try:
            data = os.read(self._fd, 64 * EVENT.size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        return b"".join(_typed(*event[2:]) for event in EVENT.iter_unpack(_whole(data)))

    def write(self, data: bytes) -> int:
        """A keyboard is told nothing: 0. Raises as `read` does."""
        if self._fd < 0:
            raise DeviceUnavailableError(f"{self.name}: not open; expected an open port")
        return 0

    def fileno(self) -> int:
        """The descriptor; another one after each `open`, -1 while it is closed."""
        return self._fd

    def close(self) -> None:
        """See `ByteStream.close`; the keyboard is everybody's again."""
        self._shut()
        self._ports.release(self)

    def _shut(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _gone(self) -> DeviceUnavailableError:
        self._shut()
        return DeviceUnavailableError(f"{self.name}: {_NOT_THERE}")


def _typed(kind: int, code: int, value: int) -> bytes:
    if kind == EV_SYN and code == SYN_DROPPED:
        return b"?"
    if kind != EV_KEY or value != _DOWN or code in _SHIFTS:
        return b""
    return b"\n" if code in _ENDS else _KEYS.get(code, "?").encode()


def _whole(data: bytes) -> bytes:
    return data[: len(data) - len(data) % EVENT.size]  # the kernel hands over whole events only


def _line(device: str, *names: str) -> str:
    try:
        with open(os.path.join(device, *names), encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _types(capabilities: str) -> bool:
    """Whether a device has the keys 1 and Enter; beside its keyboard a reader may be a mouse as well."""
    last = capabilities.split(" ")[-1]
    try:
        bits = int(last, 16)
    except ValueError:
        return False
    return bool(bits >> KEY_ENTER & 1 and bits >> 2 & 1)


def _reason(path: str, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return _NOT_THERE
    if error.errno == errno.EACCES:
        return f"may not be opened; expected {access.expected(path, 'input')}"
    if error.errno == errno.EBUSY:
        return "another program has it; expected nobody else on the reader"
    return "is no input device; expected a reader that types, under /dev/input/by-id"
