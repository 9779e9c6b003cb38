"""What `doorctl` shows without ordering anything: where things stand, what happens, what has happened."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from host_tools.console import DONE, LOOK, PLAIN, UNKNOWN, WRONG, Console, FailedError
from host_tools.sentences import Sentences, alarms_by_weight
from host_tools.signer import Answer
from host_tools.site import TIMEOUT_S, Site

LAST = 200  #: records that `events` shows where nobody says from which on
SEEN = 10_000  #: records that are known again when they are sent again
QUIET_S = 5.0  #: nothing came for so long: there will be no answer
RANGE_QUIET_S = 15.0  #: likewise: what it promised to send does not come
RANGE_MOST_S = 60.0  #: so long other things may come instead, or the controller be away


def status(site: Site, console: Console, say: Sentences, as_json: bool) -> int:
    """Where things stand."""
    if as_json:
        console.line(json.dumps(site.world, ensure_ascii=False))
        return 0
    world = site.world
    now = f"{say.time(world['clock']['utc'])} {world['clock']['timezone']}"
    console.line(f"{world['site']}   {say.doors()}   {now}")
    for sign, text, details in where_things_stand(say, world):
        console.say(sign, text, details)
    return 0


def where_things_stand(
    say: Sentences, world: dict[str, Any]
) -> Iterator[tuple[str, str, list[str]]]:
    """Doors and watched areas first, then what needs somebody and what to do about it, then the records."""
    aside = say.aside()
    if aside is not None:
        yield LOOK, aside, []
    for name, portal in world["portals"].items():
        yield _sign(portal), f"{name:<10} {say.door(portal)}", []
    for name, part in world.get("partitions", {}).items():
        sign = UNKNOWN if part["state"] is None else PLAIN
        yield sign, f"{name:<10} {say.partition(part)}", []
    for alarm in alarms_by_weight(world):
        seen = alarm["state"] == "acknowledged"
        details = [say.alarm_state(alarm)] + ([] if seen else [say.todo(alarm)])
        yield LOOK if seen else WRONG, say.alarm(alarm), details
    if world["records"] is not None:
        yield PLAIN, say.records(), []


def _sign(portal: dict[str, Any]) -> str:
    """A door's sign: well, look, wrong, not known."""
    if portal["mode"] is None:
        return UNKNOWN
    if portal["alarm"] != "normal" or portal.get("faults"):
        return WRONG
    return LOOK if portal["fire"] or portal["pre_alarm"] else DONE


def tell(event: dict[str, Any], console: Console, say: Sentences, as_json: bool) -> None:
    """One event, as a line or as its JSON."""
    console.line(json.dumps(event, ensure_ascii=False) if as_json else say.line(event))


class Seen:
    """Which records were told, by their ids: the newest `most` of them."""

    def __init__(self, most: int = SEEN) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def is_new(self, event: dict[str, Any]) -> bool:
        """Whether it was not told yet; from now on it was."""
        id = str(event.get("id"))
        if id in self._ids:
            return False
        self._ids[id] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True


def from_page(url: str, site: Site, live: bool) -> Iterator[dict[str, Any]]:
    """The running simulator's events: its last `LAST`, and what comes if `live`."""
    wanted = None if live else (site.world["records"] or 0) - (site.world["waiting"] or 0)
    request = url.rstrip("/") + "/api/events"
    seen = Seen()
    with urllib.request.urlopen(request, timeout=None if live else TIMEOUT_S) as answer:
        kind = ""
        for raw in answer:
            line = raw.decode("utf-8").rstrip("\n")
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "event":
                event = json.loads(line.removeprefix("data: "))
                if seen.is_new(event):
                    yield event
                if wanted is not None and event["seq"] >= wanted:
                    return


def live(site: Site) -> Iterator[dict[str, Any]]:
    """A real controller's events as they come, each once, until somebody ends it."""
    with site.link() as link:
        link.listen("event")
        seen = Seen()
        for _, event, _ in link.messages(None):
            if isinstance(event, dict) and seen.is_new(event):
                yield event


