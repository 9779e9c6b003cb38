"""A relay that the config's automation switches: a gate's opener, the stairs' light, a fan."""

from hal.drivers.pulse_output import PulseOutput


class Relay(PulseOutput):
    """One relay; `max_pulse_ms` is how long it is on at most, whoever wants more. See `PulseOutput`."""

    def switch(self, on: bool, now_ms: "int | None" = None) -> None:
        """Pull in, or let go; `now_ms` as for `set`."""
        self.set(on, now_ms)
