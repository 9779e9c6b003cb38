"""Anything at all shown as a visitor's code: nobody, or what was made, never an exception.

``FUZZ_EXAMPLES`` sets how many examples each test tries, new ones each time; without it the same few.
"""

import os

from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.access import pin, visitor

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzz = settings(
    max_examples=int(EXAMPLES or 300),
    deadline=None,
    derandomize=EXAMPLES is None,  # the same ones at every test run, new ones when hunting
)

KEY = bytes(range(32))
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32)
places = st.none() | st.lists(names, min_size=1, max_size=8)
seconds = st.integers(0, 2**32 - 2)


@fuzz
@example("DW1:")
@example("DW1:" + "A" * 476)
@given(
    st.one_of(
        st.text(max_size=600),
        st.text(BASE32, max_size=520).map(lambda text: "DW1:" + text),
        st.text(max_size=100).map(lambda text: "DW1:" + text),
    )
)
def test_what_was_not_made_with_the_key_is_nobodys(text: str) -> None:
    assert visitor.read_qr(KEY, text) is None


@fuzz
@given(st.binary(max_size=300))
def test_claims_that_are_none_are_nobodys_or_whole_even_under_the_key(claims: bytes) -> None:
    mac = pin.keyed(KEY, b"doorward visitor code\n" + claims)[:16]
    found = visitor.read_qr(KEY, "DW1:" + visitor._base32(claims + mac))
    if found is not None:
        assert found.valid_from_s < found.valid_to_s
        assert 1 <= found.uses <= 255


@fuzz
@given(st.integers(0, 2**32 - 1), seconds, st.integers(1, 2**31), st.integers(1, 255), places)
def test_what_was_made_says_what_it_was_made_of(
    serial: int, from_s: int, lasts_s: int, uses: int, where: list[str] | None
) -> None:
    to_s = min(from_s + lasts_s, 2**32 - 1)
    found = visitor.read_qr(KEY, visitor.make_qr(KEY, serial, from_s, to_s, uses, where))
    assert found is not None
    assert (found.visit, found.valid_from_s, found.valid_to_s) == (str(serial), from_s, to_s)
    assert found.uses == uses
    assert found.levels == tuple("@" + name for name in where or ["*"])


@fuzz
@given(st.text(max_size=12), st.integers(0, 100_000), st.text(max_size=40))
def test_digits_of_any_kind_are_nobodys_or_one_of_the_days(
    name: str, day: int, digits: str
) -> None:
    found = visitor.find_digits(KEY, name, day, digits, 0, 1)
    right = [visitor.make_digits(KEY, name, day, index) for index in range(visitor.INDEXES)]
    assert (found is not None) == (digits in right)
