"""An SD card as a file: a table of partitions, a FAT32 one that boots, an ext4 one with the root system.

Made without mounting anything; the same input and the same tools give the same bytes; whole or not there.
A root system that is a folder keeps whose its files are, so it is best made and packed by root.

A card is for many boards until `files` are put over it: what a single board is known by is made by itself
at its first start. A root system that holds a controller's key, a host's key or any private key (an
operator's, a broker's), and one among `files` or for the boot partition, is refused.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from host_tools.image import command, ext4, fat, mbr, private_keys
from host_tools.image.cache import ImageError
from host_tools.image.progress import Progress
from host_tools.image.tree import File, Tree

MB = 1 << 20
_FIRST = 2048  #: sectors before the first partition

#: What belongs to one machine: systemd makes it when it starts and finds none.
_LEFT_OUT = ("var/lib/systemd/random-seed", "var/lib/dbus/machine-id", "etc/machine-id")

#: The programs that a card is made with.
_TOOLS = ("mkfs.vfat", "mcopy", "mkfs.ext4", "debugfs", "e2fsck")

_LAST_S = 2**32 - 1  #: in 2106: the last date that each of the tools knows

#: Without these a Pi's own firmware does not come to the kernel.
_FIRMWARE = ("start.elf", "fixup.dat", "bootcode.bin")

#: What else a Pi reads, and what comes of it when it is missing.
_TOLD = {
    "config.txt": "a Pi then loads no initramfs",
    "cmdline.txt": "a Pi's kernel is then not told its root (for our initramfs: rdev=/dev/mmcblk0p2)",
}

_LONGEST_NAME = 240  #: bytes, with room for what the folder beside it is called besides

#: What may stand where a card is to be written, and is none.
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


class Recipe(NamedTuple):
    """What a card is made of.

    root     Path                 a folder or a tar with the root of a system
    boot     mapping str: Path    what the boot partition holds, by name
    files    sequence of File     put over the root: what is this controller's own
    name     str                  the ids of disk and file systems are derived from it
    size_mb  int                  of the whole card, in 2**20 bytes; a power of two
    boot_mb  int                  of the boot partition
    epoch_s  int or None          nothing on the card is newer, s since 1970; None: SOURCE_DATE_EPOCH, or
                                  the newest file of the root. Older than a program in Python, it makes
                                  what Debian compiled of that look stale
    """

    root: Path
    boot: Mapping[str, Path]
    files: Sequence[File]
    name: str
    size_mb: int = 2048
    boot_mb: int = 128
    epoch_s: int | None = None


class Card(NamedTuple):
    """What was made.

    path      Path
    sha256    str
    epoch_s   int              what it is dated
    disk_id   int              a partition's PARTUUID is this in hex, "-" and its number
    untested  sequence of str  what nothing here has tried, a line each
    """

    path: Path
    sha256: str
    epoch_s: int
    disk_id: int
    untested: Sequence[str]


def disk_id(name: str) -> int:
    """The id of a card's disk."""
    return _ids(name)[0]


def write(recipe: Recipe, out: Path, progress: Progress) -> Card:
    """Make the card and put it at `out`, in the place of what was there. Raises `ImageError`."""
    _check(recipe, out)
    try:
        with _beside(out) as work:
            return _write(recipe, out, work, progress)
    except OSError as error:
        progress.broken()
        raise ImageError(
            f"{error.filename or out}: {_reason(error)}; expected a folder with room to make the card in"
        ) from error
    except BaseException:
        progress.broken()
        raise


def _write(recipe: Recipe, out: Path, work: Path, progress: Progress) -> Card:
    boot, root = _layout(recipe)
    disk, volume, root_uuid = _ids(recipe.name)
    progress.begin("root: files")
    (work / "root").mkdir()
    (work / "root").chmod(0o755)
    tree = Tree(recipe.root, work / "root")
    epoch_s = _epoch_s(recipe, tree)
    _own_files(recipe, tree, epoch_s)
    _fits(recipe, root, tree)
    progress.end(f"{len(tree.entries)}, {tree.data_bytes / 1e6:.0f} MB")
    image = work / "card.img"
    with image.open("wb") as file:
        os.ftruncate(file.fileno(), recipe.size_mb * MB)
        file.write(mbr.table(disk, (boot, root)))
    progress.begin("boot: FAT32")
    fat.write(image, boot, volume, recipe.boot, epoch_s)
    progress.end(f"{len(recipe.boot)} files")
    before = _taken(image)
    progress.begin("root: ext4", tree.data_bytes)
    ext4.write(image, root, root_uuid, tree, epoch_s, lambda _: progress.at(_taken(image) - before))
    progress.end(f"{(_taken(image) - before) / 1e6:.0f} MB")
    progress.begin("check")
    ext4.check(image, root)
    progress.end("whole")
    digest = _finish(image, progress)
    image.replace(out)
    return Card(out, digest, epoch_s, disk, _untested(recipe))


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder of this run's own, beside `out`."""
    try:
        _sweep(out)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise ImageError(
            f"{out}: {_reason(error)}; expected a folder that may be read and written"
        ) from error
    mine = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(mine)


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown").lower()


