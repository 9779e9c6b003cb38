"""The controller's journal: durable, gapless, chained; also the outbox (SQLite through apsw).

Decides when something is written and what happens while it cannot be; `JournalFile` writes. All that
waits is one transaction, so a burst costs one sync. Nothing here waits for a disk except `open`.

While the disk fails, records wait in memory and are tried again every `RETRY_MS` and with the next one;
`on_health` is told, in no more than `OVERDUE_MS`, what `firmware.services.journal_news` decides. What waits
when a write fails, or is overdue, is late. A file that opens later tells `on_kept`.
"""

from collections.abc import Callable
from functools import partial
from os import urandom
from typing import Any

import apsw

from firmware.runtime.aio import Loop, Timer
from firmware.runtime.ports import Batch, Journal
from firmware.services import database
from firmware.services.executor import Executor
from firmware.services.journal_ahead import is_waited_for
from firmware.services.journal_draft import Sign, Written
from firmware.services.journal_file import JournalFile
from firmware.services.journal_news import JournalNews
from firmware.services.journal_ring import Ring

RETRY_MS = 2000  #: between attempts while writing fails
OVERDUE_MS = 2000  #: a write that takes longer is a fault (law 3)
SENT_MS = 1000  #: what has left is noted at the latest after this
MEMORY_LIMIT = 10000  #: events that wait in memory; beyond it only access and alarm records do
HARD_LIMIT = 12000  #: beyond this none is
AT_ONCE = 500  #: batches in one transaction
SENT_AT_ONCE = 2000  #: seqs that one transaction notes
SETTLED_LIMIT = 1024  #: of so many that found no room it is told once what is kept is durable
LEFT_LIMIT = 20000  #: seqs that wait to be noted; beyond it nothing more is handed out

Done = Callable[[Batch], None]
Found = Callable[[list[tuple[int, str]]], None]


