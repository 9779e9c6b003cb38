"""`firmware.runtime.operations`: what a host may ask, with the real controller in virtual time."""

import json
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.access import credential
from firmware.runtime import aio
from firmware.runtime.key_operations import BAD_COMMAND, FAILED
from firmware.runtime.operations import Operations
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1795248000000
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")
CARD = "w26:012:34567"


class Host:
    """The demo building and its operations; ``events`` is what it recorded since the start."""

    def __init__(self, override: dict[str, object] | None = None) -> None:
        config = hal.board.load(BOARD, override)
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(config, people, START_MS, 1)
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        controller = self.building.machine.controller
        assert controller is not None
        self.controller = controller
        self.operations = Operations(controller)
        self.answers: list[tuple[bool, Any]] = []

    def ask(self, op: object, args: object = None) -> tuple[bool, Any]:
        """Run an op to its end; its answer."""
        told: list[tuple[bool, Any]] = []

        def note(ok: bool, answer: Any) -> list[Any]:
            told.append((ok, answer))
            return []

        self.operations.run(op, {} if args is None else args, "op-ling", note)
        self.run(200)
        assert len(told) == 1
        return told[0]

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def act(self, do: str, **args: object) -> None:
        self.building.world.act(do, **args)
        self.run(1500)

    def told(self, type: str, *fields: str) -> list[tuple[Any, ...]]:
        found = [event for event in self.events if event["type"] == type]
        return [tuple(event.get(field) for field in fields) for event in found]

    def shows(self, card: str = CARD) -> str:
        """What the front door says to a card: granted, or the reason why not."""
        self.events.clear()
        self.act("present_card", access_point="front-in", number=card)
        denied = self.told("access.denied", "reason")
        return str(denied[0][0]) if denied else self.told("access.granted", "type")[0][0]


# ---- doors -----------------------------------------------------------------------------------------


def test_a_release_opens_the_door_by_command_and_says_who() -> None:
    host = Host()
    assert host.ask("portal.release", {"portal": "front"}) == (True, {"done": "released"})
    assert host.told("portal.released", "portal", "cause", "by") == [
        ("front", "command", "op-ling")
    ]
    assert host.building.world.snapshot()["portals"]["front"]["lock"] == "unlocked"


def test_a_release_that_an_interlock_forbids_says_so() -> None:
    host = Host({"interlocks.lobby": {"portals": ["front", "yard"]}})
    host.act("force_door", portal="yard")
    assert host.ask("portal.release", {"portal": "front"}) == (False, (FAILED, "interlock"))
    assert host.told("portal.released", "cause") == []
    assert host.ask("portal.mode", {"portal": "front", "mode": "unlocked"}) == (
        False,
        (FAILED, "interlock"),
    )


def test_a_mode_is_set_and_no_mode_that_nobody_sets() -> None:
    host = Host()
    assert host.ask("portal.mode", {"portal": "yard", "mode": "locked_down"}) == (True, {})
    assert host.told("portal.mode", "portal", "mode", "cause", "by") == [
        ("yard", "locked_down", "command", "op-ling")
    ]
    assert host.ask("portal.mode", {"portal": "yard", "mode": "accessed"})[1][0] == BAD_COMMAND


def test_forgiving_names_one_person_at_most() -> None:
    host = Host()
    assert host.ask("passback.forgive")[0]
    assert host.told("passback.forgiven", "by") == [("op-ling",)]
    assert host.ask("passback.forgive", {"holder": 3}) == (True, {})
    assert host.ask("passback.forgive", {"holder": 3, "credential": 4})[1][0] == BAD_COMMAND


# ---- alarms ----------------------------------------------------------------------------------------

GUARDED: dict[str, object] = {
    "alarms.hall": {"class": "intrusion", "input": "hall-sensor"},
    "devices.hall-sensor": {"driver": "contact", "line": "hall-sensor"},
    "partitions.hall": {"points": ["hall"], "exit_ms": 0, "entry_ms": 0},
}


