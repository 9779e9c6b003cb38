"""Keeps the broker's retained topics true and its event topic fed, through the outbox."""

import firmware
from firmware.access import alarm
from firmware.runtime.clock import iso
from firmware.runtime.outbox import Outbox
from firmware.wire import payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.access.site import Site
    from firmware.runtime.clock import SiteTime

HEALTH_MS = 60000


class Publisher:
    """What one controller says about itself."""

    def __init__(
        self, config: "dict[str, Any]", journal: "Any", transport: "Any", loop: "Any"
    ) -> None:
        controller = config["controller"]
        self.root = "doorward/%s/%s" % (controller["site"], controller["name"])
        self._config = config
        self._journal = journal
        host_ack = bool(config["link"].get("host_ack", True))
        self._outbox = Outbox(journal, transport, loop, self.root, host_ack)
        self._said: dict[str, object] = {}
        #: int  ask for `conditions` no later than this: health is told each minute
        self.health_at_ms = 0
        self._ill: list[str] = []
        self._in_force: int | None = None  # the version of the set of keys that was told last
        self._since: str | None = None
        self._told: tuple[int, str] | None = None  # the boot and the journal of `status`
        self._nonce: str | None = None
        #: callable () -> (count, version, ok)  the keys there are, `ports.Store.held`
        self.held: Callable[[], tuple[int, int, bool]] | None = None
        #: dict  the controller's public keys, where commands are taken
        self.public_key: dict[str, str] | None = None
        #: callable () -> dict  what the platform can say of disk, temperature and memory
        self.measure: Callable[[], dict[str, Any]] | None = None
        #: callable ()  the other side has acknowledged something, where that is the host's word
        self.on_heard: Callable[[], None] | None = None
        if not host_ack:
            self._outbox.on_taken = self._heard

    @property
    def up(self) -> bool:
        """Whether the broker is there."""
        return self._outbox.up

    def start(self, since: str) -> None:
        """Say who this is."""
        self._since = since
        self._retain("about", payload.about_payload(self._config))
        self._say_status()

    def say_nonce(self, nonce: str) -> None:
        """What a command may quote from now on; said again whenever it changes."""
        self._nonce = nonce
        if self._since is not None:
            self._say_status()

    def kill(self) -> None:
        """Say nothing more, as when the power goes."""
        self._outbox.kill()

    def replay(self, from_seq: int, to_seq: int) -> "tuple[int, int] | None":
        """Send a range of records once more; which of it is there (`Outbox.replay`)."""
        return self._outbox.replay(from_seq, to_seq)

    def conditions(self, site: "Site", time: "SiteTime", now_ms: int) -> None:
        """Bring the retained conditions up to date; what has not changed is not said again."""
        journal = (self._journal.boot, self._journal.name)
        if self._told is not None and self._told != journal:  # it was opened late, or begun anew
            self._say_status()
        for name in sorted(site.portals):
            portal = site.portals[name]
            lock = "unlocked" if portal.unlocked else "locked"
            seen = (
                portal.mode_now,
                "fault" if portal.lock_fault else lock,
                portal.door,
                portal.alarm,
                portal.pre_alarm,
                portal.fire,
                portal.since_ms,
                portal.until_ms,
            )
            if self._said.get("portal/" + name) != seen:
                self._said["portal/" + name] = seen
                since = iso(time.utc_ms_at(portal.since_ms))
                until = None if portal.until_ms is None else iso(time.utc_ms_at(portal.until_ms))
                body = payload.portal_payload(
                    seen[0], seen[1], seen[2], seen[3], seen[4], seen[5], since, until
                )
                self._retain("portal/" + name, body)
        for entry in site.alarms.everything():
            topic = "alarm/%s/%s" % (entry.point, entry.kind)
            state = (entry.state, entry.since_s, entry.by)
            if self._said.get(topic) != state:
                self._said[topic] = state
                since = iso(entry.since_s * 1000)
                self._retain(
                    topic, payload.alarm_payload(entry.state, entry.priority, since, entry.by)
                )
        health = self._health(site, time)
        in_force = None
        if self.held is not None:
            count, in_force, ok = self.held()
            health["credentials"] = {"count": count, "version": in_force, "ok": ok}
        ill = [name for name in sorted(health) if not health[name].get("ok", True)]
        ill += [name for name in sorted(health["readers"]) if not health["readers"][name]["ok"]]
        ill += [name for name in ("battery", "mains") if not health["power"][name]]
        # Each minute, and at once where one turns or other keys are in force; not for every number.
        if now_ms >= self.health_at_ms or ill != self._ill or in_force != self._in_force:
            self.health_at_ms = now_ms + HEALTH_MS
            self._ill = ill
            self._in_force = in_force
            health.update({} if self.measure is None else self.measure())
            self._retain("health", health)

    def _say_status(self) -> None:
        self._told = (self._journal.boot, self._journal.name)
        self._retain(
            "status",
            payload.status_payload(
                "online",
                firmware.VERSION,
                self._journal.boot,
                self._since or "",
                self._journal.name,
                self._nonce,
                self.public_key,
            ),
        )

    def _heard(self) -> None:
        if self.on_heard is not None:
            self.on_heard()

    def _health(self, site: "Site", time: "SiteTime") -> "dict[str, Any]":
        """What the core knows of its own health; what can be measured comes beside it."""
        faults = {(one.point, one.kind) for one in site.alarms.everything() if one.active}
        readers = {}
        for name in sorted(self._config["access_points"]):
            reader = self._config["access_points"][name]["reader"]
            readers[reader] = (reader, alarm.READER_FAULT) not in faults
        kinds = {kind for point, kind in faults if point not in readers}  # their supply is not ours
        return payload.health_payload(
            self._journal.waiting(),
            self._journal.count(),
            alarm.STORAGE_FAULT not in kinds,
            time.quality(),
            readers,
            alarm.POWER_FAULT not in kinds,
            alarm.BATTERY_LOW not in kinds,
        )

    def _retain(self, topic: str, body: "dict[str, object]") -> None:
        self._outbox.retain(topic, payload.dumps(body))
