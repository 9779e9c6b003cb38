# portable
"""`hal.drivers.serial_reader`: torn and joined input, repeats, a device that comes and goes."""

from test_hal_drivers_fakes import FakeStream

from hal.drivers.serial_reader import SerialReader
from hal.ports import BACK, LINE, LOST, STUCK, Reading

CARD = b"w26:012:34567"
TAG = b"010063E9AE25"


def _reader(framing: str = "lines", repeat_ms: int = 300) -> "tuple[FakeStream, SerialReader]":
    stream = FakeStream()
    reader = SerialReader(stream, framing, repeat_ms)
    assert reader.deadline_ms == 0
    assert reader.poll(0) == []
    assert stream.opened == 1
    return stream, reader


def _arrive(
    stream: FakeStream, reader: SerialReader, at_ms: int, *pieces: bytes
) -> "list[Reading]":
    stream.arrived += pieces
    return reader.poll(at_ms)


def _frames(readings: "list[Reading]") -> "list[bytes]":
    assert [reading.kind for reading in readings] == [LINE] * len(readings)
    return [reading.data for reading in readings]


def test_a_line_is_a_frame_whatever_ends_it() -> None:
    for end in (b"\n", b"\r", b"\r\n", b"\n\r\n"):
        stream, reader = _reader()
        assert _arrive(stream, reader, 1000, CARD + end) == [Reading(LINE, CARD, 1000)]
        assert reader.deadline_ms is None


def test_empty_lines_are_nothing() -> None:
    stream, reader = _reader()
    assert _arrive(stream, reader, 1000, b"\r\n\r\n\n") == []


def test_a_frame_that_arrives_byte_by_byte_is_one_frame() -> None:
    for framing, sent, frame in (
        ("lines", CARD + b"\r\n", CARD),
        ("rdm6300", b"\x02" + TAG + b"\x03", TAG),
    ):
        stream, reader = _reader(framing)
        readings = []
        for at in range(len(sent)):
            readings += _arrive(stream, reader, 1000 + at, sent[at : at + 1])
        assert _frames(readings) == [frame]


def test_frames_that_arrive_joined_are_two() -> None:
    stream, reader = _reader()
    readings = _arrive(stream, reader, 1000, CARD + b"\r\n04A1", b"B2C3\r\nw3", b"4:1\r\n")
    assert _frames(readings) == [CARD, b"04A1B2C3", b"w34:1"]
    stream, reader = _reader("rdm6300")
    readings = _arrive(stream, reader, 1000, b"\x02" + TAG + b"\x03\x0201000734E0D2\x03")
    assert _frames(readings) == [TAG, b"01000734E0D2"]


def test_what_stands_outside_stx_and_etx_is_nothing() -> None:
    stream, reader = _reader("rdm6300")
    readings = _arrive(stream, reader, 1000, b"\xff\x03junk\r\n\x02" + TAG + b"\x03\x03\r\n")
    assert _frames(readings) == [TAG]
    assert reader.deadline_ms is None


def test_a_frame_that_begins_again_is_the_one_that_counts() -> None:
    stream, reader = _reader("rdm6300")
    assert _frames(_arrive(stream, reader, 1000, b"\x020100\x02" + TAG + b"\x03")) == [TAG]


def test_an_empty_rdm6300_frame_is_a_bad_one() -> None:
    stream, reader = _reader("rdm6300")
    assert _arrive(stream, reader, 1000, b"\x02\x03") == [Reading(LINE, b"", 1000)]


def test_a_torn_frame_is_dropped_as_bad_after_half_a_second_and_the_next_is_whole() -> None:
    for framing, torn, sent, frame in (
        ("lines", b"w26:01", CARD + b"\n", CARD),
        ("rdm6300", b"\x020100", b"\x02" + TAG + b"\x03", TAG),
    ):
        stream, reader = _reader(framing)
        assert _arrive(stream, reader, 1000, torn) == []
        assert reader.deadline_ms == 1500
        assert reader.poll(1499) == []
        assert reader.poll(1500) == [Reading(LINE, b"", 1500)]
        assert reader.deadline_ms is None
        assert _frames(_arrive(stream, reader, 1501, sent)) == [frame]


def test_a_slow_frame_is_not_torn() -> None:
    stream, reader = _reader()
    readings = []
    for at in range(len(CARD)):
        readings += _arrive(stream, reader, 1000 + 499 * at, CARD[at : at + 1])
    assert _frames(readings + _arrive(stream, reader, 9000, b"\n")) == [CARD]


def test_a_loop_that_was_late_does_not_tear_what_had_long_arrived() -> None:
    stream, reader = _reader()
    assert _arrive(stream, reader, 1000, CARD[:5]) == []
    assert _frames(_arrive(stream, reader, 9000, CARD[5:] + b"\n")) == [CARD]


def test_an_over_long_line_is_one_bad_frame_and_the_next_line_is_read() -> None:
    stream, reader = _reader()
    readings = _arrive(stream, reader, 1000, b"a" * 4096, b"a" * 4096)
    assert _frames(readings) == [b"a" * 601]
    assert reader.deadline_ms == 1500
    assert _frames(_arrive(stream, reader, 1100, b"tail\n" + CARD + b"\n")) == [CARD]


