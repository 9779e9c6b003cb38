"""Who is inside which area: anti-passback and the number of people (IEC 60839-11-1, 6.2.2).

Pure. Knows which way somebody went last; whoever it has never seen is outside. Somebody who is *forgiven*
may be anywhere: the next passage either way is free. The caller says who passed (not who was let in)
and ticks; everything is kept under ``in/AREA/WHO`` and survives a restart. A visitor counts as inside,
nothing else, and is forgotten by the caller when the code ends.
"""

from collections import namedtuple

from firmware.access import credential, record
from firmware.access.deadlines import earliest
from firmware.access.record import Keep, make

OFF = "off"
SOFT = "soft"  #: lets in, and the record says so
HARD = "hard"
TIMED = "timed"  #: the same way again is refused for a time
MODES = (OFF, SOFT, HARD, TIMED)

IN = "in"
OUT = "out"

MOST = 10000  #: people whose whereabouts are kept, all areas together; then the oldest is forgiven
SLACK = 100  #: outdated passages that an area may hold beside two a person
UNSEEN = "*"  #: stands in an area for whoever it has not seen, once they may be anywhere

#: Who forgave, where nobody did.
TIME = "time"  #: `forgive_after_ms` is over
DAILY = "schedule"  #: `forgive_at_s` has come
LIMIT = "limit"  #: `MOST` is reached

DAY_S = 86400

#: What is so for one area.
#: occupancy_max     int | None  people inside at most
#: forgive_after_ms  int | None  forgiven so long after the last passage
#: forgive_at_s      int | None  everybody is forgiven at this second of each local day
AreaRules = namedtuple("AreaRules", ("occupancy_max", "forgive_after_ms", "forgive_at_s"))
NO_RULES = AreaRules(None, None, None)

#: Where somebody is.
#: inside  int | None  1 inside, 0 outside, None not known
#: utc_s   int         the last passage, or when it was forgiven
#: at_ms   int         the same, monotonic
Seen = namedtuple("Seen", ("inside", "utc_s", "at_ms"))


class Area:
    """One area's people. `Whereabouts` is its only user."""

    def __init__(self, name: str, rules: "AreaRules") -> None:
        self.name = name
        self.rules = rules
        self.people: dict[str, Seen] = {}
        #: set of str  who is inside
        self.inside: set[str] = set()
        #: int | None  where those are who were never seen: 0, or None since everybody was forgiven
        self.unseen: int | None = 0
        #: list of (at_ms, who)  passages that are forgiven in time, oldest first; some are outdated
        self.passages: list[tuple[int, str]] = []
        #: int | None  the local day (begun at `forgive_at_s`) in which everybody was forgiven last
        self.day: int | None = None

    def where(self, who: str) -> "int | None":
        """1 inside, 0 outside, None not known."""
        seen = self.people.get(who)
        return self.unseen if seen is None else seen.inside

    def put(self, who: str, seen: "Seen") -> "Keep":
        """Somebody is there now."""
        self.people[who] = seen
        if seen.inside == 1:
            self.inside.add(who)
        else:
            self.inside.discard(who)
        if seen.inside is not None and self.rules.forgive_after_ms is not None:
            self.passages.append((seen.at_ms, who))
            if len(self.passages) > 2 * len(self.people) + SLACK:
                self.sort_passages()
        return Keep("in/%s/%s" % (self.name, who), [seen.inside, seen.utc_s])

    @property
    def due_ms(self) -> "int | None":
        """When the next person may be due to be forgiven."""
        if not self.passages:
            return None
        due_ms: int = self.passages[0][0] + self.rules.forgive_after_ms
        return due_ms

    def sort_passages(self) -> None:
        """Begin the list of passages anew: each one's last."""
        if self.rules.forgive_after_ms is None:
            return
        people = self.people
        self.passages = sorted(
            [(people[who].at_ms, who) for who in people if people[who].inside is not None]
        )

    def drop(self, who: str) -> "Keep":
        """Forget somebody."""
        del self.people[who]
        self.inside.discard(who)
        return Keep("in/%s/%s" % (self.name, who), None)

    def open_up(self, now: "credential.Moment") -> "Keep":
        """Whoever was never seen may be anywhere."""
        self.unseen = None
        return Keep("in/%s/%s" % (self.name, UNSEEN), [None, now.utc_s])


