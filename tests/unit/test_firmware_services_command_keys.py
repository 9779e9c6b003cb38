"""`credential.sync`, `credential.enrol` and `events.replay` as signed commands to the real controller."""

import base64
import json
from typing import Any

import pytest
from command_house import CommandHouse

from firmware.trust import order, sealing, signing
from sim.virtual import OPERATOR
from sim.virtual_host import seed_of

CARD = "w26:012:34567"
OTHER = "w26:012:34568"


@pytest.fixture
def house() -> CommandHouse:
    return CommandHouse()


def _key(number: int, card: str = "", **fields: object) -> dict[str, Any]:
    return {"id": number, "cards": [card] if card else [], **fields}


def _page(
    house: CommandHouse,
    version: int,
    page: int,
    pages: int,
    *keys: Any,
    by: str = OPERATOR,
    **more: Any,
) -> dict[str, Any]:
    """Send a page; the reply."""
    args = {"version": version, "page": page, "pages": pages, "upsert": list(keys), **more}
    reply = house.answer(house.make("credential.sync", args, by=by))
    assert reply is not None
    return reply


def _shows(house: CommandHouse, card: str) -> str:
    """What the front door says to a card: granted, or the reason why not."""
    house.events.clear()
    house.act("present_card", access_point="front-in", number=card)
    denied = house.told("access.denied", "reason")
    return str(denied[0][0]) if denied else str(house.told("access.granted", "type")[0][0])


def _health(house: CommandHouse) -> dict[str, Any]:
    """As the broker has it now: the newest version is there at once."""
    said = [body for topic, body in house.said if topic == house.root + "/health"]
    return dict(json.loads(said[-1])["credentials"])


def test_pages_count_when_the_last_one_has_come_and_not_before(house: CommandHouse) -> None:
    count = house.controller.store.held()[0]
    first = _page(house, 7, 1, 2, _key(5001, CARD))
    assert first["result"] == {"version": 0, "count": count, "page": 1}
    assert _shows(house, CARD) == "unknown_credential"
    last = _page(house, 7, 2, 2, _key(5002, OTHER))
    assert last["result"] == {"version": 7, "count": count + 2}
    assert _health(house) == {"count": count + 2, "version": 7, "ok": True}
    assert _shows(house, CARD) == "no_right"
    assert _shows(house, OTHER) == "no_right"


def test_each_key_of_a_small_set_is_told_with_the_last_page(house: CommandHouse) -> None:
    _page(house, 7, 1, 2, _key(5001, CARD))
    assert house.told("credential.changed") == []
    _page(house, 7, 2, 2, _key(5002, OTHER), remove=[1007])
    told = sorted(house.told("credential.changed", "credential", "change", "by"))
    assert told == [
        (1007, "removed", OPERATOR),
        (5001, "issued", OPERATOR),
        (5002, "issued", OPERATOR),
    ]


def test_a_flaw_on_any_page_leaves_everything_as_it_was(house: CommandHouse) -> None:
    count = house.controller.store.held()[0]
    _page(house, 7, 1, 2, _key(5001, CARD))
    wrong = _page(house, 7, 2, 2, _key(5002, levels=["no-such-level"]))
    assert wrong["error"]["code"] == "failed"
    assert "level no-such-level is unknown" in wrong["error"]["message"]
    assert _shows(house, CARD) == "unknown_credential"
    taken = _page(house, 7, 2, 2, _key(5002, "w26:031:20417"))
    assert "card is taken by credential 1001" in taken["error"]["message"]
    assert "20417" not in json.dumps(taken)
    assert _page(house, 7, 2, 2, _key(5002, OTHER))["ok"]
    assert house.controller.store.held()[:2] == (count + 2, 7)


def test_a_set_of_all_takes_away_what_it_does_not_name(house: CommandHouse) -> None:
    _page(house, 3, 1, 2, _key(5001, CARD), all=True)
    # The resident's card moves to another key in the same set.
    assert _page(house, 3, 2, 2, _key(5002, "w26:031:20417"), all=True)["ok"]
    assert house.controller.store.held() == (2, 3, True)
    assert ("removed",) in house.told("credential.changed", "change")
    assert _shows(house, "w26:031:20417") == "no_right"


def test_a_version_never_goes_down(house: CommandHouse) -> None:
    assert _page(house, 7, 1, 1, _key(5001, CARD))["ok"]
    older = _page(house, 6, 1, 1, _key(5001, OTHER))
    assert "version 6 is old; expected 7 or higher" in older["error"]["message"]
    assert _page(house, 7, 1, 1, _key(5001, OTHER))["ok"]
    assert _shows(house, CARD) == "unknown_credential"


