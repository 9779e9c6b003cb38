"""Bits and bytes to records: what a reader's frames mean. Pure; `decode` is the entry."""

from firmware.wire import serial_lines, wiegand
from firmware.wire.readings import LENGTH, STUCK, BadRead, CardRead, CodeRead, KeyRead
from hal.ports import Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANY = "any"  #: card format: whatever card the reader can tell apart

CSN = "csn"  #: card format: the card's own number


def decode(
    reading: "Any", card_format: str = ANY
) -> "CardRead | KeyRead | CodeRead | BadRead | None":
    """What a driver's reading means; None if it is about the device and not about a credential.

    reading      what a `hal` driver handed over: anything with ``kind``, ``data`` and ``at_ms``
    card_format  what the board config says of the reader: "any"; "w26", "w34" or "w37" (another
                 card is a `BadRead` of a wrong length); "csn" (bits that are a
                 card's own number); "lines", "decimal" or "rdm6300" (a serial reader)
    """
    data = reading.data
    if isinstance(data, Frame):
        data = data.reveal()
    if reading.kind == "bits" and card_format == CSN:
        return wiegand.decode_csn(data, reading.at_ms)
    if reading.kind == "bits":
        return _only_format(wiegand.decode(data, reading.at_ms), card_format)
    if reading.kind == "line":
        if card_format == serial_lines.RDM6300:
            return serial_lines.decode_rdm6300(data, reading.at_ms)
        if card_format == serial_lines.DECIMAL:
            return serial_lines.decode_decimal(data, reading.at_ms)
        return _only_format(serial_lines.decode_line(data, reading.at_ms), card_format)
    if reading.kind == "stuck" and data:
        return BadRead(STUCK, reading.at_ms)
    return None


def _only_format(
    read: "CardRead | KeyRead | CodeRead | BadRead", card_format: str
) -> "CardRead | KeyRead | CodeRead | BadRead":
    if (
        card_format in ("w26", "w34", "w37")
        and isinstance(read, CardRead)
        and not read.number.reveal().startswith(card_format)
    ):
        return BadRead(LENGTH, read.at_ms)
    return read
