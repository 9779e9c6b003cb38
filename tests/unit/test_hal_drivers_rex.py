# portable
"""`hal.drivers.rex`: a press is told at its first edge, its end when it is quiet."""

from test_hal_drivers_fakes import FakeInputs

from hal.drivers.rex import Rex
from hal.ports import BACK, LEVEL, LOST, Reading


def _rex(hold_off_ms: int = 50) -> "tuple[FakeInputs, Rex]":
    inputs = FakeInputs()
    rex = Rex(inputs, hold_off_ms)
    assert rex.poll(0) == []
    return inputs, rex


def test_a_press_is_told_at_its_first_edge() -> None:
    inputs, rex = _rex()
    inputs.move(1000, True)
    assert rex.poll(1000) == [Reading(LEVEL, True, 1000)]
    assert rex.pressed is True
    assert rex.deadline_ms is None


def test_chatter_is_one_press() -> None:
    inputs, rex = _rex()
    inputs.move(1000, True)
    for at_ms in range(1001, 1010):
        inputs.pulse(at_ms)
    inputs.move(1010, True)
    assert rex.poll(1010) == [Reading(LEVEL, True, 1000)]
    inputs.move(1300, False)
    inputs.pulse(1303)
    assert rex.poll(1303) == []
    assert rex.deadline_ms == 1353
    assert rex.poll(1352) == []
    assert rex.poll(1353) == [Reading(LEVEL, False, 1303)]
    assert rex.pressed is False
    assert rex.deadline_ms is None


def test_a_tap_shorter_than_a_poll_is_a_press() -> None:
    inputs, rex = _rex()
    inputs.pulse(1000)
    assert rex.poll(1020) == [Reading(LEVEL, True, 1000)]
    assert rex.poll(1050) == [Reading(LEVEL, False, 1000)]


def test_a_press_after_the_hold_off_is_a_new_one_and_one_within_it_is_not() -> None:
    for later_ms, presses in ((49, 1), (50, 2)):
        inputs, rex = _rex()
        inputs.pulse(1000)
        inputs.pulse(1000 + later_ms)
        readings = rex.poll(9000)
        assert [reading.data for reading in readings].count(True) == presses, later_ms


def test_a_held_button_is_pressed_for_as_long_as_it_is_held() -> None:
    inputs, rex = _rex()
    inputs.move(1000, True)
    assert rex.poll(1000) == [Reading(LEVEL, True, 1000)]
    assert rex.poll(60000) == []
    assert rex.pressed is True


def test_a_button_that_is_held_at_power_up_is_a_press_unless_read_told_it() -> None:
    inputs = FakeInputs()
    inputs.now[0] = True
    assert Rex(inputs).poll(7) == [Reading(LEVEL, True, 7)]
    rex = Rex(inputs)
    assert rex.read() is True
    assert rex.poll(7) == []
    inputs.move(100, False)
    assert rex.poll(150) == [Reading(LEVEL, False, 100)]


def test_read_without_a_line_tells_nothing() -> None:
    inputs = FakeInputs()
    inputs.gone = True
    rex = Rex(inputs)
    assert rex.read() is None
    assert rex.poll(0) == [Reading(LOST, None, 0)]
    inputs.gone = False
    inputs.now[0] = True
    assert rex.poll(500) == [Reading(BACK, None, 500), Reading(LEVEL, True, 500)]


def test_a_line_that_power_up_could_not_read_tells_its_level_pressed_or_not() -> None:
    for level in (True, False):
        inputs = FakeInputs()
        inputs.now[0] = level
        rex = Rex(inputs)
        assert rex.read() is level
        inputs.gone = True
        assert rex.read() is None
        inputs.gone = False
        assert rex.poll(500) == [Reading(LEVEL, level, 500)]
        assert rex.poll(1000) == []


def test_edges_that_the_source_dropped_do_not_hide_a_press() -> None:
    inputs, rex = _rex()
    inputs.now[0] = True
    inputs.missing = 1
    assert rex.poll(1000) == [Reading(LEVEL, True, 1000)]


def test_edges_that_the_source_dropped_do_not_hide_the_end_of_a_press() -> None:
    inputs, rex = _rex()
    inputs.move(1000, True)
    assert len(rex.poll(1000)) == 1
    inputs.now[0] = False
    inputs.missing = 1
    assert rex.poll(2000) == []
    assert rex.poll(2050) == [Reading(LEVEL, False, 2000)]


def test_lost_lines_are_told_once_and_tried_again() -> None:
    inputs, rex = _rex()
    inputs.gone = True
    assert rex.poll(1000) == [Reading(LOST, None, 1000)]
    assert rex.deadline_ms == 1500
    assert rex.poll(1500) == []
    inputs.gone = False
    assert rex.poll(2000) == [Reading(BACK, None, 2000)]


def test_a_hold_off_out_of_range_is_refused() -> None:
    for hold_off_ms in (0, 400):
        refused = ""
        try:
            Rex(FakeInputs(), hold_off_ms)
        except ValueError as error:
            refused = str(error)
        assert refused == "rex: hold_off_ms is out of range; expected 1 to 399"


def test_edges_alone_tell_a_press_while_none_are_missing() -> None:
    inputs, rex = _rex()
    inputs.missing = 1
    assert rex.poll(500) == []
    inputs.now[0] = True  # its edge is on its way
    assert rex.poll(1000) == []
    inputs = FakeInputs()
    rex = Rex(inputs)
    assert rex.read() is False
    inputs.now[0] = True
    assert rex.poll(1000) == []


def test_a_port_that_fails_when_the_level_is_read_is_lost_too() -> None:
    inputs, rex = _rex()
    inputs.missing = 1
    inputs.blind = True
    assert rex.poll(1000) == [Reading(LOST, None, 1000)]


def test_the_shortest_and_longest_hold_off_are_taken() -> None:
    for hold_off_ms in (1, 399):
        inputs, rex = _rex(hold_off_ms)
        inputs.pulse(1000)
        assert len(rex.poll(1000)) == 1
        assert rex.deadline_ms == 1000 + hold_off_ms
