"""The buzzer of a reader on an OSDP bus."""

from hal.drivers.buzzer import Buzzer
from hal.ports import DigitalOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import BusReader


class OsdpBuzzer(Buzzer):
    """One buzzer; see `hal.drivers.pulse_output.PulseOutput`. It ends by itself if the bus falls silent."""

    def __init__(self, reader: "BusReader", max_pulse_ms: "int | None" = None) -> None:
        super().__init__(_Sound(reader), max_pulse_ms)


class _Sound(DigitalOutput):
    """What a buzzer's line would be."""

    def __init__(self, reader: "BusReader") -> None:
        self.name = reader.name
        self._reader = reader
        self._on = False

    def write(self, on: bool) -> None:
        """Sound, or be silent."""
        self._reader.sound(on)
        self._on = on

    def read(self) -> bool:
        """What it was last told."""
        return self._on
