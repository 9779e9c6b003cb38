"""One partition with who armed it and why, what its hours and appointments want, and what is kept of it.

Pure. `firmware.access.guard` owns one for each partition and is the only one to change it.
"""

from firmware.access import partition, schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.access import credential

BY_SCHEDULE = "schedule"
BY_APPOINTMENT = "appointment"

LAST_MS = 50  #: how often the last second before an edge is looked at: the time is known in seconds


class Watched:
    """One partition. ``machine`` is its state."""

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
        self._ends: tuple[int, int] | None = None  # the end of a delay: milliseconds, UTC seconds

    def counts(self, point: str) -> bool:
        """Whether `point` is one of its, and not bypassed."""
        return point in self.machine.rules.points and point not in self.bypassed

    # ---- what is kept ------------------------------------------------------------------------------

    def saved(self) -> "list[object] | None":
        """What is kept of it; None: nothing but the beginning."""
        now = [
            self.machine.state,
            self.by,
            self.wish,
            self.waiting,
            self.keys,
            list(self.entered),
            None if self._ends is None else self._ends[1],
        ]
        fresh = [partition.DISARMED, "", "", False, self.machine.rules.keys, [], None]
        return None if now == fresh else now

    def restore(self, kept: "dict[str, object]", now: "credential.Moment") -> None:
        """Go on with what was kept; a delay that ran has what is left of it."""
        points = self.machine.rules.points
        saved = kept.get("arm/" + self.name)
        if isinstance(saved, list) and len(saved) in (6, 7) and saved[0] in partition.STATES:
            ends_s = saved[6] if len(saved) == 7 else None
            left_ms = None if ends_s is None else max(0, ends_s - now.utc_s) * 1000
            self.machine.restore(saved[0], now.ms, left_ms)
            self.by, self.wish, self.waiting, self.keys = saved[1], saved[2], saved[3], saved[4]
            self.entered = [point for point in saved[5] if point in points]
        bypassed = kept.get("bypass/" + self.name)
        if isinstance(bypassed, list):
            self.bypassed = [point for point in bypassed if point in points]
        appointment = kept.get("appointment/" + self.name)
        if isinstance(appointment, list) and len(appointment) == 4:
            self.appointment = list(appointment)
        self.note_end(now)
        self.kept = self.saved()

    def note_end(self, now: "credential.Moment") -> None:
        """Know by the wall clock when the delay that runs is over."""
        due_ms = self.machine.deadline_ms
        if due_ms is None:
            self._ends = None
        elif self._ends is None or self._ends[0] != due_ms:
            self._ends = (due_ms, now.utc_s - (now.ms - due_ms) // 1000)

    # ---- hours and appointments --------------------------------------------------------------------

    def wanted(self, rights: "credential.Rights", local_s: int) -> "tuple[str, str]":
        """Who wants it armed at `local_s` ("": nobody), and what keys mean then."""
        rules = self.machine.rules
        asked = [] if self.appointment is None else [tuple(self.appointment[:3])]
        for from_s, to_s, keys in asked + list(rules.appointments):
            if from_s <= local_s < to_s:
                return BY_APPOINTMENT, str(keys or rules.keys)
        hours = rights.schedules.get(rules.schedule)
        if hours and schedule.covers(hours, rights.holidays, local_s):
            return BY_SCHEDULE, rules.keys
        return "", rules.keys

    def next_edge(self, rights: "credential.Rights", local_s: int) -> "int | None":
        """The first local second after `local_s` at which hours or an appointment begin or end."""
        rules = self.machine.rules
        edges = [
            schedule.next_edge(rights.schedules.get(rules.schedule, ()), rights.holidays, local_s)
        ]
        for one in [self.appointment or (0, 0)] + list(rules.appointments):
            edges += [one[0], one[1]]
        later = [edge_s for edge_s in edges if edge_s is not None and edge_s > local_s]
        return min(later) if later else None
