"""A card reader as a process of its own: ``serial_feeder.py DESCRIPTOR FRAMING SEED COUNT``.

FRAMING ``held`` is a line that is held, at 9600 baud, until the process is ended.

Writes COUNT cards as their reader would, each a different one, to a file descriptor it was given (a
pseudo-terminal's master), torn and joined at random: by single bytes, in bits of frames, several frames
in one write, now and then with a pause inside a frame. The same seed gives the same cards and the same
tears; how the kernel joins them again is its own affair. The frames are made here, from the readers'
data sheets, and not by the code that reads them.
"""

import os
import random
import select
import sys
from collections.abc import Iterator

LAST = 0xFFFFFFFF  #: the number of the last card: what came before it has arrived when it has


def cards(framing: str, seed: int, count: int) -> list[tuple[str, bytes]]:
    """`count` different cards and a last one: (written form, bytes on the line)."""
    chance = random.Random(seed)
    numbers = chance.sample(range(LAST), count)
    make = _rdm6300 if framing == "rdm6300" else _line
    return [make(number, chance) for number in [*numbers, LAST]]


def _rdm6300(number: int, chance: random.Random) -> tuple[str, bytes]:
    """STX, ten hex digits (version, number), the XOR of those five bytes, ETX."""
    data = bytes([chance.randrange(256)]) + number.to_bytes(4, "big")
    checksum = 0
    for byte in data:
        checksum ^= byte
    frame = b"\x02" + (data + bytes([checksum])).hex().upper().encode() + b"\x03"
    return f"w34:{number:010d}", frame


def _line(number: int, chance: random.Random) -> tuple[str, bytes]:
    """One line a card, in the ways that modules write them."""
    end = chance.choice((b"\r\n", b"\n", b"\r"))
    way = chance.randrange(5)
    data = number.to_bytes(4, "big")
    if way == 0:
        return f"w34:{number:010d}", data.hex().upper().encode() + end
    if way == 1:
        return f"w34:{number:010d}", data.hex(":").encode() + end
    if way == 2:
        text = " ".join(f"0x{byte:02X}" for byte in data)
        return f"w34:{number:010d}", text.encode() + end
    if way == 3:
        return f"w37:{number:011d}", f"w37:{number}".encode() + end
    long = data + chance.randbytes(3)
    return f"uid:{long.hex().upper()}", long.hex().encode() + end


def torn(data: bytes, chance: random.Random) -> Iterator[tuple[bytes, float]]:
    """`data` in pieces, each with the seconds until the next."""
    at = 0
    while at < len(data):
        size = chance.choice((1, 1, 1, 2, 3, 5, 8, 13, 40, 120))
        pause_s = chance.choice((0, 0, 0, 0, 0.0005, 0.002)) if chance.random() < 0.3 else 0
        yield data[at : at + size], pause_s
        at += size


def main(arguments: list[str]) -> None:
    """Feed the descriptor."""
    descriptor, framing, seed, count = int(arguments[0]), arguments[1], *map(int, arguments[2:])
    while framing == "held":
        os.write(descriptor, bytes(48))
        select.select([], [], [], 0.05)
    line = b"".join(frame for _, frame in cards(framing, seed, count))
    for piece, pause_s in torn(line, random.Random(seed + 1)):
        sent = 0
        while sent < len(piece):
            sent += os.write(descriptor, piece[sent:])
        if pause_s:
            select.select([], [], [], pause_s)  # a reader's own pace


if __name__ == "__main__":
    main(sys.argv[1:])
