"""Every example of docs/protocol.md is right to the byte, and its tables are the controller's."""

import base64
import hashlib
import json
import re

import protocol_examples
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from protocol_examples import BLOCK, CONTROLLER, FILE, TO, examples

from firmware.runtime import command_gate, key_operations, operators, outbox, rejections
from firmware.services import command_desk, link_inbox
from firmware.trust import chain, envelope, sealing
from hal import board_schema
from tests.asyncapi_document import document

TEXT = FILE.read_text(encoding="utf-8")
BLOCKS = {found[2]: found[3] for found in BLOCK.finditer(TEXT)}
ROOT = "doorward/" + TO + "/"


def _public(name: str) -> Ed25519PublicKey:
    """A public key as the document tells it."""
    lines = BLOCKS["keys"].splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(name))
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(lines[at + 1].split()[-1]))


def test_the_document_holds_every_example_as_it_must_be() -> None:
    assert examples() == BLOCKS, "python tests/contract/protocol_examples.py writes them"
    assert protocol_examples.filled(TEXT) == TEXT


def test_no_block_of_json_is_without_its_example() -> None:
    assert len(re.findall("^```json$", TEXT, re.MULTILINE)) == len(
        [1 for found in BLOCK.finditer(TEXT) if found[1].endswith("json\n")]
    )


# What follows reads only the document, with no code of ours where a host would have its own.


@pytest.mark.parametrize(
    ("canonical", "whole", "signer"),
    [
        ("command-canonical", "command", "operator op-ling"),
        ("stored-canonical", "stored", "host host-1"),
        ("reply-canonical", "reply", "controller sign"),
    ],
)
def test_a_signature_is_over_the_very_bytes_that_stand_there(
    canonical: str, whole: str, signer: str
) -> None:
    message = json.loads(BLOCKS[whole])
    _public(signer).verify(base64.b64decode(message.pop("sig")), BLOCKS[canonical].encode())
    assert json.loads(BLOCKS[canonical]) == message


def test_the_checkpoint_vouches_for_the_records_before_it() -> None:
    said, made = BLOCKS["checkpoint-canonical"], json.loads(BLOCKS["checkpoint"])
    _public("controller sign").verify(base64.b64decode(made["sig"]), said.encode())
    assert json.loads(said)["head"] == json.loads(BLOCKS["event-next"])["hash"]
    assert made["head"] == made["prev"] == json.loads(said)["head"]


def test_the_chain_is_the_hash_of_the_very_bytes_that_stand_there() -> None:
    first, second = json.loads(BLOCKS["event"]), json.loads(BLOCKS["event-next"])
    assert hashlib.sha256(BLOCKS["event-canonical"].encode()).hexdigest() == first["hash"]
    assert second["prev"] == first["hash"]
    events = [json.loads(BLOCKS[name]) for name in ("event", "event-next", "checkpoint")]
    assert chain.verify(events) == (True, None, "")


def test_what_is_sealed_opens_with_the_key_and_the_additional_data_of_the_document() -> None:
    message = json.loads(BLOCKS["sealed"])
    additional = json.loads(BLOCKS["sealed-additional"]).encode()
    assert (
        sealing.unseal(message["sealed"], CONTROLLER[32:], additional).decode()
        == (BLOCKS["sealed-plain"])
    )
    with pytest.raises(sealing.SealError):
        sealing.unseal(message["sealed"], CONTROLLER[32:], additional + b"x")


@pytest.mark.parametrize(
    ("example", "topic"),
    [
        ("event", "event"),
        ("event-next", "event"),
        ("checkpoint", "event"),
        ("command", "command"),
        ("sealed", "command"),
        ("reply", "reply/9f0c1e62a4d84b5c8e7f00112233445a"),
        ("stored", "stored"),
    ],
)
def test_every_message_of_the_document_is_one_of_asyncapi(example: str, topic: str) -> None:
    assert document().check(ROOT + topic, BLOCKS[example])


def _table(heading: str) -> list[list[str]]:
    """The rows of the first table behind a heading, without its head."""
    rest = TEXT.split(f"\n{heading}\n", 1)[1]
    found = re.search(r"^\|.*?\n\| ---.*?\n((?:\|.*\n)+)", rest, re.MULTILINE)
    assert found is not None
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()]


def test_the_topics_are_those_of_asyncapi() -> None:
    told = {re.sub(r"<(.*?)>", "{}", row[0].strip("`")) for row in _table("## Topics")}
    addresses = [channel["address"] for channel in document().channels.values()]
    assert told == {re.sub(r"\{\w+\}", "{}", one.split("/", 3)[3]) for one in addresses}


def test_the_ops_and_their_arguments_are_those_of_asyncapi() -> None:
    api = document()
    rows = {row[0].strip("`"): row[1] for row in _table("### What there is to do")}
    assert set(rows) == {api.messages[name]["name"] for name in api.names_of("command")}
    for op, args in rows.items():
        words = set(re.findall("`([a-z_]+)`", args))
        assert set(api.schemas[_camel(op) + "Args"].get("properties", {})) <= words, op


def test_the_limits_are_the_controller_s() -> None:
    told = {row[0]: [int(n.replace(",", "")) for n in re.findall("[0-9][0-9,]*", row[1])]
            for row in _table("## Limits")}  # fmt: skip
    assert told["a command, a word of `stored`"] == [envelope.LONGEST, envelope.DEEPEST]
    lives = [command_gate.RELEASE_MS // 1000, command_gate.LIFE_MS // 3_600_000]
    assert told["life of a command"] == lives
    assert told["commands remembered"] == [command_gate.SEEN_LIMIT]
    assert told["refusals recorded one by one"] == [rejections.SINGLY]
    assert told["keys in one command"] == [key_operations.BATCH_LIMIT]
    assert told["operators and hosts"] == [operators.LIMIT]
    assert told["messages taken"] == [
        link_inbox.BURST,
        link_inbox.PER_SECOND,
        link_inbox.HELD_MOST,
        link_inbox.HELD_BYTES >> 20,
    ]
    assert told["messages at QoS 0 that wait"][0] == link_inbox.HELD
    assert f"the newest {command_desk.REFUSED:,} of them" in TEXT
    assert told["records on their way at once"] == [outbox.WINDOW]
    assert told["records sent again each time the host's word goes on"] == [outbox.AGAIN_WINDOW]
    assert told["records kept"] == [board_schema.JOURNAL["limit"].default]


def test_every_type_of_event_stands_in_its_table() -> None:
    api = document()
    told: set[str] = set()
    for row in re.findall(r"^\| (`[a-z]+\.[a-z_]+`.*?) \|", TEXT, re.MULTILINE):
        first, *others = re.findall("`([a-z_.]+)`", row)
        family = first.partition(".")[0]
        told |= {first} | {family + one if one[0] == "." else one for one in others}
    later = ("intercom.", "media.", "update.")
    types = {api.messages[name]["name"] for name in api.names_of("event")}
    assert {kind for kind in types if not kind.startswith(later)} <= told


def _camel(op: str) -> str:
    first, *rest = re.split("[._]", op)
    return first + "".join(word.title() for word in rest)
