"""The alarm register: raised, latched, acknowledged, over (ISA-18.2's states), set aside for a time.

Pure. One `Alarm` a (point, class). An alarm stays until it is both acknowledged and over; a momentary
one (duress, misuse, wrong attempts, panic) is over at once and waits for its acknowledgement only. One
that nobody acknowledges is told again, each time after twice as long. A shelved alarm goes through its
states and its records like any other, and is shown nowhere until its time ends.
"""

from firmware.access import record
from firmware.access.record import make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NORMAL = "normal"
UNACKNOWLEDGED = "unacknowledged"
ACKNOWLEDGED = "acknowledged"
RETURNED = "returned"  #: over, not acknowledged
STATES = (NORMAL, UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED)

RAISE = "raise"
OVER = "over"
ACKNOWLEDGE = "acknowledge"
TIMEOUT = "timeout"  #: nobody has seen it for its time
INPUTS = (RAISE, OVER, ACKNOWLEDGE, TIMEOUT)

_KEEP = "keep"
_START = "start"  #: told again after repeat_ms
_AGAIN = "again"  #: told again after twice the time before
_STOP = "stop"

# (state, input): (next state, timer, records)
TRANSITIONS = {
    (NORMAL, RAISE): (UNACKNOWLEDGED, _START, (record.ALARM_RAISED,)),
    (NORMAL, OVER): (NORMAL, _KEEP, ()),
    (NORMAL, ACKNOWLEDGE): (NORMAL, _KEEP, ()),
    (NORMAL, TIMEOUT): (NORMAL, _STOP, ()),
    (UNACKNOWLEDGED, RAISE): (UNACKNOWLEDGED, _START, (record.ALARM_RAISED,)),
    (UNACKNOWLEDGED, OVER): (RETURNED, _KEEP, ()),
    (UNACKNOWLEDGED, ACKNOWLEDGE): (ACKNOWLEDGED, _STOP, (record.ALARM_ACKNOWLEDGED,)),
    (UNACKNOWLEDGED, TIMEOUT): (UNACKNOWLEDGED, _AGAIN, (record.ALARM_REPEATED,)),
    (ACKNOWLEDGED, RAISE): (UNACKNOWLEDGED, _START, (record.ALARM_RAISED,)),
    (ACKNOWLEDGED, OVER): (NORMAL, _STOP, (record.ALARM_CLEARED,)),
    (ACKNOWLEDGED, ACKNOWLEDGE): (ACKNOWLEDGED, _KEEP, ()),
    (ACKNOWLEDGED, TIMEOUT): (ACKNOWLEDGED, _STOP, ()),
    (RETURNED, RAISE): (UNACKNOWLEDGED, _START, (record.ALARM_RAISED,)),
    (RETURNED, OVER): (RETURNED, _KEEP, ()),
    (RETURNED, ACKNOWLEDGE): (
        NORMAL,
        _STOP,
        (record.ALARM_ACKNOWLEDGED, record.ALARM_CLEARED),
    ),
    (RETURNED, TIMEOUT): (RETURNED, _AGAIN, (record.ALARM_REPEATED,)),
}

DOOR_FORCED = "door_forced"
DOOR_HELD = "door_held"
TAMPER = "tamper"
DURESS = "duress"
PANIC = "panic"
INTRUSION = "intrusion"
FIRE = "fire"
CREDENTIAL_MISUSE = "credential_misuse"
WRONG_ATTEMPTS = "wrong_attempts"
READER_FAULT = "reader_fault"
LOCK_FAULT = "lock_fault"
CAMERA_FAULT = "camera_fault"
CAMERA_COVERED = "camera_covered"
POWER_FAULT = "power_fault"
BATTERY_LOW = "battery_low"
STORAGE_FAULT = "storage_fault"
LINK_FAULT = "link_fault"
CLOCK_FAULT = "clock_fault"
CERTIFICATE_EXPIRING = "certificate_expiring"
UPDATE_FAULT = "update_fault"

