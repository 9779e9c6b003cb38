"""A reader's two-colour light: a red and a green line, amber is both."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalOutput

OFF = "off"
RED = "red"
GREEN = "green"
AMBER = "amber"
COLOURS = (OFF, RED, GREEN, AMBER)


class Led:
    """One light.

    red, green  output or None  a line that is not wired; its colour stays dark

    Raises `hal.errors.DeviceUnavailableError` if a line is no longer ours.
    """

    def __init__(self, red: "DigitalOutput | None", green: "DigitalOutput | None") -> None:
        self.red = red
        self.green = green
        #: str  the colour last shown, one of `COLOURS`
        self.colour = OFF

    def show(self, colour: str) -> None:
        """Show one of `COLOURS`. Raises ValueError for another."""
        if colour not in COLOURS:
            raise ValueError("led: unknown colour; expected off, red, green or amber")
        if self.red is not None:
            self.red.write(colour in (RED, AMBER))
        if self.green is not None:
            self.green.write(colour in (GREEN, AMBER))
        self.colour = colour
