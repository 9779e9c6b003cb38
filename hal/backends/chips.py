"""The chips of a board config beside the board's own lines: which backend serves which name.

A line or analog input with a dot in its name is a chip's (``exp0.GPA3``, ``adc.CH0``); every other is the
board's. The chips of one bus share its thread. What drives a chip is loaded for a board that has one.
"""

from typing import TYPE_CHECKING, Any

from hal.errors import HalError, LineUnknownError
from hal.ports import AnalogInput, AnalogInputs, DigitalInputs, DigitalOutput, Lines, Ticks

if TYPE_CHECKING:
    from hal.backends.converters import Converter

Tables = dict[str, dict[str, Any]]


class ChippedLines(Lines):
    """The board's lines and those of its expanders."""

    def __init__(self, own: Lines, expanders: dict[str, Lines]) -> None:
        self._own = own
        self._expanders = expanders

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        """See `Lines.output`."""
        return self._of(name).output(name, active_low, on)

    def inputs(self, names: list[str], active_low: bool, pull: str) -> DigitalInputs:
        """See `Lines.inputs`; one request is one chip's."""
        return self._of(names[0]).inputs(names, active_low, pull)

    def close(self) -> None:
        """See `Lines.close`; raises the first error, after every chip was let go."""
        failed: HalError | None = None
        for lines in (self._own, *self._expanders.values()):
            try:
                lines.close()
            except HalError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _of(self, name: str) -> Lines:
        chip, dot, _ = name.rpartition(".")
        return self._expanders.get(chip, self._own) if dot else self._own


class ChippedInputs(AnalogInputs):
    """The analog inputs of a board's converters; it has none of its own."""

    def __init__(self, converters: dict[str, AnalogInputs]) -> None:
        self._converters = converters

    def channel(self, name: str) -> AnalogInput:
        """See `AnalogInputs.channel`."""
        converter = self._converters.get(name.rpartition(".")[0])
        if converter is None:
            raise LineUnknownError(f"{name}: no such converter; expected one of [chips]")
        return converter.channel(name)

    def close(self) -> None:
        """See `AnalogInputs.close`."""
        for converter in self._converters.values():
            converter.close()


def with_chips(own: Lines, tables: Tables, ticks: Ticks) -> tuple[Lines, AnalogInputs]:
    """The board's lines with those of `tables` (a config's [chips]), and its analog inputs."""
    if not tables:
        return own, ChippedInputs({})
    from hal.backends.ads1115 import Ads1115
    from hal.backends.chip_poller import ChipPoller
    from hal.backends.converters import ConverterInputs
    from hal.backends.i2c_bus import I2cBus
    from hal.backends.mcp3008 import Mcp3008
    from hal.backends.mcp23017 import Mcp23017Lines

    pollers: dict[str, ChipPoller] = {}
    expanders: dict[str, Lines] = {}
    converters: dict[str, AnalogInputs] = {}
    for name, entry in tables.items():
        bus = entry["bus"]
        poller = pollers.setdefault(bus, ChipPoller())
        if entry["chip"] == "mcp23017":
            expanders[name] = Mcp23017Lines(name, I2cBus(bus), entry["address"], ticks, poller)
            continue
        converter: Converter
        if entry["chip"] == "mcp3008":
            converter = Mcp3008(bus)
        else:
            converter = Ads1115(I2cBus(bus), entry["address"], entry.get("supply_mv", 3300))
        converters[name] = ConverterInputs(name, converter, poller)
    return (ChippedLines(own, expanders) if expanders else own), ChippedInputs(converters)
