"""Law 6: only the owner commands, each command once, and only while it is fresh.

Knows which commands the operator really signed (the host's own list) and which messages somebody else made
of them (`sim.forger`); judges every `command.accepted`, and every reply by what the host says of it.
"""

from datetime import datetime
from typing import Any

from sim.soak.breach import Breach
from sim.soak.truth import Truth

EARLY_S = 60  #: a clock of the operator's may be ahead by so much
SLACK_S = 2


class Commands:
    """The commands of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.accepted: dict[str, int] = {}

    def written(self, event: dict[str, Any], at_ms: int) -> None:
        """A record is durable."""
        if event["type"] != "command.accepted":
            return
        id, host = event["command"], self._truth.building.host
        made = host.sent.get(id)
        who = f"{event['op']} at {at_ms} ms"
        if made is None:
            self._broken("6 stranger", f"{who}: accepted, and nobody who may has signed it")
            return
        if id in self.accepted and not self._truth.corrupted:
            self._broken("6 twice", f"{who}: accepted at {self.accepted[id]} ms already")
        self.accepted[id] = at_ms
        if made["op"] != event["op"] or made["by"] != event["by"]:
            self._broken("6 altered", f"{who}: {made['op']} by {made['by']} was signed")
        if id in self._truth.building.forger.never:
            why = self._truth.building.forger.never[id]
            self._broken(f"6 {why}", f"{who}: accepted, and is {why}")
        if event["clock"] == "trusted" and "nonce" not in made:
            self._fresh(event, made, who)

    def _fresh(self, event: dict[str, Any], made: dict[str, Any], who: str) -> None:
        now_s = _seconds(event["time"])
        if now_s > _seconds(made["expires"]) + SLACK_S:
            self._broken("6 stale", f"{who}: accepted after it expired")
        if now_s < _seconds(made["issued"]) - EARLY_S - SLACK_S:
            self._broken("6 early", f"{who}: accepted before it was issued")

    def look(self) -> None:
        """Time has passed: is what the host got right?"""
        problems = self._truth.building.host.problems
        if problems and not self._truth.corrupted:
            self._broken("6 host", str(problems[0]))

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
