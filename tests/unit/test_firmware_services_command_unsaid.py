"""While the disk takes nothing: what lasts is in force and not said to be done; what is over at once is."""

import base64
import json

import pytest
from command_house import CommandHouse

from firmware.runtime.command_gate import lasts
from firmware.runtime.operators import OPS
from firmware.services.command_desk import UNDER_WAY
from firmware.trust import order, signing

RELEASE = ("portal.release", {"portal": "front"})


@pytest.fixture
def house() -> CommandHouse:
    """The demo building, with a manager beside the owner."""
    house = CommandHouse()
    house.seeds["op-care"] = b"c" * 32
    key = base64.b64encode(signing.public_of(b"c" * 32)).decode()
    args = {"operator": "op-care", "role": "manager", "public_key": key}
    assert house.code(house.make("operator.set", args)) == "ok"
    return house


@pytest.mark.parametrize("mode", ["error", "full"])
def test_a_revocation_counts_at_once_and_is_answered_when_it_is_on_the_disk(
    house: CommandHouse, mode: str
) -> None:
    house.act("fail_storage", on=True, mode=mode)
    revoke = house.make("operator.set", {"operator": "op-care", "revoked": True})
    assert house.answer(revoke) is None
    assert house.code(house.make(*RELEASE, by="op-care")) == "revoked"
    assert house.answer(revoke) is None  # again, as a sender without an answer does
    house.run(5000)
    assert house.replies(revoke["id"]) == []
    house.act("fail_storage", on=False, mode=mode)
    house.run(5000)
    (reply,) = house.replies(revoke["id"])
    assert json.loads(reply)["ok"] is True
    assert house.answer(revoke) == json.loads(reply)
    accepted = [
        told for told in house.told("command.accepted", "command") if told[0] == revoke["id"]
    ]
    assert len(accepted) == 1


def test_what_a_power_cut_undoes_was_never_said_to_be_done(house: CommandHouse) -> None:
    house.act("fail_storage", on=True, mode="error")
    lasting = [
        house.make("operator.set", {"operator": "op-care", "revoked": True}),
        house.make("portal.mode", {"portal": "front", "mode": "unlocked"}),
    ]
    for command in lasting:
        assert house.code(command) in (None, "failed"), command["op"]
    house.act("cut_power")
    house.act("fail_storage", on=False, mode="error")
    house.act("restore_power")
    house.run(5000)
    # Nothing of it is left, and whoever asked for it may ask again with the same bytes.
    assert house.lock() == "locked"
    assert house.code(house.make("alarm.silence", by="op-care")) == "ok"
    assert house.code(lasting[0]) == "ok"
    assert house.code(house.make("alarm.silence", by="op-care")) == "revoked"


@pytest.mark.parametrize("op", ["portal.release", "alarm.silence"])
def test_what_is_over_at_once_is_answered_whatever_the_disk_does(
    house: CommandHouse, op: str
) -> None:
    house.act("fail_storage", on=True, mode="error")
    for number in range(20):  # more than may be under way: they hold up nobody
        made = house.make(
            "portal.mode", {"portal": "front", "mode": ("locked", "normal")[number % 2]}
        )
        house.say(order.text(made))
    args = {"portal": "front"} if op == "portal.release" else {}
    assert house.code(house.make(op, args)) == "ok"


def test_what_waits_behind_commands_without_an_answer_waits_no_longer_than_a_door_for_each(
    house: CommandHouse,
) -> None:
    house.act("fail_storage", on=True, mode="error")
    for number in range(20):
        args = {"portal": "front", "mode": ("locked", "normal")[number % 2]}
        made = house.make("portal.mode", args)
        house.building.host.publish("command", order.text(made), False)
    release = house.make(*RELEASE)
    house.building.host.publish("command", order.text(release), False)
    house.run(21 * 110)
    assert house.replies(release["id"])


def test_on_a_failing_disk_nothing_waits_for_ever_behind_keys_that_are_being_changed(
    house: CommandHouse,
) -> None:
    house.act("fail_storage", on=True, mode="error")
    for number in range(40):
        key = {"credential": {"id": 9000 + number, "cards": []}}
        made = house.make("credential.upsert", key, life_ms=600_000)
        house.building.host.publish("command", order.text(made), False)
    release = house.make(*RELEASE)
    house.building.host.publish("command", order.text(release), False)
    house.run(15_000)
    assert house.replies(release["id"])


def test_no_more_are_under_way_at_once_than_there_may_be(house: CommandHouse) -> None:
    house.act("fail_storage", on=True, mode="slow")
    for number in range(100):
        key = {"credential": {"id": 9000 + number, "cards": []}}
        made = house.make("credential.upsert", key, life_ms=600_000)
        house.building.host.publish("command", order.text(made), False)
    most = 0
    for _ in range(1200):
        house.run(100)
        most = max(most, house.building.machine._desk._gate.under_way)  # type: ignore[union-attr]
    assert 2 <= most <= UNDER_WAY + 1


def test_what_fails_is_answered_whatever_the_disk_does(house: CommandHouse) -> None:
    house.act("fail_storage", on=True, mode="error")
    assert (
        house.code(house.make("portal.mode", {"portal": "front", "mode": "ajar"})) == "bad_command"
    )
    last = house.make("operator.set", {"operator": "op-demo", "revoked": True})
    assert house.code(last) == "failed"


def test_what_found_no_room_in_memory_is_answered_too_once_what_is_kept_of_it_is_written(
    house: CommandHouse,
) -> None:
    house.act("fail_storage", on=True, mode="error")
    house.controller.journal.room = (6, 6)
    commands = [
        house.make("portal.mode", {"portal": "front", "mode": mode}, life_ms=600_000)
        for mode in ("unlocked", "locked", "unlocked", "locked", "unlocked")
    ]
    assert [house.answer(command) for command in commands] == [None] * 5
    assert len(house.told("command.accepted")) == 1  # the manager's: of these none is written
    house.controller.journal.room = (10_000, 12_000)
    house.act("fail_storage", on=False, mode="error")
    house.run(5000)
    for command in commands:
        (reply,) = house.replies(command["id"])
        assert house.answer(command) == json.loads(reply)
    assert "records were refused meanwhile" in house.told("system.recovered", "text")[0][0]
    house.act("cut_power")
    house.act("restore_power")
    house.run(5000)
    assert house.code(commands[0]) == "ok"  # known, and not done again
    assert house.lock() == "unlocked"


def test_a_disk_that_is_slow_is_waited_for(house: CommandHouse) -> None:
    house.act("fail_storage", on=True, mode="slow")
    revoke = house.make("operator.set", {"operator": "op-care", "revoked": True})
    house.say(order.text(revoke))
    for _ in range(60_000 // 50):
        house.run(50)
        if house.replies(revoke["id"]):
            break
    assert house.replies(revoke["id"])
    house.act("cut_power")
    house.act("restore_power")
    house.run(5000)
    assert house.code(house.make("alarm.silence", by="op-care")) == "revoked"


def test_most_of_what_can_be_asked_for_lasts() -> None:
    momentary = {op for op in OPS if not lasts(op)}
    assert momentary == {
        "alarm.acknowledge",
        "alarm.silence",
        "clock.set",
        "events.replay",
        "portal.release",
        "system.restart",
    }