def test_a_line_of_600_bytes_is_whole() -> None:
    stream, reader = _reader()
    assert _frames(_arrive(stream, reader, 1000, b"a" * 600 + b"\n")) == [b"a" * 600]


def test_skipping_an_over_long_line_ends_with_its_pause() -> None:
    stream, reader = _reader()
    assert len(_arrive(stream, reader, 1000, b"a" * 700)) == 1
    assert reader.poll(1500) == []
    assert reader.deadline_ms is None
    assert _frames(_arrive(stream, reader, 1600, CARD + b"\n")) == [CARD]


def test_an_over_long_rdm6300_frame_is_one_bad_frame() -> None:
    stream, reader = _reader("rdm6300")
    readings = _arrive(stream, reader, 1000, b"\x02" + b"0" * 3000)
    assert _frames(readings) == [b"0" * 601]
    assert _frames(_arrive(stream, reader, 1001, b"00\x03\x02" + TAG + b"\x03")) == [TAG]


def test_a_flood_is_taken_in_portions() -> None:
    stream, reader = _reader()
    stream.arrived = [b"x" * 4096] * 10
    reader.poll(1000)
    assert len(stream.arrived) == 6


def test_lines_inside_a_code_are_no_cards() -> None:
    stream, reader = _reader()
    readings = _arrive(stream, reader, 1000, b"]Q1hello\r\n" + CARD + b"\r\n04A1")
    readings += _arrive(stream, reader, 1040, b"B2C3\r\n")
    assert _frames(readings) == [b"]Q1hello", b""]  # the second bad one is a repeat
    readings = _arrive(stream, reader, 1089, CARD + b"\r\n")
    assert _frames(readings) == []
    assert _frames(_arrive(stream, reader, 1139, CARD + b"\r\n")) == [CARD]


def test_lines_behind_an_over_long_code_are_no_cards() -> None:
    stream, reader = _reader()
    readings = _arrive(stream, reader, 1000, b"]Q1" + b"a" * 700 + b"\r\n" + CARD + b"\r\n")
    assert CARD not in _frames(readings)


def test_a_code_right_after_a_card_or_a_code_is_read() -> None:
    stream, reader = _reader()
    readings = _arrive(stream, reader, 1000, CARD + b"\r\n]Q1one\r\n]Q1two\r\n")
    assert _frames(readings) == [CARD, b"]Q1one", b"]Q1two"]


def test_a_card_that_stays_on_the_reader_counts_once() -> None:
    stream, reader = _reader("rdm6300")
    sent = b"\x02" + TAG + b"\x03"
    assert _frames(_arrive(stream, reader, 1000, sent)) == [TAG]
    for at_ms in range(1065, 5000, 65):  # as the module repeats it
        assert _arrive(stream, reader, at_ms, sent) == []


def test_the_same_card_450_ms_later_is_a_new_one_and_299_ms_later_is_not() -> None:
    for later_ms, counted in ((299, 0), (300, 1), (450, 1)):
        stream, reader = _reader()
        assert len(_arrive(stream, reader, 1000, CARD + b"\n")) == 1
        assert len(_arrive(stream, reader, 1000 + later_ms, CARD + b"\n")) == counted


def test_a_device_that_is_missing_at_start_is_lost_and_tried_again() -> None:
    stream = FakeStream()
    stream.gone = True
    reader = SerialReader(stream, "lines")
    assert reader.poll(1000) == [Reading(LOST, None, 1000)]
    assert reader.deadline_ms == 1500
    assert reader.poll(1499) == []
    assert reader.poll(1500) == []
    assert reader.deadline_ms == 2000
    stream.gone = False
    stream.arrived = [CARD + b"\n"]
    assert reader.poll(1999) == []
    assert reader.poll(2000) == [Reading(BACK, None, 2000), Reading(LINE, CARD, 2000)]
    assert reader.deadline_ms is None


def test_a_device_that_is_unplugged_is_lost_once_and_its_half_frame_is_forgotten() -> None:
    stream, reader = _reader()
    assert _arrive(stream, reader, 1000, b"04A1") == []
    stream.gone = True
    assert reader.poll(1100) == [Reading(LOST, None, 1100)]
    assert reader.poll(1600) == []
    stream.gone = False
    stream.arrived = [b"B2C3\n"]
    assert reader.poll(2100) == [Reading(BACK, None, 2100), Reading(LINE, b"B2C3", 2100)]


def test_the_time_between_two_tries_is_as_set() -> None:
    stream = FakeStream()
    stream.gone = True
    reader = SerialReader(stream, "lines", reopen_ms=3000)
    assert len(reader.poll(1000)) == 1
    assert reader.deadline_ms == 4000


def test_what_is_sent_reaches_the_device_unless_it_has_gone() -> None:
    stream = FakeStream()
    reader = SerialReader(stream, "lines")
    assert reader.send(b"x") == 0
    assert reader.poll(0) == []
    assert reader.send(b"beep") == 4
    assert stream.sent == b"beep"
    stream.gone = True
    assert reader.send(b"more") == 0
    assert reader.deadline_ms == 0
    assert reader.poll(10) == [Reading(LOST, None, 10)]


