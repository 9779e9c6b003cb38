"""From an event, an alarm or a door's state to one sentence, in the words of `host_tools.words`."""

import datetime
import math
import re
import zoneinfo
from typing import Any

from host_tools import words

_HOLE = re.compile(r"\{(\w+)\}")
_WIRES = ("contact", "supervised_contact", "rex")
#: Alarms that are over at once: only whether somebody has seen them is news.
_MOMENTARY = ("duress", "panic", "credential_misuse", "wrong_attempts")
_FREE_MODES = ("unlocked", "locked_open")
_SECTIONS = ("portals", "access_points", "points", "devices", "partitions", "areas", "automation")


class Sentences:
    """Sentences about one controller. `world` gives titles, people and the zone, as `/api/world` does."""

    def __init__(self, lang: str, world: dict[str, Any]) -> None:
        self._lang = lang
        self._words = words.load(lang)
        self._world = world
        self._zone = zoneinfo.ZoneInfo(world["clock"]["timezone"])

    def time(self, utc: str) -> str:
        """A UTC time as the site's local time with seconds."""
        return _instant(utc).astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def line(self, event: dict[str, Any]) -> str:
        """One row of a list: when, what, which record."""
        mark = "▲" if event["type"] in ("alarm.raised", "alarm.repeated") else " "
        return f"{self.time(event['time'])[11:]} {mark} {self.event(event)}  {event['seq']}"

    def event(self, event: dict[str, Any]) -> str:
        """One event as one sentence."""
        key = f"event.{event['type']}"
        if event["type"] == "access.granted":
            key = f"{key}.{self._way(event)}"
        elif event["type"] == "access.denied" and "credential" in event:
            key = f"{key}.who"
        elif event.get("reason") == "sensor_unavailable":
            key = f"{key}.silent"
        elif event["type"] == "system.egress_test" and _not_passed(event):
            key = f"{key}.bad"
        elif event["type"] == "command.rejected" and event.get("count", 1) > 1:
            key = f"{key}.many"
        return self._say(key if key in self._words else "event.unknown", self._values(event))

    def alarm(self, alarm: dict[str, Any]) -> str:
        """One alarm of `/api/world` as a sentence."""
        return self._say("event.alarm.raised", self._values(alarm))

    def alarm_state(self, alarm: dict[str, Any]) -> str:
        """Since when an alarm is, and whether somebody has seen it."""
        since = self._say("page.since", {"time": self.time(alarm["since"])[11:]})
        key = "page.unseen"
        if alarm["state"] == "acknowledged":
            key = "page.seen_by"
        elif alarm["state"] == "returned" and alarm["class"] not in _MOMENTARY:
            key = "page.over_unseen"
        seen = self._say(key, {"by": self._by(alarm.get("by"))})
        return f"{since} · {seen}"

    def door(self, portal: dict[str, Any]) -> str:
        """What is so for one door: the first line of the table of states that applies, in one phrase."""
        values: dict[str, str | None] = {"time": None, "until": None, "s": None}
        if portal["mode"] is None:
            free = portal["lock"] == "unlocked"
            dead = "door.dead_free" if free else "door.dead_locked"
            return self._say("door.unknown" if self._world["power"] else dead, values)
        until = portal.get("until")
        if until is not None:
            left_s = (_instant(until) - _instant(self._world["clock"]["utc"])).total_seconds()
            values |= {"s": str(max(0, math.ceil(left_s))), "until": self.time(until)[11:16]}
        key = _door_key(portal)
        if key in ("open", "held"):
            values["s"] = self._open_s(portal)
        return self._say(f"door.{key}", values)

    def partition(self, part: dict[str, Any]) -> str:
        """Whether an area is watched, in one phrase."""
        if part["state"] is None:
            return self._say("door.unknown", {"time": None})
        until, left_s = part.get("until"), 0.0
        if until is not None:
            left_s = (_instant(until) - _instant(self._world["clock"]["utc"])).total_seconds()
        return self._say(f"watch.{part['state']}", {"s": str(max(0, math.ceil(left_s)))})

    def aside(self) -> str | None:
        """What the whole controller has to say of itself: no power, no network; None: nothing."""
        if not self._world["power"]:
            return self._say("status.no_power", {})
        if not self._world["network"]:
            n = self._unsent()
            key = {0: "status.alone_none", 1: "status.alone_one"}.get(n, "status.alone")
            return self._say(key, {"n": str(n)})
        return None

    def todo(self, alarm: dict[str, Any]) -> str:
        """What to do about an alarm."""
        return self._words.get(f"todo.{alarm['class']}", "")

    def doors(self) -> str:
        """How many doors there are."""
        n = len(self._world["portals"])
        return self._say("status.doors_one" if n == 1 else "status.doors", {"n": str(n)})

    def records(self) -> str:
        """How many records there are, and how many have not left, or no host has stored."""
        n, waiting, left = self._world["records"], self._world["waiting"], self._unsent()
        key = "wait" if left else "held" if waiting else "sent"
        return self._say(f"page.records_{key}", {"n": str(n), "waiting": str(left or waiting)})

    def _unsent(self) -> int:
        """Of the records that wait those that the broker has not got; nothing is said of others."""
        return max(0, (self._world["waiting"] or 0) - (self._world.get("held") or 0))

    def words(self, key: str, **values: str | None) -> str:
        """The words of a key, filled; its plain form where a value is not known."""
        return self._say(key, values)

    def word(self, group: str, value: Any) -> str | None:
        """One word of a list of the contract, such as a mode; itself where there is none for it."""
        return self._word(group, value)

    def title(self, name: str | None) -> str:
        """What people call a thing of the board config; its name if it has no title."""
        for section in _SECTIONS:
            found = self._world.get(section, {}).get(name)
            if found is not None and found.get("title"):
                return str(found["title"][self._lang])
        return self._words["page.box"] if name == "controller" else str(name)

    def _way(self, event: dict[str, Any]) -> str:
        """Which sentence tells of a grant."""
        at = self._world["access_points"].get(event.get("access_point"), {})
        out = at.get("direction") == "out"
        if event.get("passback") == "violated":
            return "passback.out" if out else "passback"
        if event.get("visit") is not None and not out:
            return "visit"
        return "out" if out else str(event.get("verification", "card"))

    def _values(self, event: dict[str, Any]) -> dict[str, str | None]:
        at = self._world["access_points"].get(event.get("access_point"), {})
        portal = event.get("portal") or at.get("portal")
        point = event.get("point") or event.get("device")
        values: dict[str, str | None] = {key: str(value) for key, value in event.items()}
        values |= dict.fromkeys(("portal", "ap", "partition", "area", "points"))
        for name, thing in (("portal", portal), ("ap", event.get("access_point"))):
            values[name] = None if thing is None else self.title(thing)
        for name in ("partition", "area", "automation"):
            values[name] = None if event.get(name) is None else self.title(event[name])
        if event.get("points"):
            values["points"] = self._between().join(self.title(one) for one in event["points"])
        silent = event.get("type") == "alarm.silenced" and point is None
        values["point"] = None if silent else self.title(point or "controller")
        values["part"] = self.title(event.get("device") or point or event.get("part", "controller"))
        values["who"] = self._who(event)
        values["alarm"] = self._alarm(event)
        for group in ("mode", "change"):
            values[group] = self._word(group, event.get(group))
        values["reason"] = self._word("reason", event.get("reason"))
        values["refused"] = self._word("refused", event.get("reason"))
        values["quality"] = self._word("clock", event.get("quality") or event.get("clock"))
        values["by"] = None if event.get("by") is None else self._by(event["by"])
        values["cause"] = self._with("cause", self._cause(event), values)
        values["op"] = self._with("op", event.get("op"), values)
        values["by"] = self._by(event.get("by"))
        values["until"] = self._until(event)
        tested = event.get("type") == "system.egress_test"
        values["n"] = str(_not_passed(event)) if tested else values.get("count")
        for name in ("gap", "delta", "talk"):
            ms = event.get(f"{name}_ms")
            values[name] = None if ms is None else self._span(ms)
        return values

    def _cause(self, event: dict[str, Any]) -> Any:
        """A cause as the words have it: by a command one door is opened, another one is closed."""
        cause = event.get("cause")
        of_mode = f"{cause}.mode"
        has_own = event.get("type") == "portal.mode" and f"cause.{of_mode}" in self._words
        return of_mode if has_own else cause

    def _alarm(self, event: dict[str, Any]) -> str:
        kind = event.get("class")
        device = self._world["devices"].get(event.get("point"), {})
        if kind == "tamper" and device.get("driver") in _WIRES:
            return self._say("alarm.tamper.line", {})
        attempts = event.get("count") or event.get("attempts")
        n = None if attempts is None else str(attempts)
        return self._with("alarm", kind, {"n": n}) or str(kind)

    def _until(self, event: dict[str, Any]) -> str | None:
        """A time of another day than the event's says which."""
        if not isinstance(event.get("until"), str):
            return None
        until = self.time(event["until"])
        told = self.time(event.get("time") or self._world["clock"]["utc"])
        return until[11:] if until[:10] == told[:10] else until

    def _say(self, key: str, values: "dict[str, str | None]") -> str:
        """The key's words; its plain form, if there is one, when something that they need is not known."""
        key = words.form(self._words, key, values.get("n"))
        known = all(values.get(name) is not None for name in _HOLE.findall(self._words[key]))
        text = self._words[key] if known else self._words.get(f"{key}.plain", self._words[key])
        return _HOLE.sub(lambda hole: values.get(hole[1]) or "?", text)

    def _with(self, group: str, value: Any, values: "dict[str, str | None]") -> str | None:
        """As `_word`, for words that have placeholders of their own."""
        key = f"{group}.{value}"
        return self._say(key, values) if key in self._words else self._word(group, value)

    def _word(self, group: str, value: Any) -> str | None:
        return None if value is None else self._words.get(f"{group}.{value}", str(value))

    def _by(self, by: Any) -> str:
        return self._words.get(f"by.{by or 'unknown'}", str(by))

    def _who(self, event: dict[str, Any]) -> str:
        credential = event.get("credential")
        if event.get("visit") is not None:
            return self._words["who.visitor"]
        if credential is None:
            return self._words["who.someone"]
        for somebody in self._world["people"]:
            if somebody["credential"] == credential:
                return self._words.get(f"person.{somebody['name']}", str(somebody["name"]))
        return self._say("who.key", {"credential": str(credential)})

    def _open_s(self, portal: dict[str, Any]) -> str | None:
        if portal.get("since") is None:
            return None
        span = _instant(self._world["clock"]["utc"]) - _instant(portal["since"])
        return str(max(0, int(span.total_seconds())))

    def _span(self, ms: int) -> str:
        s = round(abs(ms) / 1000)
        for unit, size, most in (
            ("seconds", 1, 120),
            ("minutes", 60, 7200),
            ("hours", 3600, 172800),
        ):
            if s < most:
                return self._say(f"unit.{unit}", {"n": str(round(s / size))})
        return self._say("unit.days", {"n": str(round(s / 86400))})

    def _between(self) -> str:
        return "、" if self._lang == "zh" else ", "


