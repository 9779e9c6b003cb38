"""A card reader, with or without keys, on two Wiegand lines (SIA AC-01; see `wiegand_pulses`)."""

from hal.drivers.repeats import Repeats
from hal.drivers.wiegand_pulses import HELD, WiegandPulses
from hal.ports import BITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalInputs, Reading

SHORTEST_CARD = 24  #: bits; a shorter burst is a key, and the same key may be pressed again at once


class WiegandReader:
    """Hands over bursts of bits; the burst of a card that stays on the reader, once.

    inputs        D0 (index 0) and D1 (index 1), active while the line is low
    frame_gap_ms  int  quiet time that ends a burst, ms, 1 to 100; pulses are at most 20 ms apart
    repeat_ms     int  the same card less than this after its last burst is not new, ms, 0 to 300

    Readings: BITS (`at_ms`: the burst's last edge), STUCK, LOST, BACK.
    """

    #: str  what is wrong where its lines say nothing else
    held = HELD

    def __init__(
        self, inputs: "DigitalInputs", frame_gap_ms: int = 25, repeat_ms: int = 300
    ) -> None:
        self.source = inputs
        self._pulses = WiegandPulses(inputs, frame_gap_ms)
        self._repeats = Repeats(repeat_ms)

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
        return [reading for reading in self._pulses.poll(now_ms) if not self._repeated(reading)]

    def _repeated(self, reading: "Reading") -> bool:
        if reading.kind != BITS or len(reading.data) < SHORTEST_CARD:
            return False
        return self._repeats.seen(reading.data, reading.at_ms)
