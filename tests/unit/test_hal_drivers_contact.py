# portable
"""`hal.drivers.contact`: chatter to one change, dated by its first edge."""

from test_hal_drivers_fakes import FakeInputs

from hal.drivers.contact import Contact
from hal.ports import BACK, LEVEL, LOST, Reading


def _contact(closed: bool = True, debounce_ms: int = 30) -> "tuple[FakeInputs, Contact]":
    inputs = FakeInputs()
    inputs.now[0] = closed
    return inputs, Contact(inputs, debounce_ms)


def test_the_level_is_known_before_the_first_poll() -> None:
    for closed in (True, False):
        contact = _contact(closed)[1]
        assert contact.closed is closed
        assert contact.read() is closed
        assert contact.poll(0) == []
        assert contact.deadline_ms is None


def test_a_change_is_told_after_the_quiet_time_and_dated_by_its_first_edge() -> None:
    inputs, contact = _contact()
    inputs.move(1000, False)
    assert contact.poll(1000) == []
    assert contact.deadline_ms == 1030
    assert contact.closed is True
    assert contact.poll(1029) == []
    assert contact.poll(1030) == [Reading(LEVEL, False, 1000)]
    assert contact.closed is False
    assert contact.deadline_ms is None


def test_chatter_is_one_change() -> None:
    inputs, contact = _contact()
    for at_ms, level in ((1000, False), (1003, True), (1004, False), (1020, True), (1021, False)):
        inputs.move(at_ms, level)
    assert contact.poll(1021) == []
    assert contact.deadline_ms == 1051
    assert contact.poll(1051) == [Reading(LEVEL, False, 1000)]


def test_a_bounce_back_to_the_old_level_is_nothing() -> None:
    inputs, contact = _contact()
    inputs.move(1000, False)
    inputs.move(1029, True)
    assert contact.poll(1029) == []
    assert contact.poll(2000) == []
    assert contact.closed is True
    inputs.move(3000, False)
    assert contact.poll(3030) == [Reading(LEVEL, False, 3000)]


def test_a_late_poll_tells_every_change_with_its_own_time() -> None:
    inputs, contact = _contact()
    inputs.move(1000, False)
    inputs.move(1030, True)  # exactly when the first is due
    inputs.move(4000, False)
    inputs.move(4010, True)
    assert contact.poll(9000) == [Reading(LEVEL, False, 1000), Reading(LEVEL, True, 1030)]


def test_an_input_that_is_active_for_400_ms_is_seen_with_every_debounce() -> None:
    for debounce_ms in (1, 5, 30, 100, 300, 399):
        inputs, contact = _contact(False, debounce_ms)
        inputs.move(1000, True)
        inputs.move(1400, False)
        assert contact.poll(3000) == [
            Reading(LEVEL, True, 1000),
            Reading(LEVEL, False, 1400),
        ], debounce_ms


def test_a_change_that_chatters_on_is_decided_after_300_ms() -> None:
    inputs, contact = _contact()
    readings = []
    for at_ms in range(1000, 3000, 20):  # open for 15 ms of 20, never quiet for 30
        inputs.move(at_ms, False)
        readings += contact.poll(at_ms)
        assert contact.closed is (at_ms < 1300)
        inputs.move(at_ms + 15, True)
        inputs.move(at_ms + 15, False)
    assert readings == [Reading(LEVEL, False, 1000)]
    assert contact.closed is False


def test_a_short_debounce_decides_chatter_after_ten_times_itself() -> None:
    inputs, contact = _contact(debounce_ms=5)
    for at_ms in range(1000, 1050, 2):
        inputs.move(at_ms, False)
        inputs.move(at_ms + 1, True)
        inputs.move(at_ms + 1, False)
    assert contact.poll(1049) == []
    assert contact.deadline_ms == 1050
    assert contact.poll(1050) == [Reading(LEVEL, False, 1000)]


