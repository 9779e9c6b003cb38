"""The two-person rule: a good person waits for a second one, of another holder.

Pure. Remembers who waits and until when; whether somebody is good, and what becomes of the two, is
decided elsewhere. A person who does not complete the pair takes the place of the one who waits.
"""

from collections import namedtuple

from firmware.access import credential

OFF = "off"
ANY = "any"  #: any two people
OTHER_GROUP = "other_group"  #: two people of different groups
MODES = (OFF, ANY, OTHER_GROUP)

ALONE = "alone"  #: nobody waits
WAITING = "waiting"
STATES = (ALONE, WAITING)

PERSON = "person"  #: a good person, to wait for a second one
PARTNER = "partner"  #: the second person: both go
LEAVE = "leave"  #: the one who waits was refused for another reason
TIMEOUT = "timeout"
INPUTS = (PERSON, PARTNER, LEAVE, TIMEOUT)

_KEEP = "keep"
_START = "start"
_STOP = "stop"

MISSING = "missing"  #: nobody came for the one who waited

# (state, input): (next state, timer, verdict on the one who waited)
TRANSITIONS = {
    (ALONE, PERSON): (WAITING, _START, None),
    (ALONE, PARTNER): (ALONE, _KEEP, None),
    (ALONE, LEAVE): (ALONE, _KEEP, None),
    (ALONE, TIMEOUT): (ALONE, _STOP, None),
    (WAITING, PERSON): (WAITING, _START, MISSING),
    (WAITING, PARTNER): (ALONE, _STOP, None),
    (WAITING, LEAVE): (ALONE, _STOP, None),
    (WAITING, TIMEOUT): (ALONE, _STOP, MISSING),
}

#: Somebody good.
#: key    Credential
#: usage  Usage
#: way    str         how it was verified
Person = namedtuple("Person", ("key", "usage", "way"))


class Pair:
    """One access point's two people; `mode` is ANY or OTHER_GROUP."""

    def __init__(self, mode: str, within_ms: int) -> None:
        self.state = ALONE
        self.deadline_ms: int | None = None
        #: Person or None  who waits
        self.first: Person | None = None
        self._mode = mode
        self._within_ms = within_ms

    def completes(self, key: "credential.Credential") -> bool:
        """Whether `key` is a second person beside the one who waits."""
        if self.first is None:
            return False
        one = self.first.key
        if key.visit is not None and one.visit is not None:  # nobody knows whose they are
            return False
        if credential.person(key) == credential.person(one):
            return False
        if self._mode == OTHER_GROUP:
            return None not in (key.group, one.group) and key.group != one.group
        return True

    def handle(self, what: str, now_ms: int, person: "Person | None" = None) -> "list[Person]":
        """Take one input (PERSON: and who); those for whom nobody came."""
        missed = self.tick(now_ms)
        return missed + self._move(what, now_ms, person)

    def tick(self, now_ms: int) -> "list[Person]":
        """Honour a deadline that has come; those for whom nobody came."""
        if self.deadline_ms is not None and now_ms >= self.deadline_ms:
            return self._move(TIMEOUT, now_ms, None)
        return []

    def _move(self, what: str, now_ms: int, person: "Person | None") -> "list[Person]":
        self.state, timer, verdict = TRANSITIONS[(self.state, what)]
        missed = [self.first] if verdict == MISSING and self.first is not None else []
        if timer == _START:
            self.deadline_ms = now_ms + self._within_ms
        elif timer == _STOP:
            self.deadline_ms = None
        if timer != _KEEP:
            self.first = person
        return missed