class Whereabouts:
    """The areas of one site that have a rule: dict name -> `AreaRules`."""

    def __init__(self, areas: "dict[str, AreaRules]", most: int = MOST) -> None:
        self._areas = {name: Area(name, areas[name]) for name in areas}
        self._most = most
        self._timed = [
            self._areas[name]
            for name in sorted(areas)
            if areas[name].forgive_after_ms is not None or areas[name].forgive_at_s is not None
        ]

    @property
    def deadline_ms(self) -> "int | None":
        """When somebody may be due to be forgiven; a set hour is looked at with every tick."""
        return earliest([area.due_ms for area in self._timed])

    @property
    def daily(self) -> bool:
        """Whether somebody is forgiven at a set hour."""
        return any(area.rules.forgive_at_s is not None for area in self._timed)

    def tracks(self, area: str) -> bool:
        """Whether it is known who is in `area`."""
        return area in self._areas

    def inside(self, area: str) -> "set[str]":
        """Who is inside `area`."""
        return self._areas[area].inside

    def limits(self, area: str) -> bool:
        """Whether only so many may be in `area`."""
        return area in self._areas and self._areas[area].rules.occupancy_max is not None

    def visitors(self) -> "list[str]":
        """The visitors whose whereabouts are known."""
        seen = {who for name in self._areas for who in self._areas[name].people}
        return sorted([who for who in seen if who[0] == credential.OF_VISIT])

    def forget(self, who: str) -> "list[object]":
        """A visitor's code has ended: they count no longer."""
        return [
            self._areas[name].drop(who)
            for name in sorted(self._areas)
            if who in self._areas[name].people
        ]

    def violates(
        self, area: str, who: str, direction: str, mode: str, again_ms: int, now_ms: int
    ) -> bool:
        """Whether to go `direction` breaks the rule `mode`: in by who is in, out by who is not."""
        if mode == OFF:
            return False
        to = 1 if direction == IN else 0
        if mode != TIMED:
            where: int | None = self._areas[area].where(who)
            return where == to
        seen = self._areas[area].people.get(who)
        if seen is None or seen.inside != to:
            return False
        again: bool = now_ms - seen.at_ms < again_ms
        return again

    def full(self, area: str, who: "str | None", coming: "set[str]") -> bool:
        """Whether there is no place for `who` beside those inside and those `coming`."""
        most: int | None = self._areas[area].rules.occupancy_max
        if most is None:
            return False
        inside = self._areas[area].inside
        if who is not None and (who in inside or who in coming):
            return False
        return len(inside) + len([one for one in coming if one not in inside]) >= most

    def passed(
        self, area: str, who: str, direction: str, now: "credential.Moment"
    ) -> "list[object]":
        """Somebody went through."""
        inside = 1 if direction == IN else 0
        kept: list[object] = [self._areas[area].put(who, Seen(inside, now.utc_s, now.ms))]
        return kept + self._make_room(now)

    def forgive(
        self, area: "str | None", who: "str | None", by: str, now: "credential.Moment"
    ) -> "list[object]":
        """Let `who` (None: everybody) be anywhere in `area` (None: everywhere)."""
        effects: list[object] = []
        count = 0
        for name in sorted(self._areas):
            if area is not None and name != area:
                continue
            forgiven = self._areas[name]
            if who is not None:
                effects.append(forgiven.put(who, Seen(None, now.utc_s, now.ms)))
                count = 1
                continue
            count += len(forgiven.people)
            effects += [forgiven.drop(one) for one in sorted(forgiven.people)]
            effects.append(forgiven.open_up(now))
        return effects + self._make_room(now) + [_forgiven(area, who, by, count, now)]

    def tick(self, now: "credential.Moment") -> "list[object]":
        """Forgive whoever is due."""
        effects: list[object] = []
        for area in self._timed:
            if area.due_ms is not None and now.ms >= area.due_ms:
                effects += self._forgive_due(area, now)
            if area.rules.forgive_at_s is not None and now.trusted:
                effects += self._forgive_daily(area, now)
        return effects

    def restore(self, kept: "dict[str, object]", now: "credential.Moment") -> "list[object]":
        """Put back what was kept; what belongs to no area with a rule is forgotten."""
        effects: list[object] = []
        for key in sorted(kept):
            head, _, rest = key.partition("/")
            if head != "in":
                continue
            name, _, who = rest.partition("/")
            value = kept[key]
            area = self._areas.get(name)
            seen = _seen(value, now)
            if area is None or seen is None:
                effects.append(Keep(key, None))
            elif who == UNSEEN:
                area.unseen = None
            else:
                area.put(who, seen)
        for area in self._timed:
            area.sort_passages()
            day = kept.get("forgiven/" + area.name)
            area.day = day if isinstance(day, int) else None
        return effects

    def _forgive_due(self, area: Area, now: "credential.Moment") -> "list[object]":
        effects: list[object] = []
        while area.due_ms is not None and now.ms >= area.due_ms:
            at_ms, who = area.passages.pop(0)
            seen = area.people.get(who)
            if seen is not None and seen.inside is not None and seen.at_ms == at_ms:
                effects.append(area.put(who, Seen(None, now.utc_s, now.ms)))
        if effects:
            effects.append(_forgiven(area.name, None, TIME, len(effects), now))
        return effects

    def _forgive_daily(self, area: Area, now: "credential.Moment") -> "list[object]":
        day = (now.local_s - area.rules.forgive_at_s) // DAY_S
        before = area.day
        if day == before or (before is not None and day == before - 1):  # an hour that comes twice
            return []
        area.day = day
        kept: list[object] = [Keep("forgiven/" + area.name, day)]
        if before is None or day < before:  # the first day, or a clock that was wrong
            return kept
        return kept + self.forgive(area.name, None, DAILY, now)

    def _make_room(self, now: "credential.Moment") -> "list[object]":
        """Forgive the oldest while there are too many."""
        effects: list[object] = []
        while sum([len(self._areas[name].people) for name in self._areas]) > self._most:
            found: tuple[int, str, str] | None = None
            for name in self._areas:
                people = self._areas[name].people
                for who in people:
                    one = (people[who].at_ms, name, who)
                    if found is None or one < found:
                        found = one
            assert found is not None  # there are more than `most` of them
            area, who = self._areas[found[1]], found[2]
            lost = area.where(who) != area.unseen and who[0] != credential.OF_VISIT
            effects.append(area.drop(who))
            if lost and area.unseen is not None:
                effects.append(area.open_up(now))
            effects.append(_forgiven(area.name, who, LIMIT, 1, now))
        return effects


def _forgiven(
    area: "str | None", who: "str | None", by: str, count: int, now: "credential.Moment"
) -> "record.Record":
    fields: dict[str, object] = {"area": area, "by": by, "count": count}
    if who is not None and who[0] == credential.OF_VISIT:
        fields["visit"] = who[1:]
    elif who is not None:
        fields["holder" if who[0] == "h" else "credential"] = int(who[1:])
    return make(record.PASSBACK_FORGIVEN, now.ms, None, fields)


def _seen(value: object, now: "credential.Moment") -> "Seen | None":
    """What was kept of somebody, [inside, utc_s]; None: it is not that."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], int):
        return None
    if value[0] not in (0, 1, None):
        return None
    return Seen(value[0], value[1], now.ms - max(0, now.utc_s - value[1]) * 1000)
