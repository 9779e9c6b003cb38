"""`firmware.trust.canonical`: the fast path and RFC 8785's own implementation give the same bytes."""

from collections.abc import Iterator
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.trust import canonical

ORJSON = canonical.by_orjson()


@pytest.fixture(
    params=[canonical.by_json, ORJSON], ids=["json", "orjson"], autouse=True, scope="module"
)
def writer(request: pytest.FixtureRequest) -> Iterator[None]:
    before, canonical.write_plain = canonical.write_plain, request.param
    yield
    canonical.write_plain = before


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True)
@given(_VALUES)
def test_every_json_value_has_the_same_form_as_rfc8785_gives_it(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except ValueError:
        with pytest.raises(canonical.CanonicalError):
            canonical.dumps(value)
        return
    assert canonical.dumps(value) == expected


@settings(derandomize=True)
@given(_VALUES)
def test_the_order_in_which_keys_came_does_not_matter(value: Any) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    try:
        expected = canonical.dumps(value)
    except canonical.CanonicalError:
        return
    assert canonical.dumps(turned(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"b": 1, "a": [True, None, 'é\n\u0007"\\/\u007f']},
            '{"a":[true,null,"é\\n\\u0007\\"\\\\/\u007f"],"b":1}',
        ),
        # RFC 8785 3.2.3: by UTF-16 units, not by code points
        ({"\U0001f600": 1, "\ufb33": 2, "1": 3, "": 4}, '{"":4,"1":3,"\U0001f600":1,"\ufb33":2}'),
        ([1e21, 0.1, -0.0, 4.50, 1e-7], "[1e+21,0.1,0,4.5,1e-7]"),
        (2**53 - 1, "9007199254740991"),
    ],
)
def test_known_values_have_their_known_form(value: Any, expected: str) -> None:
    assert canonical.dumps(value) == expected.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        {"a": [1, {"b": 2**53}]},
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        [object()],
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(canonical.CanonicalError, match="^value has no canonical form: [A-Za-z]+$"):
        canonical.dumps(value)


def test_what_contains_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(canonical.CanonicalError):
        canonical.dumps(value)


def test_a_door_that_has_started_writes_by_orjson() -> None:
    before = canonical.write_plain
    canonical.prepare()
    assert canonical.write_plain not in (before, canonical.by_json)
    canonical.write_plain = before
