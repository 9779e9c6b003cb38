"""The whole of one controller's deciding: portals, access points, fire and alarms together.

Pure and total. Every method takes what happened and a `credential.Moment`, and returns effects, in
order: `record.Record` (write and publish), `access_point.Lookup` (find a key, come back with `found`) and
`access_point.Keep` (keep durably, with the records of the same answer). What outputs are to do is
*derived*: ``portals[x].unlocked``, ``access_points[x].signals``, ``alarms``. The caller
brings outputs up to date after every call and ticks no later than ``deadline_ms``, and at least every
second where something has hours. `automation.Switch` is one more effect: switch that output.
"""

from collections import namedtuple

from firmware.access import (
    access_point,
    alarm,
    alarm_half,
    automation,
    credential,
    entry,
    portal,
    record,
    watch,
)
from firmware.access.deadlines import earliest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Point = watch.Point  #: what a plan names its alarm points with

#: What a site is made of.
#: portals        dict  name -> (portal.Rules, mode at the first start)
#: access_points  dict  name -> access_point.Rules
#: points         dict  name -> watch.Point
#: fire_reset     str   one of `fire.RESETS`
#: siren_max_ms   int
#: areas          dict  name -> whereabouts.AreaRules
#: interlocks     dict  name -> tuple of portals of which never two are open
#: free_access    dict  portal -> free_access.Rules
#: partitions     dict  name -> partition.Rules
#: automation     tuple of automation.Rule
#: repeat_ms      int   an alarm that nobody acknowledges is told again after this; 0: never
#: tamper_blocks  str   one of `watch.TAMPER_BLOCKS`: how long an open reader's access points refuse
#: fault_after_ms  dict  alarm class -> how long a fault lasts before it is an alarm
#: credential_wrong_attempts, credential_block_ms  int  a key's own block
#: locks          dict  portal -> device of its lock
#: contacts       dict  portal -> device of its contact
#: bonds          dict  portal -> device of its lock's own contact
Plan = namedtuple(
    "Plan",
    (
        "portals",
        "access_points",
        "points",
        "fire_reset",
        "siren_max_ms",
        "areas",
        "interlocks",
        "free_access",
        "partitions",
        "automation",
        "repeat_ms",
        "tamper_blocks",
        "fault_after_ms",
        "credential_wrong_attempts",
        "credential_block_ms",
        "locks",
        "contacts",
        "bonds",
    ),
)

#: What the inputs say at power-up.
#: open_doors    tuple of str  portals whose contact is open
#: active        tuple of str  alarm points that are active now (the fire loop open, a lid off)
#: power_lost    tuple of str  portals whose lock let go while the power was away
Found = namedtuple("Found", ("open_doors", "active", "power_lost"))

KEY_SWITCH = "key-switch"


