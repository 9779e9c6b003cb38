"""A card or code reader on a serial line (RDM6300, PN532 and QR modules; mostly 9600 baud, 8N1).

A byte takes 1 ms at 9600 baud, so a frame that has not gone on for `TORN_MS` never will.

A line that is held, and a reader that has gone mad, send bytes without end and never a frame. That is
told like a held Wiegand line, and is over with the first sensible frame or when the line falls silent.
Not every port shows it: some make one byte of a break, however long. That, like a reader that sends
nothing, cannot be told from a reader that nobody uses.
"""

from hal.drivers.framing import LINES, Framer, sensible
from hal.drivers.repeats import Repeats
from hal.errors import HalError
from hal.ports import BACK, LINE, LOST, STUCK, Frame, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import ByteStream

TORN_MS = 500  #: a frame whose next byte takes longer has lost its end
NOISE_MS = (
    1000  #: bytes for so long, never `TORN_MS` apart, and no sensible frame: the line is stuck
)

# A code may contain line breaks; what follows it without a pause is more of it, and never a card.
# Two modules that shared one line, and people, take longer.
_CODE = b"]Q"
_CODE_PAUSE_MS = 50

_NOISE = "bytes without end and no frame; expected a line that rests, this baud rate and framing"

_MOST_READS = 4  # a poll takes up to 16 kB; more waits for the next poll


class SerialReader:
    """Hands over frames; the frame of a card that stays on the reader, once.

    stream     opened here, at the first poll and again whenever it has gone (its descriptor may
               then be another)
    framing    str  "lines", "decimal" or "rdm6300" (`framing`)
    repeat_ms  int  the same frame less than this after it last came is no new one, ms, 0 to 300
    reopen_ms  int  time between two tries to open, ms, at least 1

    Readings: LINE (`at_ms`: the poll that took the frame's last byte; empty: a torn frame), STUCK
    (while it lasts, what makes no sense is dropped), LOST, BACK.
    """

    def __init__(
        self, stream: "ByteStream", framing: str, repeat_ms: int = 300, reopen_ms: int = 500
    ) -> None:
        if reopen_ms < 1:
            raise ValueError("serial reader: reopen_ms is out of range; expected 1 or more")
        self.source = stream
        #: int or None  poll me no later than this
        self.deadline_ms: int | None = 0
        #: str  what is wrong with the port, one line; empty: nothing
        self.problem = ""
        self._framer = Framer(framing)
        self._codes = framing == LINES
        self._repeats = Repeats(repeat_ms)
        self._reopen_ms = reopen_ms
        self._open = False
        self._gone = False
        self._byte_ms = 0
        self._noise_ms: int | None = None  # since when bytes come that are no frame
        self._stuck = False
        self._code_ms: int | None = None  # the last byte of a code and what came with it

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        readings: list[Reading] = []
        if not self._open:
            if self.deadline_ms is not None and now_ms < self.deadline_ms:
                return readings
            self._try_to_open(now_ms, readings)
        if self._open:
            self._read(now_ms, readings)
        if self._open:
            waits = self._framer.pending or self._noise_ms is not None
            self.deadline_ms = self._byte_ms + TORN_MS if waits else None
        return readings

    def send(self, data: bytes) -> int:
        """Send what fits now; how many bytes were taken, 0 while the device has gone."""
        if not self._open:
            return 0
        try:
            return self.source.write(data)
        except HalError as error:
            self.problem = str(error)
            self._open = False
            self.deadline_ms = 0  # the next poll says LOST, or opens it at once
            return 0

    def _try_to_open(self, now_ms: int, readings: "list[Reading]") -> None:
        try:
            self.source.open()
        except HalError as error:
            self.problem = str(error)
            self._lose(now_ms, readings)
            return
        self._open = True
        self.problem = ""
        self._framer.drop()
        self._code_ms = None
        if self._gone:
            self._gone = False
            readings.append(Reading(BACK, None, now_ms))

    def _lose(self, now_ms: int, readings: "list[Reading]") -> None:
        self._open = False
        self.deadline_ms = now_ms + self._reopen_ms
        self._calm(now_ms, readings)  # gone is another fault
        if not self._gone:
            self._gone = True
            readings.append(Reading(LOST, None, now_ms))

    def _read(self, now_ms: int, readings: "list[Reading]") -> None:
        arrived = False
        for _ in range(_MOST_READS):
            try:
                data = self.source.read()
            except HalError as error:
                self.problem = str(error)
                self._framer.drop()
                self._lose(now_ms, readings)
                return
            if not data:
                break
            arrived = True
            self._take(data, now_ms, readings)
        if arrived:
            self._byte_ms = now_ms
            self._judge_noise(now_ms, readings)
        elif now_ms - self._byte_ms >= TORN_MS:
            was_stuck = self._stuck
            self._calm(now_ms, readings)
            if self._framer.pending and self._framer.drop() and not was_stuck:
                self._report(b"", now_ms, readings)

    def _judge_noise(self, now_ms: int, readings: "list[Reading]") -> None:
        """Bytes have come: has it been noise for too long?"""
        if self._stuck or self._noise_ms is None or now_ms - self._noise_ms < NOISE_MS:
            return
        if not self._framer.hopeful:  # a slow line may need longer for one long code
            self._stuck = True
            self.problem = "%s: %s" % (self.source.name, _NOISE)
            readings.append(Reading(STUCK, True, now_ms))

    def _calm(self, now_ms: int, readings: "list[Reading]") -> None:
        """There is no noise now."""
        self._noise_ms = None
        if self._stuck:
            self._stuck = False
            if self._open:
                self.problem = ""
            readings.append(Reading(STUCK, False, now_ms))

    def _take(self, data: bytes, now_ms: int, readings: "list[Reading]") -> None:
        if self._code_ms is not None:
            self._code_ms = now_ms if now_ms - self._code_ms < _CODE_PAUSE_MS else None
        sense = False
        for frame in self._framer.feed(data):
            if sensible(frame):
                sense = True
                self._calm(now_ms, readings)
            if self._codes and frame[:2] == _CODE:
                self._code_ms = now_ms
            elif self._code_ms is not None:
                frame = b""
            if not self._stuck:
                self._report(frame, now_ms, readings)
        over = sense and not self._framer.pending
        if self._noise_ms is None and not over and data.strip(b"\r\n"):
            self._noise_ms = now_ms

    def _report(self, frame: bytes, now_ms: int, readings: "list[Reading]") -> None:
        if not self._repeats.seen(frame, now_ms):
            readings.append(Reading(LINE, Frame(frame), now_ms))
