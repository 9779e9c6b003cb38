"""The converter MCP3008 on SPI (Microchip DS21295), through spidev: eight channels, 10 bits.

It measures against its own supply (VREF to VDD). The chip drives a null bit before the result; a data
line that rests high instead has no chip at its other end. One that rests low cannot be told from a shorted
loop, which is an alarm as well.
"""

import importlib
import re
from typing import Any

from hal.backends import access
from hal.errors import DeviceUnavailableError

_DEVICE = re.compile(r"/dev/spidev([0-9]+)\.([0-9]+)\Z").match
_SPEED_HZ = 1_000_000  #: at 2.7 V the chip takes 1.35 MHz
_SINGLE_ENDED = 0x80
_NULL_BIT = 0x04
_FULL_SCALE = 1023


class Mcp3008:
    """One chip.

    path     str     such as /dev/spidev0.0
    library  module  stands in for `spidev`; left out: it is loaded at the first measurement
    """

    channels: tuple[str, ...] = tuple([f"CH{number}" for number in range(8)])

    def __init__(self, path: str, library: Any = None) -> None:
        self._path = path
        self._library = library
        self._spi: Any = None

    def measure(self, channel: int) -> int:
        """See `converters.Converter.measure`."""
        spi = self._open()
        try:
            _, high, low = spi.xfer2([0x01, _SINGLE_ENDED | channel << 4, 0x00])
        except OSError as error:
            self.close()
            raise DeviceUnavailableError(
                f"{self._path}: {error.strerror or 'failed'}; expected an MCP3008 there"
            ) from error
        if high & _NULL_BIT:
            raise DeviceUnavailableError(
                f"{self._path}: does not answer; expected an MCP3008 with its supply, CLK, DIN, "
                "DOUT and CS"
            )
        code: int = (high & 0x03) << 8 | low
        return round(code * 1000 / _FULL_SCALE)

    def load(self) -> None:
        """See `converters.Converter.load`."""
        if self._library is None:
            self._library = _load()

    def close(self) -> None:
        """See `converters.Converter.close`."""
        if self._spi is not None:
            self._spi.close()
            self._spi = None

    def _open(self) -> Any:
        if self._spi is not None:
            return self._spi
        self.load()
        place = _DEVICE(self._path)
        if place is None:
            raise DeviceUnavailableError(f"{self._path}: no SPI device; expected /dev/spidev0.0")
        spi = self._library.SpiDev()
        try:
            spi.open(int(place[1]), int(place[2]))
            spi.max_speed_hz = _SPEED_HZ
            spi.mode = 0
        except PermissionError as error:
            raise DeviceUnavailableError(
                f"{self._path}: may not be opened; expected {access.expected(self._path, 'spi')}"
            ) from error
        except OSError as error:
            raise DeviceUnavailableError(
                f"{self._path}: {(error.strerror or 'unusable').lower()}; expected an SPI device "
                "(dtparam=spi=on in config.txt)"
            ) from error
        self._spi = spi
        return spi


def _load() -> Any:
    try:
        return importlib.import_module("spidev")
    except ImportError as error:
        raise DeviceUnavailableError(
            "spidev: the library is not installed; expected the Python package spidev"
        ) from error