def _sweep(out: Path) -> None:
    """Remove what a killed run for `out` has left: nobody holds it any more."""
    left = re.compile(re.escape(f".{out.name}.") + "[a-z0-9_]{8}")
    for path in out.parent.iterdir():
        if left.fullmatch(path.name) is None or not (path / "root").is_dir() or path.is_symlink():
            continue
        held = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass  # another run is at it
        finally:
            os.close(held)


def _check(recipe: Recipe, out: Path) -> None:
    size, boot = recipe.size_mb, recipe.boot_mb
    if size < 1 or size & (size - 1):
        larger = 1 << max(size, 1).bit_length()
        raise ImageError(
            f"size: {size} MB; expected a power of two, such as {larger} (emulated boards take no other)"
        )
    if boot < fat.LEAST_MB or boot + 16 > size:
        raise ImageError(
            f"boot partition: {boot} MB of {size}; expected {fat.LEAST_MB} at least, and 16 for the root"
        )
    if size > mbr.MOST_MB:
        raise ImageError(f"size: {size} MB; expected {mbr.MOST_MB} at most: its table ends there")
    for tool in _TOOLS:
        command.path(tool)
    _check_place(out)
    _check_names(recipe)
    boot_files = [(f"boot/{name}", _key_or_less(name, path)) for name, path in recipe.boot.items()]
    needed = sum(path.stat().st_size for path in recipe.boot.values())
    if needed > (boot - 4) * MB:
        raise ImageError(
            f"boot partition: {boot} MB is too small for {needed / 1e6:.0f} MB of files; expected more"
        )
    own_files = [(file.path, file.data) for file in recipe.files if not file.link]
    for where, data in (*own_files, *boot_files):
        if private_keys.begins_one(data) or private_keys.is_one(where, data):
            raise _has_key(where)
    for file in recipe.files:
        if _is_state(file.path):
            raise _has_key(file.path)
        if Path(file.path).as_posix() in _LEFT_OUT and not file.link:
            raise ImageError(
                f"{file.path}: is one machine's own; expected none: a board makes its own at its first start"
            )


