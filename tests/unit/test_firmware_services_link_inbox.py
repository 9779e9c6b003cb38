"""`firmware.services.link_inbox`: bounded, one of a topic at a time, acknowledged when it was dealt with."""

import base64

from firmware.services.link_inbox import (
    BURST,
    DEALT,
    HELD,
    HELD_BYTES,
    HELD_MOST,
    NEVER_MS,
    PER_SECOND,
    Inbox,
)

NOW_MS = 1_000_000


def _add(inbox: Inbox, number: int, topic: str = "command", payload: bytes = b"{}") -> bool:
    return inbox.add(number, topic, payload, False, len(payload))


def test_one_message_of_each_topic_is_with_the_door_until_it_was_heard() -> None:
    inbox = Inbox()
    for number in (1, 2):
        _add(inbox, number)
        _add(inbox, number + 10, "stored")
    first = inbox.give(NOW_MS)
    assert [(m["token"], m["topic"]) for m in first] == [(1, "command"), (2, "stored")]
    assert inbox.give(NOW_MS) == []
    assert inbox.heard(1) == 1
    assert inbox.heard(1) == 0  # said twice
    assert [(m["token"], m["topic"]) for m in inbox.give(NOW_MS)] == [(3, "command")]
    assert inbox.heard(2) == 11
    assert inbox.heard(3) == 2


def test_what_came_on_a_lost_connection_is_not_acknowledged_on_the_next() -> None:
    inbox = Inbox()
    _add(inbox, 1)
    _add(inbox, 2)
    inbox.give(NOW_MS)
    inbox.lost()
    _add(inbox, 1)  # the broker counts anew
    assert inbox.give(NOW_MS) == []  # the door still has the first one
    assert inbox.heard(1) == 0
    assert len(inbox.give(NOW_MS)) == 1
    assert inbox.heard(2) == 1


def test_a_message_that_is_sent_again_before_its_answer_is_held_once() -> None:
    inbox = Inbox()
    assert _add(inbox, 7)
    assert _add(inbox, 7)
    assert len(inbox.give(NOW_MS)) == 1
    assert _add(inbox, 7)
    assert inbox.heard(1) == 7
    assert inbox.give(NOW_MS) == []


