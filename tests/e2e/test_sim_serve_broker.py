"""What the simulator says at its broker, read there by an independent client."""

import json
import re
from typing import Any

from host_rig import EVENT, PATIENCE_S, ROOT, Demo, listening, port_of, until, wait_lock

from firmware.trust import chain

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").fullmatch


def _in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: int(event["seq"]))


def test_an_event_is_the_same_on_the_page_and_at_the_broker_where_it_comes_at_qos_1(
    demo: Demo,
) -> None:
    with listening(port_of(demo)) as host:
        demo.act("present_card", access_point="front-in", person="resident")
        shown = demo.wait_for("portal.released", cause="credential")
        heard = host.wait_event("portal.released", cause="credential")
        assert heard == shown
        event = host.wait_event("access.granted")
        assert event["id"] == f"c-01:{event['journal']}:{event['seq']}"
        assert re.fullmatch("[0-9a-f]{8}", event["journal"])
        assert TIME(event["time"])
        assert {key: event[key] for key in sorted(event) if key not in _VARYING} == {
            "access_point": "front-in",
            "boot": 1,
            "clock": "trusted",
            "credential": 1001,
            "holder": 301,
            "portal": "front",
            "simulated": True,
            "type": "access.granted",
            "v": 1,
            "verification": "card",
        }
        messages = [item for item in host.messages.items if item.topic == EVENT]
        assert {(item.qos, item.retained) for item in messages} == {(1, False)}
        told = b"".join(item.body for item in host.messages.items)
        for secret in (b"w26:", b"031:20417", b"2580"):
            assert secret not in told


_VARYING = ("id", "journal", "seq", "time", "prev", "hash")


def test_the_events_at_the_broker_are_one_chain_from_the_journals_beginning(demo: Demo) -> None:
    demo.act("cut_network")
    for _ in range(3):
        demo.act("press_rex", portal="front")
    with listening(port_of(demo)) as host:
        demo.act("restore_network")
        demo.act("present_card", access_point="yard-in", person="lost_card")
        last = host.wait_event("alarm.raised")
        # What had left before the host listened is the simulator's own observer's to tell.
        by_id = {event["id"]: event for event in host.events()}
        for event in demo.events(0):
            by_id[event["id"]] = event
            if {seen["seq"] for seen in by_id.values()} >= set(range(1, last["seq"] + 1)):
                break  # the alarm itself came first, before what was written before it
        events = _in_order(list(by_id.values()))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "system.journal_started"
    assert events[0]["prev"] == "0" * 64
    assert chain.verify(events) == (True, None, "")


def test_retained_topics_tell_the_condition_to_whoever_comes_late(demo: Demo) -> None:
    world = demo.world()
    with listening(port_of(demo)) as early:
        early.last("status", state="online")
        demo.act("present_card", access_point="front-in", person="resident")
        early.last("portal/front", mode="accessed", lock="unlocked")
        demo.act("force_door", portal="yard")
        early.last("alarm/yard/door_forced", state="unacknowledged")
    with listening(port_of(demo)) as late:
        status = late.last("status")
        assert set(status) >= {"state", "version", "boot", "since", "journal"}
        assert (status["state"], status["boot"]) == ("online", 1)
        assert TIME(status["since"])
        about = late.last("about")
        assert about["portals"]["front"] == {"en": "Front door", "zh": "大门"}
        assert set(about) >= {"portals", "access_points", "devices", "alarms", "flats"}
        assert "capabilities" in about
        yard = late.last("portal/yard", alarm="door_forced")
        keys = {"mode", "lock", "door", "alarm", "pre_alarm", "fire", "since", "until"}
        assert set(yard) >= keys
        assert (yard["lock"], yard["door"], yard["fire"]) == ("locked", "open", False)
        alarm = late.last("alarm/yard/door_forced")
        assert set(alarm) >= {"state", "priority", "since", "by"}
        assert (alarm["state"], alarm["priority"]) == ("unacknowledged", 2)
        health = late.last("health")
        assert {"records", "journal", "clock", "readers"} <= set(health)
        assert all("ok" in health[part] for part in ("records", "journal", "clock"))
        assert set(health["readers"]) == {"front-reader", "yard-in-reader", "yard-out-reader"}
        retained = [item for item in late.messages.items if item.topic != EVENT]
        assert {item.retained for item in retained} == {True}
        assert {item.qos for item in retained} == {1}
    assert world["root"] == ROOT


def test_an_alarms_topic_follows_it_until_it_is_normal(demo: Demo) -> None:
    with listening(port_of(demo)) as host:
        demo.act("tamper", device="enclosure", on=True)
        host.last("alarm/enclosure/tamper", state="unacknowledged")
        demo.act("press_ack")
        assert host.last("alarm/enclosure/tamper", state="acknowledged")["by"] == "key-switch"
        demo.act("tamper", device="enclosure", on=False)
        host.last("alarm/enclosure/tamper", state="normal")
        demo.act("tamper", device="enclosure", on=True)
        host.last("alarm/enclosure/tamper", state="unacknowledged")
        demo.act("tamper", device="enclosure", on=False)
        host.last("alarm/enclosure/tamper", state="returned")
        types = [event["type"] for event in host.events() if event["type"].startswith("alarm.")]
    assert types == [
        "alarm.raised",
        "alarm.acknowledged",
        "alarm.cleared",
        "alarm.raised",
    ]