def test_an_interrupted_set_leaves_the_old_one_and_goes_on_after_a_power_cut(
    house: CommandHouse,
) -> None:
    _page(house, 7, 1, 3, _key(5001, CARD))
    _page(house, 7, 2, 3, _key(5002))
    house.act("cut_power")
    house.act("restore_power")
    house.run(3000)
    assert house.controller.store.held()[1] == 0
    assert _shows(house, CARD) == "unknown_credential"
    assert _page(house, 7, 2, 3, _key(5002, OTHER))["ok"]  # its answer may have been lost
    assert _page(house, 7, 3, 3)["result"]["version"] == 7
    assert _shows(house, OTHER) == "no_right"
    assert _page(house, 7, 3, 3)["result"]["version"] == 7


def test_a_set_undoes_nothing_that_was_ordered_while_its_pages_came(house: CommandHouse) -> None:
    everywhere = {"levels": ["everywhere"]}
    assert _page(house, 7, 1, 2, _key(5001, CARD, **everywhere), all=True)["ok"]
    lost = {"credential": _key(5001, CARD, state="lost", **everywhere)}
    new = {"credential": _key(5002, OTHER, **everywhere)}
    for one in (lost, new):
        reply = house.answer(house.make("credential.upsert", one))
        assert reply is not None
        assert reply["ok"]
    last = _page(house, 7, 2, 2, all=True)
    assert "expected page 1 first" in last["error"]["message"]
    assert _shows(house, CARD) == "credential_lost"
    assert _shows(house, OTHER) == "access.granted"


def test_a_set_that_was_ended_is_not_taken_for_the_one_in_force(house: CommandHouse) -> None:
    assert _page(house, 7, 1, 2)["ok"]
    assert _page(house, 7, 2, 2, _key(5001, CARD))["ok"]
    assert _page(house, 7, 1, 2)["ok"]  # the same version again
    reply = house.answer(house.make("credential.upsert", {"credential": _key(5002)}))
    assert reply is not None
    assert reply["ok"]
    last = _page(house, 7, 2, 2, _key(5003, OTHER))
    assert "expected page 1 first" in last["error"]["message"]
    assert _shows(house, OTHER) == "unknown_credential"


def test_pages_come_in_order_and_of_one_set(house: CommandHouse) -> None:
    assert "expected page 1 first" in _page(house, 7, 2, 3)["error"]["message"]
    _page(house, 7, 1, 3, _key(5001))
    assert "expected page 2" in _page(house, 7, 3, 3)["error"]["message"]
    assert "expected page 1 first" in _page(house, 8, 2, 3)["error"]["message"]
    assert "expected page 1 first" in _page(house, 7, 2, 4)["error"]["message"]
    assert "expected page 1 first" in _page(house, 7, 2, 3, all=True)["error"]["message"]
    twice = _page(house, 7, 2, 3, _key(5001))
    assert "credential 5001: stands twice" in twice["error"]["message"]
    _page(house, 8, 1, 1, _key(5002, CARD))  # another set begins: the old one is forgotten
    assert house.controller.store.held()[1] == 8
    assert house.controller.store._file.find("") is None


def _staged(house: CommandHouse) -> int:
    """How many keys wait on pages."""
    connection = house.controller.store._file._there()
    return int(connection.execute("SELECT count(*) FROM staged").get)


def test_a_set_is_of_one_operator_and_another_ones_page_is_no_part_of_it(
    house: CommandHouse,
) -> None:
    house.seeds["op-desk"] = seed_of(house.building.parts.sent.config, "op-desk")
    assert _page(house, 7, 1, 2, _key(5001, CARD), by="op-desk")["ok"]
    other = _page(house, 7, 2, 2, _key(5002, OTHER))
    assert other["error"]["message"] == (
        "credential.sync: page 2 is of no set that was begun; expected page 1 first"
    )
    assert _shows(house, CARD) == "unknown_credential"
    assert _page(house, 7, 2, 2, _key(5003), by="op-desk")["ok"]
    assert (_shows(house, CARD), _shows(house, OTHER)) == ("no_right", "unknown_credential")


