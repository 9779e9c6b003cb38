"""Everything of a simulated building that can be seen, as the page and `GET /api/world` get it."""

from typing import TYPE_CHECKING, Any

from firmware.access.alarm import NORMAL
from firmware.runtime.clock import iso
from sim import verbs
from sim.machine import visitor_key

if TYPE_CHECKING:
    from sim.desk import Desk


def view(desk: "Desk") -> dict[str, Any]:
    """The world now: what is physically so, and what the controller says (null without power)."""
    config = desk.config
    controller = desk.machine.controller if desk.machine.deciding else None
    seen = desk.world.snapshot()
    journal = None if controller is None else controller.journal
    utc_ms = desk.wall.utc_ms()
    return {
        "site": config["controller"]["site"],
        "controller": config["controller"]["name"],
        "title": config["controller"]["title"],
        "root": desk.root,
        "broker": {"host": desk.mqtt[0], "port": desk.mqtt[1]},
        "clock": {
            "utc": iso(utc_ms),
            "quality": None if controller is None else controller.time.quality(),
            "timezone": config["controller"]["timezone"],
            "offset_s": desk.wall.offset_s(utc_ms // 1000),
        },
        "at_ms": desk.at_ms(),
        "power": desk.machine.power,
        "network": desk.network,
        "mains": desk.world.mains,
        "battery": desk.world.battery,
        "storage": desk.storage,
        "waiting": None if journal is None else journal.waiting(),
        "held": None if journal is None else journal.held(),
        "records": None if journal is None else journal.count(),
        "portals": {name: _portal(desk, name, seen["portals"][name]) for name in config["portals"]},
        "access_points": {
            name: _access_point(desk, name, seen["access_points"][name])
            for name in config["access_points"]
        },
        "outputs": seen["outputs"],
        "alarms": _alarms(desk),
        "points": {
            name: {"class": part["class"], "title": part["title"]}
            for name, part in config["alarms"]["points"].items()
        },
        "partitions": {
            name: _partition(desk, name, part) for name, part in config["partitions"].items()
        },
        "areas": _titles(config["areas"]),
        "automation": _titles(config["automation"]),
        "devices": {
            name: {
                "driver": part["driver"],
                "title": part["title"],
                **desk.world.condition(name),
            }
            for name, part in config["devices"].items()
        },
        "people": [somebody.shown() for somebody in desk.people],
        "flats": [{"number": number} for number in config["controller"]["flats"]],
        "operator": {"id": desk.operator, "private_key": desk.operator_seed},
        "public_key": desk.public_key,
        "visitor_key": visitor_key(config).hex(),
    }


def _portal(desk: "Desk", name: str, physical: dict[str, Any]) -> dict[str, Any]:
    part = desk.config["portals"][name]
    lock = desk.config["devices"][part["lock"]]
    seen: dict[str, Any] = {
        **physical,
        "mode": None,
        "alarm": None,
        "fire": False,
        "pre_alarm": False,
        "since": None,
        "until": None,
        "faults": [],
        "contact": part["contact"],
        "bond": part["bond"],
        "devices": _own(part, ("lock", "contact", "rex", "bond")),
        "lock_kind": "magnet" if lock["fail_mode"] == "fail_safe" else "strike",
        "egress": part["egress"],
        "title": part["title"],
        "open_ms": part["open_ms"],
        "release_ms": part["release_ms"],
        "pre_alarm_ms": part["pre_alarm_ms"],
    }
    controller = desk.machine.controller
    if controller is not None and controller.deciding:
        portal = controller.site.portals[name]
        until_ms = portal.until_ms
        seen["faults"] = _faults(portal)
        seen["mode"] = portal.mode_now
        seen["alarm"] = portal.alarm
        seen["fire"] = portal.fire
        seen["pre_alarm"] = portal.pre_alarm
        seen["since"] = iso(controller.time.utc_ms_at(portal.since_ms))
        seen["until"] = None if until_ms is None else iso(controller.time.utc_ms_at(until_ms))
    return seen


def _access_point(desk: "Desk", name: str, physical: dict[str, Any]) -> dict[str, Any]:
    part = desk.config["access_points"][name]
    accepts = verbs.accepts(desk.config, name)
    seen: dict[str, Any] = {
        "portal": part["portal"],
        "direction": part["direction"],
        "accepts": accepts,
        "keypad": "pin" in accepts,
        "devices": _own(part, ("reader", "keypad", "led", "buzzer")),
        "title": part["title"],
        "blocked_until": None,
        **physical,
    }
    controller = desk.machine.controller
    if controller is not None and controller.deciding:
        attempts = controller.site.access_points[name].attempts
        now_ms = desk.loop.now_ms()
        if attempts.blocked(now_ms):
            seen["blocked_until"] = iso(controller.time.utc_ms_at(attempts.blocked_until_ms))
    return seen


def _faults(portal: Any) -> list[str]:
    """What of a door cannot be believed: its lock's obedience, its contact."""
    told = (("lock", portal.lock_fault), ("door", portal.door == "fault"))
    return [name for name, wrong in told if wrong]


def _partition(desk: "Desk", name: str, part: dict[str, Any]) -> dict[str, Any]:
    seen = {"title": part["title"], "points": part["points"], "flat": part["flat"]}
    controller = desk.machine.controller
    if controller is None or not controller.deciding:
        return {**seen, "state": None, "until": None, "by": None}
    state, until_ms, by = controller.site.partitions[name]
    until = None if until_ms is None else iso(controller.time.utc_ms_at(until_ms))
    return {**seen, "state": state, "until": until, "by": by or None}


def _titles(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: {"title": part["title"]} for name, part in entries.items()}


def _own(part: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    """The devices that a door or access point is made of: what is wrong with one is drawn there."""
    return [part[key] for key in keys if part.get(key) is not None]


def _alarms(desk: "Desk") -> list[dict[str, Any]]:
    controller = desk.machine.controller
    if controller is None or not controller.deciding:
        return []
    return [
        {
            "point": alarm.point,
            "class": alarm.kind,
            "state": alarm.state,
            "priority": alarm.priority,
            "since": iso(alarm.since_s * 1000),
            "by": alarm.by,
        }
        for alarm in controller.site.alarms.alarms()
        if alarm.state != NORMAL
    ]
