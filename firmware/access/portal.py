"""One opening of the building: its mode, its lock, its door (after ONVIF's door modes).

Pure. Composes three total tables: `release` (how long the lock is released), `opening` (permitted,
held, forced) and `passage` (taken or not), with the columns that hold over all of them: the mode and
the fire. Whether the lock is released is *derived* (``unlocked``), never set by an effect, so it cannot
drift from what was decided. Every call returns the records that it causes, in order; the caller drives
the lock to ``unlocked`` after each call, waiting for the records first where ``waits_for_record`` says so
(law 3), and ticks no later than ``deadline_ms``.
"""

from collections import namedtuple

from firmware.access import opening, pardon, passage, record, release
from firmware.access.deadlines import earliest
from firmware.access.record import make

LOCKED = "locked"
UNLOCKED = "unlocked"
ACCESSED = "accessed"
BLOCKED = "blocked"
LOCKED_DOWN = "locked_down"
LOCKED_OPEN = "locked_open"

#: mode: (holds the lock free, lets credentials in). ``accessed`` is what ``locked`` is called while a
#: timed release runs; nobody sets it.
MODES = {
    LOCKED: (False, True),
    UNLOCKED: (True, True),
    BLOCKED: (False, False),
    LOCKED_DOWN: (False, False),
    LOCKED_OPEN: (True, True),
}

#: What is so for one portal, all times in milliseconds.
#: egress_cuts_power    bool  the exit button cuts the lock's current itself, for egress_ms
#: fire_releases        bool  a fire holds the lock free (else it stays latched: the handle is the way out)
#: relock_on_close      bool  the lock is engaged when the door closes, else when it opens
#: travel_ms            int   how long the lock's parts take to move; an opening within it is permitted
Rules = namedtuple(
    "Rules",
    (
        "egress_cuts_power",
        "egress_ms",
        "fire_releases",
        "release_ms",
        "extended_release_ms",
        "open_ms",
        "extended_open_ms",
        "pre_alarm_ms",
        "settle_ms",
        "travel_ms",
        "relock_on_close",
    ),
)

NORMAL = "normal"
DOOR_FORCED = "door_forced"
DOOR_HELD = "door_held"
_ALARMS = {opening.FORCED: DOOR_FORCED, opening.HELD: DOOR_HELD}


