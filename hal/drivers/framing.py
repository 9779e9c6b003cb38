"""A serial reader's bytes to frames: torn, joined and over-long input ends at the next delimiter.

Pure. A frame is never longer than `LONGEST_FRAME` plus one byte; that byte tells that it was cut.
"""

LINES = "lines"  #: frames end with CR or LF; empty ones are none
DECIMAL = "decimal"  #: as lines; what stands in them are digits, and never a code
RDM6300 = "rdm6300"  #: frames stand between STX and ETX; what stands outside them is noise

LONGEST_FRAME = 600  #: bytes; the longest that a reader sends is a QR code of 512

SHORTEST_FRAME = 4  #: bytes; noise makes shorter ones by itself

_CODE = b"]Q"  # what begins a code, which may be of any bytes

_STX = 2
_ETX = 3
_LF = 10
_CR = 13


def sensible(frame: "bytes | bytearray") -> bool:
    """Whether `frame` looks as if a reader had meant it; noise hardly ever does."""
    if not SHORTEST_FRAME <= len(frame) <= LONGEST_FRAME:
        return False
    return _is_text(frame)


def _is_text(data: "bytes | bytearray") -> bool:
    if data[:2] == _CODE:
        return True
    return all(32 <= byte < 127 or byte in (9, _LF, _CR) for byte in data)


class Framer:
    """Splits bytes into frames of one framing."""

    def __init__(self, framing: str) -> None:
        if framing not in (LINES, DECIMAL, RDM6300):
            raise ValueError("serial reader: unknown framing; expected lines, decimal or rdm6300")
        self._has_start = framing == RDM6300
        self._ends = (_ETX,) if self._has_start else (_LF, _CR)
        self._buffer = bytearray()
        self._inside = not self._has_start

    @property
    def pending(self) -> bool:
        """Whether a frame has begun, or is being skipped, and its delimiter has not come."""
        return len(self._buffer) > 0 or self._inside == self._has_start

    @property
    def hopeful(self) -> bool:
        """Whether what is pending may still become a sensible frame."""
        return len(self._buffer) > 0 and _is_text(self._buffer)

    def feed(self, data: bytes) -> "list[bytes]":
        """The frames that `data` completes, without their delimiters, oldest first.

        A frame that is too long comes at once, cut; the rest of it is skipped. A new STX begins a
        new frame: the reader has started again, so the one before was torn and is dropped.
        """
        frames = []
        for byte in data:
            if self._has_start and byte == _STX:
                self._buffer = bytearray()
                self._inside = True
            elif byte in self._ends:
                if self._inside and (self._buffer or self._has_start):
                    frames.append(bytes(self._buffer))
                self.drop()
            elif self._inside:
                self._buffer.append(byte)
                if len(self._buffer) > LONGEST_FRAME:
                    frames.append(bytes(self._buffer))
                    self._buffer = bytearray()
                    self._inside = False
        return frames

    def drop(self) -> bool:
        """Forget what is pending; whether it was a frame that had begun."""
        torn = len(self._buffer) > 0
        self._buffer = bytearray()
        self._inside = not self._has_start
        return torn
