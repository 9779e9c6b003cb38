"""A fake of the board's analog inputs: one converter of sixteen channels. Portable."""

from hal.errors import DeviceUnavailableError, LineBusyError, LineUnknownError
from hal.ports import AnalogInput, AnalogInputs

CHANNELS = 16
#: of a converter that a config names (``adc.CH0``): an MCP3008's and an ADS1115's
CHIPS_CHANNELS = ["CH%d" % number for number in range(8)] + [
    "AIN%d" % number for number in range(4)
]
FULL_SCALE = 1000  #: permille: a channel that nothing pulls down is pulled up to the supply


class _Channel(AnalogInput):
    """One claimed channel."""

    wakes = True

    def __init__(self, inputs: "FakeAnalogInputs", name: str) -> None:
        self.name = name
        self._inputs: FakeAnalogInputs | None = inputs

    def read(self) -> int:
        """The level now."""
        if self._inputs is None:
            raise DeviceUnavailableError("%s: no longer ours; expected it open" % self.name)
        if not self._inputs.answers:
            raise DeviceUnavailableError("%s: no answer; expected the converter" % self.name)
        return self._inputs.level(self.name)

    def close(self) -> None:
        """Let the channel go."""
        if self._inputs is not None:
            del self._inputs._claims[self.name]
            self._inputs = None

    def forget(self) -> None:
        """The power has gone: whoever holds this holds nothing."""
        self._inputs = None


class FakeAnalogInputs(AnalogInputs):
    """The channels adc0 to adc15, and those of any converter by its data sheet's names.

    Wakes whoever reads a channel when its level moves, so that virtual time need not be cut into
    polls; a converter without a comparator does not, and its reader polls.

    Does not imitate: conversion time, the steps of a converter's few bits, crosstalk between channels,
    a supply that sags. Noise is the world's (`sim.switch`).
    """

    def __init__(self) -> None:
        #: bool  the converter is there and answers
        self.answers = True
        self._levels: dict[str, int] = {}
        self._claims: dict[str, _Channel] = {}

    def channel(self, name: str) -> AnalogInput:
        """Claim `name`."""
        own = name in ["adc%d" % number for number in range(CHANNELS)]
        if not own and name.split(".")[-1] not in CHIPS_CHANNELS:
            raise LineUnknownError(
                "%s: no such channel; expected adc0 to adc%d" % (name, CHANNELS - 1)
            )
        if name in self._claims:
            raise LineBusyError("%s: in use; expected a channel that nobody has" % name)
        channel = self._claims[name] = _Channel(self, name)
        return channel

    def close(self) -> None:
        """Let every channel go."""
        for name in sorted(self._claims):
            self._claims[name].close()

    def drive(self, name: str, permille: int) -> None:
        """What hangs on `name` brings it to `permille` of the supply, 0 to 1000."""
        if self._levels.get(name) == permille:
            return
        self._levels[name] = permille
        self._wake(name)

    def level(self, name: str) -> int:
        """Where `name` is."""
        return self._levels.get(name, FULL_SCALE)

    def set_answers(self, on: bool) -> None:
        """The converter falls silent, or answers again."""
        self.answers = on
        for name in sorted(self._claims):
            self._wake(name)

    def power_off(self) -> None:
        """The board loses its power: every claim is forgotten. The next start claims anew."""
        for name in sorted(self._claims):
            self._claims[name].forget()
        self._claims = {}

    def _wake(self, name: str) -> None:
        channel = self._claims.get(name)
        if channel is not None and channel.ready is not None:
            channel.ready()
