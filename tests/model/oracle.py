"""Who may enter, told by the contract's words alone: a second, simple opinion about every presentation.

It knows the building (`house`), what was done (the calls) and the time, keeps its own books, and knows
nothing of the code that is tested. Order of the reasons: CONTRACT.md, section 3.
"""

from typing import Any

import house

Decision = tuple[str, str, str | None, int | None]  # type, access point, reason, credential

BY_STATE = {
    "suspended": "credential_suspended",
    "lost": "credential_lost",
    "cancelled": "credential_cancelled",
}


def within(name: str, local_s: int) -> bool:
    """Whether the hours `name` hold at a local time; a stretch beyond midnight belongs to its day."""
    days, from_min, to_min, _ = house.HOURS[name]
    for back in (0, 1):
        midnight_s = local_s // house.DAY_S * house.DAY_S - back * house.DAY_S
        weekday = 7 if midnight_s == house.HOLIDAY else (midnight_s // house.DAY_S + 3) % 7
        if weekday in days and from_min * 60 <= local_s - midnight_s < to_min * 60:
            return True
    return False


class Reader:
    """What one access point remembers."""

    def __init__(self) -> None:
        self.wrong: list[int] = []
        self.wrong_s: list[int] = []  # the same by the wall clock, for after a power cut
        self.blocked_until_ms = 0
        self.blocked_until_s = 0
        self.digits: str | None = None  # keys so far; None: nobody keys
        self.card: dict[str, Any] | None = None  # whose PIN is awaited
        self.late_ms = 0  # when the keying is over
        self.bad_ms: int | None = None


class Own:
    """What a key itself remembers of wrong PINs that were typed after it."""

    def __init__(self) -> None:
        self.wrong = self.blocks = self.until_ms = self.until_s = 0


class Oracle:
    """The second opinion. Give it every call; take the decisions and alarms that must follow."""

    def __init__(self, people: dict[int, Any], levels: dict[str, Any]) -> None:
        self.people = people  # the same people: what changes in them changes for both
        self.levels = levels
        self.modes = {name: part["mode"] for name, part in house.PORTALS.items()}
        self.spent: dict[int, int] = {}
        self.first_s: dict[int, int] = {}
        self.readers = {name: Reader() for name in house.ACCESS_POINTS}
        self.owns: dict[int, Own] = {}
        self.decided: list[Decision] = []
        self.misused: list[tuple[str, str]] = []  # (access point, alarm class)

    def take(self) -> tuple[list[Decision], list[tuple[str, str]]]:
        """What was to be decided and raised since the last time."""
        decided, misused = sorted(self.decided, key=str), sorted(self.misused)
        self.decided, self.misused = [], []
        return decided, misused

    # ---- calls -------------------------------------------------------------------------------------

    def hear(self, call: list[Any], now: Any) -> None:
        """One call of the core."""
        for name in sorted(self.readers):
            self._time_out(name, now)
        handler = getattr(self, "_on_" + call[0], None)
        if handler is not None:
            handler(now, *call[1:])

    def _on_card(self, now: Any, name: str, number: str) -> None:
        self._drop(name)

    _on_code = _on_card

    def _on_bad(self, now: Any, name: str) -> None:
        reader = self.readers[name]
        if reader.bad_ms is None or now.ms - reader.bad_ms >= 1000:
            reader.bad_ms = now.ms
            self._deny(name, "bad_read", None, now)

    def _on_key(self, now: Any, name: str, key: str) -> None:
        reader = self.readers[name]
        alone = self._way(name, now) in ("pin", "card-or-pin")
        if reader.card is None and not alone:
            return
        if key == "#":
            if reader.card is not None:
                self._with_pin(name, reader.card, reader.digits or "", now)
                self._drop(name)
            elif reader.digits is not None:
                self._drop(name)  # its look-up follows
        elif key == "*":
            if reader.card is None:
                self._drop(name)
            else:
                reader.digits = ""
        else:
            if reader.card is None and reader.digits is None:
                reader.late_ms = now.ms + house.PIN_TIMEOUT_MS
            reader.digits = (reader.digits or "") + key

    def _on_found(self, now: Any, name: str, kind: str, value: str) -> None:
        who = self._owner(kind, value)
        if who is not None and who["state"] in ("lost", "cancelled"):
            self.misused.append((name, "credential_misuse"))
        if self._blocked(name, now):
            self._deny(name, "reader_blocked", who, now)
        elif who is None:
            self._deny(name, "wrong_pin" if kind == "pin" else "unknown_credential", None, now)
        else:
            way = self._way(name, now)
            reason = self._against(who, name, now, kind == "pin" or way != "pin")
            if reason is not None:
                self._deny(name, reason, who, now)
            elif kind != "pin" and way == "card+pin":
                reader = self.readers[name]
                # The key as it was found a moment ago: its PIN follows within ten seconds.
                reader.card, reader.digits = dict(who), ""
                reader.late_ms = now.ms + house.PIN_TIMEOUT_MS
            else:
                self._grant(name, who, now)

    def _on_mode(self, now: Any, name: str, mode: str) -> None:
        self.modes[name] = mode

    def _on_start(self, now: Any) -> None:
        """After a power cut: blocks by the wall clock, nobody at a keypad."""
        for own in self.owns.values():
            left_ms = max(0, own.until_s - now.utc_s) * 1000
            own.until_ms = now.ms + min(left_ms, self._own_ms(own.blocks))
        for name in self.readers:
            before = self.readers[name]
            self.readers[name] = Reader()
            ages_s = [max(0, now.utc_s - at_s) for at_s in before.wrong_s]
            self.readers[name].wrong = sorted(now.ms - age_s * 1000 for age_s in ages_s)
            self.readers[name].wrong_s = before.wrong_s
            left_s = min(before.blocked_until_s - now.utc_s, house.BLOCK_MS // 1000)
            self.readers[name].blocked_until_s = before.blocked_until_s
            if left_s > 0:
                self.readers[name].blocked_until_ms = now.ms + left_s * 1000

    # ---- opinions ----------------------------------------------------------------------------------

    def _against(self, who: dict[str, Any], name: str, now: Any, taken: bool = True) -> str | None:
        """The first reason from credential_lost to outside_schedule."""
        if who["state"] != "active":
            return BY_STATE[who["state"]]
        if who["uses"] is not None and self.spent.get(who["id"], 0) >= who["uses"]:
            return "uses_exhausted"
        ends = [] if who["to_s"] is None else [who["to_s"]]
        if who["first_use_s"] is not None and who["id"] in self.first_s:
            ends.append(self.first_s[who["id"]] + who["first_use_s"])
        limited = bool(ends) or who["from_s"] is not None or who["first_use_s"] is not None
        if limited and not now.trusted:
            return "clock_untrusted"
        if who["from_s"] is not None and now.utc_s < who["from_s"]:
            return "not_yet_valid"
        if ends and now.utc_s >= min(ends):
            return "credential_expired"
        return self._without_right(who, name, now, taken)

    def _own_ms(self, blocks: int) -> int:
        return min(house.BLOCK_MS * 2 ** (blocks - 1), 3600000) if blocks else 0

    def _without_right(self, who: dict[str, Any], name: str, now: Any, taken: bool) -> str | None:
        mine = [
            right
            for level in who["levels"]
            for right in self.levels[level]
            if right[0] in ("*", name)
        ]
        gives = [hours for _, hours, deny in mine if not deny]
        takes = [hours for _, hours, deny in mine if deny]
        if not gives or None in takes:
            return "no_right"
        by_clock = None not in gives or bool(takes)
        if by_clock and not now.trusted:
            return "clock_untrusted"
        if not taken:
            return "no_right"
        mode = self.modes[house.ACCESS_POINTS[name]["portal"]]
        if mode == "blocked":
            return "portal_blocked"
        if mode == "locked_down" and not who["override"]:
            return "locked_down"
        if any(within(hours, now.local_s) for hours in takes):
            return "outside_schedule"
        if None not in gives and not any(within(hours, now.local_s) for hours in gives):
            return "outside_schedule"
        if who["id"] in self.owns and now.ms < self.owns[who["id"]].until_ms:
            return "credential_blocked"
        return None

    def _with_pin(self, name: str, who: dict[str, Any], digits: str, now: Any) -> None:
        if self._blocked(name, now):
            return self._deny(name, "reader_blocked", who, now)
        reason = self._against(who, name, now)
        if reason is not None:
            return self._deny(name, reason, who, now)
        if digits not in (who["pin"], who["duress_pin"]):
            own = self.owns.setdefault(who["id"], Own())
            own.wrong += 1
            if own.wrong == house.WRONG_ATTEMPTS:
                own.wrong, own.blocks = 0, own.blocks + 1
                own.until_ms = now.ms + self._own_ms(own.blocks)
                own.until_s = now.utc_s + self._own_ms(own.blocks) // 1000
            return self._deny(name, "wrong_pin", who, now)
        return self._grant(name, who, now)

    def _time_out(self, name: str, now: Any) -> None:
        reader = self.readers[name]
        if (reader.card is not None or reader.digits is not None) and now.ms >= reader.late_ms:
            reason = None if reader.card is None else self._against(reader.card, name, now)
            reason = "reader_blocked" if self._blocked(name, now) else reason
            self._deny(name, reason or "pin_timeout", reader.card, now)
            self._drop(name)

    def _grant(self, name: str, who: dict[str, Any], now: Any) -> None:
        self.readers[name].wrong, self.readers[name].wrong_s = [], []
        self.owns.pop(who["id"], None)
        if who["uses"] is not None or who["first_use_s"] is not None:
            self.spent[who["id"]] = self.spent.get(who["id"], 0) + 1
            self.first_s.setdefault(who["id"], now.utc_s)
        self.decided.append(("access.granted", name, None, who["id"]))

    def _deny(self, name: str, reason: str, who: dict[str, Any] | None, now: Any) -> None:
        self.decided.append(("access.denied", name, reason, None if who is None else who["id"]))
        reader = self.readers[name]
        if reason not in ("unknown_credential", "wrong_pin"):
            return
        reader.wrong = [at for at in reader.wrong if now.ms - at < house.WRONG_WINDOW_MS]
        reader.wrong.append(now.ms)
        reader.wrong_s = [now.utc_s - (now.ms - at) // 1000 for at in reader.wrong]
        if len(reader.wrong) >= house.WRONG_ATTEMPTS:
            reader.wrong, reader.wrong_s = [], []
            reader.blocked_until_ms = now.ms + house.BLOCK_MS
            reader.blocked_until_s = now.utc_s + house.BLOCK_MS // 1000
            self.misused.append((name, "wrong_attempts"))

    # ---- books -------------------------------------------------------------------------------------

    def _way(self, name: str, now: Any) -> str:
        return str(house.ACCESS_POINTS[name]["way"])

    def _blocked(self, name: str, now: Any) -> bool:
        return bool(now.ms < self.readers[name].blocked_until_ms)

    def _drop(self, name: str) -> None:
        self.readers[name].digits = None
        self.readers[name].card = None

    def _owner(self, kind: str, value: str) -> dict[str, Any] | None:
        for who in self.people.values():
            mine = (who["pin"], who["duress_pin"]) if kind == "pin" else (who[kind],)
            if value in mine:
                found: dict[str, Any] = who
                return found
        return None