@pytest.mark.parametrize("how", ["revoked", "lowered", "another key"])
@pytest.mark.parametrize("cut", [False, True])
def test_who_may_send_no_more_has_no_part_in_what_comes_into_force(
    how: str, cut: bool, house: CommandHouse
) -> None:
    config = house.building.parts.sent.config
    house.seeds["op-desk"] = seed_of(config, "op-desk")
    before = base64.b64encode(signing.public_of(house.seeds["op-desk"])).decode()
    after = base64.b64encode(signing.public_of(seed_of(config, "op-next"))).decode()
    assert _page(house, 7, 1, 2, _key(5001, CARD), by="op-desk")["ok"]
    ends: dict[str, dict[str, object]] = {
        "revoked": {"revoked": True},
        "lowered": {"role": "caretaker"},
        "another key": {"public_key": after},
    }
    command = house.make("operator.set", {"operator": "op-desk", **ends[how]})
    assert house.code(command) == "ok"
    assert _staged(house) == 0
    if cut:
        house.act("cut_power")
        house.act("restore_power")
        house.run(3000)
    assert "expected page 1 first" in _page(house, 7, 2, 2)["error"]["message"]
    back = {"operator": "op-desk", "role": "manager", "revoked": False, "public_key": before}
    assert house.code(house.make("operator.set", back)) == "ok"
    again = _page(house, 7, 2, 2, by="op-desk")
    assert "expected page 1 first" in again["error"]["message"]
    assert _shows(house, CARD) == "unknown_credential"
    assert _page(house, 7, 1, 1, _key(5001, CARD), by="op-desk")["ok"]


def test_a_set_is_not_gone_on_with_under_another_key_though_the_disk_kept_it(
    house: CommandHouse,
) -> None:
    config = house.building.parts.sent.config
    house.seeds["op-desk"] = seed_of(config, "op-desk")
    assert _page(house, 7, 1, 2, _key(5001, CARD), by="op-desk")["ok"]
    house.controller.store.withdraw = lambda operator: None
    house.seeds["op-desk"] = seed_of(config, "op-next")
    key = base64.b64encode(signing.public_of(house.seeds["op-desk"])).decode()
    command = house.make("operator.set", {"operator": "op-desk", "public_key": key})
    assert house.code(command) == "ok"
    assert _staged(house) == 1
    last = _page(house, 7, 2, 2, by="op-desk")
    assert "expected page 1 first" in last["error"]["message"]
    assert _shows(house, CARD) == "unknown_credential"


def test_the_change_of_one_operator_leaves_the_set_of_another(house: CommandHouse) -> None:
    house.seeds["op-desk"] = seed_of(house.building.parts.sent.config, "op-desk")
    assert _page(house, 7, 1, 2, _key(5001, CARD), by="op-desk")["ok"]
    other = {"operator": "op-keeper", "revoked": True}
    assert house.code(house.make("operator.set", other)) == "ok"
    assert _page(house, 7, 2, 2, by="op-desk")["ok"]
    assert _shows(house, CARD) == "no_right"


@pytest.mark.parametrize(
    "args",
    [
        {"page": 1, "pages": 2},
        {"all": True},
        {"version": 0},
        {"version": 1, "page": 3, "pages": 2},
        {"version": 1, "page": 0},
        {"version": 1, "page": 1, "pages": 1001},
        {"version": "7"},
    ],
)
def test_a_page_that_is_none_is_a_bad_command(args: dict[str, Any], house: CommandHouse) -> None:
    assert house.code(house.make("credential.sync", args)) == "bad_command"


def test_of_very_many_keys_one_record_tells(house: CommandHouse) -> None:
    for page in (1, 2):
        keys = [_key(page * 10_000 + number) for number in range(900)]
        assert _page(house, 7, page, 2, *keys)["ok"]
    count = house.controller.store.held()[0]
    assert house.told("credential.changed") == []
    assert house.told("credential.synced", "version", "count", "by") == [(7, count, OPERATOR)]


def test_a_pin_that_waits_on_a_page_is_nowhere_in_the_file(house: CommandHouse) -> None:
    _page(house, 7, 1, 2, _key(5001, CARD, pin="4711"))
    disk = house.building.parts.disk
    content = b"".join(bytes(file.view) for file in disk._files.values())
    assert b"staged" in content
    assert b'"4711"' not in content
    _page(house, 7, 2, 2)
    house.events.clear()
    house.act("enter_pin", access_point="front-in", digits="4711")
    house.run(2000)
    assert house.told("access.denied", "credential", "reason") == [(5001, "no_right")]


# ---- enrolling -------------------------------------------------------------------------------------

PRIVATE = bytes(range(1, 33))
REPLY_KEY = base64.b64encode(sealing.public_of(PRIVATE)).decode()


