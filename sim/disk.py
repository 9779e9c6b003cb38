"""A disk for SQLite that forgets what was not synced when the power goes.

`SimDisk` is a VFS (apsw): files in memory, each with what its readers see, what is durable, and the
writes between the two. A power cut drops, keeps or tears those writes by 512-byte sectors, in any order;
a name that was never synced may be gone, a removal that was not may be undone. One seed, one disk: also
SQLite's own randomness is seeded.

A process that is killed costs nothing: what it wrote is there for the next one, though its own handles
are dead. A disk may fail (`fail`) or be struck (`strike`): bits that flip, a page that rots, a cut that is
sure to tear or to drop. While it is slow each sync takes `SLOW_MS`; whoever works on it asks `take_owed_ms`
how long that was. What was synced is durable at once, as SQLite was told: only the answer comes late.

Does not imitate: shared memory, locks (one user a file), a disk that lies about what it has synced.
"""

import itertools
import random as random_module
from collections.abc import Callable
from typing import Any

import apsw

from sim.disk_vfs import SECTOR, File, PowerGone, apply, handle, mount

__all__ = ["PowerGone", "SimDisk"]

SLOW_MS = 5000  #: what a sync takes on a slow disk
PAGE = 4096
NONE = "none"
ERROR = "error"
FULL = "full"
SLOW = "slow"

#: What may strike at an instant, `fail_disk`'s words.
TORN = "torn"  #: the next cut tears what is not synced
UNSYNCED = "unsynced"  #: the next cut drops all of it
FLIP = "flip"  #: a bit of a file turns over, where it lies
FLIP_READ = "flip_read"  #: a bit of the file's next read does
ROT = "rot"  #: the first pages of a database and of its WAL are noise from now on

_names = itertools.count(1)

#: What becomes of the writes that were not synced.
_DROP, _KEEP, _FIRST, _SOME, _TORN = UNSYNCED, "keep", "first", "some", TORN


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
        #: callable  told when the power has gone at `cut_at`
        self.on_cut: Callable[[], None] | None = None
        self.powered = True
        self.random = random
        self._fate: str | None = None
        self._flip_read: str | None = None
        self._owed_ms = 0
        self._hurry = False
        self._files: dict[str, File] = {}
        self._removed: dict[str, File] = {}
        self._mode = NONE
        self._generation = 0
        self._vfs = mount(self)
        _seed_sqlite(self.vfs_name)

    def fail(self, mode: str) -> None:
        """Until "none" writes and syncs fail ("error", "full") or take long ("slow"). Reads work."""
        if mode not in (NONE, ERROR, FULL, SLOW):
            raise ValueError(f'disk fault "{mode}" is unknown; expected error, full, slow or none')
        self._mode = mode

    @property
    def is_slow(self) -> bool:
        """Whether a sync takes long."""
        return self._mode == SLOW

    def hurried(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, done at once: whoever asks has waited already."""
        self._hurry = True
        try:
            return work()
        finally:
            self._hurry = False

    def strike(self, fault: str, name: str = "") -> None:
        """One fault at this instant; to the database `name`, if it is there, where it is a database's."""
        if fault in (TORN, UNSYNCED):
            self._fate = fault
        elif fault == FLIP_READ:
            self._flip_read = name
        else:
            files = [self._files[one] for one in (name, name + "-wal") if one in self._files]
            for file in files if fault == ROT else ():
                noise = self.random.randbytes(PAGE)
                file.view[:PAGE] = file.durable[:PAGE] = noise
            length = sum(len(file.view) for file in files)
            if fault == FLIP and length:
                self._flip(files, self.random.randrange(length))

    def _flip(self, files: list[File], at: int) -> None:
        for file in files:
            if at < len(file.view):
                break
            at -= len(file.view)
        bit = 1 << self.random.randrange(8)
        for content in (file.view, file.durable):
            if at < len(content):
                content[at] ^= bit

    def process_kill(self) -> None:
        """Whoever has files open is gone; what was written, synced or not, is there for the next one."""
        self._generation += 1
        self.cut_at = None
        self._owed_ms = 0

    def take_owed_ms(self) -> int:
        """How long the work since the last call has waited for a slow disk."""
        owed_ms = self._owed_ms
        self._owed_ms = 0
        return owed_ms

    def power_cut(self) -> None:
        """The power goes, and is back: what was not synced is dropped, kept or torn."""
        fate = self.random.choice((_DROP, _KEEP, _FIRST, _SOME, _TORN, _TORN))
        fate, self._fate = self._fate or fate, None
        for name, file in self._removed.items():
            there = self._files.get(name)
            if (there is None or not there.named) and self.random.random() < 0.5:
                file.named = True
                self._files[name] = file
        survivors = {}
        for name, file in self._files.items():
            if not file.named and (fate == _DROP or self.random.random() < 0.5):
                continue
            self._survive(file, fate)
            survivors[name] = File(bytes(file.durable), named=True)
        self._files = survivors
        self._removed = {}
        self._generation += 1
        self._owed_ms = 0
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

    def durable(self, name: str) -> bytes:
        """What a power cut leaves of the file, whatever becomes of the rest. Raises KeyError."""
        return bytes(self._files[name].durable)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file, durably, as somebody with a card reader would."""
        self._files[name] = File(content, named=True)

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
            if self.on_cut is not None:
                self.on_cut()
        return not self.powered

    def read_out(self, file: File, amount: int, offset: int) -> bytes:
        """What a read gives."""
        data = bytes(file.view[offset : offset + amount])
        if self._flip_read is not None and data and file is self._files.get(self._flip_read):
            self._flip_read = None
            flipped = bytearray(data)
            flipped[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            data = bytes(flipped)
        return data

    def alive(self, generation: int) -> None:
        """Raises `PowerGone` for a file that was opened before the last cut, or while there is none."""
        if not self.powered or generation != self._generation:
            raise PowerGone("simulated disk has no power")

    def open(self, name: str) -> Any:
        """Open a file, making it if it is not there."""
        self.alive(self._generation)
        if name not in self._files:
            self._files[name] = File()
        return handle(self, self._files[name], self._generation)

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

    def sync(self, file: File, cut: bool) -> None:
        """Make a file durable; its first time makes names durable too, as SQLite syncs the folder then."""
        if cut and self.random.random() < 0.5:
            return
        if self.is_slow and not self._hurry:
            self._owed_ms += SLOW_MS
        file.sync()
        if not file.named:
            self._removed.clear()
            for other in self._files.values():
                other.named = True

    def _survive(self, file: File, fate: str) -> None:
        random = self.random
        pending = file.pending
        if fate == _DROP:
            pending = []
        elif fate == _FIRST:
            pending = pending[: random.randint(0, len(pending))]
        elif fate == _SOME:
            pending = [entry for entry in pending if random.random() < 0.5]
        for at, data in pending:
            if fate != _TORN:
                apply(file.durable, at, data)
            elif data is None:
                if random.random() < 0.5:
                    apply(file.durable, at, None)
            else:
                self._tear(file, at, data)

    def _tear(self, file: File, at: int, data: bytes) -> None:
        start = 0
        while start < len(data):
            end = min(len(data), ((at + start) // SECTOR + 1) * SECTOR - at)
            if self.random.random() < 0.6:
                apply(file.durable, at + start, data[start:end])
            start = end


def _seed_sqlite(vfs_name: str) -> None:
    """Have SQLite's one generator of random numbers begin anew from our disk's."""
    before = apsw.vfs_names()[0]
    apsw.set_default_vfs(vfs_name)
    try:
        apsw.randomness(0)
        apsw.randomness(1)
    finally:
        apsw.set_default_vfs(before)
