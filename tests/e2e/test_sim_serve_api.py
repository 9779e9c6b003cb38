"""The simulator's HTTP side, from outside: the world, the verbs and the events as the contract has them."""

import hashlib
import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
from host_rig import PATIENCE_S, Demo, wait_lock

from firmware.trust import chain


def _ask(
    demo: Demo,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(demo.url).netloc, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _refused(answer: tuple[int, dict[str, str], bytes], status: int) -> str:
    """The one line of a refusal."""
    assert answer[0] == status, answer
    said = json.loads(answer[2])
    assert said["ok"] is False
    line = str(said["error"])
    assert line
    assert "\n" not in line
    assert "Traceback" not in line
    return line


def test_the_world_tells_everything_that_can_be_seen(demo: Demo) -> None:
    world = demo.world()
    assert (world["site"], world["controller"]) == ("sunrise", "c-01")
    assert world["root"] == "doorward/sunrise/c-01"
    host, _, port = demo.broker.rpartition(":")
    assert world["broker"] == {"host": host, "port": int(port)}
    assert set(world["clock"]) >= {"utc", "quality"}
    assert world["clock"]["quality"] == "trusted"
    assert (world["power"], world["network"]) == (True, True)
    assert isinstance(world["at_ms"], int)
    assert isinstance(world["waiting"], int)
    for portal in ("front", "yard"):
        seen = world["portals"][portal]
        parts = {key: seen[key] for key in ("lock", "door", "mode", "alarm", "fire")}
        assert parts == {
            "lock": "locked",
            "door": "closed",
            "mode": "locked",
            "alarm": "normal",
            "fire": False,
        }
    for name, portal in (("front-in", "front"), ("yard-in", "yard"), ("yard-out", "yard")):
        at = world["access_points"][name]
        assert (at["portal"], at["led"], at["buzzer"], at["blocked_until"]) == (
            portal,
            "red",
            False,
            None,
        )
    assert world["access_points"]["front-in"]["accepts"] == ["w26", "w34", "w37", "uid", "pin"]
    assert "qr" in world["access_points"]["yard-in"]["accepts"]
    assert world["outputs"] == {"siren": False, "beacon": False}
    assert world["alarms"] == []
    people = {somebody["name"]: somebody for somebody in world["people"]}
    assert list(people) == [
        "resident",
        "cleaner",
        "ended_lease",
        "lost_card",
        "visitor",
        "new_tenant",
        "manager",
    ]
    assert set(people["resident"]) >= {"name", "card", "pin", "qr", "credential", "flat"}
    assert [flat["number"] for flat in world["flats"]] == ["101", "102", "103", "104"]
    assert set(world["operator"]) >= {"id", "private_key"}
    assert "public_key" in world
    name = f"doorward simulator visitor key {world['site']}/{world['controller']}"
    assert world["visitor_key"] == hashlib.sha256(name.encode()).hexdigest()


def test_a_card_number_and_a_pin_open_as_a_person_does(demo: Demo) -> None:
    people = {somebody["name"]: somebody for somebody in demo.world()["people"]}
    resident = people["resident"]
    demo.act("present_card", access_point="front-in", number=resident["card"])
    demo.wait_for("access.granted", verification="card", credential=resident["credential"])
    assert demo.world()["portals"]["front"]["mode"] == "accessed"
    demo.act("enter_pin", access_point="front-in", digits=resident["pin"])
    demo.wait_for("access.granted", verification="pin", credential=resident["credential"])
    demo.act("show_qr", access_point="yard-in", text=people["visitor"]["qr"])
    demo.wait_for("access.granted", verification="qr", credential=people["visitor"]["credential"])
    wait_lock(demo, "yard", "unlocked")
    demo.act("walk_through", portal="yard")
    demo.wait_for("access.taken", portal="yard")


def test_what_was_broken_can_be_seen_until_it_is_mended(demo: Demo) -> None:
    def seen() -> tuple[Any, ...]:
        world = demo.world()
        wires = [world["devices"][name]["fault"] for name in ("front-contact", "yard-in-reader")]
        return (*wires, world["portals"]["front"]["jammed"], world["mains"], world["battery"])

    assert seen() == ("none", "none", False, True, True)
    demo.act("fail_line", device="front-contact", fault="short")
    demo.act("fail_line", device="yard-in-reader", fault="stuck")
    demo.act("jam_lock", portal="front", on=True)
    demo.act("fail_mains", on=True)
    demo.act("fail_battery", on=True)
    demo.wait_for("access.denied", reason="bad_read", access_point="yard-in")
    assert seen() == ("short", "stuck", True, False, False)
    assert demo.wait_for("alarm.raised", point="mains")["class"] == "power_fault"
    assert demo.wait_for("alarm.raised", point="battery")["class"] == "battery_low"
    demo.act("unplug", device="yard-out-reader", on=True)
    assert demo.world()["devices"]["yard-out-reader"] == {
        **demo.world()["devices"]["yard-out-reader"],
        "fault": "none",
        "unplugged": True,
    }
    for device in ("front-contact", "yard-in-reader"):
        demo.act("fail_line", device=device, fault="none")
    demo.act("jam_lock", portal="front", on=False)
    demo.act("fail_mains", on=False)
    demo.act("fail_battery", on=False)
    assert seen() == ("none", "none", False, True, True)


#: What is asked: the line that refuses it begins so.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "verb": (
        {"do": "present_crad"},
        'verb "present_crad" is unknown; the nearest known one is "present_card"',
    ),
    "later": ({"do": "ring_flat", "flat": "101"}, "ring_flat: comes in a later"),
    "fault": (
        {"do": "fail_line", "device": "front-contact", "fault": "ctu"},
        'fail_line: fault "ctu" is unknown; the nearest known one is "cut"',
    ),
    "output's fault": (
        {"do": "fail_line", "device": "siren", "fault": "short"},
        "fail_line: device siren is an output, whose fuse a short would blow; expected fault cut, ",
    ),
    "access point": (
        {"do": "present_card", "access_point": "fornt-in", "person": "resident"},
        'present_card: access_point "fornt-in" is unknown; the nearest known one is "front-in"',
    ),
    "person": (
        {"do": "present_card", "access_point": "front-in", "person": "residnet"},
        'present_card: person "residnet" is unknown; the nearest known one is "resident"',
    ),
    "neither": (
        {"do": "present_card", "access_point": "front-in"},
        "present_card: neither of number and person given; expected one",
    ),
    "no code reader": (
        {"do": "show_qr", "access_point": "front-in", "person": "visitor"},
        "show_qr: this reader reads no codes",
    ),
    "no card": (
        {"do": "present_card", "access_point": "front-in", "person": "visitor"},
        "present_card: visitor has no card",
    ),
    "too long for Wiegand": (
        {"do": "present_card", "access_point": "front-in", "number": "uid:04A1B2C3D4E5F6"},
        "present_card: card number: uid too long for Wiegand",
    ),
    "no number": (
        {"do": "present_card", "access_point": "front-in", "number": "w26:999:1"},
        "present_card: card number: facility is too large",
    ),
    "no keys": (
        {"do": "enter_pin", "access_point": "yard-in", "digits": "1"},
        "enter_pin: access point yard-in has no keys",
    ),
    "no digits": (
        {"do": "enter_pin", "access_point": "front-in", "digits": "12a4"},
        "enter_pin: digits are no keys",
    ),
    "flag": ({"do": "set_fire", "on": "yes"}, 'set_fire: on is "yes"; expected true or false'),
    "stray": ({"do": "press_ack", "on": True}, "press_ack: argument "),
    "reserved word": ({"do": "press_ack", "self": 1}, "press_ack: argument "),
    "clock": ({"do": "set_clock", "utc": "noon"}, "set_clock: time is none"),
    "wait": ({"do": "wait", "ms": -1}, "wait: ms is out of range"),
    "float": ({"do": "wait", "ms": 1.5}, "wait: ms is "),
    "null": ({"do": "push_door", "portal": None}, "push_door: "),
    "list": ({"do": "push_door", "portal": ["front"]}, "push_door: portal is no text"),
    "args": (
        {"do": "command", "op": "portal.release", "args": ["front"]},
        "command: args is no table",
    ),
    "half a character": (
        {"do": "command", "op": "portal.release", "args": {"portal": "\ud800"}},
        "command: args is no table",
    ),
    "no verb": ({"portal": "front"}, "body: expected a JSON object"),
    "number verb": ({"do": 7}, "body: expected a JSON object"),
}


