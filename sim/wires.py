"""What a reader or keypad sends: one frame after the other on its wire, never interleaved. Portable.

What is wrong with a wire (`fail_line`), physically: cut, nothing arrives, and what was on its way ends in
the middle. Short or stuck, a Wiegand reader's D0 is held at its active level. A serial reader that is cut is
one that was unplugged; shorted, its line is one break without end, a NUL for every byte that could have
passed; stuck, the reader goes mad and sends one frame of noise after the other. While anything is wrong no
card comes through.

A reader itself may fail (`fail_reader`): what it sends then and now that is no card (noise), frames that
break off (torn), nothing at all though it is there (silent), or its line held as if that were stuck.
"""

from sim.steps import Noise, Steps
from sim.switch import CUT, NONE, SHORT, STUCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BIT_MS = 2  #: from one Wiegand pulse to the next; the pulse itself takes half of it
#: Between two frames: longer than any frame_gap_ms, and than a code's last bytes need.
PAUSE_MS = 60
_NOISE = b"\x8f\x03\xe1\x7f\xff\x18\xc4\xa5"  # what a reader sends that has gone mad; no card
_BREAK = b"\x00"  # what a receiver makes of a line that is held
_ENDLESS_MS = 100  # how much of what has no end is on its way at a time
_SLICE_MS = 4  # how often the bytes of a serial line that have passed are handed over
_MARGIN_MS = 5
_BURST_MS = 300  # between two bursts of noise at least, and up to ten times that

#: What may be wrong with a reader, `fail_reader`'s words; the first is nothing.
NOISE = "noise"
TORN = "torn"
SILENT = "silent"
TROUBLES = (NONE, NOISE, TORN, SILENT, STUCK)


class Wire:
    """The wire of one device. Without power or plug it sends nothing.

    repeat_ms  int  the driver takes the same card within this for one that was not taken away, so
                    a second presentation waits that long: the person takes it off and shows it again
    noise      Noise  how it fails
    """

    def __init__(self, loop: "Any", repeat_ms: int, noise: "Noise | None" = None) -> None:
        self.plugged = True
        self.powered = True
        self.trouble = NONE
        self._wire_fault = NONE
        self._noise = noise or Noise(1, "wire")
        self._burst: Any = None
        self._loop = loop
        self._repeat_ms = repeat_ms
        self._steps = Steps(loop, self._put)
        self._free_ms = 0
        self._shown: list[tuple[Any, int]] = []

    @property
    def fault(self) -> str:
        """What is wrong with the wire, or seems to be."""
        return STUCK if self.trouble == STUCK else self._wire_fault

    def present(self, frame: "Any") -> None:
        """Send the frame of a card or code that is shown now: at once if the wire is free."""
        now_ms = self._loop.now_ms()
        begin_ms = max(now_ms, self._free_ms)
        for shown, began_ms in self._shown:
            if shown == frame:
                begin_ms = max(begin_ms, began_ms + self._repeat_ms + _MARGIN_MS)
        kept_ms = now_ms - self._repeat_ms - _MARGIN_MS
        self._shown = [show for show in self._shown if show[1] > kept_ms and show[0] != frame]
        if self._send(frame, begin_ms):
            self._shown.append((frame, begin_ms))

    def send(self, frame: "Any") -> None:
        """Send a frame that counts every time, such as a key's."""
        self._send(frame, max(self._loop.now_ms(), self._free_ms))

    def set_power(self, on: bool) -> None:
        """Without power it falls silent in the middle of a frame."""
        self.powered = on
        if not on:
            self._stop()

    def set_plugged(self, on: bool) -> None:
        """Pull the plug, or put it back."""
        self.plugged = on
        if not on:
            self._stop()

    def set_fault(self, fault: str) -> None:
        """What is wrong with the wire: one of `sim.switch.FAULTS`."""
        self._wire_fault = fault
        self._stop()

    def set_trouble(self, trouble: str) -> None:
        """What is wrong with the reader: one of `TROUBLES`."""
        self.trouble = trouble
        self.set_fault(self._wire_fault)
        if self._burst is not None:
            self._burst.cancel()
        self._burst = None
        if trouble == NOISE:
            self._burst_later()

    def _burst_later(self) -> None:
        wait_ms = _BURST_MS + self._noise.below(9 * _BURST_MS)
        self._burst = self._loop.call_at(self._loop.now_ms() + wait_ms, self._burst_now)

    def _burst_now(self) -> None:
        self.send(self._junk())
        self._burst_later()

    def _junk(self) -> "Any":
        """A frame that is no card."""
        raise NotImplementedError

    def _send(self, frame: "Any", begin_ms: int) -> bool:
        if not (self.powered and self.plugged and self.fault == NONE) or self.trouble == SILENT:
            return False
        if self.trouble == TORN:
            frame = frame[: self._noise.below(len(frame))]
        self._free_ms = self._plan(frame, begin_ms) + PAUSE_MS
        return True

    def _stop(self) -> None:
        self._steps.clear()
        self._free_ms = 0
        self._shown = []

    def _plan(self, frame: "Any", begin_ms: int) -> int:
        """Add the steps of `frame`; when its last one is done."""
        raise NotImplementedError

    def _put(self, step: "Any", late_ms: int) -> None:
        raise NotImplementedError


