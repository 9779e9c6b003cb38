"""What `doorctl` shows without ordering anything: where things stand, what happens, what has happened."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from host_tools.console import DONE, LOOK, PLAIN, UNKNOWN, WRONG, Console, FailedError
from host_tools.sentences import Sentences, alarms_by_weight
from host_tools.site import TIMEOUT_S, Site

LAST = 200  #: records that `events` shows where nobody says from which on
SEEN = 10_000  #: records that are known again when they are sent again
QUIET_S = 5.0  #: nothing came for so long: the controller has sent what was asked for, or is away


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


def again(site: Site, from_seq: int | None) -> Iterator[dict[str, Any]]:
    """The controller's records from `from_seq` on, sent again at our signed word. Raises `FailedError`."""
    first = max(1, (site.world["records"] or 0) - LAST + 1) if from_seq is None else from_seq
    signer = site.signer()
    now_ms = site.now_ms()
    command = signer.command(
        "events.replay", {"from_seq": first}, now_ms=now_ms, n=now_ms, nonce=site.nonce
    )
    reply = f"reply/{command['id']}"
    told: set[str] = set()
    newest, last = 0, None
    with site.link() as link:
        link.listen("event", reply)
        link.send(command)
        for topic, said, _ in link.messages(QUIET_S):
            if topic == reply:
                answer = signer.answer(command, said)
                if not answer.ok:
                    why = answer.message or answer.code
                    raise FailedError(f"{site.name}: refused: {why}; expected records to be there")
                last = answer.result.get("to_seq", 0)
            elif topic == "event" and _is_new(said, first, told):
                told.add(said["id"])
                newest = said["seq"]
                yield said
            if last is not None and newest >= last:
                return
    if last is None:
        seconds = f"{QUIET_S:.0f} s"
        raise FailedError(f"{site.name}: sent, no answer in {seconds}; expected it to be online")


def _is_new(event: Any, first: int, told: set[str]) -> bool:
    return isinstance(event, dict) and event["seq"] >= first and event["id"] not in told
