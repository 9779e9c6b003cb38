"""The alarm half of one controller: alarm points, faults, fire, partitions, and who has seen what.

Pure and total. `firmware.access.site` owns it and calls it after the doors have caught up; it spreads the
fire to the doors and returns effects, in order. The alarms themselves are in ``register``, what is armed
in ``guard``. A supervised input says one of `guard.SENSOR_STATES`; a cut or shorted wire is a tamper of
its point, and ends nothing that the point has told.
"""

from collections import namedtuple

from firmware.access import alarm, fire, guard, lasting, opening
from firmware.access.deadlines import earliest
from firmware.access.record import Keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.access import credential, portal
    from firmware.access.site import Plan

#: An input that raises an alarm.
#: kind      str  one of the alarm classes; a fire point is the fire loop
#: priority  int
Point = namedtuple("Point", ("kind", "priority"))

#: For how long an open housing shuts its access points.
ACTIVE = "active"  #: while it is open
ACKNOWLEDGED = "acknowledged"  #: until its alarm is acknowledged and over
OFF = "off"
TAMPER_BLOCKS = (ACTIVE, ACKNOWLEDGED, OFF)

_OTHER = "other"

#: What a supervised input of a point of that class says: (the point is active, its wire is tampered with);
#: None: that stays as it was.
SUPERVISED = {
    (alarm.FIRE, guard.NORMAL): (False, False),
    (alarm.FIRE, guard.ACTIVE): (True, False),
    (alarm.FIRE, guard.CUT): (True, False),  # the loop is normally closed: cut is fire
    (alarm.FIRE, guard.SHORT): (None, True),  # it could not tell of a fire any more
    (alarm.FIRE, guard.UNKNOWN): (None, None),
    (alarm.TAMPER, guard.NORMAL): (False, None),
    (alarm.TAMPER, guard.ACTIVE): (True, None),
    (alarm.TAMPER, guard.CUT): (True, None),
    (alarm.TAMPER, guard.SHORT): (True, None),
    (alarm.TAMPER, guard.UNKNOWN): (None, None),
    (_OTHER, guard.NORMAL): (False, False),
    (_OTHER, guard.ACTIVE): (True, False),
    (_OTHER, guard.CUT): (None, True),
    (_OTHER, guard.SHORT): (None, True),
    (_OTHER, guard.UNKNOWN): (None, None),
}

_REPORTS = {
    opening.FORCED_RAISED: (alarm.DOOR_FORCED, True),
    opening.FORCED_OVER: (alarm.DOOR_FORCED, False),
    opening.HELD_RAISED: (alarm.DOOR_HELD, True),
    opening.HELD_OVER: (alarm.DOOR_HELD, False),
}
FAULT = "fault"  #: what a door's contact and its lock are called while they cannot be believed
UNKNOWN_CLASS = "unknown_class"

REPORTS = tuple(sorted(_REPORTS))  #: what a door reports that is an alarm here


