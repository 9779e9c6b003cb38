"""What keeps a door shut, noted a second time beside the journal: what was spent stays so if that is lost.

Uses of keys and of visitors' codes, modes, blocks of readers and PINs, what is armed: each change is a line
behind the last one, put there before the journal has it. So what stands here is never older than what can be
read of a journal that is damaged. A journal that is sound is the truth, and this follows it: it is written
anew at a start where it differs, and when it has grown to twice its length. No door waits for the disk here:
lines are made durable when nobody waits; what a power cut takes of them before is in the journal's log.

One line: its end first, which also ends one before it that is torn; eight hexadecimal digits of a CRC-32, a
space, the key, a tab, its JSON text ("null": no longer kept). A line that is damaged is passed over.
Nothing here raises but `is_there`.
"""

from collections.abc import Mapping
from contextlib import suppress
from zlib import crc32

import apsw

from firmware.services.disk_files import Files

KEPT = ("use/", "visit/", "mode/", "block/", "wrong/", "arm/")
BYTES_LIMIT = 64 << 20  #: more than the uses of all keys that a store takes
LEAST_BYTES = 1 << 16  #: a file that is no longer is not written anew

_FAULTS = (apsw.Error, OSError)
_GONE = "null"


def concerns(kept: Mapping[str, str | None]) -> bool:
    """Whether one of these keys is noted."""
    return any(key.startswith(KEPT) for key in kept)


def is_there(files: Files, path: str) -> bool:
    """Whether anything was ever noted of journal `path`. Raises OSError or `apsw.Error`."""
    return files.exists(_notes(path))


class Notes:
    """Beside the journal at `path`."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = _notes(path)
        self._owed = False  # a line could not be written, or was torn
        self._whole_bytes = 0  # when it was written anew
        self._synced = True

    def add(self, kept: Mapping[str, str | None]) -> None:
        """Note those of these changes that are to be."""
        lines = b"".join(_line(key, kept[key]) for key in kept if key.startswith(KEPT))
        if lines:
            self._synced = False
            try:
                self._files.append(self._path, lines)
            except _FAULTS:
                self._owed = True

    def settle(self, kept: Mapping[str, str]) -> None:
        """Make what was noted durable. `kept` is all that the journal keeps."""
        if self._synced:
            return
        try:
            most = LEAST_BYTES + 2 * self._whole_bytes
            if self._owed or self._files.size(self._path) > most:
                self._write(kept)
            else:
                self._files.sync(self._path)
            self._synced = True
        except _FAULTS:
            self._owed = True

    def keep(self, kept: Mapping[str, str]) -> None:
        """Note what the journal keeps and nothing else."""
        wanted = {key: text for key, text in kept.items() if key.startswith(KEPT)}
        if {key: text for key, text in self.read().items() if text != _GONE} != wanted:
            with suppress(*_FAULTS):
                self._write(kept)

    def recall(self, kept: dict[str, str]) -> None:
        """Put right what could still be read of a journal that is lost: the note's word stands."""
        for key, text in self.read().items():
            if text == _GONE:
                kept.pop(key, None)
            else:
                kept[key] = text

    def read(self) -> dict[str, str]:
        """What was noted last: key -> JSON text, or "null"."""
        known: dict[str, str] = {}
        try:
            if not self._files.exists(self._path):
                return known
            versions = self._files.versions(self._path, BYTES_LIMIT)
        except _FAULTS:
            return known
        for content in reversed(versions):
            for line in content.split(b"\n"):
                guard, _, text = line.partition(b" ")
                key, tab, value = text.partition(b"\t")
                if tab and guard == b"%08x" % crc32(text):
                    known[key.decode()] = value.decode()
        return known

    def _write(self, kept: Mapping[str, str]) -> None:
        lines = b"".join(_line(key, kept[key]) for key in sorted(kept) if key.startswith(KEPT))
        self._files.put(self._path, lines)
        self._owed, self._synced, self._whole_bytes = False, True, len(lines)


def _line(key: str, text: str | None) -> bytes:
    noted = f"{key}\t{_GONE if text is None else text}".encode()
    return b"\n%08x %s" % (crc32(noted), noted)


def _notes(path: str) -> str:
    return path.removesuffix(".db") + ".notes"
