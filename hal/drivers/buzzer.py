"""A reader's or panel's buzzer, switched as a whole: patterns are played by the caller."""

from hal.drivers.pulse_output import PulseOutput


class Buzzer(PulseOutput):
    """One buzzer; its pattern's pauses are `sound(False)`. See `PulseOutput`."""

    def sound(self, on: bool, now_ms: "int | None" = None) -> None:
        """Sound, or be silent; `now_ms` as for `set`."""
        self.set(on, now_ms)
