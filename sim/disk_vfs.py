"""What SQLite sees of a simulated disk: its VFS and its files. `sim.disk` decides what becomes of them."""

from typing import TYPE_CHECKING, Any

import apsw

if TYPE_CHECKING:
    from sim.disk import SimDisk

SECTOR = 512


class PowerGone(apsw.IOError):
    """The disk has no power: whoever still holds a file of before may do nothing with it."""


class File:
    """One file. `pending` holds (offset, data) of a write, or (length, None) of a truncation."""

    __slots__ = ("view", "durable", "pending", "named")

    def __init__(self, content: bytes = b"", named: bool = False) -> None:
        self.view = bytearray(content)
        self.durable = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []
        self.named = named  # whether its name is durable

    def sync(self) -> None:
        """What was written is durable."""
        for at, data in self.pending:
            apply(self.durable, at, data)
        self.pending.clear()


class _Handle:
    """One open file, as SQLite uses it."""

    __slots__ = ("_disk", "_file", "_generation")

    def __init__(self, disk: "SimDisk", file: File, generation: int) -> None:
        self._disk = disk
        self._file = file
        self._generation = generation

    def excepthook(self, kind: Any, error: Any, trace: Any) -> None:
        """Say nothing: SQLite reports what it could not do."""

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.alive(self._generation)
        return self._disk.read_out(self._file, amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:
        cut = self._disk.operate(self._generation)
        content = bytes(data)
        apply(self._file.view, offset, content)
        self._file.pending.append((offset, content))
        if cut:
            raise PowerGone("simulated disk has no power")

    def xTruncate(self, length: int) -> None:
        cut = self._disk.operate(self._generation)
        apply(self._file.view, length, None)
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

    def __init__(self, disk: "SimDisk") -> None:
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
        return self._disk.random.randbytes(amount)

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


def apply(content: bytearray, at: int, data: bytes | None) -> None:
    """Write `data` at an offset, or cut the content there (None)."""
    if data is None:
        del content[at:]
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data


def handle(disk: "SimDisk", file: File, generation: int) -> Any:
    """What SQLite does with one open file, for as long as `generation` is that of the disk."""
    return _Handle(disk, file, generation)


def mount(disk: "SimDisk") -> Any:
    """What SQLite asks of `disk`; to be unregistered when it is taken out."""
    return _Vfs(disk)
