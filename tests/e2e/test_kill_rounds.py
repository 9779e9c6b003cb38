"""Controller and broker are killed at random moments, round after round: the host misses nothing.

The brokers are those of docs/brokers/, with their certificates. Beside each, ``KILL_ROUNDS`` rounds have a
SIGKILL, from new seeds; without it 100 of the same. Some more rounds have a bad cable.
"""

import json
import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kill_rig import TOPIC, Controller, StoringHost, moment
from shipped_brokers import HOST, Shipped, ShippedMosquitto, ShippedNats, Site
from stalling_proxy import StallingProxy

from firmware.trust import chain
from tests.asyncapi_document import document

ROUNDS = os.environ.get("KILL_ROUNDS")
BOTH = [pytest.param(ShippedMosquitto, marks=pytest.mark.needs("mosquitto")), ShippedNats]
SEED = random.randrange(2**32) if ROUNDS else 7

#: What happens in a round, and how often: something dies, or the cable is bad.
KILLS = ("door",) * 5 + ("broker",) * 2 + ("both",) * 2 + ("forgetful",) * 2
CABLES = ("reset", "half", "half", "stall")


class Town:
    """A broker, a proxy before it, a controller behind that, and a host at the broker."""

    def __init__(self, broker: Shipped, site: Site, folder: Path) -> None:
        self.broker = broker
        self.proxy = StallingProxy("127.0.0.1", broker.port)
        self.door = Controller(folder, self.proxy.port, keys=site.link("c-03"))
        self.host = StoringHost(broker.port, keys=(site.ca, *site.keys(HOST)))

    def close(self) -> None:
        """End what was started here."""
        self.host.leave()
        self.door.kill()
        self.proxy.close()

    def settle(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Have people go home, end the controller cleanly; its journal, all of which the host has then."""
        self.door.do("people off")
        self.door.stop()
        journal = self.door.journal()
        self.door.start()  # what was recorded at the end leaves with the next start
        self.host.wait_all(journal)
        return journal


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"), "my-site", ("c-03",))


@pytest.fixture(params=BOTH)
def town(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Town]:
    broker: Shipped = request.param(tmp_path / "broker", site)
    broker.start()
    one = Town(broker, site, tmp_path)
    yield one
    one.close()
    broker.kill()


def _is_whole(host: StoringHost) -> None:
    """Gapless, each once, chained, every one a message of the document."""
    assert host.wrong == []
    events = [host.stored[key] for key in sorted(host.stored)]
    assert len({event["journal"] for event in events}) == 1
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert chain.verify(events) == (True, None, "")
    for event in events:
        document().check(f"{TOPIC}/event", json.dumps(event))


def test_the_host_sees_every_event_of_every_round_once(town: Town) -> None:
    seeded = random.Random(SEED)
    rounds = int(ROUNDS or 100)
    deeds = seeded.choices(KILLS, k=rounds) + seeded.choices(CABLES, k=rounds // 7)
    seeded.shuffle(deeds)
    door, host = town.door, town.host
    door.start()
    door.tell("people on")
    boot = host.wait_boot(0)
    for number, what in enumerate(deeds):
        try:
            if what == "forgetful":  # it takes what nobody is there to get, and then dies
                host.leave()
            moment(seeded, 0.3)
            if what in ("door", "both"):
                door.kill()
            if what in ("broker", "both", "forgetful"):
                town.broker.kill()
                if what == "broker":
                    moment(seeded, 0.2)
                if what == "forgetful" and seeded.random() < 0.5:
                    town.broker.forget()
                town.broker.start()
            if what == "forgetful":
                host.come()
            if what in ("door", "both"):
                door.start()
                door.tell("people on")
                boot = host.wait_boot(boot)
            elif what == "reset":
                town.proxy.reset()
            elif what == "half":
                town.proxy.half_close(seeded.random() < 0.5)
            elif what == "stall":
                town.proxy.stall()
                moment(seeded, 0.5)
                town.proxy.flow()
            host.wait_more()
        except AssertionError as error:
            raise AssertionError(f"seed {SEED}, round {number}, {what}: {error}") from error
    journal = town.settle()
    assert len(journal) > rounds
    _is_whole(host)
    assert {key: host.stored[key] for key in journal} == journal
    assert host.told("system.fault") == []


def test_fifty_events_of_an_outage_are_all_delivered_alarms_first(town: Town) -> None:
    _outage(town, killed=False)


def test_fifty_events_of_an_outage_with_a_kill_in_it_are_all_delivered_alarms_first(
    town: Town,
) -> None:
    _outage(town, killed=True)


def _outage(town: Town, killed: bool) -> None:
    door, host = town.door, town.host
    door.start()
    host.wait("the start", lambda: host.told("system.started"))
    before = len(host.arrived)
    town.proxy.cut()
    door.do("exits 20")
    door.do("help 2")
    if killed:
        door.kill()
        door.start()
    door.do("exits 28")
    town.proxy.restore()
    for kind, count in (("portal.released", 48), ("alarm.raised", 2)):
        host.wait(f"{count} {kind}", partial(_has, host, before, kind, count))
    journal = town.settle()
    _is_whole(host)
    assert len([1 for event in journal.values() if event.get("cause") == "rex"]) == 48
    assert len([1 for event in journal.values() if event["type"] == "alarm.raised"]) >= 2
    backlog = [event for event in host.arrived[before:] if event["seq"] <= before + 50]
    kinds = [event["type"].startswith("alarm.") for event in backlog]
    assert kinds == sorted(kinds, reverse=True), [event["type"] for event in backlog]


def _has(host: StoringHost, before: int, kind: str, count: int) -> bool:
    return len([1 for event in host.arrived[before:] if event["type"] == kind]) >= count


def test_a_hundred_commands_that_come_too_late_open_nothing_and_are_all_told(town: Town) -> None:
    door, host = town.door, town.host
    door.start()
    door.wait_connected()
    host.wait_boot(0)
    door.stop()
    for number in range(100):
        host.command("portal.release", {"portal": "yard"}, number + 1, late_s=600)
    door.start()
    host.wait("refusals", lambda: len(host.told("command.rejected")) >= 20)
    fresh = host.command("portal.release", {"portal": "yard"}, 1000)
    host.wait("the last answer", lambda: [r for r in host.replies if r["id"] == fresh])
    town.settle()
    released = [event["cause"] for event in host.told("portal.released")]
    assert (
        released.count("command") == 1
    )  # the fresh one, sent after them: the others have come before
    rejected = host.told("command.rejected")
    assert sum(event.get("count", 1) for event in rejected) == 100
    assert {event["reason"] for event in rejected} == {"expired"}
    assert [reply["ok"] for reply in host.replies].count(False) == 100
    _is_whole(host)


def test_a_retained_command_runs_at_most_once_however_often_the_controller_starts(
    town: Town,
) -> None:
    door, host = town.door, town.host
    door.start()
    door.wait_connected()
    host.command("portal.release", {"portal": "yard"}, 1, retain=True)
    host.barrier(1000)
    host.command("portal.release", {"portal": "yard"}, 2, late_s=600, retain=True)
    for number in range(3):
        door.kill()
        door.start()
        door.wait_connected()
        host.barrier(1001 + number)
    town.settle()
    accepted = [event["op"] for event in host.told("command.accepted")]
    released = [event for event in host.told("portal.released") if event["cause"] == "command"]
    assert accepted.count("portal.release") == len(released) <= 1
    refused = [event["reason"] for event in host.told("command.rejected")]
    assert len(refused) >= 3  # at each start, for the broker says it again
    _is_whole(host)


def test_what_no_host_has_acknowledged_comes_again_and_what_one_has_does_not(town: Town) -> None:
    door, host = town.door, town.host
    host.acknowledges = False
    door.start()
    host.wait("the start", lambda: host.told("system.started"))
    door.do("exits 10")
    host.wait("releases", lambda: len(host.told("portal.released")) == 10)
    first = len(host.stored)
    door.kill()
    door.start()
    host.wait("all of it again", lambda: host.twice >= first)
    host.acknowledges = True
    door.do("exits 12")  # longer than the host's word may wait to be noted
    host.wait("releases", lambda: len(host.told("portal.released")) >= 22)
    host.barrier(1000)
    door.kill()
    twice = host.twice
    door.start()
    host.wait("a third start", lambda: len(host.told("system.started")) == 3)
    host.barrier(1001)
    assert len(host.stored) > 25
    assert host.twice - twice < 10  # what came with the last word or after it
    town.settle()
    _is_whole(host)
