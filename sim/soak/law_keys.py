"""Laws 2 and 5: nobody is let in who may not be, by a small model of its own of who may; and the rest may.

Judges every `access.granted`: was that key shown there, is it in force, has it ended, may it here and now,
has it a use left? And of every `access.denied` whether its reason is so. What depends on the time is judged
by the true time while nobody touched the clock, and by the records themselves otherwise: a key that ended
before a trusted record was made has ended; a clock that leaps ahead ends no key that lasts longer than it
may leap.
"""

from typing import Any

from firmware.access import credential, schedule
from firmware.wire import card_number
from sim.fake_clock import zone_offset
from sim.person import Person
from sim.soak.breach import Breach
from sim.soak.key_book import ENROLLED, Key, KeyBook
from sim.soak.truth import SHOWN_MS, Truth, utc_s

SHOWN = {"card": ("card",), "pin": ("pin",), "card+pin": ("card", "pin"), "qr": ("qr",)}
STATES = {
    credential.CREDENTIAL_LOST: credential.LOST,
    credential.CREDENTIAL_CANCELLED: credential.CANCELLED,
    credential.CREDENTIAL_SUSPENDED: credential.SUSPENDED,
}
LEAP_S = 86_400  #: a clock that gains more in a day is not believed
SOON_MS = 1500  #: from what was shown to its decision, where nothing is waited for
SLACK_S = 2  #: a clock that drifts unseen, and what was shown before a deadline


