"""Completes events for a journal: number, chain, the words of the contract (section 3, Event)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import apsw

from firmware.access.record import JOURNAL_STARTED
from firmware.runtime.ports import Batch
from firmware.services import journal_salvage
from firmware.trust import canonical, chain

#: (journal, upto, head, time) -> the signature and who signs (`firmware.trust.chain.signer`)
Sign = Callable[[str, int, str, Any], dict[str, str]]

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_NOT_JSON = (ValueError, TypeError, RecursionError)


@dataclass
class Written:
    """What one transaction makes durable.

    batches  the batches that are written, in order
    refused  batches that cannot be written as JSON
    events   complete events, in order, with their monotonic times in `at_ms`
    dropped  events that had not left and were deleted for want of room
    note     what was set aside on the way; "" is the rule
    """

    batches: list[Batch] = field(default_factory=list)
    refused: list[Batch] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    at_ms: list[int] = field(default_factory=list)
    dropped: int = 0
    note: str = ""


class Draft:
    """The rows of one transaction.

    marks     dict        what every event carries: journal, boot, and simulated where it is so
    id_start  str         what an id begins with
    seq       int         the last one before; afterwards the last one of the draft
    prev      str         its hash
    previous  dict | None the journal before a new one, if known
    since     int         events since the last checkpoint; afterwards those of the draft's end
    sign      callable    signs checkpoints; None: there are none

    A checkpoint stands after `CHECKPOINT_EVERY` - 1 events without one, where a batch asks for one (a
    bare event of that type), and where `vouch` is called.
    """

    def __init__(
        self,
        marks: dict[str, Any],
        id_start: str,
        seq: int,
        prev: str,
        previous: dict[str, Any] | None,
        since: int = 0,
        sign: Sign | None = None,
    ) -> None:
        self.seq = seq
        self.prev = prev
        self.since = since
        self.written = Written()
        #: (seq, JSON, urgent) of each event
        self.rows: list[tuple[int, str, int]] = []
        #: batches that were not late when they were added
        self.punctual: list[Batch] = []
        #: key -> JSON text, or None: forget it
        self.kept: dict[str, str | None] = {}
        self._marks = marks
        self._id_start = id_start
        self._previous = previous
        self._sign = sign

    def add(self, batch: Batch) -> None:
        """Add the events of `batch` and what is kept with them; all of it or, if it is no JSON, nothing."""
        before = (self.seq, self.prev, self.since)
        length = len(self.rows)
        late = batch.late  # another thread may change it at any time
        try:
            kept = texts(batch.kept)
            for event, at_ms in zip(batch.events, batch.at_ms, strict=True):
                if self.seq == 0:
                    self._begin(event, at_ms)
                if event.get("type") == chain.CHECKPOINT:
                    self._vouch(event, at_ms)
                    continue
                if self.since >= chain.CHECKPOINT_EVERY - 1:
                    self._vouch(event, at_ms)
                self._add({**event, "late": True} if late else event, at_ms)
        except _NOT_JSON:
            self.seq, self.prev, self.since = before
            del self.rows[length:], self.written.events[length:], self.written.at_ms[length:]
            self.written.refused.append(batch)
            return
        self.kept.update(kept)
        self.written.batches.append(batch)
        if not late:
            self.punctual.append(batch)

    def vouch(self) -> None:
        """End with a checkpoint, of the time of the last event."""
        if self.written.events and self.written.events[-1]["type"] != chain.CHECKPOINT:
            self._vouch(self.written.events[-1], self.written.at_ms[-1])

    def keep_in(self, connection: apsw.Connection) -> None:
        """Write what is kept. Raises `apsw.Error`."""
        for key, text in self.kept.items():
            if text is None:
                connection.execute("DELETE FROM kept WHERE key = ?", (key,))
            else:
                row = (key, journal_salvage.guarded(key, text))
                connection.execute("REPLACE INTO kept VALUES(?, ?)", row)

    def tell_durable(self) -> bool:
        """Tell its batches, now that it was committed; whether one became late meanwhile."""
        for batch in self.written.batches:
            batch.durable = True
        return any(batch.late for batch in self.punctual)

    def _vouch(self, like: dict[str, Any], at_ms: int) -> None:
        if self._sign is None or self.seq == 0:
            return
        event = {"type": chain.CHECKPOINT, "upto": self.seq, "head": self.prev}
        event.update({key: like[key] for key in ("time", "clock") if key in like})
        name = str(self._marks["journal"])
        event.update(self._sign(name, self.seq, self.prev, event.get("time")))
        self._add(event, at_ms)
        self.since = 0

    def _begin(self, first: dict[str, Any], at_ms: int) -> None:
        # A journal has no clock of its own: it begins when its first record does.
        event: dict[str, Any] = {"type": JOURNAL_STARTED}
        for key in ("time", "clock"):
            if key in first:
                event[key] = first[key]
        if self._previous is not None:
            event["previous"] = self._previous
        self._add(event, at_ms)

    def _add(self, event: dict[str, Any], at_ms: int) -> None:
        seq = self.seq + 1
        whole = {"v": 1, "id": self._id_start + str(seq), "seq": seq, **self._marks, **event}
        text = chain.seal(whole, self.prev)
        self.rows.append((seq, text, int(str(whole.get("type")).startswith("alarm."))))
        self.written.events.append(whole)
        self.written.at_ms.append(at_ms)
        self.seq, self.prev = seq, whole["hash"]
        self.since += 1


def texts(kept: dict[str, Any]) -> dict[str, str | None]:
    """What is kept as it is stored, None: it is forgotten. Raises what no JSON raises."""
    return {key: _text(value) for key, value in kept.items()}


def keep(known: dict[str, str], changes: dict[str, str | None]) -> None:
    """Bring what is kept up to what was written."""
    for key, text in changes.items():
        if text is None:
            known.pop(key, None)
        else:
            known[key] = text


def _text(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return canonical.dumps(value).decode()  # which is quicker
    except canonical.CanonicalError:
        return _encode(value)
