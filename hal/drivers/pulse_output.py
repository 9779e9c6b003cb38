"""An output that may be on only for so long: what buzzer, siren and beacon share."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalOutput


class PulseOutput:
    """One output with a hard limit to the time it is on.

    output        active is on; opened off
    max_pulse_ms  int or None  on for at most this long at a time, ms; None: no limit

    At the limit it goes off and stays off until it was told off and on again. Every call raises
    `hal.errors.DeviceUnavailableError` if the line is no longer ours; `tick` then keeps its
    deadline.
    """

    def __init__(self, output: "DigitalOutput", max_pulse_ms: "int | None" = None) -> None:
        if max_pulse_ms is not None and max_pulse_ms < 1:
            raise ValueError("output: max_pulse_ms is out of range; expected 1 or more")
        self.output = output
        self._max_pulse_ms = max_pulse_ms
        self._told = False
        #: int or None  call `tick` no later than this
        self.deadline_ms: int | None = None

    @property
    def on(self) -> bool:
        """Whether the output is on."""
        return self.output.read()

    def set(self, on: bool, now_ms: "int | None" = None) -> None:
        """Switch on or off. Told on while it is on changes nothing, its time limit least of all.

        now_ms  when; left out, the time on counts from the next `tick`, which is then due at once
        """
        if on and self._told:
            return
        self.output.write(on)
        self._told = on
        self.deadline_ms = None
        if on and self._max_pulse_ms is not None:
            self.deadline_ms = 0 if now_ms is None else now_ms + self._max_pulse_ms

    def tick(self, now_ms: int) -> None:
        """Switch off what has been on for its time."""
        if self.deadline_ms is None or now_ms < self.deadline_ms or self._max_pulse_ms is None:
            return
        if self.deadline_ms == 0:
            self.deadline_ms = now_ms + self._max_pulse_ms
            return
        self.output.write(False)
        self.deadline_ms = None
