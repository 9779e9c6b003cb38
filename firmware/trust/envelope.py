"""Reads what a stranger sent as one JSON object, strictly: the door to everything that is signed.

Refused are more than `LONGEST` bytes, what is no UTF-8, a key that stands twice (two readers would see two
commands), nesting deeper than `DEEPEST`, NaN and Infinity, integers that a double cannot hold, and half
surrogates. The link looks first, the command desk again: nobody trusts what another process has checked.
"""

import json
from typing import Any, NoReturn

LONGEST = 262_144  #: bytes of one message
DEEPEST = 16  #: objects and lists within each other
LARGEST = 2**53 - 1  #: of a whole number, either side of zero (RFC 8785)
_DIGITS = len(str(LARGEST)) + 1  # and a sign


class Flaw(ValueError):
    """A message is none: one line, what was wrong and what was expected; never what it held."""


def read(payload: bytes) -> dict[str, Any]:
    """The object that `payload` holds. Raises `Flaw`, and nothing else, whatever the bytes are."""
    if len(payload) > LONGEST:
        raise Flaw(f"message: is too long; expected at most {LONGEST} bytes")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise Flaw("message: is no UTF-8; expected JSON") from None
    if text.startswith("\ufeff"):
        raise Flaw("message: begins with a mark; expected an object")
    _check_depth(text)
    try:
        found = _decode(text)
    except Flaw:
        raise
    except (ValueError, RecursionError):
        raise Flaw("message: is no JSON; expected an object") from None
    if type(found) is not dict:
        raise Flaw("message: is no object; expected one")
    if "\\u" in text:
        _check_text(found)
    return found


def _check_depth(text: str) -> None:
    """Before anything is built: a parser that recurses must not be led deeper than it should go."""
    depth = 0
    within = escaped = False
    if text.count("{") + text.count("[") <= DEEPEST:
        return
    for character in text:
        if within:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                within = False
        elif character == '"':
            within = True
        elif character in "{[":
            depth += 1
            if depth > DEEPEST:
                raise Flaw(f"message: is nested too deep; expected at most {DEEPEST}")
        elif character in "}]":
            depth -= 1


def _check_text(value: Any) -> None:
    """That no text holds half a surrogate, which has no UTF-8. As deep as `_check_depth` let it be."""
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Flaw("message: holds half a character; expected whole ones") from None
    elif type(value) is list:
        for entry in value:
            _check_text(entry)
    elif type(value) is dict:
        for key, entry in value.items():
            _check_text(key)
            _check_text(entry)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Flaw("message: has a key twice; expected each once")
    return made


def _integer(digits: str) -> int:
    if len(digits) <= _DIGITS:
        value = int(digits)
        if -LARGEST <= value <= LARGEST:
            return value
    raise Flaw(f"message: has a number beyond {LARGEST}; expected smaller ones")


def _real(digits: str) -> float:
    value = float(digits)
    if value - value != 0:
        raise Flaw("message: has a number that is not finite; expected finite ones")
    return value


def _constant(name: str) -> NoReturn:
    raise Flaw("message: has a number that is none; expected finite ones")


_decode = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_real,
    parse_constant=_constant,
).decode
