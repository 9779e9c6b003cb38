"""Laws 2 and 5: nobody is let in who may not be, by a small model of its own of who may.

Judges every `access.granted`: was that key shown there, is it in force, has it ended, may it here and now,
has it a use left? What depends on the time is judged by the true time while nobody touched the clock, and
by the records themselves otherwise: a key that ended before a trusted record was made has ended.
"""

from typing import Any

from firmware.access import credential, schedule
from firmware.wire import card_number
from sim.fake_clock import zone_offset
from sim.person import Person
from sim.soak.breach import Breach
from sim.soak.truth import SHOWN_MS, Truth, utc_s

SHOWN = {"card": ("card",), "pin": ("pin",), "card+pin": ("card", "pin"), "qr": ("qr",)}
SLACK_S = 2  #: a clock that drifts unseen, and what was shown before a deadline


class Keys:
    """The keys of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._used: dict[int, int] = {}
        self._offset_s = zone_offset(truth.config["controller"]["timezone"])
        self.changed: set[int] = set()  # keys that a command has changed: no longer ours to judge

    def written(self, event: dict[str, Any], at_ms: int, mode: str) -> None:
        """A record is durable; `mode` is that of its portal."""
        if event["type"] == "access.granted":
            self._granted(event, at_ms, mode)
        elif event["type"] == "credential.changed":
            self.changed.add(int(event["credential"]))

    def _granted(self, event: dict[str, Any], at_ms: int, mode: str) -> None:
        number, point = event.get("credential"), event["access_point"]
        person = self._truth.people.get(int(number or 0))
        if number in self.changed:
            return
        if person is None and not self._truth.roomy_for(at_ms):
            return  # enrolled, and the record of it found no room
        if person is None:
            self._broken("2 unknown key", f"{point}: granted to nobody at {at_ms} ms")
            return
        who = f"{point}: {person.name} granted at {at_ms} ms"
        self._was_shown(event, person, at_ms, who)
        if person.state != credential.ACTIVE:
            self._broken(f"5 {person.state}", f"{who}; the key is {person.state}")
        if mode in ("blocked", "locked_down") and not (mode == "locked_down" and person.override):
            self._broken("2 mode", f"{who}; the portal is {mode}")
        may = person.access_points is None or point in person.access_points
        if not may or point in person.deny:
            self._broken("2 no right", f"{who}; the key is not for here")
        self._in_time(event, person, at_ms, who)
        self._used[person.credential] = self._used.get(person.credential, 0) + 1
        spent = person.uses is not None and self._used[person.credential] > person.uses
        if spent and not self._truth.corrupted:
            self._broken("5 uses", f"{who}; its {person.uses} uses are spent")

    def _was_shown(self, event: dict[str, Any], person: Person, at_ms: int, who: str) -> None:
        cards = [one for one in (person.card, person.duress_card) if one is not None]
        numbers = [card_number.parse(one) for one in cards]
        for kind in SHOWN[event["verification"]]:
            found = False
            for shown_ms, point, what, value in self._truth.shown:
                if point != event["access_point"] or what != kind:
                    continue
                if not at_ms - SHOWN_MS <= shown_ms <= at_ms:
                    continue
                if kind == "card":
                    found = found or value in numbers or _same_uid(value, numbers)
                elif kind == "qr":
                    found = found or value == person.qr
                else:
                    pins = [one for one in (person.pin, person.duress_pin) if one is not None]
                    found = found or any(pin in value for pin in pins)
            if not found:
                self._broken("2 not shown", f"{who}; nobody showed that {kind}")

    def _in_time(self, event: dict[str, Any], person: Person, at_ms: int, who: str) -> None:
        truth = self._truth
        own_s = utc_s(event["time"])
        if person.valid_to_s is not None:
            if event["clock"] == "trusted" and own_s >= person.valid_to_s + SLACK_S:
                self._broken("5 ended", f"{who}; the record's own time is after its end")
            if truth.trusted_s >= person.valid_to_s + SLACK_S:
                self._broken("5 revived", f"{who}; it had ended by an earlier record")
        if truth.clock_touched:
            return
        true_s = truth.utc_ms(at_ms) // 1000
        if person.valid_to_s is not None and true_s >= person.valid_to_s + SLACK_S:
            self._broken("5 ended", f"{who}; it ended before")
        if person.valid_from_s is not None and true_s < person.valid_from_s - SLACK_S:
            self._broken("5 early", f"{who}; it begins later")
        if person.hours is not None and truth.config["controller"]["rtc"]:
            seconds = (true_s - SLACK_S, true_s, true_s + SLACK_S)
            if not any(self._within(person.hours, second) for second in seconds):
                self._broken("5 hours", f"{who}; not in its hours")

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


def _same_uid(value: str, numbers: list[str]) -> bool:
    """Whether a 4-byte uid and a w34 of the same bytes are among them: one credential."""
    form, _, rest = value.partition(":")
    if form == "uid" and len(rest) == 8:
        return "w34:%010d" % int(rest, 16) in numbers
    if form == "w34":
        return "uid:%08X" % int(rest) in numbers
    return False
