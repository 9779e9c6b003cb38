"""A USB reader that types like a keyboard: what a kernel hands over for it, and one by uinput."""

import fcntl
import os
import struct

from hal.backends.input_keys import EVENT

#: include/uapi/linux/input-event-codes.h
CODES = {
    **dict(zip("1234567890", range(2, 12), strict=True)),
    "A": 30,
    "B": 48,
    "C": 46,
    "D": 32,
    "E": 18,
    "F": 33,
    "\n": 28,
    "Q": 16,
    ",": 51,
}
SHIFT = 42

USB_NUMBERS = (0x1209, 0xD00F)  #: vendor, product


def event(kind: int, code: int, value: int) -> bytes:
    """One event, as the kernel writes it."""
    return EVENT.pack(1_700_000_000, 5, kind, code, value)


def pressed(code: int) -> bytes:
    """A key down and up, each with its SYN_REPORT; and the scan code that comes before (EV_MSC)."""
    down = event(4, 4, 0x70000 | code) + event(1, code, 1) + event(0, 0, 0)
    return down + event(1, code, 0) + event(0, 0, 0)


def typed(text: str) -> bytes:
    """What a reader types for `text`: capitals with shift."""
    data = b""
    for char in text:
        key = pressed(CODES[char])
        data += event(1, SHIFT, 1) + key + event(1, SHIFT, 0) if char.isalpha() else key
    return data


class TypingReader:
    """A reader that types, made by the kernel's uinput module (include/uapi/linux/uinput.h)."""

    def __init__(self) -> None:
        self.fd = os.open("/dev/uinput", os.O_WRONLY)
        fcntl.ioctl(self.fd, 0x40045564, 1)  # UI_SET_EVBIT, EV_KEY
        for code in (*CODES.values(), SHIFT):
            fcntl.ioctl(self.fd, 0x40045565, code)  # UI_SET_KEYBIT
        setup = struct.pack("HHHH80sI", 3, *USB_NUMBERS, 1, b"Doorward test reader", 0)
        fcntl.ioctl(self.fd, 0x405C5503, setup)  # UI_DEV_SETUP
        fcntl.ioctl(self.fd, 0x5501)  # UI_DEV_CREATE

    def type(self, text: str) -> None:
        """Type it, a line's end as Enter."""
        for at in range(0, len(data := typed(text)), EVENT.size):
            os.write(self.fd, data[at : at + EVENT.size])

    def close(self) -> None:
        """Pull it out."""
        fcntl.ioctl(self.fd, 0x5502)  # UI_DEV_DESTROY
        os.close(self.fd)
