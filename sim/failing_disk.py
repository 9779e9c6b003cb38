"""The real disk with `fail_storage`: a VFS over SQLite's own whose writes can fail or take long. Reads work.

`fail` may be called by any thread while others write. A write that waits ends at once when the mode changes
or the power goes.

Does not imitate: what a power cut does to writes that were not synced (`sim.disk` does).
"""

import itertools
import threading
from typing import Any

import apsw

from sim.disk import ERROR, FULL, NONE, SLOW, SLOW_MS

_names = itertools.count(1)


class FailingDisk:
    """`vfs_name` is what SQLite is told, in place of the real disk's."""

    def __init__(self) -> None:
        self.vfs_name = f"failing-disk-{next(_names)}"
        self._mode = NONE
        self._powered = True
        self._changed = threading.Event()
        self._vfs = _Vfs(self)

    def fail(self, mode: str) -> None:
        """From now on one of `sim.disk`'s: error, full, slow (each sync takes 5 s) or none."""
        self._mode = mode
        self._wake()

    def set_power(self, on: bool) -> None:
        """Without power nothing is written, and nobody waits."""
        self._powered = on
        self._wake()

    def write(self, durably: bool) -> None:
        """Something is to be written, or synced (`durably`). Raises what SQLite is to see."""
        mode, changed = self._mode, self._changed
        if mode == SLOW and durably and self._powered:
            changed.wait(SLOW_MS / 1000)
        if not self._powered or mode == ERROR:
            raise apsw.IOError("the disk does not write")
        if mode == FULL:
            raise apsw.FullError("the disk is full")

    def close(self) -> None:
        """Take the VFS away; nobody may have a file open."""
        self._vfs.unregister()

    def _wake(self) -> None:
        changed, self._changed = self._changed, threading.Event()
        changed.set()


class _Vfs(apsw.VFS):
    def __init__(self, disk: FailingDisk) -> None:
        self._disk = disk
        super().__init__(disk.vfs_name, base="")

    def excepthook(self, kind: Any, error: Any, trace: Any) -> bool:
        return True  # SQLite reports what it could not do

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        return _File(self._disk, name, flags)

    def xDelete(self, name: str, durably: bool) -> None:
        self._disk.write(False)
        super().xDelete(name, durably)


class _File(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def excepthook(self, kind: Any, error: Any, trace: Any) -> bool:
        return True  # SQLite reports what it could not do

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.write(False)
        super().xWrite(data, offset)

    def xTruncate(self, length: int) -> None:
        self._disk.write(False)
        super().xTruncate(length)

    def xSync(self, flags: int) -> None:
        self._disk.write(True)
        super().xSync(flags)
