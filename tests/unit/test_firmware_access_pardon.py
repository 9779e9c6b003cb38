# portable
"""`firmware.access.pardon`: a button's time over a restart, and what the lock's own contact says of one."""

from firmware.access.credential import Moment
from firmware.access.pardon import Pardon


def at(ms: int, utc_s: int) -> Moment:
    return Moment(ms, utc_s, utc_s, True)


def begun(until_s: object, power_lost: bool = True, ms: int = 700, utc_s: int = 1000) -> Pardon:
    one = Pardon(30000)
    one.start(until_s, power_lost, at(ms, utc_s))
    return one


def test_without_a_reason_nothing_is_pardoned() -> None:
    assert not begun(None).holds(800)


def test_the_time_of_a_button_pressed_before_the_start_is_pardoned_to_its_end() -> None:
    one = begun(1012)
    assert (one.holds(12699), one.holds(12700)) == (True, False)
    one.bond(True)
    assert one.holds(12699)


def test_a_time_that_is_over_or_no_time_is_no_reason() -> None:
    for until_s in (999, 1000, "soon", None):
        assert not begun(until_s).holds(700)


def test_no_clock_makes_a_buttons_time_longer_than_it_is() -> None:
    one = begun(9000)
    assert (one.holds(30699), one.holds(30700)) == (True, False)


def test_a_lock_that_was_never_locked_since_the_start_may_be_cut_by_the_button() -> None:
    one = begun(None)
    one.bond(False)
    assert (one.holds(30699), one.holds(30700)) == (True, False)


def test_where_no_power_was_lost_nobody_can_have_pressed_before() -> None:
    one = begun(None, power_lost=False)
    one.bond(False)
    assert not one.holds(700)


def test_once_it_was_locked_no_button_is_believed() -> None:
    one = begun(None)
    one.bond(False)
    one.bond(True)
    one.bond(False)
    assert not one.holds(800)


def test_a_contact_that_cannot_tell_is_no_reason() -> None:
    one = begun(None)
    one.bond(False)
    one.bond(None)
    assert not one.holds(800)


def test_the_end_of_a_buttons_time_is_kept_while_it_runs() -> None:
    one = begun(None)
    assert one.keep(0, at(700, 1000)) is None
    assert one.keep(31500, at(1500, 1001)) == (1031,)
    assert one.keep(31500, at(2500, 1002)) is None
    assert one.keep(31501, at(2500, 1002)) == (1032,)
    assert one.keep(0, at(31501, 1031)) == (None,)
    assert one.keep(0, at(31502, 1031)) is None


def test_what_was_kept_and_is_over_is_kept_no_longer() -> None:
    assert begun(999).keep(0, at(700, 1000)) == (None,)
    assert begun(1012).keep(0, at(700, 1000)) is None