class Keys:
    """The keys of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._used: dict[int, int] = {}
        self._offset_s = zone_offset(truth.config["controller"]["timezone"])
        self.book = KeyBook(truth)

    def written(self, event: dict[str, Any], at_ms: int, mode: str) -> None:
        """A record is durable; `mode` is that of its portal."""
        if event["type"] == "access.granted":
            self._granted(event, at_ms, mode)
        elif event["type"] == "access.denied" and mode and event.get("credential"):
            self._denied(event, at_ms, mode)
        self.book.written(event, at_ms)

    def _keys(self, event: dict[str, Any], at_ms: int) -> list[Key]:
        point = self._truth.config["access_points"][event["access_point"]]
        waits = point["two_person"] != "off" or "+" in str(point["verification"])
        waits = waits or bool(point["verification_at"]) or not self._truth.storage_for(10_000)
        return self.book.at(
            int(event.get("credential") or 0), at_ms, SHOWN_MS if waits else SOON_MS
        )

    def _granted(self, event: dict[str, Any], at_ms: int, mode: str) -> None:
        number, point = int(event.get("credential") or 0), event["access_point"]
        used = self._used[number] = self._used.get(number, 0) + 1
        wrong = []
        for key in self._keys(event, at_ms):
            if key is None:
                if self._truth.roomy_for(at_ms):  # else changed, and the record of it found no room
                    law = "5 removed" if number in self._truth.people else "2 unknown key"
                    wrong.append((law, f"{point}: granted to nobody at {at_ms} ms"))
                    continue
                return
            found = self._why_not(event, key, at_ms, mode, used)
            if found is None:
                return
            wrong.append(found)
        self._broken(*wrong[0])

    def _why_not(
        self, event: dict[str, Any], person: Person, at_ms: int, mode: str, used: int
    ) -> tuple[str, str] | None:
        """Why `person` may not have been granted: the law and a text; None: they may."""
        point = event["access_point"]
        who = f"{point}: {person.name} granted at {at_ms} ms"
        shown = self._not_shown(event, person, at_ms)
        if shown:
            return "2 not shown", f"{who}; nobody showed that {shown}"
        if person.state != credential.ACTIVE:
            return f"5 {person.state}", f"{who}; the key is {person.state}"
        if mode in ("blocked", "locked_down") and not (mode == "locked_down" and person.override):
            return "2 mode", f"{who}; the portal is {mode}"
        if not _may(person, point):
            return "2 no right", f"{who}; the key is not for here"
        if person.uses is not None and used > person.uses:
            return "5 uses", f"{who}; its {person.uses} uses are spent"
        return self._out_of_time(event, person, at_ms, who)

    def _not_shown(self, event: dict[str, Any], person: Person, at_ms: int) -> str:
        """What nobody showed of what opened; "": it was shown."""
        cards = [one for one in (person.card, person.duress_card) if one is not None]
        numbers = [one if one == ENROLLED else card_number.parse(one) for one in cards]
        for kind in SHOWN[event["verification"]]:
            found = False
            for shown_ms, point, what, value in self._truth.shown:
                if point != event["access_point"] or what != kind:
                    continue
                if not at_ms - SHOWN_MS <= shown_ms <= at_ms:
                    continue
                if kind == "card":
                    found = found or value in numbers or _same_uid(value, numbers)
                    found = found or ENROLLED in numbers
                elif kind == "qr":
                    found = found or value == person.qr
                else:
                    pins = [one for one in (person.pin, person.duress_pin) if one is not None]
                    found = found or any(pin in value for pin in pins)
            if not found:
                return kind
        return ""

    def _out_of_time(
        self, event: dict[str, Any], person: Person, at_ms: int, who: str
    ) -> tuple[str, str] | None:
        truth = self._truth
        own_s = utc_s(event["time"])
        if person.valid_to_s is not None:
            if event["clock"] == "trusted" and own_s >= person.valid_to_s + SLACK_S:
                return "5 ended", f"{who}; the record's own time is after its end"
            if truth.trusted_s >= person.valid_to_s + SLACK_S:
                return "5 revived", f"{who}; it had ended by an earlier record"
        if truth.clock_touched:
            return None
        true_s = truth.utc_ms(at_ms) // 1000
        if person.valid_to_s is not None and true_s >= person.valid_to_s + SLACK_S:
            return "5 ended", f"{who}; it ended before"
        if person.valid_from_s is not None and true_s < person.valid_from_s - SLACK_S:
            return "5 early", f"{who}; it begins later"
        if person.hours is not None and truth.config["controller"]["rtc"]:
            seconds = (true_s - SLACK_S, true_s, true_s + SLACK_S)
            if not any(self._within(person.hours, second) for second in seconds):
                return "5 hours", f"{who}; not in its hours"
        return None

    # ---- who is refused ----------------------------------------------------------------------------

    def _denied(self, event: dict[str, Any], at_ms: int, mode: str) -> None:
        """The reason that a record gives is so, of one that the key may be."""
        keys = [one for one in self._keys(event, at_ms) if one is not None]
        if keys and not any(self._is_so(event, key, at_ms, mode) for key in keys):
            who = f"{event['access_point']}: {keys[0].name} denied at {at_ms} ms"
            self._broken("5 denied", f"{who} as {event['reason']}, which is not so")

    def _is_so(self, event: dict[str, Any], key: Person, at_ms: int, mode: str) -> bool:
        reason, truth = event["reason"], self._truth
        limited = key.valid_from_s is not None or key.valid_to_s is not None
        limited = limited or key.first_use_minutes is not None
        if reason in STATES:
            return key.state == STATES[reason]
        if reason == credential.USES_EXHAUSTED:
            spent = self._used.get(key.credential, 0) >= (key.uses or 0)
            return key.uses is not None and (spent or not truth.roomy_for(at_ms))
        if reason == credential.CLOCK_UNTRUSTED:
            return event["clock"] == "untrusted" and (limited or key.hours is not None)
        if reason == credential.NOT_YET_VALID:
            begins_s = key.valid_from_s
            return begins_s is not None and (truth.clock_touched or self._true_s(at_ms) <= begins_s)
        if reason == credential.CREDENTIAL_EXPIRED:
            return key.first_use_minutes is not None or self._may_have_ended(key.valid_to_s, at_ms)
        if reason == credential.NO_RIGHT:
            return not _may(key, event["access_point"]) or not self._takes_cards(event)
        if reason == credential.OUTSIDE_SCHEDULE:
            return key.hours is not None
        if reason == credential.PORTAL_BLOCKED:
            return mode == "blocked"
        if reason == credential.LOCKED_DOWN:
            return mode == "locked_down" and not key.override
        return True

    def _true_s(self, at_ms: int) -> int:
        return self._truth.utc_ms(at_ms) // 1000 - SLACK_S

    def _may_have_ended(self, ends_s: int | None, at_ms: int) -> bool:
        """Whether a key may be taken for ended: it has, or the clock was set and may be believed."""
        truth = self._truth
        if ends_s is None:
            return False
        late_s = self._true_s(at_ms) + 2 * SLACK_S
        if truth.clock_touched:
            if truth.clock_set or truth.started_ms() >= truth.clock_touched_ms:
                return True  # the owner's word, or what the first source after a start says, is believed
            late_s += LEAP_S * (1 + (at_ms - truth.clock_touched_ms) // (LEAP_S * 1000))
        return late_s >= ends_s

    def _takes_cards(self, event: dict[str, Any]) -> bool:
        """Whether whatever is shown there is taken: no PIN alone, no code that it does not take."""
        part = self._truth.config["access_points"][event["access_point"]]
        if part["verification"] != "card-or-pin" or part["verification_at"]:
            return False
        narrows = self._truth.config["controller"]["narrow_after_h"] is not None
        return not (narrows and self._truth.clock_touched)

    def _within(self, hours: list[str], utc_s: int) -> bool:
        local_s = utc_s + self._offset_s(utc_s)
        return any(_line_holds(line, local_s) for line in hours)

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _line_holds(line: str, local_s: int) -> bool:
    """Whether a line such as ``mon-fri 08:00-12:00`` holds; an end before its start is on the next day."""
    days, _, times = line.partition(" ")
    first, last = (_minutes(part) for part in times.split("-"))
    day, minute = local_s // schedule.DAY_S, local_s % schedule.DAY_S // 60
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    if first < last:
        return _on(days, weekday) and first <= minute < last
    began_today = _on(days, weekday) and minute >= first
    return began_today or (_on(days, (weekday + 6) % 7) and minute < last)


def _on(days: str, weekday: int) -> bool:
    if days == "daily":
        return True
    first, _, last = days.partition("-")
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    return start <= weekday <= end


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _may(person: Person, point: str) -> bool:
    """Whether the key is for there, at some time."""
    may = person.access_points is None or point in person.access_points
    return may and point not in person.deny


def _same_uid(value: str, numbers: list[str]) -> bool:
    """Whether a 4-byte uid and a w34 of the same bytes are among them: one credential."""
    form, _, rest = value.partition(":")
    if form == "uid" and len(rest) == 8:
        return "w34:%010d" % int(rest, 16) in numbers
    if form == "w34":
        return "uid:%08X" % int(rest) in numbers
    return False
