"""`firmware.services.command_desk`: signed commands to the real controller in virtual time."""

import base64
import functools
import json
from typing import Any

import pytest
from command_house import CommandHouse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.runtime.ports import Message
from firmware.services.command_desk import REFUSED
from firmware.services.journal_file import JournalFile
from firmware.trust import order, signing
from sim.virtual import OPERATOR
from tests.asyncapi_document import Flaw, document

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


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"note": "of a newer host"}, "ok"),
        ({"trace": {"spans": [1, 2]}}, "ok"),
        ({"args": {"portal": "front", "for_ms": 1}}, "bad_command"),
        ({"sealed": "A" * 64}, "bad_command"),
        ({"reply_key": "mine"}, "bad_command"),
        ({"n": 2**53}, None),
    ],
)
def test_the_document_takes_the_fields_that_the_controller_takes(
    more: dict[str, Any], code: str | None, house: CommandHouse
) -> None:
    command = house.make(*RELEASE) | more
    if code is not None:
        command = house.signed(command)
        assert house.code(command) == code
    said = order.text(command) if code is not None else json.dumps(command)
    if code == "ok":
        assert document().check(f"{house.root}/command", said) == "doPortalRelease"
    else:
        with pytest.raises(Flaw):
            document().check(f"{house.root}/command", said)


def test_a_host_s_word_may_carry_more_than_is_read(house: CommandHouse) -> None:
    house.seeds["host-1"] = bytes([7]) * 32
    key = base64.b64encode(signing.public_of(house.seeds["host-1"])).decode()
    host = {"operator": "host-1", "role": "host", "public_key": key}
    assert house.code(house.make("operator.set", host)) == "ok"
    newest = house.events[-1]
    word = order.acknowledgement(
        to=house.to,
        journal=newest["journal"],
        seq=newest["seq"],
        hash=newest["hash"],
        by="host-1",
        seed=house.seeds["host-1"],
    )
    word = house.signed({**word, "disk": "two copies"}, "host-1")
    assert document().check(f"{house.root}/stored", order.text(word)) == "stored"
    house.say(order.text(word), "stored")
    assert house.told("command.rejected") == []
    house.say(order.text({**word, "disk": "three"}), "stored")  # but it is signed
    assert house.told("command.rejected", "reason") == [("bad_signature",)]


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


def test_power_that_goes_soon_after_a_flood_loses_none_of_its_count(house: CommandHouse) -> None:
    for _ in range(100):
        house.building.host.publish("command", order.text(house.make(*RELEASE, life_ms=-1)))
    house.run(8_000)
    house.act("cut_power")
    told = house.told("command.rejected", "count")
    assert sum(count or 1 for (count,) in told) == 100
    assert len(told) == 21


@pytest.mark.parametrize("verb", ["cut_power", "kill_process"])
@pytest.mark.parametrize("after_ms", [15, 40, 77, 130, 211, 350, 600, 1000, 2500, 4000, 4990])
def test_a_kill_at_any_moment_of_a_flood_loses_none_of_its_count(verb: str, after_ms: int) -> None:
    house = CommandHouse()
    house.run(1000)
    for _ in range(100):
        house.building.host.publish("command", order.text(house.make(*RELEASE, life_ms=-1)))
    house.run(after_ms)
    if verb == "cut_power":
        house.act("cut_power")
        house.act("restore_power")
    else:
        house.act("kill_process", process="door")
    house.run(130_000)
    told = house.told("command.rejected", "count")
    assert 100 <= sum(count or 1 for (count,) in told) <= 100 + 16
    assert {cause for (cause,) in house.told("portal.released", "cause")} <= {"power"}
    assert house.told("command.accepted") == []


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


# ---- who is not obeyed -----------------------------------------------------------------------------


def _silent(house: CommandHouse, reason: str, **told: object) -> None:
    """Nothing opened, nothing was answered, one refusal was recorded with no more than `told`."""
    assert house.lock() == "locked"
    assert [topic for topic, _ in house.said if "/reply/" in topic] == []
    (event,) = [event for event in house.events if event["type"] == "command.rejected"]
    fields = {key: event[key] for key in ("command", "op", "by", "count") if key in event}
    assert (event["reason"], fields) == (reason, told)


def test_a_stranger_gets_no_answer_and_its_words_are_not_repeated(house: CommandHouse) -> None:
    house.seeds["mallory"] = bytes(32)
    command = house.make(*RELEASE, by="mallory")
    house.say(order.text(command))
    told = {"command": command["id"], "op": "portal.release", "by": "mallory"}
    _silent(house, "unknown_operator", **told)