def alarms_by_weight(world: dict[str, Any]) -> list[dict[str, Any]]:
    """The alarms of `/api/world`: not seen first, then the worst, then the oldest."""

    def weight(alarm: dict[str, Any]) -> tuple[bool, int, str]:
        return alarm["state"] == "acknowledged", alarm["priority"], alarm["since"]

    return sorted(world["alarms"], key=weight)


def _not_passed(event: dict[str, Any]) -> int:
    """How many steps of a walk through the exits did not pass."""
    return sum(step["result"] != "passed" for step in event.get("results", ()))


def _door_key(portal: dict[str, Any]) -> str:
    """Which line of the table of states applies to a door whose controller is alive."""
    faults = portal.get("faults") or ()
    if portal["fire"]:
        return "fire"
    for fault, key in (("lock", "lock_fault"), ("door", "contact_fault")):
        if fault in faults:
            return key
    if portal["door"] == "open":
        held = portal["alarm"] == "door_held"
        return "pre_alarm" if portal["pre_alarm"] else "held" if held else "open"
    mode = str(portal["mode"])
    if portal["lock"] == "unlocked" and mode not in _FREE_MODES:
        return "free"
    return mode if mode in (*_FREE_MODES, "locked_down", "blocked") else "locked"


def _instant(utc: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(utc.replace("Z", "+00:00"))
