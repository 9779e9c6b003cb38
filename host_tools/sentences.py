"""From an event or a door's state to one sentence, in the words of `host_tools.words`."""

import datetime
import zoneinfo
from typing import Any

from host_tools import words


class Sentences:
    """Sentences about one controller. `world` gives titles, people and the zone, as `/api/world` does."""

    def __init__(self, lang: str, world: dict[str, Any]) -> None:
        self._lang = lang
        self._words = words.load(lang)
        self._world = world
        self._zone = zoneinfo.ZoneInfo(world["clock"]["timezone"])

    def time(self, utc: str) -> str:
        """A UTC time as the site's local time with seconds."""
        at = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00"))
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def line(self, event: dict[str, Any]) -> str:
        """One row of a list: when, what, which record."""
        mark = "▲" if event["type"] == "alarm.raised" else " "
        return f"{self.time(event['time'])[11:]} {mark} {self.event(event)}  {event['seq']}"

    def event(self, event: dict[str, Any]) -> str:
        """One event as one sentence."""
        key = f"event.{event['type']}"
        if event["type"] == "access.granted":
            at = self._world["access_points"].get(event.get("access_point"), {})
            way = "out" if at.get("direction") == "out" else event.get("verification", "card")
            key = f"{key}.{way}"
        elif event["type"] == "access.denied" and "credential" in event:
            key = f"{key}.who"
        return self._fill(key, self._values(event))

    def alarm(self, alarm: dict[str, Any]) -> str:
        """One alarm of `/api/world` as a sentence."""
        return self._fill("event.alarm.raised", self._values(alarm))

    def door(self, portal: dict[str, Any]) -> str:
        """What is so for one door, in a few words."""
        if portal["mode"] is None:
            return f"? ({portal['lock']}, {portal['door']})"
        return f"{self._word('mode', portal['mode'])}; {portal['lock']}, {portal['door']}"

    def _values(self, event: dict[str, Any]) -> dict[str, str]:
        at = self._world["access_points"].get(event.get("access_point"), {})
        values = {key: str(value) for key, value in event.items()}
        values["portal"] = self._title(event.get("portal") or at.get("portal"))
        values["point"] = self._title(event.get("point"))
        values["who"] = self._who(event)
        values["alarm"] = self._words.get(f"alarm.{event.get('class')}", str(event.get("class")))
        for group in ("reason", "mode", "cause", "change"):
            values[group] = self._word(group, str(event.get(group)))
        values["quality"] = self._word("clock", str(event.get("quality")))
        values["by"] = self._word("by", str(event.get("by")))
        return values

    def _fill(self, key: str, values: dict[str, str]) -> str:
        text: str = self._words.get(key, self._words["event.unknown"])
        try:
            return text.format(**values)
        except KeyError:
            return self._words.get(f"{key}.plain", key)

    def _word(self, group: str, value: str) -> str:
        return self._words.get(f"{group}.{value}", value)

    def _who(self, event: dict[str, Any]) -> str:
        credential = event.get("credential")
        for somebody in self._world["people"]:
            if credential is not None and somebody["credential"] == credential:
                return str(self._words.get(f"person.{somebody['name']}", somebody["name"]))
        if credential is None:
            return self._words["who.someone"]
        return self._words["who.key"].format(credential=credential)

    def _title(self, name: str | None) -> str:
        for section in ("portals", "access_points", "points", "devices"):
            found = self._world[section].get(name)
            if found is not None and found.get("title"):
                return str(found["title"][self._lang])
        return self._words.get("page.box", str(name)) if name == "controller" else str(name)
