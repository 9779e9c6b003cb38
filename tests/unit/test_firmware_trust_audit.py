"""`firmware.trust.audit`: whatever is done to a chain is found, and the first such record is named."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.trust import audit, chain, signing
from firmware.trust.audit import Finding, Journal

SEED = bytes(range(32))
KEY = signing.public_of(SEED)
LENGTH = 60
EVERY = 20  #: in these tests; the controller's own are further apart


def _signed(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "sig": signing.sign(fields, SEED)}


def _chain(length: int = LENGTH, every: int = EVERY, journal: str = "5f3a9c01") -> list[Any]:
    sign = chain.signer(_signed, "sunrise/c-01")
    events: list[dict[str, Any]] = []
    prev = chain.START
    for seq in range(1, length + 1):
        kind = "system.journal_started" if seq == 1 else "access.granted"
        event: dict[str, Any] = {"type": kind, "time": f"t{seq}", "credential": seq}
        event |= {"id": f"c-01:{journal}:{seq}", "journal": journal, "seq": seq}
        if seq % every == 0:
            event |= {"type": chain.CHECKPOINT, "upto": seq - 1, "head": prev}
            event |= sign(journal, seq - 1, prev, event["time"])
        chain.seal(event, prev)
        prev = event["hash"]
        events.append(event)
    return events


WHOLE = _chain()


def _judge(events: list[Any], key: bytes | None = KEY) -> Journal:
    (journal,) = audit.verify(events, key)
    return journal


def _first(events: list[Any], key: bytes | None = KEY) -> tuple[int, str]:
    found = _judge(events, key).findings
    assert found
    return found[0].seq, found[0].what


def _numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the numbers of their places, hashes as they were."""
    return [
        {**event, "seq": seq, "id": f"c-01:5f3a9c01:{seq}"} for seq, event in enumerate(events, 1)
    ]


