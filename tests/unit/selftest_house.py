"""A simulated house whose installer walks through the self-test: the world moves, the real drivers see it."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hal.board
from firmware.program import Platform
from firmware.runtime import aio
from firmware.selftest_program import SelfTestProgram
from firmware.services.selftest_words import WORDS
from sim.fakes import FakeTicks
from sim.person import demo_people
from sim.virtual import Building

START_MS = 1795248000000  # 2026-11-21, 16:00 in Shanghai
BOARD = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")
CARD = "w26:012:34567"

Does = Callable[["House", str, str], bool]


class House:
    """The demo building without a controller; `run` is one walk, and may be made again.

    does  callable (house, kind of the step, which prompt) -> whether the installer did something else
    """

    def __init__(
        self, folder: Path, does: Does | None = None, lang: str = "en", board: str = BOARD
    ) -> None:
        self.folder = folder
        self.config = hal.board.load(board)
        self.board = board
        people = demo_people(START_MS // 1000, lambda utc_s: 28800)
        self.building = Building(self.config, people, START_MS, 1)
        self.world = self.building.world
        self.loop = self.building.loop
        self.lines = self.building.lines
        self.does = does
        self.lang = lang
        self.said: list[str] = []
        self.armed: list[int] = []
        self.name = "Li Wei"
        self.step: Any = None
        self.out: str | None = None

    def run(self) -> int:
        """Walk through it; the exit code."""
        machine = self.building.machine
        platform = Platform(
            machine._lines,
            machine._serial_ports,
            FakeTicks(self.building.clock),
            [],
            [],
            machine._analog_inputs,
            machine._serial_ports.buses,
        )
        self.program = SelfTestProgram(
            self.config,
            self.board,
            str(self.folder),
            platform,
            self.loop,
            self.building.wall,
            self.say,
            self.lang,
            self.out,
            self.armed.append,
        )
        self.test = self.program.test
        code: list[int] = []

        async def walk() -> None:
            code.append(await self.program.walk())
            await aio.sleep_ms(1000)

        try:
            self.loop.run(walk(), "main")
        finally:
            self.program.close()
        return code[0]

    def say(self, line: str) -> None:
        """What the installer reads; he acts half a second later."""
        self.said.append(line)
        for prompt in ("who", "ready", "judge", "watch", "failing", "fire_free", "go_on"):
            begin = WORDS[self.lang][prompt].partition("{")[0]
            if prompt == "go_on":
                if "Go on after them?" in line:
                    self.soon(lambda: self.told("go_on"))
            elif begin and line.startswith(begin):
                self.soon(partial(self.told, prompt))
        numbered = re.match(r"\[(\d+)/", line)
        if numbered:
            self.step = self.program._steps[int(numbered[1]) - 1]

    def soon(self, call: Callable[[], None], ms: int = 500) -> None:
        self.loop.call_at(self.loop.now_ms() + ms, call)

    def told(self, prompt: str) -> None:
        kind = "" if self.step is None else self.step.kind
        if self.does is not None and self.does(self, kind, prompt):
            return
        if prompt == "who":
            self.test.heard(self.name)
        elif prompt == "ready":
            self.test.heard("")
        elif prompt in ("judge", "go_on"):
            self.test.heard("y")
        elif prompt == "failing":
            self.test.heard("n")
        elif prompt == "watch":
            self.move(kind)
        elif prompt == "fire_free":
            self.soon(lambda: self.world.act("set_fire", on=False), 3000)

    def answer(self, prompt: str, line: str) -> bool:
        """Type `line` at every prompt but the name's."""
        if prompt == "who":
            return False
        self.test.heard(line)
        return True

    def leave(self) -> bool:
        """Nobody types any more."""
        self.test.over()
        return True

    def move(self, kind: str) -> None:
        """What the sentence asks for."""
        world, step = self.world, self.step
        if kind == "contact":
            world.act("force_door", portal=step.portal)
            self.soon(lambda: world.act("close_door", portal=step.portal), 1500)
        elif kind == "rex":
            world.act("press_rex", portal=step.portal)
        elif kind == "card":
            points = self.config["access_points"]
            at = next(name for name, one in points.items() if one["reader"] == step.device)
            world.act("present_card", access_point=at, number=CARD)
        elif step.device == "key-switch":
            world.act("press_ack")
        elif step.device == "panic-button":
            world.act("press_panic", point="lobby-panic")
        elif step.device in ("mains", "battery"):
            self.wire(step.device, False)
            self.soon(lambda: self.wire(step.device, True), 700)
        elif kind in ("tamper", "loop"):
            world.act("tamper", device=step.device, on=True)
            self.soon(lambda: world.act("tamper", device=step.device, on=False), 700)
        elif kind == "fire":
            world.act("set_fire", on=True)

    def wire(self, device: str, whole: bool) -> None:
        """Open a loop, or close it."""
        self.world.act("unplug", device=device, on=not whole)

    # ---- what came of it ---------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """Every record in the folder, by its name."""
        paths = sorted(self.folder.glob("commissioning-*.json"))
        return [json.loads(path.read_bytes()) for path in paths]

    def outcomes(self) -> dict[str, str]:
        """Of the last record: device and kind -> outcome, where it is not ok."""
        steps = self.records()[-1]["steps"]
        return {f"{s['device']} {s['kind']}": s["outcome"] for s in steps if s["outcome"] != "ok"}