def _check_place(out: Path) -> None:
    """Whether a card may be put at `out`: over a card or nothing, never over a disk."""
    if len(os.fsencode(out.name)) > _LONGEST_NAME:
        raise ImageError(f"{out}: its name is too long; expected {_LONGEST_NAME} bytes at most")
    try:
        if not out.parent.is_dir():
            raise ImageError(f"{out}: its folder is not there; expected a folder to write into")
        kind = stat.S_IFMT(out.lstat().st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ImageError(f"{out}: {_reason(error)}; expected a file, or nothing") from error
    if kind != stat.S_IFREG:
        raise ImageError(f"{out}: is {_KINDS[kind]}; expected a file, or nothing")


def _key_or_less(name: str, path: Path) -> bytes:
    """The bytes of a file for the boot partition; none of one that is too long for a key."""
    try:
        if not path.is_file():
            raise ImageError(f"boot/{name}: {path} is no file; expected one")
        with path.open("rb") as file:
            data = file.read(private_keys.LONGEST + 1)
            return data if len(data) <= private_keys.LONGEST else b""
    except OSError as error:
        raise ImageError(
            f"boot/{name}: {path} cannot be read ({_reason(error)}); expected a file that can"
        ) from error


def _check_names(recipe: Recipe) -> None:
    if not recipe.name.strip():
        raise ImageError("name: is empty; expected the card's own, of which its ids are made")
    if recipe.epoch_s is not None and not 0 <= recipe.epoch_s <= _LAST_S:
        raise ImageError(f"epoch_s: {recipe.epoch_s}; expected seconds since 1970, 0 to {_LAST_S}")
    fat.check(recipe.boot)
    seen: set[tuple[str, ...]] = set()
    for file in recipe.files:
        parts = Path(file.path).parts
        if parts in seen:
            raise ImageError(f"{file.path}: stands twice among the files; expected it once")
        seen.add(parts)


def _has_key(where: str) -> ImageError:
    return ImageError(
        f"{where}: a private key; expected none: a controller makes its own at its first start"
    )


def _is_state(path: str) -> bool:
    """Whether it lies where a controller keeps what is its own, its key in plain bytes among it."""
    return Path(path).parts[:3] == ("var", "lib", "doorward")


def _own_files(recipe: Recipe, tree: Tree, epoch_s: int) -> None:
    """What is this controller's own, and nothing that is another's."""
    for path, entry in tree.entries.items():
        is_host_key = path.startswith("etc/ssh/ssh_host_") and path.endswith("_key")
        if not entry.is_folder and (path.startswith("var/lib/doorward/") or is_host_key):
            raise ImageError(
                f"{path}: is one machine's own; expected a root system that was never started"
            )
        place = tree.stage / path
        if entry.is_folder or entry.size > private_keys.LONGEST or place.is_symlink():
            continue
        if private_keys.is_one(path, place.read_bytes()):
            raise _has_key(path)
    for path in _LEFT_OUT:
        tree.drop(path)
    # Empty, not missing: systemd then makes an id and asks nobody anything (machine-id(5)).
    tree.put(File("etc/machine-id", b"", 0o444), epoch_s)
    for file in recipe.files:
        tree.put(file, epoch_s)
    # A board without a clock chip begins with the time of this file (systemd(1)), not in 1970.
    tree.put(File("usr/lib/clock-epoch"), epoch_s)


def _fits(recipe: Recipe, root: mbr.Partition, tree: Tree) -> None:
    has = root.sectors * mbr.SECTOR
    needs = int(tree.data_bytes * 1.03) + ext4.OWN_BYTES
    if needs > has:
        least = recipe.size_mb * 2
        while (least - recipe.boot_mb - 1) * MB < needs:
            least *= 2
        raise ImageError(
            f"size: {recipe.size_mb} MB is too small for {needs / 1e6:.0f} MB of root system; "
            f"expected {least}"
        )


def _layout(recipe: Recipe) -> tuple[mbr.Partition, mbr.Partition]:
    each = MB // mbr.SECTOR
    second = _FIRST + recipe.boot_mb * each
    return (
        mbr.Partition(mbr.FAT32, _FIRST, recipe.boot_mb * each, boots=True),
        mbr.Partition(mbr.LINUX, second, recipe.size_mb * each - second),
    )


def _ids(name: str) -> tuple[int, int, str]:
    """Disk id, volume id and UUID of a card: one name, always the same."""
    digest = hashlib.sha256(f"doorward card {name}".encode()).digest()
    disk, volume = int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")
    return disk, volume, str(uuid.UUID(bytes=digest[8:24], version=4))


def _epoch_s(recipe: Recipe, tree: Tree) -> int:
    if recipe.epoch_s is not None:
        return recipe.epoch_s
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        return tree.newest_s
    if not (told.isascii() and told.isdecimal()) or int(told[:20]) > _LAST_S:
        raise ImageError(f"SOURCE_DATE_EPOCH: {told!r}; expected seconds since 1970")
    return int(told)


def _taken(image: Path) -> int:
    """What a sparse file takes on its disk, bytes."""
    return image.stat().st_blocks * 512


def _finish(image: Path, progress: Progress) -> str:
    """The image's sum, when all of it is on the disk."""
    progress.begin("sum", image.stat().st_size)
    digest, done = hashlib.sha256(), 0
    with image.open("rb") as file:
        os.fsync(file.fileno())
        while block := file.read(4 * MB):
            digest.update(block)
            done += len(block)
            progress.at(done)
    image.chmod(0o644)
    progress.end(digest.hexdigest())
    return digest.hexdigest()


def _untested(recipe: Recipe) -> list[str]:
    told = [
        "a Pi's own firmware (start.elf, config.txt) runs on no emulated board: try one card on a Pi"
    ]
    missing = [name for name in _FIRMWARE if name not in recipe.boot]
    if missing:
        told.append(
            f"{', '.join(missing)}: not on the card; a Pi 3 does not start without "
            "(Debian's package raspi-firmware)"
        )
    told += [
        f"{name}: not on the card; {why}" for name, why in _TOLD.items() if name not in recipe.boot
    ]
    return told
