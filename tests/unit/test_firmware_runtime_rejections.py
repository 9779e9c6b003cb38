# portable
"""`firmware.runtime.rejections`: which refusals have a record of their own."""

from firmware.runtime.rejections import MINUTE_MS, QUIET_MS, SINGLY, Rejections

ID = "0123456789abcdef0123456789abcdef"


def test_twenty_of_a_minute_have_their_own_record_and_the_rest_one_together() -> None:
    rejections = Rejections()
    for at in range(100):
        made = rejections.add(1000 + at, "expired", ID, "portal.release", "op-ling")
        assert len(made) == (1 if at < SINGLY else 0)
        for one in made:
            assert (one.type, one.at_ms) == ("command.rejected", 1000 + at)
            expected = {"command": ID, "op": "portal.release", "by": "op-ling", "reason": "expired"}
            assert one.fields == expected
    assert rejections.deadline_ms == 1099 + QUIET_MS
    assert rejections.tick(1098 + QUIET_MS) == []
    (last,) = rejections.tick(1099 + QUIET_MS)
    told = {"op": "portal.release", "by": "op-ling", "reason": "expired", "count": 80}
    assert last.fields == told
    assert rejections.deadline_ms == 1000 + MINUTE_MS
    assert rejections.tick(1000 + MINUTE_MS) == []
    assert rejections.deadline_ms is None
    assert rejections.tick(5000 + MINUTE_MS) == []


def test_a_flood_that_does_not_stop_is_told_once_a_minute() -> None:
    rejections = Rejections()
    counts = []
    for at_ms in range(0, 2 * MINUTE_MS, QUIET_MS // 5):
        for one in rejections.tick(at_ms) + rejections.add(at_ms, "expired", None, None, None):
            counts.append(one.fields.get("count", 1))
    assert counts == [1] * SINGLY + [40] + [1] * SINGLY
    (rest,) = rejections.flush(2 * MINUTE_MS)
    assert rest.fields["count"] == 40


def test_what_comes_after_the_rest_was_told_is_not_told_singly_and_not_lost() -> None:
    rejections = Rejections()
    for at in range(SINGLY + 3):
        rejections.add(at, "expired", None, None, None)
    (rest,) = rejections.tick(SINGLY + 2 + QUIET_MS)
    assert rest.fields["count"] == 3
    assert rejections.add(30_000, "role", None, None, None) == []
    assert rejections.deadline_ms == 30_000 + QUIET_MS
    (rest,) = rejections.tick(MINUTE_MS)
    assert rest.fields == {"reason": "role", "count": 1}


def test_a_new_minute_begins_with_the_next_refusal() -> None:
    rejections = Rejections()
    for at in range(SINGLY + 1):
        rejections.add(at, "expired", None, None, None)
    made = rejections.add(MINUTE_MS, "role", None, None, None)
    assert [one.fields for one in made] == [{"reason": "expired", "count": 1}, {"reason": "role"}]


def test_the_rest_tells_only_what_it_has_in_common() -> None:
    rejections = Rejections()
    for at in range(SINGLY):
        rejections.add(at, "expired", None, None, None)
    rejections.add(30, "expired", ID, "portal.release", "op-ling")
    rejections.add(31, "expired", ID, "portal.mode", "op-ling")
    rejections.add(32, "expired", ID, "portal.release", "op-ling")
    (rest,) = rejections.flush(40)
    assert rest.fields == {"reason": "expired", "by": "op-ling", "count": 3}
    assert rejections.flush(41) == []


def test_nothing_of_a_stranger_is_repeated_but_what_can_only_be_a_name() -> None:
    rejections = Rejections()
    for command, op, by in (
        (ID + "0", "door.explode", "Op Ling"),
        (ID[:-1] + "G", "portal.release ", "x" * 33),
        (ID[:-1] + "A", ["portal.release"], ["op-ling"]),
        (7, {"op": 1}, 7),
        (None, None, None),
        (ID[:-1] + "\n", "", ""),
    ):
        (made,) = rejections.add(0, "bad_command", command, op, by)
        assert made.fields == {"reason": "bad_command"}
    (made,) = rejections.add(0, "role", ID, "stored", "host-1")
    assert made.fields == {"command": ID, "op": "stored", "by": "host-1", "reason": "role"}
