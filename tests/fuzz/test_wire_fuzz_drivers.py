"""Any edges and bytes into the drivers: no exception, no growth, and the next good frame is read.

The readers' limits are looked up inside them: what grows is not to be seen from outside.
"""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from firmware.wire.card_number import to_bits
from firmware.wire.readings import CardRead
from hal.drivers.contact import Contact
from hal.drivers.keypad import Keypad
from hal.drivers.rex import Rex
from hal.drivers.serial_reader import SerialReader
from hal.drivers.wiegand_reader import WiegandReader
from hal.errors import DeviceUnavailableError
from hal.ports import BACK, BITS, LEVEL, LINE, LOST, STUCK, ByteStream, DigitalInputs, Edge, Reading

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzz = settings(
    max_examples=int(EXAMPLES or 200),
    deadline=None,
    derandomize=EXAMPLES is None,  # the same ones at every test run, new ones when hunting
)

CARD = "w26:012:34567"

# what happens next, after so many milliseconds: a line is driven, edges are dropped, the port goes
steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(0, 40), st.integers(0, 2000)),
        st.sampled_from(("toggle", "toggle", "toggle", "pulse", "edge", "drop", "gone", "back")),
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=120,
)
toggles = st.lists(
    st.tuples(st.one_of(st.integers(0, 3), st.integers(0, 70)), st.integers(0, 1)), max_size=150
)


class Lines(DigitalInputs):
    """Lines whose edges may be dropped, doubled or gone."""

    def __init__(self, lines: int) -> None:
        self.now = [False] * lines
        self.edges: list[Edge] = []
        self.missing = 0
        self.gone = False

    def drive(self, at_ms: int, what: str, line: int, level: bool) -> None:
        """One step of the fuzzer's."""
        line %= len(self.now)
        if what in ("gone", "back"):
            self.gone = what == "gone"
        elif what == "drop":
            self.now[line] = level
            self.missing += 1
        elif what == "edge":
            self.now[line] = level
            self.edges.append(Edge(line, level, at_ms))
        else:
            for _ in range(2 if what == "pulse" else 1):
                self.now[line] = not self.now[line]
                self.edges.append(Edge(line, self.now[line], at_ms))

    def settle(self, at_ms: int) -> None:
        """Everything is there again and rests."""
        self.gone = False
        for line, level in enumerate(self.now):
            if level:
                self.drive(at_ms, "toggle", line, False)

    def levels(self) -> list[bool]:
        if self.gone:
            raise DeviceUnavailableError("lines: gone; expected to be there")
        return list(self.now)

    def take(self) -> list[Edge]:
        if self.gone:
            raise DeviceUnavailableError("lines: gone; expected to be there")
        edges, self.edges = self.edges, []
        return edges

    def lost(self) -> int:
        missing, self.missing = self.missing, 0
        return missing


class Stream(ByteStream):
    """A serial line that may go at any time."""

    def __init__(self) -> None:
        self.arrived = b""
        self.gone = False

    def open(self) -> None:
        if self.gone:
            raise DeviceUnavailableError("port: gone; expected to be there")

    def read(self) -> bytes:
        self.open()
        data, self.arrived = self.arrived[:4096], self.arrived[4096:]
        return data


def _poll_until(driver: Any, now_ms: int, until_ms: int) -> list[Reading]:
    """Poll at each deadline, as the runtime does."""
    readings = list(driver.poll(now_ms))
    for _ in range(10_000):
        if driver.deadline_ms is None or driver.deadline_ms > until_ms:
            return readings
        now_ms = max(now_ms, driver.deadline_ms)
        readings += driver.poll(now_ms)
    raise AssertionError("the driver wants to be polled for ever")


def _run(driver: Any, lines: Lines, script: list[tuple[int, str, int, bool]]) -> list[Reading]:
    """Drive the lines and poll; then let them rest for 3 s."""
    readings = _poll_until(driver, 0, 0)
    now_ms = 0
    for after_ms, what, line, level in script:
        readings += _poll_until(driver, now_ms, now_ms + after_ms)
        now_ms += after_ms
        lines.drive(now_ms, what, line, level)
        if level:  # else the loop is late
            readings += driver.poll(now_ms)
    readings += driver.poll(now_ms)
    lines.settle(now_ms + 1000)
    readings += _poll_until(driver, now_ms + 1000, now_ms + 3000)
    return readings


def _alternates(readings: list[Reading], kind: str, first: bool) -> None:
    told = [reading.data for reading in readings if reading.kind == kind]
    assert told == [(at % 2 == 0) == first for at in range(len(told))]


def _end_ms(script: list[tuple[int, str, int, bool]]) -> int:
    return sum(step[0] for step in script) + 3000


@fuzz
@given(steps)
def test_a_wiegand_reader_reads_the_next_card_after_any_noise(
    script: list[tuple[int, str, int, bool]],
) -> None:
    lines = Lines(2)
    reader = WiegandReader(lines)
    readings = _run(reader, lines, script)
    for reading in readings:
        assert reading.kind in (BITS, STUCK, LOST, BACK)
        if reading.kind == BITS:
            assert 1 <= len(reading.data) <= 65
    _alternates(readings, STUCK, True)
    assert len(reader._pulses._bits) <= 64
    assert len(reader._repeats._recent) <= 4
    at_ms = _end_ms(script) + 1000
    for bit in to_bits(CARD):
        lines.drive(at_ms, "pulse", int(bit), True)
        at_ms += 1
    decoded = [wire.decode(reading) for reading in _poll_until(reader, at_ms, at_ms + 1000)]
    assert decoded == [CardRead(CARD, at_ms - 1)]
    assert reader.deadline_ms is None


