# portable
"""`firmware.runtime.rejections`: which refusals have a record of their own."""

from firmware.access.record import Keep, Record
from firmware.runtime.rejections import AHEAD, EXACT, KEPT, MINUTE_MS, QUIET_MS, SINGLY, Rejections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ID = "0123456789abcdef0123456789abcdef"


def records(made: "list[Any]") -> "list[Any]":
    return [one for one in made if isinstance(one, Record)]


def keep(kept: "dict[str, Any]", made: "list[Any]") -> int:
    """Keep what is to be kept, as a journal would; how often it had to be written."""
    keeps = [one for one in made if isinstance(one, Keep)]
    for one in keeps:
        kept[one.key] = one.value
    return len(keeps)


def test_twenty_of_a_minute_have_their_own_record_and_the_rest_one_together() -> None:
    rejections = Rejections({}, 0)
    for at in range(100):
        made = records(rejections.add(1000 + at, "expired", ID, "portal.release", "op-ling"))
        assert len(made) == (1 if at < SINGLY else 0)
        for one in made:
            assert (one.type, one.at_ms) == ("command.rejected", 1000 + at)
            expected = {"command": ID, "op": "portal.release", "by": "op-ling", "reason": "expired"}
            assert one.fields == expected
    assert rejections.deadline_ms == 1099 + QUIET_MS
    assert rejections.tick(1098 + QUIET_MS) == []
    (last,) = records(rejections.tick(1099 + QUIET_MS))
    told = {"op": "portal.release", "by": "op-ling", "reason": "expired", "count": 80}
    assert last.fields == told
    assert rejections.deadline_ms == 1000 + MINUTE_MS
    assert rejections.tick(1000 + MINUTE_MS) == []
    assert rejections.deadline_ms is None
    assert rejections.tick(5000 + MINUTE_MS) == []


def test_a_flood_that_does_not_stop_is_told_once_a_minute() -> None:
    rejections = Rejections({}, 0)
    counts = []
    for at_ms in range(0, 2 * MINUTE_MS, QUIET_MS // 5):
        made = rejections.tick(at_ms) + rejections.add(at_ms, "expired", None, None, None)
        for one in records(made):
            counts.append(one.fields.get("count", 1))
    assert counts == [1] * SINGLY + [40] + [1] * SINGLY
    (rest,) = records(rejections.flush(2 * MINUTE_MS))
    assert rest.fields["count"] == 40


def test_what_comes_after_the_rest_was_told_is_not_told_singly_and_not_lost() -> None:
    rejections = Rejections({}, 0)
    for at in range(SINGLY + 3):
        rejections.add(at, "expired", None, None, None)
    (rest,) = records(rejections.tick(SINGLY + 2 + QUIET_MS))
    assert rest.fields["count"] == 3
    assert records(rejections.add(30_000, "role", None, None, None)) == []
    assert rejections.deadline_ms == 30_000 + QUIET_MS
    (rest,) = records(rejections.tick(MINUTE_MS))
    assert rest.fields == {"reason": "role", "count": 1}


def test_a_new_minute_begins_with_the_next_refusal() -> None:
    rejections = Rejections({}, 0)
    for at in range(SINGLY + 1):
        rejections.add(at, "expired", None, None, None)
    made = records(rejections.add(MINUTE_MS, "role", None, None, None))
    assert [one.fields for one in made] == [{"reason": "expired", "count": 1}, {"reason": "role"}]


def test_the_rest_tells_only_what_it_has_in_common() -> None:
    rejections = Rejections({}, 0)
    for at in range(SINGLY):
        rejections.add(at, "expired", None, None, None)
    rejections.add(30, "expired", ID, "portal.release", "op-ling")
    rejections.add(31, "expired", ID, "portal.mode", "op-ling")
    rejections.add(32, "expired", ID, "portal.release", "op-ling")
    (rest,) = records(rejections.flush(40))
    assert rest.fields == {"reason": "expired", "by": "op-ling", "count": 3}
    assert rejections.flush(41) == []


def test_nothing_of_a_stranger_is_repeated_but_what_can_only_be_a_name() -> None:
    rejections = Rejections({}, 0)
    for command, op, by in (
        (ID + "0", "door.explode", "Op Ling"),
        (ID[:-1] + "G", "portal.release ", "x" * 33),
        (ID[:-1] + "A", ["portal.release"], ["op-ling"]),
        (7, {"op": 1}, 7),
        (None, None, None),
        (ID[:-1] + "\n", "", ""),
    ):
        (made,) = records(rejections.add(0, "bad_command", command, op, by))
        assert made.fields == {"reason": "bad_command"}
    (made,) = records(rejections.add(0, "role", ID, "stored", "host-1"))
    assert made.fields == {"command": ID, "op": "stored", "by": "host-1", "reason": "role"}


def test_whoever_is_killed_at_any_moment_tells_all_after_the_next_start() -> None:
    kept: dict[str, Any] = {}
    rejections = Rejections(kept, 0)
    singly = written = 0
    for at in range(1, 1001):
        made = rejections.add(at, "expired", None, "portal.release", "op-ling")
        singly += len(records(made))
        written += keep(kept, made)
        after = Rejections(kept, 50_000)
        rest = records(after.tick(50_000 + QUIET_MS))
        counted = sum(one.fields["count"] for one in rest)
        assert at <= singly + counted < at + AHEAD
        if at <= SINGLY + EXACT:
            assert singly + counted == at
        for one in rest:
            assert (one.fields["reason"], one.fields["by"]) == ("expired", "op-ling")
    assert singly == SINGLY
    assert written <= EXACT + (1000 - SINGLY - EXACT) // AHEAD + 1


def test_what_is_told_is_kept_no_longer_and_a_start_tells_it_once() -> None:
    kept: dict[str, Any] = {}
    rejections = Rejections(kept, 0)
    for at in range(SINGLY + 3):
        keep(kept, rejections.add(at, "expired", None, None, None))
    after = Rejections(kept, 0)
    assert after.deadline_ms == QUIET_MS
    made = after.tick(QUIET_MS)
    assert [one.fields for one in records(made)] == [{"reason": "expired", "count": 3}]
    keep(kept, made)
    assert kept == {KEPT: None}
    assert Rejections(kept, 0).deadline_ms is None


def test_what_is_kept_says_no_more_than_all_have_in_common() -> None:
    kept: dict[str, Any] = {}
    rejections = Rejections(kept, 0)
    for at in range(SINGLY + EXACT + 1):
        keep(kept, rejections.add(at, "expired", None, None, "op-ling"))
    keep(kept, rejections.add(900, "role", None, None, "op-ling"))
    assert kept[KEPT]["reason"] is None
    assert kept[KEPT]["by"] == "op-ling"


def test_a_kept_count_that_is_broken_is_passed_over() -> None:
    several: list[Any] = [7, [], {}, {"count": "7"}, {"count": 0}, {"count": -3}]
    for broken in several:
        assert Rejections({KEPT: broken}, 0).deadline_ms is None