def test_what_cannot_begin_is_one_clear_line_and_nothing_happens(demo: Demo) -> None:
    for what, (body, begins) in REFUSED.items():
        answer = _ask(demo, "POST", "/api/act", json.dumps(body).encode())
        assert _refused(answer, 422).startswith(begins), what
    bodies = [b"", b"{", b"[]", b"null", b'"do"', b"\xff\xfe", b"[" * 30000, b'{"do":"wait"} x']
    for raw in bodies:
        assert _refused(_ask(demo, "POST", "/api/act", raw), 422).startswith("body: "), raw[:9]
    world = demo.world()
    assert world["records"] == 2  # the journal's beginning and the start
    assert {portal["lock"] for portal in world["portals"].values()} == {"locked"}


def test_a_huge_body_is_refused_unread(demo: Demo) -> None:
    assert _refused(_ask(demo, "POST", "/api/act", b"x" * 70_000), 422).startswith("body: ")
    for length in ("1000000000000", "-5", "many"):
        answer = _ask(demo, "POST", "/api/act", None, {"Content-Length": length})
        assert _refused(answer, 422).startswith("body: ")
    demo.act("wait", ms=0)


def test_what_is_not_there_is_a_404_of_one_line(demo: Demo) -> None:
    for path in ("/nothing", "/api/", "/api/worlds", "/../sim/main.py", "/%2e%2e/main.py", "/x/y"):
        _refused(_ask(demo, "GET", path), 404)
    _refused(_ask(demo, "POST", "/api/world", b"{}"), 404)
    assert _ask(demo, "GET", "/")[0] == 200


