"""The whole of one controller's deciding: portals, access points, fire and alarms together.

Pure and total. Every method takes what happened and a `credential.Moment`, and returns effects, in
order: `record.Record` (write and publish), `access_point.Lookup` (find a key, come back with `found`) and
`access_point.Keep` (keep durably, with the records of the same answer). What outputs are to do is
*derived*: ``portals[x].unlocked``, ``access_points[x].signals``, ``siren``, ``beacon``. The caller
brings outputs up to date after every call and ticks no later than ``deadline_ms``.
"""

from collections import namedtuple

from firmware.access import (
    access_point,
    alarm,
    credential,
    fire,
    opening,
    portal,
    record,
)

#: An input that raises an alarm.
#: kind      str  one of the alarm classes; a fire point is the fire loop
#: priority  int
Point = namedtuple("Point", ("kind", "priority"))

#: What a site is made of.
#: portals        dict  name -> (portal.Rules, mode at the first start)
#: access_points  dict  name -> access_point.Rules
#: points         dict  name -> Point
#: fire_reset     str   one of `fire.RESETS`
#: siren_max_ms   int
Plan = namedtuple("Plan", ("portals", "access_points", "points", "fire_reset", "siren_max_ms"))

#: What the inputs say at power-up.
#: open_doors    tuple of str  portals whose contact is open
#: active        tuple of str  alarm points that are active now (the fire loop open, a lid off)
#: power_lost    tuple of str  portals whose lock let go while the power was away
Found = namedtuple("Found", ("open_doors", "active", "power_lost"))

NO_RIGHTS = credential.Rights({}, {}, [], False, False)

KEY_SWITCH = "key-switch"

_REPORTS = {
    opening.FORCED_RAISED: (alarm.DOOR_FORCED, True),
    opening.FORCED_OVER: (alarm.DOOR_FORCED, False),
    opening.HELD_RAISED: (alarm.DOOR_HELD, True),
    opening.HELD_OVER: (alarm.DOOR_HELD, False),
}