@fuzz
@given(steps)
def test_a_keypad_reads_the_next_key_after_any_noise(
    script: list[tuple[int, str, int, bool]],
) -> None:
    lines = Lines(2)
    keypad = Keypad(lines)
    _run(keypad, lines, script)
    at_ms = _end_ms(script)
    for bit in "0111":
        lines.drive(at_ms, "pulse", int(bit), True)
    assert _poll_until(keypad, at_ms, at_ms + 1000) == [Reading(BITS, "0111", at_ms)]


@fuzz
@given(steps)
def test_a_contact_tells_every_level_in_turn_and_ends_with_the_line_s(
    script: list[tuple[int, str, int, bool]],
) -> None:
    lines = Lines(1)
    contact = Contact(lines)
    readings = _run(contact, lines, script)
    _alternates(readings, LEVEL, True)
    assert contact.closed is False
    assert contact.deadline_ms is None
    lines.drive(_end_ms(script), "toggle", 0, True)
    assert _poll_until(contact, _end_ms(script), _end_ms(script) + 1000) == [
        Reading(LEVEL, True, _end_ms(script))
    ]


@fuzz
@given(steps)
def test_a_rex_tells_presses_and_releases_in_turn_and_hears_the_next_press(
    script: list[tuple[int, str, int, bool]],
) -> None:
    lines = Lines(1)
    rex = Rex(lines)
    readings = _run(rex, lines, script)
    _alternates(readings, LEVEL, True)
    assert rex.pressed is False
    lines.drive(_end_ms(script), "toggle", 0, True)
    assert rex.poll(_end_ms(script)) == [Reading(LEVEL, True, _end_ms(script))]


def _punctual_and_late(
    make: Callable[[Lines], Any], count: int, script: list[tuple[int, int]]
) -> tuple[list[Reading], list[Reading]]:
    both = []
    for punctual in (True, False):
        lines = Lines(count)
        driver = make(lines)
        readings = list(driver.poll(0))
        now_ms = 1000
        for after_ms, line in script:
            if punctual:
                readings += _poll_until(driver, now_ms, now_ms + after_ms - 1)
            now_ms += after_ms
            lines.drive(now_ms, "toggle", line, True)
            if punctual:
                readings += driver.poll(now_ms)
        readings += _poll_until(driver, now_ms + 500, now_ms + 500)
        both.append(readings)
    return both[0], both[1]


@fuzz
@given(toggles)
def test_a_late_loop_hears_the_same_as_a_punctual_one(script: list[tuple[int, int]]) -> None:
    makers: list[tuple[Callable[[Lines], Any], int]] = [
        (WiegandReader, 2),
        (Keypad, 2),
        (Contact, 1),
        (Rex, 1),
    ]
    for make, count in makers:
        punctual, late = _punctual_and_late(make, count, script)
        assert punctual == late, make


chunks = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(0, 700)),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from((b"]Q1", b"\x02", b"\x03", b"\r\n", b"w26:1:2\n", b"\x02010063E9AE25")),
            st.integers(1, 5000).map(lambda size: b"a" * size),
            st.sampled_from((None, True)),  # the device goes, comes back
        ),
    ),
    max_size=60,
)


@fuzz
@given(chunks, st.sampled_from(("lines", "rdm6300")))
def test_a_serial_reader_reads_the_next_card_after_any_noise(
    script: list[tuple[int, bytes | bool | None]], framing: str
) -> None:
    stream = Stream()
    reader = SerialReader(stream, framing)
    readings = reader.poll(0)
    now_ms = 0
    for after_ms, data in script:
        readings += _poll_until(reader, now_ms, now_ms + after_ms)
        now_ms += after_ms
        if isinstance(data, bytes):
            stream.arrived += data
        else:
            stream.gone = data is None
        readings += reader.poll(now_ms)
        assert len(reader._framer._buffer) <= 600
        assert len(reader._repeats._recent) <= 4
    stream.gone = False
    readings += _poll_until(reader, now_ms + 1000, now_ms + 3000)
    for reading in readings:
        assert reading.kind in (LINE, LOST, BACK, STUCK)
        assert reading.kind != LINE or len(reading.data) <= 601
    stuck = [reading.data for reading in readings if reading.kind == STUCK]
    assert stuck == [True, False] * (len(stuck) // 2)  # and let go in the end
    sent = b"\x02010063E9AE25\x03" if framing == "rdm6300" else b"w34:6547886\r\n"
    stream.arrived = sent
    read = [wire.decode(reading, framing) for reading in reader.poll(now_ms + 4000)]
    assert read == [CardRead("w34:0006547886", now_ms + 4000)]
    assert reader.deadline_ms is None


@fuzz
@given(st.binary(max_size=2000).filter(lambda noise: b"]Q" not in noise))
def test_a_line_after_a_line_of_noise_is_read_at_once(noise: bytes) -> None:
    stream = Stream()
    reader = SerialReader(stream, "lines")
    stream.arrived = noise + b"\n" + CARD.encode() + b"\n"
    assert reader.poll(0)[-1] == Reading(LINE, CARD.encode(), 0)
