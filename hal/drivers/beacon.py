"""An alarm lamp: lit while there is an alarm that nobody has settled."""

from hal.drivers.pulse_output import PulseOutput


class Beacon(PulseOutput):
    """One lamp. See `PulseOutput`."""

    def light(self, on: bool, now_ms: "int | None" = None) -> None:
        """Be lit, or dark; `now_ms` as for `set`."""
        self.set(on, now_ms)
