"""The rows of a journal as a ring and as an outbox: what leaves first, what is deleted first.

A row has left when the host has said that it is stored (``seq <= stored``, one number for all of them),
or when the broker has it and no host is waited for (``sent`` 1). ``sent`` 2 is between: the broker has it,
the host has not said so.

Rows at or below ``last_seq - limit`` go a few at a time once they have left. What has not left stays
until more than `limit` wait; then the oldest of it goes, alarms and access records last (law 8).

A token names an event that is handed out. It is its seq; after a journal was set aside while running
the tokens of the old one mean nothing in the new one, and tokens of events that were carried over are
apart from both.
"""

from collections.abc import Collection, Iterator

import apsw

from firmware.trust import chain

A_FEW = 8  #: rows that one transaction deletes at most beyond those it adds
ROOM = 100  #: a full ring has room again once one in so many of its rows is free

_GENERATION = 1 << 41
_FORMER = 1 << 40

WAITS, LEFT, TAKEN = 0, 1, 2  #: column ``sent``

_DROPPABLE = (
    'AND urgent = 0 AND body NOT LIKE \'%"type":"access.%\'',
    "AND urgent = 0",
    "",
)

# Older journals' events stand before ours, alarms before everything.
_NEXT = tuple(
    (
        f"SELECT {key}, body FROM {table} WHERE sent = 0 AND urgent = {urgent} AND {key} > ?"
        f" ORDER BY {key} LIMIT ?",
        base,
    )
    for urgent in (1, 0)
    for table, key, base in (("former", "id", _FORMER), ("events", "seq", 0))
)
_TAKEN = {
    table: f"SELECT {key}, body FROM {table} WHERE sent = 2 AND urgent = ? AND {key} > ? AND {key} <= ?"
    f" ORDER BY {key} LIMIT ?"
    for table, key in (("former", "id"), ("events", "seq"))
}


