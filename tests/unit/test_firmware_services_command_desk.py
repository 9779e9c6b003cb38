"""`firmware.services.command_desk`: signed commands to the real controller in virtual time."""

import pytest
from command_house import CommandHouse

from firmware.trust import order
from sim.virtual import OPERATOR

RELEASE = ("portal.release", {"portal": "front"})


@pytest.fixture
def house() -> CommandHouse:
    return CommandHouse()


def test_a_signed_release_opens_the_door_and_is_answered_and_recorded(house: CommandHouse) -> None:
    command = house.make(*RELEASE)
    reply = house.answer(command)
    assert reply is not None
    assert (reply["id"], reply["ok"], reply["result"]) == (
        command["id"],
        True,
        {"done": "released"},
    )
    assert house.lock() == "unlocked"
    assert house.told("command.accepted", "command", "op", "by") == [
        (command["id"], "portal.release", OPERATOR)
    ]
    assert house.told("portal.released", "cause", "by") == [("command", OPERATOR)]


def test_the_record_of_the_command_stands_right_before_what_it_did(house: CommandHouse) -> None:
    house.answer(house.make(*RELEASE))
    assert [event["type"] for event in house.events[:2]] == ["command.accepted", "portal.released"]


def test_a_repeat_gets_the_same_bytes_again_and_runs_once(house: CommandHouse) -> None:
    command = house.make(*RELEASE)
    for _ in range(3):
        house.answer(command)
    first, *more = house.replies(command["id"])
    assert more == [first, first]
    assert len(house.told("portal.released")) == 1
    assert len(house.told("command.accepted")) == 1
    assert house.told("command.rejected") == []


def test_a_hundred_stale_releases_open_nothing_and_all_are_told(house: CommandHouse) -> None:
    house.act("cut_network")
    for _ in range(100):
        house.building.host.publish("command", order.text(house.make(*RELEASE)))
    house.run(120_000)
    house.act("restore_network")
    house.run(65_000)
    assert house.told("portal.released") == []
    told = house.told("command.rejected", "reason", "count")
    assert sum(count or 1 for _, count in told) == 100
    assert {reason for reason, _ in told} == {"expired"}
    assert len(told) == 21


def test_status_carries_the_keys_and_a_nonce_that_a_command_uses_up(house: CommandHouse) -> None:
    before = house.status()
    assert before["public_key"] == house.building.parts.public_key
    quoted = {"nonce": before["nonce"], "issued": "2025-03-01T00:00:00Z"}
    quoted["expires"] = "2025-03-01T00:00:30Z"
    assert house.code(house.make(*RELEASE, **quoted)) == "ok"
    assert house.status()["nonce"] != before["nonce"]
    assert house.code(house.make(*RELEASE, **quoted)) == "expired"


def test_a_sealed_key_is_stored_and_an_unsealed_one_is_not(house: CommandHouse) -> None:
    key = {"id": 4711, "cards": ["w26:012:34567"]}
    command = house.make("credential.upsert", {"credential": key})
    assert "args" not in command
    assert house.code(command) == "ok"
    assert house.told("credential.changed", "credential", "by") == [(4711, OPERATOR)]
    sealed = house.make("credential.upsert", {"credential": key})
    assert house.code(house.signed(sealed, sealed=None, args={"credential": key})) == "bad_command"
