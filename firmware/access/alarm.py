"""The alarm register: raised, latched, acknowledged, over (ISA-18.2's states).

Pure. One `Alarm` a (point, class). An alarm stays until it is both acknowledged and over; a momentary
one (duress, misuse, wrong attempts, panic) is over at once and waits for its acknowledgement only.
"""

from firmware.access import record
from firmware.access.record import make

NORMAL = "normal"
UNACKNOWLEDGED = "unacknowledged"
ACKNOWLEDGED = "acknowledged"
RETURNED = "returned"  #: over, not acknowledged
STATES = (NORMAL, UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED)

RAISE = "raise"
OVER = "over"
ACKNOWLEDGE = "acknowledge"
INPUTS = (RAISE, OVER, ACKNOWLEDGE)

# (state, input): (next state, records)
TRANSITIONS = {
    (NORMAL, RAISE): (UNACKNOWLEDGED, (record.ALARM_RAISED,)),
    (NORMAL, OVER): (NORMAL, ()),
    (NORMAL, ACKNOWLEDGE): (NORMAL, ()),
    (UNACKNOWLEDGED, RAISE): (UNACKNOWLEDGED, (record.ALARM_RAISED,)),
    (UNACKNOWLEDGED, OVER): (RETURNED, ()),
    (UNACKNOWLEDGED, ACKNOWLEDGE): (ACKNOWLEDGED, (record.ALARM_ACKNOWLEDGED,)),
    (ACKNOWLEDGED, RAISE): (UNACKNOWLEDGED, (record.ALARM_RAISED,)),
    (ACKNOWLEDGED, OVER): (NORMAL, (record.ALARM_CLEARED,)),
    (ACKNOWLEDGED, ACKNOWLEDGE): (ACKNOWLEDGED, ()),
    (RETURNED, RAISE): (UNACKNOWLEDGED, (record.ALARM_RAISED,)),
    (RETURNED, OVER): (RETURNED, ()),
    (RETURNED, ACKNOWLEDGE): (NORMAL, (record.ALARM_ACKNOWLEDGED, record.ALARM_CLEARED)),
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
POWER_FAULT = "power_fault"
BATTERY_LOW = "battery_low"
STORAGE_FAULT = "storage_fault"
LINK_FAULT = "link_fault"
CLOCK_FAULT = "clock_fault"
CERTIFICATE_EXPIRING = "certificate_expiring"

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
    LINK_FAULT: 4,
    CLOCK_FAULT: 4,
    CERTIFICATE_EXPIRING: 4,
}

MOMENTARY = (DURESS, CREDENTIAL_MISUSE, WRONG_ATTEMPTS, PANIC)
SOUNDING = (DOOR_FORCED, FIRE, PANIC, INTRUSION)
SILENT = (DURESS,)  #: shown nowhere at the door, so nothing at the door acknowledges it


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


class Register:
    """Every alarm of one controller, and what its siren and beacon are to do."""

    def __init__(self, siren_max_ms: int) -> None:
        self._siren_max_ms = siren_max_ms
        self._alarms: dict[tuple[str, str], Alarm] = {}
        #: list of (point, class)  what changed since the caller last emptied it
        self.changed: list[tuple[str, str]] = []

    @property
    def deadline_ms(self) -> "int | None":
        """When the siren falls silent by itself; the caller looks at ``siren`` again then."""
        due = [alarm.sounds_until_ms for alarm in self._alarms.values() if self._unseen(alarm)]
        due = [at_ms for at_ms in due if at_ms]
        return max(due) if due else None

    @property
    def beacon(self) -> bool:
        """Lit for every alarm that the door may show, until it is acknowledged and over."""
        shown = [alarm for alarm in self._alarms.values() if alarm.kind not in SILENT]
        return any(alarm.state != NORMAL for alarm in shown)

    def siren(self, now_ms: int) -> bool:
        """Sounds for what `SOUNDING` lists, until acknowledged, at most `siren_max_ms` each."""
        unseen = [alarm for alarm in self._alarms.values() if self._unseen(alarm)]
        return any(now_ms < alarm.sounds_until_ms for alarm in unseen)

    def tick(self, now_ms: int) -> None:
        """Forget sounding times that are over."""
        for alarm in self._alarms.values():
            if alarm.sounds_until_ms and now_ms >= alarm.sounds_until_ms:
                alarm.sounds_until_ms = 0

    def raise_(
        self, point: str, kind: str, now_ms: int, utc_s: int, priority: "int | None" = None
    ) -> "list[record.Record]":
        """Raise an alarm at `point`; its records. A momentary one is over in the same instant."""
        alarm = self._alarms.get((point, kind))
        if alarm is None:
            alarm = Alarm(point, kind, priority or PRIORITY[kind])
            self._alarms[(point, kind)] = alarm
        records = self._move(alarm, RAISE, now_ms, utc_s, None)
        if kind in SOUNDING:
            alarm.sounds_until_ms = now_ms + self._siren_max_ms
        if kind in MOMENTARY:
            records += self._move(alarm, OVER, now_ms, utc_s, None)
        return records

    def over(self, point: str, kind: str, now_ms: int, utc_s: int) -> "list[record.Record]":
        """The condition is over; its records."""
        alarm = self._alarms.get((point, kind))
        return [] if alarm is None else self._move(alarm, OVER, now_ms, utc_s, None)

    def acknowledge_shown(self, by: str, now_ms: int, utc_s: int) -> "list[record.Record]":
        """Acknowledge what is shown at the door (a key switch does); its records."""
        records: list[record.Record] = []
        for key in sorted(self._alarms):
            if key[1] not in SILENT:
                records += self._move(self._alarms[key], ACKNOWLEDGE, now_ms, utc_s, by)
        return records

    def alarms(self) -> "list[Alarm]":
        """Every alarm that is not normal, the most urgent first, then the oldest."""
        found = [alarm for alarm in self._alarms.values() if alarm.state != NORMAL]
        return sorted(
            found, key=lambda alarm: (alarm.priority, alarm.since_s, alarm.point, alarm.kind)
        )

    def everything(self) -> "list[Alarm]":
        """Every alarm that was ever raised, normal ones too, in a fixed order."""
        return [self._alarms[key] for key in sorted(self._alarms)]

    def find(self, point: str, kind: str) -> "Alarm | None":
        """One alarm, or None if it was never raised."""
        return self._alarms.get((point, kind))

    def restore(
        self,
        point: str,
        kind: str,
        state: str,
        since_s: int,
        by: "str | None",
        priority: "int | None" = None,
    ) -> None:
        """Put back what a restart found recorded. The siren stays silent: it was heard."""
        alarm = Alarm(point, kind, priority or PRIORITY[kind])
        alarm.state = state
        alarm.since_s = since_s
        alarm.by = by
        self._alarms[(point, kind)] = alarm

    def _unseen(self, alarm: Alarm) -> bool:
        return alarm.kind in SOUNDING and alarm.state in (UNACKNOWLEDGED, RETURNED)

    def _move(
        self, alarm: Alarm, what: str, now_ms: int, utc_s: int, by: "str | None"
    ) -> "list[record.Record]":
        before = alarm.state
        alarm.state, types = TRANSITIONS[(before, what)]
        if alarm.state != before or types:
            self.changed.append((alarm.point, alarm.kind))
            alarm.by = by if by is not None else (alarm.by if what == OVER else None)
            if types and types[0] == record.ALARM_RAISED:
                alarm.since_s = utc_s
        fields = {"point": alarm.point, "class": alarm.kind, "priority": alarm.priority, "by": by}
        return [make(type, now_ms, None, fields) for type in types]
