"""One I2C bus of Linux through smbus2: single registers of chips, and what is wrong in one line."""

import errno
import importlib
from typing import Any

from hal.backends import access
from hal.errors import DeviceUnavailableError

_NOBODY = (errno.ENXIO, errno.EREMOTEIO, errno.EIO, errno.ETIMEDOUT)


class I2cBus:
    """A bus by its device file, opened at the first transfer. Every call may raise
    `hal.errors.DeviceUnavailableError`, and may be tried again.

    path     str     such as /dev/i2c-1
    library  module  stands in for `smbus2`; left out: it is loaded at the first transfer
    """

    def __init__(self, path: str, library: Any = None) -> None:
        self.path = path
        self._library = library
        self._bus: Any = None

    def write_byte(self, address: int, register: int, value: int) -> None:
        """One byte to one register."""
        self._do(address, "write_byte_data", register, value)

    def read_bytes(self, address: int, register: int, count: int) -> list[int]:
        """`count` registers from `register` on."""
        found: list[int] = self._do(address, "read_i2c_block_data", register, count)
        return found

    def write_word(self, address: int, register: int, value: int) -> None:
        """Sixteen bits, high byte first, to one register."""
        self._do(address, "write_word_data", register, _swapped(value))

    def read_word(self, address: int, register: int) -> int:
        """Sixteen bits, high byte first."""
        return _swapped(self._do(address, "read_word_data", register))

    def load(self) -> None:
        """Load the library. Raises `hal.errors.DeviceUnavailableError` where it is not installed."""
        if self._library is None:
            self._library = _load()

    def close(self) -> None:
        """Let the bus go; the next transfer opens it again."""
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    def _do(self, address: int, call: str, *words: int) -> Any:
        bus = self._open()
        try:
            return getattr(bus, call)(address, *words)
        except OSError as error:
            what = "does not answer" if error.errno in _NOBODY else (error.strerror or "failed")
            raise DeviceUnavailableError(
                f"{self.path} 0x{address:02x}: {what}; expected the chip there, with its supply, "
                "SDA, SCL and the address pins as in the config"
            ) from error

    def _open(self) -> Any:
        if self._bus is None:
            self.load()
            try:
                self._bus = self._library.SMBus(self.path)
            except PermissionError as error:
                raise DeviceUnavailableError(
                    f"{self.path}: may not be opened; expected {access.expected(self.path, 'i2c')}"
                ) from error
            except OSError as error:
                raise DeviceUnavailableError(
                    f"{self.path}: {(error.strerror or 'unusable').lower()}; expected an I2C bus "
                    "(dtparam=i2c_arm=on in config.txt, module i2c-dev)"
                ) from error
        return self._bus


def _swapped(word: int) -> int:
    """SMBus sends the low byte first; these chips' registers have the high byte first."""
    return (word & 0xFF) << 8 | word >> 8


def _load() -> Any:
    try:
        return importlib.import_module("smbus2")
    except ImportError as error:
        raise DeviceUnavailableError(
            "smbus2: the library is not installed; expected the Python package smbus2"
        ) from error