class Site:
    """One controller's doors. Call `start` first."""

    def __init__(self, plan: Plan) -> None:
        self.portals = {
            name: portal.Portal(name, plan.portals[name][0]) for name in sorted(plan.portals)
        }
        self.access_points = {}
        for name in sorted(plan.access_points):
            rules = plan.access_points[name]
            door = self.portals[rules.portal]
            self.access_points[name] = access_point.AccessPoint(name, rules, door)
        self.alarms = alarm.Register(plan.siren_max_ms)
        #: credential.Rights  the levels and hours in force; the caller may replace them at any time
        self.rights = NO_RIGHTS
        self._fire = fire.Fire(plan.fire_reset)
        self._plan = plan
        self._awaited: dict[str, dict[str, object] | None] = {}

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def burning(self) -> bool:
        """Whether there is fire."""
        return self._fire.on

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        dues = [self._fire.deadline_ms, self.alarms.deadline_ms]
        dues += [self.portals[name].deadline_ms for name in self.portals]
        dues += [self.access_points[name].deadline_ms for name in self.access_points]
        due_ms = [at_ms for at_ms in dues if at_ms is not None]
        return min(due_ms) if due_ms else None

    # ---- what happens ------------------------------------------------------------------------------

    def start(
        self, kept: "dict[str, object]", found: Found, now: "credential.Moment"
    ) -> "list[object]":
        """Begin with what was `kept` before the restart and what the inputs say now."""
        self._restore(kept, now)
        fire_points = [name for name in sorted(self._plan.points) if self._is_fire(name)]
        loop_open = [name for name in fire_points if name in found.active]
        self._fire.restore(now.ms, bool(loop_open), kept.get("fire") is True)
        effects: list[object] = []
        for name, door in sorted(self.portals.items()):
            who = kept.get("await/" + name)
            if isinstance(who, dict):  # the power went before it was known
                self._awaited[name] = who
                effects.append(record.make(record.ACCESS_NOT_TAKEN, now.ms, name, who))
            mode, cause = self._first_mode(name, kept)
            effects += door.start(
                mode,
                cause,
                name in found.open_doors,
                self._fire.on,
                name in found.power_lost,
                now.ms,
            )
        for name in sorted(self._plan.points):
            effects += self._restore_point(name, name in found.active, now)
        for name in sorted(self.portals):  # an open door is open since now: neither forced nor held
            effects += self.alarms.over(name, alarm.DOOR_FORCED, now.ms, now.utc_s)
            effects += self.alarms.over(name, alarm.DOOR_HELD, now.ms, now.utc_s)
        return self._finish(effects, now)

    def card(self, name: str, number: str, now: "credential.Moment") -> "list[object]":
        """A card was read at access point `name`; `number` is its canonical form."""
        return self._shown(name, access_point.CARD, number, now)

    def code(self, name: str, text: str, now: "credential.Moment") -> "list[object]":
        """A code (QR) was read at access point `name`."""
        return self._shown(name, access_point.CODE, text, now)

    def key(self, name: str, key: str, now: "credential.Moment") -> "list[object]":
        """A key was pressed at access point `name`."""
        return self._finish(self._catch_up(now) + self.access_points[name].pressed(key, now), now)

    def bad_read(self, name: str, now: "credential.Moment") -> "list[object]":
        """Something was read at access point `name` that is no card."""
        return self._finish(self._catch_up(now) + self.access_points[name].bad_read(now), now)

    def found(
        self,
        name: str,
        kind: str,
        key: "credential.Credential | None",
        usage: "credential.Usage",
        now: "credential.Moment",
    ) -> "list[object]":
        """The answer to a `Lookup` of access point `name`; `key` is None if nobody has that."""
        effects = self._catch_up(now)
        effects += self.access_points[name].found(kind, key, usage, self.rights, now)
        return self._finish(effects, now)

    def rex(self, name: str, at_ms: int, now: "credential.Moment") -> "list[object]":
        """Somebody inside portal `name` wants out."""
        effects = self._catch_up(now)
        effects += self.portals[name].rex(at_ms, now.ms)
        return self._finish(effects, now)

    def hold_exit(
        self, name: str, held: bool, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The REX contact of portal `name` is held since `at_ms`, or was let go."""
        effects = self._catch_up(now)
        effects += self.portals[name].hold_exit(held, at_ms, now.ms)
        return self._finish(effects, now)

    def contact(
        self, name: str, is_open: bool, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The contact of portal `name` changed at `at_ms`."""
        effects = self._catch_up(now)
        effects += self.portals[name].contact(is_open, at_ms, now.ms)
        return self._finish(effects, now)

    def set_mode(
        self, name: str, mode: str, cause: str, by: "str | None", now: "credential.Moment"
    ) -> "list[object]":
        """Change the mode of portal `name`; it survives a restart."""
        effects = self._catch_up(now)
        effects += self.portals[name].set_mode(mode, cause, by, now.ms)
        effects.append(access_point.Keep("mode/" + name, [mode, cause]))
        return self._finish(effects, now)

    def point(
        self, name: str, active: bool, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The input of alarm point `name` became active (a loop opened, a button was pressed) or not."""
        effects = self._catch_up(now)
        planned = self._plan.points[name]
        if planned.kind == alarm.FIRE:
            self._fire.handle(fire.LOOP_OPENED if active else fire.LOOP_CLOSED, now.ms)
            effects += self._spread_fire(at_ms, now)
        elif active:
            effects += self.alarms.raise_(name, planned.kind, now.ms, now.utc_s, planned.priority)
        else:
            effects += self.alarms.over(name, planned.kind, now.ms, now.utc_s)
        return self._finish(effects, now)

    def condition(
        self, name: str, kind: str, active: bool, now: "credential.Moment"
    ) -> "list[object]":
        """Something about device `name` is wrong (`kind` is an alarm class), or right again."""
        effects = self._catch_up(now)
        if active:
            effects += self.alarms.raise_(name, kind, now.ms, now.utc_s)
        else:
            effects += self.alarms.over(name, kind, now.ms, now.utc_s)
        return self._finish(effects, now)

    def acknowledge(self, by: str, now: "credential.Moment") -> "list[object]":
        """The key switch was turned: what is shown at the door has been seen."""
        effects = self._catch_up(now)
        effects += self.alarms.acknowledge_shown(by, now.ms, now.utc_s)
        self._fire.handle(fire.KEY_TURNED, now.ms)
        effects += self._spread_fire(now.ms, now)
        return self._finish(effects, now)

    def tick(self, now: "credential.Moment") -> "list[object]":
        """Honour every deadline that has come."""
        return self._finish(self._catch_up(now), now)

    # ---- how ---------------------------------------------------------------------------------------

    def _priority(self, point: str, kind: str) -> "int | None":
        planned = self._plan.points.get(point)
        return planned.priority if planned is not None and planned.kind == kind else None

    def _shown(self, name: str, kind: str, value: str, now: "credential.Moment") -> "list[object]":
        effects = self._catch_up(now)
        effects += self.access_points[name].shown(kind, value, now)
        # A look-up alone changes nothing yet: it leaves at once.
        return effects if len(effects) == 1 else self._finish(effects, now)

    def _is_fire(self, name: str) -> bool:
        return bool(self._plan.points[name].kind == alarm.FIRE)

    def _spread_fire(self, at_ms: int, now: "credential.Moment") -> "list[object]":
        """Tell the portals and the register where the fire's state differs from theirs."""
        effects: list[object] = []
        for door in self._doors():
            effects += door.set_fire(self._fire.on, at_ms, now.ms)
        for point in sorted(self._plan.points):
            if not self._is_fire(point):
                continue
            known = self.alarms.find(point, alarm.FIRE)
            active = known is not None and known.state in (
                alarm.UNACKNOWLEDGED,
                alarm.ACKNOWLEDGED,
            )
            if self._fire.on and not active:
                effects += self.alarms.raise_(
                    point, alarm.FIRE, now.ms, now.utc_s, self._plan.points[point].priority
                )
                effects.append(access_point.Keep("fire", True))
            elif active and not self._fire.on:
                effects += self.alarms.over(point, alarm.FIRE, now.ms, now.utc_s)
                effects.append(access_point.Keep("fire", None))
        return effects

    def _catch_up(self, now: "credential.Moment") -> "list[object]":
        """Honour what has come due before the next input, so that a late loop decides like a punctual one."""
        self._fire.tick(now.ms)
        effects: list[object] = []
        for effect in self._spread_fire(now.ms, now):  # which ticks every door
            effects += self._resolve(effect, now)
        return effects

    def _finish(self, effects: "list[object]", now: "credential.Moment") -> "list[object]":
        """Let every machine catch up with `now`, and turn what they report into alarms."""
        for door in self._doors():
            effects = effects + door.tick(now.ms)
        for name in sorted(self.access_points):
            effects = effects + self.access_points[name].tick(now)
        self.alarms.tick(now.ms)
        finished: list[object] = []
        for effect in effects:
            finished += self._resolve(effect, now)
        for name in sorted(self.access_points):  # what was resolved may show at the door
            at = self.access_points[name]
            at.signals.last(at.moment(now.ms), at.portal.pre_alarm, now.ms)
        return finished + self._keep_alarms() + self._keep_awaited()

    def _resolve(self, effect: object, now: "credential.Moment") -> "list[object]":
        """What one effect of a part means for the site."""
        if isinstance(effect, record.Record) and effect.type in _REPORTS:
            kind, raised = _REPORTS[effect.type]
            name = effect.fields["portal"]
            if raised:
                return list(self.alarms.raise_(name, kind, effect.at_ms, now.utc_s))
            return list(self.alarms.over(name, kind, effect.at_ms, now.utc_s))
        if isinstance(effect, access_point.Misuse):
            return list(self.alarms.raise_(effect.access_point, effect.kind, now.ms, now.utc_s))
        if isinstance(effect, access_point.CheckPin):
            at = self.access_points[effect.access_point]
            resolved: list[object] = []
            for caused in at.check_again(self.rights, effect.step.key, effect.step.digits, now):
                resolved += self._resolve(caused, now)
            return resolved
        return [effect]

    def _keep_awaited(self) -> "list[object]":
        """Who is awaited outlives a power cut, so that every grant gets its verdict."""
        kept: list[object] = []
        for door in self._doors():
            awaited = door.awaited
            if awaited != self._awaited.get(door.name):
                self._awaited[door.name] = awaited
                kept.append(access_point.Keep("await/" + door.name, awaited))
        return kept

    def _keep_alarms(self) -> "list[object]":
        kept: list[object] = []
        while self.alarms.changed:
            point, kind = self.alarms.changed.pop(0)
            known = self.alarms.find(point, kind)
            value: object = None
            if known is not None and known.state != alarm.NORMAL:
                value = [known.state, known.since_s, known.by]
            kept.append(access_point.Keep("alarm/%s/%s" % (point, kind), value))
        return kept

    def _doors(self) -> "list[portal.Portal]":
        return [self.portals[name] for name in sorted(self.portals)]

    def _first_mode(self, name: str, kept: "dict[str, object]") -> "tuple[str, str]":
        before = kept.get("mode/" + name)
        if isinstance(before, list) and len(before) == 2 and before[0] in portal.MODES:
            return before[0], before[1]
        return self._plan.portals[name][1], record.SCHEDULE

    def _restore(self, kept: "dict[str, object]", now: "credential.Moment") -> None:
        for key in sorted(kept):
            value = kept[key]
            head, _, tail = key.partition("/")
            if head == "block" and tail in self.access_points and isinstance(value, int):
                left_ms = (value - now.utc_s) * 1000
                if left_ms > 0:
                    self.access_points[tail].attempts.block(now.ms, left_ms)
            elif head == "alarm" and isinstance(value, list) and len(value) == 3:
                point, _, kind = tail.partition("/")
                if kind in alarm.PRIORITY and value[0] in alarm.STATES:
                    self.alarms.restore(
                        point, kind, value[0], value[1], value[2], self._priority(point, kind)
                    )

    def _restore_point(self, name: str, active: bool, now: "credential.Moment") -> "list[object]":
        kind = self._plan.points[name].kind
        known = self.alarms.find(name, kind)
        if kind == alarm.FIRE:
            return self._spread_fire(now.ms, now)
        if not active:
            return list(self.alarms.over(name, kind, now.ms, now.utc_s))
        if known is None or known.state in (alarm.NORMAL, alarm.RETURNED):
            priority = self._plan.points[name].priority
            return list(self.alarms.raise_(name, kind, now.ms, now.utc_s, priority))
        return []