def test_an_alarm_is_acknowledged_by_name() -> None:
    host = Host()
    host.act("force_door", portal="front")
    assert host.ask("alarm.silence") == (True, {})
    args = {"point": "front", "class": "door_forced"}
    assert host.ask("alarm.acknowledge", args) == (True, {})
    assert host.told("alarm.acknowledged", "point", "class", "by") == [
        ("front", "door_forced", "op-ling")
    ]


def test_an_alarm_is_set_aside_until_a_time_that_is_near() -> None:
    host = Host()
    host.act("force_door", portal="front")
    args = {"point": "front", "class": "door_forced", "until": "2026-11-21T09:00:00Z"}
    assert host.ask("alarm.shelve", args) == (True, {"done": "shelved"})
    args["until"] = "2027-11-21T09:00:00Z"
    assert host.ask("alarm.shelve", args)[0] is False


def test_a_partition_is_armed_and_disarmed_and_refused_while_a_sensor_is_open() -> None:
    host = Host(GUARDED)
    assert host.ask("partition.arm", {"partition": "hall"}) == (True, {"done": "armed"})
    assert host.told("partition.armed", "partition", "by") == [("hall", "op-ling")]
    assert host.ask("partition.disarm", {"partition": "hall"}) == (True, {"done": "disarmed"})
    host.act("trip_sensor", point="hall", on=True)
    assert host.ask("partition.arm", {"partition": "hall"}) == (False, (FAILED, "sensor_open"))
    args = {"partition": "hall", "point": "hall"}
    assert host.ask("partition.bypass", args) == (True, {"done": "bypassed"})


def test_an_appointment_has_two_ends_in_the_right_order() -> None:
    host = Host(GUARDED)
    times = {"from": "2026-12-01T00:00", "to": "2026-12-09T00:00"}
    args = {"partition": "hall", "keys": "alarm", **times}
    assert host.ask("partition.arm", args) == (True, {"done": "appointed"})
    for wrong in (
        {"from": "2026-12-01T00:00"},
        {"from": times["to"], "to": times["from"]},
        {"from": times["from"], "to": "2028-12-01T00:00"},
        {"from": "today", "to": times["to"]},
    ):
        ok, (code, _) = host.ask("partition.arm", {"partition": "hall", **wrong})
        assert (ok, code) == (False, BAD_COMMAND)


# ---- the clock -------------------------------------------------------------------------------------


def test_the_clock_is_set_and_told() -> None:
    host = Host()
    host.act("set_clock", utc="2029-01-01T00:00:00Z")
    assert not host.controller.upkeep.now().trusted
    host.events.clear()
    assert host.ask("clock.set", {"utc": "2029-01-01T00:00:02Z"}) == (True, {})
    assert host.told("clock.changed", "quality", "by") == [("trusted", "op-ling")]
    assert host.controller.upkeep.now().trusted


# ---- keys, levels, hours ---------------------------------------------------------------------------


def key(**fields: object) -> dict[str, object]:
    return {"id": 900, "cards": [CARD], "levels": ["guests"], **fields}


def guests(host: Host) -> None:
    """A level of the host's own."""
    rights = [{"access_point": "front-in", "schedule": "nights"}]
    assert host.ask("schedule.set", {"schedule": "nights", "hours": ["daily 00:00-24:00"]})[0]
    assert host.ask("level.set", {"level": "guests", "rights": rights}) == (True, {})


def test_a_key_opens_when_its_op_has_answered_and_no_longer_when_it_is_removed() -> None:
    host = Host()
    guests(host)
    assert host.shows() == "unknown_credential"
    assert host.ask("credential.upsert", {"credential": key()}) == (True, {})
    assert host.told("credential.changed", "credential", "by") == [(900, "op-ling")]
    assert host.shows() == "access.granted"
    assert host.ask("credential.remove", {"credential": 900}) == (True, {})
    assert host.shows() == "unknown_credential"


def test_hours_that_change_count_at_once() -> None:
    host = Host()
    guests(host)
    host.ask("credential.upsert", {"credential": key()})
    assert host.ask("schedule.set", {"schedule": "nights", "hours": ["daily 01:00-01:01"]})[0]
    assert host.shows() == "outside_schedule"
    rights = [{"access_point": "*", "deny": True}]
    assert host.ask("level.set", {"level": "guests", "rights": rights})[0]
    assert host.shows() == "no_right"


