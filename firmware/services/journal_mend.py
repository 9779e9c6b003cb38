"""A copy of a damaged journal that SQLite can read as far as its pages are whole.

What a damaged first page said is known: our tables and the pages they begin at. A log (WAL) whose header or
one of whose frames is damaged would be passed over from there on, in silence: `is_cut_short` tells, and
the copy takes in every later frame that is whole. The damaged file is only read.

Clauses: the database file format of SQLite, 1.3 (header), 4.1 to 4.3 (WAL).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import apsw

from firmware.services import database
from firmware.services.disk_files import Files

PAGE = 4096  #: bytes; SQLite's own since 2016, and never changed here
FRAME = 24 + PAGE
HEADER = 32
_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
_MAGIC = (0x377F0682, 0x377F0683)  # the checksums' words little-endian, big-endian


class _Frame(NamedTuple):
    """One page in the log: which, whether it ends a transaction, whose log, and its bytes."""

    page: int
    ends: bool
    salt: bytes
    data: bytes
    whole: bool


def first_page(tables: str) -> bytes:
    """The first page of a database that has `tables` and nothing else."""
    connection = apsw.Connection(":memory:")
    connection.execute(f"PRAGMA page_size={PAGE}; {tables}")
    content = connection.serialize("main")
    connection.close()
    return bytes(content[:PAGE])


def statements(tables: str, *later: str) -> set[tuple[object, ...]]:
    """What the schema of a database says that has `tables`, before and after each of what came `later`."""
    connection = apsw.Connection(":memory:")
    found: set[tuple[object, ...]] = set()
    for text in (tables, *later):
        connection.execute(text)
        found.update(connection.execute(_SCHEMA))
    connection.close()
    return found


def check(
    connection: apsw.Connection, files: Files, path: str, known: set[tuple[object, ...]]
) -> None:
    """Look at everything there is to be seen without knowing what was recorded.

    known  what the schema may say, if it says anything

    Raises `apsw.CorruptError`.
    """
    # What the log holds is brought home, which tells how much of it SQLite could read.
    frames, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    if is_cut_short(files, path + "-wal", max(0, frames)):
        raise apsw.CorruptError("log")
    database.check(connection, indexes=True)
    if not known.issuperset(connection.execute(_SCHEMA)):
        raise apsw.CorruptError("schema")


def is_of_our_time(files: Files, path: str) -> bool:
    """Whether the header asks for no newer SQLite, which would have it read and never write (1.3.3)."""
    return max(files.read(path, 2, 18), default=0) <= 2


def is_cut_short(files: Files, wal: str, read: int) -> bool:
    """Whether SQLite, which has taken in `read` frames of a log, passed over any that had been synced.

    Frames of the last transaction may be there in part: it was cut, and nobody was told of it. But the
    next one begins only when the one before is synced.
    """
    header = _header(files, wal)
    if header is None or not any(header):
        return False
    if not _is_header(header):
        return True
    pages: set[int] = set()
    ended = False
    for frame in _frames(files, wal, header, read):
        if not frame.page:
            continue  # there is none: a header over two sectors, of which the first was not written
        if frame.page in pages or ended:
            return True  # a transaction writes a page once: this is a second one
        pages.add(frame.page)
        ended = frame.ends
    return False


def mend(files: Files, path: str, to: str, first: bytes) -> None:
    """Write the copy to `to`. Raises OSError or `apsw.Error`."""
    wal = path + "-wal"
    files.remove(to)
    files.copy(path, to)
    header = _header(files, wal)
    if header is not None:
        most = files.size(to) // PAGE + files.size(wal) // FRAME  # no page is beyond that
        waiting: list[_Frame] = []
        for frame in _frames(files, wal, header, 0):
            if frame.whole and 0 < frame.page <= most:
                waiting.append(frame)
            if frame.ends:
                for page in waiting:
                    files.write(to, page.data, (page.page - 1) * PAGE)
                waiting = []
    pages = max(1, files.size(to) // PAGE)
    # The change counter and what it was when the size was noted are equal: the size holds.
    sized = first[:28] + struct.pack(">I", pages) + first[32:92] + first[24:28] + first[96:]
    files.write(to, sized, 0)


def _header(files: Files, wal: str) -> bytes | None:
    if not files.exists(wal) or files.size(wal) < HEADER + FRAME:
        return None
    return files.read(wal, HEADER, 0)


def _is_header(header: bytes) -> bool:
    magic = struct.unpack(">I", header[:4])[0]
    if magic not in _MAGIC:
        return False
    return _sum(header[:24], (0, 0), magic) == struct.unpack(">II", header[24:32])


def _frames(files: Files, wal: str, header: bytes, start: int) -> Iterator[_Frame]:
    """The frames from `start` on that belong to this log; each is judged by the sum of the one before."""
    magic = struct.unpack(">I", header[:4])[0]
    whole = _is_header(header)
    if magic not in _MAGIC:
        magic = _MAGIC[0]
    salt = header[16:24] if whole else b""
    before = (0, 0)
    if whole:
        before = struct.unpack(">II", header[24:32])
    if start:
        before = struct.unpack(">II", files.read(wal, 8, HEADER + (start - 1) * FRAME + 16))
    for place in range(start, (files.size(wal) - HEADER) // FRAME):
        head = files.read(wal, 24, HEADER + place * FRAME)
        page, size, told = struct.unpack(">II8x8s", head)
        if salt and head[8:16] != salt:
            before = struct.unpack(">II", told)  # of an older log, or damaged: the next one tells
            continue
        salt = salt or head[8:16]
        data = files.read(wal, PAGE, HEADER + place * FRAME + 24)
        found = _sum(data, _sum(head[:8], before, magic), magic)
        first = place == 0 and not whole  # nobody tells the sum before it: believed
        before = struct.unpack(">II", told)
        yield _Frame(page, size != 0, head[8:16], data, first or found == before)


def _sum(data: bytes, start: tuple[int, int], magic: int) -> tuple[int, int]:
    """4.2, the checksum algorithm."""
    order = "<" if magic == _MAGIC[0] else ">"
    one, two = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        one = (one + words[place] + two) & 0xFFFFFFFF
        two = (two + words[place + 1] + one) & 0xFFFFFFFF
    return one, two