def test_it_is_full_by_count_and_by_size_and_takes_of_qos_0_only_a_few() -> None:
    inbox = Inbox()
    assert [_add(inbox, 0) for _ in range(HELD + 1)] == [True] * HELD + [False]
    for number in range(1, HELD_MOST - HELD):
        _add(inbox, number)
    assert not inbox.full
    _add(inbox, HELD_MOST)
    assert inbox.full
    heavy = Inbox()
    payload = b'"%s"' % (b"x" * 200_000)
    for number in range(1, HELD_BYTES // len(base64.b64encode(payload)) + 2):
        assert not heavy.full
        _add(heavy, number, payload=b'{"a":%s}' % payload)
    assert heavy.full
    heavy.lost()
    assert not heavy.full


def test_a_burst_goes_at_once_and_then_so_many_a_second() -> None:
    inbox = Inbox()
    now_ms = NOW_MS
    given = 0
    while now_ms < NOW_MS + 10_000:
        _add(inbox, 0)
        wait_ms = inbox.wait_ms(now_ms)
        assert wait_ms <= 1000 // PER_SECOND
        now_ms += wait_ms
        for message in inbox.give(now_ms):
            given += 1
            inbox.heard(message["token"])
    assert given in range(BURST + 10 * PER_SECOND - 1, BURST + 10 * PER_SECOND + 2)
    _add(inbox, 0)
    assert inbox.give(now_ms) == []
    assert inbox.wait_ms(now_ms) > 0
    assert len(inbox.give(now_ms + inbox.wait_ms(now_ms))) == 1
    assert inbox.wait_ms(now_ms) == NEVER_MS  # nothing waits


def test_garbage_and_what_is_too_long_are_a_flaw_without_their_payload() -> None:
    inbox = Inbox()
    for number, (payload, length) in enumerate(
        ((b'{"a":1,"a":2}', 13), (b"\xff", 1), (b'{"cut":"', 9_000_000), (b"{}", 2)), 1
    ):
        inbox.add(number, "command", payload, False, length)
    came = []
    for _ in range(4):
        (message,) = inbox.give(NOW_MS)
        came.append((message["payload"], message["flaw"]))
        inbox.heard(message["token"])
    assert [payload for payload, _ in came] == ["", "", "", "e30="]
    assert came[2][1] == "too_long"
    assert all(flaw for _, flaw in came[:3])
    assert came[3][1] == ""


def test_what_the_broker_keeps_is_told_once_however_often_it_is_subscribed() -> None:
    inbox = Inbox()
    assert inbox.add(1, "command", b"{}", True, 2)
    assert not inbox.add(2, "command", b"{}", True, 2)
    assert inbox.add(3, "command", b'{"other":1}', True, 11)
    assert inbox.add(4, "stored", b"{}", True, 2)
    assert inbox.add(5, "command", b"{}", False, 2)  # sent, not kept: another matter


JUNK = b"\xff"


def _deal(inbox: Inbox, number: int, payload: bytes = b"{}", again: bool = False) -> list[bool]:
    """Have it come and be dealt with: whether the door was told, and that it came before."""
    inbox.add(number, "command", payload, False, len(payload), again)
    given = inbox.give(NOW_MS)
    for message in given:
        assert inbox.heard(message["token"]) == number
    return [message["again"] for message in given]


def test_what_was_dealt_with_and_comes_again_is_acknowledged_and_told_no_second_time() -> None:
    inbox = Inbox()
    assert _deal(inbox, 7) == [False]
    assert not inbox.add(7, "command", b"{}", False, 2, again=True)
    assert inbox.give(NOW_MS) == []


def test_the_same_words_sent_twice_are_two_messages_whatever_comes_again() -> None:
    inbox = Inbox()
    for number in (7, 8, 7):  # the broker gives a number again once it is free
        assert _deal(inbox, number) == [False]
    for number in (7, 8):
        assert _deal(inbox, number, again=True) == []
    assert _deal(inbox, 9, again=True) == [True]  # never dealt with here: the door is told
    assert _deal(inbox, 7, b'{"a":1}', again=True) == [True]  # the number of another one


def test_on_the_next_connection_too_the_same_message_is_told_once_and_another_one_is_told() -> None:
    inbox = Inbox()
    for number, payload in ((1, JUNK), (2, b"{}"), (3, b"{}")):
        _deal(inbox, number, payload)
    for number in (4, 5):  # the same words, and on their way when the connection breaks
        inbox.add(number, "command", JUNK, False, 1)
    (with_door,) = inbox.give(NOW_MS)
    inbox.lost()
    assert inbox.heard(with_door["token"]) == 0  # its answer reaches nobody
    for number, payload in ((1, JUNK), (2, b"{}"), (3, b"{}")):
        assert _deal(inbox, number, payload, again=True) == []
    for number in (4, 5):
        assert _deal(inbox, number, JUNK, again=True) == [True]
    assert _deal(inbox, 1, JUNK) == [False]  # sent anew


def test_only_the_newest_are_known_as_dealt_with() -> None:
    inbox = Inbox()
    for number in range(1, DEALT + 3):
        inbox.add(number, "stored", JUNK + b"%d" % number, False, 9)
        (given,) = inbox.give(NOW_MS + 1000 * number)
        inbox.heard(given["token"])
    assert not inbox.add(3, "stored", JUNK + b"3", False, 9, again=True)
    assert inbox.add(1, "stored", JUNK + b"1", False, 9, again=True)


def test_a_flood_of_one_topic_does_not_keep_the_other_from_the_door() -> None:
    inbox = Inbox()
    for number in range(1, BURST + 101):
        inbox.add(number, "command", b"{}", False, 2)
    for _ in range(BURST):
        (given,) = inbox.give(NOW_MS)
        inbox.heard(given["token"])
    for number in range(2000, 2100):
        inbox.add(number, "stored", b"{}", False, 2)
    topics = []
    for step in range(1, 9):
        (given,) = inbox.give(NOW_MS + step * 1000 // PER_SECOND)
        topics.append(given["topic"])
        inbox.heard(given["token"])
    assert sorted(topics) == ["command"] * 4 + ["stored"] * 4
