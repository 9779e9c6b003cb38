"""The installer's self-test: every wire of the last sheet, one step each, with prompts and answers.

What an input must do is seen here and not only said; what an output does is judged by the installer.
Drives only through `firmware.services.selftest_bench`, so nothing stays driven when a step ends, however
it ends. Each result is handed to ``keep`` as soon as it is known.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from firmware.access.secret import Secret
from firmware.runtime import aio
from firmware.services.selftest_bench import (
    BAD,
    CARD,
    CLOSED,
    KEY,
    OPEN,
    PRESSED,
    RELEASED,
    Bench,
    Seen,
)
from firmware.services.selftest_prompts import (
    FAIL,
    SKIP,
    WATCHED,
    Answered,
    Ended,
    Prompts,
    WireTest,
)
from hal.errors import HalError

STRIKE_MS = 2000  #: as the sentences say
HOLD_MS = 5000  #: a magnet, before it lets go
AGAIN_MS = 2000  #: and after
BOND_MS = 2000  #: for a bolt or magnet to follow
FIRE_MS = 30_000  #: magnets are held for the installer to open the fire loop
FIRE_FREE_MS = 5000
ON_MS = {"red": 3000, "green": 3000, "sound": 1000, "light": 2000}

OK, FAILED, SKIPPED = "ok", "failed", "skipped"

#: kind: what must be seen, in this order; "loop" is right in either
_ORDER = {"rex": (PRESSED, RELEASED)}


class Result(NamedTuple):
    """What came of one step.

    outcome   str   OK, FAILED or SKIPPED
    note      str   the installer's words, or what was wrong
    measured  dict  what was measured, by name with its unit
    """

    outcome: str
    note: str = ""
    measured: dict[str, Any] = {}


class SelfTest(Prompts):
    """One walk over a `bench`.

    steps     list  in their order
    problems  dict  device -> why it was not opened
    keep      callable (index of the step, Result)
    """

    def __init__(
        self,
        bench: Bench,
        steps: list[WireTest],
        problems: dict[str, str],
        loop: aio.Loop,
        say: Callable[[str], None],
        lang: str,
        keep: Callable[[int, Result], None],
    ) -> None:
        super().__init__(bench, steps, loop, say, lang)
        self._problems = problems
        self._keep = keep

    async def walk(self, done: int) -> bool:
        """Every step after the first `done`; whether all of them were answered."""
        manual = False
        try:
            for index, step in enumerate(self._steps):
                if index < done:
                    continue
                if not step.wire and not manual:
                    manual = True
                    self._tell("power")
                self._tell("step", n=index + 1, count=len(self._steps), says=step.says)
                result = await self._one(step)
                note = f": {result.note}" if result.note else ""
                self._tell("result", outcome=self._words[result.outcome], note=note)
                self._keep(index, result)
        except Ended:
            return False
        finally:
            self._bench.rest()
        return True

    def lost(self) -> int:
        """How many steps cannot be tried, because something that they need was not opened."""
        return sum(self._lacks(step) is not None for step in self._steps)

    def _lacks(self, step: WireTest) -> str | None:
        """Why a step cannot be tried; None: all that it needs was opened.

        Without power too: a lock that nobody could hold has not let go. A magnet is held only where its
        exit and the fire loop can be read (law 1).
        """
        config, needed = self._bench.config, [step.device]
        portals: list[dict[str, Any]] = []
        if step.kind == "fire":
            portals = [one for one in config["portals"].values() if one["on_fire"] == "release"]
        elif step.kind in ("bond", "magnet"):
            portals = [config["portals"][step.portal]]
        for portal in portals:
            needed.append(portal["lock"])
            if config["devices"][portal["lock"]]["fail_mode"] == "fail_safe":
                needed += [one for one in (portal["rex"], *self._bench.fire) if one is not None]
        missing = next((name for name in needed if name not in self._bench.devices), None)
        return None if missing is None else self._problems.get(missing, self._words["missing"])

    async def _one(self, step: WireTest) -> Result:
        """One step, as often as somebody wants it again."""
        self._step = step
        lacks = self._lacks(step)
        if lacks is not None:
            return Result(FAILED, lacks)
        while True:
            self._news, self._trouble = [], ""
            try:
                return Result(OK, "", await self._tried(step))
            except Answered as answer:
                if answer.letter == SKIP:
                    return Result(SKIPPED, answer.note)
                if answer.letter == FAIL:
                    return Result(FAILED, answer.note or self._trouble)
            finally:
                self._bench.rest()

    async def _tried(self, step: WireTest) -> dict[str, Any]:
        try:
            return await self._try(step)
        except HalError as error:
            await self._fail(str(error))

    async def _try(self, step: WireTest) -> dict[str, Any]:
        """What was measured, if it is right. Raises `Answered`."""
        if step.kind in WATCHED:
            return await self._watch(step)
        if step.kind == "card":
            return await self._card(step)
        if step.kind == "keys":
            return await self._three_keys(step)
        if step.kind == "fire":
            return await self._burn(step)
        if step.kind == "bond":
            return await self._bond(step)
        if step.kind == "strike":
            await self._ready()
            self._bench.unlock(step.device, STRIKE_MS)
        elif step.kind == "magnet":
            await self._ready()
            await self._magnet(step)
        elif step.kind in ON_MS:
            await self._ready()
            if away := self._problem(step):
                await self._fail(away)  # nothing shines or sounds there, whoever says so
            if step.kind in ("red", "green"):
                self._bench.show(step.device, step.kind, ON_MS[step.kind])
            else:
                self._bench.switch(step.device, ON_MS[step.kind])
        await self._judge()
        return {}

    # ---- inputs ------------------------------------------------------------------------------------

    async def _watch(self, step: WireTest) -> dict[str, Any]:
        state = self._bench.states.get(step.device, "unknown")
        self._tell("now", state=self._words.get(state, state))
        if step.kind == "rex" and state == PRESSED:
            self._tell("pressed_at_rest")
        self._tell("watch")
        orders = [_ORDER.get(step.kind, (OPEN, CLOSED))]
        if step.kind == "loop":
            orders.append((CLOSED, OPEN))

        def right() -> bool:
            seen = [one.what for one in self._news if one.device == step.device]
            return any(_in_order(order, seen) for order in orders)

        await self._until(right)
        return self._measured(step)

    def _measured(self, step: WireTest) -> dict[str, Any]:
        mine = [one for one in self._news if one.device == step.device]
        found: dict[str, Any] = {"seen": [one.what for one in mine][-20:]}
        if len(mine) > 1:
            found["between_ms"] = mine[-1].at_ms - mine[-2].at_ms
        levels = {one.what: one.permille for one in mine if one.permille is not None}
        return {**found, "permille": levels} if levels else found

    async def _card(self, step: WireTest) -> dict[str, Any]:
        self._say_problem(step)
        self._tell("watch")

        def read() -> Seen | None:
            return next((one for one in self._of(step) if one.what == CARD), None)

        await self._until(lambda: read() is not None)
        card = read()
        bad = sum(one.what == BAD for one in self._of(step))
        return {"form": card.form if card else "", "bad_frames": bad}

    def _problem(self, step: WireTest) -> str:
        """What the device says is wrong with itself; of a light or buzzer on a bus, the reader. Else ""."""
        owner = self._bench.config["devices"][step.device].get("reader", step.device)
        return str(getattr(self._bench.devices.get(owner), "problem", ""))

    def _say_problem(self, step: WireTest) -> None:
        """What is wrong with the device, which a failure then names."""
        self._trouble = self._problem(step)
        if self._trouble:
            self._say("  " + self._trouble)

    async def _three_keys(self, step: WireTest) -> dict[str, Any]:
        self._say_problem(step)
        self._tell("watch")

        def keys() -> list[Secret | None]:
            return [one.secret for one in self._of(step) if one.what == KEY]

        await self._until(lambda: len(keys()) >= 3)
        if keys()[:3] != [Secret("1"), Secret("2"), Secret("3")]:
            await self._fail(self._words["other_keys"].strip())
        return {"keys": 3}

    # ---- locks -------------------------------------------------------------------------------------

    async def _magnet(self, step: WireTest) -> None:
        """Hold, let go, hold; who leaves meanwhile leaves."""
        if not self._bench.hold(step.portal, HOLD_MS):
            await self._fail(self._words["not_held"].strip())
        self._tell("holds", s=HOLD_MS // 1000)
        await self._until(lambda: not self._bench.driven, typed=False)
        if step.portal in self._bench.freed_ms:
            self._tell("freed")
        self._tell("lets_go", s=STRIKE_MS // 1000)
        await self._until(lambda: False, STRIKE_MS, typed=False)
        if self._bench.hold(step.portal, AGAIN_MS):
            self._tell("holds_again")

    async def _bond(self, step: WireTest) -> dict[str, Any]:
        """The lock's own contact, through both of its states."""
        lock = self._bench.config["portals"][step.portal]["lock"]
        safe = self._bench.config["devices"][lock]["fail_mode"] == "fail_safe"
        await self._ready()
        await self._follows(step, not safe)
        driven_ms = self._loop.now_ms()
        if not safe:
            self._bench.unlock(lock, BOND_MS + AGAIN_MS)
        elif not self._bench.hold(step.portal, BOND_MS + AGAIN_MS):
            await self._fail(self._words["not_held"].strip())
        await self._follows(step, safe)
        there_ms = self._loop.now_ms() - driven_ms
        self._bench.rest()
        rested_ms = self._loop.now_ms()
        await self._follows(step, not safe)
        back_ms = self._loop.now_ms() - rested_ms
        locks_ms, frees_ms = (there_ms, back_ms) if safe else (back_ms, there_ms)
        return {"locks_ms": locks_ms, "frees_ms": frees_ms}

    async def _follows(self, step: WireTest, locked: bool) -> None:
        wanted = CLOSED if locked else OPEN

        def so() -> bool:
            return self._bench.states.get(step.device) == wanted

        if not await self._until(so, BOND_MS, typed=False):
            word = self._words["not_locked" if locked else "not_free"].strip()
            await self._fail(word.format(name=step.name, s=BOND_MS // 1000))

    async def _burn(self, step: WireTest) -> dict[str, Any]:
        """Magnets are held, the loop opens, all that fire releases is free."""
        bench, config = self._bench, self._bench.config
        locks = {}
        for name, one in config["portals"].items():
            if one["on_fire"] == "release":
                locks[name] = one["lock"]
        modes = {lock: config["devices"][lock]["fail_mode"] for lock in locks.values()}
        await self._ready()
        if bench.burning:
            await self._fail(self._words["not_held"].strip())
        held = [
            locks[name]
            for name in locks
            if modes[locks[name]] == "fail_safe" and bench.hold(name, FIRE_MS)
        ]
        self._tell("watch")
        late = False
        while not await self._until(lambda: bench.burning, FIRE_MS):
            if held and not late:
                self._tell("hold_over", s=FIRE_MS // 1000)
            late = True
        opened_ms = [one.at_ms for one in self._of(step)][-1:]
        await self._until(lambda: not set(held) & set(bench.driven), FIRE_FREE_MS, typed=False)
        for lock in locks.values():
            if modes[lock] == "fail_secure":
                bench.unlock(lock, FIRE_FREE_MS)
        kinds = (("fail_safe", "fire_magnets"), ("fail_secure", "fire_strikes"))
        free = [self._words[word] for mode, word in kinds if mode in modes.values()]
        what = self._words["and"].join(free).format(s=FIRE_FREE_MS // 1000)
        self._tell("fire_free", what=what)
        await self._judge()
        bench.rest()
        await self._until(lambda: not bench.burning)
        measured: dict[str, Any] = {"held": bool(held) and not late}
        if opened_ms and measured["held"]:
            measured["free_ms"] = max(bench.freed_ms.values()) - opened_ms[0]
        return measured


def _in_order(order: tuple[str, ...], seen: list[str]) -> bool:
    rest = iter(seen)
    return all(one in rest for one in order)