def test_a_page_of_another_origin_may_see_and_do_nothing(demo: Demo) -> None:
    own = demo.url.rstrip("/")
    card = {"do": "present_card", "access_point": "front-in", "person": "resident"}
    body = json.dumps(card).encode()
    for origin in (
        "http://evil.example",
        "null",
        own.replace("http://", "http://evil."),
        own + "1",
    ):
        for method, path in (("GET", "/api/world"), ("GET", "/api/events"), ("POST", "/api/act")):
            answer = _ask(
                demo, method, path, body if method == "POST" else None, {"Origin": origin}
            )
            assert _refused(answer, 403).startswith("Origin: ")
            assert "Access-Control-Allow-Origin" not in answer[1]
    assert demo.world()["records"] == 2
    assert _ask(demo, "GET", "/api/world", None, {"Origin": own})[0] == 200
    assert _ask(demo, "POST", "/api/act", body, {"Origin": own})[0] == 200


def test_a_name_that_points_here_from_elsewhere_is_no_own_page(demo: Demo) -> None:
    """A page may have its own name resolved to loopback: then its origin and the host agree."""
    port = urlsplit(demo.url).port
    there = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
    _refused(_ask(demo, "GET", "/api/world", None, there), 403)
    _refused(_ask(demo, "POST", "/api/act", b'{"do":"press_ack"}', there), 403)
    _refused(_ask(demo, "GET", "/api/world", None, {"Host": f"evil.example:{port}"}), 403)
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert _ask(demo, "GET", "/api/world", None, {"Host": f"{name}:{port}"})[0] == 200


def test_the_pages_answers_forbid_frames_foreign_content_and_sniffing(demo: Demo) -> None:
    for path in ("/", "/api/world"):
        headers = _ask(demo, "GET", path)[1]
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_stream_begins_after_the_seq_that_is_asked_for(demo: Demo) -> None:
    for portal in ("front", "yard"):
        demo.act("press_rex", portal=portal)
        demo.wait_for("portal.released", portal=portal)
    all_of_them = []
    for event in demo.events(0):
        all_of_them.append(event)
        if event.get("portal") == "yard" and event["type"] == "portal.released":
            break
    assert chain.verify(all_of_them) == (True, None, "")
    assert [event["seq"] for event in all_of_them[:3]] == [1, 2, 3]
    later = next(iter(demo.events(2)))
    assert later == all_of_them[2]
    for wrong in ("x", "-1", "1.5", "1e3"):
        answer = _ask(demo, "GET", f"/api/events?after_seq={wrong}")
        assert _refused(answer, 422) == "after_seq: expected a whole number"


def test_changes_of_the_world_are_told_while_somebody_looks(demo: Demo) -> None:
    request = urllib.request.urlopen(demo.url + "api/events", timeout=PATIENCE_S)
    with request as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        kind, pressed = "", False
        for raw in answer:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "world":
                if not pressed:
                    pressed = True
                    demo.act("press_rex", portal="front")
                news = json.loads(line.removeprefix("data: "))
                assert isinstance(news["at_ms"], int)
                if news.get("portals", {}).get("front", {}).get("lock") == "unlocked":
                    return
    pytest.fail("the stream ended")


def test_without_power_the_world_is_what_is_physically_so(demo: Demo) -> None:
    demo.act("cut_power")
    world = demo.world()
    assert world["power"] is False
    for portal, lock in (("front", "locked"), ("yard", "unlocked")):
        seen = world["portals"][portal]
        assert (seen["door"], seen["mode"], seen["alarm"]) == ("closed", None, None), portal
        assert seen["lock"] in (lock, "locked")  # a magnet needs its moment to let go
    assert world["waiting"] is None
    demo.act("restore_power")
    back = demo.world()  # answers only when the controller decides
    assert back["portals"]["front"]["mode"] == "locked"
    assert back["at_ms"] - world["at_ms"] >= 1000
    started = demo.wait_for("system.started", boot=2)
    released = demo.wait_for("portal.released", cause="power")
    assert (released["portal"], released["boot"]) == ("yard", 2)
    assert released["seq"] > started["seq"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(demo.url + "api/act", b"{}", timeout=PATIENCE_S)
    assert refused.value.code == 422
    refused.value.close()


def test_what_is_silent_at_the_door_is_seen_at_the_desk(demo: Demo) -> None:
    demo.act("enter_pin", access_point="front-in", digits="2581")
    demo.wait_for("alarm.raised", point="front-in")
    demo.act("press_ack")
    assert [alarm["class"] for alarm in demo.world()["alarms"]] == ["duress"]
    asked = {"op": "alarm.acknowledge", "args": {"point": "front-in", "class": "duress"}}
    status, _, body = _ask(demo, "POST", "/api/command", json.dumps(asked).encode())
    assert (status, json.loads(body)["ok"]) == (200, True)
    assert demo.wait_for("alarm.acknowledged", point="front-in")["by"] == "op-demo"
    assert demo.world()["alarms"] == []
