"""The partitions of one controller: who armed what, which sensors stand in the way, what a trip means.

Pure. Owns a `partition.Partition` each, the sensors' states, and what is kept of them over a restart. A
partition is armed by command, by its hours or by an appointment; with a sensor open or unknown the
arming is refused, and one by hours or appointment is made as soon as the sensor closes. Hours and
appointments are looked at once a second and change nothing while the time is not to be trusted.
"""

from firmware.access import alarm, partition, record, schedule
from firmware.access.record import Keep, make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.access import credential

NORMAL = "normal"
ACTIVE = "active"
CUT = "cut"
SHORT = "short"
UNKNOWN = "unknown"
SENSOR_STATES = (NORMAL, ACTIVE, CUT, SHORT, UNKNOWN)

BY_SCHEDULE = "schedule"
BY_APPOINTMENT = "appointment"

#: Reasons of a refusal.
SENSOR_OPEN = "sensor_open"
SENSOR_UNAVAILABLE = "sensor_unavailable"
UNKNOWN_PARTITION = "unknown_partition"
BAD_TIMES = "bad_times"  #: an appointment that ends before it begins, or is over
BAD_KEYS = "bad_keys"
NOT_OF_IT = "not_of_it"  #: a point that is none of the partition's


class _Watched:
    """One partition with who armed it and why."""

    def __init__(self, name: str, rules: "partition.Rules") -> None:
        self.name = name
        self.machine = partition.Partition(rules)
        self.by = ""
        #: str  the wish of hours or appointment that was last seen: "", BY_SCHEDULE, BY_APPOINTMENT
        self.wish = ""
        #: bool  that wish was refused: it is granted when the last sensor closes
        self.waiting = False
        self.keys: str = rules.keys
        self.bypassed: list[str] = []
        self.entered: list[str] = []
        #: list or None  [from_s, to_s, keys, by], local seconds
        self.appointment: list[Any] | None = None
        self.kept: object = None

    def counts(self, point: str) -> bool:
        """Whether `point` is one of its, and not bypassed."""
        return point in self.machine.rules.points and point not in self.bypassed

    def saved(self) -> "list[object] | None":
        """What is kept of it; None: nothing but the beginning."""
        now = [
            self.machine.state,
            self.by,
            self.wish,
            self.waiting,
            self.keys,
            list(self.entered),
        ]
        fresh = [partition.DISARMED, "", "", False, self.machine.rules.keys, []]
        return None if now == fresh else now


