"""An ext4 file system made of a staged tree, inside an image, without mounting. Same input, same bytes.

`mkfs.ext4 -d` takes files in the order of their names but copies when they were read and renamed; that is
overwritten afterwards, by `debugfs`.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from host_tools.image import command
from host_tools.image.cache import ImageError
from host_tools.image.mbr import SECTOR, Partition
from host_tools.image.tree import Tree

#: What ext4 keeps for itself at least: the journal and its tables, in bytes.
OWN_BYTES = 8 << 20


def write(
    image: Path,
    where: Partition,
    uuid: str,
    tree: Tree,
    epoch_s: int,
    meanwhile: Callable[[str], None] | None = None,
) -> None:
    """Make the file system with all that is in `tree`.

    uuid     str  of the file system, and the seed of its folders' hashes
    epoch_s  int  nothing in it is newer, s since 1970
    Raises `ImageError`.
    """
    environment = {"E2FSPROGS_FAKE_TIME": str(epoch_s), "LC_ALL": "C", "TZ": "UTC"}
    offset = where.first * SECTOR
    extended = f"offset={offset},hash_seed={uuid},lazy_itable_init=0,lazy_journal_init=0"
    words: list[str | Path] = ["mkfs.ext4", "-q", "-F", "-L", "root", "-U", uuid, "-m", "1"]
    words += ["-E", f"{extended},nodiscard", "-d", tree.stage, image]
    blocks = f"{where.sectors * SECTOR // 1024}k"
    command.run([*words, blocks], 1800, None, environment, meanwhile)
    _settle(f"{image}?offset={offset}", tree, epoch_s, environment)


def check(image: Path, where: Partition) -> None:
    """Whether the file system is whole. Raises `ImageError` if not."""
    command.run(["e2fsck", "-f", "-n", f"{image}?offset={where.first * SECTOR}"], 600)


def _settle(inside: str, tree: Tree, epoch_s: int, environment: dict[str, str]) -> None:
    orders = []
    for path, entry in tree.sorted().items():
        changed_s = epoch_s if entry.is_folder else min(entry.mtime_s, epoch_s)
        fields = {"uid": entry.uid, "gid": entry.gid, "mtime": f"@{changed_s}"}
        for name in ("atime", "ctime", "crtime"):
            fields[name] = f"@{epoch_s}"
        for name in ("mtime_extra", "atime_extra", "ctime_extra", "crtime_extra"):
            fields[name] = 0
        orders += [f'sif "/{path}" {name} {value}' for name, value in fields.items()]
    try:
        done = subprocess.run(
            [command.path("debugfs"), "-w", "-f", "/dev/stdin", inside],
            input="\n".join([*orders, ""]),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=1800,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageError("debugfs: not done after 1800 s; expected less") from None
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("debugfs ")]
    if done.returncode or complaints:
        raise ImageError(f"debugfs: {(complaints or ['failed'])[0]}; expected it to succeed")
