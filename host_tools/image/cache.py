"""A folder of things that take long to make: each is whole or not there, and made by one run at a time.

A thing's name holds all that it depends on, so a change makes another one beside it. It is made in a
folder whose name begins with a dot and renamed when it is whole: what a killed run left is never taken
for it, and is removed by the next. Beside it stands how large its files are: one that was cut or removed
since then is told, and the thing made anew.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

#: How long something that no run asks for any more is kept, s.
UNUSED_S = 14 * 86400

#: What is mounted where, as the kernel says it.
MOUNTS = Path("/proc/mounts")

#: Parts that are being made begin so.
_PART = ".part-"
#: The sizes of a thing's files stand in a file that is named so, and as it.
_SIZES = ".sizes-"


class ImageError(Exception):
    """Something cannot be made; the text says what was wrong and what was expected, in one line."""


def name(*parts: object) -> str:
    """A short name for everything that a thing depends on."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:12]


def sources(*paths: str | Path) -> str:
    """The bytes of some files as a name: what makes a thing is part of what it depends on."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]


def remove(folder: Path) -> None:
    """Remove a folder, if it is there. Raises `ImageError` where something is mounted in it."""
    inside = str(folder.resolve()) + "/"
    for line in MOUNTS.read_text().splitlines():
        where = line.split()[1].encode().decode("unicode_escape")
        if where.startswith(inside):
            raise ImageError(f"{folder}: {where} is mounted; expected nothing in it (umount it)")
    if folder.exists():
        shutil.rmtree(folder)


class Cache:
    """Things in one folder.

    folder  Path              where they are; made if missing
    say     callable of text  told what is being made, and how long it took
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self._locked = False

    @contextlib.contextmanager
    def lock(self, patience_s: float = 1800) -> Iterator[None]:
        """Be the only run that makes something here. Raises `ImageError` after `patience_s`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a")
        except OSError as error:
            reason = (error.strerror or "unknown").lower()
            raise ImageError(
                f"{self.folder}: {reason}; expected a folder that can be made and written"
            ) from error
        with lock as file:
            self._wait(file.fileno(), patience_s)
            self._locked = True
            try:
                self._sweep()
                yield
            finally:
                self._locked = False

    def get(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """The folder of a thing; `make` fills an empty one if it is not there, with umask 022."""
        assert self._locked, "under `lock` only"
        whole = self.folder / f"{kind}-{key}"
        sizes = self.folder / f"{_SIZES}{whole.name}"
        if whole.is_dir() and (other := _other(whole, sizes)):
            self.say(f"{kind}: {other} is not as it was made")
            remove(whole)
        if not whole.is_dir():
            began_s = time.monotonic()
            self.say(f"{kind}: being made")
            part = self.folder / f"{_PART}{kind}-{key}"
            of_who_asks = os.umask(0o022)
            try:
                part.mkdir()
                make(part)
                sizes.write_text(json.dumps(_sizes(part)))
                os.sync()
                part.rename(whole)
            finally:
                os.umask(of_who_asks)
                remove(part)
            self.say(f"{kind}: made in {time.monotonic() - began_s:.0f} s")
        os.utime(whole)
        return whole

    def _wait(self, file: int, patience_s: float) -> None:
        end_s = time.monotonic() + patience_s
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end_s:
                    raise ImageError(
                        f"{self.folder}: another run has it for {patience_s:.0f} s; expected it to end"
                    ) from None
                if not told:
                    self.say(f"{self.folder}: another run makes something; waiting")
                    told = True
                time.sleep(0.5)

    def _sweep(self) -> None:
        """Remove what a killed run left, and what nobody has asked for in a long time."""
        for path in self.folder.iterdir():
            unused_s = time.time() - path.stat().st_mtime
            if path.is_dir() and (path.name.startswith(_PART) or unused_s > UNUSED_S):
                remove(path)
        for path in self.folder.glob(f"{_SIZES}*"):
            if not (self.folder / path.name[len(_SIZES) :]).is_dir():
                path.unlink()


def _sizes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.lstat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _other(folder: Path, sizes: Path) -> str:
    """A file of `folder` that is not as large as it was made, or gone; empty: none, or nobody knows."""
    try:
        made = json.loads(sizes.read_text())
    except (OSError, ValueError, RecursionError):
        return ""
    if not isinstance(made, dict):
        return ""
    now = _sizes(folder)
    return next((name for name, size in made.items() if now.get(name) != size), "")
