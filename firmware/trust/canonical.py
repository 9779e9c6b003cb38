"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that it can be hashed and signed.

`rfc8785` is the authority. Events are nearly always plain (no floats, ASCII keys), and for those `orjson`
gives the same bytes a hundred times faster; a test holds the two equal.
"""

from typing import Any

import orjson
import rfc8785

_LARGEST = 2**53 - 1  # RFC 8785 3.2.2.3: integers are IEEE 754 doubles


class CanonicalError(ValueError):
    """A value has no canonical form; says what kind of trouble it is, never the value."""


def dumps(value: Any) -> bytes:
    """The canonical form of a JSON value, UTF-8.

    Raises `CanonicalError` for what has none: a number that is not finite or too large, a lone
    surrogate, a key that is no text, an object that is not JSON's, one that contains itself.
    """
    try:
        if _is_plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError):
        pass  # deeper than orjson goes, or no text: the authority says
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"value has no canonical form: {type(error).__name__}") from None


def _is_plain(value: Any) -> bool:
    """Whether `orjson` writes `value` as RFC 8785 does: it is what `json.loads` gives, of plain parts."""
    kind = type(value)
    if kind is dict:
        # Keys are sorted by UTF-16 units (3.2.3), which for ASCII is the order of their bytes.
        try:
            if not "".join(value).isascii():
                return False
        except TypeError:  # a key that is no text
            return False
        value = value.values()
    elif kind is not list:
        value = (value,)
    for one in value:
        kind = type(one)
        if kind is str:  # most are
            continue
        if kind is int:
            if not -_LARGEST <= one <= _LARGEST:
                return False
        elif kind is dict or kind is list:
            if not _is_plain(one):
                return False
        elif one is not None and kind is not bool:
            return False
    return True
