"""The light of a reader on an OSDP bus."""

from hal.drivers.led import AMBER, COLOURS, GREEN, OFF, RED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import BusReader


class OsdpLed:
    """One light; a reader that is away shows it once it is back."""

    def __init__(self, reader: "BusReader") -> None:
        self._reader = reader
        #: str  the colour last shown, one of `hal.drivers.led.COLOURS`
        self.colour = OFF

    def show(self, colour: str) -> None:
        """Show one of `hal.drivers.led.COLOURS`. Raises ValueError for another."""
        if colour not in COLOURS:
            raise ValueError("led: unknown colour; expected off, red, green or amber")
        self._reader.light(colour in (RED, AMBER), colour in (GREEN, AMBER))
        self.colour = colour
