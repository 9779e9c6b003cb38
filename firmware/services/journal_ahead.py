"""What somebody stands and waits for, durable before the journal has it: one write in place.

To number, chain and commit a card's records takes a board longer than all else between card and lock, and a
log that grows makes its disk write the file's length as well. So those records are first put into a file that
never changes its length, and the lock moves when they are there (law 3). The journal has them next, and
nobody is sent what it has not. What stands here and is not in the journal at a start is written there before
anything else, with the number of the start in which it was made.

The file holds one frame, the batches of one transaction: eight hexadecimal digits of a CRC-32, a space, how
many bytes follow the line's end, then those bytes, JSON. It is written over once the journal has it.
Where a door gave up waiting while that was written, the file's last sector says so: the CRC again, and which
batches are late.
Where it cannot be written the journal alone makes records durable, as it does with all others.

Nothing here raises.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple
from zlib import crc32

import apsw

from firmware.access.record import ACCESS_GRANTED
from firmware.runtime.ports import Batch
from firmware.services import database, journal_memo
from firmware.services.disk_files import Files, Slot
from firmware.services.journal_draft import keep, texts
from firmware.services.journal_salvage import Past
from firmware.trust import canonical

SLOT_BYTES = 16384  #: of the file; a card is some 700
LATE_AT = SLOT_BYTES - 512  #: where it stands, in a sector of its own, which doors did not wait
TRIES = 3  #: how often a file that cannot be read is tried

_ADDED = frozenset(
    ("v", "id", "journal", "seq", "boot", "prev", "hash", "simulated")
)  # by the journal
_NOTHING = b"\n"  # no frame begins so
_FAULTS = (apsw.Error, OSError)


class Frame(NamedTuple):
    """What went ahead.

    journal  str            the journal that was to have it
    boot     int            the start in which it was made
    after    int            the last seq before it
    batches  list of Batch  in order
    """

    journal: str
    boot: int
    after: int
    batches: list[Batch]


def is_waited_for(batches: Iterable[Batch]) -> bool:
    """Whether somebody whose key is good stands at a door until one of these is durable."""
    return any(
        event.get("type") == ACCESS_GRANTED for batch in batches for event in batch.events
    ) and not any(journal_memo.concerns(batch.kept) for batch in batches)


class Ahead:
    """Beside the journal at `path`."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path.removesuffix(".db") + ".ahead"
        self._name = os.path.basename(self._path)
        self._slot: Slot | None = None
        self._owed = False  # what it holds is not known to be in the journal
        self._is_over = False  # what it held at the start is this journal's, which has it
        self._failing = False
        self._problem = ""
        self._asked = False  # for it, by a write of the journal that has not ended well

    def read(self, journal: str, last_seq: int) -> Frame | None:
        """What went ahead to `journal`, whose last known seq is `last_seq`, and never came there."""
        self._is_over = False
        content = self._content()
        head, _, body = content.partition(b"\n")
        guard, _, amount = head.partition(b" ")
        with suppress(ValueError, TypeError, IndexError, RecursionError):
            text = body[: int(amount or b"0")]
            if text and guard == b"%08x" % crc32(text):
                frame = _frame(json.loads(text))
                said, _, late = content[LATE_AT:].partition(b"\n")[0].partition(b" ")
                for place in late.split() if said == guard else ():
                    frame.batches[int(place)].late = True
                self._is_over = frame.journal == journal
                if self._is_over and frame.after >= last_seq:
                    return frame
        return None

    def trouble(self) -> str:
        """What is wrong with the file since it was last asked, one line; empty: nothing new."""
        if self._asked:
            self._failing = False  # nobody was told: the next failure is new
        told, self._problem = self._problem, ""
        self._asked = told != ""
        return told

    def _content(self) -> bytes:
        for _ in range(TRIES):
            try:
                if self._files.exists(self._path):
                    return self._files.read(self._path, SLOT_BYTES, 0)
                return b""
            except _FAULTS:
                continue
        self._problem = (
            f"{self._name}: cannot be read; the last card of before the start may be lost"
        )
        return b""

    def recall(self, past: Past) -> None:
        """Bring what journal `past` kept up to what went ahead to it and never came there."""
        frame = self.read(past.name, past.last_seq)
        for batch in frame.batches if frame is not None else ():
            keep(past.kept, texts(batch.kept))

    def prepare(self) -> None:
        """Have the file there, at its length; what was read of it is in the journal by now and is struck out.

        A frame of another journal stays: that one may come back.
        """
        if self._slot is None:
            with suppress(*_FAULTS):
                self._slot = self._files.slot(self._path, SLOT_BYTES)
                if self._is_over:
                    self._slot.write(_NOTHING)
                    self._slot.sync()

    def write(self, journal: str, boot: int, after: int, batches: list[Batch]) -> bool:
        """Make `batches` durable, and tell them so; False: it was not done, and they were told nothing."""
        if self._slot is None or self._owed or any(batch.late for batch in batches):
            return False
        said = [[batch.events, batch.kept] for batch in batches]
        try:
            text = canonical.dumps([journal, boot, after, said])
        except ValueError:
            return False
        guard = b"%08x" % crc32(text)
        data = b"%b %d\n%b" % (guard, len(text), text)
        if len(data) > LATE_AT:
            return False
        try:
            self._slot.write(data)
            self._slot.sync()
        except _FAULTS as error:
            if not self._failing:
                words = (
                    f"cannot be written ({database.describe(error)}); cards wait for the journal"
                )
                self._problem = f"{self._name}: {words}"
            self._failing = True
            # It may be there all the same, and count if the journal never has them: then no door waited.
            with suppress(*_FAULTS):
                self._slot.write(_late(guard, range(len(batches))), LATE_AT)
            return False
        self._failing = False
        self._owed = True
        for batch in batches:
            batch.durable = True
        late = [place for place, batch in enumerate(batches) if batch.late]
        if late:  # meanwhile; who makes it late asks in the other order (`Batch.mark_late`)
            with suppress(*_FAULTS):
                self._slot.write(_late(guard, late), LATE_AT)
                self._slot.sync()
        return True

    def settle(self) -> None:
        """The journal has what it holds: the next may be written, and this one is not read again.

        Nobody waits for that to be durable: what stands behind the journal's end is passed over.
        """
        self._asked = False
        if self._owed and self._slot is not None:
            self._owed = False
            with suppress(*_FAULTS):
                self._slot.write(_NOTHING)

    def close(self) -> None:
        """Give the file back."""
        slot, self._slot = self._slot, None
        if slot is not None:
            with suppress(*_FAULTS):
                slot.close()


def _late(guard: bytes, places: Iterable[int]) -> bytes:
    """What says that doors did not wait for some batches of a frame."""
    return b"%b %b\n" % (guard, " ".join(map(str, places)).encode())


def _frame(said: Any) -> Frame:
    """What `Ahead.write` said. Raises ValueError or TypeError for all else."""
    canonical.dumps(said)  # which is what the journal would ask
    journal, boot, after, batches = said
    made = [Batch(events, [0] * len(events), kept) for events, kept in batches]
    if not (type(journal) is str and type(boot) is type(after) is int):
        raise TypeError
    for batch in made:
        if not (type(batch.events) is list and type(batch.kept) is dict):
            raise TypeError
        if not all(type(event) is dict and _ADDED.isdisjoint(event) for event in batch.events):
            raise TypeError
    return Frame(journal, boot, after, made)
