"""`system.restart` and `config.apply` by signed commands: the real program, through real brokers."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, Mosquitto, Nats
from kill_rig import SEEDS, TO, TOPIC, Controller, StoringHost
from paho.mqtt.client import MQTTMessage

from firmware.runtime.clock import iso
from firmware.trust import order, signing

OWNER = "op-owner"
AHEAD = 100  #: commands that are said before the first of them is answered
PRESSES = 5


class Desk(StoringHost):
    """A host with an operator at it, who knows the controller's keys from its `status`."""

    def __init__(self, port: int) -> None:
        self.retained: dict[str, dict[str, Any]] = {}
        self._n = 0
        super().__init__(port)

    def signed(self, op: str, args: dict[str, Any]) -> dict[str, Any]:
        """A command of the owner."""
        self._n += 1
        keys = self.wait("the keys", lambda: self.retained.get("status", {}).get("public_key"))
        now_ms = int(time.time() * 1000)
        return order.make(
            op,
            args,
            id=f"{self._n:032x}",
            to=TO,
            by=OWNER,
            seed=SEEDS[OWNER],
            issued=iso(now_ms),
            expires=iso(now_ms + 300_000),
            seal_key=base64.b64decode(keys["seal"]),
            n=self._n,
        )

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send it, and wait for one more reply, which is the controller's."""
        before = len(self.of(command["id"]))
        self.say("command", order.text(command))
        id = command["id"]
        reply: dict[str, Any] = self.wait("a reply", lambda: self.of(id)[before:])[0]
        sign = base64.b64decode(self.retained["status"]["public_key"]["sign"])
        assert signing.is_signed(reply, sign)
        return reply

    def of(self, id: str) -> list[dict[str, Any]]:
        """The replies to one command."""
        return [reply for reply in self.replies if reply["id"] == id]

    def about(self, id: str) -> list[str]:
        """What was recorded of one command."""
        found = [event for event in self.stored.values() if event.get("command") == id]
        return [event["type"] for event in sorted(found, key=lambda event: event["seq"])]

    def is_stopping(self) -> bool:
        """Whether a clean end was heard of."""
        return bool(self.told("system.stopping"))

    def _message(self, client: Any, data: Any, message: MQTTMessage) -> None:
        with self._changed:
            name = message.topic.removeprefix(TOPIC + "/")
            if name in ("status", "about"):
                said = json.loads(message.payload)
                if said.get("state") != "offline":
                    self.retained[name] = said
        super()._message(client, data, message)


class Town:
    """A broker, a controller and a desk."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.door = Controller(folder, broker.port)
        self.desk = Desk(broker.port)
        self.door.start()
        self.desk.wait_boot(0)

    def close(self) -> None:
        """End what was started here."""
        self.desk.leave()
        self.door.kill()


@pytest.fixture(params=[Nats, Mosquitto])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    broker: Broker = request.param(tmp_path)
    broker.start()
    one = Town(broker, tmp_path)
    yield one
    one.close()
    broker.kill()


def _starts(desk: Desk) -> list[int]:
    return [event["boot"] for event in desk.told("system.started")]


def test_a_restart_is_answered_and_recorded_and_a_repeat_of_it_restarts_nothing(town: Town) -> None:
    desk = town.desk
    command = desk.signed("system.restart", {})
    reply = desk.ask(command)
    assert reply["ok"] is True
    assert desk.boot == 1  # its answer came before the end
    assert desk.wait_boot(1) == 2
    for _ in range(3):
        assert desk.ask(command) == reply
    assert desk.ask(desk.signed("alarm.silence", {}))["ok"] is True
    desk.wait("the end of the first start", desk.is_stopping)
    assert _starts(desk) == [1, 2]
    assert desk.about(command["id"]) == ["command.accepted"]
    (accepted,) = [e for e in desk.told("command.accepted") if e["command"] == command["id"]]
    (stopping,) = desk.told("system.stopping")
    assert (accepted["boot"], stopping["boot"]) == (1, 1)
    assert accepted["seq"] < stopping["seq"]


def test_a_config_that_is_wrong_is_refused_with_all_that_is_wrong_and_changes_nothing(
    town: Town,
) -> None:
    desk, door = town.desk, town.door
    wrong = door._board.read_text().replace("egress_ms = 30000", 'egress_ms = "long"')
    wrong = wrong.replace('fail_mode = "fail_safe"', 'fail_mode = "fail_soon"')
    command = desk.signed("config.apply", {"config": wrong})
    reply = desk.ask(command)
    assert (reply["ok"], reply["error"]["code"]) == (False, "failed")
    for part in ("egress_ms", "fail_mode", "fail_soon"):
        assert part in reply["error"]["message"]
    assert desk.ask(command) == reply
    assert desk.ask(desk.signed("alarm.silence", {}))["ok"] is True
    desk.wait("the refusal", lambda: desk.about(command["id"]))
    assert desk.about(command["id"]) == ["command.rejected"]
    assert _starts(desk) == [1]
    assert not (door.state / "board.next.toml").exists()
    assert not (door.state / "board.toml").exists()


def test_a_config_that_is_right_is_in_force_after_the_restart_that_it_brings(town: Town) -> None:
    desk, door = town.desk, town.door
    desk.wait("the old title", lambda: "Yard gate" in json.dumps(desk.retained.get("about")))
    right = door._board.read_text().replace('en = "Yard gate",', 'en = "Garden gate",')
    command = desk.signed("config.apply", {"config": right})
    reply = desk.ask(command)
    assert reply["ok"] is True, reply
    assert desk.wait_boot(1) == 2
    desk.wait("the new title", lambda: "Garden gate" in json.dumps(desk.retained["about"]))
    assert desk.ask(command) == reply
    assert desk.ask(desk.signed("alarm.silence", {}))["ok"] is True
    assert _starts(desk) == [1, 2]
    door.said.wait("its being kept", lambda items: [1 for one in items if "from now on" in one])
    assert (door.state / "board.toml").read_text() == right
    assert not (door.state / "board.next.toml").exists()
    assert "Yard gate" in door._board.read_text()  # the one it was given is as it was
    assert desk.about(command["id"]) == ["command.accepted"]


def test_the_door_decides_between_the_messages_of_a_flood_that_does_not_end_before(
    town: Town,
) -> None:
    desk, door = town.desk, town.door
    said = 0

    def say_more() -> None:
        nonlocal said
        said += 1
        desk.say("command", order.text(desk.signed("alarm.silence", {})))
        desk.wait("answers", lambda: len(desk.replies) > said - AHEAD)

    for _ in range(AHEAD):
        say_more()
    desk.wait("the first answer", lambda: desk.replies)
    presses = f"exits {PRESSES}"
    door.tell(presses)
    while f"done {presses}" not in door.done.items:
        assert door.process is not None
        assert door.process.poll() is None
        say_more()
    say_more()
    desk.wait("the last answer", lambda: len(desk.replies) == said)
    assert {reply["ok"] for reply in desk.replies} == {True}
    door.stop()
    events = sorted(door.journal().values(), key=lambda event: event["seq"])
    kinds = [event["type"] for event in events if event.get("cause") == "rex" or "op" in event]
    assert kinds.count("command.accepted") == said
    assert kinds.count("portal.released") == PRESSES
    # All of them after the first command and before the last: none waited for the flood to end.
    assert (kinds[0], kinds[-1]) == ("command.accepted", "command.accepted")