class WiegandWire(Wire):
    """Two lines; a frame is a text of "0" and "1". A pulse lasts 1 ms, the lines are never active both.

    Does not imitate: pulses of 50 us, crosstalk, cables that are too long.
    """

    def __init__(
        self, loop: "Any", lines: "Any", part: "dict[str, Any]", noise: "Noise | None" = None
    ) -> None:
        super().__init__(loop, part.get("repeat_ms", 0), noise)
        self._lines = lines
        self._names = (part["d0"], part["d1"])
        self._active = part["active"] != "low"
        self._rest()

    def _junk(self) -> str:
        return "".join("01"[self._noise.below(2)] for _ in range(1 + self._noise.below(20)))

    def _plan(self, frame: str, begin_ms: int) -> int:
        at_ms = begin_ms
        for bit in frame:
            self._steps.add(at_ms, (int(bit), self._active))
            self._steps.add(at_ms + 1, (int(bit), None))
            at_ms += BIT_MS
        return at_ms - 1

    def _put(self, step: "tuple[int, bool | None]", late_ms: int) -> None:
        self._lines.drive(self._names[step[0]], step[1], late_ms)

    def _stop(self) -> None:
        super()._stop()
        self._rest()

    def _rest(self) -> None:
        held = self.fault == SHORT or self.fault == STUCK
        self._lines.drive(self._names[0], self._active if held else None)
        self._lines.drive(self._names[1], None)


class SerialWire(Wire):
    """A serial line; a frame is bytes, which pass as fast as the baud rate (8N1) lets them.

    Does not imitate: ports that make one byte of a break, however long it is.
    """

    def __init__(
        self, loop: "Any", device: "Any", part: "dict[str, Any]", noise: "Noise | None" = None
    ) -> None:
        super().__init__(loop, part["repeat_ms"], noise)
        self._device = device
        self._baud = part["baud"]
        self._frames = (b"\x02", b"\x03") if part["framing"] == "rdm6300" else (b"", b"\r\n")

    def set_plugged(self, on: bool) -> None:
        """Pull the plug, or put it back; the board notices."""
        super().set_plugged(on)
        self._follow_plug()
        self._rave()

    def set_power(self, on: bool) -> None:
        """See `Wire`."""
        super().set_power(on)
        self._rave()

    def set_fault(self, fault: str) -> None:
        """See `Wire`."""
        super().set_fault(fault)
        self._follow_plug()
        self._rave()

    def _rave(self) -> None:
        """Send some more of what a line that is held, or a reader gone mad, sends without end."""
        if not (self.powered and self.plugged and self.fault in (SHORT, STUCK)):
            return
        begin, end = self._frames
        what = _BREAK if self.fault == SHORT else begin + _NOISE + end
        count = max(1, self._baud * _ENDLESS_MS // 10000 // len(what))
        now_ms = self._loop.now_ms()
        self._steps.clear()
        self._steps.add(now_ms + -(-count * len(what) * 10000 // self._baud), (what * count, True))

    def _follow_plug(self) -> None:
        if self.plugged and self.fault != CUT:
            self._device.plug()
        else:
            self._device.unplug()

    def _junk(self) -> bytes:
        return bytes([self._noise.below(256) for _ in range(1 + self._noise.below(20))])

    def _plan(self, frame: bytes, begin_ms: int) -> int:
        size = max(1, self._baud * _SLICE_MS // 10000)
        at_ms = begin_ms
        for start in range(0, len(frame), size):
            passed = min(start + size, len(frame))
            at_ms = begin_ms + -(-passed * 10000 // self._baud)
            self._steps.add(at_ms, (frame[start:passed], False))
        return at_ms

    def _put(self, step: "tuple[bytes, bool]", late_ms: int) -> None:
        data, without_end = step
        self._device.send(data)
        if without_end:
            self._rave()
