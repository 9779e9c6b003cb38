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
_SIMPLE = frozenset((str, int, bool, type(None)))


_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True
).encode


class CanonicalError(ValueError):
    """A value has no canonical form; says what kind of trouble it is, never the value."""


def by_json(value: Any) -> bytes:
    """A plain value by the standard library. Raises `ValueError` for a number that is too large."""
    if _has_large(value):
        raise ValueError
    return _encode(value).encode()


def by_orjson() -> Callable[[Any], bytes]:
    """What writes a plain value by orjson, and raises `TypeError` for a number that is too large."""
    import orjson

    exactly = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
    return lambda value: orjson.dumps(value, option=exactly)


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
    """Whether what is not the authority writes `value` as RFC 8785 does, or refuses it: large numbers."""
    kind = type(value)
    if kind is dict:
        # Keys are sorted by UTF-16 units (3.2.3), which for ASCII is the order of their bytes.
        try:
            if not "".join(value).isascii():
                return False
        except TypeError:  # a key that is no text
            return False
        value = value.values()
        if _SIMPLE.issuperset(map(type, value)):  # most are
            return True
    elif kind is not list:
        return kind in _SIMPLE
    for one in value:
        kind = type(one)
        if kind not in _SIMPLE and not ((kind is dict or kind is list) and _is_plain(one)):
            return False
    return True


def _has_large(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return not -_LARGEST <= value <= _LARGEST
    if kind is dict:
        value = value.values()
    return kind in (dict, list) and any(_has_large(one) for one in value)
