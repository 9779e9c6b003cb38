"""Analog inputs of converters on a bus: what was measured last, by the bus's thread (`chip_poller`).

A converter that does not answer when a channel is claimed may come later: the channel is claimed, and is
not to be read until then.

A converter is `mcp3008.Mcp3008` or `ads1115.Ads1115`; a channel is named ``NAME.CH0`` or ``NAME.AIN0`` as its
data sheet has it.
"""

from typing import Protocol

from hal.backends.chip_poller import ChipPoller
from hal.errors import DeviceUnavailableError, HalError, LineBusyError, LineUnknownError
from hal.ports import AnalogInput, AnalogInputs


class Converter(Protocol):
    """One chip."""

    #: tuple of str  its channels
    channels: tuple[str, ...]

    def measure(self, channel: int) -> int:
        """The channel now, permille of the supply. Raises `hal.errors.DeviceUnavailableError`."""

    def load(self) -> None:
        """Load its library. Raises `hal.errors.DeviceUnavailableError` where it is not installed."""

    def close(self) -> None:
        """Let the bus go; the next measurement opens it again."""


class ConverterInputs(AnalogInputs):
    """The channels of one converter.

    name    str  the chip's in the config
    """

    def __init__(self, name: str, converter: Converter, poller: ChipPoller) -> None:
        self._name = name
        self._converter = converter
        self._poller = poller
        self._claims: dict[str, _Channel] = {}

    def channel(self, name: str) -> AnalogInput:
        """See `AnalogInputs.channel`."""
        chip, _, short = name.rpartition(".")
        known = self._converter.channels
        if chip != self._name or short not in known:
            raise LineUnknownError(
                f"{name}: {self._name} has no such channel; "
                f"expected {self._name}.{known[0]} to {known[-1]}"
            )
        if name in self._claims:
            raise LineBusyError(f"{name}: in use; expected a channel that nobody has")
        self._converter.load()
        channel = _Channel(self, name, known.index(short))
        # One that is silent is asked once and not for each channel: a bus that hangs takes a second.
        silent = [one.problem for one in self._claims.values() if one.problem is not None]
        if silent:
            channel.problem = silent[0]
        else:
            with self._poller.bus_lock:
                channel.measure(self._converter)
        self._claims[name] = channel
        self._poller.add(self)
        return channel

    def close(self) -> None:
        """See `AnalogInputs.close`."""
        for channel in list(self._claims.values()):
            channel.close()
        self._poller.remove(self)
        self._converter.close()

    def turn(self) -> None:
        """See `chip_poller.Chip.turn`."""
        for channel in list(self._claims.values()):
            channel.measure(self._converter)


class _Channel(AnalogInput):
    def __init__(self, inputs: ConverterInputs, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.permille = 0
        self.problem: HalError | None = None
        self._inputs: ConverterInputs | None = inputs

    def measure(self, converter: Converter) -> None:
        """On the bus's thread, or whoever claims it: look at the chip."""
        try:
            self.permille, self.problem = converter.measure(self.number), None
        except HalError as error:
            self.problem = error

    def read(self) -> int:
        if self._inputs is None:
            raise DeviceUnavailableError(f"{self.name}: closed; expected an open channel")
        self._inputs._poller.check(self.name)
        problem = self.problem
        if problem is not None:
            raise DeviceUnavailableError(f"{self.name}: {problem}")
        return self.permille

    def close(self) -> None:
        if self._inputs is not None:
            inputs, self._inputs = self._inputs, None
            del inputs._claims[self.name]
