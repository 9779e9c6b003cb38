"""A disk for SQLite that forgets what was not synced when the power goes.

`SimDisk` is a VFS (apsw): files in memory, each with what its readers see, what is durable, and the
writes between the two. A power cut drops, keeps or tears those writes by 512-byte sectors, in any order;
a name that was never synced may be gone, a removal that was not may be undone. One seed, one disk: also
SQLite's own randomness is seeded.

Does not imitate: sectors that rot, time that a write takes, shared memory, locks (one user a file).
"""

import itertools
import random as random_module
from typing import Any

import apsw

SECTOR = 512
NONE = "none"
ERROR = "error"
FULL = "full"

_names = itertools.count(1)

#: What becomes of the writes that were not synced.
_DROP, _KEEP, _FIRST, _SOME, _TORN = "drop", "keep", "first", "some", "torn"


class PowerGone(apsw.IOError):
    """The disk has no power: whoever still holds a file of before may do nothing with it."""


class _File:
    """One file. `pending` holds (offset, data) of a write, or (length, None) of a truncation."""

    __slots__ = ("view", "durable", "pending", "named")

    def __init__(self, content: bytes = b"", named: bool = False) -> None:
        self.view = bytearray(content)
        self.durable = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []
        self.named = named  # whether its name is durable

    def sync(self) -> None:
        for at, data in self.pending:
            _apply(self.durable, at, data)
        self.pending.clear()


