"""An alarm siren. Local rules cap how long one may sound: `max_pulse_ms` is that cap."""

from hal.drivers.pulse_output import PulseOutput


class Siren(PulseOutput):
    """One siren; at its cap it falls silent until it is told off and on again. See `PulseOutput`."""

    def sound(self, on: bool, now_ms: "int | None" = None) -> None:
        """Sound, or be silent; `now_ms` as for `set`."""
        self.set(on, now_ms)