class SqliteJournal(Journal):
    """A journal in one SQLite database.

    path        str       ``journal.db`` in the state folder
    executor    Executor  where writing happens; its end closes the journal
    loop        Loop      whose thread everything else happens on
    controller  str       name of the controller, for the ids
    limit       int       rows of the ring
    vfs         str|None  name of a VFS of SQLite; None: the real disk
    simulated   bool      whether events say that they are
    random      callable  n -> n random bytes, for the journal's name
    sign        callable  signs checkpoints (`firmware.trust.chain.signer`); None: there are none
    """

    def __init__(
        self,
        path: str,
        executor: Executor,
        loop: Loop,
        controller: str,
        limit: int = 100000,
        vfs: str | None = None,
        simulated: bool = False,
        random: Callable[[int], bytes] = urandom,
        sign: Sign | None = None,
    ) -> None:
        self._file = JournalFile(path, controller, limit, vfs, simulated, random, sign)
        self.signs = sign is not None
        self._executor = executor
        self._loop = loop
        self._waiting: list[tuple[Batch, Done]] = []
        self._waiting_events = 0
        #: how many of them there may be; the same with an access or alarm record
        self.room = (MEMORY_LIMIT, HARD_LIMIT)
        # Tokens that have left, in order; not noted in the file yet.
        self._left: dict[int, None] = {}
        self._taken: dict[int, None] = {}  # the broker has them; likewise
        self._kept_after: dict[str, Any] = {}  # of refused records, after all that waits
        self._settled_after: list[Callable[[], None]] = []  # likewise; the newest `SETTLED_LIMIT`
        self._in_flight = 0  # the first so many of `_waiting` are being written
        self._landed = 0  # so many of those were written; the loop has not heard of it yet
        self._busy = False
        self._closed = False
        self._since_ms = 0
        self._news = JournalNews(self._file.title, self._health)
        self._watch: Timer | None = None
        self._timers: dict[str, Timer] = {}
        self.kept, self.kept_known = {}, False
        executor.on_end(self._end)

    # ---- the port ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the file or begin it; once, before the loop runs. Never raises: see the module."""
        try:
            note = self._file.open()
        except Exception as error:  # noqa: BLE001  a door without a journal still is a door
            self._news.failed(
                f"{self._file.title}: {database.describe(error)}; records wait in memory"
            )
            self._file.look()
            self._later("retry", RETRY_MS, self._write)
        else:
            if note:
                self._news.failed(note)
        self._learn()

    def append(self, batch: Batch, done: Done) -> None:
        """Write `batch`; `done` is called when it is durable. Never raises; keeps trying."""
        if not self._has_room(batch):
            self._refuse(batch)
        else:
            self._place_kept()
            self._waiting.append((batch, done))
            self._waiting_events += len(batch.events)
        self._write()

    def pending(self, limit: int, done: Found) -> None:
        """The first `limit` events that nobody has, as (token, JSON); alarms first, else in order.

        The token is the event's seq; other numbers stand for events of a journal that was set aside.
        """
        skip = frozenset((*self._left, *self._taken))
        self._read(lambda ring: ring.pending(limit, skip), done)

    def onward(self, limit: int, begin: bool, done: Found) -> None:
        """The same, each handed out once until it is begun again."""
        if len(self._left) + len(self._taken) > LEFT_LIMIT:
            limit = 0  # a disk that does not note what has left
        skip = frozenset((*self._left, *self._taken)) if begin else None
        self._read(lambda ring: ring.onward(limit, skip), done)

    def again(self, limit: int, begin: bool, done: Found) -> None:
        """The first `limit` events that the broker had when this was begun, and the host has not stored."""
        if begin and self._taken:
            self._write_all()
        self._read(lambda ring: ring.again(limit, begin), done)

    def between(self, from_seq: int, to_seq: int, limit: int, done: Found) -> None:
        """The first `limit` events of a range, ends included, as (seq, JSON), left or not."""
        self._read(lambda ring: ring.between(from_seq, to_seq, limit), done)

    def sent(self, seqs: list[int]) -> None:
        """These tokens have left. Noted with the next records, or after `SENT_MS`."""
        for seq in seqs:
            self._left[seq] = None
            self._taken.pop(seq, None)
        self._note_soon()

    def taken(self, seqs: list[int]) -> None:
        """The broker has these. Noted likewise."""
        for seq in seqs:
            if seq not in self._left:
                self._taken[seq] = None
        self._note_soon()

    def stored(self, journal: str, seq: int, hash: str, done: Callable[[bool], None]) -> None:
        """The host has every event of `journal` up to `seq`; `done` is told whether `hash` is ours there.

        What was carried over from a journal that was set aside leaves by the host's word for that
        journal. Noted with the next records, or after `SENT_MS`: until then a cut makes it leave again.
        """

        def answer(found: bool | None, error: Exception | None) -> None:
            if found and self.on_stored is not None:
                self.on_stored()
            self._note_soon()
            done(bool(found))

        self._executor.submit(lambda: self._file.stored(journal, seq, hash), answer)

    def waiting(self) -> int:
        """How many events have not left, those that are not yet written among them."""
        return max(0, self._file.waiting - len(self._left)) + self._waiting_events

    def untold(self) -> list[Batch]:
        """What nobody has been told is durable, in order: it waits, or is being written."""
        return [batch for batch, done in self._waiting if done is not Batch.settle]

    def held(self) -> int:
        """How many of them the broker has."""
        return self._file.held + len(self._taken)

    def count(self) -> int:
        """How many events this journal has written in all."""
        return self._file.past.last_seq

    def first(self) -> int:
        """The oldest seq that is still there; 0: none."""
        return self._file.first

    def _read(self, what: Callable[[Ring], list[tuple[int, str]]], done: Found) -> None:
        def answer(rows: list[tuple[int, str]] | None, error: Exception | None) -> None:
            if isinstance(error, database.CORRUPT):
                self._write_all()  # which begins a new journal
            done(rows or [])

        self._executor.submit(lambda: self._file.read(what), answer)

    def _note_soon(self) -> None:
        """See that what has left is noted, at the latest after `SENT_MS`."""
        if len(self._left) + len(self._taken) >= SENT_AT_ONCE and self._news.ok:
            self._write_all()
        elif self._left or self._taken or not self._file.is_noted:
            self._later("sent", SENT_MS, self._write_all)

    # ---- writing -----------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write what waits, unless a write is under way: what comes meanwhile is the next one."""
        if self._waiting or not self._file.is_open:
            self._write_all()

    def _write_all(self) -> None:
        if self._busy or self._closed:
            return
        self._busy = True
        self._since_ms = self._loop.now_ms()
        if self._watch is None:
            self._watch_from(self._since_ms)
        entries = self._waiting[:AT_ONCE]
        self._in_flight = len(entries)
        left = list(self._left)[:SENT_AT_ONCE]
        taken = list(self._taken)[: SENT_AT_ONCE - len(left)]

        def work() -> Written:
            written = self._file.write(batches, left, taken)
            self._landed = len(entries)
            return written

        def answer(written: Written | None, error: Exception | None) -> None:
            self._busy = False
            self._in_flight = self._landed = 0
            if written is None:
                self._failed(error)
            else:
                self._succeeded(entries, left + taken, written)

        def go_on(gone: bool | None, error: Exception | None) -> None:
            if gone:
                self._tell_durable(entries)
            self._executor.submit(work, answer)

        batches = [batch for batch, _ in entries]
        if is_waited_for(batches):
            self._executor.submit(lambda: self._file.go_ahead(batches), go_on)
        else:
            self._executor.submit(work, answer)

    def _tell_durable(self, entries: list[tuple[Batch, Done]]) -> None:
        """Tell whose batch is durable; of `entries`, which are about to be written, nobody is told again."""
        for place, (batch, done) in enumerate(entries):
            self._waiting[place] = entries[place] = (batch, Batch.settle)
            self._tell(partial(done, batch))
            batch.settled = []

    def _succeeded(
        self, entries: list[tuple[Batch, Done]], noted: list[int], written: Written
    ) -> None:
        del self._waiting[: len(entries)]
        overdue = self._is_overdue()
        if overdue:
            self._tell_overdue()
        for batch, _ in entries:
            self._waiting_events -= len(batch.events)
        for seq in noted:
            self._left.pop(seq, None)
            self._taken.pop(seq, None)
        self._place_kept()
        self._learn()
        refused = {id(batch) for batch in written.refused}
        for batch, done in entries:  # the door first
            if id(batch) not in refused:
                self._tell(partial(done, batch))
        if self.on_written is not None and written.events:
            self._tell(partial(self.on_written, written.events, written.at_ms))
        if self.on_more is not None and written.events:
            self._tell(self.on_more)
        if self._news.judge(written, self._file.has_room, overdue):
            self._later("retry", RETRY_MS, self._write_all)  # the write that says that all is well
        if self._waiting:
            self._write_all()
        else:
            self._note_soon()
        if self._file.upkeep_due:
            # Trouble here is met by the next write too, which tells of it.
            self._executor.submit(self._file.upkeep)

    def _failed(self, error: Exception | None) -> None:
        self._place_kept()
        self._mark_late()
        words = database.describe(error) if error is not None else "failed"
        self._news.failed(f"{self._file.title}: {words}; records wait in memory")
        self._later("retry", RETRY_MS, self._write_all)

    def _learn(self) -> None:
        if self._file.kept_known and not self.kept_known:
            self.kept, self.kept_known = self._file.kept, True
            for told in self.on_kept:
                self._tell(told)
        past = self._file.past
        self.name = past.name
        self.boot = past.boot
        if not self.trusted_ms:
            self.trusted_ms = past.trusted_ms

    # ---- limits and health -------------------------------------------------------------------------

    def _has_room(self, batch: Batch) -> bool:
        size = max(self._waiting_events, len(self._waiting)) + max(1, len(batch.events))
        types = [str(event.get("type")) for event in batch.events]
        return size <= self.room[any(t.startswith(("access.", "alarm.")) for t in types)]

    def _refuse(self, batch: Batch) -> None:
        text = f"{self._waiting_events} records wait in memory; the newest are refused"
        self._news.refused(len(batch.events), f"{self._file.title}: {text}")
        self._kept_after.update(batch.kept)
        self._settled_after = [*self._settled_after, *batch.settled][-SETTLED_LIMIT:]
        if len(self._waiting) > self._in_flight:
            self._place_kept()

    def _place_kept(self) -> None:
        """What is kept with refused records is written with the last that wait: no batch of its own."""
        if not self._kept_after:
            return
        if len(self._waiting) <= self._in_flight:
            self._waiting.append((Batch([], [], {}), Batch.settle))
        last = self._waiting[-1][0]
        last.kept = {**last.kept, **self._kept_after}
        last.settled = [*last.settled, *self._settled_after][-SETTLED_LIMIT:]
        self._kept_after, self._settled_after = {}, []

    def _health(self, ok: bool, text: str) -> None:
        # By the loop: who is told may write a record, and may not be there yet while we open.
        self._loop.post(lambda: self._tell_health(ok, text))

    def _tell_health(self, ok: bool, text: str) -> None:
        if self.on_health is not None and not self._closed:
            self.on_health(ok, text)

    def _watch_from(self, since_ms: int) -> None:
        self._watch = self._loop.call_at(since_ms + OVERDUE_MS, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._busy and not self._closed:
            if self._is_overdue():
                self._tell_overdue()
            else:
                self._watch_from(self._since_ms)

    def _is_overdue(self) -> bool:
        return self._loop.now_ms() - self._since_ms >= OVERDUE_MS

    def _tell_overdue(self) -> None:
        self._mark_late()
        self._news.failed(f"{self._file.title}: a write takes longer than {OVERDUE_MS} ms")

    def _mark_late(self) -> None:
        """What waits could not be written at once, and says so; what is being written as well."""
        for batch, _ in self._waiting:
            batch.mark_late()

    def _later(self, name: str, ms: int, call: Callable[[], None]) -> None:
        """Make `call` after `ms`, unless that is set already."""
        if name in self._timers:
            return

        def due() -> None:
            del self._timers[name]
            call()

        self._timers[name] = self._loop.call_at(self._loop.now_ms() + ms, due)

    def _tell(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001  one who is told must not cost the others
            self._loop.on_error("journal", error)

    def _end(self, killed: bool) -> None:
        """The executor ends; the loop's thread waits for it."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        try:
            waiting = [batch for batch, _ in self._waiting[self._landed :]]
            if self._kept_after:
                waiting.append(Batch([], [], self._kept_after))
            if not killed and (waiting or self._left or self._taken or not self._file.is_noted):
                self._file.write(waiting, list(self._left), list(self._taken))
            self._file.close(killed)
        except (apsw.Error, OSError):
            self._file.close(True)  # nobody is left to be told; the next start finds it as it is
