"""The access core of one building with every rule on, driven by plain steps, as the runtime would drive it.

Portable: the same lines of steps come to the same decisions on CPython and MicroPython. It finds keys,
keeps what is to be kept, and starts again from that after a power cut. A step is a list of plain values:
``["card", "front-in", "w26:012:00001", False]``.
"""

import json

import house
from house_keys import HouseKeys
from house_plan import plan

from firmware.access import (
    access_point,
    credential,
    record,
    schedule,
    site,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TICKS_MAX = 60  #: deadlines that one wait honours one by one; what is left of it passes at once


class Building(HouseKeys):
    """One site, its people, its clock and its store."""

    def __init__(self) -> None:
        HouseKeys.__init__(self)
        self.kept: dict[str, Any] = {}
        self.ms = 5000
        self.utc_ms = house.MONDAY_S * 1000 + 9 * 3600000
        self.floor_s = 0
        self.trusted = True
        self.open: dict[str, bool] = {}
        self.blind: set[str] = set()  # portals whose contact cannot tell
        self.active: dict[str, bool] = {}
        self.pending: list[Any] = []
        self.watch: Callable[[list[Any], Any, list[Any]], None] | None = None
        #: local seconds at which an appointment begins or ends
        self.edges: list[int] = []
        self._durable = True
        self.site = site.Site(plan())

    def begin(self) -> "list[object]":
        """Switch it on for the first time."""
        return self._start(())

    # ---- time --------------------------------------------------------------------------------------

    def now(self) -> "credential.Moment":
        """Now, as the runtime tells it: never before a trusted time that was seen."""
        utc_s = self.utc_ms // 1000
        if self.trusted and utc_s > self.floor_s:
            self.floor_s = utc_s
        return credential.Moment(
            self.ms, max(utc_s, self.floor_s), utc_s + house.ZONE_S, self.trusted
        )

    def _pass(self, ms: int) -> None:
        self.ms += ms
        self.utc_ms += ms

    # ---- steps -------------------------------------------------------------------------------------

    def do(self, step: "list[Any]") -> "list[object]":
        """One step, and every effect of it."""
        before = self.ms
        effects: list[object] = getattr(self, "_do_" + step[0])(*step[1:])
        assert self.ms >= before or step[0] in ("cut", "lost")
        return effects + self._call(["tick"], self.site.tick)

    def _do_wait(self, ms: int) -> "list[object]":
        """Time passes under a punctual loop: not a millisecond before a deadline anything happens."""
        effects: list[object] = []
        for _ in range(TICKS_MAX):
            due_ms = self.site.deadline_ms
            if due_ms is None or due_ms - self.ms > ms:
                break
            assert due_ms > self.ms, "a deadline that tick did not honour"
            self.quiet_until(due_ms - 1)
            ms -= due_ms - self.ms
            self._pass(due_ms - self.ms)
            effects += self._call(["tick"], self.site.tick)
        else:
            return effects + self._do_late(ms)
        self.quiet_until(self.ms + ms)
        return effects + self._do_late(ms)

    def quiet_until(self, at_ms: int) -> None:
        """Let it be `at_ms` for one tick and see that nothing happens at all."""
        if at_ms <= self.ms:
            return
        before, edges = self.seen(), self._by_clock()
        held = (self.ms, self.utc_ms)
        self._pass(at_ms - self.ms)
        due_ms = self.site.deadline_ms
        if (due_ms is None or due_ms > self.ms) and edges == self._by_clock():
            effects = self._call(["tick"], self.site.tick)
            assert effects == [], "before the deadline: %s" % told(effects)
            assert self.seen() == before, "before the deadline: %s then %s" % (before, self.seen())
        self.ms, self.utc_ms = held

    def _do_late(self, ms: int) -> "list[object]":
        """Time passes and nobody ticks: what comes next comes to a late loop."""
        self._pass(ms)
        return []

    def _do_clock(self, jump_s: int, trusted: bool) -> "list[object]":
        self.utc_ms += jump_s * 1000
        self.trusted = trusted
        return []

    def _do_card(self, name: str, number: str, slow: bool) -> "list[object]":
        return self._show(name, ["card", name, number], self.site.card, number, slow)

    def _do_code(self, name: str, text: str, slow: bool) -> "list[object]":
        return self._show(name, ["code", name, text], self.site.code, text, slow)

    def _show(
        self, name: str, call: "list[Any]", asked: "Any", value: str, slow: bool
    ) -> "list[object]":
        effects = self._call(call, lambda now: asked(name, value, now))
        return effects if slow else effects + self._answer_all()

    def _do_key(self, name: str, key: str) -> "list[object]":
        effects = self._call(["key", name, key], lambda now: self.site.key(name, key, now))
        return effects + self._answer_all()

    def _do_pin(self, name: str, digits: str) -> "list[object]":
        effects: list[object] = []
        for key in digits + "#":
            effects += self._do_key(name, key)
            self._pass(100)
        return effects

    def _do_answer(self) -> "list[object]":
        return self._answer_all()

    def _answer_all(self) -> "list[object]":
        effects: list[object] = []
        while self.pending:
            asked = self.pending.pop(0)
            value = asked.value.reveal()
            value = asked.value.reveal()
            who = self.owner(asked.kind, value)
            key = None
            usage = credential.UNUSED
            if who is not None:
                key = self.key_of(who, asked.kind, value)
                kept = self.kept.get("use/%d" % who["id"])
                usage = credential.Usage(kept[0], kept[1]) if kept else credential.UNUSED
            effects += self._call(
                ["found", asked.access_point, asked.kind, value],
                lambda now, asked=asked, key=key, usage=usage: self.site.found(
                    asked.access_point, asked.kind, key, usage, now
                ),
            )
        return effects

    def _do_bad(self, name: str) -> "list[object]":
        return self._call(["bad", name], lambda now: self.site.bad_read(name, now))

    def _do_rex(self, name: str, late_ms: int) -> "list[object]":
        return self._call(
            ["rex", name], lambda now: self.site.rex(name, max(0, now.ms - late_ms), now)
        )

    def _do_exit(self, name: str, held: bool) -> "list[object]":
        effects = self._do_rex(name, 0) if held else []
        return effects + self._call(
            ["exit", name, held], lambda now: self.site.hold_exit(name, held, now.ms, now)
        )

    def _do_contact(self, name: str, is_open: bool, late_ms: int) -> "list[object]":
        self.open[name] = is_open
        self.blind.discard(name)
        return self._call(
            ["contact", name, is_open],
            lambda now: self.site.contact(name, is_open, max(0, now.ms - late_ms), now),
        )

    def _do_mode(self, name: str, mode: str) -> "list[object]":
        return self._call(
            ["mode", name, mode],
            lambda now: self.site.set_mode(name, mode, record.COMMAND, "op-ling", now),
        )

    def _do_point(self, name: str, active: bool) -> "list[object]":
        self.active[name] = active
        return self._call(
            ["point", name, active], lambda now: self.site.point(name, active, now.ms, now)
        )

    def _do_point_state(self, name: str, state: str) -> "list[object]":
        kind = house.POINTS[name][0]
        if state in ("normal", "active"):
            self.active[name] = state == "active"
        elif (kind == "tamper" and state != "unknown") or (kind == "fire" and state == "cut"):
            self.active[name] = True
        return self._call(
            ["point_state", name, state],
            lambda now: self.site.point_state(name, state, now.ms, now),
        )

    def _do_contact_state(self, name: str, state: str) -> "list[object]":
        if state in ("normal", "active"):
            self.open[name] = state == "active"
            self.blind.discard(name)
        else:
            self.blind.add(name)
        return self._call(
            ["contact_state", name, state],
            lambda now: self.site.contact_state(name, state, now.ms, now),
        )

    def _do_bond(self, name: str, locked: "bool | None") -> "list[object]":
        return self._call(
            ["bond", name, locked], lambda now: self.site.bond(name, locked, now.ms, now)
        )

    def _do_ack_one(self, point: "str | None", kind: "str | None") -> "list[object]":
        return self._call(
            ["ack_one", point, kind],
            lambda now: self.site.acknowledge_one(point, kind, "op-ling", now),
        )

    def _do_silence(self) -> "list[object]":
        return self._call(["silence"], lambda now: self.site.silence("op-ling", now))

    def _do_shelve(self, point: str, kind: str, for_s: int) -> "list[object]":
        return self._call(
            ["shelve", point, kind, for_s],
            lambda now: self.site.shelve(point, kind, now.utc_s + for_s, "op-ling", now)[1],
        )

    def _do_arm(self, name: str, in_s: "int | None", for_s: int) -> "list[object]":
        def arm(now: "Any") -> "list[object]":
            if in_s is None:
                return self.site.arm(name, "op-ling", now)[1]
            from_s = now.local_s + in_s
            self.edges = self.edges[-6:] + [from_s, from_s + for_s]
            return self.site.arm(name, "op-ling", now, from_s, from_s + for_s, "alarm")[1]

        return self._call(["arm", name], arm)

    def _do_disarm(self, name: str) -> "list[object]":
        return self._call(["disarm", name], lambda now: self.site.disarm(name, "op-ling", now)[1])

    def _do_bypass(self, name: str, point: str) -> "list[object]":
        return self._call(
            ["bypass", name, point], lambda now: self.site.bypass(name, point, "op-ling", now)[1]
        )

    def _do_condition(self, device: str, kind: str, active: bool) -> "list[object]":
        return self._call(
            ["condition", device, kind, active],
            lambda now: self.site.condition(device, kind, active, now),
        )

    def _do_ack(self) -> "list[object]":
        return self._call(["ack"], lambda now: self.site.acknowledge(site.KEY_SWITCH, now))

    def _do_person(self, number: int, field: str, value: "Any") -> "list[object]":
        self.people[number][field] = value
        return self._call(["recall", number], lambda now: self.site.recall({number}, now))

    def _do_level(self, name: str, rights: "list[Any] | None") -> "list[object]":
        self.levels[name] = house.LEVELS[name] if rights is None else rights
        self.site.rights = self.rights()
        return []

    def _do_policy(self, lenient: bool, narrowed: bool) -> "list[object]":
        self.policy[:] = [lenient, narrowed]
        self.site.rights = self.rights()
        return []

    def _do_release(self, name: str, cause: str) -> "list[object]":
        return self._call(
            ["release", name, cause],
            lambda now: self.site.release(name, cause, "op-ling", now)[1],
        )

    def _do_forgive(self, area: "str | None", who: "str | None") -> "list[object]":
        return self._call(
            ["forgive", area, who], lambda now: self.site.forgive(area, who, "op-ling", now)
        )

    def _do_cut(self, away_ms: int) -> "list[object]":
        """The power goes and comes back: all that is left is what was kept, in its JSON form."""
        self.ms = 0
        self.utc_ms += away_ms
        self.pending = []
        self.blind = set()
        self.kept = json.loads(json.dumps(self.kept))
        self.site = site.Site(plan())
        lost = tuple(name for name in sorted(house.PORTALS) if house.PORTALS[name]["cuts"])
        return self._start(lost)

    def _do_lost(self, step: "list[Any]", away_ms: int) -> "list[object]":
        """The power goes before anything of `step` was durable."""
        watch, self.watch, self._durable = self.watch, None, False
        getattr(self, "_do_" + step[0])(*step[1:])
        self.watch, self._durable = watch, True
        return self._do_cut(away_ms)

    def _start(self, power_lost: "tuple[str, ...]") -> "list[object]":
        self.site.rights = self.rights()
        found = site.Found(
            tuple(name for name in sorted(self.open) if self.open[name]),
            tuple(name for name in sorted(self.active) if self.active[name]),
            power_lost,
        )
        return self._call(["start"], lambda now: self.site.start(self.kept, found, now))

    def _call(self, call: "list[Any]", method: "Any") -> "list[object]":
        """Ask the core, keep and look up what it says, and let who watches see it."""
        now = self.now()
        effects: list[Any] = method(now)
        for effect in effects:
            if isinstance(effect, access_point.Lookup):
                self.pending.append(effect)
            elif isinstance(effect, access_point.Keep) and self._durable:
                if effect.value is None:
                    self.kept.pop(effect.key, None)
                else:
                    self.kept[effect.key] = effect.value
        if self.watch is not None:
            self.watch(call, now, effects)
        return effects

    def _by_clock(self) -> "list[object]":
        """All that the wall clock alone can change; the runtime looks at it once a second."""
        rights, now = self.site.rights, self.now()
        edges: list[object] = [now.local_s >= edge_s for edge_s in self.edges]
        for name in sorted(house.AREAS):
            edges.append((now.local_s - (house.AREAS[name][2] or 0)) // house.DAY_S)
        return edges + [
            schedule.covers(rights.schedules[name], rights.holidays, now.local_s)
            for name in sorted(rights.schedules)
        ]

    # ---- what can be seen --------------------------------------------------------------------------

    def seen(self) -> "list[object]":
        """Everything that somebody in the building can see or hear now."""
        shown: list[object] = []
        for name in sorted(self.site.portals):
            door = self.site.portals[name]
            shown += [door.mode_now, door.unlocked, door.alarm, door.pre_alarm, door.fire]
        for name in sorted(self.site.access_points):
            signals = self.site.access_points[name].signals
            shown += [signals.light, signals.sound]
        shown += [self.site.alarms.siren(self.ms), self.site.alarms.beacon]
        return shown


def told(value: "Any") -> str:
    """Any value of an effect in one fixed form, whatever the interpreter orders its dicts by."""
    if isinstance(value, dict):
        return "{%s}" % ",".join(["%s:%s" % (told(key), told(value[key])) for key in sorted(value)])
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join([told(part) for part in value])
    return repr(value)
