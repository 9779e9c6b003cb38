"""The alarm half of one controller: alarm points, faults, fire and the key switch, told to one register.

Pure and total. `firmware.access.site` owns it, calls it after the doors have caught up, and spreads the
fire to the doors; it returns effects, in order. The alarms themselves are in ``register``.
"""

from collections import namedtuple

from firmware.access import alarm, fire, opening
from firmware.access.access_point import Keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access import credential, portal

#: An input that raises an alarm.
#: kind      str  one of the alarm classes; a fire point is the fire loop
#: priority  int
Point = namedtuple("Point", ("kind", "priority"))

#: For how long an open housing shuts its access points.
ACTIVE = "active"  #: while it is open
ACKNOWLEDGED = "acknowledged"  #: until its alarm is acknowledged and over
OFF = "off"
TAMPER_BLOCKS = (ACTIVE, ACKNOWLEDGED, OFF)

_REPORTS = {
    opening.FORCED_RAISED: (alarm.DOOR_FORCED, True),
    opening.FORCED_OVER: (alarm.DOOR_FORCED, False),
    opening.HELD_RAISED: (alarm.DOOR_HELD, True),
    opening.HELD_OVER: (alarm.DOOR_HELD, False),
}
REPORTS = tuple(sorted(_REPORTS))  #: what a door reports that is an alarm here


class Watch:
    """What is watched beside the doors' own state. `doors` are told of fire."""

    def __init__(
        self,
        points: "dict[str, Point]",
        fire_reset: str,
        siren_max_ms: int,
        doors: "list[portal.Portal]",
    ) -> None:
        self.register = alarm.Register(siren_max_ms)
        self._points = points
        self._fire = fire.Fire(fire_reset)
        self._doors = doors

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def burning(self) -> bool:
        """Whether there is fire."""
        return self._fire.on

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        dues = [self._fire.deadline_ms, self.register.deadline_ms]
        due_ms = [at_ms for at_ms in dues if at_ms is not None]
        return min(due_ms) if due_ms else None

    # ---- what happens ------------------------------------------------------------------------------

    def restore(
        self, kept: "dict[str, object]", active: "tuple[str, ...]", now: "credential.Moment"
    ) -> None:
        """Put back what was `kept`; begin with the fire loop as it is (``active`` names what is open)."""
        for key in sorted(kept):
            value = kept[key]
            head, _, tail = key.partition("/")
            if head == "alarm" and isinstance(value, list) and len(value) == 3:
                point, _, kind = tail.partition("/")
                if kind in alarm.PRIORITY and value[0] in alarm.STATES:
                    self.register.restore(
                        point, kind, value[0], value[1], value[2], self._priority(point, kind)
                    )
        fire_points = [name for name in sorted(self._points) if self._is_fire(name)]
        loop_open = [name for name in fire_points if name in active]
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
        return self._judge(name, planned.kind, active, now, planned.priority)

    def condition(
        self, name: str, kind: str, active: bool, now: "credential.Moment"
    ) -> "list[object]":
        """Something about device `name` is wrong (`kind` is an alarm class), or right again."""
        return self._judge(name, kind, active, now, None)

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

    def catch_up(self, now: "credential.Moment") -> "list[object]":
        """Honour what has come due before the next input; every door is ticked."""
        self._fire.tick(now.ms)
        return self.spread_fire(now.ms, now)

    def spread_fire(self, at_ms: int, now: "credential.Moment") -> "list[object]":
        """Tell the portals and the register where the fire's state differs from theirs."""
        effects: list[object] = []
        for door in self._doors:
            effects += door.set_fire(self._fire.on, at_ms, now.ms)
        for point in sorted(self._points):
            if not self._is_fire(point):
                continue
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

    def settle(self, now: "credential.Moment") -> None:
        """Let the register catch up with `now`."""
        self.register.tick(now.ms)

    def keep(self) -> "list[object]":
        """What of it is to be kept durably, since the last time."""
        kept: list[object] = []
        while self.register.changed:
            point, kind = self.register.changed.pop(0)
            known = self.register.find(point, kind)
            value: object = None
            if known is not None and known.state != alarm.NORMAL:
                value = [known.state, known.since_s, known.by]
            kept.append(Keep("alarm/%s/%s" % (point, kind), value))
        return kept

    # ---- how ---------------------------------------------------------------------------------------

    def _judge(
        self,
        name: str,
        kind: str,
        active: bool,
        now: "credential.Moment",
        priority: "int | None",
    ) -> "list[object]":
        if active:
            return list(self.register.raise_(name, kind, now.ms, now.utc_s, priority))
        return list(self.register.over(name, kind, now.ms, now.utc_s))

    def _priority(self, point: str, kind: str) -> "int | None":
        planned = self._points.get(point)
        return planned.priority if planned is not None and planned.kind == kind else None

    def _is_fire(self, name: str) -> bool:
        return bool(self._points[name].kind == alarm.FIRE)

    def _restore_point(self, name: str, active: bool, now: "credential.Moment") -> "list[object]":
        kind = self._points[name].kind
        known = self.register.find(name, kind)
        if kind == alarm.FIRE:
            return self.spread_fire(now.ms, now)
        if not active:
            return list(self.register.over(name, kind, now.ms, now.utc_s))
        if known is None or known.state in (alarm.NORMAL, alarm.RETURNED):
            priority = self._points[name].priority
            return list(self.register.raise_(name, kind, now.ms, now.utc_s, priority))
        return []
