"""Law 3, its second half: what was once durable is there for ever, gapless and chained, and reaches the host.

Keeps what the controller said was durable, and what came to the host; looks at the disk itself after
each loss of power. Law 7 for everything that is sent: no card, PIN or code in any payload.
"""

import json
import re
from typing import Any

from firmware.trust import chain
from firmware.wire import card_number
from sim.soak import disk_look
from sim.soak.breach import Breach
from sim.soak.truth import Truth

MOST_WAITING_MS = 1000
_UNTOLD = ("hash", "prev", "id", "sig", "time", "since", "until", "journal", "nonce")


class Records:
    """The journal and the host of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        #: journal -> the hashes of its events, that of seq 1 first
        self.durable: dict[str, list[str]] = {}
        #: records that stood beside the journal when the power went last, and not in it
        self.ahead: list[dict[str, Any]] = []
        self._flaw = ""
        self.urgent: set[tuple[str, int]] = set()  # alarms that the broker has not
        #: journal -> seq -> hash, as they came to the host
        self.host: dict[str, dict[int, str]] = {}
        self.retained: dict[str, str] = {}
        self.messages = 0
        self._current = ""
        self._transaction = ("", 0)  # the last one's first event
        self._taken: set[tuple[str, int]] = set()  # by the broker
        self._sent: set[tuple[str, int]] = set()  # on this connection
        self._last = {True: ("", 0), False: ("", 0)}
        self._backlog: set[tuple[str, int]] = set()  # alarms that waited when this connection began
        self._secrets = _secrets(truth)
        self._struck: set[str] = set()  # journals of which a bit turned over
        self._strikes = 0

    def _spoilt(self, journal: str) -> bool:
        """Whether a bit of that journal, or of one that it replaces, was struck: nothing can be promised."""
        if self._truth.corruptions > self._strikes:
            self._strikes = self._truth.corruptions
            self._struck.update([*self.durable, self._current])
        return journal in self._struck

    # ---- what is written ---------------------------------------------------------------------------

    def written(self, event: dict[str, Any], text: str | None = None) -> None:
        """An event is durable: the controller says so, or it was found on the disk."""
        journal, seq = event["journal"], event["seq"]
        hashes = self.durable.setdefault(journal, [])
        if self._spoilt(journal) and self._transaction <= (journal, seq) <= (journal, len(hashes)):
            # A bit of the last transaction turned over: it looks like one that was cut, for good.
            del hashes[seq - 1 :]
            self.host.get(journal, {}).clear()
        if seq != len(hashes) + 1:
            self._broken("3 gap", f"{journal}: seq {seq} follows {len(hashes)}")
        if event["prev"] != (hashes[-1] if hashes else chain.START):
            self._broken("3 chain", f"{journal}: seq {seq} names another event as the one before")
        if event["hash"] != chain.hash_of(event):
            self._broken("3 hash", f"{journal}: seq {seq} does not match its hash")
        if seq == 1:
            self._begun(event)
        hashes.append(event["hash"])
        if str(event["type"]).startswith("alarm."):
            self.urgent.add((journal, seq))
        self._no_secret(event, str(event["type"]))

    def transaction(self, events: list[dict[str, Any]]) -> None:
        """These become durable in one piece."""
        self._transaction = (events[0]["journal"], events[0]["seq"])

    def _begun(self, event: dict[str, Any]) -> None:
        spoilt = self._spoilt(self._current)
        if event["type"] != "system.journal_started":
            self._broken("3 first", f"{event['journal']}: begins with {event['type']}")
        if self._current and not spoilt:
            self._broken("3 new journal", f"{event['journal']}: begun though nothing was corrupt")
        before = event.get("previous", {}).get("journal", self._current)
        if self._current and before != self._current:
            self._broken("3 previous", f"{event['journal']}: does not name {self._current}")
        self._current = event["journal"]

    def cut(self) -> list[dict[str, Any]]:
        """The power went: look at the disk. What nobody was told of yet, in order."""
        found, news = self._news()
        self._all_there(found)
        self.ahead = disk_look.left_ahead(self._truth.building.parts.disk, found)
        return news

    def back(self, boot: int) -> list[dict[str, Any]]:
        """It starts again, for the time `boot`: what went ahead before it is in the journal, and no more."""
        if self._spoilt(self._current):
            return []
        found, news = self._news(boot)
        if [_bare(one) for one in news] != [_bare(one) for one in self.ahead]:
            text = f"{len(self.ahead)} records went ahead, {len(news)} came after"
            self._flaw = f"{found.name}: {text}"
        return news

    def look(self) -> None:
        """Time has passed: what was seen while it started is told."""
        if self._flaw:
            self._broken("3 went ahead", self._flaw)

    def _news(self, boot: int | None = None) -> tuple[disk_look.Found, list[dict[str, Any]]]:
        """The journal on the disk, and what of it nobody was told of, from before start `boot`."""
        known = {name: len(hashes) for name, hashes in self.durable.items()}
        # The last one that was told of is read again, so that a change is seen.
        from_last = {name: max(0, last - 20) for name, last in known.items()}
        found = disk_look.look(self._truth.building.parts.disk, from_last)
        news = []
        for seq, body in found.rows:
            event = json.loads(body)
            if seq > known.get(found.name, 0):
                if boot is None or event["boot"] < boot:
                    self.written(event)
                    news.append(event)
            elif event["hash"] != self.durable[found.name][seq - 1]:
                self._broken("3 changed", f"{found.name}: seq {seq} is another after a power cut")
        return found, news

    def _all_there(self, found: disk_look.Found) -> None:
        if not self._current or self._spoilt(self._current):
            return
        told = len(self.durable[self._current])
        if found.name != self._current:
            self._broken("3 vanished", f"{self._current}: not on the disk after a power cut")
        if found.last < told:
            text = f"{found.name}: {told} events were durable, {found.last} are after a power cut"
            self._broken("3 vanished", text)
        limit = self._truth.config["journal"]["limit"]
        if found.count < min(found.last, limit):
            self._broken("3 vanished", f"{found.name}: {found.count} rows up to seq {found.last}")
        if found.count > limit + 1000:
            self._broken("8 rows", f"{found.name}: {found.count} rows; the limit is {limit}")

    # ---- what is sent ------------------------------------------------------------------------------

    def connected(self) -> None:
        """A connection to the broker begins."""
        self._sent.clear()
        self._last = {True: ("", 0), False: ("", 0)}
        self._backlog = set(self.urgent)

    def sent(self, topic: str, payload: str) -> None:
        """The controller sends a message."""
        kind = topic.split("/", 3)[3]
        body = json.loads(payload)
        self._no_secret(body, kind)
        if kind == "event":
            self._in_order(body)

    def _in_order(self, event: dict[str, Any]) -> None:
        key = (event["journal"], event["seq"])
        hashes = self.durable.get(event["journal"], [])
        durable = event["seq"] <= len(hashes) and hashes[event["seq"] - 1] == event["hash"]
        if not durable and not self._spoilt(key[0]):
            self._broken("3 sent early", f"{key} is sent and is not durable")
        if key in self._sent:
            return
        self._sent.add(key)
        urgent = str(event["type"]).startswith("alarm.")
        waiting = [] if urgent else [one for one in self._backlog if not self._spoilt(one[0])]
        if waiting:
            waiting = sorted(waiting)[:3]
            self._broken("3 alarms first", f"{key} is sent before the alarms {waiting}")
        if urgent:
            self._backlog.discard(key)
        last_journal, last_seq = self._last[urgent]
        again = key in self._taken
        if last_journal == key[0] and key[1] < last_seq and not again:
            self._broken("3 order", f"{key} is sent after {last_seq}")
        self._last[urgent] = key

    def taken(self, topic: str, payload: str) -> None:
        """The broker has a message."""
        if topic.endswith("/event"):
            event = json.loads(payload)
            self._taken.add((event["journal"], event["seq"]))
            self.urgent.discard((event["journal"], event["seq"]))

    def came(self, topic: str, payload: str) -> None:
        """The host has a message."""
        self.messages += 1
        kind = topic.split("/", 3)[3]
        if kind != "event":
            self.retained[kind] = payload
            return
        event = json.loads(payload)
        journal, seq = event["journal"], event["seq"]
        mine = self.host.setdefault(journal, {})
        if mine.get(seq, event["hash"]) != event["hash"] and not self._spoilt(journal):
            self._broken("3 host", f"{journal}: seq {seq} came twice, and differs")
        mine[seq] = event["hash"]

    def settled(self) -> None:
        """The faults are over and time has passed: the host has everything."""
        for journal, hashes in self.durable.items():
            came = self.host.get(journal, {})
            missing = [seq for seq in range(1, len(hashes) + 1) if seq not in came]
            if missing and not self._spoilt(journal):
                shown = ", ".join(str(seq) for seq in missing[:5])
                self._broken(
                    "3 not delivered", f"{journal}: the host has not {shown} ({len(missing)})"
                )
            for seq, digest in came.items():
                if seq <= len(hashes) and hashes[seq - 1] != digest and not self._spoilt(journal):
                    self._broken("3 host", f"{journal}: seq {seq} is another at the host")

    # ---- law 7 -------------------------------------------------------------------------------------

    def _no_secret(self, value: Any, where: str) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                if key not in _UNTOLD:
                    self._no_secret(part, where)
        elif isinstance(value, list):
            for part in value:
                self._no_secret(part, where)
        elif isinstance(value, str) and self._secrets.search(value):
            self._broken("7 secret", f"{where}: tells a card, a code or a PIN")

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)


def _secrets(truth: Truth) -> re.Pattern[str]:
    words = set()
    for one in truth.story.people:
        for card in (one.card, one.duress_card):
            if card is not None:
                words |= {card, card_number.parse(card), card.rpartition(":")[2]}
        words |= {word for word in (one.pin, one.duress_pin, one.qr) if word is not None}
    for step in truth.story.steps:
        words |= {str(step[key]) for key in ("number", "text") if key in step}
        if step.get("op") == "credential.enrol":
            words.add("864209")
    either = "|".join(re.escape(word) for word in sorted(words))
    return re.compile(rf"(?<![0-9A-Za-z])(?:{either})(?![0-9A-Za-z])")


def _bare(event: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(event.get(key) for key in ("type", "time", "portal", "credential"))