def test_a_name_without_its_key_gets_no_answer(house: CommandHouse) -> None:
    command = house.make(*RELEASE, seed=bytes(32))
    house.say(order.text(command))
    told = {"command": command["id"], "op": "portal.release", "by": OPERATOR}
    _silent(house, "bad_signature", **told)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}x", b"\xff", b"[1]", b'{"id":1,"id":1}', b"[" * 100_000, b'{"a":"' + b"x" * 262_144],
    ids=len,
)
def test_nonsense_is_recorded_and_not_answered(payload: bytes, house: CommandHouse) -> None:
    house.say(payload)
    _silent(house, "bad_command")


def test_an_object_that_is_no_command_is_nobodys(house: CommandHouse) -> None:
    house.say(b'{"by":"<script>","id":"../../event","op":["rm"]}')
    _silent(house, "unknown_operator")


def test_a_retained_command_is_refused_however_well_it_is_signed(house: CommandHouse) -> None:
    house.say(order.text(house.make(*RELEASE)), retained=True)
    _silent(house, "bad_command")


def test_what_the_link_found_wrong_is_refused(house: CommandHouse) -> None:
    message = Message(9, "command", order.text(house.make(*RELEASE)), False, "too long")
    link = house.building.parts.link
    assert link is not None
    assert link.on_message is not None
    link.on_message(message)
    house.run(400)
    _silent(house, "bad_command")


def _deliver(
    house: CommandHouse, payload: bytes, again: bool, topic: str = "command", number: int = 7
) -> None:
    """As a broker does, which says whether it has sent the message before, by its message id."""
    link = house.building.parts.link
    assert link is not None
    assert link.on_message is not None
    link.on_message(Message(9, topic, payload, again=again, number=number))
    house.run(400)


@pytest.mark.parametrize(("topic", "payload"), [("command", b"{}x"), ("stored", b'{"by":"x"}')])
def test_a_refused_message_that_the_broker_delivers_again_is_counted_once(
    topic: str, payload: bytes, house: CommandHouse
) -> None:
    for again in (False, True, True):
        _deliver(house, payload, again, topic)
    assert len(house.told("command.rejected")) == 1
    _deliver(house, payload, False, topic)  # the sender says it again: another message
    assert len(house.told("command.rejected")) == 2


def test_what_was_never_refused_here_counts_although_the_broker_says_again(
    house: CommandHouse,
) -> None:
    _deliver(house, b"{}x", True)
    _deliver(house, b"{}y", True)
    _deliver(house, b"{}x", True)
    assert len(house.told("command.rejected")) == 2


def test_the_same_words_that_were_on_their_way_twice_are_two_messages(house: CommandHouse) -> None:
    _deliver(house, b"{}x", False, number=1)
    _deliver(house, b"{}x", True, number=2)  # its first try was lost with a connection
    _deliver(house, b"{}x", True, number=1)
    assert len(house.told("command.rejected")) == 2


def test_a_refused_command_that_is_delivered_again_is_answered_again(house: CommandHouse) -> None:
    late = house.make(*RELEASE, issued_in_ms=-120_000)
    for again in (False, True):
        _deliver(house, order.text(late), again)
    assert [json.loads(text)["error"]["code"] for text in house.replies(late["id"])] == [
        "expired",
        "expired",
    ]
    assert len(house.told("command.rejected")) == 1
    house.say(b"{}")  # and the next one has its turn
    assert len(house.told("command.rejected")) == 2


def test_of_refused_messages_only_the_newest_are_known(house: CommandHouse) -> None:
    desk = house.building.machine._desk
    assert desk is not None
    for number in range(REFUSED + 1):
        desk._known(Message(number, "command", b"{}%d" % number))
    assert not desk._known(Message(1, "command", b"{}0", again=True))
    assert desk._known(Message(2, "command", b"{}2", again=True))


def test_twice_the_same_key_under_a_good_signature_is_refused(house: CommandHouse) -> None:
    text = order.text(house.make(*RELEASE))
    house.say(text[:-1] + b',"args":{"portal":"front"}}')
    _silent(house, "bad_command")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    how=st.sampled_from(("set", "insert", "delete", "cut")),
    at=st.integers(0, 299),
    byte=st.integers(0, 255),
)
def test_a_signed_command_that_was_changed_in_any_byte_never_runs(
    how: str, at: int, byte: int
) -> None:
    house = _shared_house()
    payload = bytearray(order.text(house.make(*RELEASE)))
    assert len(payload) >= 300
    if how == "set":
        payload[at] = byte if byte != payload[at] else byte ^ 1
    elif how == "insert":
        # A blank between tokens leaves the same object, which is signed: the only change that may pass.
        payload.insert(at, byte if byte not in b" \t\r\n" else 1)
    elif how == "delete":
        del payload[at]
    else:
        del payload[at:]
    house.say(bytes(payload))
    house.run(61_000)
    assert house.told("command.accepted") == []
    assert house.told("portal.released") == []


