"""What the controller says on its retained topics, as JSON-ready dictionaries (the contract, section 3)."""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def portal_payload(
    mode: str,
    lock: str,
    door: str,
    alarm: str,
    pre_alarm: bool,
    fire: bool,
    since: str,
    until: "str | None",
) -> "dict[str, object]":
    """``portal/<portal>``: the condition now. `since` and `until` are UTC times; None: no end."""
    return {
        "mode": mode,
        "lock": lock,
        "door": door,
        "alarm": alarm,
        "pre_alarm": pre_alarm,
        "fire": fire,
        "since": since,
        "until": until,
    }


def alarm_payload(
    state: str, priority: int, since: "str | None", by: "str | None"
) -> "dict[str, object]":
    """``alarm/<point>/<class>``: `state` is one of `firmware.access.alarm.STATES`."""
    return {"state": state, "priority": priority, "since": since, "by": by}


def status_payload(
    state: str,
    version: str,
    boot: int,
    since: str,
    journal: str,
    nonce: "str | None" = None,
    public_key: "dict[str, str] | None" = None,
) -> "dict[str, object]":
    """``status``: online, or offline as the last will and the last word.

    `nonce` and `public_key` stand where commands are taken: what a command may quote, and our keys.
    """
    status: dict[str, object] = {
        "state": state,
        "version": version,
        "boot": boot,
        "since": since,
        "journal": journal,
    }
    if nonce is not None:
        status["nonce"] = nonce
        status["public_key"] = public_key
    return status


def health_payload(
    waiting: int,
    count: int,
    stored: bool,
    quality: str,
    readers: "dict[str, bool]",
    mains: bool,
    battery: bool,
) -> "dict[str, Any]":
    """``health``: each part with ``ok``. What is measured (disk, temperature, memory) is put beside it.

    `waiting` records wait for the host, of `count` written; `stored`: writes succeed. `readers` says of each
    device whether it works. Camera and SIP stand here once there are such parts.
    """
    return {
        "records": {"waiting": waiting, "ok": stored},
        "journal": {"count": count, "ok": stored},
        "clock": {"quality": quality, "ok": quality != "untrusted"},
        "readers": {name: {"ok": readers[name]} for name in readers},
        "power": {"ok": mains and battery, "mains": mains, "battery": battery},
    }


def titles(things: "dict[str, dict[str, object]]") -> "dict[str, object]":
    """What people call each of `things` (id -> its part of the config)."""
    return {name: things[name].get("title") for name in sorted(things)}


def about_payload(config: "dict[str, dict[str, dict[str, object]]]") -> "dict[str, object]":
    """``about``: titles in English and Chinese, and what this controller can do."""
    return {
        "title": config["controller"].get("title"),
        "timezone": config["controller"].get("timezone"),
        "portals": titles(config["portals"]),
        "access_points": titles(config["access_points"]),
        "devices": titles(config["devices"]),
        "alarms": titles(config["alarms"]["points"]),  # type: ignore[arg-type]
        "cameras": titles(config["cameras"]),
        "flats": config["controller"].get("flats"),
        "capabilities": ["access", "alarms"],
    }


def dumps(payload: object) -> str:
    """JSON with its keys in order, the same on both interpreters."""
    if isinstance(payload, dict):
        items = ["%s:%s" % (json.dumps(key), dumps(payload[key])) for key in sorted(payload)]
        return "{" + ",".join(items) + "}"
    if isinstance(payload, (list, tuple)):
        return "[" + ",".join([dumps(item) for item in payload]) + "]"
    return json.dumps(payload)