def test_settings_out_of_range_are_refused() -> None:
    for framing, repeat_ms, reopen_ms, expected in (
        ("osdp", 300, 500, "serial reader: unknown framing; expected lines, decimal or rdm6300"),
        ("lines", 301, 500, "reader: repeat_ms is out of range; expected 0 to 300"),
        ("lines", 300, 0, "serial reader: reopen_ms is out of range; expected 1 or more"),
    ):
        refused = ""
        try:
            SerialReader(FakeStream(), framing, repeat_ms, reopen_ms)
        except ValueError as error:
            refused = str(error)
        assert refused == expected


def test_every_unplugging_is_told() -> None:
    stream, reader = _reader()
    kinds = []
    for at_ms in (1000, 2000, 3000):
        stream.gone = True
        kinds += [reading.kind for reading in reader.poll(at_ms)]
        stream.gone = False
        kinds += [reading.kind for reading in reader.poll(at_ms + 500)]
    assert kinds == [LOST, BACK, LOST, BACK, LOST, BACK]


def test_a_single_torn_byte_is_a_bad_frame() -> None:
    stream, reader = _reader()
    assert _arrive(stream, reader, 1000, b"w") == []
    assert reader.poll(1500) == [Reading(LINE, b"", 1500)]


def test_the_shortest_time_between_two_tries_is_a_millisecond() -> None:
    stream = FakeStream()
    stream.gone = True
    reader = SerialReader(stream, "lines", reopen_ms=1)
    assert len(reader.poll(1000)) == 1
    assert reader.deadline_ms == 1001


# ---- noise without end -----------------------------------------------------------------------------


def _noise(
    stream: FakeStream, reader: SerialReader, from_ms: int, to_ms: int, data: bytes
) -> "list[Reading]":
    """`data` every 100 ms."""
    readings = []
    for at_ms in range(from_ms, to_ms + 1, 100):
        readings += _arrive(stream, reader, at_ms, data)
    return readings


def test_noise_for_a_second_is_a_stuck_line_until_it_falls_silent() -> None:
    for framing in ("lines", "rdm6300"):
        for data in (bytes(96), b"\x8f\x03\xe1\x7f\xff" * 19, b"\xff\x00\xff", b"U" * 96):
            stream, reader = _reader(framing)
            told = _noise(stream, reader, 1000, 1900, data)
            assert STUCK not in [reading.kind for reading in told]
            told = _noise(stream, reader, 2000, 9000, data)
            assert told == [Reading(STUCK, True, 2000)], (framing, data[:5])
            assert reader.deadline_ms == 9500
            assert reader.poll(9499) == []
            assert reader.poll(9500) == [Reading(STUCK, False, 9500)]
            assert reader.deadline_ms is None
            sent = b"\x02" + TAG + b"\x03" if framing == "rdm6300" else CARD + b"\n"
            assert len(_frames(_arrive(stream, reader, 9600, sent))) == 1


def test_frames_of_noise_are_no_flood() -> None:
    stream, reader = _reader()
    told = _noise(stream, reader, 1000, 60000, b"\x8f\x03\xe1\r\n")
    assert told[-1] == Reading(STUCK, True, 2000)
    assert len(told) <= 11


def test_a_card_that_comes_through_ends_a_stuck_line() -> None:
    stream, reader = _reader()
    _noise(stream, reader, 1000, 2000, bytes(10))
    told = _arrive(stream, reader, 2100, b"\x00\n" + CARD + b"\n")
    assert told == [Reading(STUCK, False, 2100), Reading(LINE, CARD, 2100)]


def test_a_line_that_goes_while_it_is_stuck_has_gone_and_is_no_longer_stuck() -> None:
    stream, reader = _reader()
    _noise(stream, reader, 1000, 2000, bytes(10))
    stream.gone = True
    assert reader.poll(2100) == [Reading(STUCK, False, 2100), Reading(LOST, None, 2100)]
    stream.gone = False
    assert reader.poll(2600) == [Reading(BACK, None, 2600)]


def test_noise_with_pauses_and_what_a_busy_reader_sends_is_no_stuck_line() -> None:
    stream, reader = _reader()
    told = []
    for at_ms in range(1000, 20000, 600):
        told += _arrive(stream, reader, at_ms, b"\x00")
        told += reader.poll(at_ms + 500)
    for at_ms in range(20000, 25000, 100):
        told += _arrive(stream, reader, at_ms, CARD + b"\r\n")  # a card that lies on it
    for at_ms in range(25000, 30000, 100):
        told += _arrive(stream, reader, at_ms, b"\r\n")
    assert STUCK not in [reading.kind for reading in told]


def test_a_long_code_on_a_slow_line_is_no_noise() -> None:
    stream, reader = _reader()
    told = []
    for at_ms in range(1000, 6000, 100):
        told += _arrive(stream, reader, at_ms, b"]Q1" if at_ms == 1000 else b"\xe4\xb8\xad" * 3)
    assert told == []
    assert len(_frames(_arrive(stream, reader, 6000, b"\r\n"))) == 1
