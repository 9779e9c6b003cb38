"""The demo building in virtual time with a host beside it, which signs commands and reads the replies."""

import base64
import json
from pathlib import Path
from typing import Any

import hal.board
from firmware.runtime import aio
from firmware.runtime.clock import iso
from firmware.trust import order, signing
from sim.person import demo_people
from sim.virtual import OPERATOR, Building

START_MS = 1795248000000  # 2026-11-21T08:00:00Z
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")


class CommandHouse:
    """``events`` is what was recorded since the start; ``replies`` what the controller has answered."""

    def __init__(self, override: dict[str, object] | None = None, seed: int = 1) -> None:
        config = hal.board.load(BOARD, override)
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(config, people, START_MS, seed)
        self.building.broker.said = []
        self.building.start()
        self.root = "doorward/" + self.to
        self.events: list[dict[str, Any]] = []
        self.building.machine.on_events = lambda events, at_ms: self.events.extend(events)
        self.made = 0
        #: operator: its seed
        self.seeds = {OPERATOR: self.building.parts.operator_seed}

    @property
    def to(self) -> str:
        own = self.building.parts.sent.config["controller"]
        return f"{own['site']}/{own['name']}"

    @property
    def controller(self) -> Any:
        assert self.building.machine.controller is not None
        return self.building.machine.controller

    def public_key(self, part: str) -> bytes:
        return base64.b64decode(self.building.parts.public_key[part])

    def run(self, ms: int) -> None:
        self.building.loop.run(aio.sleep_ms(ms))

    def act(self, do: str, **args: object) -> None:
        self.building.world.perform(do, args)
        self.run(1500)

    def status(self) -> dict[str, Any]:
        said = [body for topic, body in self.said if topic == self.root + "/status"]
        return dict(json.loads(said[-1]))

    @property
    def said(self) -> list[tuple[str, str]]:
        return self.building.broker.said or []

    def utc_ms(self) -> int:
        return int(self.building.wall.utc_ms())

    def make(self, op: str, args: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """A signed command; what is among `fields` stands in place of what a host would say."""
        self.made += 1
        by = fields.pop("by", OPERATOR)
        seed = fields.pop("seed", None) or self.seeds[by]
        issued_ms = self.utc_ms() + fields.pop("issued_in_ms", 0)
        life_ms = fields.pop("life_ms", 30_000)
        made = order.make(
            op,
            {} if args is None else args,
            id=fields.pop("id", f"{self.made:032x}"),
            to=fields.pop("to", self.to),
            by=by,
            seed=seed,
            issued=fields.pop("issued", iso(issued_ms)),
            expires=fields.pop("expires", iso(issued_ms + life_ms)),
            seal_key=self.public_key("seal"),
            n=fields.pop("n", self.made),
            nonce=fields.pop("nonce", None),
            reply_key=fields.pop("reply_key", None),
        )
        return self.signed(made, by, **fields) if fields else made

    def signed(self, command: dict[str, Any], by: str = OPERATOR, **changed: Any) -> dict[str, Any]:
        """`command` with some fields changed (None: left out), signed again."""
        made = {**command, **changed}
        made = {key: value for key, value in made.items() if value is not None}
        made["sig"] = signing.sign(made, self.seeds[by])
        return made

    def say(self, payload: bytes, topic: str = "command", retained: bool = False) -> None:
        self.building.host.publish(topic, payload, retained)
        self.run(400)

    def replies(self, id: str) -> list[str]:
        topic = f"{self.root}/reply/{id}"
        return [body for at, body in self.said if at == topic]

    def answer(self, command: dict[str, Any]) -> dict[str, Any] | None:
        """Send a command; the newest reply to it, its signature checked, or None."""
        before = len(self.replies(command["id"]))
        self.say(order.text(command))
        found = self.replies(command["id"])[before:]
        if not found:
            return None
        assert len(found) == 1
        reply = dict(json.loads(found[0]))
        assert signing.is_signed(reply, self.public_key("sign"))
        return reply

    def code(self, command: dict[str, Any]) -> str | None:
        """ "ok", the code of the error that the reply names, or None: there was no reply."""
        reply = self.answer(command)
        if reply is None:
            return None
        return "ok" if reply["ok"] else str(reply["error"]["code"])

    def told(self, type: str, *fields: str) -> list[tuple[Any, ...]]:
        found = [event for event in self.events if event["type"] == type]
        return [tuple(event.get(field) for field in fields) for event in found]

    def lock(self, portal: str = "front") -> str:
        return str(self.building.world.snapshot()["portals"][portal]["lock"])
