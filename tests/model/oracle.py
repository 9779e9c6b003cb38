"""Who may enter, told by the contract's words alone: a second, simple opinion about every presentation.

It knows the building (`house`), what was done (the calls), the time and what was recorded of doors (a
verdict, a mode), keeps its own books, and knows nothing of the code that is tested. Order of the reasons:
CONTRACT.md, section 3. Where it is silent, `house` and the comments here say what people would expect.
"""

from collections.abc import Callable
from typing import Any

import house
from whereabouts import Areas

Decision = tuple[str, str, str | None, int | None]  # type, access point, reason, credential
Person = dict[str, Any]

BY_STATE = {
    "suspended": "credential_suspended",
    "lost": "credential_lost",
    "cancelled": "credential_cancelled",
}
STRICTEST = ("card+pin", "card", "pin", "card-or-pin")


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
        self.wrong_kept_s: list[int] = []
        self.blocked_until_ms = 0
        self.blocked_until_s = 0
        self.digits: str | None = None  # keys so far; None: nobody keys
        self.card: Person | None = None  # whose PIN is awaited
        self.late_ms = 0  # when the keying is over
        self.refused: Person | None = None  # a card that was; its PIN may still tell of duress
        self.refused_digits = ""
        self.refused_until_ms = 0
        self.bad_ms: int | None = None
        self.first: Person | None = None  # who waits for a second person
        self.first_until_ms = 0


class KeyBlock:
    """Wrong PINs typed with one key."""

    def __init__(self) -> None:
        self.wrong = 0
        self.blocks = 0
        self.until_ms = 0
        self.until_s = 0

    def length_ms(self) -> int:
        """Of the block that it is in; each is twice as long as the one before."""
        doublings = max(0, self.blocks - 1)
        length_ms: int = house.KEY_BLOCK_MS * 2 ** min(doublings, 20)
        return min(length_ms, house.KEY_BLOCK_MAX_MS)


