"""What holds of every trace, whatever its story: the laws that can be seen from outside."""

import json
from collections.abc import Callable
from typing import Any

from firmware.access import alarm, record
from firmware.trust import chain
from sim.run import Run

Trace = list[dict[str, Any]]

VERDICTS = (record.ACCESS_TAKEN, record.ACCESS_NOT_TAKEN)


def events(run: Run, *types: str) -> list[tuple[int, dict[str, Any]]]:
    """The run's events as (at_ms, event), of `types` or all."""
    return [
        (line["at_ms"], line["event"])
        for line in run.trace
        if line["kind"] == "event" and (not types or line["event"]["type"] in types)
    ]


def record_is_whole(run: Run) -> None:
    """Each journal gapless from 1 over every restart, each record chained to the one before.

    There is one, unless its file was destroyed: then the next begins by naming it. What waits in memory
    at the end has no number yet.
    """
    written = [event for _, event in events(run) if "seq" in event]
    assert all(event["simulated"] is True for event in written)
    journals = list(dict.fromkeys(event["journal"] for event in written))
    destroyed = [step for step in run.story.steps if step.get("fault") in ("rot", "flip")]
    assert len(journals) <= 1 + len(destroyed)
    for name in journals:
        _journal_is_whole([event for event in written if event["journal"] == name])


def _journal_is_whole(written: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in written] == list(range(1, len(written) + 1))
    assert written[0]["type"] == record.JOURNAL_STARTED
    prev = "0" * 64
    for event in written:
        assert event["prev"] == prev, event
        assert event["hash"] == chain.hash_of(event), event
        prev = event["hash"]


def every_release_has_one_cause(run: Run) -> None:
    """A grant releases once, in the same millisecond; secured follows released and nothing else.

    Where memory was short some of these were refused, and the record says how many.
    """
    if any(step["do"] == "limit_memory" for step in run.story.steps):
        return
    granted: list[tuple[int, dict[str, Any]]] = []
    for at_ms, event in events(run, record.ACCESS_GRANTED):
        rules = run.story.config["access_points"][event["access_point"]]
        seconds = granted and granted[-1][0] == at_ms and rules["two_person"] != "off"
        if not seconds:  # two people go in by one release
            granted.append((at_ms, event))
    let_in = [
        (at_ms, event)
        for at_ms, event in events(run, record.PORTAL_RELEASED)
        if event["cause"] in (record.CREDENTIAL, record.OVERRIDE)
    ]
    assert [(at_ms, event["portal"]) for at_ms, event in granted] == [
        (at_ms, event["portal"]) for at_ms, event in let_in
    ]
    free: dict[str, bool] = {}
    for at_ms, event in events(run, record.PORTAL_RELEASED, record.PORTAL_SECURED):
        released = event["type"] == record.PORTAL_RELEASED
        assert released or free.get(event["portal"]), (at_ms, event)
        assert not released or event["cause"] in record.CAUSES, event
        free[event["portal"]] = released


def every_grant_has_at_most_one_verdict(run: Run) -> None:
    """Taken or not taken, for the last grant of each release by credential."""
    waiting: dict[str, dict[str, Any]] = {}
    for at_ms, event in events(run, record.ACCESS_GRANTED, *VERDICTS):
        if event["type"] == record.ACCESS_GRANTED:
            waiting[event["portal"]] = event
        else:
            last = waiting.pop(event["portal"], None)
            assert last is not None, (at_ms, event)
            for key in ("credential", "holder", "access_point", "visit"):
                assert event.get(key) == last.get(key), (at_ms, event)
    end_ms = run.story.end_ms
    for portal, last in waiting.items():
        at_ms = next(at for at, event in events(run) if event["id"] == last["id"])
        rules = run.story.config["portals"][portal]
        cut_ms = [step["at_ms"] for step in run.story.steps if step["do"] == "cut_power"]
        over_ms = at_ms + rules["extended_release_ms"] + 1000
        assert end_ms < over_ms or any(at_ms <= cut <= over_ms for cut in cut_ms), last


def alarms_have_their_class_and_priority(run: Run) -> None:
    """Points, classes and priorities as the contract has them; acknowledged and over, then cleared."""
    config = run.story.config
    state: dict[tuple[str, str], str] = {}
    for at_ms, event in events(run):
        if not event["type"].startswith("alarm.") or event["type"] == record.ALARM_SILENCED:
            continue  # who silences a siren names no alarm
        kind, point = event["class"], event["point"]
        if event["type"] not in (record.ALARM_SHELVED, record.ALARM_UNSHELVED):
            assert event["priority"] == alarm.PRIORITY[kind], (at_ms, event)
        if kind in (alarm.DOOR_FORCED, alarm.DOOR_HELD):
            assert point in config["portals"]
        elif kind in (alarm.CREDENTIAL_MISUSE, alarm.WRONG_ATTEMPTS, alarm.DURESS):
            assert point in config["access_points"]
        elif kind in (
            alarm.STORAGE_FAULT,
            alarm.LINK_FAULT,
            alarm.CLOCK_FAULT,
            alarm.CERTIFICATE_EXPIRING,
            alarm.UPDATE_FAULT,
        ):
            assert point == "controller"
        else:
            assert point in config["devices"] or point in config["alarms"]["points"]
        known = state.get((point, kind), "")
        if event["type"] == record.ALARM_CLEARED:
            assert known == record.ALARM_ACKNOWLEDGED, (at_ms, event)
        elif event["type"] == record.ALARM_ACKNOWLEDGED:
            assert known == record.ALARM_RAISED, (at_ms, event)
            assert event["by"] in ("key-switch", "op-demo") or event["by"].startswith("credential-")
        elif event["type"] == record.ALARM_REPEATED:
            assert known == record.ALARM_RAISED, (at_ms, event)
            continue
        elif event["type"] in (record.ALARM_SHELVED, record.ALARM_UNSHELVED):
            continue
        state[point, kind] = event["type"]


def a_strike_moves_only_when_released(run: Run) -> None:
    """A fail-secure lock is physically open only between a recorded release and its end."""
    config = run.story.config
    strikes = [
        name
        for name, part in config["portals"].items()
        if config["devices"][part["lock"]]["fail_mode"] == "fail_secure"
    ]
    free: dict[str, bool] = {}
    was: dict[str, str] = {}
    for line in run.trace:
        event = line["event"]
        if line["kind"] == "event" and event["type"] in (
            record.PORTAL_RELEASED,
            record.PORTAL_SECURED,
        ):
            free[event["portal"]] = event["type"] == record.PORTAL_RELEASED
        elif line["kind"] == "world" and event["kind"] == "portal" and event["id"] in strikes:
            if event["lock"] == "unlocked" and was.get(event["id"]) != "unlocked":
                assert free.get(event["id"]), line
            was[event["id"]] = event["lock"]


def nothing_secret_is_told(run: Run) -> None:
    """No card, PIN or code in any record."""
    told = json.dumps([event for _, event in events(run)])
    for somebody in run.story.people:
        for secret in (somebody.card, somebody.duress_card, somebody.qr):
            assert secret is None or secret not in told
    for step in run.story.steps:
        assert step.get("text") is None or step["text"] not in told
    granted = [event for _, event in events(run, record.ACCESS_GRANTED)]
    assert "duress" not in json.dumps(granted)
    assert '"pin": ' not in told
    assert '"digits"' not in told


LAWS: tuple[Callable[[Run], None], ...] = (
    record_is_whole,
    every_release_has_one_cause,
    every_grant_has_at_most_one_verdict,
    alarms_have_their_class_and_priority,
    a_strike_moves_only_when_released,
    nothing_secret_is_told,
)
