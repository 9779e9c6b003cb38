# portable
"""`hal.drivers.wiegand_reader`: pulses to bursts, repeats, noise and held lines."""

from test_hal_drivers_fakes import FakeInputs

from hal.drivers.wiegand_reader import WiegandReader
from hal.ports import BACK, BITS, LOST, STUCK, Reading

CARD = "10111011000000110010000110"
OTHER = "11101010000011011100000010"


def _reader(frame_gap_ms: int = 25, repeat_ms: int = 300) -> "tuple[FakeInputs, WiegandReader]":
    inputs = FakeInputs(2)
    reader = WiegandReader(inputs, frame_gap_ms, repeat_ms)
    assert reader.poll(0) == []
    return inputs, reader


def _kinds(readings: "list[Reading]") -> "list[str]":
    return [reading.kind for reading in readings]


def test_a_burst_is_handed_over_when_the_lines_have_been_quiet_for_the_gap() -> None:
    inputs, reader = _reader()
    last_ms = inputs.bits(1000, CARD)
    assert reader.poll(last_ms) == []
    assert reader.deadline_ms == last_ms + 25
    assert reader.poll(last_ms + 24) == []
    assert reader.poll(last_ms + 25) == [Reading(BITS, CARD, last_ms)]
    assert reader.deadline_ms is None


def test_a_burst_that_arrives_in_pieces_is_one_burst() -> None:
    inputs, reader = _reader()
    for at in range(len(CARD)):
        inputs.bits(1000 + 20 * at, CARD[at])  # the slowest reader of SIA AC-01
        assert reader.poll(1000 + 20 * at) == []
    assert reader.poll(1525) == [Reading(BITS, CARD, 1500)]


def test_a_late_poll_splits_two_bursts_by_their_own_times() -> None:
    inputs, reader = _reader()
    first_ms = inputs.bits(1000, CARD)
    second_ms = inputs.bits(1100, OTHER)
    assert reader.poll(5000) == [Reading(BITS, CARD, first_ms), Reading(BITS, OTHER, second_ms)]


def test_two_bursts_one_millisecond_short_of_the_gap_are_one() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, "01")
    last_ms = inputs.bits(1001 + 24, "10")
    assert reader.poll(2000) == [Reading(BITS, "0110", last_ms)]


def test_both_lines_at_once_are_not_a_bit() -> None:
    for first in (0, 1):
        inputs, reader = _reader()
        inputs.bits(1000, "0")
        inputs.move(1002, True, first)
        inputs.move(1002, True, 1 - first)
        inputs.move(1002, False, first)
        inputs.move(1003, False, 1 - first)
        inputs.bits(1004, "1")
        assert reader.poll(1100) == [Reading(BITS, "0?1", 1004)]


def test_an_edge_that_is_missing_is_not_a_bit() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, "01")
    inputs.move(1004, False, 1)  # its leading edge was lost
    inputs.bits(1006, "1")
    assert reader.poll(1100) == [Reading(BITS, "01?1", 1006)]
    inputs.move(2000, True, 0)
    inputs.pulse(2002, 0)  # the trailing edge before it was lost
    assert reader.poll(2100) == [Reading(BITS, "0?", 2002)]


def test_edges_that_the_source_dropped_spoil_the_burst() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, CARD)
    inputs.missing = 2
    readings = reader.poll(1100)
    assert _kinds(readings) == [BITS]
    assert "?" in readings[0].data.reveal()
    last_ms = inputs.bits(2000, CARD)
    assert reader.poll(2100) == [Reading(BITS, CARD, last_ms)]


def test_edges_dropped_between_two_polls_spoil_the_burst_already_begun() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, CARD[:20])
    assert reader.poll(1019) == []
    inputs.bits(1020, CARD[20:])
    inputs.missing = 1
    readings = reader.poll(1100)
    assert _kinds(readings) == [BITS]
    assert "?" in readings[0].data.reveal()