#: class: priority, 1 (life) to 4 (maintenance)
PRIORITY = {
    FIRE: 1,
    PANIC: 1,
    DURESS: 1,
    DOOR_FORCED: 2,
    INTRUSION: 2,
    TAMPER: 2,
    LOCK_FAULT: 2,
    DOOR_HELD: 3,
    CREDENTIAL_MISUSE: 3,
    WRONG_ATTEMPTS: 3,
    READER_FAULT: 3,
    POWER_FAULT: 3,
    BATTERY_LOW: 3,
    STORAGE_FAULT: 3,
    CAMERA_COVERED: 3,
    CAMERA_FAULT: 4,
    LINK_FAULT: 4,
    CLOCK_FAULT: 4,
    CERTIFICATE_EXPIRING: 4,
    UPDATE_FAULT: 4,
}

MOMENTARY = (DURESS, CREDENTIAL_MISUSE, WRONG_ATTEMPTS, PANIC)
SOUNDING = (DOOR_FORCED, FIRE, PANIC, INTRUSION)
SILENT = (DURESS,)  #: shown nowhere at the door, so nothing at the door acknowledges it

NEVER_SHELVED = (FIRE, PANIC, DURESS)

REPEAT_LIMIT_MS = 86400000  #: the longest time between two tellings
SHELVE_LIMIT_S = 86400

#: Reasons why an alarm is not shelved.
NOT_SHELVABLE = "not_shelvable"  #: life, or the opening of a housing that is priority 1
TOO_LONG = "too_long"  #: an end more than 24 h away
PAST = "past"  #: an end that has been


class Alarm:
    """One (point, class) of the register."""

    def __init__(self, point: str, kind: str, priority: int) -> None:
        self.point = point
        self.kind = kind
        self.priority = priority
        self.state = NORMAL
        self.since_s = 0
        self.by: str | None = None
        self.sounds_until_ms = 0
        #: bool  somebody silenced it since it was raised
        self.silenced = False
        #: int  when it is told again, and after how long; 0: never
        self.repeat_at_ms = 0
        self.repeat_ms = 0
        #: while it is shelved it shows nothing: until when, and who wanted that; 0: it is not
        self.shelved_until_ms = 0
        self.shelved_until_s = 0
        self.shelved_by: str | None = None

    @property
    def saved(self) -> "list[Any] | None":
        """What a restart needs to go on; None: nothing."""
        if self.state == NORMAL:
            return None
        return [self.state, self.since_s, self.by] + ([True] if self.silenced else [])

    @property
    def unseen(self) -> bool:
        """Nobody has acknowledged it."""
        return self.state in (UNACKNOWLEDGED, RETURNED)

    @property
    def active(self) -> bool:
        """What it tells of lasts."""
        return self.state in (UNACKNOWLEDGED, ACKNOWLEDGED)

    @property
    def shown(self) -> bool:
        """The door may show it: not normal, not shelved, not duress."""
        return self.state != NORMAL and not self.shelved_until_ms and self.kind not in SILENT


