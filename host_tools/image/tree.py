"""What goes into a root file system: a folder or a tar, with files put over it, as a folder of hard links.

The source is never written to: what is put over it takes the place of its name, not of its bytes.
"""

import os
import shutil
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from host_tools.image import command
from host_tools.image.cache import ImageError


class File(NamedTuple):
    """A file of root's that is put over the root file system.

    path  str    in it, without a leading "/"
    data  bytes
    mode  int    its permissions
    link  str    not empty: a symbolic link to this, and no data
    """

    path: str
    data: bytes = b""
    mode: int = 0o644
    link: str = ""


class Entry(NamedTuple):
    """Whose a file, a folder or a link is, and when it was changed, s since 1970."""

    uid: int
    gid: int
    mtime_s: int
    is_folder: bool
    size: int


class Tree:
    """A staged tree. `entries`: by path ("" the root itself), sorted.

    source  Path  a folder, or a tar (packed with gzip, xz or zstd as `tar` knows them)
    stage   Path  an empty folder, best on the source's file system
    """

    def __init__(self, source: Path, stage: Path) -> None:
        self.stage = stage
        self.entries: dict[str, Entry] = {}
        #: (device, inode) of a file with several names -> the copy that was made of it
        self._copies: dict[tuple[int, int], Path] = {}
        owners: dict[str, tuple[int, int]] = {}
        given = source
        if source.is_file():
            owners = _unpack(source, stage)
            source = stage
        elif not source.is_dir():
            raise ImageError(f"{source}: not there; expected a folder or a tar of a root system")
        self._walk(source, "", owners)
        for name in ("etc", "usr"):
            if not (stage / name).is_dir():
                raise ImageError(f"{given}: has no folder {name}; expected the root of a system")

    @property
    def newest_s(self) -> int:
        """When the newest of its files was changed: folders say only when they were filled."""
        return max((one.mtime_s for one in self.entries.values() if not one.is_folder), default=0)

    @property
    def data_bytes(self) -> int:
        """What all of it takes at least: each file in blocks of 4096 bytes, each inode 256."""
        return sum(-(-one.size // 4096) * 4096 + 256 for one in self.entries.values())

    def put(self, file: File, epoch_s: int) -> None:
        """Put a file over what is there. Raises `ImageError` where its path leads out of the tree."""
        parts = Path(file.path).parts
        if not parts or file.path.startswith("/") or ".." in parts:
            raise ImageError(f"{file.path}: leads elsewhere; expected a path in the root system")
        self._check_name(file.path)
        at = ""
        for part in parts[:-1]:
            at = f"{at}/{part}".lstrip("/")
            place = self.stage / at
            if place.is_symlink():
                raise ImageError(f"{file.path}: {at} is a link; expected the path it leads to")
            if place.exists() and not place.is_dir():
                raise ImageError(f"{file.path}: {at} is a file; expected a folder or nothing")
            if not place.is_dir():
                place.mkdir()
                place.chmod(0o755)  # whatever the umask of who makes the card
                self.entries[at] = Entry(0, 0, epoch_s, True, 0)
        place = self.stage / file.path
        if place.is_dir() and not place.is_symlink():
            raise ImageError(f"{file.path}: is a folder there; expected a file or nothing")
        place.unlink(missing_ok=True)
        if file.link:
            place.symlink_to(file.link)
        else:
            place.write_bytes(file.data)
            place.chmod(file.mode)
        self.entries["/".join(parts)] = Entry(0, 0, epoch_s, False, len(file.data))

    def drop(self, path: str) -> None:
        """Leave a file out, if it is there. Raises `ImageError` for a folder."""
        if path in self.entries and self.entries[path].is_folder:
            raise ImageError(f"{path}: is a folder; expected a file or nothing")
        if self.entries.pop(path, None) is not None:
            (self.stage / path).unlink()

    def sorted(self) -> Mapping[str, Entry]:
        """`entries` by path, in order."""
        return dict(sorted(self.entries.items()))

    def _walk(self, source: Path, at: str, owners: Mapping[str, tuple[int, int]]) -> None:
        here = source / at
        self._enter(at, here, owners)
        try:
            names = sorted(os.listdir(here))
        except PermissionError as error:
            raise ImageError(f"{here}: may not be read; expected to run as root") from error
        for name in names:
            path = f"{at}/{name}".lstrip("/")
            one = source / path
            self._check_name(path)
            kind = one.lstat().st_mode
            if stat.S_ISDIR(kind):
                target = self.stage / path
                if source != self.stage:
                    target.mkdir()
                    target.chmod(stat.S_IMODE(kind))
                self._walk(source, path, owners)
            elif stat.S_ISREG(kind) or stat.S_ISLNK(kind):
                self._enter(path, one, owners)
                if source != self.stage:
                    self._link(one, self.stage / path)
            elif at == "dev" or at.startswith("dev/"):
                if source == self.stage:
                    one.unlink()  # the kernel makes its own
            else:
                raise ImageError(f"{one}: a device or a socket; expected files, folders and links")

    def _link(self, source: Path, target: Path) -> None:
        try:
            os.link(source, target, follow_symlinks=False)
            return
        except PermissionError as error:
            if not os.access(source, os.R_OK):
                raise ImageError(f"{source}: may not be read; expected to run as root") from error
        except OSError:
            pass  # another file system, or too many links
        found = source.lstat()
        copy = self._copies.get((found.st_dev, found.st_ino))
        if copy is not None:
            os.link(copy, target, follow_symlinks=False)  # one file with two names stays one
            return
        shutil.copy2(source, target, follow_symlinks=False)
        if found.st_nlink > 1:
            self._copies[(found.st_dev, found.st_ino)] = target

    def _enter(self, path: str, one: Path, owners: Mapping[str, tuple[int, int]]) -> None:
        found = one.lstat()
        uid, gid = owners.get(path, (found.st_uid, found.st_gid))
        is_folder = stat.S_ISDIR(found.st_mode)
        size = 0 if is_folder else found.st_size
        self.entries[path] = Entry(uid, gid, int(found.st_mtime), is_folder, size)

    def _check_name(self, path: str) -> None:
        if not path.isprintable() or '"' in path:
            raise ImageError(f"{path!r}: has a sign that no name here has; expected printable ones")


def newest_s(folder: Path) -> int:
    """When the newest file in a folder was changed, s since 1970: the date of a card that is made of it."""
    return max(
        int((Path(here) / name).lstat().st_mtime)
        for here, _, names in os.walk(folder)
        for name in names
    )


def _unpack(archive: Path, stage: Path) -> dict[str, tuple[int, int]]:
    """Unpack a tar; whose its files are. Without root they would all be the user's."""
    words = ["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*"]
    command.path("tar")
    try:
        command.run([*words, "-C", stage, "-xpf", archive], 900)
    except ImageError as error:
        why = str(error).rpartition("; ")[0].rpartition("tar: ")[2]
        raise ImageError(
            f"{archive}: cannot be unpacked ({why}); expected a tar of a root system"
        ) from error
    try:
        with tarfile.open(archive) as file:
            return {_path(one): (one.uid, one.gid) for one in file}
    except tarfile.ReadError:
        if os.getuid() == 0:
            return {}  # unpacked as they are
        raise ImageError(
            f"{archive}: packed in a way not known here; expected gzip or xz"
        ) from None


def _path(member: tarfile.TarInfo) -> str:
    return "/".join(part for part in member.name.split("/") if part not in ("", "."))
