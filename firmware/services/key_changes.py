"""Checks one key as it is to be stored, and turns it into rows. Pure but for the salt of a PIN.

The key a host or the simulator gives has the fields of `firmware.access.credential.Credential` (all but
``id`` may be left out; `FIELDS`) and what is shown for it: ``cards`` (any written form), ``codes``
(texts), ``pin`` (digits that open alone and after a card; ``pin_alone = False``: only after a card),
and what is shown for it by somebody who is forced to: ``duress_cards``, ``duress_pin``.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from firmware.access import access_point, credential, pin, visitor
from firmware.services import key_sums
from firmware.wire import card_number, serial_lines

FIELDS = key_sums.FIELDS
_SHOWN = ("cards", "codes", "pin", "pin_alone", "duress_cards", "duress_pin")
_DIGITS = set("0123456789")

MOST = 64  #: levels, cards or codes of one key
LONGEST_NAME = 64  #: characters of a flat, a group, a level
LARGEST = 2**53  #: whole numbers stay below: every JSON reader can tell them apart


class ChangeError(ValueError):
    """A change was refused: one line, what was wrong and what was expected; never a number or PIN."""


class KeyRow(NamedTuple):
    """A key as it is stored.

    row      list  values of `FIELDS`, ``version`` None where the store is to choose
    numbers  list  (what it is found by, 1 where that tells of duress)
    """

    id: int
    row: list[Any]
    numbers: list[tuple[str, int]]


def number_of(key: bytes, kind: str, value: str) -> str:
    """What a card, code or PIN is found by: cards as they are, the others under the controller's key."""
    if kind == access_point.PIN:
        return "pin:" + pin.index(key, value)
    if kind == access_point.CODE:
        return "code:" + pin.code_index(key, value)
    return value


def what_is(number: str, duress: int) -> str:
    """What an entry stands for, in words without it."""
    kind = {"pin": "PIN", "code": "code"}.get(number.partition(":")[0], "card")
    return f"duress {kind}" if duress else kind


def id_of(number: Any) -> int:
    """A key's record number. Raises `ChangeError`."""
    if type(number) is not int or not 1 <= number < LARGEST:
        raise ChangeError("credential: id is none; expected a whole number from 1")
    return number


def key_row(fields: Any, key: bytes, random: Callable[[int], bytes]) -> KeyRow:
    """The rows of one key. Raises `ChangeError`."""
    if type(fields) is not dict:
        raise ChangeError("credential: is no table; expected its fields")
    number = id_of(fields.get("id"))
    try:
        return _key_row(number, fields, key, random)
    except _Flaw as flaw:
        raise ChangeError(f"credential {number}: {flaw}") from None


def to_credential(row: tuple[Any, ...]) -> credential.Credential:
    """The key behind a stored row of `FIELDS`, and whether it was found by what tells of duress."""
    values = dict(zip(FIELDS, row[:-1], strict=True))
    values["levels"] = tuple(json.loads(values["levels"]))
    for name in ("extended", "override", "acknowledges"):
        values[name] = bool(values[name])
    return credential.Credential(duress=bool(row[-1]), visit=None, **values)


class _Flaw(Exception):
    """What is wrong with a key, without its number."""


def _key_row(
    number: int, fields: dict[str, Any], key: bytes, random: Callable[[int], bytes]
) -> KeyRow:
    for name in fields:
        if name not in FIELDS and name not in _SHOWN:
            known = ", ".join(FIELDS + _SHOWN)
            raise _Flaw(f"{ascii(name)[:34].strip(chr(39))} is unknown; expected one of {known}")
    values = _values(fields)
    numbers = {(_card(text), 0) for text in _texts(fields, "cards")}
    forced = {(_card(text), 1) for text in _texts(fields, "duress_cards")}
    if any((card, 0) in numbers for card, _ in forced):
        raise _Flaw("duress_cards has one of cards; expected others")
    numbers |= forced
    numbers |= {(number_of(key, access_point.CODE, text), 0) for text in _codes(fields)}
    alone = _flag(fields, "pin_alone", True)
    for digits, duress in _pins(fields, values, random):
        values["duress_hash" if duress else "pin_hash"] = pin.salted(values["pin_salt"], digits)
        if alone:
            numbers.add((number_of(key, access_point.PIN, digits), duress))
    if values["duress_hash"] is not None and values["duress_hash"] == values["pin_hash"]:
        raise _Flaw("duress_pin is the pin; expected another one")
    row = [number] + [values[name] for name in FIELDS[1:]]
    return KeyRow(number, row, sorted(numbers))


