"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that it can be hashed and signed.

`rfc8785` is the authority. Events are nearly always plain (no floats, ASCII keys), and for those the
standard library's encoder gives the same bytes twenty times faster, and `orjson`, which takes a start too
long to load, a hundred times; a test holds all three equal.
"""

import json
from collections.abc import Callable
from typing import Any

import rfc8785

_LARGEST = 2**53 - 1  # RFC 8785 3.2.2.3: integers are IEEE 754 doubles


_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True
).encode


class CanonicalError(ValueError):
    """A value has no canonical form; says what kind of trouble it is, never the value."""


def by_json(value: Any) -> bytes:
    """A plain value by the standard library."""
    return _encode(value).encode()


def by_orjson() -> Callable[[Any], bytes]:
    """What writes a plain value by orjson."""
    import orjson

    return lambda value: orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


#: what writes a plain value
write_plain: Callable[[Any], bytes] = by_json


def prepare() -> None:
    """Have plain values written by orjson from now on."""
    global write_plain
    write_plain = by_orjson()


def dumps(value: Any) -> bytes:
    """The canonical form of a JSON value, UTF-8.

    Raises `CanonicalError` for what has none: a number that is not finite or too large, a lone
    surrogate, a key that is no text, an object that is not JSON's, one that contains itself.
    """
    try:
        if _is_plain(value):
            return write_plain(value)
    except (ValueError, TypeError, RecursionError):
        pass  # deeper than these go, or no text: the authority says
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"value has no canonical form: {type(error).__name__}") from None


def _is_plain(value: Any) -> bool:
    """Whether what is not the authority writes `value` as RFC 8785 does."""
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