class Watch:
    """What is watched beside the doors' own state. `doors` are told of fire."""

    def __init__(self, plan: "Plan", doors: "list[portal.Portal]") -> None:
        self.register = alarm.Register(plan.siren_max_ms, plan.repeat_ms)
        self.guard = guard.Guard(plan.partitions, self.register)
        self._plan = plan
        self._points: dict[str, Point] = plan.points
        self._fire_points = [name for name in sorted(plan.points) if self._is_fire(name)]
        self._fire = fire.Fire(plan.fire_reset)
        self._spread = False  # the fire that doors and register know of
        self._undriven: set[str] = set()  # locks whose line cannot be driven
        self._faults = lasting.Lasting(plan.fault_after_ms)
        self._doors = doors

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def burning(self) -> bool:
        """Whether there is fire."""
        return self._fire.on

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        of_alarms = earliest((self.register.deadline_ms, self._faults.deadline_ms))
        return earliest((self._fire.deadline_ms, of_alarms, self.guard.deadline_ms))

    def tampered(self, device: "str | None") -> bool:
        """Whether the housing of `device` was opened, for as long as that shuts its access points."""
        known = None if device is None else self.register.find(device, alarm.TAMPER)
        if known is None or self._plan.tamper_blocks == OFF:
            return False
        if self._plan.tamper_blocks == ACKNOWLEDGED:
            return bool(known.state != alarm.NORMAL)
        return known.active

    # ---- what happens ------------------------------------------------------------------------------

    def restore(
        self, kept: "dict[str, object]", active: "tuple[str, ...]", now: "credential.Moment"
    ) -> None:
        """Put back what was `kept`; begin with the fire loop as it is (``active`` names what is open)."""
        for key in sorted(kept):
            value = kept[key]
            head, _, tail = key.partition("/")
            if head == "alarm" and isinstance(value, list) and len(value) in (3, 4):
                point, _, kind = tail.partition("/")
                if kind in alarm.PRIORITY and value[0] in alarm.STATES:
                    self._restore_alarm(point, kind, value, now)
            elif head == "shelve" and isinstance(value, list) and len(value) == 2:
                point, _, kind = tail.partition("/")
                if kind in alarm.PRIORITY:
                    self.register.restore_shelved(
                        point, kind, value[0], value[1], now.ms, now.utc_s
                    )
        self.guard.restore(kept, now)
        loop_open = [name for name in self._fire_points if name in active]
        self._fire.restore(now.ms, bool(loop_open), kept.get("fire") is True)

    def start(self, active: "tuple[str, ...]", now: "credential.Moment") -> "list[object]":
        """Say what is active now and was not before, and what is over; the doors have started."""
        effects: list[object] = []
        for name in sorted(self._points):
            effects += self._restore_point(name, name in active, now)
        for door in self._doors:  # an open door is open since now: neither forced nor held
            effects += self.register.over(door.name, alarm.DOOR_FORCED, now.ms, now.utc_s)
            effects += self.register.over(door.name, alarm.DOOR_HELD, now.ms, now.utc_s)
        return effects

    def point(
        self, name: str, active: bool, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The input of alarm point `name` became active (a loop opened, a button was pressed) or not."""
        planned = self._points[name]
        if planned.kind == alarm.FIRE:
            self._fire.handle(fire.LOOP_OPENED if active else fire.LOOP_CLOSED, now.ms)
            return self.spread_fire(at_ms, now)
        if planned.kind == alarm.INTRUSION and self.guard.has(name):
            state = guard.ACTIVE if active else guard.NORMAL
            return self.guard.sensor(name, state, planned.priority, now)
        if self._plan.fault_after_ms.get(planned.kind):
            return self.condition(name, planned.kind, active, now)
        if active:
            return list(
                self.register.raise_(name, planned.kind, now.ms, now.utc_s, planned.priority)
            )
        return list(self.register.over(name, planned.kind, now.ms, now.utc_s))

    def point_state(
        self, name: str, state: str, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The supervised input of alarm point `name` says `state`."""
        kind = self._points[name].kind
        sort = kind if kind in (alarm.FIRE, alarm.TAMPER) else _OTHER
        active, tampered = SUPERVISED[(sort, state)]
        effects: list[object] = []
        if tampered is not None:
            effects += self._tamper(name, tampered, now)
        if kind == alarm.INTRUSION and self.guard.has(name):
            return effects + self.guard.sensor(name, state, self._points[name].priority, now)
        told = kind != alarm.FIRE and self.register.is_active(name, kind)
        if active is None or (active and told):  # a loop that opens again always counts
            return effects
        return effects + self.point(name, active, at_ms, now)

    def contact_state(
        self, door: "portal.Portal", state: str, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The supervised contact of a portal says `state`; normal is closed."""
        if state in (guard.NORMAL, guard.ACTIVE):
            effects: list[object] = list(door.contact(state == guard.ACTIVE, at_ms, now.ms))
        elif state == guard.UNKNOWN:
            return list(door.lose_contact(guard.UNKNOWN, now.ms))
        else:
            effects = list(door.lose_contact(FAULT, now.ms))
        device = self._plan.contacts.get(door.name)
        if device is not None:
            effects += self._tamper(device, state in (guard.CUT, guard.SHORT), now)
        return effects

    def bond(
        self, door: "portal.Portal", locked: "bool | None", cut: bool, now: "credential.Moment"
    ) -> "list[object]":
        """The lock's own contact says so; None: it cannot tell. `cut`: its wire is tampered with."""
        door.bond = locked
        door.pardon.bond(locked)
        device = self._plan.bonds.get(door.name)
        if device is None or (locked is None and not cut):
            return []
        return self._tamper(device, cut, now)

    def condition(
        self, name: str, kind: str, active: bool, now: "credential.Moment"
    ) -> "list[object]":
        """Something about device `name` is wrong (`kind` is an alarm class), or right again."""
        what = lasting.WRONG if active else lasting.RIGHT
        if kind == alarm.LOCK_FAULT:  # whatever its own contact says: it does not move
            (self._undriven.add if active else self._undriven.discard)(name)
        return self._judge(self._faults.handle(name, kind, what, now.ms), now)

    def doubts(self, name: str, kind: str) -> bool:
        """Whether a restart found such an alarm and nobody has said since that it is so, or is not."""
        return self._faults.state(name, kind) == lasting.DOUBTED

    def raise_once(self, name: str, kind: str, now: "credential.Moment") -> "list[object]":
        """An alarm that is over at once, unless what it tells of lasts there already."""
        if self.register.is_active(name, kind):
            return []
        effects: list[object] = list(
            self.register.raise_(name, kind, now.ms, now.utc_s, self._priority(name, kind))
        )
        return effects + self.register.over(name, kind, now.ms, now.utc_s)

    def report(self, what: str, name: str, at_ms: int, now: "credential.Moment") -> "list[object]":
        """Portal `name` reports one of `REPORTS`, at `at_ms`."""
        kind, raised = _REPORTS[what]
        if raised:
            return list(self.register.raise_(name, kind, at_ms, now.utc_s))
        return list(self.register.over(name, kind, at_ms, now.utc_s))

    def misuse(self, name: str, kind: str, now: "credential.Moment") -> "list[object]":
        """A decision at access point `name` is an alarm of class `kind`."""
        return list(self.register.raise_(name, kind, now.ms, now.utc_s))

    def acknowledge(self, by: str, now: "credential.Moment") -> "list[object]":
        """The key switch was turned: what is shown at the door has been seen."""
        effects: list[object] = list(self.register.acknowledge_shown(by, now.ms, now.utc_s))
        self._fire.handle(fire.KEY_TURNED, now.ms)
        return effects + self.spread_fire(now.ms, now)

    def shelve(
        self, point: str, kind: str, until_s: int, by: str, now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Set an alarm aside until `until_s` (UTC): the reason why not, or None, and the effects."""
        if kind not in alarm.PRIORITY:
            return UNKNOWN_CLASS, []
        priority = self._priority(point, kind)
        reason, records = self.register.shelve(
            point, kind, until_s, by, now.ms, now.utc_s, priority
        )
        return reason, list(records)

    def granted(
        self, key: "credential.Credential", where: str, now: "credential.Moment"
    ) -> "list[object]":
        """A key was let in at access point `where`. A manager's has seen what is shown, but for fire."""
        effects: list[object] = []
        if key.acknowledges:
            by = "credential-%s" % key.id
            effects += self.register.acknowledge_shown(by, now.ms, now.utc_s, (alarm.FIRE,))
        return effects + self.guard.granted(key, where, now)

    def catch_up(self, now: "credential.Moment") -> "list[object]":
        """Honour what has come due before the next input; every door is ticked."""
        self._fire.tick(now.ms)
        if self._fire.on or self._spread:
            return self.spread_fire(now.ms, now) + self._due(now, None)
        effects: list[object] = []
        for door in self._doors:
            effects += door.tick(now.ms)
        return effects + self._due(now, None)

    def is_undriven(self, portal: str) -> bool:
        """Whether the line of the portal's lock cannot be driven now: whoever releases it moves nothing."""
        return self._plan.locks.get(portal) in self._undriven

    def settle(self, rights: "credential.Rights", now: "credential.Moment") -> "list[object]":
        """What follows once the doors have caught up: bolts that disagree, hours, delays, tellings."""
        effects: list[object] = []
        for door in self._doors:
            if (
                self.is_undriven(door.name)
                or door.lock_fault
                or self._plan.bonds.get(door.name) is not None
            ):
                effects += self._judge_bond(door, now)
        return effects + self._due(now, rights)

    def spread_fire(self, at_ms: int, now: "credential.Moment") -> "list[object]":
        """Tell the portals and the register where the fire's state differs from theirs."""
        effects: list[object] = []
        self._spread = self._fire.on
        for door in self._doors:
            effects += door.set_fire(self._fire.on, at_ms, now.ms)
        for point in self._fire_points:
            known = self.register.find(point, alarm.FIRE)
            active = known is not None and known.state in (
                alarm.UNACKNOWLEDGED,
                alarm.ACKNOWLEDGED,
            )
            if self._fire.on and not active:
                effects += self.register.raise_(
                    point, alarm.FIRE, now.ms, now.utc_s, self._points[point].priority
                )
                effects.append(Keep("fire", True))
            elif active and not self._fire.on:
                effects += self.register.over(point, alarm.FIRE, now.ms, now.utc_s)
                effects.append(Keep("fire", None))
        return effects

    def keep(self) -> "list[object]":
        """What of it is to be kept durably, since the last time."""
        kept: list[object] = []
        while self.register.changed:
            point, kind = self.register.changed.pop(0)
            known = self.register.find(point, kind)
            value: object = None if known is None else known.saved
            kept.append(Keep("alarm/%s/%s" % (point, kind), value))
        while self.register.reshelved:
            point, kind = self.register.reshelved.pop(0)
            known = self.register.find(point, kind)
            value = None
            if known is not None and known.shelved_until_ms:
                value = [known.shelved_until_s, known.shelved_by]
            kept.append(Keep("shelve/%s/%s" % (point, kind), value))
        return kept + self.guard.keep()

    # ---- how ---------------------------------------------------------------------------------------

    def _due(self, now: "credential.Moment", rights: "credential.Rights | None") -> "list[object]":
        effects: list[object] = list(self.register.tick(now.ms))
        effects += self._judge(self._faults.tick(now.ms), now)
        return effects + self.guard.tick(now, rights)

    def _judge(
        self, reports: "list[tuple[str, str, str, int]]", now: "credential.Moment"
    ) -> "list[object]":
        """Faults that have lasted, and those that are over."""
        effects: list[object] = []
        for report, name, kind, at_ms in reports:
            if report == lasting.OVER:
                effects += self.register.over(name, kind, at_ms, now.utc_s)
            else:
                priority = self._priority(name, kind)
                effects += self.register.raise_(name, kind, at_ms, now.utc_s, priority)
        return effects

    def _judge_bond(self, door: "portal.Portal", now: "credential.Moment") -> "list[object]":
        """Told to lock and not locked, or the other way round, with the door closed: a fault if it lasts."""
        device = self._plan.locks.get(door.name)
        if device is None:
            return []
        if device in self._undriven:
            what = lasting.WRONG
        elif door.bond is None or door.pardon.holds(now.ms):
            what = lasting.UNJUDGED
        elif door.bond != door.unlocked:
            what = lasting.RIGHT
        else:
            what = lasting.WRONG if door.door == "closed" else lasting.UNJUDGED
        effects = self._judge(self._faults.handle(device, alarm.LOCK_FAULT, what, now.ms), now)
        bond = self._plan.bonds.get(door.name)
        cut = bond is not None and self.register.is_active(bond, alarm.TAMPER)
        door.lock_fault = cut or self.register.is_active(device, alarm.LOCK_FAULT)
        return effects

    def _tamper(self, name: str, on: bool, now: "credential.Moment") -> "list[object]":
        return self.condition(name, alarm.TAMPER, on, now)

    def _priority(self, point: str, kind: str) -> "int | None":
        planned = self._points.get(point)
        return planned.priority if planned is not None and planned.kind == kind else None

    def _is_fire(self, name: str) -> bool:
        return bool(self._points[name].kind == alarm.FIRE)

    def _restore_alarm(
        self, point: str, kind: str, value: "list[Any]", now: "credential.Moment"
    ) -> None:
        priority = self._priority(point, kind)
        self.register.restore(point, kind, value, now.ms, now.utc_s, priority)
        if kind in (alarm.FIRE, alarm.DOOR_FORCED, alarm.DOOR_HELD):
            return
        told_at_start = priority is not None and not self._plan.fault_after_ms.get(kind)
        if not told_at_start and self.register.is_active(point, kind):
            self._faults.handle(point, kind, lasting.RESTORED, now.ms)

    def _restore_point(self, name: str, active: bool, now: "credential.Moment") -> "list[object]":
        kind = self._points[name].kind
        if kind == alarm.FIRE:
            return self.spread_fire(now.ms, now)
        if kind == alarm.INTRUSION and self.guard.has(name):
            state = guard.ACTIVE if active else guard.NORMAL
            return self.guard.begin(name, state, self._points[name].priority, now)
        if active and self.register.is_active(name, kind):
            if self._plan.fault_after_ms.get(kind):
                self._faults.handle(name, kind, lasting.WRONG, now.ms)
            return []
        return self.point(name, active, now.ms, now)