@functools.cache
def _shared_house() -> CommandHouse:
    return CommandHouse()


# ---- who may what ----------------------------------------------------------------------------------


def _enlist(house: CommandHouse, id: str, role: str) -> None:
    house.seeds[id] = id.encode().ljust(32, b".")
    key = base64.b64encode(signing.public_of(house.seeds[id])).decode()
    args = {"operator": id, "role": role, "public_key": key}
    assert house.code(house.make("operator.set", args)) == "ok"


def test_the_owner_sets_others_who_may_as_much_as_their_role(house: CommandHouse) -> None:
    _enlist(house, "op-care", "caretaker")
    _enlist(house, "op-host", "host")
    mode = ("portal.mode", {"portal": "front", "mode": "unlocked"})
    assert house.code(house.make(*mode, by="op-care")) == "role"
    assert house.code(house.make(*RELEASE, by="op-host")) == "role"
    assert house.code(house.make(*RELEASE, by="op-care")) == "ok"
    revoke = house.make("operator.set", {"operator": "op-care", "revoked": True})
    assert house.code(revoke) == "ok"
    assert house.code(house.make(*RELEASE, by="op-care")) == "revoked"


def test_who_was_set_is_told_beside_the_command_and_no_key_with_it(house: CommandHouse) -> None:
    _enlist(house, "op-care", "caretaker")
    _enlist(house, "op-care", "manager")
    for revoked in (True, False, True):
        house.code(house.make("operator.set", {"operator": "op-care", "revoked": revoked}))
    house.code(
        house.make("operator.set", {"operator": OPERATOR, "revoked": True})
    )  # the last owner
    told = house.told("operator.changed", "operator", "change", "by")
    changes = ["added", "changed", "revoked", "changed", "revoked"]
    assert told == [("op-care", change, OPERATOR) for change in changes]
    kinds = [event["type"] for event in house.events]
    assert kinds == ["command.accepted", "operator.changed"] * 5 + ["command.rejected"]
    key = base64.b64encode(signing.public_of(house.seeds["op-care"])).decode()
    assert key not in repr(house.events)


def test_the_last_owner_cannot_be_removed(house: CommandHouse) -> None:
    revoke = house.make("operator.set", {"operator": OPERATOR, "revoked": True})
    assert house.code(revoke) == "failed"
    assert house.code(house.make(*RELEASE)) == "ok"


def test_a_power_cut_forgets_neither_who_was_revoked_nor_what_has_run(house: CommandHouse) -> None:
    _enlist(house, "op-care", "caretaker")
    done = house.make(*RELEASE, by="op-care", life_ms=60_000)
    assert house.code(done) == "ok"
    house.code(house.make("operator.set", {"operator": "op-care", "revoked": True}))
    nonce = house.status()["nonce"]
    house.act("cut_power")
    house.events.clear()
    house.act("restore_power")
    house.run(3000)
    assert house.status()["nonce"] != nonce
    assert house.code(house.make(*RELEASE, by="op-care")) == "revoked"
    house.say(order.text(done))
    first, again = house.replies(done["id"])
    assert first == again
    assert house.told("command.accepted") == []
    stale = house.make(*RELEASE, nonce=nonce, issued="2025-03-01T00:00:00Z")
    stale = house.signed(stale, expires="2025-03-01T00:00:30Z")
    assert house.code(stale) == "expired"
    counted = house.make("portal.mode", {"portal": "front", "mode": "unlocked"}, n=1)
    assert house.code(counted) == "out_of_order"


def test_a_journal_that_is_lost_forgets_neither_and_says_what_it_does_not_know(
    house: CommandHouse,
) -> None:
    _enlist(house, "op-care", "caretaker")
    done = house.make(*RELEASE, life_ms=60_000)
    assert house.code(done) == "ok"
    free = house.make("portal.mode", {"portal": "front", "mode": "unlocked"}, life_ms=86_400_000)
    assert house.code(free) == "ok"
    assert house.code(house.make("portal.mode", {"portal": "front", "mode": "locked"})) == "ok"
    house.code(house.make("operator.set", {"operator": "op-care", "revoked": True}))
    house.act("cut_power")
    house.building.parts.disk.write("journal.db", b"garbage" * 1000)
    house.building.parts.disk.remove("journal.db-wal", True)
    house.act("restore_power")
    house.run(3000)
    assert (
        house.code(house.make(*RELEASE, by="op-care", nonce=house.status()["nonce"])) == "revoked"
    )
    assert [house.code(old) for old in (done, free)] == ["replayed", "replayed"]
    assert house.lock() == "locked"
    assert house.code(house.make(*RELEASE)) == "replayed"
    assert house.code(house.make(*RELEASE, nonce=house.status()["nonce"])) == "ok"
    house.run(62_000)
    assert house.code(house.make(*RELEASE)) == "ok"
    assert house.code(free) == "replayed"


