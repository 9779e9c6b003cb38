"""Whose key is what was shown to the model's building, and what the keys may: its store. Portable."""

import house

from firmware.access import credential, pin, schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class HouseKeys:
    """People, their keys and their rights, as they are now."""

    def __init__(self) -> None:
        self.people: dict[int, Any] = house.people()
        self.levels: dict[str, Any] = dict(house.LEVELS)
        #: whether untrusted time counts, and whether the host was silent for too long
        self.policy = [False, False]
        self._salted: dict[str, bytes] = {}

    def owner(self, kind: str, value: str) -> "Any":
        """Whose card, code or PIN it is, as the store finds it; None: nobody's."""
        for number in sorted(self.people):
            one = self.people[number]
            if kind == "card" and one["card"] == value:
                return one
            if kind == "code" and one["code"] == value:
                return one
            if kind == "pin" and value in (one["pin"], one["duress_pin"]):
                return one
        return None

    def key_of(self, who: "Any", kind: str, value: str) -> "credential.Credential":
        """`who`'s key as the store would hand it over for what was shown."""
        by_pin = kind == "pin" and value == who["duress_pin"]
        return credential.Credential(
            who["id"],
            who["holder"],
            who["state"],
            who["from_s"],
            who["to_s"],
            who["first_use_s"],
            who["uses"],
            tuple(who["levels"]),
            who["extended"],
            who["override"],
            b"salt",
            self._hash(who["pin"]),
            1,
            self._hash(who["duress_pin"]),
            who["flat"],
            who["group"],
            who["acknowledges"],
            who["duress"] or by_pin,
            None,
        )

    def _hash(self, digits: "str | None") -> "bytes | None":
        if digits is None:
            return None
        if digits not in self._salted:
            self._salted[digits] = pin.salted(b"salt", digits)
        return self._salted[digits]

    def rights(self) -> "credential.Rights":
        """The levels and hours in force."""
        levels = {}
        for name in self.levels:
            levels[name] = [credential.Right(*right) for right in self.levels[name]]
        hours = {}
        for name in house.HOURS:
            hours[name] = schedule.parse(house.HOURS[name][3])
        days = [house.HOLIDAY // house.DAY_S]
        return credential.Rights(levels, hours, days, self.policy[0], self.policy[1])
