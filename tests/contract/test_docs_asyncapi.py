"""docs/asyncapi.yaml is a right document, has all of the contract, and can say no."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft7Validator

import hal.board
from firmware.access import alarm, credential, life_cycle, portal, record
from firmware.access.credential import STATES
from firmware.runtime import command_gate
from firmware.runtime.operations import Operations
from firmware.runtime.operators import OPS, ROLES
from firmware.services import key_changes
from firmware.trust import order
from firmware.wire import payload
from hal import board_events
from sim import expected
from tests.asyncapi_document import Document, Flaw, document

ROOT = "doorward/sunrise/c-01"

#: Topics of CONTRACT.md, section 3.
TOPICS = """status about event portal/{portal} alarm/{point}/{class} health command reply/{command} stored"""

#: What each type of event carries: CONTRACT.md, section 3.
CARRIES = {
    "access.granted": "credential holder verification passback",
    "access.denied": "reason credential",
    "access.taken": "",
    "access.not_taken": "",
    "portal.released": "cause",
    "portal.secured": "",
    "portal.mode": "mode cause",
    "portal.opened": "",
    "portal.closed": "",
    "alarm.raised": "point class priority",
    "alarm.acknowledged": "point class priority by",
    "alarm.repeated": "point class priority",
    "alarm.cleared": "point class priority by",
    "intercom.called": "flat call talk_ms",
    "intercom.ringing": "flat call talk_ms",
    "intercom.answered": "flat call talk_ms",
    "intercom.missed": "flat call talk_ms",
    "intercom.ended": "flat call talk_ms",
    "intercom.released": "flat call talk_ms",
    "media.snapshot": "media event bytes from to",
    "media.clip": "media event bytes from to",
    "media.pruned": "media event bytes from to",
    "credential.changed": "credential change by",
    "command.accepted": "command op by",
    "command.rejected": "command op by reason count",
    "partition.armed": "partition by",
    "partition.disarmed": "partition by",
    "system.started": "",
    "system.stopping": "",
    "system.fault": "",
    "system.recovered": "",
    "system.journal_started": "",
    "system.checkpoint": "",
    "clock.changed": "",
}
#: What a rule of the board may ask for, and the controller does not say: who it was stands in the grant.
NEVER = {
    "portal.released": {"access_point", "credential", "holder"},
    "alarm.unshelved": {"by"},
}
EVENT = "v id journal seq boot time clock type prev hash simulated"
CODES = """expired not_yet replayed out_of_order wrong_controller unknown_operator revoked role
bad_signature bad_command failed"""


@pytest.fixture(scope="module")
def api() -> Document:
    return document()


def _everywhere(what: Any) -> list[dict[str, Any]]:
    """Every object in the document."""
    found = []
    if isinstance(what, dict):
        found.append(what)
        what = list(what.values())
    if isinstance(what, list):
        for one in what:
            found += _everywhere(one)
    return found


def _events(api: Document) -> dict[str, dict[str, Any]]:
    """Type of event: its own schema."""
    return {
        api.messages[name]["name"]: api.resolve(api.messages[name]["payload"]["$ref"])
        for name in api.names_of("event")
    }


# ---- a right document ------------------------------------------------------------------------------


def test_every_reference_leads_somewhere(api: Document) -> None:
    refs = [one["$ref"] for one in _everywhere(api.root) if "$ref" in one]
    assert len(refs) > 300
    for ref in refs:
        assert ref.startswith("#/")
        api.resolve(ref)
    assert all(len(one) == 1 for one in _everywhere(api.root) if "$ref" in one)  # no siblings


def test_every_schema_is_one_of_draft_7(api: Document) -> None:
    for schema in api.schemas.values():
        Draft7Validator.check_schema(schema)


def test_a_pattern_is_bound_at_both_ends(api: Document) -> None:
    patterns = [one["pattern"] for one in _everywhere(api.schemas) if "pattern" in one]
    assert len(patterns) > 10
    for pattern in patterns:
        re.compile(pattern)
        assert pattern[0] == "^"
        assert pattern[-1] == "$"


def test_it_has_what_a_document_of_3_0_needs(api: Document) -> None:
    known = {"asyncapi", "info", "defaultContentType", "servers", "channels", "operations"}
    assert set(api.root) == {*known, "components"}
    assert api.root["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(api.root["info"])
    for server in api.root["servers"].values():
        assert {"host", "protocol"} <= set(server)
    for channel in api.channels.values():
        assert {"address", "messages", "parameters"} <= set(channel)
        assert re.findall(r"\{(\w+)\}", channel["address"]) == list(channel["parameters"])
    for message in api.messages.values():
        assert set(message) == {"name", "payload"}
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", api.root["info"]["version"])


def test_every_channel_has_the_operation_of_its_side(api: Document) -> None:
    sides = {}
    for operation in api.root["operations"].values():
        ref = operation["channel"]["$ref"]
        assert ref.startswith("#/channels/")
        mqtt = operation["bindings"]["mqtt"]
        sides[ref.rpartition("/")[2]] = (operation["action"], mqtt["qos"], mqtt["retain"])
    retained = ("status", "about", "portal", "alarm", "health")
    want: dict[str, tuple[str, int, bool]] = dict.fromkeys(retained, ("send", 1, True))
    want.update(dict.fromkeys(("event", "reply"), ("send", 1, False)))
    want.update(dict.fromkeys(("command", "stored"), ("receive", 1, False)))
    assert sides == want
    assert api.root["operations"]["takeCommand"]["reply"] == {
        "channel": {"$ref": "#/channels/reply"}
    }


def test_nothing_in_it_is_of_no_use(api: Document) -> None:
    used = {one["$ref"] for one in _everywhere(api.root) if "$ref" in one}
    for section, things in api.root["components"].items():
        for name in things:
            if not name.endswith("Args"):  # the plain text of what is sealed
                assert f"#/components/{section}/{name}" in used, name


def test_its_topics_are_the_contract_s(api: Document) -> None:
    addresses = {channel["address"] for channel in api.channels.values()}
    assert addresses == {"doorward/{site}/{controller}/" + topic for topic in TOPICS.split()}


def test_the_last_will_is_the_one_that_is_set(api: Document) -> None:
    (server,) = api.root["servers"].values()
    will = server["bindings"]["mqtt"]["lastWill"]
    assert will["message"] == payload.dumps({"state": "offline"})
    assert api.check(ROOT + "/status", will["message"]) == "offline"
    assert (will["topic"], will["qos"], will["retain"]) == (
        api.channels["status"]["address"],
        1,
        True,
    )


# ---- all of the contract ---------------------------------------------------------------------------


def test_it_has_every_type_of_event_and_no_other(api: Document) -> None:
    told = _events(api)
    recorded = {value for name, value in vars(record).items() if name.isupper()}
    types = {value for value in recorded if isinstance(value, str) and "." in value}
    assert "partition.armed" in types
    assert types <= set(told)
    assert set(CARRIES) | set(board_events.FIELDS) <= set(told)
    assert set(told) == set(expected.FIELDS)


def test_every_event_may_carry_what_the_contract_and_the_board_say(api: Document) -> None:
    for kind, schema in _events(api).items():
        own = set(schema["properties"]) - {"type"}
        assert set(CARRIES.get(kind, "").split()) <= own, kind
        assert set(board_events.FIELDS.get(kind, ())) - NEVER.get(kind, set()) <= own, kind
        assert own <= set(expected.FIELDS[kind]), kind


def test_an_event_s_names_are_those_of_its_schema(api: Document) -> None:
    shared = api.schemas["eventField"]["enum"]
    assert set(EVENT.split()) <= set(shared) == set(api.schemas["event"]["properties"])
    for kind, schema in _events(api).items():
        names, *own = schema["propertyNames"]["anyOf"]
        assert names == {"$ref": "#/components/schemas/eventField"}
        assert schema["allOf"] == [{"$ref": "#/components/schemas/event"}]
        listed = own[0]["enum"] if own else []
        assert ["type", *listed] == list(schema["properties"]), kind
        assert set(schema.get("required", ())) <= set(listed), kind
        assert schema["properties"]["type"] == {"const": kind}


def test_its_words_are_the_controller_s(api: Document) -> None:
    def words(name: str) -> list[str]:
        return list(api.schemas[name]["enum"])

    assert words("denial") == list(credential.REASONS) == list(board_events.REASONS)
    assert words("alarmClass") == list(board_events.CLASSES)
    assert set(words("alarmClass")) == set(alarm.PRIORITY)
    assert words("cause") == list(record.CAUSES)
    assert words("code") == CODES.split()
    told = _events(api)
    modes = told["portal.mode"]["properties"]["mode"]["enum"]
    assert set(modes) == set(portal.MODES)
    changes = told["credential.changed"]["properties"]["change"]["enum"]
    moved = {str(row[1]) for row in life_cycle.TRANSITIONS.values() if row[1]}
    assert set(changes) == moved | {life_cycle.CHANGED, life_cycle.REMOVED}
    assert api.schemas["credential"]["properties"]["state"]["enum"] == list(STATES)
    states = api.schemas["alarm"]["properties"]["state"]["enum"]
    assert states == list(alarm.STATES)


# ---- it can say no ---------------------------------------------------------------------------------

SEED = bytes(range(32))
TIMES = {"issued": "2026-11-21T08:15:00Z", "expires": "2026-11-21T08:15:30Z"}


def _command(op: str, args: dict[str, Any], **more: Any) -> bytes:
    key = bytes(range(32, 64))
    made = order.make(
        op,
        args,
        id="9f" * 16,
        to="sunrise/c-01",
        by="op-ling",
        seed=SEED,
        seal_key=key,
        **{**TIMES, **more},
    )
    return order.text(made)


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("portal.release", {"portal": "front"}),
        ("credential.upsert", {"credential": {"id": 1042, "pin": "4711"}}),
    ],
)
def test_what_the_tools_sign_is_one_of_its_commands(
    api: Document, op: str, args: dict[str, Any]
) -> None:
    name = api.check(ROOT + "/command", _command(op, args, n=41))
    assert api.messages[name]["name"] == op


@pytest.mark.parametrize(
    ("op", "args", "more"),
    [
        ("portal.releese", {"portal": "front"}, {}),
        ("portal.release", {"portal": "Front"}, {}),
        ("portal.release", {"portal": "front", "for": 1}, {}),
        ("portal.release", {}, {}),
        ("portal.release", {"portal": "front"}, {"n": 2**60}),
        ("portal.release", {"portal": "front"}, {"expires": "soon"}),
    ],
)
def test_a_command_that_is_none_is_refused(
    api: Document, op: str, args: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(Flaw):
        api.check(
            ROOT + "/command", json.dumps({**json.loads(_command(op, {})), "args": args, **more})
        )


def test_what_must_be_sealed_may_not_stand_open(api: Document) -> None:
    made = json.loads(_command("credential.remove", {"credential": 7}))
    del made["sealed"]
    with pytest.raises(Flaw):
        api.check(ROOT + "/command", json.dumps({**made, "args": {"credential": 7}}))


def test_a_host_s_word_is_one_of_its_messages(api: Document) -> None:
    made = order.acknowledgement(
        to="sunrise/c-01", journal="5f3a9c01", seq=184, hash="ab" * 32, by="host-1", seed=SEED
    )
    assert api.check(ROOT + "/stored", order.text(made)) == "stored"
    for key in made:
        with pytest.raises(Flaw):
            api.check(ROOT + "/stored", json.dumps({**made, key: None}))


def test_a_topic_that_is_none_is_refused(api: Document) -> None:
    for topic in ("doorward/sunrise/event", ROOT + "/events", ROOT + "/portal/", "x/" + ROOT):
        with pytest.raises(Flaw):
            api.channel_of(topic)


# ---- what is asked ---------------------------------------------------------------------------------


def test_it_takes_the_ops_that_the_controller_has_with_their_arguments(api: Document) -> None:
    config = hal.board.load("board_configs/sim-all-rules.toml")
    site = SimpleNamespace(config=config, site=None)
    served = Operations(site)._ops  # type: ignore[arg-type]
    told = {api.messages[name]["name"]: name for name in api.names_of("command")}
    assert set(told) == set(served)
    for op, name in told.items():
        first, *rest = re.split("[._]", op)
        schema = api.schemas[first + "".join(word.title() for word in rest) + "Args"]
        arguments = served[op][0]
        assert set(schema.get("properties", {})) == set(arguments), op
        assert set(schema.get("required", ())) == {key for key in arguments if arguments[key][1]}
        base = api.resolve(api.messages[name]["payload"]["$ref"])["allOf"][0]["$ref"]
        assert base.endswith("/sealedCommand" if order.is_sealed(op) else "/plainCommand"), op
    assert set(served) <= set(OPS)


def test_its_roles_and_codes_are_the_controller_s(api: Document) -> None:
    role = api.schemas["operatorSetArgs"]["properties"]["role"]["enum"]
    assert tuple(role) == ROLES
    assert [getattr(command_gate, code.upper()) for code in CODES.split()] == CODES.split()


def test_the_fields_of_a_key_are_the_store_s(api: Document) -> None:
    kept = {"pin_salt", "pin_hash", "duress_hash"}  # bytes, which no JSON has
    shown = set(key_changes._SHOWN)
    assert set(api.schemas["credential"]["properties"]) == set(key_changes.FIELDS) - kept | shown
