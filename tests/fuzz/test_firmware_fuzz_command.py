"""Anything at all onto the topics that the controller listens to: it goes on deciding, and obeys nobody else.

``FUZZ_EXAMPLES`` sets how many examples each test tries, new ones each time; without it the same few.
"""

import base64
import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from stranger import FRIEND, GONE, HOST, OWNER, STRANGER, TO, Sent, Tables, messages, payload

import hal.board
from firmware.runtime import aio
from firmware.runtime.clock import iso
from firmware.runtime.operators import MAY
from firmware.trust import chain, envelope, order, sealing, signing
from sim.person import demo_people
from sim.virtual import OPERATOR, Building
from tests.asyncapi_document import Flaw, document

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
ROUNDS = range(
    max(1, int(EXAMPLES or 0) // 1000)
)  # hypothesis remembers all of one: 250 kB an example
fuzz = settings(
    max_examples=int(EXAMPLES or 120) // len(ROUNDS),
    deadline=None,
    derandomize=EXAMPLES is None,  # the same ones at every test run, new ones when hunting
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

START_MS = 1795248000000  # 2026-11-21T08:00:00Z
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")
HOST_ACK: dict[str, object] = {"link.host_ack": True}
ROOT = f"doorward/{TO}"
MINUTE_MS = 62_000

ROLES = {OWNER: "owner", FRIEND: "caretaker", HOST: "host", GONE: "manager"}


class Besieged:
    """The demo building with five known keys, and what it records, answers and does."""

    def __init__(self) -> None:
        config = hal.board.load(BOARD, HOST_ACK)
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(config, people, START_MS, 3)
        self.building.broker.said = []
        assert OPERATOR == OWNER
        names = (FRIEND, HOST, GONE, STRANGER)
        self.seeds = {name: bytes([at]) * 32 for at, name in enumerate(names, 1)}
        self.seeds[OWNER] = self.building.parts.operator_seed
        self.building.start()
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        self.sent = 0
        self._introduce()
        self.events.clear()

    def close(self) -> None:
        """Give back its disk and its threads: many more will be besieged."""
        self.building.machine.shut_down()

    def run(self, ms: int) -> None:
        """Let time pass."""
        self.building.loop.run(aio.sleep_ms(ms))

    def say(self, sent: Sent) -> list[bytes]:
        """Send one message, as often as it comes; its bytes, as often."""
        self.sent += 1
        now_ms = int(self.building.wall.utc_ms()) + sent.shift_s * 1000
        head = {"journal": "00000000", "seq": 1, "hash": "0" * 64}
        if self.events:
            head = {key: self.events[-1][key] for key in head}
        known = Tables(
            self.seeds,
            base64.b64decode(self.building.parts.public_key["seal"]),
            iso(now_ms),
            iso(now_ms + 30_000),
            START_MS + self.sent,
            head,
        )
        said = payload(sent, known)
        for _ in range(sent.times):
            self.building.host.publish(sent.topic, said, sent.retained)
        return [said] * sent.times

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == kind]

    def replies(self) -> list[dict[str, Any]]:
        """All that was answered."""
        said = self.building.broker.said or []
        return [json.loads(body) for topic, body in said if topic.startswith(ROOT + "/reply/")]

    def _introduce(self) -> None:
        for name, role in ROLES.items():
            if name == OWNER:
                continue
            public = base64.b64encode(signing.public_of(self.seeds[name])).decode()
            self._order(name, operator=name, role=role, public_key=public, revoked=name == GONE)
        self.run(2000)
        assert len(self.told("command.accepted")) == len(ROLES) - 1
        self.building.broker.said = []

    def _order(self, id: str, **args: object) -> None:
        self.sent += 1
        now_ms = int(self.building.wall.utc_ms())
        made = order.make(
            "operator.set",
            args,
            id=id.encode().hex().ljust(32, "f")[:32],
            to=TO,
            by=OWNER,
            seed=self.seeds[OWNER],
            issued=iso(now_ms),
            expires=iso(now_ms + 30_000),
            seal_key=base64.b64decode(self.building.parts.public_key["seal"]),
            n=START_MS + self.sent,
        )
        self.building.host.publish("command", order.text(made))


def _signer(house: Besieged, said: bytes) -> str | None:
    """Who of those that are known signed these bytes, judged as a host would."""
    try:
        fields = envelope.read(said)
    except envelope.Flaw:
        return None
    by = fields.get("by")
    if not isinstance(by, str) or by not in ROLES:
        return None
    public = signing.public_of(house.seeds[by])
    return by if signing.is_signed(fields, public) else None


def _is_fit(house: Besieged, said: bytes) -> bool:
    """Whether this is a command of the document, for us, of a role that may; what is sealed included."""
    fields = json.loads(said)
    api = document()
    try:
        name = api.check(ROOT + "/command", said)
    except Flaw:
        return False
    if "sealed" in fields:
        belongs = sealing.belongs_to(fields["id"], TO)
        try:
            args = json.loads(house.building.parts._identity.unseal(fields["sealed"], belongs))
        except sealing.SealError:
            return False
        if not api.fits(name[2].lower() + name[3:] + "Args", args):
            return False
    op = api.messages[name]["name"]
    return fields["to"] == TO and op in MAY[ROLES[fields["by"]]] and fields["by"] != GONE


@pytest.mark.parametrize("round", ROUNDS)
@fuzz
@given(sent=messages)
def test_nothing_but_a_right_command_does_anything(round: int, sent: list[Sent]) -> None:
    with contextlib.closing(Besieged()) as house:
        said = []
        for one in sent:
            said += [(one, body) for body in house.say(one)]
            house.run(50)
        house.run(MINUTE_MS)
        _nobody_was_hurt(house, said)
        _only_the_signed_are_answered(house, said)
        _the_door_still_decides(house)


def _nobody_was_hurt(house: Besieged, said: list[tuple[Sent, bytes]]) -> None:
    """Every effect is that of a right command, every refusal stands in the records once."""
    accepted = house.told("command.accepted")
    rejected = house.told("command.rejected")
    starts = 1 + len(house.told("system.started"))  # each has a minute of its own
    assert len([event for event in rejected if "count" not in event]) <= 20 * starts
    recorded = len(accepted) + sum(event.get("count", 1) for event in rejected)
    once = {body for one, body in said if one.topic == "command"}
    assert len(once) <= recorded <= len(said)
    right = [json.loads(body)["id"] for one, body in said if _is_right(house, one, body)]
    assert {event["command"] for event in accepted} <= set(right)
    assert len({event["command"] for event in accepted}) == len(accepted)
    if not accepted:
        assert {event["type"] for event in house.events} <= {"command.rejected"}
    releases = [event for event in house.told("portal.released") if event["cause"] == "command"]
    assert len(releases) == len([event for event in accepted if event["op"] == "portal.release"])
    assert house.told("system.fault") == []
    assert house.building.machine.deciding
    assert chain.verify(house.events) == (True, None, "")
    for event in house.events:
        document().check(ROOT + "/event", json.dumps(event))


def _is_right(house: Besieged, one: Sent, body: bytes) -> bool:
    signed = one.topic == "command" and not one.retained and _signer(house, body) is not None
    return signed and _is_fit(house, body)


def _only_the_signed_are_answered(house: Besieged, said: list[tuple[Sent, bytes]]) -> None:
    public = base64.b64decode(house.building.parts.public_key["sign"])
    may = [
        json.loads(body).get("id")
        for one, body in said
        if one.topic == "command" and not one.retained and _signer(house, body) is not None
    ]
    replies = house.replies()
    assert len(replies) <= len(may)
    for reply in replies:
        assert signing.is_signed(reply, public)
        assert reply["id"] in may
        document().check(f"{ROOT}/reply/{reply['id']}", json.dumps(reply))


def _the_door_still_decides(house: Besieged) -> None:
    """Whoever may come in comes in, or is refused for a reason that a right command gave."""
    house.building.world.perform("present_card", {"access_point": "front-in", "person": "resident"})
    house.run(1000)
    decided = house.told("access.granted") + house.told("access.denied")
    assert len(decided) == 1
    if not house.told("command.accepted"):
        assert decided[0]["type"] == "access.granted"
        assert house.building.world.snapshot()["portals"]["front"]["lock"] == "unlocked"


def test_the_siege_can_be_lost() -> None:
    # A right command among the nonsense is done and answered: otherwise nothing above would mean anything.
    house = Besieged()
    right = Sent(
        "command", None, {"op": "portal.release", "args": {"portal": "front"}}, OWNER, 0, False,
        False, None, 0, 2,
    )  # fmt: skip
    body = house.say(right)[0]
    house.run(1000)
    assert [event["op"] for event in house.told("command.accepted")] == ["portal.release"]
    assert len(house.told("portal.released")) == 1
    assert _is_right(house, right, body)
    assert [reply["ok"] for reply in house.replies()] == [True, True]
    assert house.told("command.rejected") == []
