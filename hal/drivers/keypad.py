"""A stand-alone keypad on two Wiegand lines: one burst of 4 or 8 bits a key."""

from hal.drivers.wiegand_pulses import HELD, WiegandPulses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalInputs, Reading


class Keypad:
    """Hands over every burst, also the same key twice.

    inputs        D0 (index 0) and D1 (index 1), active while the line is low
    frame_gap_ms  int  quiet time that ends a burst, ms, 1 to 100; fingers need over 50 ms a key

    Readings: BITS (`at_ms`: the burst's last edge), STUCK, LOST, BACK.
    """

    #: str  what is wrong where its lines say nothing else
    held = HELD

    def __init__(self, inputs: "DigitalInputs", frame_gap_ms: int = 25) -> None:
        self.source = inputs
        self._pulses = WiegandPulses(inputs, frame_gap_ms)

    @property
    def problem(self) -> str:
        """What is wrong with the lines, one line; empty: nothing that they say."""
        return self._pulses.problem

    @property
    def deadline_ms(self) -> "int | None":
        """Poll me no later than this."""
        return self._pulses.deadline_ms

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        return self._pulses.poll(now_ms)
