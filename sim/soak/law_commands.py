"""Law 6: only the owner commands, each command once, and only while it is fresh.

Knows which commands the operator really signed (the host's own list) and which messages somebody else made
of them (`sim.forger`); judges every `command.accepted`, and every reply by what the host says of it.
"""

import json
import re
from datetime import datetime
from typing import Any

from sim.soak.breach import Breach
from sim.soak.law_operators import Signers
from sim.soak.truth import Truth
from sim.virtual_connection import Delivery

#: how many records were refused for want of room, told when the disk works again
REFUSED = re.compile(r"; (\d+) records were refused meanwhile")
COMMAND, STORED = "command", "stored"  #: topics
OLD_NONCE = "old nonce"
EARLY_S = 60  #: a clock of the operator's may be ahead by so much
SLACK_S = 2


class Commands:
    """The commands of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.accepted: dict[str, int] = {}
        self._before: set[str] = set()  # accepted before a start from a journal that was struck
        self.signers = Signers(truth)
        #: messages that were heard and must have been refused, and those that the records tell: by topic
        self._must_refuse = {COMMAND: 0, STORED: 0}
        self._refused = {COMMAND: 0, STORED: 0}
        self._heard: dict[int, Delivery] = {}  # by identity: two may say the same
        self._kept: set[str] = set()

    def written(self, event: dict[str, Any], at_ms: int) -> None:
        """A record is durable."""
        if event["type"] == "system.started" and self._truth.corrupted:
            self._before = set(self.accepted)
        if event["type"] == "system.started":
            self.signers.started()
        if event["type"] == "command.rejected":
            self._told_refused(event)
        if event["type"] == "system.recovered":
            found = REFUSED.search(str(event.get("text")))
            for topic in self._refused:
                self._refused[topic] += int(found[1]) if found else 0
        if event["type"] != "command.accepted":
            return
        id, host = event["command"], self._truth.building.host
        made = host.sent.get(id)
        who = f"{event['op']} at {at_ms} ms"
        if made is None:
            self._broken("6 stranger", f"{who}: accepted, and nobody who may has signed it")
            return
        if id in self.accepted and id not in self._before:
            self._broken("6 twice", f"{who}: accepted at {self.accepted[id]} ms already")
        self.accepted[id] = at_ms
        if made["op"] != event["op"] or made["by"] != event["by"]:
            self._broken("6 altered", f"{who}: {made['op']} by {made['by']} was signed")
        why = self._never(id)
        if why:
            self._broken(f"6 {why}", f"{who}: accepted, and is {why}")
        self.signers.accepted(made, at_ms, who)
        # One that waits for a card is accepted with the card: its clock may have been another when it came.
        waited = made["op"] == "credential.enrol" and self._truth.clock_touched
        quotes = "nonce" in made and self._truth.building.forger.never.get(id) != OLD_NONCE
        if not quotes and not waited:
            self._fresh(event, made, who)

    def _fresh(self, event: dict[str, Any], made: dict[str, Any], who: str) -> None:
        if event["clock"] == "untrusted":
            self._broken("6 untrusted", f"{who}: accepted by a clock that nobody vouches for")
        now_s = max(
            _seconds(event["time"]), self._truth.trusted_s
        )  # a clock set back revives nothing
        if now_s > _seconds(made["expires"]) + SLACK_S:
            self._broken("6 stale", f"{who}: accepted after it expired")
        if max(now_s, self._truth.shown_s) < _seconds(made["issued"]) - EARLY_S - SLACK_S:
            self._broken("6 early", f"{who}: accepted before it was issued")

    def _told_refused(self, event: dict[str, Any]) -> None:
        """A record tells of refusals: singly, or several with what they have in common."""
        count, op = event.get("count"), event.get("op")
        if count is not None:
            for topic in self._refused:
                self._refused[topic] += (
                    count if op is None or (op == STORED) == (topic == STORED) else 0
                )
            return
        id = event.get("command")
        ours = id in self._truth.building.host.sent and not self._truth.building.forger.never.get(
            id
        )
        if op == STORED:
            self._refused[STORED] += 1
        elif not ours:  # what the operator sent himself may be refused too, and is not among them
            self._refused[COMMAND] += 1

    def heard(self, delivery: Delivery) -> None:
        """The controller has dealt with a message on its topic: what must be refused is told for ever.

        Once each, however often the broker sends it: a link tells the door of none twice, if it can help it.
        """
        topic, payload, retained = delivery
        topic = topic.rpartition("/")[2]
        if id(delivery) in self._heard or topic not in self._must_refuse:
            return
        self._heard[id(delivery)] = delivery
        if retained and payload in self._kept:
            return  # a broker sends what it keeps with each subscription
        if retained:
            self._kept.add(payload)
        if not self._truth.storage_for(1000) or not self._truth.roomy_for(1000):
            return  # it waits for its record no longer than a door
        if topic == STORED:
            self._must_refuse[STORED] += payload in self._truth.building.forger.words
            return
        try:
            named = json.loads(payload)["id"]
        except (ValueError, TypeError, KeyError):
            named = None
        old = self._never(named) in ("stale", "elsewhere", "unsealed", OLD_NONCE)
        self._must_refuse[COMMAND] += retained or old or named not in self._truth.building.host.sent

    def _never(self, id: str | None) -> str:
        """Why a command must never be accepted; "": by its times, where somebody has set the clock."""
        why = self._truth.building.forger.never.get(id or "", "")
        return "" if why in ("stale", OLD_NONCE) and self._truth.clock_touched else why

    def settled(self) -> None:
        """All is whole, and a minute has passed: the records tell of every refusal, singly or by count."""
        for topic, must in self._must_refuse.items():
            told = self._refused[topic]
            if told < must and not self._truth.corrupted:
                text = f"{must} on {topic} were to be refused; the records tell of {told}"
                self._broken("6 refused untold", text)

    def look(self) -> None:
        """Time has passed: is what the host got right?"""
        problems = self._truth.building.host.problems
        if problems and not self._truth.corrupted:
            self._broken("6 host", str(problems[0]))

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
