"""A table of partitions in the first sector of a disk, as a PC's and a Pi's firmware read it."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

SECTOR = 512
FAT32, LINUX = 0x0C, 0x83
MOST_MB = 2**32 * SECTOR >> 20  #: its numbers of sectors have 32 bits

#: Cylinder, head and sector of what lies beyond them: the numbers of sectors count.
_BEYOND = b"\xfe\xff\xff"


class Partition(NamedTuple):
    """One partition.

    kind     int   `FAT32` or `LINUX`
    first    int   its first sector
    sectors  int   how many it has
    boots    bool  marked as the one that is booted
    """

    kind: int
    first: int
    sectors: int
    boots: bool = False


def table(disk_id: int, partitions: Sequence[Partition]) -> bytes:
    """The sector; the id names the disk (Linux: the first half of a PARTUUID). At most four partitions."""
    assert len(partitions) <= 4
    entries = b"".join(
        struct.pack(
            "<B3sB3sII",
            0x80 if one.boots else 0,
            _BEYOND,
            one.kind,
            _BEYOND,
            one.first,
            one.sectors,
        )
        for one in partitions
    )
    head = bytes(440) + struct.pack("<IH", disk_id, 0)
    return head + entries.ljust(64, b"\0") + b"\x55\xaa"
