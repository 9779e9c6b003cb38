"""Run scenario files in virtual time: `door-sim run FILE... [--seed N] [--json] [--trace OUT] [--laws]`."""

import json
import sys
from typing import Any, TextIO

from firmware.runtime import aio
from sim import scenario
from sim.soak.breach import Breach
from sim.soak.laws import Laws
from sim.virtual import Building

AROUND_MS = 3000  #: how much of the trace is shown on each side of a failure
AROUND_LINES = 12
LOOK_BACK = 1000  #: records that may be on the disk untold when the power goes; in fact a handful
ENDS = (
    "cut_power",
    "kill_process",
    "fail_task",
)  #: verbs after which a start may be the next thing


class Run:
    """One scenario being run; ``trace`` holds what happened, ``failed`` what should not have.

    laws  bool  the laws of the house are watched too, to an end at which all is mended; ``breach`` is
                the first that is broken, and the story ends there
    """

    def __init__(self, story: scenario.Scenario, seed: int, laws: bool = False) -> None:
        self.story = story
        self.trace: list[dict[str, Any]] = []
        self.failed: list[tuple[int, str]] = []
        self._last = ("", 0)  # journal and seq of the event that was last told of
        self._cut_ms: int | None = None
        self._boot = 0
        self._building = Building(story.config, story.people, story.start_ms, seed)
        self._building.broker.said = None if laws else []
        self.breach: Breach | None = None
        self.laws = Laws(self._building, story) if laws else None

    @property
    def published(self) -> list[tuple[str, str]]:
        """What the controller said to its broker, as (topic, payload)."""
        return self._building.broker.said or []

    def go(self) -> None:
        """Run to the end and judge."""
        building = self._building
        building.machine.on_events = self._events
        building.machine.on_change = self._booted
        try:
            building.start()
            building.world.on_change = self._world_changed
            building.loop.run(self._tell_all())
            self._untold()
        except Breach as breach:
            self.breach = breach
            self.failed.append((breach.at_ms, str(breach)))
        finally:
            building.parts.close()
        self.trace.sort(key=lambda line: int(line["at_ms"]))
        if self.breach is None:
            self.failed += scenario.failures(self.story, self.trace)
        self.failed.sort(key=lambda entry: entry[0])

    async def _tell_all(self) -> None:
        if self.laws is not None:
            self.laws.begin()
        await self._tell()
        if self.laws is not None:
            await self.laws.settle()

    async def _tell(self) -> None:
        """Steps, then looks at the world, each at its time; steps first where they fall together."""
        plan = [(int(step["at_ms"]), 0, step) for step in self.story.steps]
        plan += [(int(look["at_ms"]), 1, look) for look in self.story.expect_world]
        plan.sort(key=lambda entry: (entry[0], entry[1]))
        building = self._building
        for at_ms, kind, what in plan:
            if at_ms > self.story.end_ms:
                break
            if at_ms > building.now_ms():
                await aio.sleep_ms(at_ms - building.now_ms())
            if kind == 0:
                self._step(at_ms, what)
            else:
                for _ in range(4):  # what happens in this millisecond has happened
                    await aio.sleep_ms(0)
                self._look(at_ms, what)
        if self.story.end_ms > building.now_ms():
            await aio.sleep_ms(self.story.end_ms - building.now_ms())

    def _step(self, at_ms: int, step: dict[str, Any]) -> None:
        self.trace.append({"at_ms": at_ms, "kind": "step", "event": step})
        if step["do"] in ENDS:
            self._cut_ms = at_ms
        if self.laws is not None:
            self.laws.step(at_ms, step)
        args = {key: value for key, value in step.items() if key not in ("at_ms", "do")}
        self._building.world.perform(step["do"], args)

    def _look(self, at_ms: int, look: dict[str, Any]) -> None:
        seen = self._building.world.snapshot()
        if "portal" in look:
            portal = look["portal"]
            found = dict(seen["portals"][portal])
            found["mode"] = self._building.machine.condition(portal)[0]
            for key in ("lock", "door", "mode"):
                if key in look and look[key] != found[key]:
                    text = f"expected {portal} {key} {look[key]} at {at_ms} ms; it is {found[key]}"
                    self.failed.append((at_ms, text))
        else:
            on = seen["outputs"].get(look["output"], False)
            if on != look["on"]:
                wanted = "on" if look["on"] else "off"
                text = f"expected {look['output']} {wanted} at {at_ms} ms; it is not"
                self.failed.append((at_ms, text))

    def _booted(self) -> None:
        """What was on the disk when the power went, and not yet told of, belongs to the story."""
        if self.laws is not None:
            self.laws.changed()
        controller = self._building.machine.controller
        at_ms = self._cut_ms
        if controller is None or at_ms is None or controller.journal.boot == self._boot:
            return
        self._boot = controller.journal.boot
        boot, seen = controller.journal.boot, self._last

        def found(rows: list[tuple[int, str]]) -> None:
            for _, body in rows:
                event = json.loads(body)
                untold = event["journal"] == seen[0] and event["seq"] > seen[1]
                if untold and event["boot"] < boot:
                    self.trace.append({"at_ms": at_ms, "kind": "event", "event": event})

        controller.journal.pending(LOOK_BACK, found)

    def _untold(self) -> None:
        """What was decided and could not be written by the end of the story belongs to it too."""
        controller = self._building.machine.controller
        for batch in [] if controller is None else controller.journal.untold():
            for event, event_ms in zip(batch.events, batch.at_ms):
                told = {**event, "simulated": True}
                at = max(0, self._building.at(event_ms))
                self.trace.append({"at_ms": at, "kind": "event", "event": told})

    def _events(self, events: list[dict[str, Any]], at_ms: list[int]) -> None:
        if self.laws is not None:
            self.laws.written(events, at_ms)
        self._last = (events[-1]["journal"], events[-1]["seq"])
        for event, event_ms in zip(events, at_ms):
            at = max(0, self._building.at(event_ms))
            self.trace.append({"at_ms": at, "kind": "event", "event": event})

    def _world_changed(self, kind: str, name: str, now: dict[str, Any]) -> None:
        if self.laws is not None:
            self.laws.seen(kind, name, now)
        change = {"kind": kind, "id": name, **now}
        at_ms = self._building.now_ms()
        self.trace.append({"at_ms": at_ms, "kind": "world", "event": change})


