"""Who is inside which area, kept a second time: only who opened the door has passed it.

Nothing of it comes from the code that is tested; see `oracle`.
"""

from typing import Any

import house

INSIDE, OUTSIDE = 1, 0


class Areas:
    """Every area that has a rule."""

    def __init__(self) -> None:
        guarded = {
            point["area"]
            for point in house.ACCESS_POINTS.values()
            if point["passback"] != "off" or point["area"] in house.AREAS
        }
        #: area -> holder -> [inside, outside or None (not known), ms, UTC second]
        self.seen: dict[str, dict[int, list[Any]]] = {name: {} for name in sorted(guarded)}
        #: area -> where those are who were never seen
        self.unseen: dict[str, int | None] = dict.fromkeys(self.seen, OUTSIDE)
        #: portal -> (access point, holder)  who was let in and has not passed
        self.coming: dict[str, list[tuple[str, int]]] = {name: [] for name in house.PORTALS}
        self.days: dict[str, int] = {}

    def let_in(self, name: str, who: Any) -> None:
        """Somebody may go through; who is let in twice goes the way that was asked for last."""
        portal = house.ACCESS_POINTS[name]["portal"]
        others = [one for one in self.coming[portal] if one[1] != who["holder"]]
        self.coming[portal] = [*others, (name, who["holder"])]

    def verdict(self, portal: str, taken: bool, now: Any) -> None:
        """They did, or they did not."""
        coming, self.coming[portal] = self.coming[portal], []
        for name, holder in coming:
            point = house.ACCESS_POINTS[name]
            if taken and point["area"] in self.seen:
                where = INSIDE if point["direction"] == "in" else OUTSIDE
                self.seen[point["area"]][holder] = [where, now.ms, now.utc_s]

    def refusal(self, name: str, who: Any, beside: Any, now: Any) -> str | None:
        """anti_passback, occupancy_full, or None."""
        point = house.ACCESS_POINTS[name]
        area = point["area"]
        if area not in self.seen:
            return None
        if self._again(point, who["holder"], now) and point["passback"] in ("hard", "timed"):
            return "anti_passback"
        most = house.AREAS.get(area, (None,))[0]
        if most is None or point["direction"] == "out":
            return None
        there = {one for one, seen in self.seen[area].items() if seen[0] == INSIDE}
        for coming in self.coming.values():
            for where, holder in coming:
                other = house.ACCESS_POINTS[where]
                if other["area"] == area and other["direction"] == "in":
                    there.add(holder)
        if beside is not None:
            there.add(beside["holder"])
        return "occupancy_full" if who["holder"] not in there and len(there) >= most else None

    def violated(self, name: str, who: Any, now: Any) -> bool:
        """Whether a soft rule is broken by a grant."""
        point = house.ACCESS_POINTS[name]
        return point["passback"] == "soft" and self._again(point, who["holder"], now)

    def forgive(self, area: str | None, who: str | None) -> None:
        """`who` ("h301"; None: everybody) may be anywhere in `area` (None: everywhere)."""
        for name in self.seen:
            if area in (None, name):
                if who is None:
                    self.seen[name], self.unseen[name] = {}, None
                else:
                    self.seen[name][int(who[1:])] = [None, 0, 0]

    def pass_time(self, now: Any) -> None:
        """Forgive whom time forgives."""
        for name in self.seen:
            _, after_ms, at_s = house.AREAS.get(name, (None, None, None))
            if after_ms is not None:
                for seen in self.seen[name].values():
                    if now.ms - seen[1] >= after_ms:
                        seen[0] = None
            if at_s is not None and now.trusted:
                day = (now.local_s - at_s) // house.DAY_S
                before = self.days.get(name)
                if before is None or day not in (before, before - 1):
                    self.days[name] = day
                    if before is not None and day > before:
                        self.forgive(name, None)

    def restart(self, now: Any) -> None:
        """After a power cut: times by the wall clock, and nobody on the way."""
        self.coming = {name: [] for name in house.PORTALS}
        for people in self.seen.values():
            for seen in people.values():
                seen[1] = now.ms - max(0, now.utc_s - seen[2]) * 1000

    def _again(self, point: Any, holder: int, now: Any) -> bool:
        """Whether somebody goes the way that they went last."""
        to = INSIDE if point["direction"] == "in" else OUTSIDE
        seen = self.seen[point["area"]].get(holder)
        if point["passback"] == "timed":
            return seen is not None and seen[0] == to and now.ms - seen[1] < house.AGAIN_MS
        where = self.unseen[point["area"]] if seen is None else seen[0]
        return point["passback"] in ("soft", "hard") and where == to
