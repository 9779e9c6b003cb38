"""What a shortest story expects, so that it is a test as it stands: of a law, the part that can be said so.

Read from what the breach tells; laws that need the whole of the checker's books have none.
"""

import re
from typing import Any

from sim.soak.story import Tables

BOLT_MS = 60  #: from a lock's line to what can be seen of it, at most

_OUT = re.compile(r"(?P<portal>[^ :]+): not released (?P<ms>\d+) ms after (?P<at>\d+) ms")
_BURNS = re.compile(r"(?P<portal>[^ :]+): locked while it burns")
_TOLD = re.compile(r"(?P<point>[^ :]+): (?:forced|opened|open since) ")
_GRANTED = re.compile(r"(?P<access_point>[^ :]+): .* granted at (?P<at>\d+) ms")
_ACCEPTED = re.compile(r"(?P<op>[^ :]+) at (?P<at>\d+) ms: accepted")
_RELEASED = re.compile(r"(?P<portal>[^ :]+): released by (?P<cause>\w+) at (?P<at>\d+) ms")

#: What a law begins with: how its text reads, and what must not be (an event's type) or what must.
_NEVER = (
    ("5 ", _GRANTED, "access.granted"),
    ("2 ", _GRANTED, "access.granted"),
    ("2 cause", _RELEASED, "portal.released"),
    ("6 ", _ACCEPTED, "command.accepted"),
)
_CLASSES = {"4 forced": "door_forced", "4 tamper": "tamper"}


def of(law: str, at_ms: int, text: str) -> Tables:
    """The tables of expectations that say of `law`, broken at `at_ms`, what is right; {} where none can."""
    if law == "1 egress":
        found = _OUT.match(text)
        if found:
            out: dict[str, Any] = {"type": "portal.released", "portal": found["portal"]}
            out.update(after_ms=int(found["at"]), within_ms=int(found["ms"]))
            return {"expect": [out], "end_ms": at_ms + 1}
    if law == "1 fire":
        found = _BURNS.match(text)
        if found:
            look = {"at_ms": at_ms + BOLT_MS, "portal": found["portal"], "lock": "unlocked"}
            return {"expect_world": [look], "end_ms": at_ms + BOLT_MS + 1}
    if law in ("4 forced", "4 tamper", "4 held"):
        found = _TOLD.match(text)
        if found:
            told = {"type": "alarm.raised", "point": found["point"]}
            if law in _CLASSES:
                told["class"] = _CLASSES[law]
            return {"expect": [told], "end_ms": at_ms + 1}
    for begins, reads, kind in _NEVER:
        found = reads.match(text)
        if law.startswith(begins) and found:
            fields: dict[str, Any] = found.groupdict()
            at = int(fields.pop("at"))
            never = {"type": kind, **fields, "after_ms": at, "before_ms": at}
            return {"expect_not": [never], "end_ms": at_ms + 1}
    return {}


def added(tables: Tables, law: str, at_ms: int, text: str) -> Tables:
    """`tables` with what is expected of them, told at least to the time of that."""
    more = of(law, at_ms, text)
    end_ms = max(int(tables["end_ms"]), int(more.get("end_ms", 0)))
    return {**tables, **more, "end_ms": end_ms}
