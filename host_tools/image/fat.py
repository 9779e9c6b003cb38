"""A FAT32 partition with files in it, inside an image, without mounting. Same input, same bytes."""

import re
from collections.abc import Mapping
from pathlib import Path

from host_tools.image import command
from host_tools.image.cache import ImageError
from host_tools.image.mbr import SECTOR, Partition

LEAST_MB = 40  #: with less it would be no FAT32
_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,64}(/[A-Za-z0-9_.+-]{1,64})?\Z")


def write(
    image: Path, where: Partition, volume_id: int, files: Mapping[str, Path], epoch_s: int
) -> None:
    """Make the file system and put `files` into it, by name ("overlays/x.dtbo" in a folder).

    volume_id  int  32 bits
    epoch_s    int  what its files are dated, s since 1970
    Raises `ImageError`.
    """
    for name in files:
        if not _NAME.match(name):
            raise ImageError(f"boot/{name}: no name for FAT; expected letters, digits, _ . + -")
    environment = {
        "SOURCE_DATE_EPOCH": str(epoch_s),
        "TZ": "UTC",
        "LC_ALL": "C",
        "MTOOLSRC": "/dev/null",
        "MTOOLS_SKIP_CHECK": "1",
    }
    make: list[str | Path] = ["mkfs.vfat", "--invariant", "-F", "32", "-s", "1", "-n", "BOOT"]
    make += ["-i", f"{volume_id:08x}", "-h", str(where.first), f"--offset={where.first}"]
    command.run([*make, image, str(where.sectors * SECTOR // 1024)], 120, None, environment)
    inside = f"{image}@@{where.first * SECTOR}"
    for folder in sorted({name.partition("/")[0] for name in files if "/" in name}):
        command.run(["mmd", "-i", inside, f"::{folder}"], 60, None, environment)
    for name in sorted(files):
        command.run(["mcopy", "-i", inside, files[name], f"::{name}"], 300, None, environment)