def test_every_burst_of_a_poll_with_dropped_edges_is_spoilt() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, CARD)
    inputs.bits(1100, OTHER)
    inputs.missing = 40
    readings = reader.poll(2000)
    assert _kinds(readings) == [BITS, BITS]
    assert "?" in readings[0].data.reveal()
    assert "?" in readings[1].data.reveal()


def test_dropped_edges_with_nothing_left_of_them_are_a_bad_burst() -> None:
    inputs, reader = _reader()
    inputs.missing = 52
    assert reader.poll(1000) == []
    assert reader.poll(1025) == [Reading(BITS, "?", 1000)]
    inputs.missing = 51
    inputs.move(2000, False, 0)
    assert reader.poll(2001) == []
    assert reader.poll(2025) == [Reading(BITS, "??", 2000)]


def test_a_burst_of_64_bits_is_kept_whole_and_a_longer_one_is_cut_once() -> None:
    inputs, reader = _reader()
    last_ms = inputs.bits(1000, "01" * 32)
    assert reader.poll(1100) == [Reading(BITS, "01" * 32, last_ms)]
    inputs.bits(2000, "10" * 500)
    assert reader.poll(4000) == [Reading(BITS, "10" * 32 + "?", 2064)]


def test_endless_noise_is_told_once_and_the_card_after_it_is_read() -> None:
    inputs, reader = _reader()
    readings = []
    for at_ms in range(1000, 4000, 5):
        inputs.bits(at_ms, "1")
        readings += reader.poll(at_ms)
    assert readings == [Reading(BITS, "1" * 64 + "?", 1000 + 5 * 64)]
    last_ms = inputs.bits(3995 + 25, CARD)
    assert reader.poll(5000) == [Reading(BITS, CARD, last_ms)]


def test_a_card_right_after_noise_is_no_card() -> None:
    inputs, reader = _reader()
    last_ms = inputs.bits(1000, "1" * 70)
    inputs.bits(last_ms + 24, "0110")  # the noise's tail would be a key
    assert reader.poll(5000) == [Reading(BITS, "1" * 64 + "?", 1064)]


def test_a_line_that_is_held_is_told_once_and_its_release_once() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 0)
    assert reader.poll(1000) == []
    assert reader.deadline_ms == 1050
    assert reader.poll(1049) == []
    assert reader.poll(1050) == [Reading(STUCK, True, 1050)]
    assert reader.poll(3000) == []
    inputs.move(4000, False, 0)
    assert reader.poll(4000) == [Reading(STUCK, False, 4000)]
    assert reader.deadline_ms is None
    last_ms = inputs.bits(4100, CARD)
    assert reader.poll(4200) == [Reading(BITS, CARD, last_ms)]


def test_a_late_poll_tells_of_a_line_that_was_held_and_let_go() -> None:
    inputs, reader = _reader()
    inputs.pulse(1000, 1, 60)
    assert reader.poll(9000) == [Reading(STUCK, True, 1050), Reading(STUCK, False, 1060)]


def test_a_pulse_below_the_limit_is_a_bit() -> None:
    inputs, reader = _reader()
    inputs.pulse(1000, 1, 49)
    assert reader.poll(2000) == [Reading(BITS, "1", 1049)]


def test_bits_while_a_line_is_held_count_for_nothing() -> None:
    inputs, reader = _reader()
    inputs.bits(990, "01")
    inputs.move(1000, True, 0)
    inputs.bits(1060, "1" * 26)
    assert reader.poll(1100) == [Reading(STUCK, True, 1050)]
    inputs.bits(1200, "1" * 26)
    assert reader.poll(1300) == []


def test_the_rest_of_a_burst_after_a_held_line_is_no_key() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 0)
    inputs.bits(1100, "1" * 22)
    inputs.move(1122, False, 0)
    inputs.bits(1124, "0110")
    assert reader.poll(2000) == [Reading(STUCK, True, 1050), Reading(STUCK, False, 1122)]
    last_ms = inputs.bits(3000, "0110")
    assert reader.poll(3100) == [Reading(BITS, "0110", last_ms)]


