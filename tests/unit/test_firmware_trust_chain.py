"""`firmware.trust.chain`: nothing vanishes, changes or moves unseen."""

import copy
import hashlib
import json
from typing import Any

import pytest
import rfc8785

from firmware.trust import chain


def _events(count: int = 5) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    prev = chain.START
    for seq in range(1, count + 1):
        event = {"journal": "5f3a9c01", "seq": seq, "type": "access.granted", "note": "é"}
        chain.seal(event, prev)
        prev = str(event["hash"])
        events.append(event)
    return events


def test_the_hash_is_that_of_the_canonical_event_without_its_hash() -> None:
    event = _events(1)[0]
    bare = {key: value for key, value in event.items() if key != "hash"}
    assert event["hash"] == hashlib.sha256(rfc8785.dumps(bare)).hexdigest()
    assert chain.hash_of(event) == event["hash"]
    assert event["prev"] == "0" * 64


def test_the_text_of_a_sealed_event_is_the_event() -> None:
    event = {"journal": "j", "seq": 1, "text": 'a "quoted" \n é', "hash": "old", "prev": "old"}
    assert json.loads(chain.seal(event, chain.START)) == event
    assert chain.verify([event]) == (True, None, "")


def test_a_whole_chain_holds_from_wherever_it_is_read() -> None:
    events = _events()
    assert chain.verify([]) == (True, None, "")
    for start in range(5):
        for end in range(start, 6):
            assert chain.verify(events[start:end]) == (True, None, "")


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (lambda e: e[2].update(type="access.denied"), (3, "does not match its hash")),
        (lambda e: e.pop(2), (4, "expected seq 3")),
        (lambda e: e.insert(2, copy.deepcopy(e[1])), (2, "expected seq 3")),
        (lambda e: e[3].update(journal="00000000"), (4, "is of another journal")),
        (
            lambda e: chain.seal(e[2], chain.START),
            (3, "does not name the hash of the event before"),
        ),
        (lambda e: chain.seal(e[2], e[1]["hash"]) and chain.seal(e[1], e[0]["hash"]), None),
        (lambda e: chain.seal(e[0], "1" * 64), (1, "is a journal's first but names one before")),
        (lambda e: e[1].pop("seq"), (None, "carries no seq")),
        (lambda e: e[1].pop("hash"), (2, "does not match its hash")),
        (lambda e: e[1].update(odd=object()), (2, "has no canonical form")),
    ],
)
def test_what_was_done_to_a_chain_is_found_where_it_was_done(do: Any, expected: Any) -> None:
    events = _events()
    do(events)
    found = chain.verify(events)
    assert found == ((True, None, "") if expected is None else (False, *expected))


def test_a_later_event_that_is_sealed_anew_is_found_by_the_one_behind_it() -> None:
    events = _events()
    events[2]["type"] = "access.denied"
    chain.seal(events[2], events[1]["hash"])
    assert chain.verify(events) == (False, 4, "does not name the hash of the event before")
