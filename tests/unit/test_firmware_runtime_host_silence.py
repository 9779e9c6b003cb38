# portable
"""`firmware.runtime.host_silence`: a host that is silent for too long narrows what the keys may."""

from firmware.access.access_point import Keep
from firmware.access.credential import Moment
from firmware.runtime.host_silence import HEARD, HostSilence

NOON_S = 1795262400
HOUR_S = 3600


def at(second: int, trusted: bool = True, since_s: int = 0) -> Moment:
    """`second` after noon; the controller started `since_s` after it."""
    return Moment((second - since_s) * 1000, NOON_S + second, NOON_S + second, trusted)


def test_a_controller_that_was_told_nothing_of_it_is_never_narrowed() -> None:
    host = HostSilence(None, None)
    assert host.start(at(0)) == []
    assert not host.look(at(9999 * HOUR_S))
    assert not host.narrowed


def test_silence_narrows_with_its_last_second_and_a_word_ends_it() -> None:
    host = HostSilence(2, NOON_S)
    host.start(at(0))
    assert not host.look(at(2 * HOUR_S - 1))
    assert host.look(at(2 * HOUR_S))
    assert host.narrowed
    assert not host.look(at(3 * HOUR_S))
    host.heard(at(3 * HOUR_S))
    assert host.look(at(3 * HOUR_S))
    assert not host.narrowed


def test_what_is_kept_is_written_at_most_once_an_hour() -> None:
    host = HostSilence(2, NOON_S)
    host.start(at(0))
    kept = []
    for minute in range(150):
        kept += host.heard(at(minute * 60))
    assert kept == [Keep(HEARD, NOON_S + 3600), Keep(HEARD, NOON_S + 7200)]


def test_the_time_without_power_counts_where_the_clock_tells_of_it() -> None:
    host = HostSilence(2, NOON_S)
    host.start(at(3 * HOUR_S, True, 3 * HOUR_S))
    assert host.look(at(3 * HOUR_S, True, 3 * HOUR_S))
    unsure = HostSilence(2, NOON_S)
    unsure.start(at(3 * HOUR_S, False, 3 * HOUR_S))
    assert not unsure.look(at(3 * HOUR_S, False, 3 * HOUR_S))
    assert unsure.look(at(5 * HOUR_S, False, 3 * HOUR_S))


def test_a_first_start_counts_from_itself_and_keeps_that() -> None:
    host = HostSilence(2, None)
    assert host.start(at(0)) == [Keep(HEARD, NOON_S)]
    assert host.look(at(2 * HOUR_S))


def test_a_clock_that_was_set_back_does_not_count_as_silence_or_as_a_word() -> None:
    host = HostSilence(2, NOON_S + 5 * HOUR_S)
    host.start(at(0))
    assert not host.look(at(HOUR_S))
    assert host.look(at(2 * HOUR_S))