def test_both_lines_held_are_one_fault() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 0)
    inputs.move(1000, True, 1)
    assert reader.poll(1200) == [Reading(STUCK, True, 1050)]
    inputs.move(2000, False, 0)
    assert reader.poll(2000) == []
    inputs.move(2001, False, 1)
    assert reader.poll(2001) == [Reading(STUCK, False, 2001)]


def test_the_line_that_was_held_first_dates_the_fault_and_the_last_ends_it() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 1)
    inputs.move(1010, True, 0)
    assert reader.poll(1200) == [Reading(STUCK, True, 1050)]
    inputs.move(2000, False, 1)
    assert reader.poll(2000) == []
    inputs.move(2001, False, 0)
    assert reader.poll(2001) == [Reading(STUCK, False, 2001)]


def test_edges_alone_tell_the_levels_while_none_are_missing() -> None:
    inputs, reader = _reader()
    inputs.now[0] = True  # its edge is on its way
    assert reader.poll(1000) == []
    assert reader.deadline_ms is None


def test_a_line_that_is_held_at_power_up_is_told() -> None:
    inputs = FakeInputs(2)
    inputs.now[1] = True
    reader = WiegandReader(inputs)
    assert reader.poll(1000) == []
    assert reader.deadline_ms == 1050
    assert reader.poll(1050) == [Reading(STUCK, True, 1050)]


def test_a_lost_trailing_edge_is_no_held_line() -> None:
    for line in (0, 1):
        inputs, reader = _reader()
        inputs.bits(1000, "01")
        inputs.move(1002, True, line)
        inputs.now[line] = False  # let go, and no edge told so
        assert reader.poll(1010) == []
        assert reader.deadline_ms == 1052
        assert reader.poll(1052) == [Reading(BITS, "01%d?" % line, 1002)]


def test_a_lost_edge_of_the_release_is_found_by_reading_the_line() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 0)
    assert reader.poll(1050) == [Reading(STUCK, True, 1050)]
    inputs.now[0] = False
    assert reader.deadline_ms == 2050
    assert reader.poll(2050) == [Reading(STUCK, False, 2050)]


def test_a_card_that_stays_on_the_reader_counts_once() -> None:
    inputs, reader = _reader()
    first_ms = inputs.bits(1000, CARD)
    assert reader.poll(1100) == [Reading(BITS, CARD, first_ms)]
    for at_ms in range(1250, 10000, 250):  # each repeat prolongs it
        inputs.bits(at_ms, CARD)
        assert reader.poll(at_ms + 100) == []


def test_the_same_card_450_ms_later_is_a_new_one_and_299_ms_later_is_not() -> None:
    for later_ms, counted in ((299, 1), (300, 2), (450, 2)):
        inputs, reader = _reader()
        inputs.bits(1000, CARD)
        inputs.bits(1000 + later_ms, CARD)
        readings = reader.poll(3000)
        assert len(readings) == counted, later_ms


def test_a_misread_or_another_card_between_does_not_make_a_repeat_new() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, CARD)
    inputs.bits(1100, OTHER)
    inputs.bits(1200, CARD)
    inputs.bits(1300, OTHER)
    assert [reading.data for reading in reader.poll(2000)] == [CARD, OTHER]


def test_a_burst_of_24_bits_is_a_card_and_of_23_is_not() -> None:
    for length, counted in ((23, 2), (24, 1)):
        inputs, reader = _reader()
        inputs.bits(1000, "0" * length)
        inputs.bits(1100, "0" * length)
        assert len(reader.poll(2000)) == counted, length


def test_the_same_key_twice_at_once_is_two_keys() -> None:
    inputs, reader = _reader()
    inputs.bits(1000, "0111")
    inputs.bits(1050, "0111")
    inputs.bits(1100, "11100001")
    inputs.bits(1150, "11100001")
    assert len(reader.poll(2000)) == 4


