"""Edges from a port that may go away: what every driver of input lines shares.

Turns `hal.errors.HalError` into the readings LOST (once) and BACK, and asks again twice a second.
"""

from hal.errors import HalError
from hal.ports import BACK, LOST, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import DigitalInputs, Edge

RETRY_MS = 500  #: time between two tries on lines that have gone


class EdgeFeed:
    """Drains one `hal.ports.DigitalInputs`."""

    def __init__(self, inputs: "DigitalInputs") -> None:
        self.inputs = inputs
        #: bool  the lines have gone; nothing is known of their levels
        self.gone = False
        #: str  what is wrong with the lines that have gone, one line; else empty
        self.problem = ""
        #: bool  edges are missing: the driver reads the levels, then clears it
        self.holes = False
        #: int or None  the next try on lines that have gone
        self.deadline_ms: int | None = None

    def take(self, now_ms: int, readings: "list[Reading]") -> "list[Edge]":
        """The edges since the last call; LOST and BACK are added to `readings`."""
        if self.deadline_ms is not None and now_ms < self.deadline_ms:
            return []
        try:
            edges = self.inputs.take()
            missing = self.inputs.lost()
        except HalError as error:
            self._lose(error, now_ms, readings)
            return []
        if missing:
            self.holes = True
        if self.gone:
            self.gone = False
            self.problem = ""
            self.holes = True
            self.deadline_ms = None
            readings.append(Reading(BACK, None, now_ms))
        return edges

    def levels(self, now_ms: int, readings: "list[Reading]") -> "list[bool] | None":
        """The levels now; None if the lines have gone."""
        try:
            return self.inputs.levels()
        except HalError as error:
            self._lose(error, now_ms, readings)
            return None

    def first_levels(self) -> "list[bool] | None":
        """The levels before the first poll, which will say LOST if there are none."""
        try:
            return self.inputs.levels()
        except HalError:
            return None

    def _lose(self, error: HalError, now_ms: int, readings: "list[Reading]") -> None:
        if not self.gone:
            readings.append(Reading(LOST, None, now_ms))
        self.gone = True
        self.problem = str(error)
        self.deadline_ms = now_ms + RETRY_MS
