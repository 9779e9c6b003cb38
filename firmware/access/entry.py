"""The rules of the house: what refuses somebody who is good, and when doors stand free by themselves.

Pure. Composes `whereabouts` (anti-passback, occupancy), `interlock`, `free_access` and `wrong_pins` (a
key's own block) over all portals. Access points ask `refusal` and tell `granted`; the site tells every
effect that it resolves (`saw`) and ticks. The way out and a fire ask nothing here.
"""

from firmware.access import credential, free_access, portal, record, whereabouts
from firmware.access.access_point import Admitted, Rules
from firmware.access.deadlines import earliest
from firmware.access.free_access import FreeAccess
from firmware.access.interlock import Interlock
from firmware.access.record import Keep
from firmware.access.whereabouts import Whereabouts
from firmware.access.wrong_pins import WrongPins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.site import Plan

MOST = (
    100  #: people let in through one portal who have not passed; beyond, the first does not count
)
VISITS_S = 3600  #: how often visitors' codes that have ended are forgotten
RECENT = (
    64  #: grants whose use is remembered for whoever was found before them and is still deciding
)

_VERDICTS = (record.ACCESS_TAKEN, record.ACCESS_NOT_TAKEN)
_NOWHERE = free_access.Rules("", False, 0, None)


class Entry:
    """The rules of one house; `doors` is dict name -> Portal."""

    def __init__(self, plan: "Plan", doors: "dict[str, portal.Portal]") -> None:
        #: credential.Rights  the levels and hours in force
        self.rights = credential.Rights({}, {}, [], False, False)
        self.wrong_pins = WrongPins(plan.credential_wrong_attempts, plan.credential_block_ms)
        self.interlock = Interlock(plan.interlocks, doors)
        areas = dict(plan.areas)
        for name in sorted(plan.access_points):
            rules = plan.access_points[name]
            if rules.anti_passback != whereabouts.OFF and rules.area not in areas:
                areas[rules.area] = whereabouts.NO_RULES
        self.whereabouts = Whereabouts(areas)
        self._free = {name: FreeAccess(plan.free_access[name]) for name in plan.free_access}
        self._free_kept: dict[str, object] = dict.fromkeys(plan.free_access)
        self._rules: dict[str, Rules] = plan.access_points
        self._doors = doors
        #: portal -> who was let in through it and has not passed yet
        self._coming: dict[str, list[Admitted]] = {name: [] for name in doors}
        self._used: list[tuple[str, credential.Usage]] = []
        self._visits: dict[str, int] = {}
        self._visits_looked_s = 0
        #: visitor whose whereabouts are known -> the code's end
        self._stays: dict[str, int] = {}

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        free = [self._free[name].deadline_ms for name in self._free]
        return earliest([self.whereabouts.deadline_ms] + free)

    @property
    def by_the_clock(self) -> bool:
        """Whether the time of day may change something: hours, a daily pardon, a visitor's code."""
        return bool(self._free or self._visits or self._stays or self.whereabouts.daily)

    # ---- asked by access points --------------------------------------------------------------------

    def usage(self, key: "credential.Credential", found: "credential.Usage") -> "credential.Usage":
        """What was used of `key`: as `found`, or of a grant that came after."""
        if self._used:
            name = credential.usage_key(key)
            for used in self._used:
                if used[0] == name and used[1].spent > found.spent:
                    return used[1]
        return found

    def refusal(
        self,
        rules: "Rules",
        key: "credential.Credential",
        beside: "credential.Credential | None",
        now: "credential.Moment",
    ) -> "tuple[str | None, bool]":
        """Why the house refuses `key`, who is good; and whether letting it in breaks a soft rule.

        `beside` is who goes in together with it.
        """
        violated = False
        area = rules.area
        if self.whereabouts.tracks(area):
            who = credential.person(key)
            if who is not None and self.whereabouts.violates(
                area, who, rules.direction, rules.anti_passback, rules.anti_passback_ms, now.ms
            ):
                if rules.anti_passback != whereabouts.SOFT:
                    return credential.ANTI_PASSBACK, False
                violated = True
            if rules.direction == whereabouts.IN and self.whereabouts.full(
                area, credential.counted(key), self._on_the_way(area, beside)
            ):
                return credential.OCCUPANCY_FULL, False
        if self.interlock.holds(rules.portal):
            return credential.INTERLOCK, False
        return None, violated

    def granted(
        self, key: "credential.Credential", usage: "credential.Usage", now: "credential.Moment"
    ) -> "list[object]":
        """`key` is let in: what is used of it, and what was wrong with it before is forgotten."""
        effects: list[object] = []
        spent = credential.spend(key, self.usage(key, usage), now)
        if spent is not None:
            name = credential.usage_key(key)
            self._used = [used for used in self._used if used[0] != name][-RECENT + 1 :]
            self._used.append((name, spent))
            effects.append(Keep(name, credential.usage_kept(key, spent)))
            if key.visit is not None and key.valid_to_s is not None:
                self._visits[key.visit] = key.valid_to_s
        if key.visit is None:
            effects += self.wrong_pins.granted(key.id)
        return effects

    # ---- told by the site --------------------------------------------------------------------------

    def restore(self, kept: "dict[str, object]", now: "credential.Moment") -> "list[object]":
        """Go on with what was kept; before the doors start."""
        self.wrong_pins.restore(kept, now)
        for key in sorted(kept):
            value = kept[key]
            if key[:6] == "visit/" and isinstance(value, list) and isinstance(value[1], int):
                self._visits[key[6:]] = value[1]
        for name in self._free:
            self._free[name].restore(kept.get("free/" + name))
        effects = self.whereabouts.restore(kept, now)
        for who in self.whereabouts.visitors():
            if who[1:] in self._visits:
                self._stays[who] = self._visits[who[1:]]
            else:
                effects += self.whereabouts.forget(who)
        return effects

    def first_mode(
        self,
        name: str,
        mode: "tuple[str, str]",
        kept: "dict[str, object]",
        open_doors: "tuple[str, ...]",
        now: "credential.Moment",
    ) -> "tuple[tuple[str, str], list[object]]":
        """The mode and its cause with which portal `name` starts, instead of the `mode` that it was in.

        Hours that ended while the power was away end now, before the door is unlocked once more.
        """
        free = self._free.get(name)
        effects: list[object] = []
        if free is None:
            before = FreeAccess(_NOWHERE)
            before.restore(kept.get("free/" + name))
            lock = before.handle(free_access.ENDED)
            if before.kept != kept.get("free/" + name):
                effects.append(Keep("free/" + name, None))
        else:
            what = free.look(self.rights, now)
            lock = None if what is None else free.handle(what)
            if lock is None and [one for one in self.interlock.others(name) if one in open_doors]:
                lock = free.handle(free_access.HINDERED)
            self._free_kept[name] = free.kept
            if free.kept != kept.get("free/" + name):
                effects.append(Keep("free/" + name, free.kept))
        if lock != free_access.LOCK or mode != (portal.UNLOCKED, record.SCHEDULE):
            return mode, effects
        fields: dict[str, object] = {"mode": portal.LOCKED, "cause": record.SCHEDULE}
        effects.append(record.make(record.PORTAL_MODE, now.ms, name, fields))
        effects.append(Keep("mode/" + name, [portal.LOCKED, record.SCHEDULE]))
        return (portal.LOCKED, record.SCHEDULE), effects

    def saw(self, effect: object, now: "credential.Moment") -> "list[object]":
        """What an effect means for who is where."""
        if isinstance(effect, Admitted):
            coming = self._coming[self._rules[effect.access_point].portal]
            mine = (effect.key.id, effect.key.visit)
            coming = [one for one in coming if (one.key.id, one.key.visit) != mine]
            self._coming[self._rules[effect.access_point].portal] = coming[-MOST:] + [effect]
            return []
        if not isinstance(effect, record.Record) or effect.type not in _VERDICTS:
            return []
        name = effect.fields["portal"]
        passed = self._coming[name]
        self._coming[name] = []
        effects: list[object] = []
        if effect.type == record.ACCESS_TAKEN:
            for one in passed:
                effects += self._passed(name, one, now)
        return effects

    def by_hand(self, name: str, now: "credential.Moment") -> "list[object]":
        """Somebody sets the mode of portal `name`."""
        free = self._free.get(name)
        return [] if free is None else self._move(name, free, free_access.BY_HAND, now)

    def refuses_mode(self, name: str, mode: str) -> bool:
        """Whether the interlock forbids to set `mode` now."""
        return portal.MODES[mode][0] and self.interlock.holds(name)

    def refuses_release(self, name: str) -> "str | None":
        """Why nobody may release portal `name` from afar now: what refuses every key refuses it too."""
        mode = self._doors[name].mode
        if mode == portal.BLOCKED:
            return credential.PORTAL_BLOCKED
        if mode == portal.LOCKED_DOWN:
            return credential.LOCKED_DOWN
        return credential.INTERLOCK if self.interlock.holds(name) else None

    def forgive(
        self, area: "str | None", who: "str | None", by: str, now: "credential.Moment"
    ) -> "list[object]":
        """Let `who` (None: everybody) be anywhere in `area` (None: everywhere)."""
        return self.whereabouts.forgive(area, who, by, now)

    def tick(self, now: "credential.Moment") -> "list[object]":
        """Honour what has come due, and let the schedules lock and unlock."""
        effects = self.whereabouts.tick(now) + self._end_stays(now)
        for name in sorted(self._free):
            free = self._free[name]
            what = free.look(self.rights, now)
            if what is not None:
                effects += self._move(name, free, what, now)
            if free.state == free_access.DUE and self._clear(name):
                effects += self._move(name, free, free_access.CLEAR, now)
        if self._visits and now.trusted and now.utc_s - self._visits_looked_s >= VISITS_S:
            effects += self._forget_visits(now)
        return effects

    # ---- how ---------------------------------------------------------------------------------------

    def _on_the_way(self, area: str, beside: "credential.Credential | None") -> "set[str]":
        """Who was let into `area` and has not passed yet, and who goes in at the same time."""
        coming: set[str] = set()
        for name in self._coming:
            for one in self._coming[name]:
                rules = self._rules[one.access_point]
                who = credential.counted(one.key)
                if who is not None and rules.area == area and rules.direction == whereabouts.IN:
                    coming.add(who)
        who = None if beside is None else credential.counted(beside)
        if who is not None:
            coming.add(who)
        return coming

    def _passed(self, name: str, one: "Admitted", now: "credential.Moment") -> "list[object]":
        rules = self._rules[one.access_point]
        who = credential.person(one.key)
        effects: list[object] = []
        if who is None and self.whereabouts.limits(rules.area):
            who = credential.counted(one.key)
            if who is not None:
                self._stays[who] = one.key.valid_to_s
        if who is not None and self.whereabouts.tracks(rules.area):
            effects += self.whereabouts.passed(rules.area, who, rules.direction, now)
        free = self._free.get(name)
        if free is None or not free.rules.first_card or rules.direction != whereabouts.IN:
            return effects
        if free.rules.level is not None and free.rules.level not in one.key.levels:
            return effects
        free.came_s = now.utc_s
        return effects + self._move(name, free, free_access.CAME, now)

    def _clear(self, name: str) -> bool:
        return self._doors[name].mode == portal.LOCKED and not self.interlock.holds(name)

    def _move(
        self, name: str, free: "FreeAccess", what: str, now: "credential.Moment"
    ) -> "list[object]":
        action = free.handle(what)
        effects: list[object] = []
        if action is not None:
            mode = portal.UNLOCKED if action == free_access.UNLOCK else portal.LOCKED
            effects += self._doors[name].set_mode(mode, record.SCHEDULE, None, now.ms)
            effects.append(Keep("mode/" + name, [mode, record.SCHEDULE]))
        if free.kept != self._free_kept[name]:
            self._free_kept[name] = free.kept
            effects.append(Keep("free/" + name, free.kept))
        return effects

    def _end_stays(self, now: "credential.Moment") -> "list[object]":
        """Whoever came with a visitor's code counts as inside until it ends."""
        if not self._stays or min(self._stays.values()) > now.utc_s:
            return []
        effects: list[object] = []
        for who in sorted(self._stays):
            if self._stays[who] <= now.utc_s:
                del self._stays[who]
                effects += self.whereabouts.forget(who)
        return effects

    def _forget_visits(self, now: "credential.Moment") -> "list[object]":
        """A visitor's code that has ended is refused as that: what was used of it matters no longer."""
        self._visits_looked_s = now.utc_s
        ended = [visit for visit in sorted(self._visits) if self._visits[visit] <= now.utc_s]
        for visit in ended:
            del self._visits[visit]
        return [Keep("visit/" + visit, None) for visit in ended]
