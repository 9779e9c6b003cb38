"""Journal and store in memory: for boards with no disk, and for whatever runs on MicroPython.

The journal keeps the last `limit` events, chained like the durable one; what is kept is gone with the
power. Both answer at the loop's next turn.
"""

import binascii
import hashlib

from firmware.access import access_point, credential, pin
from firmware.runtime import ports
from firmware.wire import payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIMIT = 1000


class MemoryJournal(ports.Journal):
    """The last events of this start."""

    def __init__(self, loop: "Any", controller: str, name: str, limit: int = LIMIT) -> None:
        self.name = name
        self.boot = 1
        self.kept = {}
        self._loop = loop
        self._controller = controller
        self._limit = limit
        self._seq = 0
        self._prev = "0" * 64
        self._events: list[tuple[int, str]] = []

    def append(self, batch: ports.Batch, done: "Callable[[ports.Batch], None]") -> None:
        """Keep `batch`; it counts as durable at the loop's next turn."""
        written = [self._complete(event) for event in batch.events]
        for key in batch.kept:
            if batch.kept[key] is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = batch.kept[key]
        batch.durable = True
        if self.on_written is not None:
            self.on_written(written, batch.at_ms)
        self._loop.call_at(self._loop.now_ms(), lambda: done(batch))

    def pending(self, limit: int, done: "Callable[[list[tuple[int, str]]], None]") -> None:
        """Nothing waits: a board with no disk keeps no outbox."""
        self._answer([], done)

    def onward(
        self, limit: int, begin: bool, done: "Callable[[list[tuple[int, str]]], None]"
    ) -> None:
        """Nothing waits."""
        self._answer([], done)

    def again(
        self, limit: int, begin: bool, done: "Callable[[list[tuple[int, str]]], None]"
    ) -> None:
        """Nothing waits."""
        self._answer([], done)

    def between(
        self,
        from_seq: int,
        to_seq: int,
        limit: int,
        done: "Callable[[list[tuple[int, str]]], None]",
    ) -> None:
        """Those of a range that are still held."""
        found = [event for event in self._events if from_seq <= event[0] <= to_seq]
        self._answer(found[:limit], done)

    def sent(self, seqs: "list[int]") -> None:
        """Nothing waits."""

    def taken(self, seqs: "list[int]") -> None:
        """Nothing waits."""

    def stored(self, journal: str, seq: int, hash: str, done: "Callable[[bool], None]") -> None:
        """Nothing waits; but whether `hash` is ours is told."""
        ending = '"hash":"%s"' % hash
        ours = journal == self.name and any(
            event[0] == seq and ending in event[1] for event in self._events
        )
        self._loop.call_at(self._loop.now_ms(), lambda: done(ours))

    def waiting(self) -> int:
        """Nothing waits."""
        return 0

    def held(self) -> int:
        """Nothing waits."""
        return 0

    def count(self) -> int:
        """Events written in all."""
        return self._seq

    def first(self) -> int:
        """The oldest seq that is still held."""
        return self._events[0][0] if self._events else 0

    def _answer(
        self,
        found: "list[tuple[int, str]]",
        done: "Callable[[list[tuple[int, str]]], None]",
    ) -> None:
        self._loop.call_at(self._loop.now_ms(), lambda: done(found))

    def events(self) -> "list[str]":
        """The events that are still held, oldest first, as JSON."""
        return [event[1] for event in self._events]

    def _complete(self, event: "dict[str, Any]") -> "dict[str, Any]":
        self._seq += 1
        whole = dict(event)
        whole["v"] = 1
        whole["id"] = "%s:%s:%d" % (self._controller, self.name, self._seq)
        whole["journal"] = self.name
        whole["seq"] = self._seq
        whole["boot"] = self.boot
        whole["prev"] = self._prev
        digest = hashlib.sha256(payload.dumps(whole).encode()).digest()
        whole["hash"] = self._prev = binascii.hexlify(digest).decode()
        self._events.append((self._seq, payload.dumps(whole)))
        if len(self._events) > self._limit:
            self._events.pop(0)
        return whole


class MemoryStore(ports.Store):
    """Keys in a dictionary."""

    def __init__(self, loop: "Any", key: bytes, rights: "credential.Rights") -> None:
        self._loop = loop
        self._key = key
        self._rights = rights
        self._keys: dict[str, credential.Credential] = {}

    def add(self, key: "credential.Credential", kind: str, value: str) -> None:
        """Have `key` found by a card's number, a code's text or a PIN's digits."""
        self._keys[self._index(kind, value)] = key

    def find(self, kind: str, value: str, done: "Callable[[Any], None]") -> None:
        """Find a key; the answer comes at the loop's next turn."""
        found = self._keys.get(self._index(kind, value))
        self._loop.call_at(self._loop.now_ms(), lambda: done(found))

    def apply(
        self,
        changes: "list[Any]",
        done: "Callable[[str | None, list[tuple[int, str]]], None]",
    ) -> "Any":
        """Refused: there is no disk to keep a change on."""
        line = "keys: are in memory only; expected a controller with a disk"
        self._loop.call_at(self._loop.now_ms(), lambda: done(line, []))

    def sync(
        self, page: ports.Page, done: "Callable[[str | None, ports.Synced | None], None]"
    ) -> None:
        """Refused, as `apply`."""
        self.apply([], lambda line, told: done(line, None))

    def held(self) -> "tuple[int, int, bool]":
        """How many ways lead to a key; there are no versions."""
        return len(self._keys), 0, True

    def rights(self) -> "credential.Rights":
        """The rights in force."""
        return self._rights

    def _index(self, kind: str, value: str) -> str:
        if kind == access_point.PIN:
            return "pin:" + pin.index(self._key, value)
        if kind == access_point.CODE:
            return "code:" + pin.code_index(self._key, value)
        return value
