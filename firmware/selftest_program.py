"""One run of `doorward --selftest`: the board, the walk with the installer, the record that is left.

Names no backend: `firmware.main` hands over what the board offers. The controller does not decide meanwhile.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import firmware
import hal.board
from firmware.program import Platform
from firmware.runtime import aio
from firmware.runtime.clock import TRUSTED, UNTRUSTED, MonotonicClock, WallClock, iso
from firmware.services import commissioning, secrets, selftest, trouble
from firmware.services.selftest_bench import Bench
from firmware.services.selftest_prompts import WireTest
from firmware.services.selftest_words import WORDS
from firmware.services.typed_lines import TypedLines
from firmware.trust import canonical
from hal import board_tests, board_wires
from hal.opening import LINE_KEYS

SERVICE = "systemctl stop doorward.target (and start it again afterwards)"

Say = Callable[[str], None]


class SelfTestProgram:
    """The parts of one run over an opened `platform`; `walk` is its life, `close` its end.

    path    str  of the board config
    folder  str  the state folder, taken by this process
    out     str or None  where the record goes instead
    armed   callable (ms)  `firmware.services.guardian.Armed`
    """

    def __init__(
        self,
        config: dict[str, Any],
        path: str,
        folder: str,
        platform: Platform,
        loop: aio.Loop,
        wall: WallClock,
        say: Say,
        lang: str,
        out: str | None = None,
        armed: Callable[[int], None] = lambda ms: None,
    ) -> None:
        self._config, self._path, self._folder, self._out = config, path, folder, out
        self._loop, self._wall, self._say, self._lang = loop, wall, say, lang
        self._words = WORDS[lang]
        self._platform = platform
        self._identity, self._problems = secrets.controller_identity(folder)
        self._board = hal.board.open_board(
            config,
            platform.lines,
            platform.serial_ports,
            platform.analog_inputs,
            platform.buses,
        )
        self._steps = steps(config, lang)
        self._part = commissioning.Part(folder, commissioning.digest(path), len(self._steps))
        self._who = ""
        self._began = self._now()
        bench = Bench(config, self._board.devices, loop, armed)
        #: SelfTest  what takes the answers
        self.test = selftest.SelfTest(
            bench, self._steps, dict(self._board.problems), loop, say, lang, self._keep
        )

    @property
    def refusal(self) -> str:
        """Why this cannot begin, in one line; empty: it can.

        It cannot without a single line of the board's own, whatever there is on ports and chips beside it.
        """
        lined = set()
        for name, one in self._config["devices"].items():
            lines = [one[key] or "" for key in LINE_KEYS[one["driver"]]]
            if any(line and "." not in line for line in lines):
                lined.add(name)
        shut = [text for name, text in self._board.problems if name in lined or not lined]
        if not shut or lined & set(self._board.devices) or (not lined and self._board.devices):
            return ""
        expected = f"the service stopped: {SERVICE}" if self._board.busy else "that mended first"
        return f"selftest: the board cannot be had ({shut[0]}); expected {expected}"

    async def walk(self) -> int:
        """Ask, test, write; the exit code."""
        for line in (*self._problems, *[text for _, text in self._platform.problems]):
            self._say(f"! {line}")
        self._tell("begin", count=len(self._steps))
        for line in trouble.lines(self._board.problems):
            self._say(f"! {line}")
        lost = self.test.lost()
        if lost:
            self._tell("lost_steps", lost=lost, count=len(self._steps))
        who = await self.test.ask(self._words["who"])
        if who is None:
            return 1
        self._who = who
        if not await self._begin():
            return 1
        whole = await self.test.walk(len(self._part.steps))
        if not self._part.steps:
            return 1
        return self._end(whole)

    def close(self) -> None:
        """Every output to its safe level, every line let go."""
        self._board.close()
        self._platform.lines.close()
        if self._platform.analog_inputs is not None:
            self._platform.analog_inputs.close()

    async def _begin(self) -> bool:
        """Whether somebody goes on; with what was done before, or without."""
        self._part.load()
        if self._part.other:
            self._tell("changed")
        if not self._part.steps:
            return True
        name = str(self._part.steps[-1].get("by", "?"))
        question = self._words["go_on"].format(count=len(self._part.steps), name=name)
        sure = await self.test.sure(question)
        if sure is False:
            self._part.steps = []
        return sure is not None

    def _keep(self, index: int, result: selftest.Result) -> None:
        done = self._step(self._steps[index], result)
        done |= {"at": self._now(), "by": self._who, "clock": self._clock()}
        try:
            self._part.add(done)
        except OSError as error:
            self._say(f"! {self._folder}: steps cannot be kept ({_reason(error)})")

    def _step(self, step: WireTest, result: selftest.Result) -> dict[str, Any]:
        wires = step.wire.split(", ") if step.wire else []
        claims = [wire for wire in board_wires.wires(self._config) if wire.number in wires]
        return {
            "wires": wires,
            "lines": [str(wire.claim.line) for wire in claims if wire.claim is not None],
            "pins": [int(wire.start[2]) for wire in claims if wire.start[0] == "pin"],
            "device": step.device,
            "role": step.role,
            "portal": step.portal,
            "kind": step.kind,
            "says": step.says,
            "outcome": result.outcome,
            "note": result.note,
            "measured": result.measured,
        }

    def _end(self, whole: bool) -> int:
        """Write the record and say what is in it."""
        done = list(self._part.steps)
        stopped = selftest.Result(selftest.SKIPPED, self._words["stopped"])
        for step in self._steps[len(done) :]:
            done.append(self._step(step, stopped))
        record = commissioning.make(self._about(), done, self._identity.signed)
        utc_ms = self._wall.utc_ms()
        local = iso(utc_ms + 1000 * self._wall.offset_s(utc_ms // 1000))[:10]
        try:
            path = commissioning.write(record, self._folder, local, self._out)
            if whole:
                self._part.end()
        except OSError as error:
            where = self._out or self._folder
            print(
                f"{where}: the record cannot be kept ({_reason(error)}); "
                "expected a folder that can be written, here it is:",
                file=sys.stderr,
            )
            self._say(canonical.dumps(record).decode())
            return 1
        for line in self._summary(done):
            self._say(line)
        self._tell("kept", path=path)
        self._tell("kept_key", key=self._identity.public_key["sign"])
        if not whole:
            self._tell("go_on_later")
        return 0 if record["ok"] else 1

    def _about(self) -> dict[str, Any]:
        own = self._config["controller"]
        return {
            "site": own["site"],
            "controller": own["name"],
            "board": self._config["board"],
            "config": {
                "file": os.path.basename(self._path),
                "sha256": commissioning.digest(self._path),
            },
            "firmware": firmware.VERSION,
            "public_key": self._identity.public_key["sign"],
            "by": self._who,
            "began": self._began,
            "ended": self._now(),
            "clock": self._clock(),
        }

    def _summary(self, done: list[dict[str, Any]]) -> list[str]:
        count = {
            word: sum(one["outcome"] == word for one in done)
            for word in ("ok", "failed", "skipped")
        }
        if count["ok"] == len(done):
            return ["", self._words["end_good"].format(count=len(done))]
        lines = ["", self._words["end_bad"].format(count=len(done), **count)]
        for one in done:
            if one["outcome"] != "ok":
                note = f" ({one['note']})" if one["note"] else ""
                lines.append(f"  {self._words[one['outcome']]}  {one['says']}{note}")
        return lines

    def _clock(self) -> str:
        return TRUSTED if self._wall.vouched() else UNTRUSTED

    def _now(self) -> str:
        return iso(self._wall.utc_ms())

    def _tell(self, word: str, **fields: object) -> None:
        self._say(str(self._words[word]).format(**fields))


def steps(config: dict[str, Any], lang: str) -> list[WireTest]:
    """The steps of `config`, as its last sheet prints them."""
    return [
        WireTest(
            *one,
            says=board_tests.sentence(config, one, lang),
            name=board_tests.name(config, one.device, lang),
        )
        for one in board_tests.tests(config)
    ]


def run(
    config: dict[str, Any],
    path: str,
    folder: str,
    platform: Platform,
    lang: str,
    out: str | None,
    armed: Callable[[int], None],
) -> int:
    """The whole run, in real time, with who sits at the keyboard; the exit code."""
    from firmware.services.waker import WakingPollWaiter
    from firmware.services.wall import SystemWall

    own = config["controller"]
    loop = aio.Loop(MonotonicClock(platform.ticks), WakingPollWaiter())
    wall = SystemWall(own["timezone"], own["rtc"])
    program = SelfTestProgram(config, path, folder, platform, loop, wall, _say, lang, out, armed)
    try:
        if program.refusal:
            print(program.refusal, file=sys.stderr)
            return 1
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: loop.post(program.test.ended.set))
        typed = TypedLines(loop.waiter, 0, program.test.heard)
        typed.on_end = program.test.over
        typed.start()
        code = 1

        async def live() -> None:
            nonlocal code
            code = await program.walk()

        loop.run(live(), "selftest")
        return code
    finally:
        program.close()


def _say(line: str) -> None:
    print(line, flush=True)


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown").lower()
