# portable
"""`hal.drivers.supervised_contact`: four states from one level, settled, and honest while it knows none."""

from test_hal_drivers_fakes import FakeChannel

from hal.drivers.supervised_contact import HYSTERESIS, RETRY_MS, SupervisedContact
from hal.ports import BACK, LOST, STATE, Reading

BOUNDS = [150, 500, 850]
CLOSED, OPEN, CUT, SHORT = 333, 667, 1000, 0


def _contact(
    level: "int | None" = CLOSED, debounce_ms: int = 30
) -> "tuple[FakeChannel, SupervisedContact]":
    channel = FakeChannel(level)
    return channel, SupervisedContact(channel, BOUNDS, debounce_ms)


def test_every_level_has_a_state() -> None:
    for permille in range(1001):
        expected = "cut"
        for name, end in (("active", 850), ("normal", 500), ("short", 150)):
            if permille < end:
                expected = name
        assert _contact(permille)[1].read_state() == expected, permille


def test_what_it_is_at_the_start_is_known_before_the_first_poll_and_no_reading() -> None:
    for level, state, closed in (
        (CLOSED, "normal", True),
        (OPEN, "active", False),
        (CUT, "cut", False),
        (SHORT, "short", False),
    ):
        contact = _contact(level)[1]
        assert contact.state == state
        assert contact.read_state() == state
        assert contact.read() is closed
        assert contact.poll(0) == []
        assert contact.deadline_ms is None


def test_every_change_is_told_once_it_is_quiet_and_dated_by_its_first_measurement() -> None:
    levels = {"normal": CLOSED, "active": OPEN, "cut": CUT, "short": SHORT}
    for was in sorted(levels):
        for state in sorted(levels):
            if was == state:
                continue
            channel, contact = _contact(levels[was])
            channel.level = levels[state]
            assert contact.poll(1000) == []
            assert contact.deadline_ms == 1030
            assert contact.state == was
            assert contact.poll(1029) == []
            assert contact.poll(1030) == [Reading(STATE, state, 1000)]
            assert contact.state == state
            assert contact.deadline_ms is None


def test_chatter_is_one_change_and_a_bounce_back_none() -> None:
    channel, contact = _contact()
    for at_ms, level in ((1000, OPEN), (1003, CLOSED), (1004, OPEN), (1020, CLOSED), (1021, OPEN)):
        channel.level = level
        assert contact.poll(at_ms) == []
    assert contact.poll(1051) == [Reading(STATE, "active", 1000)]
    channel.level = CLOSED
    assert contact.poll(2000) == []
    channel.level = OPEN
    assert contact.poll(2029) == []
    assert contact.poll(3000) == []
    assert contact.state == "active"


def test_a_wire_that_is_cut_while_the_door_moves_is_one_change() -> None:
    channel, contact = _contact()
    channel.level = OPEN
    contact.poll(1000)
    channel.level = CUT
    contact.poll(1010)
    assert contact.poll(1040) == [Reading(STATE, "cut", 1000)]


def test_a_level_that_trembles_on_a_threshold_changes_once() -> None:
    for bound in BOUNDS:
        channel, contact = _contact(bound - HYSTERESIS)
        for at_ms in range(0, 1000, 20):
            channel.level = bound + (at_ms // 20 % 2) * (HYSTERESIS - 1)
            assert contact.poll(at_ms) == [], bound
        channel.level = bound + HYSTERESIS
        contact.poll(1000)
        assert len(contact.poll(1030)) == 1, bound
        for at_ms in range(1040, 2000, 20):
            channel.level = bound - (at_ms // 20 % 2) * HYSTERESIS
            assert contact.poll(at_ms) == [], bound
        channel.level = bound - HYSTERESIS - 1
        contact.poll(2000)
        assert len(contact.poll(2030)) == 1, bound


def test_two_bands_further_needs_no_hysteresis() -> None:
    channel, contact = _contact(SHORT)
    channel.level = BOUNDS[1]
    contact.poll(1000)
    assert contact.poll(1030) == [Reading(STATE, "active", 1000)]
    channel.level = BOUNDS[0] - 1
    contact.poll(2000)
    assert contact.poll(2030) == [Reading(STATE, "short", 2000)]


def test_what_is_active_for_400_ms_is_seen_with_every_debounce_though_it_is_polled() -> None:
    for debounce_ms in (1, 5, 30, 100, 300, 379):
        channel, contact = _contact(CLOSED, debounce_ms)
        states = []
        at_ms = 0
        while at_ms < 3000:
            channel.level = OPEN if 1000 <= at_ms <= 1401 else CLOSED
            states += [reading.data for reading in contact.poll(at_ms)]
            due_ms = contact.deadline_ms
            at_ms = min(at_ms + 20, max(at_ms + 1, due_ms)) if due_ms is not None else at_ms + 20
        assert states == ["active", "normal"], debounce_ms


def test_a_contact_that_chatters_on_is_decided_after_300_ms() -> None:
    channel, contact = _contact()
    readings = []
    for at_ms in range(1000, 1400, 10):
        channel.level = CLOSED if at_ms // 10 % 3 == 2 else OPEN
        readings += contact.poll(at_ms)
        if readings:
            break
    assert (at_ms, readings) == (1300, [Reading(STATE, "active", 1000)])


def test_while_the_converter_does_not_answer_the_state_is_unknown_and_it_is_asked_twice_a_second() -> (
    None
):
    channel, contact = _contact()
    channel.level = None
    assert contact.poll(1000) == [Reading(LOST, None, 1000), Reading(STATE, "unknown", 1000)]
    assert contact.state == "unknown"
    assert contact.deadline_ms == 1000 + RETRY_MS
    channel.level = OPEN
    assert contact.poll(1499) == []
    channel.level = None
    assert contact.poll(1500) == []
    channel.level = OPEN
    assert contact.poll(2000) == [Reading(BACK, None, 2000), Reading(STATE, "active", 2000)]
    assert contact.deadline_ms is None


def test_a_change_that_was_settling_when_the_converter_went_is_forgotten() -> None:
    channel, contact = _contact()
    channel.level = OPEN
    contact.poll(1000)
    channel.level = None
    contact.poll(1010)
    channel.level = CLOSED
    assert contact.poll(1510) == [Reading(BACK, None, 1510), Reading(STATE, "normal", 1510)]
    assert contact.poll(2000) == []


def test_a_converter_that_is_not_there_at_the_start_is_said_so_at_the_first_poll() -> None:
    channel, contact = _contact(None)
    assert contact.read_state() == "unknown"
    assert contact.read() is None
    assert contact.poll(0) == [Reading(LOST, None, 0), Reading(STATE, "unknown", 0)]
    channel.level = CUT
    assert contact.poll(500) == [Reading(BACK, None, 500), Reading(STATE, "cut", 500)]


def test_wrong_settings_are_refused() -> None:
    for bounds, debounce_ms in (
        (BOUNDS, 0),
        (BOUNDS, 400),
        ([150, 500], 30),
        ([500, 150, 850], 30),
        ([0, 500, 850], 30),
        ([150, 500, 1000], 30),
    ):
        refused = ""
        try:
            SupervisedContact(FakeChannel(CLOSED), bounds, debounce_ms)
        except ValueError as error:
            refused = str(error)
        assert "; expected " in refused, (bounds, debounce_ms)