class Ring:
    """The rows behind one connection; `add`, `mark`, `note` and `sweep` stand inside a transaction."""

    def __init__(self, connection: apsw.Connection, limit: int, generation: int) -> None:
        self._connection = connection
        self._limit = limit
        self._base = generation * _GENERATION
        self._swept = 0  # nothing at or below this has left and is there
        self._passed = [0] * len(_DROPPABLE)  # nothing of that kind waits at or below
        self._places = [0] * len(_NEXT)  # how far `onward` has come in each of `_NEXT`
        self._skip: Collection[int] = ()
        self._ends = (0, 0)  # of what `again` hands out: former, ours
        self._alarms = (0, 0)  # the last of them that were alarms
        self._former_stored: list[tuple[str, int]] = []  # told, not noted yet
        self._noted = self._number("SELECT max(value) FROM meta WHERE key = 'stored'")
        #: int  the host has said that it has everything up to here
        self.stored = self._noted
        #: int  events that have not left; of those, the broker has `held`
        self.waiting = self.held = 0
        #: int  the oldest seq that is there
        self.first = 0
        self.reset()

    def add(self, rows: list[tuple[int, str, int]]) -> None:
        """Add events as (seq, JSON, urgent)."""
        self._connection.executemany(
            "INSERT INTO events(seq, body, urgent, sent) VALUES(?, ?, ?, 0)", rows
        )
        self.waiting += len(rows)
        self.first = self.first or rows[0][0]

    def cut(self, last_seq: int) -> None:
        """Delete what is behind `last_seq`: nobody has seen it."""
        self._connection.execute("DELETE FROM events WHERE seq > ?", (last_seq,))
        self.reset()

    # ---- what leaves -------------------------------------------------------------------------------

    def pending(self, limit: int, skip: Collection[int] = ()) -> list[tuple[int, str]]:
        """The first `limit` events that neither broker nor host has, as (token, JSON), without `skip`.

        Alarms first, then in order. Raises `apsw.CorruptError` for a record that is not what was
        written.
        """
        return self._next(limit, [0] * len(_NEXT), skip)

    def onward(self, limit: int, skip: Collection[int] | None) -> list[tuple[int, str]]:
        """The same, each handed out once; with a `skip` it begins again from the front."""
        if skip is not None:
            self._places, self._skip = [0] * len(_NEXT), skip
        return self._next(limit, self._places, self._skip)

    def again(self, limit: int, begin: bool) -> list[tuple[int, str]]:
        """The first `limit` events that the broker had when this was begun, and the host has not stored.

        Alarms first, each once, then in order. The others have half of the room at least: the host's word
        goes on only with the oldest, whatever that is.
        """
        if begin:
            self._ends = (self._last_taken("former", "id"), self._last_taken("events", "seq"))
            self._alarms = (0, 0)
        alarms, others = self._taken(1, self._alarms, limit), self._taken(0, (0, 0), limit)
        alarms = alarms[: max(limit // 2, limit - len(others))]
        if alarms:
            last = alarms[-1][0] - self._base
            self._alarms = (last - _FORMER, 0) if last > _FORMER else (self._ends[0], last)
        return (alarms + others)[:limit]

    def _taken(self, urgent: int, behind: tuple[int, int], limit: int) -> list[tuple[int, str]]:
        former, seq = self._ends
        ways = (
            ("former", behind[0], former, _FORMER),
            ("events", max(behind[1], self.stored), seq, 0),
        )
        found: list[tuple[int, str]] = []
        for table, after, end, base in ways:
            values = (urgent, after, end, limit - len(found))
            found += self._read(_TAKEN[table], values, self._base + base)
        return found

    def _last_taken(self, table: str, key: str) -> int:
        text = f"SELECT max({key}) FROM {table} WHERE sent = 2 AND urgent ="
        return max(self._number(f"{text} 0"), self._number(f"{text} 1"))  # each by the index

    def between(self, from_seq: int, to_seq: int, limit: int) -> list[tuple[int, str]]:
        """The first `limit` events of a range, left or not, by seq."""
        text = "SELECT seq, body FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
        return list(self._read(text, (from_seq, to_seq, limit), 0))

    # ---- what has left -----------------------------------------------------------------------------

    def mark(self, tokens: Collection[int], state: int) -> None:
        """Note that these have `LEFT`, or are `TAKEN`; tokens of another generation are passed over."""
        if not tokens:
            return
        numbers = sorted(token - self._base for token in tokens)
        for low, high in _ranges([n for n in numbers if self.stored < n < _FORMER]):
            self._mark("events NOT INDEXED", "seq", low, high, state)
            self._swept = min(self._swept, low - 1)
        for low, high in _ranges([n - _FORMER for n in numbers if _FORMER < n < _GENERATION]):
            self._mark("former", "id", low, high, state)
            self._connection.execute("DELETE FROM former WHERE sent = 1")

    def store(self, seq: int, hash: str) -> bool:
        """The host has everything up to `seq`; whether `hash` is ours there. To be noted later."""
        texts = self._connection.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchall()
        if not texts or not str(texts[0][0]).endswith(f'"hash":"{hash}"}}'):
            return False
        if seq > self.stored:
            self._swept = min(self._swept, self.stored)
            self.stored = seq
            self._count()
        return True

    def store_former(self, journal: str, seq: int, hash: str) -> bool:
        """The same of a journal that was set aside: of what was carried over from it."""
        text = (
            "SELECT body FROM former WHERE json_extract(body, '$.journal') = ?"
            " AND json_extract(body, '$.seq') = ?"
        )
        texts = self._connection.execute(text, (journal, seq)).fetchall()
        if not texts or not str(texts[0][0]).endswith(f'"hash":"{hash}"}}'):
            return False
        self._former_stored.append((journal, seq))
        return True

    @property
    def is_noted(self) -> bool:
        """Whether all that the host has stored is noted in the file."""
        return self._noted == self.stored and not self._former_stored

    def note(self) -> None:
        """Write down what the host has stored."""
        if self._noted != self.stored:
            self._connection.execute("REPLACE INTO meta VALUES('stored', ?)", (self.stored,))
        for journal, seq in self._former_stored:
            self._connection.execute(
                "DELETE FROM former WHERE json_extract(body, '$.journal') = ?"
                " AND json_extract(body, '$.seq') <= ?",
                (journal, seq),
            )
            self._count()

    def noted(self) -> None:
        """What `note` wrote is durable."""
        self._noted = self.stored
        self._former_stored = []

    # ---- room --------------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether so much has left that what comes next is not sure to push something out."""
        return self.waiting <= self._limit - max(1, self._limit // ROOM)

    def sweep(self, last_seq: int, added: int = 0) -> int:
        """Delete a few rows that the ring has passed; how many of them had not left."""
        end = last_seq - self._limit
        deleted = False
        if self._swept < end:
            few = A_FEW + added
            where = "seq > ? AND seq <= ? AND (sent = 1 OR seq <= ?)"
            seqs = self._seqs(where, (self._swept, end, self.stored), few)
            self._delete(seqs)
            self._swept = seqs[-1] if len(seqs) == few else end
            deleted = bool(seqs)
        over = self.waiting - self._limit
        dropped = self._drop(over, last_seq) if over > 0 else 0
        if deleted or dropped:
            self.first = self._number("SELECT min(seq) FROM events")
        return dropped

    def reset(self) -> None:
        """A transaction was rolled back: count anew, look for old rows from the front."""
        self._swept = 0
        self._passed = [0] * len(_DROPPABLE)
        self.first = self._number("SELECT min(seq) FROM events")
        self._count()

    def _drop(self, over: int, last_seq: int) -> int:
        dropped = 0
        end = last_seq - 1  # the last one stays whatever it is: the next is chained to it
        for kind, where in enumerate(_DROPPABLE):
            if dropped < over:
                text = f"SELECT id FROM former WHERE 1 {where} ORDER BY id LIMIT {over - dropped}"
                ids = self._connection.execute(text).fetchall()
                self._connection.executemany("DELETE FROM former WHERE id = ?", ids)
                dropped += len(ids)
            while dropped < over:
                few = min(A_FEW, over - dropped)
                start = max(self._passed[kind], self.stored)
                seqs = self._seqs(f"seq > ? AND seq <= ? AND sent != 1 {where}", (start, end), few)
                self._delete(seqs)
                dropped += len(seqs)
                self._passed[kind] = seqs[-1] if len(seqs) == few else end
                if len(seqs) < few:
                    break
        self._count()
        return dropped

    # ---- how ---------------------------------------------------------------------------------------

    def _next(self, limit: int, places: list[int], skip: Collection[int]) -> list[tuple[int, str]]:
        """Read on from `places`, which move."""
        found: list[tuple[int, str]] = []
        for kind, (text, base) in enumerate(_NEXT):
            while (room := limit - len(found)) > 0:
                after = places[kind] if base else max(places[kind], self.stored)
                rows = list(self._read(text, (after, room), self._base + base))
                if rows:
                    places[kind] = rows[-1][0] - self._base - base
                found += [row for row in rows if row[0] not in skip]
                if len(rows) < room:
                    break
        return found

    def _read(self, text: str, values: tuple[int, ...], base: int) -> Iterator[tuple[int, str]]:
        try:
            for number, body in self._connection.execute(text, values):
                # Nobody else checks that a row's text is what was written.
                if not isinstance(body, str) or not chain.is_sealed(body):
                    raise apsw.CorruptError("record")
                yield base + number, body
        except UnicodeDecodeError:
            raise apsw.CorruptError("record") from None

    def _mark(self, table: str, key: str, low: int, high: int, state: int) -> None:
        text = f"UPDATE {table} SET sent = ? WHERE {key} BETWEEN ? AND ? AND sent = ?"
        before = (WAITS, TAKEN) if state == LEFT else (WAITS,)
        for was in before:
            self._connection.execute(text, (state, low, high, was))
            changed = self._connection.changes()
            if state == LEFT:
                self.waiting -= changed
            self.held += (state == TAKEN) * changed - (was == TAKEN) * changed

    def _count(self) -> None:
        where = "FROM events WHERE urgent IN (0, 1) AND seq > ? AND sent"
        waits = self._number(f"SELECT count(*) {where} = 0", (self.stored,))
        held = self._number(f"SELECT count(*) {where} = 2", (self.stored,))
        self.held = held + self._number("SELECT count(*) FROM former WHERE sent = 2")
        self.waiting = waits + held + self._number("SELECT count(*) FROM former")

    def _seqs(self, where: str, values: tuple[int, ...], few: int) -> list[int]:
        text = f"SELECT seq FROM events NOT INDEXED WHERE {where} ORDER BY seq LIMIT {few}"
        return [row[0] for row in self._connection.execute(text, values)]

    def _delete(self, seqs: list[int]) -> None:
        self._connection.executemany("DELETE FROM events WHERE seq = ?", [(s,) for s in seqs])

    def _number(self, text: str, values: tuple[int, ...] = ()) -> int:
        return int(self._connection.execute(text, values).fetchall()[0][0] or 0)


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of consecutive numbers, which are in order, as (first, last)."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] > numbers[place - 1] + 1:
            yield numbers[start], numbers[place - 1]
            start = place