def test_one_bad_key_of_many_changes_nothing_and_is_named_without_its_number() -> None:
    host = Host()
    guests(host)
    keys = [key(), key(id=901, cards=["w26:012:00007"], valid_from_s=5, valid_to_s=4)]
    ok, (code, message) = host.ask("credential.sync", {"upsert": keys})
    assert (ok, code) == (False, FAILED)
    assert message.startswith("credential 901: valid_to_s")
    assert "00007" not in message
    assert host.shows() == "unknown_credential"
    keys[1]["valid_to_s"] = None
    assert host.ask("credential.sync", {"upsert": keys}) == (True, {})
    assert host.ask("credential.sync", {"remove": [900, 901]}) == (True, {})


def test_a_schedule_op_says_what_it_sets() -> None:
    host = Host()
    assert host.ask("schedule.set")[1][0] == BAD_COMMAND
    assert host.ask("schedule.set", {"hours": ["daily 01:00-01:01"]})[1][0] == BAD_COMMAND
    assert host.ask("schedule.set", {"holidays": ["2026-12-25"]}) == (True, {})
    ok, (code, message) = host.ask("schedule.set", {"schedule": "x", "hours": ["never"]})
    assert (ok, code) == (False, FAILED)
    assert "\n" not in message


# ---- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("portal.fly", {}),
        (None, {}),
        (["portal.release"], {}),
        ("portal.release", None),
        ("portal.release", {}),
        ("portal.release", {"portal": "cellar"}),
        ("portal.release", {"portal": "front", "for": 3}),
        ("portal.mode", {"portal": "front", "mode": ["locked"]}),
        ("clock.set", {"utc": "yesterday"}),
        ("clock.set", {"utc": 1795248000}),
        ("credential.upsert", {"credential": [1]}),
        ("credential.remove", {"credential": True}),
        ("credential.sync", {"remove": [1] * 1001}),
        ("level.set", {"level": "x", "rights": [{"access_point": "cellar"}]}),
        ("level.set", {"level": "x", "rights": [{"access_point": "*", "deny": 1}]}),
    ],
)
def test_what_is_wrong_is_one_line_and_does_nothing(op: object, args: object) -> None:
    host = Host()
    ok, answer = host.ask(op, [] if args is None else args)
    assert not ok
    assert answer[0] == BAD_COMMAND
    assert "\n" not in answer[1]
    assert "expected" in answer[1]
    host.run(500)
    assert host.events == []


def test_what_fails_inside_is_no_exception_and_tells_no_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host()

    def fails(*given: object) -> None:
        raise RuntimeError("card w26:012:34567")

    monkeypatch.setattr(host.controller.site, "release", fails)
    answer = host.ask("portal.release", {"portal": "front"})
    assert answer == (False, (FAILED, "portal.release: RuntimeError"))


def test_a_lost_key_is_refused_as_lost() -> None:
    host = Host()
    guests(host)
    host.ask("credential.upsert", {"credential": key(state=credential.LOST)})
    assert host.shows() == "credential_lost"


# ---- records again ---------------------------------------------------------------------------------


def test_one_range_of_records_too_many_is_refused_and_those_before_it_come_after_the_outage() -> (
    None
):
    host = Host()
    while host.controller.publisher.replay(17, 17) == (0, 0):
        host.act("push_door", portal="front")
        host.act("press_rex", portal="front")
    host.act("cut_network")
    for seq in range(17, 1, -1):
        asked = {"from_seq": seq, "to_seq": seq}
        assert host.ask("events.replay", asked) == (True, asked)
    text = "events.replay: 16 ranges are still to be sent; expected fewer"
    assert host.ask("events.replay", {"from_seq": 1, "to_seq": 1}) == (False, (FAILED, text))
    host.building.broker.said = []
    host.act("restore_network")
    host.run(10_000)
    said = [json.loads(body) for topic, body in host.building.broker.said if "/event" in topic]
    assert [event["seq"] for event in said if event["seq"] <= 17] == list(range(17, 1, -1))
    assert host.ask("events.replay", {"from_seq": 1, "to_seq": 1})[0]
