"""A PN532 that is asked for cards over its serial line (HSU; NXP UM0701-02, PN532 User Manual).

The chip says nothing by itself. It is woken, told to leave its security module alone (SAMConfiguration), how
long to look (RFConfiguration, item 5), and asked again and again for one card of ISO 14443-3 type A
(InListPassiveTarget). It answers each time, card or none, so a chip that has gone is known without a plug.
"""

from hal.drivers.repeats import Repeats
from hal.errors import HalError
from hal.ports import BACK, LINE, LOST, Frame, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal.ports import ByteStream

ANSWER_MS = 700  #: a chip that has not answered for so long has gone: looking takes it 100 ms
AGAIN_MS = 100  #: from an answer to the next question: a card that stays is seen within `repeat_ms`

_WAKE = b"\x55\x55" + bytes(14)  # 7.2.11: HSU wake-up
_SAM = b"\x14\x01\x14\x01"  # normal mode, 1 s, no interrupt line
_RETRIES = b"\x32\x05\xff\x01\x10"  # so many looks for a card before it answers that there is none
_LIST = b"\x4a\x01\x00"  # one card, 106 kbit/s type A
_STEPS = (_SAM, _RETRIES, _LIST)
_START = b"\x00\xff"
_LONGEST = 300  # bytes kept while no frame begins in them
_MOST_READS = 4


def frame(data: bytes) -> bytes:
    """A frame from the host with `data` (a command and its parameters); 6.2.1.1."""
    body = b"\xd4" + data
    size = len(body)
    return b"\x00\x00\xff" + bytes([size, -size & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


class Pn532Reader:
    """Hands over the uid of each card, in hex as a line; that of a card that stays, once.

    stream     opened here, at the first poll and again whenever it has gone
    repeat_ms  int  the same uid less than this after it last came is no new one, ms, 0 to 300
    reopen_ms  int  time between two tries on a port or chip that has gone, ms, at least 1

    Readings: LINE (`at_ms`: the poll that took the frame's last byte), LOST, BACK.
    """

    def __init__(self, stream: "ByteStream", repeat_ms: int = 300, reopen_ms: int = 500) -> None:
        if reopen_ms < 1:
            raise ValueError("pn532 reader: reopen_ms is out of range; expected 1 or more")
        self.source = stream
        #: int or None  poll me no later than this
        self.deadline_ms: int | None = 0
        #: str  what is wrong, one line; empty: nothing
        self.problem = ""
        self._repeats = Repeats(repeat_ms)
        self._reopen_ms = reopen_ms
        self._buffer = bytearray()
        self._open = False
        self._gone = False
        self._step = 0  # of `_STEPS`, that is to be answered
        self._asked_ms: int | None = None  # None: nothing is asked; the deadline says when

    def poll(self, now_ms: int) -> "list[Reading]":
        """What happened since the last poll."""
        readings: list[Reading] = []
        due = self.deadline_ms is not None and now_ms >= self.deadline_ms
        try:
            if not self._open:
                if not due:
                    return readings
                self.source.open()
                self._open = True
                self._begin(now_ms)
                return readings
            self._read(now_ms, readings)
            if self._asked_ms is not None and now_ms - self._asked_ms >= ANSWER_MS:
                self.problem = "%s: the PN532 does not answer; expected it in HSU mode, %s" % (
                    self.source.name,
                    "TX and RX crossed, at this baud rate",
                )
                self._lose(now_ms, readings)
                self._begin(now_ms)
            elif self._asked_ms is None and due:
                self._ask(now_ms)
        except HalError as error:
            self.problem = str(error)
            self._open = False
            self._lose(now_ms, readings)
            self.deadline_ms = now_ms + self._reopen_ms
        return readings

    def _begin(self, now_ms: int) -> None:
        self._buffer = bytearray()
        self._step = 0
        self.source.write(_WAKE)
        self._ask(now_ms)

    def _ask(self, now_ms: int) -> None:
        self.source.write(frame(_STEPS[self._step]))
        self._asked_ms = now_ms
        self.deadline_ms = now_ms + ANSWER_MS

    def _lose(self, now_ms: int, readings: "list[Reading]") -> None:
        self._asked_ms = None
        if not self._gone:
            self._gone = True
            readings.append(Reading(LOST, None, now_ms))

    def _read(self, now_ms: int, readings: "list[Reading]") -> None:
        for _ in range(_MOST_READS):
            data = self.source.read()
            if not data:
                break
            self._buffer.extend(data)
        while True:
            body = self._next()
            if body is None:
                break
            self._answer(body, now_ms, readings)

    def _next(self) -> "bytes | None":
        """The next whole frame's data; None: none is whole. What is none, and every ACK, is skipped."""
        while True:
            at = self._buffer.find(_START)
            if at < 0:
                self._buffer = self._buffer[-_LONGEST:]
                return None
            head = self._buffer[at + 2 : at + 4]
            if len(head) < 2:
                return None
            size = head[0]
            if (size + head[1]) & 0xFF or size == 0:  # an ACK, or noise
                self._buffer = self._buffer[at + 2 :]
                continue
            if len(self._buffer) < at + 5 + size:
                return None
            body = bytes(self._buffer[at + 4 : at + 4 + size])
            if (sum(body) + self._buffer[at + 4 + size]) & 0xFF:
                self._buffer = self._buffer[at + 2 :]
                continue
            self._buffer = self._buffer[at + 5 + size :]
            return body

    def _answer(self, body: bytes, now_ms: int, readings: "list[Reading]") -> None:
        if self._asked_ms is None or body[:2] != bytes([0xD5, _STEPS[self._step][0] + 1]):
            return  # of another question
        self._asked_ms = None
        if self._gone:
            self._gone = False
            readings.append(Reading(BACK, None, now_ms))
        self.problem = ""
        if self._step < len(_STEPS) - 1:
            self._step += 1
            self._ask(now_ms)
            return
        self.deadline_ms = now_ms + AGAIN_MS
        # NbTg, Tg, SENS_RES (2), SEL_RES, length of the uid, uid; 7.3.5
        if len(body) < 8 or body[2] != 1:
            return
        uid = body[8 : 8 + body[7]]
        if len(uid) != body[7] or len(uid) not in (4, 7, 10):
            return
        line = "".join(["%02X" % byte for byte in uid]).encode()
        if not self._repeats.seen(line, now_ms):
            readings.append(Reading(LINE, Frame(line), now_ms))