class Site(alarm_half.AlarmHalf):
    """One controller's doors, with the verbs of `alarm_half`. Call `start` first."""

    def __init__(self, plan: Plan) -> None:
        self.portals = {
            name: portal.Portal(name, plan.portals[name][0]) for name in sorted(plan.portals)
        }
        self._doors = [self.portals[name] for name in sorted(self.portals)]
        self._entry = entry.Entry(plan, self.portals)
        self.access_points = {}
        for name in sorted(plan.access_points):
            rules = plan.access_points[name]
            door = self.portals[rules.portal]
            self.access_points[name] = access_point.AccessPoint(name, rules, door, self._entry)
        self._points = [self.access_points[name] for name in sorted(self.access_points)]
        self._watch = watch.Watch(plan, self._doors)
        #: alarm.Register  every alarm, and what siren and beacon are to do
        self.alarms = self._watch.register
        self._plan = plan
        self._pulses = automation.Pulses()
        self._awaited: dict[str, dict[str, object] | None] = {}
        self._watched = bool(plan.partitions) or any(plan.bonds.values())
        self._due_ms: int | None = None
        self._due_known = False  # no deadline is nearer than `_due_ms`

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def rights(self) -> "credential.Rights":
        """The levels and hours in force; the caller may replace them at any time."""
        return self._entry.rights

    @rights.setter
    def rights(self, rights: "credential.Rights") -> None:
        """Decide by these from now on."""
        self._entry.rights = rights

    @property
    def burning(self) -> bool:
        """Whether there is fire."""
        return self._watch.burning

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        if not self._due_known:
            dues = [self._watch.deadline_ms, self._pulses.deadline_ms, self._entry.deadline_ms]
            dues += [door.deadline_ms for door in self._doors]
            dues += [at.deadline_ms for at in self._points]
            self._due_ms = earliest(dues)
            self._due_known = True
        return self._due_ms

    # ---- what happens ------------------------------------------------------------------------------

    def start(
        self, kept: "dict[str, object]", found: Found, now: "credential.Moment"
    ) -> "list[object]":
        """Begin with what was `kept` before the restart and what the inputs say now."""
        for at_name in sorted(self.access_points):
            self.access_points[at_name].restore(kept, now)
        effects = self._entry.restore(kept, now)
        self._watch.restore(kept, found.active, now)
        for name, door in sorted(self.portals.items()):
            who = kept.get("await/" + name)
            if isinstance(who, dict):  # the power went before it was known
                self._awaited[name] = who
                effects.append(record.make(record.ACCESS_NOT_TAKEN, now.ms, name, who))
            door.pardon.start(kept.get("exit/" + name), name in found.power_lost, now)
            mode, ended = self._entry.first_mode(
                name, self._first_mode(name, kept), kept, found.open_doors, now
            )
            effects += ended
            effects += door.start(
                mode[0],
                mode[1],
                name in found.open_doors,
                self._watch.burning,
                name in found.power_lost,
                now.ms,
            )
        effects += self._watch.start(found.active, now)
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
        effects += self.access_points[name].found(kind, key, usage, now)
        return self._finish(effects, now)

    def rex(
        self, name: str, at_ms: int, now: "credential.Moment", held: bool = False
    ) -> "list[object]":
        """Somebody inside portal `name` wants out; `held`: by a contact that is held from then on."""
        return self.settled(self.way_out(name, at_ms, now, held), now)

    def way_out(
        self, name: str, at_ms: int, now: "credential.Moment", held: bool
    ) -> "list[object]":
        """The first half of `rex`: portal `name` is released. `settled` follows, whatever happens."""
        effects = self._catch_up(now)
        effects += self.portals[name].rex(at_ms, now.ms)
        if held:
            effects += self.portals[name].hold_exit(True, at_ms, now.ms)
        return effects

    def settled(self, effects: "list[object]", now: "credential.Moment") -> "list[object]":
        """What `effects` of `way_out` come to, with all that follows from it."""
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

    def recall(self, numbers: "Any", now: "credential.Moment") -> "list[object]":
        """Keys of these record numbers were changed: one that waits, for its PIN or a second person,
        must be shown again."""
        effects = self._catch_up(now)
        for name in sorted(self.access_points):
            effects += self.access_points[name].recall(numbers, now)
        return self._finish(effects, now)

    def set_mode(
        self, name: str, mode: str, cause: str, by: "str | None", now: "credential.Moment"
    ) -> "list[object]":
        """Change the mode of portal `name`; it survives a restart. Nothing where `refuses_mode` says so."""
        effects = self._catch_up(now)
        if not self._entry.refuses_mode(name, mode):
            effects += self._entry.by_hand(name, now)
            effects += self.portals[name].set_mode(mode, cause, by, now.ms)
            effects.append(access_point.Keep("mode/" + name, [mode, cause]))
        return self._finish(effects, now)

    def refuses_mode(self, name: str, mode: str) -> bool:
        """Whether `mode` would hold portal `name` free while another of its interlock group is open."""
        return self._entry.refuses_mode(name, mode)

    def release(
        self, name: str, cause: str, by: "str | None", now: "credential.Moment"
    ) -> "tuple[str | None, list[object]]":
        """Release portal `name` for a command or a call (`cause`); the reason against it, and effects."""
        effects = self._catch_up(now)
        reason = self._entry.refuses_release(name)
        if reason is None and self._watch.is_undriven(name):
            reason = alarm.LOCK_FAULT
        if reason is None:
            effects += self.portals[name].release(cause, False, None, now.ms, by)
        return reason, self._finish(effects, now)

    def power_lost(
        self, names: "tuple[str, ...] | list[str]", now: "credential.Moment"
    ) -> "list[object]":
        """The locks of portals `names` were without current for a moment and let go, in any mode."""
        effects = self._catch_up(now)
        for name in names:
            effects += self.portals[name].release(record.POWER, False, None, now.ms)
        return self._finish(effects, now)

    def forgive(
        self, area: "str | None", who: "str | None", by: str, now: "credential.Moment"
    ) -> "list[object]":
        """Let `who` ("h311", "c1042"; None: everybody) pass either way in `area` (None: everywhere)."""
        effects = self._catch_up(now)
        return self._finish(effects + self._entry.forgive(area, who, by, now), now)

    def tick(self, now: "credential.Moment") -> "list[object]":
        """Honour every deadline that has come."""
        return self._finish(self._catch_up(now), now) if self._is_due(now) else []

    # ---- how ---------------------------------------------------------------------------------------

    def _is_due(self, now: "credential.Moment") -> bool:
        """Whether a deadline has come, or what has none is to be looked at: hours, a lock beside its bolt."""
        due_ms = self.deadline_ms
        if due_ms is not None and now.ms >= due_ms:
            return True
        return self._watched or self._entry.by_the_clock

    def _shown(self, name: str, kind: str, value: str, now: "credential.Moment") -> "list[object]":
        effects = self._catch_up(now)
        effects += self.access_points[name].shown(kind, value, now)
        # A look-up alone changes nothing yet: it leaves at once. No deadline has come nearer.
        return effects if len(effects) == 1 else self._finish(effects, now)

    def _catch_up(self, now: "credential.Moment") -> "list[object]":
        """Honour what has come due before the next input, so that a late loop decides like a punctual one."""
        if not self._is_due(now):
            return []
        caught = self._resolved(self._watch.catch_up(now), now)  # which ticks every door
        return caught + self._entry.tick(now)

    def _finish(self, effects: "list[object]", now: "credential.Moment") -> "list[object]":
        """Let every machine catch up with `now`, and turn what they report into alarms."""
        self._due_known = False
        effects = list(effects)
        for door in self._doors:
            effects += door.tick(now.ms)
        for at in self._points:
            effects += at.tick(now)
        finished = self._resolved(effects, now)
        finished += self._resolved(self._watch.settle(self.rights, now), now)
        finished += self._entry.tick(now)  # a door that was closed may let another stand free
        finished += self._resolved(self._automate(finished, now), now)
        for at in self._points:  # what was resolved may show at the door
            at.tampered = self._watch.tampered(at.rules.reader)
            at.signals.last(at.moment(now.ms), at.portal.pre_alarm, now.ms)
        return finished + self._watch.keep() + self._keep_doors(now)

    def _resolved(self, effects: "list[object]", now: "credential.Moment") -> "list[object]":
        finished: list[object] = []
        for effect in effects:
            finished += self._resolve(effect, now)
        return finished

    def _resolve(self, effect: object, now: "credential.Moment") -> "list[object]":
        """What one effect of a part means for the site."""
        if isinstance(effect, record.Record) and effect.type in watch.REPORTS:
            return self._watch.report(effect.type, effect.fields["portal"], effect.at_ms, now)
        if isinstance(effect, access_point.Misuse):
            return self._watch.misuse(effect.access_point, effect.kind, now)
        follows = self._entry.saw(effect, now)
        if isinstance(effect, access_point.Admitted):
            return follows + self._watch.granted(effect.key, effect.access_point, now)
        return [effect] + follows

    def _keep_doors(self, now: "credential.Moment") -> "list[object]":
        """Who is awaited outlives a power cut, so that every grant gets its verdict; so does a way out."""
        kept: list[object] = []
        for door in self._doors:
            awaited = door.awaited
            if awaited != self._awaited.get(door.name):
                self._awaited[door.name] = awaited
                kept.append(access_point.Keep("await/" + door.name, awaited))
            changed = door.pardon.keep(door.exit_until_ms, now)
            if changed is not None:
                kept.append(access_point.Keep("exit/" + door.name, changed[0]))
        return kept

    def _first_mode(self, name: str, kept: "dict[str, object]") -> "tuple[str, str]":
        before = kept.get("mode/" + name)
        if isinstance(before, list) and len(before) == 2 and before[0] in portal.MODES:
            return before[0], before[1]
        return self._plan.portals[name][1], record.SCHEDULE
