"""A card reader, with or without keys, on an OSDP bus (IEC 60839-11-5; the wire is its backend's)."""

from hal.drivers.repeats import Repeats
from hal.drivers.wiegand_reader import SHORTEST_CARD
from hal.ports import BITS, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import BusReader


class OsdpReader:
    """Hands over what the reader says; the card that it sends again while it lies there, once.

    reader     hal.ports.BusReader
    repeat_ms  int  the same card less than this after it last came is not new, ms, 0 to 300

    Readings (`at_ms`: the poll that took it): BITS, LEVEL (its housing is closed), POWER, LOST, BACK.
    """

    #: None  the reader itself wakes whoever polls
    deadline_ms = None

    def __init__(self, reader: "BusReader", repeat_ms: int = 300) -> None:
        self.source = reader
        self._repeats = Repeats(repeat_ms)

    @property
    def problem(self) -> str:
        """What is wrong with it, one line; empty: nothing."""
        return self.source.problem

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        readings = [Reading(kind, data, now_ms) for kind, data in self.source.take()]
        return [reading for reading in readings if not self._repeated(reading)]

    def _repeated(self, reading: Reading) -> bool:
        if reading.kind != BITS or len(reading.data) < SHORTEST_CARD:
            return False
        return self._repeats.seen(reading.data, reading.at_ms)
