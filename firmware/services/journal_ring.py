"""The rows of a journal as a ring and as an outbox: what leaves first, what is deleted first.

Rows at or below ``last_seq - limit`` go a few at a time once they have left. What has not left stays
until more than `limit` wait; then the oldest of it goes, alarms and access records last (law 8).

A token names an event that is handed out. It is its seq; after a journal was set aside while running
the tokens of the old one mean nothing in the new one, and tokens of events that were carried over are
apart from both.
"""

from collections.abc import Iterable

import apsw

A_FEW = 8  #: rows that one transaction deletes at most beyond those it adds

_GENERATION = 1 << 41
_FORMER = 1 << 40

_DROPPABLE = (
    'AND urgent = 0 AND body NOT LIKE \'%"type":"access.%\'',
    "AND urgent = 0",
    "",
)


class Ring:
    """The rows behind one connection; every call but `pending` stands inside a transaction."""

    def __init__(self, connection: apsw.Connection, limit: int, generation: int) -> None:
        self._connection = connection
        self._limit = limit
        self._base = generation * _GENERATION
        self._swept = 0  # nothing at or below this is both sent and there
        self._passed = [0] * len(_DROPPABLE)  # nothing of that kind waits at or below
        #: int  events that have not left
        self.waiting = self._count("events WHERE sent = 0") + self._count("former")

    def add(self, rows: list[tuple[int, str, int]]) -> None:
        """Add events as (seq, JSON, urgent)."""
        self._connection.executemany(
            "INSERT INTO events(seq, body, urgent, sent) VALUES(?, ?, ?, 0)", rows
        )
        self.waiting += len(rows)

    def pending(self, limit: int) -> list[tuple[int, str]]:
        """The first `limit` events that have not left as (token, JSON); alarms first, then in order.

        Raises `apsw.CorruptError` for a record that is plainly none: nobody checks that a row's text is
        what was written.
        """
        rows: list[tuple[bool, int, str]] = []
        for text, base in (
            ("SELECT id, body, urgent FROM former ORDER BY urgent DESC, id LIMIT ?", _FORMER),
            (
                "SELECT seq, body, urgent FROM events WHERE sent = 0"
                " ORDER BY urgent DESC, seq LIMIT ?",
                0,
            ),
        ):
            for number, body, urgent in self._connection.execute(text, (limit,)):
                if not _is_object(body):
                    raise apsw.CorruptError("record")
                rows.append((not urgent, self._base + base + number, body))
        rows.sort(key=lambda row: row[0])  # stable: the older journal's stay before ours
        return [(token, body) for _, token, body in rows[:limit]]

    def sent(self, tokens: Iterable[int]) -> None:
        """Note that these have left; tokens of another generation are passed over."""
        for token in tokens:
            number = token - self._base
            if 0 < number < _FORMER:
                self._change("UPDATE events SET sent = 1 WHERE seq = ? AND sent = 0", number)
                self._swept = min(self._swept, number - 1)
            elif _FORMER < number < _GENERATION:
                self._change("DELETE FROM former WHERE id = ?", number - _FORMER)

    def sweep(self, last_seq: int) -> int:
        """Delete a few rows that the ring has passed; how many of them had not left."""
        end = last_seq - self._limit
        if self._swept < end:
            seqs = self._seqs("seq > ? AND seq <= ? AND sent = 1", (self._swept, end))
            self._delete(seqs)
            self._swept = seqs[-1] if len(seqs) == A_FEW else end
        over = self.waiting - self._limit
        return self._drop(over, last_seq) if over > 0 else 0

    def reset(self, waiting: int) -> None:
        """The transaction was rolled back: `waiting` events wait, look for old rows from the front."""
        self.waiting = waiting
        self._swept = 0
        self._passed = [0] * len(_DROPPABLE)

    def _drop(self, over: int, last_seq: int) -> int:
        dropped = 0
        end = last_seq - 1  # the last one stays whatever it is: the next is chained to it
        for kind, where in enumerate(_DROPPABLE):
            while dropped < over:
                few = min(A_FEW, over - dropped)
                seqs = self._seqs(
                    f"seq > ? AND seq <= ? AND sent = 0 {where}", (self._passed[kind], end), few
                )
                self._delete(seqs)
                dropped += len(seqs)
                self._passed[kind] = seqs[-1] if len(seqs) == few else end
                if len(seqs) < few:
                    break
        self.waiting -= dropped
        return dropped

    def _seqs(self, where: str, values: tuple[int, ...], few: int = A_FEW) -> list[int]:
        text = f"SELECT seq FROM events NOT INDEXED WHERE {where} ORDER BY seq LIMIT {few}"
        return [row[0] for row in self._connection.execute(text, values)]

    def _delete(self, seqs: list[int]) -> None:
        self._connection.executemany("DELETE FROM events WHERE seq = ?", [(s,) for s in seqs])

    def _change(self, text: str, number: int) -> None:
        self._connection.execute(text, (number,))
        self.waiting -= self._connection.changes()

    def _count(self, what: str) -> int:
        return int(str(self._connection.execute(f"SELECT count(*) FROM {what}").get))


def _is_object(body: object) -> bool:
    if not isinstance(body, str):
        return False
    return body.startswith('{"') and body.endswith('"}') and "\0" not in body