def test_the_last_will_says_offline_when_the_power_goes(demo: Demo) -> None:
    with listening(port_of(demo)) as host:
        host.last("status", state="online", boot=1)
        demo.act("cut_power")
        host.last("status", state="offline")
        demo.act("restore_power")
        host.last("status", state="online", boot=2)


def test_a_power_cut_is_over_within_3_seconds_and_the_record_goes_on(demo: Demo) -> None:
    with listening(port_of(demo)) as host:
        demo.act("present_card", access_point="front-in", person="resident")
        granted = host.wait_event("access.granted")
        wait_lock(demo, "front", "unlocked")
        demo.act("cut_power")
        wait_lock(demo, "front", "locked")
        wait_lock(demo, "yard", "unlocked")
        cut = demo.world()
        demo.act("restore_power")
        demo.act("present_card", access_point="yard-in", person="resident")  # to nobody: it starts
        back = demo.world()
        started = host.wait_event("system.started", boot=2)
        demo.act("present_card", access_point="yard-in", person="resident")
        host.wait_event("access.granted", portal="yard")
        assert back["at_ms"] > cut["at_ms"]
        events = _in_order(host.events())
    assert started["journal"] == granted["journal"]
    seqs = [event["seq"] for event in events]
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert chain.verify(events) == (True, None, "")
    after = [event for event in events if event["boot"] == 2]
    assert after[0]["type"] == "system.started"
    doors = [event for event in after if event["type"].startswith("portal.")]
    assert [event["type"] for event in doors][:2] == ["portal.released", "portal.secured"]
    assert (doors[0]["portal"], doors[0]["cause"]) == ("yard", "power")
    assert [event["type"] for event in events].count("access.granted") == 2


def test_a_cut_network_lets_events_wait_and_a_mended_one_brings_alarms_first(demo: Demo) -> None:
    with listening(port_of(demo)) as host:
        before = host.last("status", state="online")
        until("nothing waits", lambda: demo.world()["waiting"] == 0)
        demo.act("cut_network")
        host.last("status", state="offline")
        for number in range(4):
            demo.act("present_card", access_point="front-in", number=f"w26:099:0000{number}")
        demo.act("present_card", access_point="front-in", person="resident")
        until("a grant without network", lambda: _front(demo)["mode"] == "accessed")
        demo.act("tamper", device="enclosure", on=True)
        demo.act("present_card", access_point="yard-in", person="lost_card")
        # Four refusals, the grant and its release, the lid, the lost card and its warning.
        world = until("nine wait", lambda: _waiting(demo, 9))
        assert world["network"] is False
        heard = len(host.events())
        demo.act("restore_network")
        until("nothing waits", lambda: demo.world()["waiting"] == 0)
        assert host.last("status", state="online")["journal"] == before["journal"]
        host.wait_event("access.denied", reason="credential_lost")
        backlog = host.wait_events("the whole backlog", heard + world["waiting"])[heard:]
        backlog = backlog[: world["waiting"]]
    alarms = [event["seq"] for event in backlog if event["type"].startswith("alarm.")]
    others = [event["seq"] for event in backlog if not event["type"].startswith("alarm.")]
    assert [event["seq"] for event in backlog] == sorted(alarms) + sorted(others)
    assert len(alarms) == 2
    seqs = sorted(event["seq"] for event in backlog)
    assert seqs == list(range(seqs[0], seqs[0] + world["waiting"]))


def _waiting(demo: Demo, least: int) -> dict[str, Any]:
    world = demo.world()
    return world if world["waiting"] >= least else {}


def test_a_host_that_comes_and_goes_disturbs_nothing(demo: Demo) -> None:
    for number in range(4):
        with listening(port_of(demo)) as host:
            demo.act("present_card", access_point="front-in", number=f"w26:099:0000{number}")
            host.wait_event("access.denied", seq=3 + number)
    assert demo.world()["alarms"] == []


def _front(demo: Demo) -> dict[str, Any]:
    found: dict[str, Any] = demo.world()["portals"]["front"]
    return found


def test_what_others_publish_on_its_topics_makes_the_controller_do_nothing(demo: Demo) -> None:
    """Nothing is subscribed in this version: whoever owns the broker can at worst drop messages."""
    from paho.mqtt.client import Client, MQTTv311
    from paho.mqtt.enums import CallbackAPIVersion

    stranger = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
    stranger.connect("127.0.0.1", port_of(demo))
    stranger.loop_start()
    command = {"v": 1, "id": "0" * 32, "op": "portal.release", "args": {"portal": "front"}}
    for topic in ("command", "portal/front", "stored", "reply/1"):
        sent = stranger.publish(f"{ROOT}/{topic}", json.dumps(command), qos=1)
        sent.wait_for_publish(PATIENCE_S)
    demo.act("press_rex", portal="yard")
    demo.wait_for("portal.released", portal="yard", cause="rex")
    stranger.disconnect()
    stranger.loop_stop()
    assert demo.world()["portals"]["front"]["lock"] == "locked"
    assert demo.world()["records"] == 3
