"""Checks one key as it is to be stored, and turns it into rows. Pure but for the salt of a PIN.

The key a host or the simulator gives has the fields of `firmware.access.credential.Credential` (all but
``id`` may be left out) and what is shown for it: ``cards`` (any written form), ``codes`` (texts), ``pin``
(digits that open alone and after a card; ``pin_alone = False``: only after a card).
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from firmware.access import access_point, credential, pin
from firmware.wire import card_number

FIELDS = credential.Credential._fields[:13]
_SHOWN = ("cards", "codes", "pin", "pin_alone")
_DIGITS = set("0123456789")


class ChangeError(ValueError):
    """A change was refused: one line, what was wrong and what was expected; never a number or PIN."""


class KeyRow(NamedTuple):
    """A key as it is stored.

    row      list  values of `FIELDS`, ``version`` None where the store is to choose
    numbers  list  what it is found by
    """

    id: int
    row: list[Any]
    numbers: list[str]


def number_of(key: bytes, kind: str, value: str) -> str:
    """What a card, code or PIN is found by: cards as they are, the others under the controller's key."""
    if kind == access_point.PIN:
        return "pin:" + pin.index(key, value)
    if kind == access_point.CODE:
        return "code:" + pin.code_index(key, value)
    return value


def what_is(number: str) -> str:
    """What an entry stands for, in words without it."""
    kind = number.partition(":")[0]
    return {"pin": "PIN", "code": "code"}.get(kind, "card")


def key_row(fields: dict[str, Any], key: bytes, random: Callable[[int], bytes]) -> KeyRow:
    """The rows of one key. Raises `ChangeError`."""
    number = fields.get("id")
    if type(number) is not int or number < 1:
        raise ChangeError("credential: id is none; expected a whole number from 1")
    try:
        return _key_row(number, fields, key, random)
    except _Flaw as flaw:
        raise ChangeError(f"credential {number}: {flaw}") from None


def to_credential(row: tuple[Any, ...]) -> credential.Credential:
    """The key behind a stored row."""
    values = dict(zip(FIELDS, row, strict=True))
    values["levels"] = tuple(json.loads(values["levels"]))
    values["extended"] = bool(values["extended"])
    values["override"] = bool(values["override"])
    values.update(duress_hash=None, flat=None, group=None, acknowledges=False)
    return credential.Credential(duress=False, visit=None, **values)


class _Flaw(Exception):
    """What is wrong with a key, without its number."""


def _key_row(
    number: int, fields: dict[str, Any], key: bytes, random: Callable[[int], bytes]
) -> KeyRow:
    for name in fields:
        if name not in FIELDS and name not in _SHOWN:
            raise _Flaw(f"{name[:32]} is unknown; expected one of {', '.join(FIELDS + _SHOWN)}")
    values = _values(fields)
    numbers = [_card(text) for text in _texts(fields, "cards")]
    numbers += [number_of(key, access_point.CODE, text) for text in _texts(fields, "codes")]
    digits = fields.get("pin")
    if digits is not None:
        _check_pin(digits)
        if _flag(fields, "pin_alone", True):
            numbers.append(number_of(key, access_point.PIN, digits))
        values["pin_salt"] = random(16)
        values["pin_hash"] = pin.salted(values["pin_salt"], digits)
    row = [number] + [values[name] for name in FIELDS[1:]]
    return KeyRow(number, row, list(dict.fromkeys(numbers)))


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": fields.get("state", credential.ACTIVE),
        "levels": json.dumps(_texts(fields, "levels"), separators=(",", ":")),
        "extended": int(_flag(fields, "extended", False)),
        "override": int(_flag(fields, "override", False)),
    }
    if values["state"] not in credential.STATES:
        raise _Flaw(f"state is unknown; expected one of {', '.join(credential.STATES)}")
    lowest = {"first_use_s": 1, "uses": 0, "version": 1}
    for name in ("holder", "valid_from_s", "valid_to_s", "first_use_s", "uses", "version"):
        value = values[name] = fields.get(name)
        low = lowest.get(name, 0)
        if value is not None and (type(value) is not int or not low <= value < 2**53):
            raise _Flaw(f"{name} is out of range; expected a whole number from {low}")
    begins_s, ends_s = values["valid_from_s"], values["valid_to_s"]
    if begins_s is not None and ends_s is not None and ends_s <= begins_s:
        raise _Flaw("valid_to_s is not after valid_from_s; expected it to be")
    for name in ("pin_salt", "pin_hash"):
        value = values[name] = fields.get(name)
        if value is not None and type(value) is not bytes:
            raise _Flaw(f"{name} is of another type; expected bytes")
    return values


def _check_pin(digits: Any) -> None:
    if (
        type(digits) is not str
        or not pin.MIN_DIGITS <= len(digits) <= pin.MAX_DIGITS
        or not set(digits) <= _DIGITS
    ):
        raise _Flaw(f"pin is none; expected {pin.MIN_DIGITS} to {pin.MAX_DIGITS} digits")


def _card(text: str) -> str:
    try:
        return card_number.parse(text)
    except ValueError:
        raise _Flaw("a card number is none; expected a form such as w26:FFF:NNNNN") from None


def _texts(fields: dict[str, Any], name: str) -> list[str]:
    texts = fields.get(name, ())
    if not isinstance(texts, (list, tuple)) or not all(type(t) is str and t for t in texts):
        raise _Flaw(f"{name} is of another type; expected a list of texts")
    return list(texts)


def _flag(fields: dict[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if type(value) is not bool:
        raise _Flaw(f"{name} is of another type; expected true or false")
    return value
