"""The partitions of one controller: who armed what, which sensors stand in the way, what a trip means.

Pure. Owns a `partition.Partition` each, the sensors' states, and what is kept of them over a restart. A
partition is armed by command, by its hours or by an appointment; with a sensor open or unknown the
arming is refused, and one by hours or appointment is made as soon as the sensor closes. Hours and
appointments count from their second on and change nothing while the time is not to be trusted.
"""

from firmware.access import alarm, partition, record
from firmware.access.deadlines import earliest
from firmware.access.record import Keep, make
from firmware.access.watched import BY_APPOINTMENT, BY_SCHEDULE, LAST_MS, Watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access import credential

NORMAL = "normal"
ACTIVE = "active"
CUT = "cut"
SHORT = "short"
UNKNOWN = "unknown"
SENSOR_STATES = (NORMAL, ACTIVE, CUT, SHORT, UNKNOWN)

#: Reasons of a refusal.
SENSOR_OPEN = "sensor_open"
SENSOR_UNAVAILABLE = "sensor_unavailable"
UNKNOWN_PARTITION = "unknown_partition"
BAD_TIMES = "bad_times"  #: an appointment that ends before it begins, or is over
BAD_KEYS = "bad_keys"
NOT_OF_IT = "not_of_it"  #: a point that is none of the partition's


class Guard:
    """All partitions. `register` is told of intrusions."""

    def __init__(self, rules: "dict[str, partition.Rules]", register: "alarm.Register") -> None:
        self._register = register
        #: list of Watched  for whoever looks; nobody else changes them
        self.watched = [Watched(name, rules[name]) for name in sorted(rules)]
        self._sensors: dict[str, str] = {}
        self._priorities: dict[str, int | None] = {}
        self._looked: tuple[int, bool, int] | None = None
        self._look_at_ms: int | None = (
            None  # just before or at the next edge of hours or appointments
        )
        self._keeps: list[object] = []

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        return earliest([one.machine.deadline_ms for one in self.watched] + [self._look_at_ms])

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
            one.restore(kept, now)

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
            self._looked = None
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
        if not self.watched:
            return effects
        for one in self.watched:
            due_ms = one.machine.deadline_ms
            if due_ms is not None and now.ms >= due_ms:
                is_open = bool(self._in_the_way(one))
                what = partition.TIMEOUT_OPEN if is_open else partition.TIMEOUT
                effects += self._report(one, one.machine.handle(what, now.ms), None, now)
        if rights is not None and self._to_look(rights, now):
            for one in self.watched if now.trusted else []:
                effects += self._wish(one, rights, now)
            self._look_again(rights, now)
        for one in self.watched:
            free = one.waiting and one.machine.state == partition.DISARMED
            if free and not self._in_the_way(one):
                effects += self._try(one, one.wish, one.keys, now)[1]
            one.note_end(now)
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

    def _find(self, name: str) -> "Watched | None":
        found = [one for one in self.watched if one.name == name]
        return found[0] if found else None

    def _disarm(self, one: Watched, by: str, now: "credential.Moment") -> "list[object]":
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

    def _in_the_way(self, one: Watched) -> "list[str]":
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
        self, one: Watched, by: str, keys: "str | None", now: "credential.Moment"
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

    def _to_look(self, rights: "credential.Rights", now: "credential.Moment") -> bool:
        looked = (now.local_s, now.trusted, id(rights.schedules))
        due_ms = self._look_at_ms
        return looked != self._looked or (due_ms is not None and now.ms >= due_ms)

    def _look_again(self, rights: "credential.Rights", now: "credential.Moment") -> None:
        """Set when hours and appointments are looked at again if nothing else is asked before."""
        self._looked = (now.local_s, now.trusted, id(rights.schedules))
        self._look_at_ms = None
        edges = [one.next_edge(rights, now.local_s) for one in self.watched if now.trusted]
        later = [edge_s for edge_s in edges if edge_s is not None]
        if later:
            whole_s = min(later) - now.local_s - 1
            self._look_at_ms = now.ms + (whole_s * 1000 if whole_s else LAST_MS)

    def _wish(
        self, one: Watched, rights: "credential.Rights", now: "credential.Moment"
    ) -> "list[object]":
        """What hours and appointments want now; only a change of that does anything."""
        if one.appointment is not None and now.local_s >= one.appointment[1]:
            one.appointment = None
            self._keeps.append(Keep("appointment/" + one.name, None))
        wish, keys = one.wanted(rights, now.local_s)
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

    def _report(
        self,
        one: Watched,
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
