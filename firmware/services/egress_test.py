"""The walk-through test of egress and fire: the installer presses, the real controller answers, this watches.

It never drives a lock and never stands in the way: it sets modes, as a command does, and looks at what
the controller recorded and at when it drove its locks. Each step waits `WAIT_MS` for a hand; a line
``skip REASON`` leaves it out. Every portal is left in the mode that it had. One record a portal, and one
for the fire (`record.EGRESS_TEST`), written as soon as they are known.
"""

import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from firmware.access import fire, portal, record
from firmware.runtime import aio
from firmware.runtime.controller import Controller
from firmware.services.egress_words import WORDS
from hal.errors import DeviceUnavailableError

WAIT_MS = 60_000  #: for the installer's hand
RELEASE_MS = 100  #: law 1
SETTLE_MS = 2000  #: for a lock to be engaged, or its contact to agree
LOOK_MS = 10
LINES_LIMIT = 20  #: lines that were typed and not yet read
MODES = (portal.LOCKED, portal.LOCKED_DOWN)

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"


class Result(NamedTuple):
    """What came of one step.

    portal  str or None  None: the fire loop itself
    step    str          a mode, "fire" or "reset"
    result  str          PASSED, FAILED or SKIPPED
    ms      int or None  from the edge to the lock
    why     str or None  a word of `egress_words`, or the installer's reason
    """

    portal: str | None
    step: str
    result: str
    ms: int | None = None
    why: str | None = None


class _Skipped(Exception):
    """The installer leaves this step out."""


