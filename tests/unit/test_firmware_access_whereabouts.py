# portable
"""`firmware.access.whereabouts`: who is inside, what that forbids, and when it is forgiven."""

from firmware.access import record
from firmware.access.credential import Moment
from firmware.access.record import Keep
from firmware.access.whereabouts import (
    HARD,
    IN,
    NO_RULES,
    OFF,
    OUT,
    SOFT,
    TIMED,
    AreaRules,
    Whereabouts,
)

DAY_S = 86400
NOON_S = 20000 * DAY_S + 12 * 3600


def at(ms: int, trusted: bool = True) -> Moment:
    return Moment(ms, NOON_S + ms // 1000, NOON_S + ms // 1000, trusted)


def yard(rules: AreaRules = NO_RULES, most: int = 100) -> Whereabouts:
    return Whereabouts({"yard": rules}, most)


def breaks(areas: Whereabouts, direction: str, mode: str = HARD, ms: int = 0) -> bool:
    return areas.violates("yard", "h1", direction, mode, 60000, ms)


def forgiven(effects: "list[object]") -> "list[object]":
    return [one.fields for one in effects if isinstance(one, record.Record)]


def test_whoever_was_never_seen_is_outside() -> None:
    areas = yard()
    assert [breaks(areas, OUT, mode) for mode in (HARD, SOFT, TIMED, OFF)] == [
        True,
        True,
        False,
        False,
    ]
    assert not breaks(areas, IN)


def test_who_went_in_cannot_go_in_and_can_go_out() -> None:
    areas = yard()
    assert areas.passed("yard", "h1", IN, at(1000)) == [Keep("in/yard/h1", [1, NOON_S + 1])]
    assert (breaks(areas, IN), breaks(areas, OUT)) == (True, False)
    assert areas.passed("yard", "h1", OUT, at(2000)) == [Keep("in/yard/h1", [0, NOON_S + 2])]
    assert (breaks(areas, IN), breaks(areas, OUT)) == (False, True)


def test_the_same_way_again_is_free_after_the_time_of_a_timed_rule() -> None:
    areas = yard()
    areas.passed("yard", "h1", IN, at(1000))
    assert breaks(areas, IN, TIMED, 60999)
    assert not breaks(areas, IN, TIMED, 61000)
    assert not breaks(areas, OUT, TIMED, 2000)


def test_one_who_is_forgiven_may_go_either_way_once() -> None:
    areas = yard()
    areas.passed("yard", "h1", IN, at(1000))
    effects = areas.forgive("yard", "h1", "op-ling", at(2000))
    assert effects[0] == Keep("in/yard/h1", [None, NOON_S + 2])
    assert forgiven(effects) == [{"area": "yard", "by": "op-ling", "count": 1, "holder": 1}]
    assert not breaks(areas, IN)
    assert not breaks(areas, OUT)
    areas.passed("yard", "h1", IN, at(3000))
    assert breaks(areas, IN)


def test_when_everybody_is_forgiven_whoever_was_never_seen_is_too() -> None:
    areas = yard()
    areas.passed("yard", "h2", IN, at(1000))
    effects = areas.forgive(None, None, "op-ling", at(2000))
    assert effects[:2] == [Keep("in/yard/h2", None), Keep("in/yard/*", [None, NOON_S + 2])]
    assert forgiven(effects) == [{"by": "op-ling", "count": 1}]
    assert not breaks(areas, OUT)
    assert areas.inside("yard") == set()


def test_to_forgive_an_area_without_a_rule_is_told_and_does_nothing() -> None:
    assert forgiven(yard().forgive("roof", None, "op-ling", at(0))) == [
        {"area": "roof", "by": "op-ling", "count": 0}
    ]


def test_so_long_after_the_last_passage_it_is_forgiven() -> None:
    areas = yard(AreaRules(None, 10000, None))
    areas.passed("yard", "h1", IN, at(1000))
    areas.passed("yard", "h2", IN, at(5000))
    assert areas.deadline_ms == 11000
    assert areas.tick(at(10999)) == []
    effects = areas.tick(at(11000))
    assert forgiven(effects) == [{"area": "yard", "by": "time", "count": 1}]
    assert not breaks(areas, IN)
    assert areas.deadline_ms == 15000
    areas.tick(at(15000))
    assert areas.deadline_ms is None


def test_who_passes_again_and_again_is_forgiven_once_and_takes_no_room() -> None:
    areas = yard(AreaRules(None, 10000, None))
    for number in range(1000):
        areas.passed("yard", "h1", IN if number % 2 == 0 else OUT, at(number))
    areas.passed("yard", "h1", IN, at(1000))
    told = []
    for now_ms in range(9000, 12000, 10):
        told += forgiven(areas.tick(at(now_ms)))
    assert told == [{"area": "yard", "by": "time", "count": 1}]
    assert areas.deadline_ms is None


def test_at_its_hour_everybody_is_forgiven_once_a_day() -> None:
    areas = yard(AreaRules(None, None, 13 * 3600))
    assert areas.tick(at(0)) == [Keep("forgiven/yard", 19999)]  # the day it begins to look
    areas.passed("yard", "h1", IN, at(1000))
    assert areas.tick(at(3599000)) == []
    assert areas.tick(at(3600000, False)) == []  # nobody knows what time it is
    effects = areas.tick(at(3600000))
    assert forgiven(effects) == [{"area": "yard", "by": "schedule", "count": 1}]
    assert areas.tick(at(3601000)) == []
    assert areas.tick(at(3599000)) == []  # the hour comes twice when summer ends
    assert forgiven(areas.tick(at(3600000))) == []


def test_an_hour_that_was_missed_without_power_is_made_up_for() -> None:
    areas = yard(AreaRules(None, None, 13 * 3600))
    areas.restore({"in/yard/h1": [1, NOON_S], "forgiven/yard": 19998}, at(0))
    assert len(forgiven(areas.tick(at(0)))) == 1
    assert not breaks(areas, IN)


def test_what_was_kept_is_known_again_and_what_belongs_nowhere_is_forgotten() -> None:
    areas = yard(AreaRules(None, 60000, None))
    kept: dict[str, object] = {
        "in/yard/h1": [1, NOON_S - 50],
        "in/yard/h2": [0, NOON_S],
        "in/roof/h1": [1, NOON_S],
        "in/yard/h3": "nonsense",
        "mode/yard": ["locked", "command"],
    }
    assert areas.restore(kept, at(1000)) == [Keep("in/roof/h1", None), Keep("in/yard/h3", None)]
    assert areas.inside("yard") == {"h1"}
    assert areas.deadline_ms == 10000  # 51 of its 60 s are over
    areas = yard()
    areas.restore({"in/yard/*": [None, NOON_S]}, at(0))
    assert not breaks(areas, OUT)


def test_a_clock_that_was_set_back_over_a_restart_makes_nothing_longer() -> None:
    areas = yard()
    areas.restore({"in/yard/h1": [1, NOON_S + 7200]}, at(0))
    assert breaks(areas, IN, TIMED, 59999)
    assert not breaks(areas, IN, TIMED, 60000)


def test_an_area_is_full_with_those_inside_and_those_coming() -> None:
    areas = yard(AreaRules(2, None, None))
    areas.passed("yard", "h1", IN, at(0))
    assert not areas.full("yard", "h2", set())
    assert areas.full("yard", "h2", {"h3"})
    assert not areas.full("yard", "h2", {"h1"})  # is inside already
    assert not areas.full("yard", "h3", {"h3"})  # has a place
    areas.passed("yard", "h3", IN, at(0))
    assert areas.full("yard", "h2", set())
    assert areas.full("yard", None, set())
    assert not areas.full("yard", "h1", set())
    areas.passed("yard", "h1", OUT, at(0))
    assert not areas.full("yard", "h2", set())
    assert not yard().full("yard", "h2", {"h1", "h3"})


def test_the_oldest_is_forgiven_when_there_are_too_many_and_that_is_told() -> None:
    areas = yard(most=2)
    areas.passed("yard", "h1", IN, at(1000))
    areas.passed("yard", "c2", IN, at(2000))
    areas.passed("yard", "h1", IN, at(3000))
    effects = areas.passed("yard", "h3", IN, at(4000))
    assert effects[1:3] == [Keep("in/yard/c2", None), Keep("in/yard/*", [None, NOON_S + 4])]
    assert forgiven(effects) == [{"area": "yard", "by": "limit", "count": 1, "credential": 2}]
    assert not areas.violates("yard", "c2", OUT, HARD, 0, 5000)
    assert areas.violates("yard", "h1", IN, HARD, 0, 5000)


def test_a_visitor_who_makes_room_is_told_by_the_visit_and_nobody_else_is_forgiven() -> None:
    some = Whereabouts({"hall": AreaRules(9, None, None)}, 1)
    now = Moment(1000, 1000, 1000, True)
    some.passed("hall", "va/1/2", "in", now)
    told = some.passed("hall", "h1", "in", Moment(2000, 1001, 1001, True))
    assert [one.fields for one in told if isinstance(one, record.Record)] == [
        {"area": "hall", "by": "limit", "count": 1, "visit": "a/1/2"}
    ]
    assert [one.key for one in told if isinstance(one, Keep)] == ["in/hall/h1", "in/hall/va/1/2"]
    assert some.inside("hall") == {"h1"}