class Guard:
    """All partitions. `register` is told of intrusions."""

    def __init__(self, rules: "dict[str, partition.Rules]", register: "alarm.Register") -> None:
        self._register = register
        #: list of _Watched  for whoever looks; nobody else changes them
        self.watched = [_Watched(name, rules[name]) for name in sorted(rules)]
        self._sensors: dict[str, str] = {}
        self._priorities: dict[str, int | None] = {}
        self._looked_s: int | None = None
        self._keeps: list[object] = []

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        dues = [one.machine.deadline_ms for one in self.watched]
        due_ms = [at_ms for at_ms in dues if at_ms is not None]
        return min(due_ms) if due_ms else None

    def has(self, point: str) -> bool:
        """Whether some partition watches `point`; one in none is always armed."""
        return any(point in one.machine.rules.points for one in self.watched)

    def armed(self, name: str) -> bool:
        """Whether partition `name` is armed: what is tripped there is an alarm, if late."""
        one = self._find(name)
        return one is not None and one.machine.watching

    # ---- what happens ------------------------------------------------------------------------------

    def restore(self, kept: "dict[str, object]", now: "credential.Moment") -> None:
        """Put back what was kept; states and bypasses of partitions that are no more are forgotten."""
        for one in self.watched:
            saved = kept.get("arm/" + one.name)
            if isinstance(saved, list) and len(saved) == 6 and saved[0] in partition.STATES:
                one.machine.restore(saved[0], now.ms)
                one.by, one.wish, one.waiting, one.keys = saved[1], saved[2], saved[3], saved[4]
                one.entered = [point for point in saved[5] if point in one.machine.rules.points]
            bypassed = kept.get("bypass/" + one.name)
            if isinstance(bypassed, list):
                one.bypassed = [point for point in bypassed if point in one.machine.rules.points]
            appointment = kept.get("appointment/" + one.name)
            if isinstance(appointment, list) and len(appointment) == 4:
                one.appointment = list(appointment)
            one.kept = one.saved()

    def sensor(
        self, point: str, state: str, priority: "int | None", now: "credential.Moment"
    ) -> "list[object]":
        """What sensor `point` says now; its alarm's `priority`. Cut and short are open, and trip nothing."""
        before = self._sensors.get(point, UNKNOWN)
        self._sensors[point] = state
        self._priorities[point] = priority
        effects: list[object] = []
        if state == NORMAL:
            effects += self._register.over(point, alarm.INTRUSION, now.ms, now.utc_s)
        for one in self.watched:
            rules = one.machine.rules
            if state != ACTIVE or before == ACTIVE or not one.counts(point):
                continue
            delayed = point in rules.delayed
            if delayed and one.machine.watching and point not in one.entered:
                one.entered.append(point)
            what = partition.DELAYED if delayed else partition.INSTANT
            effects += self._report(one, one.machine.handle(what, now.ms), point, now)
        return effects + self.tick(now, None)

    def begin(
        self, point: str, state: str, priority: "int | None", now: "credential.Moment"
    ) -> "list[object]":
        """What sensor `point` says at the start; an intrusion that was told before is not told again."""
        if state == ACTIVE and self._register.is_active(point, alarm.INTRUSION):
            self._sensors[point] = state
            self._priorities[point] = priority
            return []
        return self.sensor(point, state, priority, now)

    def arm(
        self,
        name: str,
        by: str,
        now: "credential.Moment",
        from_s: "int | None" = None,
        to_s: "int | None" = None,
        keys: "str | None" = None,
    ) -> "tuple[str | None, list[object]]":
        """Arm partition `name`; with times (local seconds), from then until then.

        The reason why not, or None, and the effects. `keys` is what a key of its flat or group means
        meanwhile, one of `partition.KEYS`; None: what the config says.
        """
        one = self._find(name)
        if one is None:
            return UNKNOWN_PARTITION, []
        if keys is not None and keys not in partition.KEYS:
            return BAD_KEYS, []
        if from_s is not None or to_s is not None:
            if from_s is None or to_s is None or to_s <= from_s or to_s <= now.local_s:
                return BAD_TIMES, []
            one.appointment = [from_s, to_s, keys, by]
            self._keeps.append(Keep("appointment/" + name, list(one.appointment)))
            self._looked_s = None
            return None, []
        reason, effects = self._try(one, by, keys, now)
        return reason, effects

    def disarm(
        self, name: str, by: str, now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Disarm partition `name`; bypasses end with it, and so do the intrusions it watched."""
        one = self._find(name)
        return (UNKNOWN_PARTITION, []) if one is None else (None, self._disarm(one, by, now))

    def bypass(
        self, name: str, point: str, by: str, now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Leave `point` out of partition `name` until that is next disarmed."""
        one = self._find(name)
        if one is None:
            return UNKNOWN_PARTITION, []
        if point not in one.machine.rules.points:
            return NOT_OF_IT, []
        if point in one.bypassed:
            return None, []
        one.bypassed = sorted(one.bypassed + [point])
        self._keeps.append(Keep("bypass/" + name, list(one.bypassed)))
        fields: dict[str, object] = {"partition": name, "point": point, "by": by}
        return None, [make(record.PARTITION_BYPASSED, now.ms, None, fields)]

    def granted(
        self, key: "credential.Credential", where: str, now: "credential.Moment"
    ) -> "list[object]":
        """A key was let in at access point `where`: what that means to partitions of its flat or group."""
        effects: list[object] = []
        for one in self.watched:
            rules = one.machine.rules
            mine = rules.flat is not None and key.flat == rules.flat
            mine = mine or (rules.group is not None and key.group == rules.group)
            if not mine or one.machine.state == partition.DISARMED:
                continue
            if one.keys == partition.DISARM_BY_KEY:
                effects += self._disarm(one, "credential-%s" % key.id, now)
            elif one.keys == partition.ALARM and one.machine.watching:
                effects += self._register.raise_(where, alarm.INTRUSION, now.ms, now.utc_s)
                effects += self._register.over(where, alarm.INTRUSION, now.ms, now.utc_s)
        return effects

    def tick(self, now: "credential.Moment", rights: "credential.Rights | None") -> "list[object]":
        """Honour delays that are over; with `rights`, hours and appointments as well."""
        effects: list[object] = []
        for one in self.watched:
            due_ms = one.machine.deadline_ms
            if due_ms is not None and now.ms >= due_ms:
                is_open = bool(self._in_the_way(one))
                what = partition.TIMEOUT_OPEN if is_open else partition.TIMEOUT
                effects += self._report(one, one.machine.handle(what, now.ms), None, now)
        if rights is not None and now.trusted and now.local_s != self._looked_s:
            self._looked_s = now.local_s
            for one in self.watched:
                effects += self._wish(one, rights, now)
        for one in self.watched:
            free = one.waiting and one.machine.state == partition.DISARMED
            if free and not self._in_the_way(one):
                effects += self._try(one, one.wish, one.keys, now)[1]
        return effects

    def keep(self) -> "list[object]":
        """What of it is to be kept durably, since the last time."""
        keeps = self._keeps
        self._keeps = []
        for one in self.watched:
            saved = one.saved()
            if saved != one.kept:
                one.kept = saved
                keeps.append(Keep("arm/" + one.name, saved))
        return keeps

    # ---- how ---------------------------------------------------------------------------------------

    def _find(self, name: str) -> "_Watched | None":
        found = [one for one in self.watched if one.name == name]
        return found[0] if found else None

    def _disarm(self, one: _Watched, by: str, now: "credential.Moment") -> "list[object]":
        one.waiting = False
        report = one.machine.handle(partition.DISARM, now.ms)
        effects: list[object] = self._report(one, report, None, now, by)
        if one.bypassed:
            one.bypassed = []
            self._keeps.append(Keep("bypass/" + one.name, None))
        one.entered = []
        one.by = ""
        one.keys = one.machine.rules.keys
        for point in sorted(one.machine.rules.points):
            if not self._counts_elsewhere(point):
                effects += self._register.over(point, alarm.INTRUSION, now.ms, now.utc_s)
        return effects

    def _in_the_way(self, one: _Watched) -> "list[str]":
        return [
            point
            for point in sorted(one.machine.rules.points)
            if one.counts(point) and self._sensors.get(point, UNKNOWN) != NORMAL
        ]

    def _counts_elsewhere(self, point: str) -> bool:
        return any(
            one.machine.watching and point in one.machine.rules.points for one in self.watched
        )

    def _try(
        self, one: _Watched, by: str, keys: "str | None", now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Arm now, or say what is in the way."""
        if one.machine.state != partition.DISARMED:
            return None, []
        points = self._in_the_way(one)
        if not points or by in (BY_SCHEDULE, BY_APPOINTMENT):
            one.by = by
            one.keys = keys or one.machine.rules.keys
        if points:
            reason = self._reason(points)
            fields: dict[str, object] = {
                "partition": one.name,
                "by": by,
                "reason": reason,
                "points": points,
            }
            return reason, [make(record.PARTITION_REFUSED, now.ms, None, fields)]
        one.waiting = False
        effects = self._report(one, one.machine.handle(partition.ARM, now.ms), None, now)
        if (
            one.machine.deadline_ms is not None and now.ms >= one.machine.deadline_ms
        ):  # no exit delay
            report = one.machine.handle(partition.TIMEOUT, now.ms)
            effects += self._report(one, report, None, now)
        return None, effects

    def _reason(self, points: "list[str]") -> str:
        states = [self._sensors.get(point, UNKNOWN) for point in points]
        return SENSOR_OPEN if ACTIVE in states else SENSOR_UNAVAILABLE

    def _wish(
        self, one: _Watched, rights: "credential.Rights", now: "credential.Moment"
    ) -> "list[object]":
        """What hours and appointments want now; only a change of that does anything."""
        wish, keys = self._wanted(one, rights, now)
        if wish == one.wish:
            return []
        before = one.wish
        one.wish = wish
        if wish and not before:
            if one.machine.state != partition.DISARMED:
                return []
            reason, effects = self._try(one, wish, keys, now)
            one.waiting = reason is not None
            return effects
        if one.by not in (BY_SCHEDULE, BY_APPOINTMENT):
            return []
        if not wish:
            return self._disarm(one, before, now)
        one.by, one.keys = wish, keys
        return []

    def _wanted(
        self, one: _Watched, rights: "credential.Rights", now: "credential.Moment"
    ) -> "tuple[str, str]":
        rules = one.machine.rules
        asked = one.appointment
        if asked is not None:
            from_s, to_s, keys, _ = asked
            if now.local_s >= to_s:
                one.appointment = None
                self._keeps.append(Keep("appointment/" + one.name, None))
            elif now.local_s >= from_s:
                return BY_APPOINTMENT, str(keys or rules.keys)
        for from_s, to_s, keys in rules.appointments:
            if from_s <= now.local_s < to_s:
                return BY_APPOINTMENT, str(keys or rules.keys)
        hours = rights.schedules.get(rules.schedule)
        if hours and schedule.covers(hours, rights.holidays, now.local_s):
            return BY_SCHEDULE, rules.keys
        return "", rules.keys

    def _report(
        self,
        one: _Watched,
        report: str,
        point: "str | None",
        now: "credential.Moment",
        by: "str | None" = None,
    ) -> "list[object]":
        """What a report of the machine means."""
        fields: dict[str, object] = {"partition": one.name}
        if report == partition.NOW_ARMED:
            fields["by"] = one.by
            return [make(record.PARTITION_ARMED, now.ms, None, fields)]
        if report == partition.NOW_DISARMED:
            fields["by"] = by
            return [make(record.PARTITION_DISARMED, now.ms, None, fields)]
        if report == partition.REFUSED:
            points = self._in_the_way(one)
            one.waiting = one.by in (BY_SCHEDULE, BY_APPOINTMENT)
            fields.update({"by": one.by, "reason": self._reason(points), "points": points})
            return [make(record.PARTITION_REFUSED, now.ms, None, fields)]
        if report == partition.ENTRY_BEGAN:
            fields["point"] = point
            return [make(record.PARTITION_ENTRY, now.ms, None, fields)]
        if report == partition.INTRUDED:
            return self._intrude([point] if point is not None else [], now)
        if report == partition.NOT_DISARMED:
            entered = one.entered
            one.entered = []
            return self._intrude(entered, now)
        return []

    def _intrude(self, points: "list[str]", now: "credential.Moment") -> "list[object]":
        effects: list[object] = []
        for point in points:
            effects += self._register.raise_(
                point, alarm.INTRUSION, now.ms, now.utc_s, self._priorities.get(point)
            )
            if self._sensors.get(point) == NORMAL:  # it was tripped and has closed since
                effects += self._register.over(point, alarm.INTRUSION, now.ms, now.utc_s)
        return effects
