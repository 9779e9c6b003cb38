"""OSDP's frames as they pass the wire (IEC 60839-11-5, 5.9): finds whole replies, drops noise. Pure.

A frame is ``53``, the address (a reply's with bit 7), its length with least significant byte first, the
control byte (bits 0 and 1: the sequence number; bit 2: a CRC and no checksum; bit 3: a security block),
then the block, the command or reply and its data, the check. ``FF`` may stand before it. What is inside,
and the secure channel, are the library's.
"""

import binascii

LONGEST = 512  #: bytes; a buffer that holds more without a reply in it forgets the oldest

ID, CAPABILITIES, CHALLENGE, SERVER_CRYPTOGRAM = 0x61, 0x62, 0x76, 0x77  #: commands of a start
ACK = 0x40  #: a reply: there is nothing to tell
SHOWN = (0x50, 0x51, 0x53)  #: replies: a card (raw, formatted), keys
HANDSHAKE = (ID, CAPABILITIES, CHALLENGE, SERVER_CRYPTOGRAM)  #: all of them, in their order

_SOM = 0x53
_REPLY = 0x80
_SEQUENCE, _CRC, _BLOCK = 0x03, 0x04, 0x08
_BUSY = 0x79
_HEAD = 5
_SHORTEST = _HEAD + 2  # one byte of reply, a checksum


def command_of(frame: bytes) -> int:
    """The command in a frame that the library wants sent, or the reply in one, also in a secure one.

    0: it has none, its security block is longer than itself.
    """
    start = frame.index(_SOM)
    at = start + _HEAD
    if frame[start + 4] & _BLOCK:
        at += frame[at]
    return frame[at] if at < len(frame) else 0


def sequence_of(frame: bytes) -> int:
    """The sequence number of a frame that the library wants sent."""
    return frame[frame.index(_SOM) + 4] & _SEQUENCE


def take_reply(buffer: bytearray, address: int, sequence: int) -> bytes | None:
    """The first whole reply of `address` to the command numbered `sequence`; None: none yet.

    What stands before it, noise and late replies, goes with it.
    """
    start = buffer.find(_SOM)
    while start >= 0:
        frame = _frame_at(buffer, start)
        if frame is not None and frame[1] == _REPLY | address and _answers(frame, sequence):
            del buffer[: start + len(frame)]
            return frame
        start = buffer.find(_SOM, start + 1)
    del buffer[:-LONGEST]
    return None


def missing(buffer: bytearray, address: int) -> int:
    """How many bytes are still to come of a reply of `address` whose length has come; 0: there is none."""
    start = buffer.find(_SOM)
    while 0 <= start <= len(buffer) - _HEAD:
        length = buffer[start + 2] | buffer[start + 3] << 8
        whole = len(buffer) >= start + length
        if buffer[start + 1] == _REPLY | address and _SHORTEST <= length <= LONGEST and not whole:
            return start + length - len(buffer)
        start = buffer.find(_SOM, start + 1)
    return 0


def is_busy(frame: bytes) -> bool:
    """Whether the reader asks to be asked again (osdp_BUSY, always plain and numbered 0)."""
    return not frame[4] & (_SEQUENCE | _BLOCK) and frame[5] == _BUSY


def _answers(frame: bytes, sequence: int) -> bool:
    return frame[4] & _SEQUENCE == sequence or is_busy(frame)


def spoilt(address: int) -> bytes:
    """A reply whose check is wrong: with it the library gives up what it waits for."""
    frame = bytes((_SOM, _REPLY | address, 8, 0, _CRC, 0x40))
    check = binascii.crc_hqx(frame, 0x1D0F) ^ 0xFFFF
    return frame + check.to_bytes(2, "little")


def _frame_at(buffer: bytearray, start: int) -> bytes | None:
    """The frame that begins there, if it is whole and its check is right."""
    if len(buffer) < start + _SHORTEST:
        return None
    length = buffer[start + 2] | buffer[start + 3] << 8
    if not _SHORTEST <= length <= LONGEST or len(buffer) < start + length:
        return None
    frame = bytes(buffer[start : start + length])
    if frame[4] & _CRC:
        right = binascii.crc_hqx(frame[:-2], 0x1D0F) == frame[-2] | frame[-1] << 8
    else:
        right = sum(frame) & 0xFF == 0
    return frame if right else None