class Range:
    """The records of one `events.replay`: each once, in order, whatever comes between them.

    What comes before the answer is kept, for the answer says from where to where. `journal` is the
    controller's present one, "" as long as it is not known: other journals have the same numbers.
    """

    def __init__(self, first: int) -> None:
        self.journal = ""
        self.answered = False
        self._first = self._next = first
        self._last = 0
        self._came: dict[int, dict[str, Any]] = {}

    def begin(self, first: int, last: int) -> None:
        """The controller will send `first` to `last`."""
        self.answered = True
        self._first = self._next = first
        self._last = last
        came, self._came = self._came, {}
        for event in came.values():
            self.take(event)

    def take(self, event: Any) -> bool:
        """Whether this event was waited for; it is kept then."""
        seq = event.get("seq") if isinstance(event, dict) else None
        if not isinstance(seq, int) or self.journal not in ("", event.get("journal")):
            return False
        if seq < self._next or seq in self._came or (self.answered and seq > self._last):
            return False
        self._came[seq] = event
        return True

    def ready(self) -> Iterator[dict[str, Any]]:
        """What is next in order, as far as it has come."""
        while self.answered and self._next in self._came:
            self._next += 1
            yield self._came.pop(self._next - 1)

    @property
    def whole(self) -> bool:
        """Whether all of it has come and was handed out."""
        return self.answered and self._next > self._last

    def behind(self) -> Iterator[dict[str, Any]]:
        """What has come behind what is missing, in order."""
        for seq in sorted(self._came):
            yield self._came[seq]

    def missing(self) -> str:
        """What did not come, in one line."""
        count, total = self._last + 1 - self._next - len(self._came), self._last + 1 - self._first
        gaps, seq = [], self._next
        for have in [*sorted(self._came), self._last + 1]:
            if have > seq:
                gaps.append(str(seq) if have == seq + 1 else f"{seq}-{have - 1}")
            seq = have + 1
        shown = ", ".join(gaps[:5]) + (", ..." if gaps[5:] else "")
        return f"{count} of {total} did not come: {shown}; expected {self._first}-{self._last}"


def again(site: Site, from_seq: int | None) -> Iterator[dict[str, Any]]:
    """The controller's records from `from_seq` on, sent again at our signed word. Raises `FailedError`.

    In order, each once, to the newest there was when it answered; what comes live meanwhile is passed
    over. It ends when all have come, or fails with what did not.
    """
    first = max(1, (site.world["records"] or 0) - LAST + 1) if from_seq is None else from_seq
    signer = site.signer()
    began_ms = site.now_ms()
    command = signer.command(
        "events.replay", {"from_seq": first}, now_ms=began_ms, n=began_ms, nonce=site.nonce
    )
    reply = f"reply/{command['id']}"
    wanted, moved_ms, away = Range(first), began_ms, False
    with site.link() as link:
        link.listen("event", "status", reply)
        link.send(command)
        while not wanted.whole:
            message = next(link.messages(RANGE_QUIET_S if wanted.answered else QUIET_S), None)
            topic, said = message[:2] if message is not None else ("", None)
            if topic == "status" and isinstance(said, dict):
                away = said.get("state") != "online"
                wanted.journal = wanted.journal if wanted.answered else said.get("journal") or ""
            elif topic == reply and not wanted.answered:
                wanted.begin(*_promised(site, signer.answer(command, said), first))
                moved_ms = site.now_ms()
            elif topic == "event" and wanted.take(said) and wanted.answered:
                moved_ms = site.now_ms()
            yield from wanted.ready()
            quiet = message is None and not (away and wanted.answered)
            if quiet or site.now_ms() - moved_ms > RANGE_MOST_S * 1000:
                break
    if not wanted.answered:
        seconds = f"{(site.now_ms() - began_ms) / 1000:.0f} s"
        raise FailedError(f"{site.name}: sent, no answer in {seconds}; expected it to be online")
    if not wanted.whole:
        yield from wanted.behind()
        raise FailedError(f"events: {wanted.missing()}")


def _promised(site: Site, answer: Answer, first: int) -> tuple[int, int]:
    """From where to where the controller will send. Raises `FailedError`."""
    if not answer.ok:
        why = str(answer.message or answer.code)
        why += "" if "; expected " in why else "; expected records to be there"
        raise FailedError(f"{site.name}: refused: {why}")
    return answer.result.get("from_seq", first), answer.result.get("to_seq", 0)
