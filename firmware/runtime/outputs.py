"""Drives what the deciding core wants: locks, lights, buzzers, siren, beacon, outputs of rules.

A release that must be durable first (law 3) waits here for its batch, at most `RECORD_WAIT_MS`; then the
lock moves and the batch is marked late. What has changed back meanwhile is never driven.
"""

from firmware.access import sounder
from firmware.access.deadlines import earliest
from hal.errors import DeviceUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.access.site import Site
    from firmware.runtime.ports import Batch

RECORD_WAIT_MS = 100


class Outputs:
    """The outputs of one board. ``on_fault`` is told (device, ok, text) when one cannot be driven."""

    def __init__(self, config: "dict[str, Any]", devices: "dict[str, Any]") -> None:
        self._config = config
        self._devices = devices
        self._portals = sorted(config["portals"])
        #: (access point, its light, its buzzer)
        self._signs = [
            (name, config["access_points"][name]["led"], config["access_points"][name]["buzzer"])
            for name in sorted(config["access_points"])
        ]
        self._unlocked: dict[str, bool] = {}
        self._waiting: dict[str, tuple[Batch, int]] = {}
        self._shown: dict[str, object] = {}
        self._failed: dict[str, bool] = {}
        self._siren = sounder.Sounder(sounder.SIREN)
        self._beacon = sounder.Sounder(sounder.BEACON)
        self._switched: dict[str, bool] = {}
        #: devices whose time on is limited
        self._pulses = [
            name
            for name in sorted(devices)
            if config["devices"][name].get("max_pulse_ms") is not None
        ]
        self.on_fault: Callable[[str, bool, str], None] | None = None
        #: callable  told when what `told` says has changed
        self.on_told: Callable[[], None] | None = None
        self._told_before: list[object] = []
        self._held_safe = False
        #: portals that `make_safe` locked while they were released
        self._interrupted: set[str] = set()
        #: callable (portal)  the device that has to be read before its lock is engaged (law 1), or None
        self.unread: Callable[[str], str | None] = _all_read
        #: callable (portal, unlocked)  told when a lock was driven
        self.on_lock: Callable[[str, bool], None] | None = None

    @property
    def deadline_ms(self) -> "int | None":
        """When a release has waited long enough, a pulse has lasted its time, or a rhythm goes on."""
        dues = [self._siren.deadline_ms, self._beacon.deadline_ms]
        for name in self._waiting:
            dues.append(self._waiting[name][1])
        for name in self._pulses:
            # One that fails is tried again with each round of the door, and not all the time.
            if name not in self._failed:
                dues.append(self._devices[name].deadline_ms)
        return earliest(dues)

    def is_due(self, now_ms: int) -> bool:
        """Whether `apply` is to be called: its time has come, or a line that failed is to be tried again."""
        due_ms = self.deadline_ms
        return bool(self._failed) or (due_ms is not None and now_ms >= due_ms)

    @property
    def waits(self) -> bool:
        """Whether a release waits for its record."""
        return bool(self._waiting)

    def told(self, device: str) -> bool:
        """Whether `device` is told to sound or be lit, the pauses of a rhythm included, or switched on."""
        alarms = self._config["alarms"]
        if device == alarms["siren"]:
            return self._siren.told
        if device == alarms["beacon"]:
            return self._beacon.told
        return self._switched.get(device, False)

    def switch(self, device: str, on: bool) -> None:
        """A rule of the config switches an output; driven with the next `apply`."""
        self._switched[device] = on

    def let_out(self, site: "Site", now_ms: int) -> None:
        """Drive the locks that wait for no record, before anything else is done; `apply` is to follow."""
        for name in [] if self._held_safe else self._portals:
            portal = site.portals[name]
            if not (portal.unlocked and portal.waits_for_record(now_ms)):
                self._lock(name, portal, None, now_ms)

    def apply(self, site: "Site", batch: "Batch | None", now_ms: int) -> None:
        """Bring every output up to what `site` wants; `batch` holds the records of what just changed.

        Drives nothing between `make_safe` and `resume`; what is released meanwhile waits for its record
        all the same.
        """
        if self._held_safe:
            for name in self._portals:
                self._await(name, site.portals[name], batch, now_ms)
            return
        for name in self._portals:
            self._lock(name, site.portals[name], batch, now_ms)
        for name, led, buzzer in self._signs:
            at = site.access_points[name]
            if at.portal.name not in self._waiting:
                self._show(led, "show", at.signals.light)
                self._show(buzzer, "sound", at.signals.sound)
        alarms = self._config["alarms"]
        self._siren.play(sounder.siren(site.alarms, now_ms), now_ms)
        self._beacon.play(sounder.beacon(site.alarms), now_ms)
        self._show(alarms["siren"], "sound", self._siren.on)
        self._show(alarms["beacon"], "light", self._beacon.on)
        for name in sorted(self._switched):
            self._show(name, "switch", self._switched[name])
        told: list[object] = [self._siren.told, self._beacon.told, sorted(self._switched.items())]
        if told != self._told_before:
            self._told_before = told
            if self.on_told is not None:
                self.on_told()
        for name in self._pulses:
            self._end_pulse(name, now_ms)

    def _end_pulse(self, name: str, now_ms: int) -> None:
        driver = self._devices[name]
        due_ms = driver.deadline_ms
        if due_ms is not None and now_ms >= due_ms:  # what has nothing to end would seem to work
            self._drive(name, lambda: driver.tick(now_ms))

    def resume(self, site: "Site", now_ms: int) -> None:
        """The door loop decides: what `site` wants is driven, now and from here on."""
        self._held_safe = False
        self._interrupted = set()
        self.apply(site, None, now_ms)

    def make_safe(self) -> None:
        """Take the power from every lock and switch rules' outputs off, until `resume`."""
        self._held_safe = True
        self._interrupted.update(name for name in self._unlocked if self._unlocked[name])
        self._unlocked = {}
        self._shown = {}
        for name in sorted(self._switched):
            self._switched[name] = False
            self._show(name, "switch", False)
        self._shown = {}
        for name in self._portals:
            device = self._config["portals"][name]["lock"]
            lock = self._devices.get(device)
            if lock is not None:
                self._drive(device, lock.release_power, self.unread(name) is None)

    def _await(self, name: str, portal: "Any", batch: "Batch | None", now_ms: int) -> None:
        """While nothing is driven: know which record a release waits for, and since when."""
        if not portal.unlocked:
            self._waiting.pop(name, None)
            self._interrupted.discard(name)
            return
        known = name in self._waiting or name in self._interrupted
        if batch is not None and not known and portal.waits_for_record(now_ms):
            self._waiting[name] = (batch, now_ms + RECORD_WAIT_MS)

    def _lock(self, name: str, portal: "Any", batch: "Batch | None", now_ms: int) -> None:
        wanted = portal.unlocked
        waiting = self._waiting.get(name)
        if wanted == self._unlocked.get(name):
            self._waiting.pop(name, None)
            return
        if wanted and portal.waits_for_record(now_ms):
            if waiting is None and batch is not None and not batch.durable:
                self._waiting[name] = (batch, now_ms + RECORD_WAIT_MS)
                return
            if waiting is not None and not waiting[0].durable:
                if now_ms < waiting[1]:
                    return
                waiting[0].mark_late()
        self._waiting.pop(name, None)
        device = self._config["portals"][name]["lock"]
        lock = self._devices.get(device)
        if lock is not None and self._move(name, device, lock, wanted):
            self._unlocked[name] = wanted
            if self.on_lock is not None:
                self.on_lock(name, wanted)

    def _move(self, name: str, device: str, lock: "Any", unlocked: bool) -> bool:
        blind = self.unread(name)
        if blind is None or unlocked:
            return self._drive(device, lambda: lock.set_unlocked(unlocked), blind is None)
        text = "stays without current: %s was never read; expected that before it is engaged"
        self._fail(device, text % blind)
        return False

    def _show(self, device: "str | None", method: str, value: object) -> None:
        if device is None or self._shown.get(device) == value:
            return
        driver = self._devices.get(device)
        if driver is not None and self._drive(device, lambda: getattr(driver, method)(value)):
            self._shown[device] = value

    def _drive(self, device: str, act: "Callable[[], None]", well: bool = True) -> bool:
        """Do `act`; `well`: what worked is no longer a fault."""
        try:
            act()
        except DeviceUnavailableError as error:
            self._fail(device, str(error))
            return False
        if well and self._failed.pop(device, False) and self.on_fault is not None:
            self.on_fault(device, True, "works again")
        return True

    def _fail(self, device: str, text: str) -> None:
        if not self._failed.get(device):
            self._failed[device] = True
            if self.on_fault is not None:
                self.on_fault(device, False, text)


def _all_read(portal: str) -> "str | None":
    return None
