"""`firmware.trust.envelope`: what counts as a message at all."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.runtime import command_gate, operators
from firmware.trust import canonical, order
from firmware.trust.envelope import DEEPEST, LONGEST, Flaw, read


def _nested(deep: int, opening: str = '{"a":', closing: str = "}") -> bytes:
    return (opening * deep + "1" + closing * deep).encode()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b" ",
        b"null",
        b"7",
        b'"text"',
        b"[{}]",
        b"{",
        b"{}}",
        b"{} {}",
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"deep":[{"b":1,"b":2}]}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":"\x01"}',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"' + b"x" * LONGEST + b'"}',
        _nested(DEEPEST + 1),
        _nested(100_000),
        b'{"a":' + _nested(DEEPEST, "[", "]") + b"}",
        b"[" * 200_000,
        '{"a":' + "[" * 20 + '"]]]]]]]]]]]]]]]]]]]]"' + "]" * 20 + "}",
    ],
    ids=lambda payload: str(payload[:24]),
)
def test_what_is_no_message_is_refused_in_one_line_that_does_not_repeat_it(payload: Any) -> None:
    data = payload.encode() if isinstance(payload, str) else payload
    with pytest.raises(Flaw) as caught:
        read(data)
    text = str(caught.value)
    assert text.startswith("message: ")
    assert "; expected" in text
    assert "\n" not in text
    assert caught.value.__cause__ is None


def test_what_is_just_within_the_limits_is_read() -> None:
    assert read(_nested(DEEPEST)) == json.loads(_nested(DEEPEST))
    assert read(b'{"a":9007199254740991}') == {"a": 9007199254740991}
    padded = b'{"a":"' + b"x" * (LONGEST - 8) + b'"}'
    assert len(padded) == LONGEST
    assert len(read(padded)["a"]) == LONGEST - 8
    assert read(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_brackets_in_a_text_are_no_depth() -> None:
    text = "[" * 100 + '\\"' + "{" * 100
    assert read(b'{"a":"' + text.encode() + b'"}') == {"a": json.loads(f'"{text}"')}


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_it_is_an_object_or_a_flaw(data: bytes) -> None:
    try:
        found = read(data)
    except Flaw:
        return
    assert type(found) is dict
    assert canonical.dumps(found)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(string.printable, max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5), st.booleans())
def test_what_is_read_has_a_canonical_form_and_is_what_was_written(
    value: dict[str, Any], ascii_only: bool
) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        found = read(data)
    except Flaw:
        return
    assert found == json.loads(data)
    assert canonical.dumps(found)


def test_host_and_controller_agree_on_what_is_sealed() -> None:
    for op in (*operators.OPS, "credential.anything", "x"):
        assert order.is_sealed(op) == command_gate.is_sealed(op)
    assert (order.RELEASE_MS, order.LIFE_MS) == (command_gate.RELEASE_MS, command_gate.LIFE_MS)
