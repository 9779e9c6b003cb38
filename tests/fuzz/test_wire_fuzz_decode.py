"""Anything at all into the decoders: always a record, always a canonical number, never an exception.

``FUZZ_EXAMPLES`` sets how many examples each test tries, new ones each time; without it the same few.
"""

import os

from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware import wire
from firmware.wire import card_number, keypad, serial_lines, wiegand
from firmware.wire.readings import BadRead, CardRead, CodeRead, KeyRead
from hal.ports import BITS, LINE, Reading

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzz = settings(
    max_examples=int(EXAMPLES or 300),
    deadline=None,
    derandomize=EXAMPLES is None,  # the same ones at every test run, new ones when hunting
)

REASONS = ("length", "parity", "noise")
FORMATS = ("any", "w26", "w34", "w37", "lines", "rdm6300", "")

bursts = st.one_of(
    st.text("01", max_size=80),
    st.text("01?", max_size=80),
    st.sampled_from((4, 8, 26, 34, 37)).flatmap(lambda n: st.text("01", min_size=n, max_size=n)),
)
card_like = st.builds(
    lambda start, rest: (start + rest).encode(),
    st.sampled_from(("w26:", "w34:", "w37:", "uid:", "0x", "")),
    st.text("0123456789abcdefABCDEF: x", max_size=40),
)
frames = st.one_of(
    st.binary(max_size=700),
    card_like,
    st.binary(max_size=520).map(lambda data: b"]Q1" + data),
    st.text(max_size=200).map(lambda text: b"]Q1" + text.encode("utf-8", "replace")),
    st.text("0123456789ABCDEFabcdef", min_size=12, max_size=12).map(str.encode),
)
numbers = st.one_of(
    st.builds("w26:{}:{}".format, st.integers(0, 255), st.integers(0, 65535)),
    st.integers(0, 2**32 - 1).map("w34:{}".format),
    st.integers(0, 2**35 - 1).map("w37:{}".format),
    st.sampled_from((4, 7, 10))
    .flatmap(lambda size: st.binary(min_size=size, max_size=size))
    .map(lambda data: "uid:" + data.hex()),
)


def _check(read: object) -> None:
    assert isinstance(read, (CardRead, KeyRead, CodeRead, BadRead))
    assert read.at_ms == 77
    if isinstance(read, CardRead):
        assert card_number.parse(read.number.reveal()) == read.number
    elif isinstance(read, KeyRead):
        assert read.key.reveal() in "0123456789*#"
        assert len(read.key.reveal()) == 1
    elif isinstance(read, CodeRead):
        assert 1 <= len(read.text.reveal().encode()) <= 512
    else:
        assert read.why in REASONS


@fuzz
@given(bursts, st.sampled_from(FORMATS))
def test_any_burst_is_a_record(bits: str, card_format: str) -> None:
    _check(wire.decode(Reading(BITS, bits, 77), card_format))


@fuzz
@given(frames, st.sampled_from(FORMATS))
@example(b"", "lines")
@example(b"]Q", "lines")
@example(b"]", "lines")
def test_any_frame_is_a_record(frame: bytes, card_format: str) -> None:
    _check(wire.decode(Reading(LINE, frame, 77), card_format))


@fuzz
@given(bursts)
def test_a_burst_taken_for_a_card_is_exactly_that_card_s_burst(bits: str) -> None:
    read = wiegand.decode(bits, 77)
    if isinstance(read, CardRead):
        assert card_number.to_bits(read.number.reveal()) == bits
    if isinstance(read, KeyRead):
        assert keypad.to_bits(read.key.reveal(), len(bits)) == bits


@fuzz
@given(st.binary(max_size=600))
def test_nothing_behind_the_identifier_is_a_card(data: bytes) -> None:
    read = serial_lines.decode_line(b"]Q1" + data, 77)
    assert isinstance(read, (CodeRead, BadRead))
    if isinstance(read, CodeRead):
        assert read.text.reveal().encode() == data


@fuzz
@given(st.one_of(st.text(max_size=60), card_like.map(bytes.decode)))
def test_any_text_is_a_canonical_number_or_a_value_error(text: str) -> None:
    try:
        number = card_number.parse(text)
    except ValueError as error:
        refusal = str(error)
    else:
        assert card_number.parse(number) == number
        return
    assert refusal.startswith("card number: ")
    assert "; expected " in refusal
    assert "\n" not in refusal


@fuzz
@given(numbers)
def test_a_number_survives_every_way_a_reader_can_send_it(written: str) -> None:
    number = card_number.parse(written)
    assert wire.decode(Reading(LINE, written.encode(), 77), "lines") == CardRead(number, 77)
    if not number.startswith("uid:"):
        bits = card_number.to_bits(written)
        assert wire.decode(Reading(BITS, bits, 77)) == CardRead(number, 77)
    if number.startswith("w34:"):
        frame = serial_lines.to_rdm6300(written)[1:-1]
        assert wire.decode(Reading(LINE, frame, 77), "rdm6300") == CardRead(number, 77)
