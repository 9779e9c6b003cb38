"""People in a scenario file: ``[[person]]`` tables to `sim.person.Person`, every problem at once."""

from datetime import UTC, datetime
from typing import Any

from firmware.access import credential, schedule, visitor
from firmware.access import pin as access_pin
from firmware.wire import card_number
from hal.board_schema import text
from hal.schema import (
    Check,
    Fields,
    Problems,
    choice,
    each,
    flag,
    nearest_known,
    optional,
    required,
    show,
    table,
    whole,
)
from sim.person import Person, PersonError
from sim.verbs import code_frame, utc_ms

FIRST_CREDENTIAL = 2001  #: of people whom the demo does not have, in the order of the file
FIRST_HOLDER = 401
MOST = 10_000
LONGEST_NAME = 64  #: of a flat or a group, as at `firmware.services.key_changes`

_READS_CODES = {"driver": "serial_reader", "framing": "lines"}


def merge(demo: list[Person], tables: Any, config: dict[str, Any]) -> list[Person]:
    """`demo` with the people of `tables` added, or in the place of whoever has their name.

    Raises `sim.person.PersonError`.
    """
    problems = Problems("")
    if not isinstance(tables, list) or len(tables) > MOST:
        raise PersonError([f"person: is no list of tables; expected at most {MOST} [[person]]"])
    fields = _fields(sorted(config["access_points"]))
    where = {somebody.name: "the demo" for somebody in demo}
    merged = {somebody.name: somebody for somebody in demo}
    new = 0
    for index, entry in enumerate(tables):
        path = f"person[{index}]"
        if not isinstance(entry, dict):  # and not what it is: it may be a PIN
            problems.add(path, "is no table; expected [[person]] and the keys of one below it")
            continue
        full = table(entry, fields, path, problems)
        name = full.pop("name")
        if name is None:
            continue
        if where.get(name, "the demo") != "the demo":
            problems.add(
                f"{path}.name", f"{show(name)} is also {where[name]}; expected one of a name"
            )
        where[name] = path
        _check_pair(full, path, problems)
        before = merged.get(name)
        if before is None:
            full.update(credential=FIRST_CREDENTIAL + new, holder=FIRST_HOLDER + new)
            new += 1
        else:
            full.update(credential=before.credential, holder=before.holder)
            full.update(flat=full["flat"] or before.flat, note=before.note)
        full["valid_from_s"] = full.pop("valid_from")
        full["valid_to_s"] = full.pop("valid_to")
        merged[name] = Person(name, **full)
    _check_shared(list(merged.values()), where, problems)
    if problems.lines:
        raise PersonError([line.partition(": ")[2] for line in problems.lines])
    return list(merged.values())


def _fields(access_points: list[str]) -> Fields:
    return {
        "name": required(text),
        "card": optional(card),
        "pin": optional(digits),
        "duress_pin": optional(digits),
        "qr": optional(code),
        "valid_from": optional(second),
        "valid_to": optional(second),
        "first_use_minutes": optional(whole(1, 5_256_000, "minutes")),
        "uses": optional(whole(1, 1_000_000, "uses")),
        "hours": optional(each(hours, 100)),
        "access_points": optional(each(_one_of(access_points), 1000)),
        "state": optional(choice(*credential.STATES), credential.ACTIVE),
        "extended": optional(flag, False),
        "override": optional(flag, False),
        "group": optional(_name),
        "flat": optional(_name),
        "duress_card": optional(card),
        "acknowledges": optional(flag, False),
        "deny": optional(each(_one_of(access_points), 1000), []),
        "pin_alone": optional(flag, True),
    }


def digits(value: Any) -> str:
    """The digits of a PIN; what is wrong with them is told without them."""
    shortest, longest = access_pin.MIN_DIGITS, access_pin.MAX_DIGITS
    right = isinstance(value, str) and shortest <= len(value) <= longest
    if not right or set(value) - set("0123456789"):
        raise ValueError(f"not a PIN; expected a text of {shortest} to {longest} digits")
    return str(value)


def _name(value: Any) -> str:
    """A flat or a group, as a controller's store takes it."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise ValueError(
            f"{show(value)} is not allowed; expected 1 to {LONGEST_NAME} printable characters"
        )
    return value


def card(value: Any) -> str:
    """A written card number."""
    if not isinstance(value, str):
        raise ValueError("not a text; expected such as w26:012:34567")
    card_number.parse(value)
    return value


def code(value: Any) -> str:
    """The text of a code that a reader can show; visitors' codes need nobody to own them."""
    if not isinstance(value, str):
        raise ValueError("not a text; expected 1 to 512 bytes of UTF-8")
    if value.startswith(visitor.PREFIX):
        raise ValueError(
            f'begins with {visitor.PREFIX}; expected a text of its own (show_qr with "text")'
        )
    code_frame(_READS_CODES, value)
    return value


def second(value: Any) -> int:
    """A time to the second, as text or as TOML's own; UTC seconds."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    try:
        at_ms = utc_ms(value) if isinstance(value, str) else None
    except ValueError:
        at_ms = None
    if at_ms is None or at_ms % 1000:
        raise ValueError(
            f'{show(value)} is no time to the second; expected such as "2026-11-21T08:15:00Z"'
        )
    return at_ms // 1000


def hours(value: Any) -> str:
    """One line of hours."""
    if not isinstance(value, str):
        raise ValueError(f'{show(value)} is not allowed; expected such as "mon-fri 08:00-12:00"')
    schedule.parse(value)
    return value


def _one_of(names: list[str]) -> Check:
    def check(value: Any) -> str:
        if value not in names:
            near = nearest_known(str(value), names)
            raise ValueError(f"{show(value)} is not allowed; expected an access point, {near}")
        return str(value)

    return check


def _check_pair(full: dict[str, Any], path: str, problems: Problems) -> None:
    start_s, end_s = full["valid_from"], full["valid_to"]
    if start_s is not None and end_s is not None and end_s <= start_s:
        problems.add(f"{path}.valid_to", "not after valid_from; expected a later time")


def _check_shared(people: list[Person], where: dict[str, str], problems: Problems) -> None:
    """What is shown belongs to one person; a PIN that counts only after a card may be anybody's too."""
    owners: dict[tuple[str, str], str] = {}
    for somebody in people:
        path = where[somebody.name]
        if somebody.pin is not None and somebody.pin == somebody.duress_pin:
            problems.add(path, "the PIN is also both of theirs; expected one of its own")
            continue
        things = [("card", card_of) for card_of in (somebody.card, somebody.duress_card)]
        shown = [(what, card_number.parse(thing)) for what, thing in things if thing is not None]
        if len(set(shown)) < len(shown):
            problems.add(path, "the card is also both of theirs; expected one of its own")
            continue
        things = [("PIN", somebody.pin), ("PIN", somebody.duress_pin)] if somebody.pin_alone else []
        shown += [(what, thing) for what, thing in [*things, ("code", somebody.qr)] if thing]
        for what, thing in shown:
            owner = owners.setdefault((what, thing), somebody.name)
            if owner != somebody.name:
                problems.add(
                    path, f"the {what} is also that of {show(owner)}; expected one of its own"
                )
                break