class SimDisk:
    """Files that survive `power_cut` as far as they were synced.

    random  random.Random  decides what becomes of the rest

    `vfs_name` is what SQLite is told. Raises nothing itself; SQLite's errors follow `fail` and the cuts.
    """

    def __init__(self, random: random_module.Random) -> None:
        self.vfs_name = f"sim-disk-{next(_names)}"
        #: int  writes, truncations, syncs and removals so far
        self.operations = 0
        #: int or None  the power goes at this operation, in the middle of it
        self.cut_at: int | None = None
        self.powered = True
        self._random = random
        self._files: dict[str, _File] = {}
        self._removed: dict[str, _File] = {}
        self._mode = NONE
        self._generation = 0
        self._vfs = _Vfs(self)
        _seed_sqlite(self.vfs_name)

    def fail(self, mode: str) -> None:
        """From now on writes and syncs fail: "error", "full" or "none". Reads work."""
        if mode not in (NONE, ERROR, FULL):
            raise ValueError(f'disk fault "{mode}" is unknown; expected error, full or none')
        self._mode = mode

    def power_cut(self) -> None:
        """The power goes, and is back: what was not synced is dropped, kept or torn."""
        fate = self._random.choice((_DROP, _KEEP, _FIRST, _SOME, _TORN, _TORN))
        for name, file in self._removed.items():
            there = self._files.get(name)
            if (there is None or not there.named) and self._random.random() < 0.5:
                file.named = True
                self._files[name] = file
        survivors = {}
        for name, file in self._files.items():
            if not file.named and (fate == _DROP or self._random.random() < 0.5):
                continue
            self._survive(file, fate)
            survivors[name] = _File(bytes(file.durable), named=True)
        self._files = survivors
        self._removed = {}
        self._generation += 1
        self.powered = True
        self.cut_at = None

    def close(self) -> None:
        """Take the disk out; open files of it are dead."""
        self._generation += 1
        self._files = {}
        self._removed = {}
        self._vfs.unregister()

    def names(self) -> list[str]:
        """The files that are there."""
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        """What a reader of the file sees. Raises KeyError."""
        return bytes(self._files[name].view)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file, durably, as somebody with a card reader would."""
        self._files[name] = _File(content, named=True)

    # ---- called by the files -----------------------------------------------------------------------

    def operate(self, generation: int) -> bool:
        """One more operation of a file of `generation`; whether the power goes in the middle of it."""
        self.alive(generation)
        if self._mode == FULL:
            raise apsw.FullError("simulated disk is full")
        if self._mode == ERROR:
            raise apsw.IOError("simulated disk fails")
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.powered = False
        return not self.powered

    def alive(self, generation: int) -> None:
        """Raises `PowerGone` for a file that was opened before the last cut, or while there is none."""
        if not self.powered or generation != self._generation:
            raise PowerGone("simulated disk has no power")

    def open(self, name: str) -> "_Handle":
        """Open a file, making it if it is not there."""
        self.alive(self._generation)
        if name not in self._files:
            self._files[name] = _File()
        return _Handle(self, self._files[name], self._generation)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    def remove(self, name: str, durably: bool) -> None:
        """Remove a file; not durably: a cut may bring it back."""
        if self.operate(self._generation):
            raise PowerGone("simulated disk has no power")
        file = self._files.pop(name, None)
        if file is None:
            raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
        if durably:
            self._removed.pop(name, None)
        elif file.named:
            self._removed[name] = file

    def sync(self, file: _File, cut: bool) -> None:
        """Make a file durable; its first time makes names durable too, as SQLite syncs the folder then."""
        if cut and self._random.random() < 0.5:
            return
        file.sync()
        if not file.named:
            self._removed.clear()
            for other in self._files.values():
                other.named = True

    def _survive(self, file: _File, fate: str) -> None:
        random = self._random
        pending = file.pending
        if fate == _DROP:
            pending = []
        elif fate == _FIRST:
            pending = pending[: random.randint(0, len(pending))]
        elif fate == _SOME:
            pending = [entry for entry in pending if random.random() < 0.5]
        for at, data in pending:
            if fate != _TORN:
                _apply(file.durable, at, data)
            elif data is None:
                if random.random() < 0.5:
                    _apply(file.durable, at, None)
            else:
                self._tear(file, at, data)

    def _tear(self, file: _File, at: int, data: bytes) -> None:
        start = 0
        while start < len(data):
            end = min(len(data), ((at + start) // SECTOR + 1) * SECTOR - at)
            if self._random.random() < 0.6:
                _apply(file.durable, at + start, data[start:end])
            start = end


class _Handle:
    """One open file, as SQLite uses it."""

    __slots__ = ("_disk", "_file", "_generation")

    def __init__(self, disk: SimDisk, file: _File, generation: int) -> None:
        self._disk = disk
        self._file = file
        self._generation = generation

    def excepthook(self, kind: Any, error: Any, trace: Any) -> None:
        """Say nothing: SQLite reports what it could not do."""

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.alive(self._generation)
        return bytes(self._file.view[offset : offset + amount])

    def xWrite(self, data: Any, offset: int) -> None:
        cut = self._disk.operate(self._generation)
        content = bytes(data)
        _apply(self._file.view, offset, content)
        self._file.pending.append((offset, content))
        if cut:
            raise PowerGone("simulated disk has no power")

    def xTruncate(self, length: int) -> None:
        cut = self._disk.operate(self._generation)
        _apply(self._file.view, length, None)
        self._file.pending.append((length, None))
        if cut:
            raise PowerGone("simulated disk has no power")

    def xSync(self, flags: int) -> None:
        cut = self._disk.operate(self._generation)
        self._disk.sync(self._file, cut)
        if cut:
            raise PowerGone("simulated disk has no power")

    def xFileSize(self) -> int:
        return len(self._file.view)

    def xClose(self) -> None:
        pass

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, operation: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


class _Vfs(apsw.VFS):
    """What SQLite asks of a disk."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk = disk
        self._unnamed = 0
        super().__init__(disk.vfs_name, base="")

    def excepthook(self, kind: Any, error: Any, trace: Any) -> bool:
        """Say nothing: SQLite reports what it could not do."""
        return True

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, name: str, flags: int) -> bool:
        return self._disk.exists(name)

    def xDelete(self, name: str, durably: bool) -> None:
        self._disk.remove(name, durably)

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:
            self._unnamed += 1
            path = f"unnamed-{self._unnamed}"
        if not flags[0] & apsw.SQLITE_OPEN_CREATE and not self._disk.exists(path):
            raise apsw.CantOpenError("no such file on the simulated disk")
        flags[1] = flags[0]
        return self._disk.open(path)

    def xRandomness(self, amount: int) -> bytes:
        return self._disk._random.randbytes(amount)

    def xSleep(self, microseconds: int) -> int:
        return microseconds

    def xCurrentTime(self) -> float:
        return 2460000.5

    def xCurrentTimeInt64(self) -> int:
        return 2460000 * 86400000

    def xGetLastError(self) -> tuple[int, str]:
        return 0, ""

    def xDlError(self) -> str:
        return ""


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data


def _seed_sqlite(vfs_name: str) -> None:
    """Have SQLite's one generator of random numbers begin anew from our disk's."""
    before = apsw.vfs_names()[0]
    apsw.set_default_vfs(vfs_name)
    try:
        apsw.randomness(0)
        apsw.randomness(1)
    finally:
        apsw.set_default_vfs(before)
