"""The people of a simulated building: what they carry, what they may, and the keys that follow from it.

Simulated people have no secrets: `Person.shown` tells everything. The records are portable; tables of a
scenario file are read by `sim.person_table`, on CPython.
"""

from firmware.access import credential, schedule
from firmware.wire import card_number, serial_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

EVERYWHERE = "everywhere"  #: the level of whoever may go everywhere at any time

_FIELDS = (
    ("name", "card", "pin", "duress_pin", "qr", "valid_from_s", "valid_to_s", "first_use_minutes")
    + ("uses", "hours", "access_points", "state", "extended", "override", "group")
    + ("credential", "holder", "flat", "note", "duress_card", "acknowledges", "deny", "pin_alone")
)


class Person:
    """Somebody with a key.

    name               str
    card               str or None   written form
    pin, duress_pin    str or None   digits
    qr                 str or None   text of a code
    valid_from_s       int or None   UTC, first second
    valid_to_s         int or None   UTC, first second after
    first_use_minutes  int or None
    uses               int or None
    hours              list of str or None   None: always
    access_points      list of str or None   None: all
    state              str           one of `firmware.access.credential.STATES`
    extended, override bool
    group              str or None
    credential, holder int           record numbers, the same in every run
    flat               str or None
    note               dict          "en" and "zh": who this is, for the page
    duress_card        str or None   written form of the one that is shown under threat
    acknowledges       bool          let in, they acknowledge what is shown at the door
    deny               list of str   access points that they may not use, whatever else they may
    pin_alone          bool          their PINs open without a card, and are theirs only
    """

    def __init__(self, name: str, **fields: "Any") -> None:
        self.name = name
        self.card: str | None = fields.pop("card", None)
        self.pin: str | None = fields.pop("pin", None)
        self.duress_pin: str | None = fields.pop("duress_pin", None)
        self.qr: str | None = fields.pop("qr", None)
        self.valid_from_s: int | None = fields.pop("valid_from_s", None)
        self.valid_to_s: int | None = fields.pop("valid_to_s", None)
        self.first_use_minutes: int | None = fields.pop("first_use_minutes", None)
        self.uses: int | None = fields.pop("uses", None)
        self.hours: list[str] | None = fields.pop("hours", None)
        self.access_points: list[str] | None = fields.pop("access_points", None)
        self.state: str = fields.pop("state", credential.ACTIVE)
        self.extended: bool = fields.pop("extended", False)
        self.override: bool = fields.pop("override", False)
        self.group: str | None = fields.pop("group", None)
        self.credential: int = fields.pop("credential", 0)
        self.holder: int = fields.pop("holder", 0)
        self.flat: str | None = fields.pop("flat", None)
        self.duress_card: str | None = fields.pop("duress_card", None)
        self.acknowledges: bool = fields.pop("acknowledges", False)
        self.deny: list[str] = fields.pop("deny", [])
        self.pin_alone: bool = fields.pop("pin_alone", True)
        self.note: dict[str, str] = fields.pop("note", {"en": "", "zh": ""})
        if fields:
            raise TypeError("person: unknown fields; expected those of its docstring")

    def shown(self) -> "dict[str, Any]":
        """Everything about them, as `GET /api/world` lists it."""
        return {field: getattr(self, field) for field in _FIELDS}


