"""`sim.virtual_host`: what a host keeps, what it finds wrong, and what it says on `stored`."""

import json
import random
from typing import Any

import hal.board
from firmware.runtime import aio
from firmware.trust import chain, signing
from sim.fakes import FakeWall
from sim.virtual_broker import VirtualBroker
from sim.virtual_host import ACK_MS, HOST, OPERATOR, VirtualHost, operators


class Desk:
    """A host, and somebody in the controller's place."""

    def __init__(self, host_ack: bool = True) -> None:
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        self.broker = VirtualBroker(self.loop)
        self.config = hal.board.load(
            "board_configs/demo-sim.toml", {"link.host_ack": host_ack, "link.enabled": True}
        )
        wall = FakeWall(self.clock, 1_795_248_000_000)
        self.host = VirtualHost(self.loop, self.broker, self.config, wall, random.Random(1))
        self.stored: list[dict[str, Any]] = []
        self.commands: list[dict[str, Any]] = []
        self.broker.client("door", self.host.root + "/#", self._came)

    def _came(self, topic: str, payload: str, retained: bool) -> None:
        if topic.endswith("/stored"):
            self.stored.append(json.loads(payload))
        elif topic.endswith("/command"):
            self.commands.append(json.loads(payload))

    def run(self, ms: int = ACK_MS + 10) -> None:
        self.loop.run(aio.sleep_ms(ms))

    def say(self, *events: dict[str, Any]) -> None:
        for event in events:
            self.broker.route(self.host.root + "/event", json.dumps(event), False)


def _events(count: int) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    prev = chain.START
    for seq in range(1, count + 1):
        event = {"id": f"c-01:j:{seq}", "journal": "j", "seq": seq, "type": "x", "prev": prev}
        event["hash"] = prev = chain.hash_of(event)
        made.append(event)
    return made


def test_what_is_whole_is_acknowledged_up_to_the_first_gap_and_then_beyond() -> None:
    desk = Desk()
    events = _events(5)
    desk.say(events[0], events[1], events[4], events[3])
    desk.run()
    assert [word["seq"] for word in desk.stored] == [2]
    desk.say(events[2])
    desk.run()
    assert [word["seq"] for word in desk.stored] == [2, 5]
    word = desk.stored[-1]
    assert (word["hash"], word["by"], word["to"]) == (events[4]["hash"], HOST, desk.host.to)
    key = signing.key_bytes(operators(desk.config)[HOST][1])
    assert signing.is_signed(word, key)
    assert desk.host.problems == []


def test_a_host_that_is_told_again_says_again_that_it_has_it() -> None:
    desk = Desk()
    desk.say(*_events(2))
    desk.run()
    desk.say(_events(2)[1])
    desk.run()
    assert [word["seq"] for word in desk.stored] == [2, 2]
    assert desk.host.again == 1


def test_a_host_that_acknowledges_nothing_is_silent() -> None:
    desk = Desk(host_ack=False)
    desk.say(*_events(3))
    desk.run()
    assert desk.stored == []


def test_what_is_missing_is_named() -> None:
    desk = Desk()
    events = _events(5)
    desk.say(events[0], events[4])
    assert desk.host.missing("j") == [2, 3, 4]


def test_another_event_of_the_same_id_is_found() -> None:
    desk = Desk()
    event = _events(1)[0]
    other = {**event, "type": "y"}
    other["hash"] = chain.hash_of(other)
    desk.say(event, other)
    assert desk.host.problems == ["c-01:j:1: came again and is another"]


def test_a_changed_event_and_a_broken_chain_are_found_in_any_order() -> None:
    first, second = _events(2)
    desk = Desk()
    desk.say({**first, "type": "y"})
    assert desk.host.problems == ["c-01:j:1: hash is not that of its content"]
    stranger = {**second, "prev": "1" * 64}
    stranger["hash"] = chain.hash_of(stranger)
    for order in ((first, stranger), (stranger, first)):
        desk = Desk()
        desk.say(*order)
        assert desk.host.problems == ["c-01:j:2: does not follow the event before it"]


def test_a_command_is_the_operators_and_its_number_rises() -> None:
    desk = Desk()
    for _ in range(2):
        desk.host.command("portal.release", {"portal": "front"})
    first, second = desk.commands
    assert first["by"] == OPERATOR
    assert signing.is_signed(first, signing.key_bytes(operators(desk.config)[OPERATOR][1]))
    assert (first["n"], second["n"]) == (1_795_248_000_000, 1_795_248_000_001)
    assert first["id"] != second["id"]
    assert (first["issued"], first["expires"]) == ("2026-11-21T08:00:00Z", "2026-11-21T08:00:30Z")


def test_a_reply_to_nobody_is_found() -> None:
    desk = Desk()
    desk.broker.route(desk.host.root + "/reply/" + "0" * 32, '{"ok":true}', False)
    assert desk.host.problems == [f"reply/{'0' * 32}: to a command that nobody sent"]