def test_the_deadline_is_the_end_of_the_chatter_limit_when_that_comes_first() -> None:
    inputs, contact = _contact(debounce_ms=100)
    inputs.move(1000, False)
    inputs.move(1080, True)
    inputs.move(1160, False)
    inputs.move(1240, True)
    inputs.move(1290, False)
    assert contact.poll(1290) == []
    assert contact.deadline_ms == 1300
    assert contact.poll(1300) == [Reading(LEVEL, False, 1000)]


def test_read_tells_the_level_now_and_later_changes_count_against_it() -> None:
    inputs, contact = _contact(True)
    inputs.move(900, False)
    assert contact.read() is False
    assert contact.closed is False
    assert contact.poll(1000) == []  # the edge told nothing new
    inputs.move(2000, True)
    assert contact.poll(2030) == [Reading(LEVEL, True, 2000)]


def test_edges_that_the_source_dropped_do_not_hide_a_change() -> None:
    inputs, contact = _contact(True)
    inputs.now[0] = False
    inputs.missing = 1
    assert contact.poll(1000) == []
    assert contact.deadline_ms == 1030
    assert contact.poll(1030) == [Reading(LEVEL, False, 1000)]


def test_lost_lines_are_told_once_and_a_change_meanwhile_is_found() -> None:
    inputs, contact = _contact(True)
    inputs.gone = True
    assert contact.poll(1000) == [Reading(LOST, None, 1000)]
    assert contact.closed is True
    assert contact.deadline_ms == 1500
    assert contact.poll(1500) == []
    inputs.gone = False
    inputs.now[0] = False
    assert contact.poll(2000) == [Reading(BACK, None, 2000)]
    assert contact.poll(2030) == [Reading(LEVEL, False, 2000)]


def test_a_line_that_is_missing_at_power_up_has_no_level_until_it_is_there() -> None:
    inputs = FakeInputs()
    inputs.gone = True
    contact = Contact(inputs)
    assert contact.closed is None
    assert contact.poll(0) == [Reading(LOST, None, 0)]
    inputs.gone = False
    inputs.now[0] = True
    assert contact.poll(500) == [Reading(BACK, None, 500), Reading(LEVEL, True, 500)]
    assert contact.closed is True


def test_a_line_that_power_up_could_not_read_tells_its_level_even_if_it_was_known_before() -> None:
    for level in (True, False):
        inputs, contact = _contact(level)
        inputs.gone = True
        assert contact.read() is None
        assert contact.closed is None
        inputs.gone = False
        assert contact.poll(500) == [Reading(LEVEL, level, 500)]
        assert contact.poll(1000) == []


def test_a_debounce_that_could_hide_an_input_is_refused() -> None:
    for debounce_ms in (0, -1, 400, 1000):
        refused = ""
        try:
            Contact(FakeInputs(), debounce_ms)
        except ValueError as error:
            refused = str(error)
        assert refused == "contact: debounce_ms is out of range; expected 1 to 399"


def test_edges_alone_tell_the_level_while_none_are_missing() -> None:
    inputs, contact = _contact(True)
    inputs.missing = 1
    assert contact.poll(500) == []
    inputs.now[0] = False  # its edge is on its way
    assert contact.poll(1000) == []
    assert contact.deadline_ms is None


def test_a_port_that_fails_when_the_level_is_read_is_lost_too() -> None:
    inputs, contact = _contact(True)
    inputs.missing = 1
    inputs.blind = True
    assert contact.poll(1000) == [Reading(LOST, None, 1000)]
    assert contact.deadline_ms == 1500


def test_a_line_that_comes_back_unreadable_is_lost_again() -> None:
    inputs = FakeInputs()
    inputs.gone = True
    contact = Contact(inputs)
    assert contact.poll(0) == [Reading(LOST, None, 0)]
    inputs.gone = False
    inputs.blind = True
    assert contact.poll(500) == [Reading(BACK, None, 500), Reading(LOST, None, 500)]
    assert contact.closed is None