def _rechained(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With numbers and hashes made anew: all that somebody without the key can do."""
    made = [dict(event) for event in _numbered(events)]
    prev = chain.START
    for event in made:
        if event["type"] == chain.CHECKPOINT:
            event |= {"upto": event["seq"] - 1, "head": prev}
        chain.seal(event, prev)
        prev = event["hash"]
    return made


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert _judge(WHOLE) == Journal("c-01", "5f3a9c01", 1, 60, 60, 3, 3, 59, [])
    assert _judge(WHOLE, None) == Journal("c-01", "5f3a9c01", 1, 60, 60, 3, 0, 0, [])


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_order_and_repetition_do_not_matter(seed: int) -> None:
    dice = random.Random(seed)
    events = WHOLE + dice.choices(WHOLE, k=30)
    dice.shuffle(events)
    assert _judge(events).findings == []


def test_it_may_begin_and_end_anywhere() -> None:
    told = _judge(WHOLE[17:45])
    assert (told.first, told.last, told.count, told.findings) == (18, 45, 28, [])


@given(st.integers(0, LENGTH - 1), st.sampled_from(["type", "time", "credential", "more", "prev"]))
@settings(deadline=None)
def test_a_change_is_found_where_it_is(place: int, field: str) -> None:
    events = [dict(event) for event in WHOLE]
    events[place][field] = "x"
    assert _first(events, None) == (place + 1, audit.CHANGED)


@given(st.integers(0, LENGTH - 2))
@settings(deadline=None)
def test_a_change_whose_hash_was_made_anew_is_found_where_it_is(place: int) -> None:
    events = [dict(event) for event in WHOLE]
    events[place]["credential"] = "x"
    chain.seal(events[place], events[place]["prev"])
    assert _first(events, None) == (place + 1, audit.CHANGED)


@given(st.integers(1, LENGTH - 2), st.booleans())
@settings(deadline=None)
def test_what_was_taken_out_is_found_where_it_was(place: int, numbered: bool) -> None:
    events = WHOLE[:place] + WHOLE[place + 1 :]
    if numbered:
        events = _numbered(events)
    assert _first(events, None) == (place + 1, audit.REMOVED)


@given(st.integers(1, LENGTH - 1), st.integers(1, 6))
@settings(deadline=None)
def test_several_that_were_taken_out_are_found_at_the_first(place: int, many: int) -> None:
    events = WHOLE[:place] + WHOLE[place + many :]
    if place + many < LENGTH:
        assert _judge(events, None).findings == [
            Finding(place + 1, audit.REMOVED, audit.GAP, place + many + 1)
        ]
    else:
        assert _judge(events, None).findings == []  # a chain cannot tell that it goes on


@given(st.integers(1, LENGTH - 1), st.sampled_from(["same number", "pushed on", "no hash"]))
@settings(deadline=None)
def test_what_was_put_in_is_found_where_it_stands(place: int, how: str) -> None:
    new = {**WHOLE[place], "type": "portal.released", "credential": 9}
    chain.seal(new, WHOLE[place - 1]["hash"])
    if how == "no hash":
        new["hash"] = "0" * 64
    if how == "same number":
        events = [*WHOLE[: place + 1], new, *WHOLE[place + 1 :]]
    else:
        events = _numbered([*WHOLE[:place], new, *WHOLE[place:]])
    assert _first(events, None) == (place + 1, audit.INSERTED)


@given(st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1))
@settings(deadline=None)
def test_a_record_that_was_doubled_is_found_where_the_second_stands(of: int, place: int) -> None:
    events = _numbered([*WHOLE[: place + 1], WHOLE[of], *WHOLE[place + 1 :]])
    # Of two that are the same and stand side by side the second is the copy.
    assert _first(events, None) == (place + 2 + (of == place + 1), audit.INSERTED)


@given(st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1))
@settings(deadline=None)
def test_two_that_changed_places_are_found_at_the_first(one: int, other: int) -> None:
    events = list(WHOLE)
    events[one], events[other] = events[other], events[one]
    if one == other:
        assert _judge(_numbered(events)).findings == []
    else:
        assert _first(_numbered(events), None) == (min(one, other) + 1, audit.CHANGED)


@given(st.integers(1, LENGTH - 2), st.sampled_from(["change", "remove", "insert"]))
@settings(deadline=None)
def test_a_chain_that_was_made_anew_is_betrayed_by_the_next_signature(place: int, how: str) -> None:
    events = [dict(event) for event in WHOLE]
    if how == "change":
        events[place]["credential"] = "x"
    elif how == "remove":
        del events[place]
    else:
        events.insert(place, {**WHOLE[1], "credential": "x"})
    made = _rechained(events)
    assert _judge(made, None).findings == []  # without the key nobody can know
    found = _judge(made).findings
    # The checkpoint before; what it vouches for ends before it.
    last_good = (place + (how == "change")) // EVERY * EVERY
    assert found[0].what == audit.CHANGED
    assert found[0].why == audit.SIGNATURE
    assert found[0].seq == max(1, last_good)
    assert found[0].seq <= place + 1 <= found[0].other


@pytest.mark.parametrize("place", [0, 20, 33, 44])
def test_a_chain_made_anew_around_checkpoints_that_were_left_is_told_from_the_last_good_one(
    place: int,
) -> None:
    events = [dict(event) for event in WHOLE]
    events[place]["credential"] = "x"
    for before, event in zip(events[place:], events[place + 1 :], strict=False):
        if before is events[place]:
            chain.seal(before, before["prev"])
        chain.seal(event, before["hash"])  # its `head` and its signature are the controller's
    found = _judge(events).findings[0]
    assert (found.what, found.why) == (audit.CHANGED, audit.SIGNATURE)
    assert found.seq == max(1, place // EVERY * EVERY)
    assert found.seq <= place + 1 < found.other == (place // EVERY + 1) * EVERY


def test_the_key_of_another_vouches_for_nothing() -> None:
    other = signing.public_of(bytes(32))
    assert _judge(WHOLE, other).findings[0] == Finding(1, audit.CHANGED, audit.SIGNATURE, 20)
    assert _judge(WHOLE, other).signed == 0


def test_a_checkpoint_of_another_controller_or_journal_does_not_count() -> None:
    for field, value in (("controller", "sunrise/c-02"), ("journal", "00000000")):
        events = [dict(event) for event in WHOLE]
        said = {"controller": "sunrise/c-01", "journal": "5f3a9c01", field: value}
        event = events[19]
        said |= {"upto": event["upto"], "head": event["head"], "time": event["time"]}
        event |= {"controller": said["controller"], "sig": signing.sign(said, SEED)}
        prev = event["prev"]
        for made in events[19:]:
            chain.seal(made, prev)
            prev = made["hash"]
        assert audit.SIGNATURE in [found.why for found in _judge(events).findings]


def test_too_many_records_without_a_checkpoint_are_told_where_a_key_is_given() -> None:
    events = _chain(1700, every=1000)
    assert _judge(events).findings == []
    events = _chain(1700, every=1001)
    assert _judge(events).findings == [Finding(1, audit.UNSIGNED, audit.SELDOM, 1000)]
    assert _judge(events, None).findings == []


@pytest.mark.parametrize("checkpoint", [20, 40])
@pytest.mark.parametrize("field", ["time", "sig", "controller", "upto", "head", "type", "prev"])
def test_a_checkpoint_that_was_changed_itself_is_named(checkpoint: int, field: str) -> None:
    events = [dict(event) for event in WHOLE]
    events[checkpoint - 1][field] = "x"
    told = _judge(events)
    assert told.findings[0] == Finding(checkpoint, audit.CHANGED, audit.HASH)
    # What is before it could have been made anew, too.
    assert told.upto == (0 if checkpoint == 20 else 19)
    unsigned = Finding(told.upto + 1, audit.UNSIGNED, audit.SPOILT, checkpoint)
    assert told.findings[1:] == ([] if field == "type" else [unsigned])


def test_a_checkpoint_that_was_changed_with_its_hash_is_named_too() -> None:
    events = [dict(event) for event in WHOLE]
    events[39]["time"] = "x"
    chain.seal(events[39], events[39]["prev"])
    assert _judge(events).findings == [
        Finding(40, audit.CHANGED, audit.NAMED, 41),
        Finding(20, audit.UNSIGNED, audit.SPOILT, 40),
    ]


@pytest.mark.parametrize("how", ["removed", "type", "inserted"])
def test_what_was_done_is_told_before_what_nobody_vouches_for(how: str) -> None:
    events = [dict(event) for event in _chain(2500, every=1000)]
    if how == "removed":
        del events[1999]
        first = Finding(2000, audit.REMOVED, audit.GAP, 2001)
    elif how == "type":
        events[1999]["type"] = "portal.opened"
        first = Finding(2000, audit.CHANGED, audit.HASH)
    else:
        events.insert(1499, {**events[10], "seq": 1500, "prev": events[1498]["hash"]})
        chain.seal(events[1499], events[1498]["hash"])
        events = _numbered(events)
        first = Finding(1500, audit.INSERTED, audit.HASH)
    findings = _judge(events).findings
    assert findings[0] == first, findings
    assert findings[-1].what == audit.UNSIGNED


def test_a_checkpoint_that_names_another_head_was_changed() -> None:
    events = [dict(event) for event in WHOLE]
    events[59]["upto"] = 7
    chain.seal(events[59], events[59]["prev"])
    assert Finding(60, audit.CHANGED, audit.HEAD) in _judge(events, None).findings


def test_a_journal_that_names_one_before_its_first_was_changed() -> None:
    event = dict(WHOLE[0])
    chain.seal(event, "1" * 64)
    assert _judge([event]).findings == [Finding(1, audit.CHANGED, audit.START)]


def test_the_next_journal_tells_how_far_the_one_before_went() -> None:
    new = _chain(3, 9, "00000002")
    new[0]["previous"] = {"journal": "5f3a9c01", "seq": 60}
    prev = chain.START
    for event in new:
        chain.seal(event, prev)
        prev = event["hash"]
    assert [told.findings for told in audit.verify(new + WHOLE)] == [[], []]
    (_, cut) = audit.verify(new + WHOLE[:58])
    assert cut.findings == [Finding(59, audit.REMOVED, audit.END, 60)]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"journal": 3, "seq": 1},
        {"journal": "a", "seq": True},
        {"journal": "a", "seq": -1},
        {"journal": "a", "seq": "1"},
    ],
)
def test_what_is_no_event_is_none(event: dict[str, Any]) -> None:
    assert audit.verify([event]) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
    st.sampled_from(
        ["id", "prev", "hash", "type", "upto", "head", "sig", "controller", "previous"]
    ),
)
@settings(deadline=None)
def test_whatever_stands_in_a_record_it_is_judged(value: Any, field: str) -> None:
    events = [dict(event) for event in WHOLE[:25]]
    events[0][field] = value
    events[19][field] = value
    assert audit.verify(events, KEY)


@pytest.mark.parametrize("number", [6.0, "6", 0, -1, True, None])
def test_a_record_without_a_number_is_inserted_whatever_stands_there(number: object) -> None:
    forged = {**WHOLE[5], "credential": 1, "seq": number}
    found = _judge([*WHOLE, forged])
    assert found.findings == [Finding(0, audit.INSERTED, audit.NUMBER)]
    del forged["seq"]
    assert _judge([forged, *WHOLE]).findings == [Finding(0, audit.INSERTED, audit.NUMBER)]


def test_what_is_no_record_is_passed_over() -> None:
    status = {"state": "online", "journal": "5f3a9c01", "boot": 1}
    assert _judge([status, *WHOLE]).findings == []
