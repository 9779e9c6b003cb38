# portable
"""`firmware.access.lasting`: what is wrong for long enough is an alarm; what is over is over at once."""

from firmware.access.lasting import (
    DOUBT_MS,
    DOUBTED,
    FAULTY,
    FINE,
    OVER,
    PENDING,
    RAISE,
    RESTORED,
    RIGHT,
    UNJUDGED,
    WRONG,
    Lasting,
)

AFTER = {"lock_fault": 1000, "link_fault": 300000}


def test_a_fault_is_an_alarm_when_it_has_lasted_its_time_and_not_before() -> None:
    faults = Lasting(AFTER)
    assert faults.handle("bolt", "lock_fault", WRONG, 500) == []
    assert (faults.state("bolt", "lock_fault"), faults.deadline_ms) == (PENDING, 1500)
    assert faults.tick(1499) == []
    assert faults.tick(1500) == [(RAISE, "bolt", "lock_fault", 1500)]
    assert (faults.state("bolt", "lock_fault"), faults.deadline_ms) == (FAULTY, None)


def test_a_late_look_finds_the_fault_at_the_time_it_became_one() -> None:
    faults = Lasting(AFTER)
    faults.handle("bolt", "lock_fault", WRONG, 500)
    told = faults.handle("bolt", "lock_fault", RIGHT, 9000)
    assert told == [(RAISE, "bolt", "lock_fault", 1500), (OVER, "bolt", "lock_fault", 9000)]


def test_what_is_right_again_in_time_was_no_fault() -> None:
    faults = Lasting(AFTER)
    faults.handle("bolt", "lock_fault", WRONG, 500)
    faults.handle("bolt", "lock_fault", RIGHT, 1499)
    assert (faults.tick(90000), faults.deadline_ms) == ([], None)


def test_wrong_again_does_not_start_the_time_anew_and_is_told_once() -> None:
    faults = Lasting(AFTER)
    faults.handle("bolt", "lock_fault", WRONG, 500)
    assert faults.handle("bolt", "lock_fault", WRONG, 1400) == []
    assert [one[3] for one in faults.tick(2000)] == [1500]
    assert faults.handle("bolt", "lock_fault", WRONG, 3000) == []


def test_a_class_without_a_time_is_an_alarm_at_once() -> None:
    told = Lasting(AFTER).handle("controller", "storage_fault", WRONG, 70)
    assert told == [(RAISE, "controller", "storage_fault", 70)]


def test_what_cannot_be_told_is_no_fault_yet_and_ends_none() -> None:
    faults = Lasting(AFTER)
    faults.handle("bolt", "lock_fault", WRONG, 500)
    faults.handle("bolt", "lock_fault", UNJUDGED, 900)
    assert (faults.state("bolt", "lock_fault"), faults.tick(5000)) == (FINE, [])
    faults.handle("bolt", "lock_fault", WRONG, 6000)
    faults.tick(7000)
    assert faults.handle("bolt", "lock_fault", UNJUDGED, 8000) == []
    assert faults.state("bolt", "lock_fault") == FAULTY


def test_a_fault_of_before_a_restart_ends_if_nobody_says_that_it_lasts() -> None:
    faults = Lasting(AFTER)
    faults.handle("bolt", "lock_fault", RESTORED, 100)
    assert (faults.state("bolt", "lock_fault"), faults.deadline_ms) == (DOUBTED, 1100 + DOUBT_MS)
    assert faults.tick(1100 + DOUBT_MS) == [(OVER, "bolt", "lock_fault", 1100 + DOUBT_MS)]


def test_a_fault_of_before_a_restart_that_lasts_is_not_told_again() -> None:
    faults = Lasting(AFTER)
    faults.handle("bolt", "lock_fault", RESTORED, 100)
    assert faults.handle("bolt", "lock_fault", WRONG, 200) == []
    assert (faults.state("bolt", "lock_fault"), faults.tick(90000)) == (FAULTY, [])


def test_each_fault_has_a_time_of_its_own() -> None:
    faults = Lasting(AFTER)
    faults.handle("controller", "link_fault", WRONG, 0)
    faults.handle("bolt", "lock_fault", WRONG, 0)
    assert [one[1] for one in faults.tick(299999)] == ["bolt"]
    assert [one[1] for one in faults.tick(300000)] == ["controller"]


def test_nothing_is_held_of_what_is_fine() -> None:
    faults = Lasting(AFTER)
    for number in range(1000):
        faults.handle("device-%d" % number, "lock_fault", WRONG, 0)
        faults.handle("device-%d" % number, "lock_fault", RIGHT, 0)
    assert faults._faults == {}
