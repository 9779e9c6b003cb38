"""Ranges of records that somebody asked for once more: in the order asked, until the broker has all of each.

No I/O: `firmware.runtime.outbox` asks the journal, sends, and tells what the broker has taken. After a
reconnect a range goes on from there, so a record can come twice and is never left out. Bounded:
`RANGES_LIMIT` ranges. Held in memory alone: a restart forgets them. Portable.
"""

RANGES_LIMIT = 16  #: that still have something to send, or wait for the broker to take it


class _Range:
    def __init__(self, first: int, last: int) -> None:
        self.next = first  # of `last`, the first that is still to be sent
        self.last = last


class Ranges:
    """One controller's."""

    def __init__(self) -> None:
        self._ranges: list[_Range] = []
        self._asked: _Range | None = None  # of which the journal was asked last
        self._on_way: dict[int, tuple[_Range, int]] = {}  # number of a message -> whose, seq

    def add(self, first: int, last: int) -> bool:
        """Send `first` to `last`; False: too many wait already.

        What another range will still send is not sent twice: that one goes on to `last` instead.
        """
        for one in self._ranges:
            if one.next <= first <= one.last + 1:
                one.last = max(one.last, last)
                return True
        if len(self._ranges) >= RANGES_LIMIT:
            return False
        self._ranges.append(_Range(first, last))
        return True

    def ask(self) -> "tuple[int, int] | None":
        """From where to where the next one is still to be sent; None: nothing is."""
        for one in self._ranges:
            if one.next <= one.last:
                self._asked = one
                return one.next, one.last
        return None

    def sent(self, number: int, seq: int) -> None:
        """`seq` of what was asked last is on its way, as message `number`; in order."""
        if self._asked is not None:
            self._asked.next = seq + 1
            self._on_way[number] = self._asked, seq

    def skip(self, upto: int) -> None:
        """Of what was asked last nothing is there any more up to `upto`."""
        if self._asked is not None:
            self._asked.next = upto + 1
            self._tidy(self._asked)

    def taken(self, number: int) -> None:
        """The broker has message `number`, whatever it is."""
        if number in self._on_way:
            self._tidy(self._on_way.pop(number)[0])

    def begin_again(self) -> None:
        """The connection is gone: each goes on from the first that the broker is not known to have."""
        for one, seq in self._on_way.values():
            one.next = min(one.next, seq)
        self._on_way.clear()
        self._asked = None

    def _tidy(self, one: _Range) -> None:
        if one.next > one.last and not any(other is one for other, _ in self._on_way.values()):
            self._ranges.remove(one)
