"""Digital lines through RPi.GPIO: outputs, and slow inputs that are polled.

For older boards whose kernel or image has no GPIO character device. RPi.GPIO's edge detection fails on
kernels from 6.6 on and its edges carry no kernel time, so inputs are read whenever `take` is called: an
edge is dated then, and what lasts less than the loop's polling interval is not seen. A Wiegand reader is
therefore refused here, and the Pi 5, which the library does not know, altogether.
"""

import importlib
import re
from typing import Any

from hal.errors import (
    BoardConfigError,
    DeviceUnavailableError,
    HalError,
    LineBusyError,
    LineUnknownError,
)
from hal.ports import DigitalInputs, DigitalOutput, Edge, Lines, Ticks

_HIGHEST = 27  #: of the header
_NUMBERED = re.compile(r"GPIO([0-9]{1,2})\Z").match


class RpiGpioLines(Lines):
    """The header's lines.

    ticks    Ticks   the clock that dates an edge
    library  module  stands in for `RPi.GPIO`; left out: it is loaded at the first claim
    """

    def __init__(self, ticks: Ticks, library: Any = None) -> None:
        self._ticks = ticks
        self._given = library
        self._gpio: Any = None
        self._claims: dict[str, _Output | _Inputs] = {}

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        """See `Lines.output`. The library writes ``initial`` before it sets the direction."""
        gpio, pin = self._claim(name)
        try:
            gpio.setup(pin, gpio.OUT, initial=on != active_low)
        except RuntimeError as error:
            raise self._refused(name, error) from error
        output = _Output(self, name, pin, active_low, on)
        self._claims[name] = output
        return output

    def inputs(self, names: list[str], active_low: bool, pull: str) -> DigitalInputs:
        """See `Lines.inputs`. Raises `hal.errors.BoardConfigError` for more than one line."""
        if len(names) != 1:
            raise BoardConfigError(
                [
                    f"{', '.join(names)}: pulses cannot be polled with RPi.GPIO; "
                    "expected the gpiod backend"
                ]
            )
        gpio, pin = self._claim(names[0])
        pulls = {"up": gpio.PUD_UP, "down": gpio.PUD_DOWN, "none": gpio.PUD_OFF}
        try:
            gpio.setup(pin, gpio.IN, pull_up_down=pulls[pull])
        except RuntimeError as error:
            raise self._refused(names[0], error) from error
        inputs = _Inputs(self, names[0], pin, active_low)
        self._claims[names[0]] = inputs
        return inputs

    def close(self) -> None:
        """See `Lines.close`; raises the first error, after the last line was let go."""
        failed: HalError | None = None
        for claim in list(self._claims.values()):
            try:
                claim.close()
            except HalError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _claim(self, name: str) -> tuple[Any, int]:
        gpio = self._open()
        numbered = _NUMBERED(name)
        if numbered is None or int(numbered[1]) > _HIGHEST:
            raise LineUnknownError(
                f"{name}: the header has no such line; expected GPIO0 to GPIO{_HIGHEST}"
            )
        pin = int(numbered[1])
        if name in self._claims:
            raise LineBusyError(f'{name}: "doorward" has the line; expected a free one')
        # An output may be left from a program that was killed; another function is a bus that works.
        if gpio.gpio_function(pin) not in (gpio.IN, gpio.OUT):
            raise LineBusyError(
                f"{name}: a bus or a clock has the line; expected a free one, "
                "or that bus switched off in config.txt"
            )
        return gpio, pin

    def _open(self) -> Any:
        if self._gpio is None:
            gpio = self._given or _load()
            try:
                gpio.setwarnings(
                    False
                )  # it would warn of lines left from a program that was killed
                gpio.setmode(gpio.BCM)
            except (RuntimeError, ValueError) as error:
                raise self._refused("RPi.GPIO", error) from error
            self._gpio = gpio
        return self._gpio

    def _refused(self, name: str, error: Exception) -> DeviceUnavailableError:
        return DeviceUnavailableError(
            f"{name}: {error}; expected a Raspberry Pi before the Pi 5, and access to /dev/gpiomem"
        )

    def _free(self, name: str, pin: int) -> None:
        del self._claims[name]
        self._gpio.cleanup(pin)


class _Output(DigitalOutput):
    def __init__(
        self, lines: RpiGpioLines, name: str, pin: int, active_low: bool, on: bool
    ) -> None:
        self.name = name
        self._lines = lines
        self._pin = pin
        self._active_low = active_low
        self._safe = on
        self._on = on
        self._is_open = True

    def write(self, on: bool) -> None:
        if not self._is_open:
            raise DeviceUnavailableError(f"{self.name}: closed; expected an open line")
        try:
            self._lines._open().output(self._pin, on != self._active_low)
        except RuntimeError as error:
            raise self._lines._refused(self.name, error) from error
        self._on = on

    def read(self) -> bool:
        return self._on

    def close(self) -> None:
        if not self._is_open:
            return
        try:
            self.write(self._safe)
        finally:
            self._is_open = False
            self._lines._free(self.name, self._pin)


class _Inputs(DigitalInputs):
    def __init__(self, lines: RpiGpioLines, name: str, pin: int, active_low: bool) -> None:
        self.names = (name,)
        self._lines = lines
        self._pin = pin
        self._active_low = active_low
        self._is_open = True
        self._last = self.levels()[0]

    def levels(self) -> list[bool]:
        if not self._is_open:
            raise DeviceUnavailableError(f"{self.names[0]}: closed; expected an open line")
        try:
            high = bool(self._lines._open().input(self._pin))
        except RuntimeError as error:
            raise self._lines._refused(self.names[0], error) from error
        return [high != self._active_low]

    def take(self) -> list[Edge]:
        level = self.levels()[0]
        if level == self._last:
            return []
        self._last = level
        return [Edge(0, level, self._lines._ticks.ticks_ms())]

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._lines._free(self.names[0], self._pin)


def _load() -> Any:
    try:
        library: Any = importlib.import_module("RPi.GPIO")
    except ImportError as error:
        raise DeviceUnavailableError(
            "RPi.GPIO: the library is not installed; expected the Python package RPi.GPIO"
        ) from error
    except RuntimeError as error:  # it looks for the board while it is imported
        raise DeviceUnavailableError(f"RPi.GPIO: {error}; expected a Raspberry Pi") from error
    return library