class Register:
    """Every alarm of one controller: who has seen it, what of it is shown, what sounds."""

    def __init__(self, siren_max_ms: int, repeat_ms: int) -> None:
        self._siren_max_ms = siren_max_ms
        self._repeat_ms = repeat_ms
        self._alarms: dict[tuple[str, str], Alarm] = {}
        #: list of (point, class)  whose state changed since the caller last emptied it
        self.changed: list[tuple[str, str]] = []
        #: list of (point, class)  whose shelving changed
        self.reshelved: list[tuple[str, str]] = []

    # ---- what is so --------------------------------------------------------------------------------

    @property
    def deadline_ms(self) -> "int | None":
        """Tick no later than this: an alarm is told again, or shown again, or falls silent by itself."""
        due: int | None = None
        for one in self._alarms.values():
            for at_ms in (one.sounds_until_ms, one.repeat_at_ms, one.shelved_until_ms):
                if at_ms and (due is None or at_ms < due):
                    due = at_ms
        return due

    @property
    def beacon(self) -> bool:
        """Whether the beacon is told to be lit: anything is shown, until it is acknowledged and over."""
        return any(one.shown for one in self._alarms.values())

    def siren(self, now_ms: int) -> bool:
        """Whether the siren is told to sound."""
        return bool(self.sounding(now_ms))

    def sounding(self, now_ms: int) -> "list[Alarm]":
        """What the siren sounds for: until acknowledged or silenced, at most `siren_max_ms` each."""
        return [
            one
            for one in self.everything()
            if one.shown and one.unseen and now_ms < one.sounds_until_ms
        ]

    def alarms(self) -> "list[Alarm]":
        """Every alarm that is not normal, the most urgent first, then the oldest."""
        found = [one for one in self._alarms.values() if one.state != NORMAL]
        return sorted(found, key=lambda one: (one.priority, one.since_s, one.point, one.kind))

    def everything(self) -> "list[Alarm]":
        """Every alarm that was ever raised or shelved, normal ones too, in a fixed order."""
        return [self._alarms[key] for key in sorted(self._alarms)]

    def find(self, point: str, kind: str) -> "Alarm | None":
        """One alarm, or None if it was never raised."""
        return self._alarms.get((point, kind))

    def is_active(self, point: str, kind: str) -> bool:
        """Whether that alarm was raised and is not over."""
        one = self._alarms.get((point, kind))
        return one is not None and one.active

    # ---- what happens ------------------------------------------------------------------------------

    def tick(self, now_ms: int) -> "list[record.Record]":
        """Honour every deadline that has come; the records."""
        records: list[record.Record] = []
        if not self._due(now_ms):
            return records
        for one in self.everything():
            if one.sounds_until_ms and now_ms >= one.sounds_until_ms:
                one.sounds_until_ms = 0
            if one.shelved_until_ms and now_ms >= one.shelved_until_ms:
                records += self._unshelve(one, now_ms)
            if one.repeat_at_ms and now_ms >= one.repeat_at_ms:
                records += self._move(one, TIMEOUT, now_ms, None, None)
        return records

    def raise_(
        self, point: str, kind: str, now_ms: int, utc_s: int, priority: "int | None" = None
    ) -> "list[record.Record]":
        """Raise an alarm at `point`; its records. A momentary one is over in the same instant."""
        one = self._made(point, kind, priority)
        records = self._move(one, RAISE, now_ms, utc_s, None)
        one.silenced = False
        if kind in SOUNDING:
            one.sounds_until_ms = now_ms + self._siren_max_ms
        if kind in MOMENTARY:
            records += self._move(one, OVER, now_ms, utc_s, None)
        return records

    def over(self, point: str, kind: str, now_ms: int, utc_s: int) -> "list[record.Record]":
        """The condition is over; its records."""
        one = self._alarms.get((point, kind))
        return [] if one is None else self._move(one, OVER, now_ms, utc_s, None)

    def acknowledge_shown(
        self, by: str, now_ms: int, utc_s: int, but: "tuple[str, ...]" = ()
    ) -> "list[record.Record]":
        """Acknowledge what is shown at the door, `but` for those classes; the records."""
        records: list[record.Record] = []
        for one in self.everything():
            if one.shown and one.kind not in but:
                records += self._move(one, ACKNOWLEDGE, now_ms, utc_s, by)
        return records

    def acknowledge_one(
        self, point: "str | None", kind: "str | None", by: str, now_ms: int, utc_s: int
    ) -> "list[record.Record]":
        """Acknowledge by point and class; None stands for all. Duress only where its class is named."""
        records: list[record.Record] = []
        for one in self.everything():
            if point is not None and one.point != point:
                continue
            if one.kind == kind or (kind is None and one.kind not in SILENT):
                records += self._move(one, ACKNOWLEDGE, now_ms, utc_s, by)
        return records

    def silence(self, by: str, now_ms: int) -> "list[record.Record]":
        """No more sound for what sounds now; nothing else changes. A record if anything sounded."""
        sounding = self.sounding(now_ms)
        for one in sounding:
            one.sounds_until_ms = 0
            one.silenced = True
            self.changed.append((one.point, one.kind))
        return [make(record.ALARM_SILENCED, now_ms, None, {"by": by})] if sounding else []

    def shelve(
        self,
        point: str,
        kind: str,
        until_s: int,
        by: str,
        now_ms: int,
        utc_s: int,
        priority: "int | None" = None,
    ) -> "tuple[str | None, list[record.Record]]":
        """Set an alarm aside until `until_s`; the reason why not, or None, and the records."""
        priority = priority or PRIORITY[kind]
        if kind in NEVER_SHELVED or (kind == TAMPER and priority == 1):
            return NOT_SHELVABLE, []
        if until_s <= utc_s:
            return PAST, []
        if until_s - utc_s > SHELVE_LIMIT_S:
            return TOO_LONG, []
        one = self._made(point, kind, priority)
        self._set_aside(one, until_s, by, now_ms, utc_s)
        self.reshelved.append((point, kind))
        fields = {"point": point, "class": kind, "until": until_s, "by": by}
        return None, [make(record.ALARM_SHELVED, now_ms, None, fields)]

    def restore(
        self,
        point: str,
        kind: str,
        saved: "list[Any]",
        now_ms: int,
        utc_s: int,
        priority: "int | None" = None,
    ) -> None:
        """Put back what a restart found kept (`saved`). Siren and repeats go on as if it had never been."""
        one = self._made(point, kind, priority)
        one.state, one.since_s, one.by = saved[:3]
        one.silenced = len(saved) > 3
        if not one.unseen:
            return
        passed_ms = max(0, utc_s - one.since_s) * 1000
        if kind in SOUNDING and not one.silenced and passed_ms < self._siren_max_ms:
            one.sounds_until_ms = now_ms + self._siren_max_ms - passed_ms
        if self._repeat_ms:
            one.repeat_ms = left_ms = self._repeat_ms
            while left_ms <= passed_ms:
                one.repeat_ms = self._longer(one.repeat_ms)
                left_ms += one.repeat_ms
            one.repeat_at_ms = now_ms + left_ms - passed_ms

    def restore_shelved(
        self, point: str, kind: str, until_s: int, by: str, now_ms: int, utc_s: int
    ) -> None:
        """Put back what a restart found set aside; one whose end has come is shown at the next tick."""
        until_s = min(until_s, utc_s + SHELVE_LIMIT_S)
        one = self._made(point, kind, None)
        self._set_aside(one, until_s, by, now_ms, utc_s)

    # ---- how ---------------------------------------------------------------------------------------

    def _made(self, point: str, kind: str, priority: "int | None") -> Alarm:
        one = self._alarms.get((point, kind))
        if one is None:
            one = Alarm(point, kind, priority or PRIORITY[kind])
            self._alarms[(point, kind)] = one
        elif priority is not None:
            one.priority = priority
        return one

    def _due(self, now_ms: int) -> bool:
        due_ms = self.deadline_ms
        return due_ms is not None and now_ms >= due_ms

    def _set_aside(self, one: Alarm, until_s: int, by: str, now_ms: int, utc_s: int) -> None:
        one.shelved_until_ms = max(1, now_ms + (until_s - utc_s) * 1000)
        one.shelved_until_s = until_s
        one.shelved_by = by
        one.repeat_at_ms = 0

    def _unshelve(self, one: Alarm, now_ms: int) -> "list[record.Record]":
        one.shelved_until_ms = 0
        self.reshelved.append((one.point, one.kind))
        if one.unseen:
            self._time(one, _START, now_ms)
        fields: dict[str, object] = {"point": one.point, "class": one.kind}
        return [make(record.ALARM_UNSHELVED, now_ms, None, fields)]

    def _longer(self, ms: int) -> int:
        return min(2 * ms, max(self._repeat_ms, REPEAT_LIMIT_MS))

    def _time(self, one: Alarm, timer: str, now_ms: int) -> None:
        if timer == _STOP or not self._repeat_ms or one.shelved_until_ms:
            one.repeat_at_ms = 0 if timer != _KEEP else one.repeat_at_ms
        elif timer == _START:
            one.repeat_ms = self._repeat_ms
            one.repeat_at_ms = now_ms + one.repeat_ms
        elif timer == _AGAIN:
            one.repeat_ms = self._longer(one.repeat_ms)
            one.repeat_at_ms = now_ms + one.repeat_ms

    def _move(
        self, one: Alarm, what: str, now_ms: int, utc_s: "int | None", by: "str | None"
    ) -> "list[record.Record]":
        before = one.state
        one.state, timer, types = TRANSITIONS[(before, what)]
        self._time(one, timer, now_ms)
        if not one.unseen:
            one.sounds_until_ms = 0
        if what != TIMEOUT and (one.state != before or types):
            self.changed.append((one.point, one.kind))
            one.by = by if by is not None else (one.by if what == OVER else None)
            if utc_s is not None and types and types[0] == record.ALARM_RAISED:
                one.since_s = utc_s
        fields = {"point": one.point, "class": one.kind, "priority": one.priority, "by": by}
        return [make(type, now_ms, None, fields) for type in types]
