"""A FAT32 partition with files in it, inside an image, without mounting. Same input, same bytes."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from host_tools.image import command
from host_tools.image.cache import ImageError
from host_tools.image.mbr import SECTOR, Partition

LEAST_MB = 40  #: with less it would be no FAT32
_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,64}(/[A-Za-z0-9_.+-]{1,64})?\Z")

#: What DOS, and so Windows and mtools, take for a device, whatever follows its dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z", re.IGNORECASE)


def check(names: Iterable[str]) -> None:
    """Whether all of `names` can be in one boot partition. Raises `ImageError`."""
    folders: dict[str, str] = {}
    seen: dict[str, str] = {}
    for name in sorted(names):
        parts = name.split("/")
        if ".." in parts or "." in parts:
            raise ImageError(f"boot/{name}: leads elsewhere; expected a name in the boot partition")
        if not _NAME.match(name) or any(part.endswith(".") for part in parts):
            raise ImageError(
                f"boot/{name}: no name for FAT; expected letters, digits, _ . + -, no dot at the end"
            )
        if any(_DEVICE.match(part) for part in parts):
            raise ImageError(f"boot/{name}: FAT takes it for a device; expected another name")
        folder, _, file = name.rpartition("/")
        same = folders.setdefault(folder.lower(), folder) + "/" * bool(folder)
        other = seen.setdefault(name.lower(), name)
        if other != name or not name.startswith(same):
            raise ImageError(
                f"boot/{name}: FAT takes it for {other if other != name else same + file}; "
                "expected names that differ in more than case"
            )
    for low, folder in folders.items():
        if low in seen:
            raise ImageError(
                f"boot/{seen[low]}: is the folder {folder} too; expected one of the two"
            )


def write(
    image: Path, where: Partition, volume_id: int, files: Mapping[str, Path], epoch_s: int
) -> None:
    """Make the file system and put `files` into it, by name ("overlays/x.dtbo" in a folder; see `check`).

    volume_id  int  32 bits
    epoch_s    int  what its files are dated, s since 1970
    Raises `ImageError`.
    """
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