def test_while_it_cannot_be_read_who_was_revoked_commands_wait(
    house: CommandHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enlist(house, "op-care", "caretaker")
    done = house.make(*RELEASE, life_ms=60_000)
    assert house.code(done) == "ok"
    house.code(house.make("operator.set", {"operator": "op-care", "revoked": True}))
    house.act("cut_power")
    house.act("fail_storage", on=True, mode="error")
    monkeypatch.setattr(JournalFile, "look", lambda file: None)  # reading fails too
    house.act("restore_power")
    house.events.clear()
    house.run(3000)
    late = house.make(*RELEASE, by="op-care", life_ms=60_000)
    mine = house.make(*RELEASE, life_ms=60_000)
    for command in (late, done, mine):
        house.say(order.text(command))
    house.run(5000)
    assert house.replies(late["id"]) == house.replies(mine["id"]) == []
    assert house.lock() == "locked"
    house.act("fail_storage", on=False)
    house.run(6000)
    assert house.told("command.rejected", "reason") == [("revoked",)]
    assert house.told("command.accepted", "command") == [(mine["id"],)]
    assert len(house.replies(mine["id"])) == 1


def test_a_command_that_came_while_there_was_no_power_is_judged_at_the_start(
    house: CommandHouse,
) -> None:
    house.act("cut_power")
    house.building.host.publish("command", order.text(house.make(*RELEASE)))
    house.building.host.publish("command", order.text(house.make(*RELEASE, life_ms=1)))
    house.act("restore_power")
    house.run(2000)
    assert [event["cause"] for event in house.events if event["type"] == "portal.released"].count(
        "command"
    ) == 1
    assert house.told("command.rejected", "reason") == [("expired",)]


# ---- time ------------------------------------------------------------------------------------------


def test_while_the_clock_is_not_trusted_only_the_nonce_helps() -> None:
    house = CommandHouse()
    house.act("set_clock", utc="2029-01-01T00:00:00Z")
    house.run(2000)
    assert house.controller.time.quality() == "untrusted"
    reply = house.answer(house.make(*RELEASE))
    assert reply is not None
    assert reply["error"]["code"] == "expired"
    assert "nonce" in reply["error"]["message"]
    assert house.code(house.make(*RELEASE, nonce=house.status()["nonce"])) == "ok"


def test_a_nonce_stands_for_a_minute_and_then_another_does(house: CommandHouse) -> None:
    before = house.status()["nonce"]
    house.run(61_000)
    after = house.status()["nonce"]
    assert after != before
    assert len(after) == 32
    for nonce, code in ((before, "expired"), (after, "ok")):
        old = house.make(*RELEASE, nonce=nonce, issued="2025-03-01T00:00:00Z")
        assert house.code(house.signed(old, expires="2025-03-01T00:00:30Z")) == code


# ---- what is remembered ----------------------------------------------------------------------------


def test_a_command_that_fails_is_remembered_too(house: CommandHouse) -> None:
    command = house.make("credential.remove", {"credential": 0})
    for _ in range(2):
        assert house.code(command) == "bad_command"
    assert house.told("command.rejected", "command", "reason") == [(command["id"], "bad_command")]
    assert house.told("command.accepted") == []


def test_the_answer_waits_for_the_record_but_no_longer_than_a_door(house: CommandHouse) -> None:
    executor: Any = house.building.parts._executors[0]
    for latency_ms, after_ms in ((40, 40), (5000, 100)):
        executor.latency_ms = latency_ms
        command = house.make("alarm.silence")
        at_ms = house.building.loop.now_ms()
        house.building.host.publish("command", order.text(command))
        while not house.replies(command["id"]):
            house.run(1)
        took_ms = house.building.loop.now_ms() - at_ms
        assert after_ms <= took_ms <= after_ms + 30
        house.run(11_000)


def test_what_is_over_the_limit_is_told_when_the_controller_stops(house: CommandHouse) -> None:
    for _ in range(25):
        house.say(b"nonsense")
    house.building.machine.shut_down()
    house.run(10)
    assert house.told("command.rejected", "count") == [(None,)] * 20 + [(5,)]


def test_a_slow_store_holds_up_no_release(house: CommandHouse) -> None:
    store: Any = house.building.parts._executors[1]
    store._latency_ms = 20_000
    slow = house.make("credential.remove", {"credential": 4711})
    house.say(order.text(slow))
    house.say(order.text(slow))
    house.run(1000)
    assert house.code(house.make(*RELEASE)) == "ok"
    assert house.replies(slow["id"]) == []
    house.run(20_000)
    assert len(house.replies(slow["id"])) == 1
    assert len(house.told("command.accepted", "op")) == 2
