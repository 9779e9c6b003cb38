"""Which controller `doorctl` speaks to, who signs, and what is known of its doors.

``--demo``: the simulator on this machine tells all of it on `/api/world`, its operator's key included. Else a
real controller: what it has left on the broker's retained topics, and an operator's key from a file.
"""

import argparse
import datetime
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from firmware.trust import signing
from host_tools.console import FailedError, UseError
from host_tools.signer import Signer
from host_tools.site_link import Address, SiteLink

TIMEOUT_S = 10
KEPT = ("status", "about", "health", "portal/+", "alarm/+/+")


class Site:
    """One controller as a host sees it.

    world    dict     as `/api/world` tells it, as far as it is known
    address  Address  of the broker
    online   bool     whether its last word on `status` was no farewell
    """

    def __init__(self, world: dict[str, Any], address: Address, operator: str | None) -> None:
        self.world = world
        self.address = address
        self.operator = operator
        self.online = True
        self.nonce: str | None = None
        self._seed: bytes | None = None
        self._read_s = time.monotonic()
        self._utc_ms = _utc_ms(world["clock"]["utc"])

    @property
    def name(self) -> str:
        """The controller's own name."""
        return str(self.world["controller"])

    def now_ms(self) -> int:
        """UTC milliseconds at the site."""
        return self._utc_ms + round((time.monotonic() - self._read_s) * 1000)

    def link(self) -> SiteLink:
        """A connection to its topics."""
        return SiteLink(self.address, str(self.world["root"]))

    def sign_with(self, seed: bytes) -> None:
        """Who orders has this key."""
        self._seed = seed

    def signer(self) -> Signer:
        """Whoever orders. Raises `UseError`, `FailedError`."""
        if self._seed is None or self.operator is None:
            raise UseError("--operator: nobody signs; expected --operator ID --operator-key FILE")
        to = f"{self.world['site']}/{self.name}"
        try:  # a controller that is away may have told no key: it can be ordered, and will not answer
            return Signer(self.operator, self._seed, to, self.world["public_key"] or {})
        except (signing.KeyTextError, AttributeError):
            raise FailedError(
                f"{self.name}: its key is none; expected 32 bytes in base64"
            ) from None


def demo(url: str) -> Site:
    """The running simulator. Raises OSError where there is none."""
    with urllib.request.urlopen(url.rstrip("/") + "/api/world", timeout=TIMEOUT_S) as answer:
        world: dict[str, Any] = json.load(answer)
    at = world["broker"]
    site = Site(world, Address(at["host"], at["port"]), world["operator"]["id"])
    site.sign_with(signing.key_bytes(world["operator"]["private_key"]))
    site.online = bool(world["power"] and world["network"])
    return site


def real(args: argparse.Namespace) -> Site:
    """A controller behind a broker. Raises `UseError`, `FailedError`."""
    host, _, port = args.broker.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UseError(f"--broker: {args.broker} is no address; expected HOST:PORT")
    site_name, _, controller = (args.site or "").partition("/")
    if not site_name or not controller or "/" in controller:
        raise UseError("--site: is not given whole; expected SITE/CONTROLLER")
    for name in ("ca", "cert", "key"):
        if getattr(args, name) and not Path(getattr(args, name)).is_file():
            raise UseError(f"--{name}: {getattr(args, name)} is no file; expected a PEM file")
    if bool(args.cert) != bool(args.key):
        raise UseError("--cert: without its other half; expected --cert FILE --key FILE")
    address = Address(host.strip("[]"), int(port), args.ca, args.cert, args.key)
    with SiteLink(address, f"doorward/{site_name}/{controller}") as link:
        kept = link.kept(*KEPT)
    status = kept.get("status")
    if not isinstance(status, dict):
        text = f"{args.site}: has said nothing on this broker; expected its retained status"
        raise FailedError(text)
    site = Site(_world(site_name, controller, address, kept), address, args.operator)
    site.online = status.get("state") == "online"
    if site.world["clock"]["quality"] == "untrusted":
        site.nonce = status.get("nonce")
    if args.controller_key:
        site.world["public_key"] = {**(site.world["public_key"] or {}), "sign": args.controller_key}
    if args.operator_key:
        site.sign_with(read_key(args.operator_key))
    return site


def iso(utc_ms: int) -> str:
    """UTC milliseconds as the contract writes them."""
    at = datetime.datetime.fromtimestamp(utc_ms / 1000, datetime.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc_ms % 1000:03d}Z"


def read_key(path: str) -> bytes:
    """An operator's Ed25519 seed from a file: 32 bytes, raw or in base64. Raises `UseError`."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UseError(f"--operator-key: {path}: {reason}; expected a key file") from None
    try:
        return raw if len(raw) == signing.KEY_BYTES else signing.key_bytes(raw.decode().strip())
    except ValueError:
        text = f"--operator-key: {path}: is no key; expected 32 bytes, raw or in base64"
        raise UseError(text) from None


def _world(site: str, name: str, address: Address, kept: dict[str, Any]) -> dict[str, Any]:
    """What the retained topics tell, in the shape of `/api/world`."""
    about, health = _part(kept, "about"), _part(kept, "health")
    status, records = _part(kept, "status"), _part(health, "records")
    online = status.get("state") == "online"
    titles = {key: value for key, value in about.items() if isinstance(value, dict)}
    return {
        "site": site,
        "controller": name,
        "root": f"doorward/{site}/{name}",
        "broker": {"host": address.host, "port": address.port},
        "clock": {
            "utc": iso(round(time.time() * 1000)),
            "quality": _part(health, "clock").get("quality"),
            "timezone": about.get("timezone") or "UTC",
        },
        "power": True,
        "network": online,
        "waiting": records.get("waiting"),
        "records": _part(health, "journal").get("count"),
        "portals": {
            portal: {"faults": [], "title": title, **_portal(kept.get(f"portal/{portal}"), online)}
            for portal, title in titles.get("portals", {}).items()
        },
        "access_points": _things(titles.get("access_points", {})),
        "points": _things(titles.get("alarms", {})),
        "devices": {
            key: {"driver": None, "title": t} for key, t in titles.get("devices", {}).items()
        },
        "partitions": {},
        "areas": {},
        "automation": {},
        "alarms": list(_alarms(kept)),
        "people": [],
        "public_key": status.get("public_key"),
    }


def _portal(said: Any, online: bool) -> dict[str, Any]:
    known = said if isinstance(said, dict) else {}
    seen = {key: known.get(key) for key in ("mode", "lock", "door", "alarm", "since", "until")}
    if not online:
        seen["mode"] = None  # never guess: what was so last is not what is so
    seen["faults"] = [part for part in ("lock", "door") if known.get(part) == "fault"]
    return {**seen, "fire": bool(known.get("fire")), "pre_alarm": bool(known.get("pre_alarm"))}


def _alarms(kept: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for topic, said in sorted(kept.items()):
        kind, *rest = topic.split("/")
        if kind == "alarm" and isinstance(said, dict) and said.get("state") != "normal":
            found.append({"point": rest[0], "class": rest[1], **said})
    return found


def _things(titles: dict[str, Any]) -> dict[str, Any]:
    return {name: {"title": title} for name, title in titles.items()}


def _part(whole: dict[str, Any], key: str) -> dict[str, Any]:
    part = whole.get(key)
    return part if isinstance(part, dict) else {}


def _utc_ms(utc: str) -> int:
    at = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00"))
    return round(at.timestamp() * 1000)