class PersonError(Exception):
    """Tables of people are wrong; ``problems`` are lines ``person[0].card: ...; expected ...``."""

    def __init__(self, problems: "list[str]") -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def people(config: "dict[str, Any]", start_ms: int, tables: "Any") -> "list[Person]":
    """The demo's people on the day of `start_ms` (UTC), and those of a scenario's ``[[person]]`` tables.

    A table replaces the person of the same name and keeps the record number. CPython only. Raises
    `PersonError` with every problem at once.
    """
    from sim import person_table
    from sim.fake_clock import zone_offset

    offset_s = zone_offset(config["controller"]["timezone"])
    demo = demo_people(start_ms // 1000, offset_s)
    framings = [device.get("framing") for device in config["devices"].values()]
    if serial_lines.RDM6300 in framings or "pn532" in framings:
        for somebody in demo:
            somebody.card = _ten_digits(somebody.card)
    return person_table.merge(demo, tables, config)


def demo_people(start_s: int, offset_s: "Callable[[int], int]") -> "list[Person]":
    """The people of the demo building; the visitor is expected on the local day of `start_s`."""
    today = (start_s + offset_s(start_s)) // schedule.DAY_S
    return [
        Person(
            "resident",
            card="w26:031:20417",
            pin="2580",
            duress_pin="2581",  # opens as the other does, and calls for help
            credential=1001,
            holder=301,
            flat="101",
            note={"en": "lives in flat 101; card and PIN", "zh": "101室住户，有卡和密码"},
        ),
        Person(
            "cleaner",
            card="w26:031:20655",
            hours=["mon-fri 08:00-12:00"],
            credential=1002,
            holder=302,
            note={"en": "weekdays 08:00 to 12:00", "zh": "工作日8:00至12:00"},
        ),
        Person(
            "ended_lease",
            card="w34:2871640193",
            valid_to_s=_midnight_s(schedule.day_number("2020-07-01"), offset_s),
            credential=1003,
            holder=303,
            flat="102",
            note={"en": "had flat 102 until 2020", "zh": "102室，租期至2020年"},
        ),
        Person(
            "lost_card",
            card="w26:031:20873",
            state=credential.LOST,
            credential=1004,
            holder=304,
            flat="103",
            note={"en": "a card of flat 103, reported lost", "zh": "103室的卡，已挂失"},
        ),
        Person(
            "visitor",
            qr="DOORWARD-VISIT-7Q4K-2M9X",
            uses=1,
            valid_from_s=_midnight_s(today, offset_s),
            valid_to_s=_midnight_s(today + 1, offset_s),
            credential=1005,
            holder=305,
            flat="101",
            note={"en": "a code for one visit today", "zh": "二维码，今日一次有效"},
        ),
        Person(
            "new_tenant",
            card="uid:8F3C21D7",
            valid_from_s=_midnight_s(schedule.day_number("2030-01-01"), offset_s),
            credential=1006,
            holder=306,
            flat="104",
            note={"en": "moves into flat 104 in 2030", "zh": "104室，2030年起租"},
        ),
        Person(
            "manager",
            card="w26:031:20042",
            extended=True,
            override=True,
            acknowledges=True,
            credential=1007,
            holder=307,
            note={"en": "opens in lockdown too, has more time", "zh": "封锁时可开门，开门时间更长"},
        ),
    ]


def changes(people: "list[Person]", access_points: "Any") -> "list[tuple[Any, ...]]":
    """The changes that bring a credential store to these people, in the order of their dependence.

    ("schedule", name, lines), ("level", name, [[access point or "*", schedule or None], ...]; a third
    True denies) and ("upsert", fields as `firmware.services.key_changes` takes them).
    """
    schedules: list[tuple[Any, ...]] = []
    levels: list[tuple[Any, ...]] = [("level", EVERYWHERE, [[credential.ANYWHERE, None]])]
    upserts: list[tuple[Any, ...]] = []
    for somebody in people:
        level = EVERYWHERE
        if somebody.hours is not None or somebody.access_points is not None or somebody.deny:
            level = "key-%d" % somebody.credential
            hours = None if somebody.hours is None else "hours-%d" % somebody.credential
            if hours is not None:
                schedules.append(("schedule", hours, list(somebody.hours or ())))
            places = [credential.ANYWHERE]
            if somebody.access_points is not None:
                places = sorted(somebody.access_points)
            rights: list[list[Any]] = [[place, hours] for place in places]
            rights += [[place, None, True] for place in sorted(somebody.deny)]
            levels.append(("level", level, rights))
        upserts.append(("upsert", _key(somebody, level)))
    return schedules + levels + upserts


def _key(somebody: Person, level: str) -> "dict[str, Any]":
    minutes = somebody.first_use_minutes
    return {
        "id": somebody.credential,
        "holder": somebody.holder,
        "state": somebody.state,
        "valid_from_s": somebody.valid_from_s,
        "valid_to_s": somebody.valid_to_s,
        "first_use_s": None if minutes is None else minutes * 60,
        "uses": somebody.uses,
        "levels": [level],
        "extended": somebody.extended,
        "override": somebody.override,
        "version": 1,
        "cards": _cards(somebody.card),
        "pin": somebody.pin,
        "pin_alone": somebody.pin_alone,
        "codes": [] if somebody.qr is None else [somebody.qr],
        "duress_cards": _cards(somebody.duress_card),
        "duress_pin": somebody.duress_pin,
        "flat": somebody.flat,
        "group": somebody.group,
        "acknowledges": somebody.acknowledges,
    }


def _cards(card: "str | None") -> "list[str]":
    return [] if card is None else [card_number.parse(card)]


def _ten_digits(card: "str | None") -> "str | None":
    """A 125 kHz fob bears both numbers, ``031,20417`` and ten digits; an RDM6300 tells the latter."""
    form, _, rest = (card or "").partition(":")
    if form != "w26":
        return card
    facility, _, number = rest.partition(":")
    return "w34:%010d" % (int(facility) << 16 | int(number))


def _midnight_s(day: int, offset_s: "Callable[[int], int]") -> int:
    """The UTC second at which a local day begins."""
    local_s = day * schedule.DAY_S
    return local_s - offset_s(local_s - offset_s(local_s))
