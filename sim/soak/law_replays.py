"""Law 3 for what somebody asked for once more: where the answer is yes, the broker gets all of it.

Judged at the end, for what was asked since the last start: a restart may forget it (docs/protocol.md).
"""

import json
from typing import Any

from sim.soak.breach import Breach
from sim.soak.truth import Truth


class Replays:
    """The commands `events.replay` of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._asked: dict[str, str] = {}  # id of a command that was accepted -> the journal then
        self._taken_ms: dict[tuple[str, int], int] = {}  # when the broker got an event last
        self._last = ("", 0)

    def written(self, event: dict[str, Any]) -> None:
        """A record is durable."""
        self._last = (event["journal"], event["seq"])
        if event["type"] == "system.started":
            self._asked.clear()
        elif event["type"] == "command.accepted" and event["op"] == "events.replay":
            self._asked[event["command"]] = event["journal"]

    def taken(self, topic: str, payload: str) -> None:
        """The broker has a message."""
        if topic.endswith("/event"):
            event = json.loads(payload)
            self._taken_ms[event["journal"], event["seq"]] = self._truth.building.loop.now_ms()

    def settled(self) -> None:
        """The faults are over and time has passed: what was promised has left."""
        if self._truth.corruptions:
            return  # a journal that was set aside takes its promises along
        host = self._truth.building.host
        oldest = self._last[1] - self._truth.config["journal"]["limit"]
        for id, journal in self._asked.items():
            for reply in host.replies.get(id, [])[:1]:
                first, last = reply["result"]["from_seq"], reply["result"]["to_seq"]
                missing = [
                    seq
                    for seq in range(max(first, oldest + 1), last + 1)
                    if self._taken_ms.get((journal, seq), -1) < host.sent_ms[id]
                ]
                if missing:
                    text = f"{journal}: {len(missing)} of {first} to {last} were not sent again"
                    raise Breach("3 replay", self._truth.now_ms(), f"{text}, such as {missing[0]}")