def test_a_repeat_time_of_zero_suppresses_nothing() -> None:
    inputs, reader = _reader(repeat_ms=0)
    inputs.bits(1000, CARD)
    inputs.bits(1100, CARD)
    assert len(reader.poll(2000)) == 2


def test_lines_that_have_gone_are_told_once_and_when_they_are_back() -> None:
    inputs, reader = _reader()
    inputs.bits(900, "0110")
    inputs.gone = True
    assert reader.poll(1000) == [Reading(LOST, None, 1000)]
    assert reader.deadline_ms == 1500
    assert reader.poll(1500) == []
    inputs.gone = False
    inputs.edges = []
    assert reader.poll(1600) == []  # not before the next try
    assert reader.deadline_ms == 2000
    assert reader.poll(2000) == [Reading(BACK, None, 2000)]
    last_ms = inputs.bits(2100, CARD)
    assert reader.poll(2200) == [Reading(BITS, CARD, last_ms)]


def test_the_tail_of_a_burst_that_began_while_the_lines_were_gone_is_no_key() -> None:
    inputs, reader = _reader()
    inputs.gone = True
    assert _kinds(reader.poll(1000)) == [LOST]
    inputs.gone = False
    assert _kinds(reader.poll(1500)) == [BACK]
    inputs.bits(1505, "0110")
    assert reader.poll(1600) == []


def test_a_held_line_is_held_no_longer_once_the_lines_have_gone() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 0)
    assert _kinds(reader.poll(1050)) == [STUCK]
    inputs.gone = True
    assert reader.poll(1100) == [Reading(LOST, None, 1100), Reading(STUCK, False, 1100)]


def test_a_line_that_is_held_when_the_lines_come_back_is_told() -> None:
    inputs, reader = _reader()
    inputs.gone = True
    assert _kinds(reader.poll(1000)) == [LOST]
    inputs.gone = False
    inputs.now[0] = True
    assert _kinds(reader.poll(1500)) == [BACK]
    assert reader.poll(1550) == [Reading(STUCK, True, 1550)]


def test_without_settings_the_gap_is_25_and_the_repeat_time_300_ms() -> None:
    inputs = FakeInputs(2)
    reader = WiegandReader(inputs)
    assert reader.poll(0) == []
    last_ms = inputs.bits(1000, CARD)
    assert reader.poll(last_ms + 24) == []
    assert reader.poll(last_ms + 25) == [Reading(BITS, CARD, last_ms)]
    inputs.bits(1299, CARD)
    inputs.bits(1599, CARD)
    assert reader.poll(2000) == [Reading(BITS, CARD, 1624)]


def test_the_shortest_and_longest_gap_are_taken() -> None:
    for frame_gap_ms in (1, 100):
        inputs, reader = _reader(frame_gap_ms)
        inputs.bits(1000, "0")
        assert reader.poll(1000) == []
        assert reader.deadline_ms == 1000 + frame_gap_ms


def test_a_port_that_fails_when_the_level_is_read_is_lost_too() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 0)
    assert reader.poll(1000) == []
    inputs.gone = True
    assert _kinds(reader.poll(1050)) == [LOST]


def test_settings_out_of_range_are_refused() -> None:
    for frame_gap_ms, repeat_ms in ((0, 300), (101, 300), (25, -1), (25, 301)):
        refused = ""
        try:
            WiegandReader(FakeInputs(2), frame_gap_ms, repeat_ms)
        except ValueError as error:
            refused = str(error)
        assert "is out of range; expected " in refused


def test_a_line_that_pulses_again_was_not_held_since_its_last_pulse() -> None:
    inputs, reader = _reader()
    inputs.move(1000, True, 1)  # its trailing edge was lost
    inputs.pulse(1100, 1)
    assert reader.poll(2000) == [Reading(BITS, "1?", 1100)]
