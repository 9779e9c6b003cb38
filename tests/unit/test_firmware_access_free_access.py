# portable
"""`firmware.access.free_access`: when it unlocks, whom it waits for, what it leaves alone."""

from firmware.access import schedule
from firmware.access.credential import Moment, Rights
from firmware.access.free_access import (
    AWAITING,
    BY_HAND,
    CAME,
    CLEAR,
    DUE,
    ENDED,
    FREE,
    HINDERED,
    HOLDS,
    HOLDS_CLOSED,
    LEFT,
    LOCK,
    OUTSIDE,
    UNLOCK,
    FreeAccess,
    Rules,
)

DAY_S = 20000 * 86400
RIGHTS = Rights({}, {"day": schedule.parse("daily 08:00-12:00")}, [], False, False)


def at(hour: int, second: int = 0, ms: int = 0, trusted: bool = True) -> Moment:
    local_s = DAY_S + hour * 3600 + second
    return Moment(ms, local_s, local_s, trusted)


def free(first_card: bool = False) -> FreeAccess:
    return FreeAccess(Rules("day", first_card, 3600000, None))


def test_it_unlocks_in_its_hours_and_locks_at_their_end() -> None:
    one = free()
    assert [one.handle(what) for what in (HOLDS, CLEAR)] == [None, UNLOCK]
    assert one.state == FREE
    assert one.handle(ENDED) == LOCK
    assert one.state == OUTSIDE


def test_it_waits_for_somebody_where_it_has_to() -> None:
    one = free(True)
    assert [one.handle(what) for what in (HOLDS_CLOSED, CLEAR, CAME)] == [None, None, None]
    assert one.state == DUE
    assert one.handle(CLEAR) == UNLOCK


def test_a_mode_set_by_hand_is_left_alone_until_the_hours_end() -> None:
    for before in ((HOLDS_CLOSED,), (HOLDS,), (HOLDS, CLEAR)):
        one = free()
        for what in before:
            one.handle(what)
        for what in (BY_HAND, HOLDS, CAME, CLEAR):
            assert one.handle(what) is None
            assert one.state == LEFT
        assert one.handle(ENDED) is None
        assert one.handle(HOLDS) is None
        assert one.handle(CLEAR) == UNLOCK


def test_a_door_of_its_group_that_stands_open_after_a_restart_makes_it_wait() -> None:
    one = free()
    one.restore([FREE, None])
    assert one.handle(HINDERED) == LOCK
    assert one.state == DUE


def test_what_the_schedule_says_is_asked_once_a_second_and_at_the_edges() -> None:
    one = free()
    assert one.look(RIGHTS, at(7, 3598, 0)) == ENDED
    assert one.deadline_ms == 1000
    assert one.look(RIGHTS, at(7, 3598, 500)) is None
    assert one.look(RIGHTS, at(7, 3599, 1000)) == ENDED
    assert one.deadline_ms == 1050  # the second has begun at some time that is not known
    assert one.look(RIGHTS, at(7, 3599, 1050)) == ENDED
    assert one.look(RIGHTS, at(8, 0, 1100)) == HOLDS
    assert one.deadline_ms == 1100 + 4 * 3600000 - 1000
    assert one.look(RIGHTS, at(12)) == ENDED


def test_a_time_that_is_not_trusted_is_outside() -> None:
    assert free().look(RIGHTS, at(9, trusted=False)) == ENDED


def test_hours_that_are_not_known_never_hold() -> None:
    assert free().look(Rights({}, {}, [], False, False), at(9)) == ENDED


def test_somebody_who_came_shortly_before_the_hours_counts() -> None:
    one = free(True)
    assert one.look(RIGHTS, at(8)) == HOLDS_CLOSED
    one.came_s = at(7, 1).utc_s
    assert one.look(RIGHTS, at(8, 0, 50)) is None
    assert one.look(RIGHTS, at(8, 1)) == HOLDS
    assert one.look(RIGHTS, at(8, 2)) == HOLDS_CLOSED
    assert one.look(RIGHTS, at(6)) == ENDED


def test_it_goes_on_after_a_restart() -> None:
    one = free(True)
    assert one.kept is None
    one.handle(HOLDS_CLOSED)
    one.came_s = 5
    other = free(True)
    other.restore(one.kept)
    assert (other.state, other.came_s) == (AWAITING, 5)
    other.restore(["no such state", 1])
    assert other.state == AWAITING
