"""Which keys there are: those of the people, and what signed commands made of them since.

A command that changes keys counts from the record that says it was done. From when it was sent until that,
or a refusal, is known, the key may be what it was or what it is to be: store and journal are two files, and
the power goes between them. A decision that was under way when a key changed may follow the key before.
"""

from typing import Any, NamedTuple

from firmware.wire import card_number
from sim.person import Person
from sim.soak.truth import Truth

ENROLLED = "enrolled"  #: the card of a key that the next card at a reader became
FINAL = ("failed", "bad_command", "out_of_order", "role")  #: refused for this, a command never runs

Key = Person | None  #: None: there is no such key


class _Change(NamedTuple):
    """What a command makes of which keys."""

    by: str
    n: int
    waits: bool  # for a card
    keys: dict[int, Key]


class KeyBook:
    """The keys of one building, by their record numbers."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._keys: dict[int, Key] = dict(truth.people)
        self._before: dict[int, list[tuple[int, Key]]] = {}  # until when it was what
        self._under_way: dict[str, _Change] = {}
        self._heard = 0  # how many of the host's commands are known here

    def at(self, number: int, at_ms: int, waits_ms: int) -> list[Key]:
        """What the key may be, for a decision of `at_ms` that was begun at most `waits_ms` before."""
        self._hear()
        found = [self._keys.get(number)]
        found += [
            change.keys[number] for change in self._under_way.values() if number in change.keys
        ]
        for until_ms, key in self._before.get(number, ()):
            # A store that was struck may be read from a copy that is older, if it says so.
            if at_ms - waits_ms <= until_ms or self._truth.keys_lost:
                found.append(key)
        return found

    def written(self, event: dict[str, Any], at_ms: int) -> None:
        """A record is durable."""
        self._hear()
        id = str(event.get("command"))
        if event["type"] == "command.accepted":
            self._done(id, at_ms)
        elif event["type"] == "command.rejected" and event.get("reason") in FINAL:
            self._under_way.pop(id, None)

    def numbers(self) -> list[int]:
        """Of every key that there is for certain."""
        self._hear()
        unsure = {number for change in self._under_way.values() for number in change.keys}
        return [
            number for number, key in self._keys.items() if key is not None and number not in unsure
        ]

    def _done(self, id: str, at_ms: int) -> None:
        change = self._under_way.pop(id, None)
        if change is None:
            return
        for number, key in change.keys.items():
            self._before.setdefault(number, []).append((at_ms, self._keys.get(number)))
            self._keys[number] = key
        if not change.waits:  # the store does one after the other
            for other, earlier in list(self._under_way.items()):
                if earlier.by == change.by and earlier.n < change.n and not earlier.waits:
                    del self._under_way[other]

    def _hear(self) -> None:
        host = self._truth.building.host
        if len(host.sent) == self._heard:
            return
        for id in list(host.sent)[self._heard :]:
            made = host.sent[id]
            keys = _keys_of(made["op"], host.asked[id])
            if host.asked[id].get("all"):
                keys = {**dict.fromkeys(self._known()), **keys}
            if keys and id not in self._truth.building.forger.never:
                waits = made["op"] == "credential.enrol"
                self._under_way[id] = _Change(made["by"], made.get("n", 0), waits, keys)
        self._heard = len(host.sent)

    def _known(self) -> set[int]:
        """Every number that has a key, or may have one."""
        under_way = [number for change in self._under_way.values() for number in change.keys]
        return {*self._keys, *under_way}


def _keys_of(op: str, args: dict[str, Any]) -> dict[int, Key]:
    """What a command that is done makes of which keys."""
    if op == "credential.upsert":
        return {args["credential"]["id"]: _person(args["credential"])}
    if op == "credential.remove":
        return {args["credential"]: None}
    if op == "credential.enrol" and "credential" in args:
        return {args["credential"]["id"]: _person({**args["credential"], "cards": [ENROLLED]})}
    if op == "credential.sync" and args.get("pages", 1) == 1:
        keys: dict[int, Key] = dict.fromkeys(args.get("remove", ()))
        keys.update({key["id"]: _person(key) for key in args.get("upsert", ())})
        return keys
    return {}


def _person(key: dict[str, Any]) -> Person:
    """A key as whoever has it: everywhere, at all times."""
    cards = key.get("cards", [])
    card = cards[0] if cards else None
    return Person(
        f"key {key['id']}",
        card=card if card in (None, ENROLLED) else card_number.parse(card),
        pin=key.get("pin"),
        state=key.get("state", "active"),
        credential=key["id"],
    )
