"""`sim.person`: the demo's people, those of a scenario file, and the keys that follow from them."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.runtime.aio import JumpWaiter, Loop, VirtualClock
from firmware.services import key_changes
from firmware.wire import card_number
from sim import person, verbs
from sim.fakes import FakeAnalogInputs, FakeLines, FakeSerialPorts, FakeTicks, zone_offset
from sim.world import World

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)  # already the 22nd in Shanghai
START_MS = int(START.timestamp()) * 1000


@pytest.fixture(scope="module")
def demo() -> dict[str, Any]:
    return hal.board.load(str(ROOT / "board_configs/demo-sim.toml"))


@pytest.fixture
def people(demo: dict[str, Any]) -> Callable[..., list[person.Person]]:
    return lambda *tables: person.people(demo, START_MS, list(tables))


def problems(people: Callable[..., list[person.Person]], *tables: Any) -> list[str]:
    with pytest.raises(person.PersonError) as caught:
        people(*tables)
    return caught.value.problems


def named(everybody: list[person.Person], name: str) -> person.Person:
    return next(somebody for somebody in everybody if somebody.name == name)


def test_the_demo_has_the_people_of_the_contract(
    people: Callable[..., list[person.Person]],
) -> None:
    assert [somebody.name for somebody in people()] == [
        "resident",
        "cleaner",
        "ended_lease",
        "lost_card",
        "visitor",
        "new_tenant",
        "manager",
    ]


def test_the_visitor_is_expected_on_the_local_day_the_scenario_starts(
    people: Callable[..., list[person.Person]],
) -> None:
    visitor = named(people(), "visitor")
    assert visitor.valid_from_s == datetime(2026, 11, 21, 16, tzinfo=UTC).timestamp()
    assert visitor.valid_to_s == datetime(2026, 11, 22, 16, tzinfo=UTC).timestamp()
    assert visitor.uses == 1


def test_a_visitors_day_may_have_23_hours() -> None:
    offset_s = zone_offset("Europe/Berlin")
    noon_s = int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp())
    visitor = named(person.demo_people(noon_s, offset_s), "visitor")
    assert visitor.valid_from_s == datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()
    assert visitor.valid_to_s == datetime(2026, 3, 29, 22, tzinfo=UTC).timestamp()


def test_a_zone_changes_to_the_second() -> None:
    offset_s = zone_offset("Europe/Berlin")
    change_s = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    assert [offset_s(change_s - 1), offset_s(change_s), offset_s(change_s - 1)] == [
        3600,
        7200,
        3600,
    ]


def test_what_is_left_free_for_scenarios_is_free(
    people: Callable[..., list[person.Person]],
) -> None:
    for somebody in people():
        card = somebody.card or "none"
        assert not card.startswith(("w26:012:", "w26:099:", "w34:1234567890", "uid:04A1B2")), card
        assert somebody.pin not in {"4711", "4712", *(f"000{digit}" for digit in range(10))}


def test_a_scenarios_person_is_added_or_takes_the_place_of_their_namesake(
    people: Callable[..., list[person.Person]],
) -> None:
    before = people()
    after = people(
        {"name": "tester", "card": "w26:12:34567", "pin": "4711"},
        {"name": "cleaner", "pin": "4712"},
        {"name": "guest"},
    )
    assert [somebody.name for somebody in after][-2:] == ["tester", "guest"]
    assert named(after, "cleaner").credential == named(before, "cleaner").credential
    assert named(after, "cleaner").hours is None
    assert named(after, "cleaner").card is None
    assert [somebody.credential for somebody in after][-2:] == [2001, 2002]
    assert len({somebody.holder for somebody in after}) == len(after)


def test_every_field_of_the_contract_is_read(
    demo: dict[str, Any], people: Callable[..., list[person.Person]]
) -> None:
    table = {
        "name": "tester",
        "card": "uid:04a1b2c3",
        "pin": "4711",
        "duress_pin": "4712",
        "qr": "a code 门",
        "valid_from": "2026-11-21T08:00:00Z",
        "valid_to": datetime(2026, 11, 22, 8, tzinfo=UTC),
        "first_use_minutes": 90,
        "uses": 3,
        "hours": ["mon-fri 08:00-12:00", "sat,hol 22:00-06:00"],
        "access_points": ["yard-in", "front-in"],
        "state": "suspended",
        "extended": True,
        "override": True,
        "group": "family",
        "flat": "302",
        "duress_card": "w26:012:34568",
        "acknowledges": True,
        "deny": ["yard-out"],
        "pin_alone": False,
    }
    everybody = people(table)
    shown = named(everybody, "tester").shown()
    assert shown["valid_from_s"] == 1795248000
    assert shown["valid_to_s"] == 1795248000 + 86400
    assert {key: shown[key] for key in table if not key.startswith("valid")} == {
        key: value for key, value in table.items() if not key.startswith("valid")
    }
    changes = person.changes(everybody, demo["access_points"])
    assert ("schedule", "hours-2001", table["hours"]) in changes
    rights = [["front-in", "hours-2001"], ["yard-in", "hours-2001"], ["yard-out", None, True]]
    assert ("level", "key-2001", rights) in changes
    assert changes[-1] == (
        "upsert",
        {
            "id": 2001,
            "holder": 401,
            "state": "suspended",
            "valid_from_s": 1795248000,
            "valid_to_s": 1795334400,
            "first_use_s": 5400,
            "uses": 3,
            "levels": ["key-2001"],
            "extended": True,
            "override": True,
            "version": 1,
            "cards": ["w34:0077705923"],
            "pin": "4711",
            "codes": ["a code 门"],
            "pin_alone": False,
            "duress_cards": ["w26:012:34568"],
            "duress_pin": "4712",
            "flat": "302",
            "group": "family",
            "acknowledges": True,
        },
    )


def test_changes_come_in_the_order_of_their_dependence(
    demo: dict[str, Any], people: Callable[..., list[person.Person]]
) -> None:
    changes = person.changes(people(), demo["access_points"])
    kinds = [change[0] for change in changes]
    assert kinds == sorted(kinds, key=["schedule", "level", "upsert"].index)
    names = {change[1] for change in changes if change[0] == "level"}
    fields = {field for field in key_changes.FIELDS if "hash" not in field and "salt" not in field}
    for change in changes:
        if change[0] == "upsert":
            assert set(change[1]["levels"]) <= names
            assert set(change[1]) == fields | {
                *("cards", "pin", "codes", "pin_alone", "duress_cards", "duress_pin")
            }
            assert all(card_number.parse(card) == card for card in change[1]["cards"])


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"name": "a", "crd": 1}, 'person[0].crd: unknown key; the nearest known one is "card"'),
        ({}, "person[0].name: missing; expected 1 to 255 characters"),
        (
            {"name": "a", "card": "w26:9"},
            "person[0].card: card number: number is not decimal; expected 0 to 65535",
        ),
        ({"name": "a", "card": 7}, "person[0].card: not a text; expected such as w26:012:34567"),
        (
            {"name": "a", "valid_to": "2026-11-21T08:00:00.5Z"},
            'person[0].valid_to: "2026-11-21T08:00:00.5Z" is no time to the second; '
            'expected such as "2026-11-21T08:15:00Z"',
        ),
        (
            {"name": "a", "valid_to": datetime(2026, 1, 1)},  # noqa: DTZ001  as TOML has it
            'person[0].valid_to: "2026-01-01 00:00:00" is no time to the second; '
            'expected such as "2026-11-21T08:15:00Z"',
        ),
        (
            {"name": "a", "valid_from": "2026-11-21T08:00:00Z", "valid_to": "2026-11-21T08:00:00Z"},
            "person[0].valid_to: not after valid_from; expected a later time",
        ),
        (
            {"name": "a", "hours": ["mon"]},
            'person[0].hours: hours "mon" are not clear; expected such as "mon-fri 08:00-12:00"',
        ),
        (
            {"name": "a", "access_points": ["front"]},
            'person[0].access_points: "front" is not allowed; expected an access point, '
            'the nearest known one is "front-in"',
        ),
        (
            {"name": "a", "qr": "two\nlines"},
            "person[0].qr: text has control characters; expected none",
        ),
        (
            {"name": "a", "pin": "471"},
            "person[0].pin: not a PIN; expected a text of 4 to 12 digits",
        ),
        (
            {"name": "a", "card": "w26:031:20417"},
            'person[0]: the card is also that of "resident"; expected one of its own',
        ),
        (
            {"name": "a", "card": "w34:2403082711"},
            'person[0]: the card is also that of "new_tenant"; expected one of its own',
        ),
        (
            {"name": "a", "pin": "2580"},
            'person[0]: the PIN is also that of "resident"; expected one of its own',
        ),
        (
            {"name": "a", "duress_pin": "2580"},
            'person[0]: the PIN is also that of "resident"; expected one of its own',
        ),
        (
            {"name": "a", "pin": "4711", "duress_pin": "4711"},
            "person[0]: the PIN is also both of theirs; expected one of its own",
        ),
        (
            {"name": "a", "card": "w26:12:1", "duress_card": "w26:012:00001"},
            "person[0]: the card is also both of theirs; expected one of its own",
        ),
        (
            {"name": "a", "duress_card": "w26:031:20417"},
            'person[0]: the card is also that of "resident"; expected one of its own',
        ),
        (
            {"name": "a", "pin": "4711", "duress_pin": "4711", "pin_alone": False},
            "person[0]: the PIN is also both of theirs; expected one of its own",
        ),
        (
            {"name": "a", "deny": ["front"]},
            'person[0].deny: "front" is not allowed; expected an access point, '
            'the nearest known one is "front-in"',
        ),
        (
            {"name": "a", "flat": "x" * 65},
            f'person[0].flat: "{"x" * 56}... is not allowed; expected 1 to 64 printable characters',
        ),
        (
            {"name": "a", "qr": "DW1:AA"},
            'person[0].qr: begins with DW1:; expected a text of its own (show_qr with "text")',
        ),
        (
            ["4711"],
            "person[0]: is no table; expected [[person]] and the keys of one below it",
        ),
    ],
)
def test_what_is_wrong_with_a_person_is_named(
    people: Callable[..., list[person.Person]], table: Any, line: str
) -> None:
    assert line in problems(people, table)


def test_pins_that_count_after_a_card_only_may_be_the_same(
    people: Callable[..., list[person.Person]],
) -> None:
    pins = {"pin": "2580", "duress_pin": "4712", "pin_alone": False}
    people({"name": "a", "card": "w26:12:1", **pins}, {"name": "b", "card": "w26:12:2", **pins})


def test_the_manager_of_the_demo_acknowledges(
    people: Callable[..., list[person.Person]],
) -> None:
    assert [somebody.name for somebody in people() if somebody.acknowledges] == ["manager"]


def test_two_of_one_name_are_one_too_many(people: Callable[..., list[person.Person]]) -> None:
    text = 'person[1].name: "a" is also person[0]; expected one of a name'
    assert problems(people, {"name": "a"}, {"name": "a"}) == [text]


def test_no_pin_and_no_card_stands_in_a_problem(
    people: Callable[..., list[person.Person]],
) -> None:
    lines = problems(
        people,
        {"name": "a", "pin": "x98765", "card": "w26:256:98765", "duress_pin": "2580"},
        {"name": "b", "card": "w26:031:20417"},
    )
    text = "\n".join(lines)
    for secret in ("98765", "2580", "20417"):
        assert secret not in text


def test_tables_that_are_no_list_are_one_problem(demo: dict[str, Any]) -> None:
    with pytest.raises(person.PersonError, match=r"^person: is no list of tables"):
        person.people(demo, START_MS, {"name": "a"})


def test_every_board_of_the_project_can_be_simulated() -> None:
    for file in sorted((ROOT / "board_configs").glob("*.toml")):
        config = hal.board.load(str(file))
        clock = VirtualClock()
        loop = Loop(clock, JumpWaiter(clock))
        everybody = person.people(config, START_MS, [])
        lines = FakeLines(FakeTicks(clock))
        before = copy.deepcopy(config)
        world = World(config, loop, lines, FakeSerialPorts(), FakeAnalogInputs(), everybody)
        ports = FakeSerialPorts()
        board = hal.board.open_board(config, lines, ports, FakeAnalogInputs(), ports.buses)
        assert board.problems == [], file
        assert set(world.snapshot()["portals"]) == set(config["portals"])
        for name in config["access_points"]:
            if "w26" in verbs.accepts(config, name):
                world.act("present_card", access_point=name, person="resident")
        assert config == before
