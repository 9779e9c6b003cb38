"""`firmware.services.command_desk`: the host's word on `stored`, to the real controller in virtual time."""

import base64
from typing import Any

import pytest
from command_house import CommandHouse

from firmware.trust import order, signing
from sim.virtual import OPERATOR
from sim.virtual_host import HOST, seed_of

HOST_ACK: dict[str, object] = {"link": {"enabled": True, "host": "127.0.0.1", "host_ack": True}}


class Stored:
    """A house whose host keeps silent but for what a test has it say."""

    def __init__(self) -> None:
        self.house = CommandHouse(HOST_ACK)
        self.house.building.host.acknowledges = False
        self.house.seeds[HOST] = seed_of(self.house.building.parts.sent.config, HOST)
        self.house.run(2000)
        self.heard = 0
        upkeep: Any = self.house.controller.upkeep
        real = upkeep.host_heard

        def heard() -> None:
            self.heard += 1
            real()

        upkeep.host_heard = heard
        for _ in range(3):
            self.house.code(self.house.make("alarm.silence"))
        self.house.run(2000)

    @property
    def waiting(self) -> int:
        """How many records wait for the host's word."""
        return int(self.house.controller.journal.waiting())

    def word(self, event: dict[str, Any], by: str = HOST, **fields: Any) -> bytes:
        """The host has everything up to `event`; `fields` stand in place of what it would say."""
        given: dict[str, Any] = {"to": self.house.to, "by": by, "seed": self.house.seeds[by]}
        given |= {key: event[key] for key in ("journal", "seq", "hash")} | fields
        return order.text(order.acknowledgement(**given))

    def say(self, payload: bytes) -> None:
        self.house.say(payload, "stored")

    def enlist(self, id: str, role: str, **more: object) -> None:
        """Have the owner set somebody, with a key of its own."""
        self.house.seeds[id] = id.encode().ljust(32, b"-")
        key = base64.b64encode(signing.public_of(self.house.seeds[id])).decode()
        args = {"operator": id, "role": role, "public_key": key, **more}
        assert self.house.code(self.house.make("operator.set", args)) == "ok"

    def refused(self) -> list[tuple[Any, ...]]:
        return self.house.told("command.rejected", "op", "by", "reason")

    def replies(self) -> int:
        return len([topic for topic, _ in self.house.said if "/reply/" in topic])


@pytest.fixture
def stored() -> Stored:
    return Stored()


def test_records_up_to_the_hosts_word_leave_and_no_more(stored: Stored) -> None:
    events = stored.house.events
    before = stored.waiting
    assert before >= len(events) >= 3
    stored.say(stored.word(events[-2]))
    assert stored.waiting == 1
    assert stored.heard == 1
    stored.say(stored.word(events[-1]))
    assert (stored.waiting, stored.heard, stored.refused()) == (0, 2, [])


def test_a_word_that_is_said_again_or_is_older_than_the_last_changes_nothing(
    stored: Stored,
) -> None:
    newest, older = stored.word(stored.house.events[-1]), stored.word(stored.house.events[-3])
    for payload in (newest, newest, older):
        stored.say(payload)
    assert stored.waiting == 0
    assert stored.heard == 3  # it speaks, whatever it says
    assert stored.refused() == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"hash": "0" * 64}, "failed"),
        ({"journal": "00000000"}, "failed"),
        ({"seq": 100_000}, "failed"),
        ({"seq": 0}, "bad_command"),
        ({"seq": -1}, "bad_command"),
        ({"seq": True}, "bad_command"),
        ({"seq": "3"}, "bad_command"),
        ({"hash": None}, "bad_command"),
        ({"journal": 7}, "bad_command"),
        ({"to": "sunrise/c-02"}, "wrong_controller"),
        ({"seed": bytes(32)}, "bad_signature"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_a_word_that_is_not_right_frees_nothing_and_is_told(
    wrong: dict[str, Any], reason: str, stored: Stored
) -> None:
    before, replies = stored.waiting, stored.replies()
    stored.say(stored.word(stored.house.events[-1], **wrong))
    assert stored.refused() == [("stored", HOST, reason)]
    assert stored.waiting == before + 1  # the refusal's own record
    assert stored.heard == 0
    assert stored.replies() == replies


def test_only_a_host_that_stands_is_believed(stored: Stored) -> None:
    stored.enlist("op-ling", "manager")
    stored.enlist("host-2", "host")
    stored.enlist("host-2", "host", revoked=True)
    stored.house.seeds["stranger"] = bytes(32)
    before = stored.waiting
    last = stored.house.events[-1]
    for by in (OPERATOR, "op-ling", "host-2", "stranger"):
        stored.say(stored.word(last, by=by))
    assert stored.refused() == [
        ("stored", OPERATOR, "role"),
        ("stored", "op-ling", "role"),
        ("stored", "host-2", "revoked"),
        ("stored", "stranger", "unknown_operator"),
    ]
    assert (stored.waiting, stored.heard) == (before + 4, 0)


def test_wrong_words_count_with_wrong_commands_toward_what_is_told_singly(stored: Stored) -> None:
    wrong = stored.word(stored.house.events[-1], hash="0" * 64)
    for number in range(30):
        stored.say(wrong)
        assert len(stored.refused()) == min(number + 1, 20)
    stored.house.run(6_000)
    (count,) = stored.house.told("command.rejected", "count")[-1]
    assert (count, stored.refused()[-1]) == (10, ("stored", HOST, "failed"))
    assert stored.heard == 0


def test_a_host_set_by_command_is_believed_from_then_on(stored: Stored) -> None:
    stored.enlist("host-2", "host")
    stored.say(stored.word(stored.house.events[-1], by="host-2"))
    assert (stored.waiting, stored.heard, stored.refused()) == (0, 1, [])
