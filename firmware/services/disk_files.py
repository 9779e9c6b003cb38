"""The files that databases are, on the real disk or a VFS of SQLite: moved, copied, written, made durable."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress

import apsw

from firmware.services import whole_files

#: bytes of one call to a VFS: SQLite's own for Unix writes no more than 131,071 of them and says "full"
_PIECE = 1 << 16


class Slot:
    """A file that is written in place and never changes its length, held open."""

    def __init__(self, path: str, amount: int) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._is = os.fstat(self._fd)
            there = self._is.st_size
            if there < amount:
                self.write(bytes(amount - there), there)
                os.fsync(self._fd)
                whole_files.sync(os.path.dirname(path) or ".")
        except OSError:
            os.close(self._fd)
            raise

    def write(self, data: bytes, at: int = 0) -> None:
        """Write over what stands there, not durably. Raises OSError."""
        if os.pwrite(self._fd, data, at) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self) -> None:
        """Make what was written durable where the next start looks for it. Raises OSError."""
        os.fdatasync(self._fd)
        if not os.path.samestat(self._is, os.stat(self._path)):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def close(self) -> None:
        """Give the file back. Raises OSError."""
        os.close(self._fd)


class VfsSlot(Slot):
    """The same through a VFS of SQLite."""

    def __init__(self, file: apsw.VFSFile, amount: int) -> None:
        self._file = file
        try:
            there = file.xFileSize()
            if there < amount:
                file.xWrite(bytes(amount - there), there)
                file.xSync(apsw.SQLITE_SYNC_FULL)
        except apsw.Error:
            file.xClose()
            raise

    def write(self, data: bytes, at: int = 0) -> None:
        """Write over what stands there, not durably. Raises `apsw.Error`."""
        self._file.xWrite(data, at)

    def sync(self) -> None:
        """Make what was written durable. Raises `apsw.Error`."""
        self._file.xSync(apsw.SQLITE_SYNC_FULL)

    def close(self) -> None:
        """Give the file back. Raises `apsw.Error`."""
        self._file.xClose()


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


class Files:
    """The files of databases on the real disk."""

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return os.path.exists(path)

    def move(self, path: str, to: str) -> None:
        """Give a file another name, replacing what has it. Raises OSError."""
        os.replace(path, to)
        self._sync(os.path.dirname(to) or ".")

    def copy(self, path: str, to: str) -> None:
        """Write the content of a file over another, durably. Raises OSError."""
        import shutil  # which no start that goes well wants

        shutil.copyfile(path, to)
        os.chmod(to, 0o600)
        self._sync(to)
        self._sync(os.path.dirname(to) or ".")

    def remove(self, path: str) -> None:
        """Remove a file if it is there. Raises OSError."""
        if os.path.exists(path):
            os.remove(path)

    def sync(self, path: str) -> None:
        """Make the content of a file durable. Raises OSError."""
        self._sync(path)

    def size(self, path: str) -> int:
        """The bytes of a file. Raises OSError."""
        return os.path.getsize(path)

    def read(self, path: str, amount: int, offset: int) -> bytes:
        """A piece of a file. Raises OSError, also for what is none: nobody waits for a pipe's other end."""
        with open(path, "rb", opener=_at_once) as file:
            file.seek(offset)
            return file.read(amount)

    def write(self, path: str, data: bytes, offset: int) -> None:
        """Write a piece of a file, not durably. Raises OSError."""
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def append(self, path: str, data: bytes) -> None:
        """Write behind the end of a file, made if there is none, not durably. Raises OSError."""
        with open(path, "ab") as file:
            os.chmod(path, 0o600)
            file.write(data)

    def versions(self, path: str, amount: int) -> list[bytes]:
        """What `put` may have left of a file when it was cut short, the best first. Raises OSError."""
        return [self.read(path, amount, 0)]

    def put(self, path: str, data: bytes) -> None:
        """Have a file hold `data` and nothing else, durably. Raises OSError.

        A folder that stands in its place is moved out of the way.
        """
        for name in (path, path + ".new"):
            if os.path.isdir(name):
                os.rename(name, name + ".folder")
        with open(path + ".new", "wb") as file:
            os.chmod(path + ".new", 0o600)
            file.write(data)
        self._sync(path + ".new")
        self.move(path + ".new", path)

    def slot(self, path: str, amount: int) -> Slot:
        """A file of `amount` bytes to be written in place, made if there is none. Raises OSError."""
        return Slot(path, amount)

    def _sync(self, path: str) -> None:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class VfsFiles(Files):
    """The same through a VFS of SQLite. It can rename nothing: a move is a copy, then a removal."""

    def __init__(self, vfs: str) -> None:
        self._vfs = vfs
        self._calls = apsw.VFS(f"files-of-{vfs}", vfs)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(self._calls.xAccess(path, apsw.SQLITE_ACCESS_EXISTS))

    def move(self, path: str, to: str) -> None:
        """Copy, then remove. Whatever fails, the content is under one name only. Raises `apsw.Error`."""
        self.copy(path, to)
        try:
            self.remove(path)
        except apsw.Error:
            if self.exists(path):
                self._discard(to)
            raise

    def copy(self, path: str, to: str) -> None:
        """Write the content of a file over another, durably; of a copy that fails nothing stays.

        Raises `apsw.Error`.
        """
        source = self._open(path, 0)
        try:
            target = self._open(to, apsw.SQLITE_OPEN_CREATE)
            try:
                target.xTruncate(0)
                for start, amount in _pieces(source.xFileSize(), 0):
                    target.xWrite(source.xRead(amount, start), start)
                target.xSync(apsw.SQLITE_SYNC_FULL)
            finally:
                target.xClose()
        except apsw.Error:
            self._discard(to)
            raise
        finally:
            source.xClose()

    def remove(self, path: str) -> None:
        """Remove a file if it is there. Raises `apsw.Error`."""
        if self.exists(path):
            self._calls.xDelete(path, True)

    def sync(self, path: str) -> None:
        """Make the content of a file durable. Raises `apsw.Error`."""
        file = self._open(path, 0)
        try:
            file.xSync(apsw.SQLITE_SYNC_FULL)
        finally:
            file.xClose()

    def size(self, path: str) -> int:
        """The bytes of a file. Raises `apsw.Error`."""
        file = self._open(path, 0)
        try:
            return file.xFileSize()
        finally:
            file.xClose()

    def read(self, path: str, amount: int, offset: int) -> bytes:
        """A piece of a file. Raises `apsw.Error`."""
        file = self._open(path, 0)
        try:
            there = min(amount, max(0, file.xFileSize() - offset))
            return b"".join(file.xRead(size, start) for start, size in _pieces(there, offset))
        finally:
            file.xClose()

    def write(self, path: str, data: bytes, offset: int) -> None:
        """Write a piece of a file, not durably. Raises `apsw.Error`."""
        file = self._open(path, 0)
        try:
            for start, size in _pieces(len(data), 0):
                file.xWrite(data[start : start + size], offset + start)
        finally:
            file.xClose()

    def append(self, path: str, data: bytes) -> None:
        """Write behind the end of a file, made if there is none, not durably. Raises `apsw.Error`."""
        file = self._open(path, apsw.SQLITE_OPEN_CREATE)
        try:
            file.xWrite(data, file.xFileSize())
        finally:
            file.xClose()

    def versions(self, path: str, amount: int) -> list[bytes]:
        """What `put` may have left of a file when it was cut short, the best first."""
        found = []
        for name in (path, path + ".new"):
            with suppress(apsw.Error):
                found.append(self.read(name, amount, 0))
        return found

    def put(self, path: str, data: bytes) -> None:
        """Have a file hold `data` and nothing else, durably; see `versions`. Raises `apsw.Error`."""
        self._put(path + ".new", data)
        self._put(path, data)
        self.remove(path + ".new")

    def slot(self, path: str, amount: int) -> Slot:
        """A file of `amount` bytes to be written in place, made if there is none. Raises `apsw.Error`."""
        return VfsSlot(self._open(path, apsw.SQLITE_OPEN_CREATE), amount)

    def _put(self, path: str, data: bytes) -> None:
        file = self._open(path, apsw.SQLITE_OPEN_CREATE)
        try:
            file.xTruncate(0)
            file.xWrite(data, 0)
            file.xSync(apsw.SQLITE_SYNC_FULL)
        finally:
            file.xClose()

    def _discard(self, path: str) -> None:
        with suppress(apsw.Error):  # a disk that removes nothing: what is there is written over
            self.remove(path)

    def _open(self, path: str, more: int) -> apsw.VFSFile:
        flags = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE | more
        return apsw.VFSFile(self._vfs, path, [flags, 0])


def _pieces(amount: int, offset: int) -> Iterator[tuple[int, int]]:
    """Where each piece of `amount` bytes from `offset` on starts, and its bytes."""
    for start in range(0, amount, _PIECE):
        yield offset + start, min(_PIECE, amount - start)


def files_of(vfs: str | None) -> Files:
    """The files that `vfs` (None: the real disk) holds."""
    return Files() if vfs is None else VfsFiles(vfs)
