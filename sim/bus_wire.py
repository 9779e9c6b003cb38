"""What a reader on an OSDP bus sends, and when its panel finds that it is away. Portable.

A wire that is cut, shorted or stuck, a reader without plug or power, or one that is silent or stuck, is a
reader that does not answer. Noise and torn frames fail their check and cost time only.
"""

from hal.ports import BITS, Frame
from sim.switch import NONE
from sim.wires import SILENT, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sim.steps import Noise

ASKED_MS = 30  #: from a card to the question that it answers, and back
LOST_MS = 700  #: from a reader's last answer to its loss
BACK_MS = 300  #: from its return to its secure channel


class BusWire(Wire):
    """The share that one reader has in its bus; a frame is a text of "0" and "1"."""

    def __init__(
        self, loop: "Any", side: "Any", part: "dict[str, Any]", noise: "Noise | None" = None
    ) -> None:
        super().__init__(loop, part["repeat_ms"], noise)
        self._side = side
        self._bus = True
        self._answers = True
        self._finding: Any = None

    def set_power(self, on: bool) -> None:
        """See `Wire`. The controller is dead too: a reader that is back is there when it asks."""
        super().set_power(on)
        if on:
            self._side.reached = self._answers = self._whole()
        else:
            self._forget()
            self._side.reached = False
            self._side.go_dark()

    def set_plugged(self, on: bool) -> None:
        """Pull the plug, or put it back."""
        super().set_plugged(on)
        if not on:
            self._side.go_dark()
        self._look()

    def set_fault(self, fault: str) -> None:
        """See `Wire`."""
        super().set_fault(fault)
        self._look()

    def set_bus(self, whole: bool) -> None:
        """The bus itself has gone, for all its readers, or is back."""
        self._bus = whole
        if not whole:
            self._stop()
        self._look()

    def open_housing(self, on: bool) -> None:
        """Its lid."""
        self._side.open_housing(on)

    def _whole(self) -> bool:
        silent = self.trouble == SILENT or self.fault != NONE
        return self._bus and self.plugged and not silent

    def _look(self) -> None:
        """Whether it answers may have changed: the panel finds that a while later."""
        whole = self._whole()
        if not self.powered or whole == self._answers:
            return
        self._answers = whole
        self._forget()
        after_ms = BACK_MS if whole else LOST_MS
        self._finding = self._loop.call_at(self._loop.now_ms() + after_ms, self._find)

    def _find(self) -> None:
        self._finding = None
        if self._answers == self._side.reached:
            return
        if self._answers:
            self._side.come_back()
        else:
            self._side.lose()

    def _forget(self) -> None:
        if self._finding is not None:
            self._finding.cancel()
            self._finding = None

    def _junk(self) -> str:
        return ""

    def _send(self, frame: str, begin_ms: int) -> bool:
        return self._answers and super()._send(frame, begin_ms)

    def _plan(self, frame: str, begin_ms: int) -> int:
        self._steps.add(begin_ms + ASKED_MS, frame)
        return begin_ms + ASKED_MS

    def _put(self, step: str, late_ms: int) -> None:
        if len(step) > 0:
            self._side.say(BITS, Frame(step))