def _pins(
    fields: dict[str, Any], values: dict[str, Any], random: Callable[[int], bytes]
) -> list[tuple[str, int]]:
    """The PINs that are given as digits, with a salt for both."""
    given = [(name, fields.get(name)) for name in ("pin", "duress_pin")]
    pins = [(name, digits) for name, digits in given if digits is not None]
    for name, digits in pins:
        _check_pin(name, digits)
    hashed = values["pin_hash"] is not None or values["duress_hash"] is not None
    if pins and (values["pin_salt"] is None or not hashed):
        values["pin_salt"] = random(16)
    return [(digits, int(name == "duress_pin")) for name, digits in pins]


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": fields.get("state", credential.ACTIVE),
        "levels": json.dumps(_names(fields, "levels"), separators=(",", ":")),
    }
    if values["state"] not in credential.STATES:
        raise _Flaw(f"state is unknown; expected one of {', '.join(credential.STATES)}")
    for name in ("extended", "override", "acknowledges"):
        values[name] = int(_flag(fields, name, False))
    for name in ("holder", "valid_from_s", "valid_to_s", "first_use_s", "uses", "version"):
        values[name] = whole(fields, name)
    check_validity(values["valid_from_s"], values["valid_to_s"])
    for name, lengths in (("pin_salt", range(8, 65)), ("pin_hash", (32,)), ("duress_hash", (32,))):
        value = values[name] = fields.get(name)
        if value is not None and (type(value) is not bytes or len(value) not in lengths):
            raise _Flaw(f"{name} is of another type; expected bytes, {lengths[0]} of them")
    if values["pin_salt"] is None and (values["pin_hash"] or values["duress_hash"]):
        raise _Flaw("pin_salt is missing; expected that of pin_hash and duress_hash")
    for name in ("flat", "group"):
        value = values[name] = fields.get(name)
        if value is not None and not _is_name(value):
            raise _Flaw(f"{name} is none; expected 1 to {LONGEST_NAME} printable characters")
    return values


_LOWEST = {"first_use_s": 1, "version": 1}


def whole(fields: dict[str, Any], name: str) -> int | None:
    """A whole number among `fields`, or None. Raises what a caller of `key_row` sees as `ChangeError`."""
    value = fields.get(name)
    low = _LOWEST.get(name, 0)
    if value is not None and (type(value) is not int or not low <= value < LARGEST):
        raise _Flaw(f"{name} is out of range; expected a whole number from {low}")
    return value


def check_validity(begins_s: int | None, ends_s: int | None) -> None:
    """That a key does not end before it begins; as `whole`."""
    if begins_s is not None and ends_s is not None and ends_s <= begins_s:
        raise _Flaw("valid_to_s is not after valid_from_s; expected it to be")


def new_end(number: int, fields: Any, begins_s: int | None, ends_s: int | None) -> int | None:
    """The end of a key's validity after it was extended by `fields`. Raises `ChangeError`."""
    if type(fields) is not dict or set(fields) != {"valid_to_s"}:
        raise ChangeError(
            f"credential {number}: extend needs valid_to_s; expected that and no more"
        )
    try:
        value = whole(fields, "valid_to_s")
        check_validity(begins_s, value)
    except _Flaw as flaw:
        raise ChangeError(f"credential {number}: {flaw}") from None
    if value is not None and (ends_s is None or value <= ends_s):
        raise ChangeError(
            f"credential {number}: valid_to_s is not later than it was; expected a later end, or none"
        )
    return value


def _check_pin(name: str, digits: Any) -> None:
    if (
        type(digits) is not str
        or not pin.MIN_DIGITS <= len(digits) <= pin.MAX_DIGITS
        or not set(digits) <= _DIGITS
    ):
        raise _Flaw(f"{name} is none; expected {pin.MIN_DIGITS} to {pin.MAX_DIGITS} digits")


def _card(text: str) -> str:
    try:
        return card_number.parse(text)
    except ValueError:
        raise _Flaw("a card number is none; expected a form such as w26:FFF:NNNNN") from None


def _codes(fields: dict[str, Any]) -> list[str]:
    codes = _texts(fields, "codes")
    for text in codes:
        try:
            right = len(text.encode()) <= serial_lines.LONGEST_CODE
        except UnicodeEncodeError:
            right = False
        if not right or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text):
            raise _Flaw(
                f"a code is none; expected 1 to {serial_lines.LONGEST_CODE} bytes of UTF-8 text"
            )
        if text.startswith(visitor.PREFIX):
            raise _Flaw(
                f"a code begins with {visitor.PREFIX}, as visitors' codes do; expected another"
            )
    return codes


def _names(fields: dict[str, Any], name: str) -> list[str]:
    texts = _texts(fields, name)
    if not all(_is_name(text) for text in texts):
        raise _Flaw(f"{name} has one that is none; expected 1 to {LONGEST_NAME} characters each")
    return texts


def _is_name(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _texts(fields: dict[str, Any], name: str) -> list[str]:
    texts = fields.get(name, ())
    if not isinstance(texts, (list, tuple)) or not all(type(t) is str and t for t in texts):
        raise _Flaw(f"{name} is of another type; expected a list of texts")
    if len(texts) > MOST:
        raise _Flaw(f"{name} has {len(texts)} entries; expected at most {MOST}")
    return list(texts)


def _flag(fields: dict[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if type(value) is not bool:
        raise _Flaw(f"{name} is of another type; expected true or false")
    return value
