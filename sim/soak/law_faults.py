"""Laws 3 and 4: what fails of the controller itself is told in time, by its name; checkpoints are made.

A reader that is pulled off, a bolt that stays out when it is told to lock, a disk that took nothing while
something was to be written, a clock that nobody vouches for: each has its alarm within what the board config
gives it.
"""

from collections.abc import Callable
from typing import Any

from sim.soak.breach import Breach
from sim.soak.law_alarms import Alarms
from sim.soak.truth import NEVER_MS, SLOW_ENDS_MS, Truth

HOUR_MS = 3_600_000
MOST_EVENTS = 1000  #: from one checkpoint to the next
TOLD_MS = 5000  #: from the end of what the config gives a fault to its alarm
STARTS_MS = 15_000  #: a fault that is there at a start is doubted so long
WRITTEN_MS = 10_000  #: from the return of the disk to what waited for it
CONTROLLER = "controller"


class Faults:
    """The faults of one building's own parts.

    released  callable (portal) -> whether its line releases it, and since when
    """

    def __init__(
        self, truth: Truth, alarms: Alarms, released: Callable[[str], tuple[bool, int]]
    ) -> None:
        self._truth = truth
        self._alarms = alarms
        self._released = released
        devices = truth.config["devices"]
        self._readers = [name for name in devices if devices[name]["driver"] == "serial_reader"]
        self._after_ms = truth.config["alarms"]["fault_after_ms"]
        self._off: dict[str, int] = {}  # readers that are pulled off, and since when
        self._jammed: set[str] = set()  # portals whose bolt stays where it is
        self._failed: list[int] = []  # since when the disk fails, and until when
        self._ails = False  # the disk, just now
        self._ailed_ms = NEVER_MS
        self._waited = False  # something was to be written meanwhile
        self._storage_told_ms = NEVER_MS
        self._untrusted_ms: int | None = None
        self._checkpoint_ms = NEVER_MS
        self._since: dict[str, int] = {}  # journal -> events since its last checkpoint

    def step(self, at_ms: int, step: dict[str, Any]) -> None:
        """A step is about to be done."""
        if step["do"] == "unplug" and step["device"] in self._readers:
            if step["on"]:
                self._off.setdefault(step["device"], at_ms)
            else:
                self._off.pop(step["device"], None)
        elif step["do"] == "jam_lock":
            (self._jammed.add if step["on"] else self._jammed.discard)(step["portal"])
        elif step["do"] == "fail_storage":
            self._storage(at_ms, step)
        elif step["do"] in ("fail_disk", "limit_memory", "cut_power", "kill_process"):
            self._failed = []

    def _storage(self, at_ms: int, step: dict[str, Any]) -> None:
        ailed, self._ails = self._ails, step["on"]
        if not step["on"]:
            self._failed = [self._failed[0], at_ms] if len(self._failed) == 1 else []
            self._ailed_ms = at_ms
        else:
            fails = step.get("mode", "error") != "slow"
            alone = not ailed and at_ms - self._ailed_ms > SLOW_ENDS_MS
            self._failed = [at_ms] if fails and alone else []
            self._waited, self._ailed_ms = False, at_ms
            if (CONTROLLER, "storage_fault") in self._alarms.active:
                self._storage_told_ms = at_ms  # of a disk that was slow before, and it goes on

    def written(self, event: dict[str, Any], at_ms: int) -> None:
        """A record is durable."""
        now_ms, type, journal = self._truth.now_ms(), event["type"], event["journal"]
        since = self._since[journal] = self._since.get(journal, 0) + 1
        if since > MOST_EVENTS:
            self._broken("3 checkpoint", f"{journal}: {since} events without one")
        if type == "system.checkpoint":
            self._since[journal], self._checkpoint_ms = 0, now_ms
        if type == "alarm.raised" and event["class"] == "storage_fault":
            self._storage_told_ms = at_ms
        if len(self._failed) == 2 and self._failed[0] + 500 < at_ms < self._failed[1] - 3000:
            self._waited = True
        if event.get("clock") != "untrusted":
            self._untrusted_ms = None
        elif self._untrusted_ms is None:
            self._untrusted_ms = now_ms

    def look(self) -> None:
        """Time has passed."""
        now_ms = self._truth.now_ms()
        hour_ms = HOUR_MS + TOLD_MS
        if self._well(hour_ms) and now_ms - self._checkpoint_ms > hour_ms:
            self._broken("3 checkpoint", f"none since {self._checkpoint_ms} ms")
        for name, since_ms in self._off.items():
            if self._lasts(since_ms, "reader_fault", STARTS_MS) and not self._hung(name):
                self._told(name, "reader_fault", since_ms)
        untrusted_ms = self._untrusted_ms
        if untrusted_ms is not None and self._lasts(untrusted_ms, "clock_fault", STARTS_MS):
            self._told(CONTROLLER, "clock_fault", untrusted_ms)
        self._look_at_bolts()
        self._look_at_disk(now_ms)

    def _look_at_bolts(self) -> None:
        truth = self._truth
        for name, part in truth.config["portals"].items():
            since_ms, bolt = truth.bolt.get(name, (0, ""))
            if part["bond"] is None or bolt != "unlocked" or truth.leaf[name][1] != "closed":
                continue
            if name not in self._jammed or part["egress"] == "button_cuts_power":
                continue  # the button keeps a magnet's current away
            released, told_ms = self._released(name)
            since_ms = max(since_ms, told_ms, truth.leaf[name][0])
            sound = truth.sound(part["bond"], since_ms) and truth.sound(part["lock"], since_ms)
            if not released and sound and self._lasts(since_ms, "lock_fault", STARTS_MS):
                self._told(part["lock"], "lock_fault", since_ms)

    def _look_at_disk(self, now_ms: int) -> None:
        if len(self._failed) != 2 or now_ms < self._failed[1] + WRITTEN_MS:
            return
        since_ms = self._failed[0]
        told = self._storage_told_ms >= since_ms
        told = told or (CONTROLLER, "storage_fault") in self._alarms.active
        if self._waited and self._well(now_ms - since_ms, WRITTEN_MS - 1000) and not told:
            self._broken("4 storage_fault", f"the disk failed at {since_ms} ms, and no alarm")
        self._failed = []

    def _lasts(self, since_ms: int, kind: str, more_ms: int) -> bool:
        """Whether a fault lasts long enough to have been told."""
        lasts_ms = self._truth.now_ms() - since_ms
        least_ms = self._after_ms[kind] + TOLD_MS + more_ms
        return lasts_ms >= least_ms and self._well(least_ms)

    def _well(self, ms: int, disk_ms: int | None = None) -> bool:
        truth = self._truth
        disk = truth.storage_for(ms if disk_ms is None else disk_ms)
        return truth.alive_for(ms) and disk and truth.roomy_for(ms)

    def _hung(self, device: str) -> bool:
        ended_ms = self._truth.ended_tasks.get(f"feed-{device}", NEVER_MS)
        return self._truth.now_ms() - ended_ms < 2 * STARTS_MS + TOLD_MS

    def _told(self, point: str, kind: str, since_ms: int) -> None:
        if (point, kind) not in self._alarms.active and not self._truth.corrupted:
            self._broken(f"4 {kind}", f"{point}: wrong since {since_ms} ms, and no alarm")

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)