def _enrol(house: CommandHouse, **args: object) -> dict[str, Any]:
    given = {"access_point": "front-in", "timeout_s": 20, **args}
    return house.make("credential.enrol", given, reply_key=REPLY_KEY)


def _opened(house: CommandHouse, command: dict[str, Any]) -> dict[str, Any]:
    (text,) = house.replies(command["id"])
    reply = json.loads(text)
    assert "result" not in reply
    belongs = sealing.belongs_to(command["id"], house.to)
    return dict(json.loads(sealing.unseal(reply["sealed"], PRIVATE, belongs)))


def test_the_next_card_is_told_to_who_asked_and_is_not_decided_on(house: CommandHouse) -> None:
    command = _enrol(house)
    assert house.answer(command) is None
    house.act("present_card", access_point="yard-in", number=OTHER)  # another reader decides on
    assert house.told("access.denied", "access_point") == [("yard-in",)]
    house.act("present_card", access_point="front-in", number=CARD)
    assert _opened(house, command) == {"number": CARD}
    assert len(house.told("access.denied")) == 1
    assert house.told("access.granted") == []
    assert "34567" not in json.dumps(house.events) + str(house.said)
    assert _shows(house, CARD) == "unknown_credential"


def test_what_is_enrolled_with_a_key_is_that_keys(house: CommandHouse) -> None:
    command = _enrol(house, credential={"id": 5001})
    house.say(order.text(command))
    house.act("present_card", access_point="front-in", number=CARD)
    assert _opened(house, command) == {"number": CARD}
    assert house.told("credential.changed", "credential", "change") == [(5001, "issued")]
    assert _shows(house, CARD) == "no_right"


def test_without_a_card_it_fails_in_time_and_the_reader_decides_again(house: CommandHouse) -> None:
    command = _enrol(house)
    assert house.answer(command) is None
    assert house.code(_enrol(house)) == "failed"  # one at a time
    assert house.code(house.make("portal.release", {"portal": "front"})) == "ok"
    house.run(20_000)
    (reply,) = [json.loads(text) for text in house.replies(command["id"])]
    assert reply["error"] == {"code": "failed", "message": "credential.enrol: no card came"}
    assert _shows(house, CARD) == "unknown_credential"


def test_who_is_revoked_while_an_enrolment_waits_gets_no_card(house: CommandHouse) -> None:
    house.seeds["op-desk"] = seed_of(house.building.parts.sent.config, "op-desk")
    given = {"access_point": "front-in", "credential": {"id": 5001, "levels": ["everywhere"]}}
    command = house.make("credential.enrol", given, reply_key=REPLY_KEY, by="op-desk")
    assert house.answer(command) is None
    other = {"operator": "op-keeper", "revoked": True}
    assert house.code(house.make("operator.set", other)) == "ok"
    assert house.replies(command["id"]) == []  # of somebody else
    revoke = {"operator": "op-desk", "revoked": True}
    assert house.code(house.make("operator.set", revoke)) == "ok"
    (reply,) = [json.loads(text) for text in house.replies(command["id"])]
    assert reply["error"] == {"code": "failed", "message": "credential.enrol: no card came"}
    assert _shows(house, CARD) == "unknown_credential"
    assert house.told("credential.changed") == []


def test_an_enrolment_needs_a_key_for_its_answer(house: CommandHouse) -> None:
    bare = house.make("credential.enrol", {"access_point": "front-in"})
    assert house.code(bare) == "bad_command"
    zeros = base64.b64encode(bytes(32)).decode()
    weak = house.make("credential.enrol", {"access_point": "front-in"}, reply_key=zeros)
    assert house.code(weak) == "bad_command"
    assert _shows(house, CARD) == "unknown_credential"


# ---- records again ---------------------------------------------------------------------------------


def test_a_range_of_records_is_sent_once_more(house: CommandHouse) -> None:
    house.act("push_door", portal="front")
    house.code(house.make("portal.release", {"portal": "front"}))
    house.run(10_000)
    house.said.clear()
    command = house.make("events.replay", {"from_seq": 1, "to_seq": 3})
    reply = house.answer(command)
    assert reply is not None
    assert reply["result"] == {"from_seq": 1, "to_seq": 3}
    house.run(2000)
    seqs = [json.loads(body)["seq"] for topic, body in house.said if topic.endswith("/event")]
    assert [seq for seq in seqs if seq <= 3] == [1, 2, 3]
    assert house.code(house.make("events.replay", {"from_seq": 10**9})) == "failed"
    wrong = house.make("events.replay", {"from_seq": 5, "to_seq": 4})
    assert house.code(wrong) == "bad_command"