class EgressTest:
    """One walk with a `controller` and its `devices`; ``heard`` takes what the installer types.

    lang  str  one of `egress_words.LANGUAGES`
    by    str  who does it, for the records
    """

    def __init__(
        self,
        controller: Controller,
        devices: dict[str, Any],
        say: Callable[[str], None],
        lang: str,
        by: str,
    ) -> None:
        self.results: list[Result] = []
        self._controller = controller
        self._devices = devices
        self._config = controller.config
        self._words: dict[str, Any] = WORDS[lang]
        self._lang = lang
        self._say = say
        self._by = by
        self._lines: list[str] = []
        self._records: list[record.Record] = []
        self._driven: dict[str, tuple[bool, int]] = {}  # portal -> what its lock was told, when
        for name in self._portals():
            lock = devices.get(self._config["portals"][name]["lock"])
            if lock is not None:
                self._driven[name] = (lock.unlocked, controller.loop.now_ms())
        controller.effects.on_record = self._recorded
        controller.on_lock = self._lock_driven

    def heard(self, line: str) -> None:
        """The installer typed a line."""
        if len(self._lines) < LINES_LIMIT:
            self._lines.append(line.strip()[:200])

    async def walk(self, ended: aio.Event) -> int:
        """As `run`, until `ended` is set (Ctrl-C), which leaves the rest out; the exit code."""
        code = 1

        async def run() -> None:
            nonlocal code
            code = await self.run()

        async def stop() -> None:
            await ended.wait()
            task.cancel()

        loop = self._controller.loop
        task = loop.spawn(run(), "egress-test", lambda done: None)
        stopper = loop.spawn(stop(), "egress-test-stop", lambda done: None)
        await task.finished.wait()
        stopper.cancel()
        if task.error is not None:
            raise task.error
        return code

    async def run(self) -> int:
        """Walk through all of it; 0 if everything passed, else 1."""
        modes = {name: self._controller.site.portals[name].mode for name in self._portals()}
        self._say(self._words["begin"])
        try:
            for name in self._portals():
                await self._portal(name)
                self._set_mode(name, modes[name])
            await self._fire()
        finally:
            for name in self._portals():
                self._set_mode(name, modes[name])
            for line in self.table():
                self._say(line)
        return 1 if self._bad() or not self.results else 0

    def table(self) -> list[str]:
        """What came of every step, one a line, and what that makes together."""
        rows = [tuple(self._words["head"])]
        for one in self.results:
            at = self._words["everywhere"] if one.portal is None else self._title(one.portal)
            ms = "" if one.ms is None else str(one.ms)
            rows.append((at, self._words[one.step], self._words[one.result], ms, self._why(one)))
        widths = [max(_width(row[column]) for row in rows) for column in range(5)]
        lines = []
        for row in rows:
            cells = [
                cell + " " * (wide - _width(cell)) for cell, wide in zip(row, widths, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        bad = self._bad()
        end = self._words["end_bad" if bad else "end_good"]
        return ["", *lines, "", end.format(count=bad, all=len(self.results))]

    # ---- the exits ---------------------------------------------------------------------------------

    async def _portal(self, name: str) -> None:
        found: list[Result] = []
        try:
            if self._config["portals"][name]["rex"] is None:
                if (
                    self._config["portals"][name]["egress"] != "none"
                ):  # nothing to press is no fault
                    found.append(Result(name, portal.LOCKED, SKIPPED, None, "no_exit"))
                return
            for mode in MODES:
                self._set_mode(name, mode)
                try:
                    found.append(await self._exit(name, mode))
                except _Skipped as skipped:
                    found.append(Result(name, mode, SKIPPED, None, str(skipped)))
        except aio.Cancelled:
            found.append(Result(name, mode, SKIPPED, None, "stopped"))
            raise
        finally:
            self.results += found
            self._leave_record(name, found)

    async def _exit(self, name: str, mode: str) -> Result:
        """One exit in one mode."""
        shown = {"portal": self._title(name), "mode": self._words[mode]}
        rules = self._config["portals"][name]
        longest_ms = max(rules["egress_ms"], rules["release_ms"], rules["extended_release_ms"])
        if not self._engaged(name):
            self._say(self._words["securing"].format(**shown))
        if not await self._until(lambda: self._engaged(name), longest_ms + WAIT_MS):
            return Result(name, mode, FAILED, None, "not_secured")
        self._records = []
        self._say(self._words["press"].format(**shown))
        if not await self._until(lambda: self._edge_ms(name, record.REX) is not None, WAIT_MS):
            return Result(name, mode, FAILED, None, "not_seen")
        edge_ms = self._edge_ms(name, record.REX) or 0
        if not await self._until(lambda: self._told(name, True), SETTLE_MS):
            return Result(name, mode, FAILED, None, "not_released")
        took_ms = self._driven[name][1] - edge_ms
        if took_ms > RELEASE_MS:
            return Result(name, mode, FAILED, took_ms, "late")
        if not await self._until(lambda: self._bond_agrees(name, False), SETTLE_MS):
            return Result(name, mode, FAILED, took_ms, "bond")
        self._say(self._words["relock"].format(**shown))
        if not await self._until(lambda: self._told(name, False), longest_ms + WAIT_MS):
            return Result(name, mode, FAILED, took_ms, "not_secured")
        if not await self._until(lambda: self._bond_agrees(name, True), SETTLE_MS):
            return Result(name, mode, FAILED, took_ms, "bond")
        return Result(name, mode, PASSED, took_ms)

    # ---- the fire loop -----------------------------------------------------------------------------

    async def _fire(self) -> None:
        found: list[Result] = []
        points = self._config["alarms"]["points"].values()
        resets = [part["reset"] for part in points if part["class"] == "fire"]
        try:
            if not resets:
                found.append(Result(None, "fire", SKIPPED, None, "no_loop"))
                return
            for name in self._portals():
                self._set_mode(name, portal.LOCKED)
            try:
                await self._burn(found, resets[0])
            except _Skipped as skipped:
                found.append(Result(None, "fire", SKIPPED, None, str(skipped)))
        except aio.Cancelled:
            found.append(Result(None, "fire", SKIPPED, None, "stopped"))
            raise
        finally:
            self.results += found
            self._leave_record(None, found)

    async def _burn(self, found: list[Result], reset: str) -> None:
        site = self._controller.site
        await self._until(lambda: all(self._engaged(name) for name in self._portals()), WAIT_MS)
        self._records = []
        self._say(self._words["open_loop"])
        if not await self._until(lambda: site.burning, WAIT_MS):
            found.append(Result(None, "fire", FAILED, None, "not_seen"))
            return
        await self._until(self._all_as_fire_wants, SETTLE_MS)
        found += [self._burning(name) for name in self._portals()]
        self._say(self._words["turn_key" if reset == fire.MANUAL else "close_loop"])
        if not await self._until(lambda: not site.burning, WAIT_MS):
            found.append(Result(None, "reset", FAILED, None, "not_over"))
            return
        for name in self._portals():
            found.append(await self._reset(name))

    async def _reset(self, name: str) -> Result:
        """Whether one portal is locked again after the fire."""
        secured = await self._until(lambda: self._engaged(name), SETTLE_MS)
        why = None if secured else "not_secured"
        return Result(name, "reset", PASSED if secured else FAILED, None, why)

    def _burning(self, name: str) -> Result:
        """How one portal stands while it burns."""
        if self._config["portals"][name]["on_fire"] == "latch":
            latched = self._engaged(name)
            why = None if latched else "not_latched"
            return Result(name, "fire", PASSED if latched else FAILED, None, why)
        edge_ms = self._edge_ms(name, record.FIRE)
        if edge_ms is None or not self._told(name, True):
            return Result(name, "fire", FAILED, None, "not_released")
        took_ms = self._driven[name][1] - edge_ms
        if took_ms > RELEASE_MS:
            return Result(name, "fire", FAILED, took_ms, "late")
        if not self._bond_agrees(name, False):
            return Result(name, "fire", FAILED, took_ms, "bond")
        return Result(name, "fire", PASSED, took_ms)

    def _all_as_fire_wants(self) -> bool:
        return all(self._burning(name).result == PASSED for name in self._portals())

    # ---- what is so --------------------------------------------------------------------------------

    def _portals(self) -> list[str]:
        return sorted(self._config["portals"])

    def _recorded(self, made: record.Record) -> None:
        if made.type == record.PORTAL_RELEASED:
            self._records.append(made)

    def _lock_driven(self, name: str, unlocked: bool, now_ms: int) -> None:
        self._driven[name] = (unlocked, now_ms)

    def _edge_ms(self, name: str, cause: str) -> int | None:
        """When the first release of that cause began, since the step did."""
        for made in self._records:
            if made.fields.get("portal") == name and made.fields.get("cause") == cause:
                at_ms: int = made.at_ms
                return at_ms
        return None

    def _told(self, name: str, unlocked: bool) -> bool:
        return name in self._driven and self._driven[name][0] == unlocked

    def _engaged(self, name: str) -> bool:
        return self._told(name, False) and self._bond_agrees(name, True)

    def _bond_agrees(self, name: str, locked: bool) -> bool:
        """Whether the lock's own contact, where there is one, says so too."""
        bond = self._devices.get(self._config["portals"][name]["bond"])
        if bond is None:
            return True
        try:
            return bool(bond.read()) == locked
        except DeviceUnavailableError:
            return False

    # ---- how ---------------------------------------------------------------------------------------

    async def _until(self, so: Callable[[], bool], ms: int) -> bool:
        """Wait until it is `so`, at most `ms`; whether it is. Raises `_Skipped`."""
        loop = self._controller.loop
        end_ms = loop.now_ms() + ms
        self._lines.clear()
        while not so():
            while self._lines:
                self._typed(self._lines.pop(0))
            if loop.now_ms() >= end_ms:
                return False
            await aio.sleep_ms(LOOK_MS)
        return True

    def _typed(self, line: str) -> None:
        word, _, reason = line.replace("\u3000", " ").partition(" ")
        if word.lower() not in [WORDS[lang]["skip"] for lang in WORDS]:
            return
        if reason.strip():
            raise _Skipped(reason.strip())
        self._say(self._words["why"])

    def _set_mode(self, name: str, mode: str) -> None:
        controller = self._controller
        if controller.site.portals[name].mode != mode:
            controller.ask(
                lambda now: (
                    None,
                    controller.site.set_mode(name, mode, record.COMMAND, self._by, now),
                )
            )

    def _leave_record(self, name: str | None, found: list[Result]) -> None:
        if not found:
            return
        results = []
        for one in found:
            told: dict[str, Any] = one._asdict()
            results.append({key: value for key, value in told.items() if value is not None})
        fields: dict[str, object] = {"results": results, "by": self._by}
        self._controller.ask(
            lambda now: (None, [record.make(record.EGRESS_TEST, now.ms, name, fields)])
        )

    def _bad(self) -> int:
        return sum(one.result != PASSED for one in self.results)

    def _title(self, name: str) -> str:
        return str(self._config["portals"][name]["title"][self._lang])

    def _why(self, one: Result) -> str:
        if one.why is None:
            return ""
        if one.result == SKIPPED and one.why not in ("no_exit", "no_loop", "stopped"):
            return one.why
        return str(self._words[one.why]).format(ms=one.ms)


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
