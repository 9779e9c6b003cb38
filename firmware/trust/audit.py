"""Whether records are whole: nothing changed, removed or inserted since the controller wrote them.

Pure. Takes events of one controller or several, of one journal or several, in any order and as often as a
broker brought them. What it says is what can be known: a chain that was rewritten whole, with every hash
made anew, is betrayed by the next signed checkpoint, which vouches for everything before it and tells
only that something there is different; behind the last checkpoint nobody vouches for anything.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware.trust import canonical, chain, signing

CHANGED, REMOVED, INSERTED, UNSIGNED = "changed", "removed", "inserted", "unsigned"

# Why, as the words of `host_tools` call it.
HASH = "hash"  #: its content does not give its hash
NAMED = "named"  #: the record behind it names another hash
GAP = "gap"  #: `other` is the next one that is there
MOVED = "moved"  #: by its hash it is number `other`
TWICE = "twice"  #: two records have the number, one of them fits
SIGNATURE = "signature"  #: the checkpoint at `other` was signed over other records
HEAD = "head"  #: the checkpoint itself names another hash than the record has
START = "start"  #: a journal's first record names one before
SELDOM = (
    "seldom"  #: from there on more records than the controller ever leaves without a checkpoint
)
SPOILT = "spoilt"  #: the checkpoint at `other`, which would tell, is not what was written
NUMBER = "number"  #: it looks like a record and has no number; its finding has seq 0
END = "end"  #: the next journal knows of records up to `other`


@dataclass(frozen=True)
class Finding:
    """What is wrong with one record: which, what became of it, how that shows."""

    seq: int
    what: str
    why: str
    other: int = 0


@dataclass
class Journal:
    """One journal as far as its records are here.

    controller   str  its name
    name         str  eight hex digits
    first, last  int  the lowest and the highest seq that is here
    count        int  records
    checkpoints  int  of those; `signed` of them by the key that was given
    upto         int  the last seq that a good signature covers; 0: none
    findings     list of Finding  by seq; those that only tell what nobody vouches for come last
    """

    controller: str
    name: str
    first: int = 0
    last: int = 0
    count: int = 0
    checkpoints: int = 0
    signed: int = 0
    upto: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(events: Iterable[Mapping[str, Any]], key: bytes | None = None) -> list[Journal]:
    """Judge `events`, which may be anything that is an object; what names no journal and no hash is none.

    key  32 bytes  the controller's Ed25519 key (`public_key.sign`); None: signatures are not looked at
    """
    journals: dict[tuple[str, str], dict[int, list[dict[str, Any]]]] = {}
    unnumbered: list[tuple[str, str]] = []
    for event in events:
        place = _place(event)
        if place is None and isinstance(event.get("journal"), str) and "prev" in event:
            unnumbered.append((_controller(event), event["journal"]))
        if place is not None:
            same = journals.setdefault(place[:2], {}).setdefault(place[2], [])
            if event not in same:
                same.append(dict(event))
    found = {name: _Judge(name, rows, key).judge() for name, rows in sorted(journals.items())}
    for (controller, _), rows in journals.items():
        _look_back(found, controller, rows)
    for name in unnumbered:
        told = found.setdefault(name, Journal(*name))
        told.findings.insert(0, Finding(0, INSERTED, NUMBER))
    return list(found.values())


def _place(event: Mapping[str, Any]) -> tuple[str, str, int] | None:
    journal, seq = event.get("journal"), event.get("seq")
    if not isinstance(journal, str) or type(seq) is not int or seq < 1:
        return None
    return (_controller(event), journal, seq)


def _controller(event: Mapping[str, Any]) -> str:
    id = event.get("id")
    return id.split(":")[0] if isinstance(id, str) else ""


def _look_back(
    found: dict[tuple[str, str], Journal], controller: str, rows: dict[int, list[dict[str, Any]]]
) -> None:
    """What a journal says of the one before it."""
    previous = rows.get(1, [{}])[0].get("previous")
    if not isinstance(previous, dict) or type(previous.get("seq")) is not int:
        return
    before = found.get((controller, str(previous.get("journal"))))
    if before is not None and before.last < previous["seq"]:
        before.findings.append(Finding(before.last + 1, REMOVED, END, previous["seq"]))


class _Judge:
    """One journal's records, and what becomes of them."""

    def __init__(
        self, name: tuple[str, str], rows: dict[int, list[dict[str, Any]]], key: bytes | None
    ) -> None:
        self._told = Journal(*name)
        self._rows = rows
        self._key = key
        self._seqs = sorted(rows)
        self._events: list[dict[str, Any]] = []
        self._findings: dict[int, Finding] = {}
        self._by_hash: dict[Any, int] = {}
        self._named: set[Any] = set()  # hashes that a record names as the one before it
        self._elsewhere: Counter[int] | None = None

    def judge(self) -> Journal:
        """What is so of these records."""
        told = self._told
        self._choose()
        told.first, told.last, told.count = self._seqs[0], self._seqs[-1], len(self._seqs)
        numbers = {event["seq"]: self._number(event) for event in self._events}
        for place, event in enumerate(self._events):
            seq = event["seq"]
            before = self._events[place - 1] if place else None
            after = self._events[place + 1] if place + 1 < len(self._events) else None
            if before is not None and seq != before["seq"] + 1:
                self._find(before["seq"] + 1, REMOVED, GAP, seq)
            if numbers[seq] != seq:
                self._misplaced(seq, numbers)
            elif before is None and seq == 1 and event.get("prev") != chain.START:
                self._find(seq, CHANGED, START)
            elif after is not None and numbers[after["seq"]] == after["seq"] == seq + 1:
                self._linked(before, event, after)
        self._vouched()
        told.findings = sorted(
            self._findings.values(), key=lambda found: (found.what == UNSIGNED, found.seq)
        )
        return told

    def _find(self, seq: int, what: str, why: str, other: int = 0) -> None:
        self._findings.setdefault(seq, Finding(seq, what, why, other))

    def _choose(self) -> None:
        """Of two records with one number, the one that fits its neighbours is the controller's."""
        for seq in self._seqs:
            rows = self._rows[seq]
            if len(rows) > 1:
                rows.sort(key=self._fit, reverse=True)
                self._find(seq, INSERTED, TWICE)
            self._events.append(rows[0])
            if isinstance(rows[0].get("hash"), str):
                self._by_hash[rows[0]["hash"]] = seq
            if isinstance(rows[0].get("prev"), str):
                self._named.add(rows[0]["prev"])

    def _fit(self, event: dict[str, Any]) -> int:
        seq = event["seq"]
        before, after = self._rows.get(seq - 1, []), self._rows.get(seq + 1, [])
        fits: int = 4 * (_number_of(event, (seq,)) == seq)
        fits += 2 * any(event.get("hash") == row.get("prev") for row in after)
        return fits + any(event.get("prev") == row.get("hash") for row in before)

    def _number(self, event: dict[str, Any]) -> int:
        """The number that the hash of `event` was made with; 0: none that can be found."""
        seq = event["seq"]
        number = _number_of(event, (seq, seq - 1, seq + 1))
        if number:
            return number
        before = event.get("prev")
        if before == chain.START:
            return _number_of(event, (1,))
        near = self._by_hash.get(before, 0) if isinstance(before, str) else 0
        return _number_of(event, [near + step for step in (0, 1, -1)] if near else [])

    def _misplaced(self, seq: int, numbers: dict[int, int]) -> None:
        """The content of `seq` does not give its hash, or gives it as another number."""
        number = numbers[seq]
        if number == 0:
            shifted = numbers.get(seq + 1) == seq
            self._find(seq, INSERTED if shifted else CHANGED, HASH)
        elif numbers.get(number) == number:
            # Two with one number. What stands at its place pushed this on, unless that is the one that
            # others name, or the very same.
            there, hash = self._rows[number][0].get("hash"), self._rows[seq][0].get("hash")
            copy = there == hash or (isinstance(there, str) and there in self._named)
            self._find(seq if copy else number, INSERTED, MOVED, number if copy else seq)
        elif self._claims(numbers)[number] > 1:
            self._find(seq, INSERTED, MOVED, number)
        elif number < seq and numbers.get(seq - 1) == seq - 1:
            self._find(number, INSERTED, MOVED, seq)  # what has its place pushed it on
        elif number > seq and seq not in self._claims(numbers):
            self._find(seq, REMOVED, MOVED, number)
        else:
            self._find(seq, CHANGED, MOVED, number)

    def _claims(self, numbers: dict[int, int]) -> Counter[int]:
        """How many stand at another place than theirs, by their number."""
        if self._elsewhere is None:
            self._elsewhere = Counter(n for seq, n in numbers.items() if n != seq)
        return self._elsewhere

    def _linked(
        self, before: dict[str, Any] | None, event: dict[str, Any], after: dict[str, Any]
    ) -> None:
        """Two neighbours, each whole by itself: does the second name the first?"""
        if after.get("prev") == event.get("hash"):
            return
        # Whoever changed a record made its hash anew. The one behind still names the old one, unless it
        # is that one's own `prev` that was changed: then the next but one does not name it either.
        beyond = self._rows.get(after["seq"] + 1, [{}])[0]
        first = before is None or before.get("hash") == event.get("prev")
        if first and beyond and beyond.get("prev") != after.get("hash"):
            self._find(after["seq"], CHANGED, NAMED, after["seq"] + 1)
        else:
            self._find(event["seq"], CHANGED, NAMED, after["seq"])

    def _vouched(self) -> None:
        """Checkpoints: what they name, whose they are, and that there are enough of them."""
        told = self._told
        last = told.first - 1
        for event in self._events:
            seq = event["seq"]
            if event.get("type") != chain.CHECKPOINT:
                if self._key is not None and seq - last >= chain.CHECKPOINT_EVERY:
                    self._find(last + 1, UNSIGNED, SELDOM, seq)
                continue
            told.checkpoints += 1
            last = seq
            start = max(told.upto, told.first - 1) + 1  # of what it would vouch for
            found = self._findings.get(seq)
            if found is not None and found.why in (HASH, NAMED):
                if self._key is not None and start < seq:
                    self._find(start, UNSIGNED, SPOILT, seq)
            elif (event.get("upto"), event.get("head")) != (seq - 1, event.get("prev")):
                if self._is_outlived(event):
                    self._find(start, CHANGED, SIGNATURE, seq)
                else:
                    self._find(seq, CHANGED, HEAD)
            elif self._key is not None:
                if not self._is_signed(event):
                    self._find(start, CHANGED, SIGNATURE, seq)
                    continue
                told.signed += 1
                if all(wrong > seq for wrong in self._findings):
                    told.upto = seq - 1

    def _is_outlived(self, event: dict[str, Any]) -> bool:
        """Whether the controller signed what this checkpoint says, and the chain was made anew around it."""
        if event.get("upto") != event["seq"] - 1 or not isinstance(event.get("head"), str):
            return False
        before = self._rows.get(event["seq"] - 1, [{}])[0]
        return before.get("hash") == event.get("prev") and self._is_signed(event)

    def _is_signed(self, event: dict[str, Any]) -> bool:
        controller = event.get("controller")
        name = str(controller).rpartition("/")[2]
        if self._key is None or name != self._told.controller:
            return False
        said = chain.checkpoint(
            str(controller), self._told.name, event["upto"], event["head"], event.get("time")
        )
        return signing.is_signed({**said, "sig": event.get("sig")}, self._key)


def _number_of(event: dict[str, Any], numbers: Iterable[int]) -> int:
    """The first of `numbers` with which the content of `event` gives its hash; 0: none."""
    start = str(event.get("id")).rpartition(":")[0]
    for number in numbers:
        own = number == event["seq"]
        as_was = event if own else {**event, "seq": number, "id": f"{start}:{number}"}
        try:
            if chain.hash_of(as_was) == event.get("hash"):
                return number
        except canonical.CanonicalError:
            return 0
    return 0