class Oracle:
    """The second opinion. Give it every call; take the decisions and alarms that must follow."""

    def __init__(
        self,
        people: dict[int, Any],
        levels: dict[str, Any],
        policy: list[bool],
        active: dict[str, bool],
        is_free: Callable[[str], bool],
    ) -> None:
        self.people = people  # the same people: what changes in them changes for both
        self.levels = levels
        self.policy = policy
        self.active = active  # what of the alarm points is active
        self.is_free = is_free  # whether a portal is open or unlocked
        self.modes = {name: part["mode"] for name, part in house.PORTALS.items()}
        self.spent: dict[int, int] = {}
        self.first_s: dict[int, int] = {}
        self.key_blocks: dict[int, KeyBlock] = {}
        self.readers = {name: Reader() for name in house.ACCESS_POINTS}
        self.areas = Areas()
        self.decided: list[Decision] = []
        self.misused: list[tuple[str, str]] = []  # (access point, alarm class)

    def take(self) -> tuple[list[Decision], list[tuple[str, str]]]:
        """What was to be decided and raised since the last time."""
        decided, misused = sorted(self.decided, key=str), sorted(self.misused)
        self.decided, self.misused = [], []
        return decided, misused

    # ---- told --------------------------------------------------------------------------------------

    def told(self, type: str, fields: Any, now: Any) -> None:
        """A record of a door: who passed, or what mode it is in now."""
        if type == "portal.mode":
            self.modes[fields["portal"]] = fields["mode"]
        elif type in ("access.taken", "access.not_taken"):
            self.areas.verdict(fields["portal"], type == "access.taken", now)

    def hear(self, call: list[Any], now: Any) -> None:
        """One call of the core."""
        self.areas.pass_time(now)
        if call[0] != "start":
            for name in sorted(self.readers):
                self._time_out(name, now)
        handler = getattr(self, "_on_" + call[0], None)
        if handler is not None:
            handler(now, *call[1:])

    def _on_card(self, now: Any, name: str, number: str) -> None:
        self.readers[name].refused = None
        self._displace(name, now)

    _on_code = _on_card

    def _on_bad(self, now: Any, name: str) -> None:
        reader = self.readers[name]
        if reader.bad_ms is None or now.ms - reader.bad_ms >= 1000:
            reader.bad_ms = now.ms
            self._deny(name, "bad_read", None, now)

    def _on_key(self, now: Any, name: str, key: str) -> None:
        reader = self.readers[name]
        self._overhear(name, reader, key)
        alone = self._way(name, now) in ("pin", "card-or-pin")
        if reader.card is None and not alone:
            return
        if key == "#":
            if reader.card is not None:
                card, digits = reader.card, reader.digits or ""
                self._drop(name)
                self._with_pin(name, card, digits, now)
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
        if who is not None and (who["duress"] or (kind == "pin" and value == who["duress_pin"])):
            self.misused.append((name, "duress"))
        reader = self.readers[name]
        if kind != "pin":
            reader.refused = None
        if who is None:
            unknown = "wrong_pin" if kind == "pin" else "unknown_credential"
            blocked = self._blocked(name, now)
            return self._deny(name, "reader_blocked" if blocked else unknown, None, now)
        way = self._way(name, now)
        taken = way in ("pin", "card-or-pin") if kind == "pin" else way != "pin"
        reason = self._against(who, name, now, taken)
        if self._blocked(name, now):
            reason = "reader_blocked"
        if reason is not None:
            if kind != "pin" and way == "card+pin" and reader.card is None:
                # Whoever is forced types the PIN that says so, whatever the card came to.
                reader.refused, reader.refused_digits = dict(who), ""
                reader.refused_until_ms = now.ms + house.PIN_TIMEOUT_MS
            return self._deny(name, reason, who, now)
        if kind != "pin" and way == "card+pin":
            self._displace(name, now)
            # The key as it was found a moment ago: its PIN follows within ten seconds.
            reader.card, reader.digits = dict(who), ""
            reader.late_ms = now.ms + house.PIN_TIMEOUT_MS
            return None
        return self._good(name, dict(who), now)

    def _on_recall(self, now: Any, number: int) -> None:
        """A key was changed: whoever waits with it has to show it again."""
        for name, reader in self.readers.items():
            if reader.card is not None and reader.card["id"] == number:
                self._displace(name, now)
            first = reader.first
            if first is not None and first["id"] == number:
                reader.first = None
                self._missing(name, first, now)

    def _on_forgive(self, now: Any, area: str | None, who: str | None) -> None:
        self.areas.forgive(area, who)

    def _on_start(self, now: Any) -> None:
        """After a power cut: blocks by the wall clock, nobody at a keypad."""
        self.areas.restart(now)
        for name in self.readers:
            before = self.readers[name]
            after = self.readers[name] = Reader()
            left_s = min(before.blocked_until_s - now.utc_s, house.BLOCK_MS // 1000)
            after.blocked_until_s = before.blocked_until_s
            if left_s > 0:
                after.blocked_until_ms = now.ms + left_s * 1000
            else:
                after.wrong_kept_s = before.wrong_kept_s
                ages_s = sorted([max(0, now.utc_s - at_s) for at_s in after.wrong_kept_s])
                recent = ages_s[: house.WRONG_ATTEMPTS - 1]
                after.wrong = [now.ms - age_s * 1000 for age_s in reversed(recent)]
        for block in self.key_blocks.values():
            left_ms = max(0, block.until_s - now.utc_s) * 1000
            block.until_ms = now.ms + min(left_ms, block.length_ms())

    # ---- opinions ----------------------------------------------------------------------------------

    def _against(self, who: Person, name: str, now: Any, taken: bool = True) -> str | None:
        """The first reason from credential_lost to credential_blocked."""
        lenient, narrowed = self.policy
        if who["state"] != "active":
            return BY_STATE[who["state"]]
        if who["uses"] is not None and self.spent.get(who["id"], 0) >= who["uses"]:
            return "uses_exhausted"
        right = self._by_right(who, name, now)
        ends = [] if who["to_s"] is None else [who["to_s"]]
        if who["first_use_s"] is not None and who["id"] in self.first_s:
            ends.append(self.first_s[who["id"]] + who["first_use_s"])
        limited = bool(ends) or who["from_s"] is not None or who["first_use_s"] is not None
        if right == "clock_untrusted" or (limited and not now.trusted and not lenient):
            return "clock_untrusted"
        if who["from_s"] is not None and now.utc_s < who["from_s"]:
            return "not_yet_valid"
        if ends and now.utc_s >= min(ends):
            return "credential_expired"
        if right == "no_right" or not taken or (narrowed and not self._stays(who, now)):
            return "no_right"
        mode = self.modes[house.ACCESS_POINTS[name]["portal"]]
        if mode == "blocked":
            return "portal_blocked"
        if mode == "locked_down" and not who["override"]:
            return "locked_down"
        if right is not None:
            return right
        block = self.key_blocks.get(who["id"])
        return "credential_blocked" if block is not None and now.ms < block.until_ms else None

    def _by_right(self, who: Person, name: str, now: Any) -> str | None:
        """What the levels say; a denial beats every grant."""
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
        if not now.trusted and not self.policy[0]:
            return "clock_untrusted" if takes or None not in gives else None
        if any(within(hours, now.local_s) for hours in takes):
            return "outside_schedule"
        if None not in gives and not any(within(hours, now.local_s) for hours in gives):
            return "outside_schedule"
        return None

    def _stays(self, who: Person, now: Any) -> bool:
        """For whom nobody has to vouch: no end, or one that is far from the begin (else from now)."""
        if who["uses"] is not None or who["first_use_s"] is not None:
            return False
        if who["to_s"] is None:
            return True
        from_s = who["from_s"] if who["from_s"] is not None else now.utc_s
        return bool(who["to_s"] - from_s >= house.LONG_S)

    def _meanwhile(self, who: Person, name: str, now: Any) -> str | None:
        return "reader_blocked" if self._blocked(name, now) else self._against(who, name, now)

    def _with_pin(self, name: str, who: Person, digits: str, now: Any) -> None:
        if digits and digits == who["duress_pin"]:
            self.misused.append((name, "duress"))
        reason = self._meanwhile(who, name, now)
        if reason is None and (not digits or digits not in (who["pin"], who["duress_pin"])):
            reason = "wrong_pin"
            self._wrong_with(who["id"], now)
        if reason is not None:
            return self._deny(name, reason, who, now)
        return self._good(name, who, now)

    def _wrong_with(self, number: int, now: Any) -> None:
        block = self.key_blocks.setdefault(number, KeyBlock())
        block.wrong += 1
        if block.wrong >= house.KEY_WRONG_ATTEMPTS:
            block.wrong = 0
            block.blocks += 1
            block.until_ms = now.ms + block.length_ms()
            block.until_s = now.utc_s + block.length_ms() // 1000

    def _good(self, name: str, who: Person, now: Any) -> None:
        """Somebody is who they should be: the rules of the house."""
        pair = house.ACCESS_POINTS[name]["pair"]
        reader = self.readers[name]
        if pair == "off":
            reason = self._by_house(name, who, None, now)
            return (
                self._grant(name, [who], now)
                if reason is None
                else self._deny(name, reason, who, now)
            )
        first = reader.first
        if first is None or not self._beside(pair, first, who):
            reader.first, reader.first_until_ms = who, now.ms + house.SECOND_PERSON_MS
            if first is not None:
                self._missing(name, first, now)
            return None
        reason = self._meanwhile(first, name, now) or self._by_house(name, first, None, now)
        if reason is not None:
            reader.first, reader.first_until_ms = who, now.ms + house.SECOND_PERSON_MS
            return self._deny(name, reason, first, now)
        reason = self._by_house(name, who, first, now)
        if reason is not None:
            return self._deny(name, reason, who, now)
        reader.first = None
        return self._grant(name, [first, who], now)

    def _beside(self, pair: str, first: Person, second: Person) -> bool:
        if first["holder"] == second["holder"]:
            return False
        if pair == "any":
            return True
        groups = (first["group"], second["group"])
        return None not in groups and groups[0] != groups[1]

    def _missing(self, name: str, who: Person, now: Any) -> None:
        reason = self._meanwhile(who, name, now)
        self._deny(name, reason or "second_person_missing", who, now)

    def _by_house(self, name: str, who: Person, beside: Person | None, now: Any) -> str | None:
        reason = self.areas.refusal(name, who, beside, now)
        if reason is not None:
            return reason
        portal = house.ACCESS_POINTS[name]["portal"]
        for group in house.INTERLOCKS.values():
            if portal in group and any(self.is_free(one) for one in group if one != portal):
                return "interlock"
        return None

    def _displace(self, name: str, now: Any) -> None:
        """Something else is shown: a card that waited for its PIN waits no longer."""
        card = self.readers[name].card
        self._drop(name)
        if card is not None:
            self._deny(name, self._meanwhile(card, name, now) or "pin_timeout", card, now)

    def _overhear(self, name: str, reader: Reader, key: str) -> None:
        if reader.refused is None:
            return
        if key == "#":
            if reader.refused_digits and reader.refused_digits == reader.refused["duress_pin"]:
                self.misused.append((name, "duress"))
            reader.refused = None
        else:
            reader.refused_digits = "" if key == "*" else reader.refused_digits + key

    def _time_out(self, name: str, now: Any) -> None:
        reader = self.readers[name]
        if reader.refused is not None and now.ms >= reader.refused_until_ms:
            reader.refused = None
        if (reader.card is not None or reader.digits is not None) and now.ms >= reader.late_ms:
            card = reader.card
            self._drop(name)
            if card is None:
                blocked = self._blocked(name, now)
                self._deny(name, "reader_blocked" if blocked else "pin_timeout", None, now)
            else:
                self._deny(name, self._meanwhile(card, name, now) or "pin_timeout", card, now)
        if reader.first is not None and now.ms >= reader.first_until_ms:
            first, reader.first = reader.first, None
            self._missing(name, first, now)

    def _grant(self, name: str, people: list[Person], now: Any) -> None:
        self.readers[name].wrong = []
        self.readers[name].wrong_kept_s = []
        for who in people:
            if who["uses"] is not None or who["first_use_s"] is not None:
                self.spent[who["id"]] = self.spent.get(who["id"], 0) + 1
                self.first_s.setdefault(who["id"], now.utc_s)
            self.key_blocks.pop(who["id"], None)
            self.areas.let_in(name, who)
            self.decided.append(("access.granted", name, None, who["id"]))

    def _deny(self, name: str, reason: str, who: Person | None, now: Any) -> None:
        self.decided.append(("access.denied", name, reason, None if who is None else who["id"]))
        reader = self.readers[name]
        if reason not in ("unknown_credential", "wrong_pin"):
            return
        reader.wrong = [at for at in reader.wrong if now.ms - at < house.WRONG_WINDOW_MS]
        reader.wrong.append(now.ms)
        reader.wrong_kept_s = [now.utc_s - (now.ms - at) // 1000 for at in reader.wrong]
        if len(reader.wrong) >= house.WRONG_ATTEMPTS:
            reader.wrong, reader.wrong_kept_s = [], []
            reader.blocked_until_ms = now.ms + house.BLOCK_MS
            reader.blocked_until_s = now.utc_s + house.BLOCK_MS // 1000
            self.misused.append((name, "wrong_attempts"))

    # ---- books -------------------------------------------------------------------------------------

    def _way(self, name: str, now: Any) -> str:
        """How somebody is verified now: the strictest way while nobody knows what time it is."""
        part = house.ACCESS_POINTS[name]
        ways = [part["way"]] + [way for _, way in part["way_at"]]
        if part["way_at"] and not now.trusted:
            return str(min(ways, key=STRICTEST.index))
        for hours, way in part["way_at"]:
            if within(hours, now.local_s):
                return str(way)
        return str(part["way"])

    def _blocked(self, name: str, now: Any) -> bool:
        """Too many wrong attempts, or the reader's housing stands open."""
        reader = house.ACCESS_POINTS[name]["reader"]
        if reader is not None and self.active.get(reader):
            return True
        return bool(now.ms < self.readers[name].blocked_until_ms)

    def _drop(self, name: str) -> None:
        self.readers[name].digits = None
        self.readers[name].card = None

    def _owner(self, kind: str, value: str) -> Person | None:
        for who in self.people.values():
            mine = (who["pin"], who["duress_pin"]) if kind == "pin" else (who[kind],)
            if value in mine:
                found: Person = who
                return found
        return None
