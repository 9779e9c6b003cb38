"""What a site does for those who watch it: alarm points, faults, operators, partitions, automation.

Pure. `AlarmHalf` is the part of `firmware.access.site.Site` that asks `firmware.access.watch`; each verb
first honours what has come due, then acts, then lets every machine catch up.
"""

from firmware.access import alarm, automation, guard, portal, record, schedule
from firmware.access.record import Keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.access import credential, entry, watch
    from firmware.access.site import Plan

CONTROLLER = "controller"  #: the point of what concerns no device


class AlarmHalf:
    """The verbs of a site's alarm half."""

    portals: "dict[str, portal.Portal]"
    alarms: "alarm.Register"
    _watch: "watch.Watch"
    _plan: "Plan"
    _pulses: "automation.Pulses"
    _entry: "entry.Entry"

    @property
    def partitions(self) -> "dict[str, tuple[str, int | None, str]]":
        """Each partition's state, when its delay ends, and who set it, for whoever looks."""
        watched = self._watch.guard.watched
        return {one.name: (one.machine.state, one.machine.deadline_ms, one.by) for one in watched}

    def armed(self, partition: str) -> bool:
        """Whether what is tripped in that partition is an alarm."""
        return self._watch.guard.armed(partition)

    def point(
        self, name: str, active: bool, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The input of alarm point `name` became active (a loop opened, a button was pressed) or not."""
        effects = self._catch_up(now)
        effects += self._watch.point(name, active, at_ms, now)
        return self._finish(effects, now)

    def point_state(
        self, name: str, state: str, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The supervised input of alarm point `name` says `state`, one of `guard.SENSOR_STATES`."""
        return self._then(now, lambda: self._watch.point_state(name, state, at_ms, now))

    def contact_state(
        self, name: str, state: str, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The supervised contact of portal `name` says `state`: normal is closed, active is open."""
        door = self.portals[name]
        return self._then(now, lambda: self._watch.contact_state(door, state, at_ms, now))

    def bond(
        self, name: str, locked: "bool | None", at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The lock's own contact at portal `name` says so since `at_ms`; None: it cannot tell."""
        door = self.portals[name]
        return self._then(now, lambda: self._watch.bond(door, locked, False, now))

    def bond_state(
        self, name: str, state: str, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """The supervised contact of the lock at portal `name` says `state`: normal is locked."""
        door = self.portals[name]
        locked = {guard.NORMAL: True, guard.ACTIVE: False}.get(state)
        cut = state in (guard.CUT, guard.SHORT)
        return self._then(now, lambda: self._watch.bond(door, locked, cut, now))

    def condition(
        self, name: str, kind: str, active: bool, now: "credential.Moment"
    ) -> "list[object]":
        """Something about device `name` is wrong (`kind` is an alarm class), or right again."""
        effects = self._catch_up(now)
        effects += self._watch.condition(name, kind, active, now)
        return self._finish(effects, now)

    def doubts(self, name: str, kind: str) -> bool:
        """Whether a fault of device `name` is one of before a restart, and nobody has judged it since."""
        return self._watch.doubts(name, kind)

    def acknowledge(self, by: str, now: "credential.Moment") -> "list[object]":
        """The key switch was turned: what is shown at the door has been seen."""
        effects = self._catch_up(now)
        effects += self._watch.acknowledge(by, now)
        return self._finish(effects, now)

    def acknowledge_one(
        self, point: "str | None", kind: "str | None", by: str, now: "credential.Moment"
    ) -> "list[object]":
        """Acknowledge by point and class, None for all; duress only where its class is named."""
        return self._then(
            now, lambda: list(self.alarms.acknowledge_one(point, kind, by, now.ms, now.utc_s))
        )

    def silence(self, by: str, now: "credential.Moment") -> "list[object]":
        """No more sound for what sounds now; every alarm stays as it is."""
        return self._then(now, lambda: list(self.alarms.silence(by, now.ms)))

    def shelve(
        self, point: str, kind: str, until_s: int, by: str, now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Set an alarm aside until `until_s` (UTC, at most a day); the reason why not, or None."""
        return self._ask(now, lambda: self._watch.shelve(point, kind, until_s, by, now))

    def arm(
        self,
        partition: str,
        by: str,
        now: "credential.Moment",
        from_s: "int | None" = None,
        to_s: "int | None" = None,
        keys: "str | None" = None,
    ) -> "tuple[str | None, list[object]]":
        """Arm a partition, or make an appointment (local seconds); the reason why not, or None."""
        return self._ask(now, lambda: self._watch.guard.arm(partition, by, now, from_s, to_s, keys))

    def disarm(
        self, partition: str, by: str, now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Disarm a partition; the reason why not, or None."""
        return self._ask(now, lambda: self._watch.guard.disarm(partition, by, now))

    def bypass(
        self, partition: str, point: str, by: str, now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Leave `point` out of a partition until that is next disarmed; the reason why not, or None."""
        return self._ask(now, lambda: self._watch.guard.bypass(partition, point, by, now))

    # ---- how ---------------------------------------------------------------------------------------

    def _catch_up(self, now: "credential.Moment") -> "list[object]":
        raise NotImplementedError

    def _finish(self, effects: "list[object]", now: "credential.Moment") -> "list[object]":
        raise NotImplementedError

    def _then(self, now: "credential.Moment", act: "Callable[[], list[object]]") -> "list[object]":
        effects = self._catch_up(now)
        effects += act()
        return self._finish(effects, now)

    def _ask(
        self,
        now: "credential.Moment",
        act: "Callable[[], tuple[str | None, list[object]]]",
    ) -> "tuple[str | None, list[object]]":
        effects = self._catch_up(now)
        reason, asked = act()
        return reason, self._finish(effects + asked, now)

    def _automate(self, told: "list[object]", now: "credential.Moment") -> "list[object]":
        """What the rules make of what is being told; what that causes calls for nothing further."""
        effects: list[object] = list(self._pulses.tick(now.ms))
        for made in told if self._plan.automation else ():
            if not isinstance(made, record.Record):
                continue
            for rule in automation.called(self._plan.automation, made):
                if self._holds(rule.condition, now):
                    fields: dict[str, object] = {"automation": rule.name, "by": made.type}
                    effects.append(record.make(record.AUTOMATION_DONE, now.ms, None, fields))
                    effects += self._obey(rule, now)
        return effects

    def _obey(self, rule: "automation.Rule", now: "credential.Moment") -> "list[object]":
        do = rule.do
        if isinstance(do, automation.SwitchOutput):
            return list(self._pulses.switch(do.device, do.for_ms, now.ms))
        if isinstance(do, automation.RaiseAlarm):
            return self._watch.raise_once(do.point or CONTROLLER, do.kind, now)
        effects: list[object] = []
        for name in do.portals or sorted(self.portals):
            if do.mode in automation.MODES and self.portals[name].mode != do.mode:
                effects += self._entry.by_hand(name, now)
                effects += self.portals[name].set_mode(do.mode, automation.CAUSE, rule.name, now.ms)
                effects.append(Keep("mode/" + name, [do.mode, automation.CAUSE]))
        return effects

    def _holds(self, condition: "dict[str, object]", now: "credential.Moment") -> bool:
        if not condition:
            return True
        hours = self._entry.rights.schedules.get(str(condition.get("schedule")))
        in_hours = hours and schedule.covers(hours, self._entry.rights.holidays, now.local_s)
        return automation.holds(
            condition,
            {name: self.portals[name].mode for name in self.portals},
            {str(condition["schedule"])} if in_hours else set(),
            {name for name in self._plan.partitions if self.armed(name)},
            self._empty_areas(),
            {one.kind for one in self.alarms.alarms()},
        )

    def _empty_areas(self) -> "set[str]":
        where = self._entry.whereabouts
        return {area for area in self._plan.areas if where.tracks(area) and not where.inside(area)}