class Portal:
    """One portal. ``name`` stands in its records."""

    def __init__(self, name: str, rules: "Rules") -> None:
        self.name = name
        self.mode = LOCKED
        self.mode_cause = record.SCHEDULE
        self.fire = False
        #: bool  what the contact says; a door that was never seen is taken as closed
        self.door_open = False
        self.blind = ""  #: str  why the contact cannot tell: fault, unknown; empty: it can
        #: bool or None  what the lock's own contact says: locked; None: it has none, or it cannot tell
        self.bond: bool | None = None
        #: bool  it has not followed for too long, or its contact's wire is cut; the alarm half judges that
        self.lock_fault = False
        self.pardon = pardon.Pardon(rules.egress_ms if rules.egress_cuts_power else 0)
        #: int  when lock, door or mode last changed
        self.since_ms = 0
        self._rules = rules
        self._release = release.Release()
        self._opening = opening.Opening(rules.open_ms, rules.pre_alarm_ms, rules.settle_ms)
        self._passage = passage.Passage(rules.settle_ms)
        self._exit_until_ms = 0  # the end of the last REX's release, while that runs
        self._exit_held = False  # a REX contact is closed now, since _exit_from_ms
        self._exit_from_ms = 0
        self._was_unlocked = False
        self._window = (0, -1)  # when the lock was last released: from, to (of the past one)

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def held_free(self) -> bool:
        """A mode or a fire holds the lock free, without an end."""
        return bool(MODES[self.mode][0] or (self.fire and self._rules.fire_releases))

    @property
    def unlocked(self) -> bool:
        """What the lock is to be told."""
        return self.held_free or self._release.state != release.ENGAGED

    @property
    def door(self) -> str:
        """What is known of the leaf: open, closed, or why it is not known."""
        return self.blind or ("open" if self.door_open else "closed")

    @property
    def awaited(self) -> "dict[str, object] | None":
        """Who was let in and has neither opened nor run out of time."""
        return None if self._passage.state == passage.IDLE else self._passage.who

    @property
    def mode_now(self) -> str:
        """The mode as ONVIF names it: ``accessed`` while a timed release runs in ``locked``."""
        if self.mode == LOCKED and not self.fire and self._release.state != release.ENGAGED:
            return ACCESSED
        return self.mode

    @property
    def alarm(self) -> str:
        """The door's condition now: normal, door_forced or door_held."""
        return _ALARMS.get(self._opening.state, NORMAL)

    @property
    def pre_alarm(self) -> bool:
        """Open nearly too long."""
        return self._opening.state == opening.WARNED

    @property
    def until_ms(self) -> "int | None":
        """The end of the timed release, or of the permitted open time; None: nothing is timed."""
        if self.held_free or self._release.state in (release.ENGAGED, release.LET_IN):
            return self._opening.ends_at_ms
        return self._release.deadline_ms

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this."""
        return earliest(
            (self._release.deadline_ms, self._opening.deadline_ms, self._passage.deadline_ms)
        )

    @property
    def exit_until_ms(self) -> int:
        """The end of the time of a button that cuts the lock's current; 0: none runs."""
        return self._exit_until_ms if self._rules.egress_cuts_power else 0

    def waits_for_record(self, now_ms: int) -> bool:
        """Whether the release that is on has to be durable first (law 3); REX and fire wait for nothing."""
        if self._exit_held or (self.fire and self._rules.fire_releases):
            return False
        return now_ms >= self._exit_until_ms

    # ---- what happens ------------------------------------------------------------------------------

    def start(
        self,
        mode: str,
        mode_cause: str,
        door_open: bool,
        fire: bool,
        power_lost: bool,
        now_ms: int,
    ) -> "list[record.Record]":
        """Begin with what the inputs say at power-up: an open door is open since now, not forced.

        `power_lost`: the lock was without power before this start and let go (fail-safe)."""
        self.mode = mode
        self.mode_cause = mode_cause
        self.fire = fire
        self.door_open = door_open
        self.since_ms = now_ms
        if door_open:
            what = opening.OPENED_FREE if self.held_free else opening.OPENED
            self._opening.handle(what, now_ms, now_ms)
        records = []
        if power_lost:
            records.append(self._released(record.POWER, now_ms))
            self._was_unlocked = True
        if MODES[mode][0]:
            records.append(self._released(mode_cause, now_ms))
        if fire and self._rules.fire_releases:
            records.append(self._released(record.FIRE, now_ms))
        return records + self._settle_lock(now_ms)

    def release(
        self,
        cause: str,
        extended: bool,
        who: "dict[str, object] | None",
        now_ms: int,
        by: "str | None" = None,
    ) -> "list[record.Record]":
        """Release for somebody. `who` (credential, holder, access point) is awaited at the door.

        `by` is who commanded it.
        """
        records = self.tick(now_ms)
        rules = self._rules
        for_ms = rules.extended_release_ms if extended else rules.release_ms
        self._permit_open_ms(rules.extended_open_ms if extended else rules.open_ms)
        records.append(self._released(cause, now_ms, by))
        self._release.handle(release.RELEASE, now_ms, for_ms)
        if who is not None:
            records += self._verdicts(
                self._passage.handle(passage.GRANT, now_ms, now_ms + for_ms, who), now_ms
            )
        return records + self._settle_lock(now_ms)

    def conclude(self, now_ms: int) -> "list[record.Record]":
        """Another grant is about to come: what is to be said of the one before is said first."""
        return self._verdicts(self._passage.handle(passage.NEXT, now_ms), now_ms)

    def rex(self, at_ms: int, now_ms: int) -> "list[record.Record]":
        """Somebody inside wants out: in every mode, at once."""
        records = self.tick(now_ms)
        self._permit_open_ms(self._rules.open_ms)
        records.append(self._released(record.REX, at_ms))
        self._lengthen(now_ms)
        records += self._late_permission(at_ms, now_ms)
        return records + self._settle_lock(now_ms, at_ms)

    def hold_exit(self, held: bool, at_ms: int, now_ms: int) -> "list[record.Record]":
        """The REX contact is held, or let go: a release does not run out while it is held."""
        records = self.tick(now_ms)
        if held and not self._exit_held:
            self._exit_from_ms = at_ms
        self._exit_held = held
        return records + self._settle_lock(now_ms)

    def set_fire(self, on: bool, at_ms: int, now_ms: int) -> "list[record.Record]":
        """A fire began or is over. The mode stays as it is."""
        records = self.tick(now_ms)
        if on == self.fire:
            return records
        self.fire = on
        if on and self._rules.fire_releases:
            records.append(self._released(record.FIRE, at_ms))
            records += self._late_permission(at_ms, now_ms)
        return records + self._settle_lock(now_ms, at_ms)

    def set_mode(
        self, mode: str, cause: str, by: "str | None", now_ms: int
    ) -> "list[record.Record]":
        """Change the mode: one of `MODES`. The way out keeps the time that it was given."""
        records = self.tick(now_ms)
        if mode == self.mode:
            return records
        self.mode = mode
        self.mode_cause = cause
        self.since_ms = now_ms
        fields: dict[str, object] = {"mode": mode, "cause": cause, "by": by}
        records.append(make(record.PORTAL_MODE, now_ms, self.name, fields))
        if MODES[mode][0]:
            records.append(self._released(cause, now_ms))
        if not MODES[mode][1]:
            if now_ms >= self._exit_until_ms:
                self._release.handle(release.REVOKE, now_ms)
            else:
                self._release.end_by(self._exit_until_ms)
            records += self._verdicts(self._passage.handle(passage.REVOKE, now_ms), now_ms)
        return records + self._settle_lock(now_ms)

    def contact(self, is_open: bool, at_ms: int, now_ms: int) -> "list[record.Record]":
        """The door's contact changed at `at_ms` (its edge; it may be known late)."""
        records = self.tick(now_ms)
        if self.blind:
            return records + self._see_again(is_open, at_ms, now_ms)
        if is_open == self.door_open:
            return records
        self.door_open = is_open
        self.since_ms = now_ms
        if not is_open:
            records.append(make(record.PORTAL_CLOSED, at_ms, self.name, None))
            records += self._reports(self._opening.handle(opening.CLOSED, at_ms, now_ms), now_ms)
            self._release.handle(release.CLOSED, now_ms)
            return records + self._settle_lock(now_ms)
        records.append(make(record.PORTAL_OPENED, at_ms, self.name, None))
        permitted = self._permitted(at_ms)
        if not permitted:
            judged = opening.OPENED_BARE
        else:
            judged = opening.OPENED_FREE if self.held_free else opening.OPENED
        records += self._reports(self._opening.handle(judged, at_ms, now_ms), now_ms)
        if permitted:
            records += self._opened_by_permission(at_ms, now_ms)
        return records + self._settle_lock(now_ms)

    def lose_contact(self, why: str, now_ms: int) -> "list[record.Record]":
        """The contact cannot be believed (`why`: fault, unknown): no opening is judged until it can."""
        records = self.tick(now_ms)
        if self.blind != why:
            self.blind, self.since_ms = why, now_ms
            reports = self._opening.handle(opening.BLINDED, now_ms, now_ms)
            records += self._reports(reports, now_ms)
            self._release.handle(release.CLOSED, now_ms)  # no lock waits for what nobody sees
        return records + self._settle_lock(now_ms)

    def tick(self, now_ms: int) -> "list[record.Record]":
        """Honour every deadline that has come."""
        due_ms = self.deadline_ms
        if due_ms is None or now_ms < due_ms:
            return []
        due_ms = self._release.deadline_ms
        if self._exit_held and due_ms is not None and now_ms >= due_ms:
            self._lengthen(now_ms)
        self._release.tick(now_ms)
        records = self._settle_lock(now_ms)
        records += self._reports(self._opening.tick(now_ms), now_ms)
        return records + self._verdicts(self._passage.tick(now_ms), now_ms)

    # ---- how ---------------------------------------------------------------------------------------

    def _see_again(self, is_open: bool, at_ms: int, now_ms: int) -> "list[record.Record]":
        """The contact can be believed again: an open door is open since now, as at power-up."""
        records = []
        if is_open != self.door_open:
            type = record.PORTAL_OPENED if is_open else record.PORTAL_CLOSED
            records.append(make(type, at_ms, self.name, None))
        self.blind, self.door_open, self.since_ms = "", is_open, now_ms
        opened = opening.OPENED_FREE if self.held_free else opening.OPENED
        what = opened if is_open else opening.CLOSED
        records += self._reports(self._opening.handle(what, at_ms, now_ms), now_ms)
        return records + self._settle_lock(now_ms)

    def _lengthen(self, now_ms: int) -> None:
        """A REX, or one that is still held: its time begins now."""
        rules = self._rules
        cuts = rules.egress_cuts_power
        for_ms = rules.egress_ms if cuts else rules.release_ms
        self._release.handle(release.EXIT if cuts else release.RELEASE, now_ms, for_ms)
        self._exit_until_ms = max(self._exit_until_ms, now_ms + for_ms)

    def _permit_open_ms(self, open_ms: int) -> None:
        """The next opening may last `open_ms`; within one release the longest permission counts."""
        if self._opening.state not in (opening.SHUT, opening.UNJUDGED, opening.GLIMPSED):
            return
        if self._release.state == release.ENGAGED or open_ms > self._opening.open_ms:
            self._opening.open_ms = open_ms

    def _released(self, cause: str, at_ms: int, by: "str | None" = None) -> "record.Record":
        return make(record.PORTAL_RELEASED, at_ms, self.name, {"cause": cause, "by": by})

    def _opened_by_permission(self, at_ms: int, now_ms: int) -> "list[record.Record]":
        """The release has served: relock, and settle who went through."""
        egress = self._release.state == release.EGRESS
        keep = self._rules.relock_on_close
        self._release.handle(release.OPENED_KEEP if keep else release.OPENED, now_ms)
        if egress:  # within the exit button's time every opening is by REX
            return []
        return self._verdicts(self._passage.handle(passage.OPENED, now_ms), at_ms)

    def _late_permission(self, at_ms: int, now_ms: int) -> "list[record.Record]":
        if at_ms <= self._opening.opened_at_ms:
            return self._reports(self._opening.handle(opening.PERMIT, at_ms, now_ms), now_ms)
        return []

    def _permitted(self, at_ms: int) -> bool:
        if self._exit_held and at_ms >= self._exit_from_ms:
            return True
        if self.pardon.holds(at_ms):
            return True
        start_ms, end_ms = self._window
        return start_ms <= at_ms and (self._was_unlocked or at_ms <= end_ms)

    def _settle_lock(self, now_ms: int, at_ms: "int | None" = None) -> "list[record.Record]":
        """What follows when the lock's wanted state has changed."""
        if self._release.state == release.ENGAGED:
            self._exit_until_ms = 0  # used, or over: what comes next is not the way out's
        unlocked = self.unlocked
        if unlocked == self._was_unlocked:
            return self._settle_freedom(now_ms)
        self._was_unlocked = unlocked
        self.since_ms = now_ms
        if unlocked:
            self._window = (now_ms if at_ms is None else at_ms, -1)
            return self._settle_freedom(now_ms)
        self._window = (self._window[0], now_ms + self._rules.travel_ms)
        secured = make(record.PORTAL_SECURED, now_ms, self.name, None)
        return self._settle_freedom(now_ms) + [secured]

    def _settle_freedom(self, now_ms: int) -> "list[record.Record]":
        if not self.door_open or self.held_free == (self._opening.state == opening.FREE):
            return []
        what = opening.FREED if self.held_free else opening.BOUND
        if what == opening.BOUND:
            self._opening.open_ms = self._rules.open_ms
        return self._reports(self._opening.handle(what, now_ms, now_ms), now_ms)

    def _verdicts(self, verdicts: "list[passage.Verdict]", at_ms: int) -> "list[record.Record]":
        records = []
        for verdict, who in verdicts:
            type = record.ACCESS_TAKEN if verdict == passage.TAKEN else record.ACCESS_NOT_TAKEN
            records.append(make(type, at_ms, self.name, who))
        return records

    def _reports(self, reports: list[str], now_ms: int) -> "list[record.Record]":
        """Forced and held are the alarm register's to raise: handed up as records of this module."""
        return [record.Record(report, now_ms, {"portal": self.name}) for report in reports]