def main(
    paths: list[str], seed: int, as_json: bool, trace_path: str | None, laws: bool = False
) -> int:
    """Run every file; 0 if all expectations hold, 1 if one does not, 2 if a file is wrong."""
    stories = []
    wrong = False
    for path in paths:
        try:
            stories.append(scenario.load(path))
        except scenario.ScenarioError as error:
            wrong = True
            for line in error.problems:
                print(line, file=sys.stderr)
    if wrong:
        return 2
    try:
        out = open(trace_path, "w", encoding="utf-8") if trace_path else None  # noqa: SIM115
    except OSError as error:
        reason = (error.strerror or "not writable").lower()
        print(f"{trace_path}: {reason}; expected a file to write", file=sys.stderr)
        return 2
    failed = 0
    for story in stories:
        run = Run(story, seed, laws)
        run.go()
        failed += bool(run.failed)
        if as_json:
            _write(sys.stdout, run.trace)
        if out is not None:
            _write(out, run.trace)
        _report(run, sys.stderr if as_json else sys.stdout)
    if out is not None:
        out.close()
    if len(stories) > 1:
        passed = len(stories) - failed
        print(f"{passed} of {len(stories)} passed", file=sys.stderr if as_json else sys.stdout)
    return 1 if failed else 0


def _write(out: TextIO, trace: list[dict[str, Any]]) -> None:
    for line in trace:
        out.write(json.dumps(line, sort_keys=True, ensure_ascii=False, default=str) + "\n")


def _report(run: Run, out: TextIO) -> None:
    if not run.failed:
        seconds = run.story.end_ms / 1000
        print(f"✓ {run.story.path}  ({seconds:g} s, {len(run.trace)} lines)", file=out)
        return
    print(f"✗ {run.story.path}", file=out)
    for at_ms, text in run.failed:
        print(f"  {text}", file=out)
        around = [line for line in run.trace if abs(line["at_ms"] - at_ms) <= AROUND_MS]
        for line in around[:AROUND_LINES]:
            print(f"    {line['at_ms']:>8}  {line['kind']:<5}  {_short(line['event'])}", file=out)


def _short(event: dict[str, Any]) -> str:
    left_out = ("v", "id", "journal", "boot", "time", "clock", "prev", "hash", "simulated", "at_ms")
    return " ".join(f"{key}={value}" for key, value in event.items() if key not in left_out)
