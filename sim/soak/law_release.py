"""Laws 1, 2 and the first half of 3, at the locks' lines: who is let out, what opens, by which record."""

from typing import Any

from sim.soak import disk_look
from sim.soak.breach import Breach
from sim.soak.truth import HUNG_MS, NEVER_MS, Truth

EGRESS_MS = 100  #: law 1
RECORD_MS = 100  #: law 3: a release waits so long for its record, then it is marked late
SLACK_MS = 5
SAFE_MS = 250  #: after the door's task died; it runs again 500 ms after at the earliest
ANSWER_MS = 1  #: from a write to the word that it was done
HELD_MS = 500  #: how long a handle is held, and its contact settles
UNEXPLAINED_MS = 1500  #: how long a release may stand without a record while the disk works
DECIDES_MS = 3000  #: from the return of power to the first decision
BACK_MS = 10_000  #: from the death of the door loop to the next decision
LONGEST_MS = 300_000  #: no release by time lasts longer
WAITS = ("credential", "command", "schedule", "call")
FREE = ("unlocked", "locked_open")
LOOSE = (*FREE, "")  #: and where the records do not tell


class Releases:
    """The locks of one building."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        config = truth.config
        self._portal_of: dict[str, list[str]] = {}
        self._level: dict[str, bool] = {}  # portal -> the level of its line that gives current
        self._magnet: dict[str, bool] = {}
        for name, part in config["portals"].items():
            lock = config["devices"][part["lock"]]
            self._portal_of.setdefault(lock["line"], []).append(name)
            self._level[name] = lock["active"] != "low"
            self._magnet[name] = lock["fail_mode"] == "fail_safe"
        #: portal -> whether its line releases it, and since when
        self.released = dict(self._magnet)
        self.since_ms = dict.fromkeys(self._level, NEVER_MS)
        self._mode = {name: part["mode"] for name, part in config["portals"].items()}
        self._unmatched: list[tuple[int, str]] = []
        #: portal -> the records that were durable beside the journal when it was released last
        self._ahead: dict[str, list[dict[str, Any]]] = {}
        self._told: list[tuple[int, str, str]] = []  # (at_ms, portal, cause), recent
        self._owed: list[tuple[int, str]] = []  # a way out that somebody asked for
        self._stands: set[str] = set()  # portals whose release is on record, and its end is not
        self._granted: dict[str, int] = {}
        self._commanded_ms = NEVER_MS
        self._free_mode: dict[str, int] = {}
        self._fire_told_ms = NEVER_MS
        self._untold_ms = NEVER_MS  # the last release whose record found no room
        self._doubt_ms = NEVER_MS
        loops = [
            part["input"] for part in config["alarms"]["points"].values() if part["class"] == "fire"
        ]
        self._fire_loops = loops

    def mode(self, portal: str) -> str:
        """The mode of a portal, by the records; "": they may not tell it (see `sure`)."""
        return str(self._mode[portal]) if self.sure(portal) else ""

    # ---- the lines ---------------------------------------------------------------------------------

    def output(self, line: str, high: bool | None) -> None:
        """A line is driven otherwise."""
        now_ms = self._truth.now_ms()
        for name in self._portal_of.get(line, ()):
            has_current = high is not None and high == self._level[name]
            released = has_current != self._magnet[name]
            if released == self.released[name]:
                continue
            self.released[name] = released
            self.since_ms[name] = now_ms
            if released and not self._harmless(name) and not self._goes_on(name):
                self._unmatched.append((now_ms, name))
                self._ahead[name] = self._gone_ahead()

    def _gone_ahead(self) -> list[dict[str, Any]]:
        """What stands beside the journal on the disk, and is to be in it next."""
        controller = self._truth.building.machine.controller
        if controller is None:
            return []
        name, last = controller.journal.name, controller.journal.count()
        return disk_look.ahead(self._truth.building.parts.disk, name, last)

    def _harmless(self, name: str) -> bool:
        """Whether a release needs no cause: a magnet that loses its current with the controller."""
        truth = self._truth
        if not truth.building.parts.disk.powered:
            return True  # the power goes at this very instant
        if not self._magnet[name]:
            return False
        dead = truth.now_ms() - truth.door_task_ms <= BACK_MS
        return dead or truth.alive_ms is None or not truth.building.machine.deciding

    def _goes_on(self, name: str) -> bool:
        """Whether this is a release on record that the death of the door's task interrupted."""
        return name in self._stands and self._died_since(self._truth.now_ms() - BACK_MS)

    def _died_since(self, at_ms: int) -> bool:
        return at_ms <= self._truth.door_task_ms

    # ---- the records -------------------------------------------------------------------------------

    def written(self, event: dict[str, Any], at_ms: int, told_ms: int) -> None:
        """A record of `at_ms` is durable since `told_ms`."""
        type, name = event["type"], event.get("portal")
        if type == "portal.mode":
            self._mode[str(name)] = event["mode"]
            self._free_mode[str(name)] = at_ms
        elif type == "access.granted":
            self._granted[str(name)] = at_ms
        elif type == "command.accepted":
            self._commanded_ms = at_ms
        elif type == "portal.released":
            self._legitimate(str(name), event["cause"], at_ms)
            self._matched(str(name), event, at_ms, told_ms)
            self._stands.add(str(name))
        elif type == "portal.secured":
            self._stands.discard(str(name))
        elif type == "system.started":
            self._stands.clear()
            if self._truth.corrupted:
                self._doubt_ms = at_ms
        self._doubt_ms = max(self._doubt_ms, self._truth.refused_ms)

    def _matched(self, name: str, event: dict[str, Any], at_ms: int, told_ms: int) -> None:
        self._told = [one for one in self._told if one[0] > at_ms - 60_000]
        self._told.append((at_ms, name, event["cause"]))
        rex = self._truth.config["portals"][name]["rex"]
        left = []
        for moved_ms, moved in self._unmatched:
            latest_ms = at_ms + RECORD_MS + SLACK_MS
            back_ms = self._truth.door_task_ms + BACK_MS
            if at_ms <= back_ms:  # it was on its way, or asked for meanwhile: the next task does it
                latest_ms = max(latest_ms, back_ms)
            if event["cause"] == "rex" and self._truth.hangs(rex):  # the next one finds it held
                latest_ms = at_ms + HUNG_MS
            if moved != name or not at_ms - SLACK_MS <= moved_ms <= latest_ms:
                left.append((moved_ms, moved))
                continue
            pressed_ms = self._truth.pressed_ms(name, moved_ms)
            on_the_way_out = moved_ms < pressed_ms + HELD_MS  # egress waits for nothing
            waits = event["cause"] in WAITS and not on_the_way_out
            ahead = any(_same(one, event) for one in self._ahead.get(name, ()))
            early = moved_ms < told_ms - ANSWER_MS and not ahead
            if waits and early and not event.get("late"):
                self._broken("3 before its record", f"{name}: {event['cause']} at {moved_ms} ms")
            if waits and early and moved_ms < at_ms + RECORD_MS - SLACK_MS:
                self._broken("3 did not wait", f"{name}: {event['cause']} at {moved_ms} ms")
        self._unmatched = left

    def sure(self, name: str) -> bool:
        """Whether the records tell the mode of a portal: none was lost since the last one, or refused."""
        mode_ms = max(self._free_mode.get(name, 0), 1)
        return mode_ms > self._doubt_ms and self._truth.roomy_for(self._truth.now_ms() - mode_ms)

    def settled(self) -> None:
        """All is whole again: what has no record was refused for want of room, and that was told."""
        if self._untold_ms > self._truth.refused_ms:
            at_ms = self._untold_ms
            self._broken("8 untold", f"released at {at_ms} ms; no record of it, nor of refusing it")

    def _legitimate(self, name: str, cause: str, at_ms: int) -> None:
        truth, part = self._truth, self._truth.config["portals"][name]
        why = ""
        if cause == "power":
            if not self._magnet[name] or at_ms > truth.started_ms() + BACK_MS:
                why = "a fail-secure door, or no start"
        elif cause == "fire":
            if part["on_fire"] != "release":
                why = "it stays latched on fire"
            elif not self._fire_lately(at_ms):
                why = "there was no fire"
        elif cause == "rex":
            pressed_ms = truth.pressed_ms(name, at_ms + 1)
            sound = truth.sound(part["rex"], at_ms - 60_000)
            if part["rex"] is None or (sound and not pressed_ms - 1 <= at_ms <= pressed_ms + 1000):
                started = at_ms <= truth.started_ms() + BACK_MS
                if not (started and at_ms <= pressed_ms + BACK_MS):
                    why = "nobody pressed it"
        elif cause == "schedule":
            if part.get("free_access") is None and part["mode"] not in FREE:
                why = "it has no hours of free access"
        elif cause in ("credential", "override"):
            if self._granted.get(name) != at_ms:
                why = "nobody was granted"
        elif cause == "command":
            started = at_ms <= truth.started_ms() + BACK_MS and self.mode(name) in LOOSE
            if self._commanded_ms != at_ms and not started:
                why = "nobody who may commanded it"
        elif cause == "call":
            why = "there is no intercom"
        if why:
            self._broken(f"2 cause {cause}", f"{name}: released by {cause} at {at_ms} ms; {why}")

    def _fire_lately(self, at_ms: int) -> bool:
        truth = self._truth
        if truth.fire or truth.fire_ms != NEVER_MS:
            return True
        return not all(truth.untouched(loop) for loop in self._fire_loops)

    # ---- law 1 -------------------------------------------------------------------------------------

    def step(self, at_ms: int, step: dict[str, Any]) -> None:
        """A step is about to be done."""
        truth = self._truth
        if step["do"] in ("press_rex", "leave") and truth.alive_for(0):
            rex = truth.config["portals"][step["portal"]]["rex"]
            held = (
                at_ms - truth.pressed_ms(step["portal"], at_ms - 1) < HELD_MS
            )  # no edge of its own
            sound = rex is not None and truth.sound(rex) and self._lock_sound(step["portal"])
            if sound and not held:
                self._owed.append((at_ms, step["portal"]))
        elif step["do"] == "set_fire" and not step["on"]:
            self._owed = [one for one in self._owed if one[0] != truth.fire_began_ms]
        elif step["do"] == "set_fire" and truth.alive_for(0) and self._loops_sound():
            for name, part in truth.config["portals"].items():
                if part["on_fire"] == "release" and self._lock_sound(name):
                    self._owed.append((at_ms, name))

    def _loops_sound(self) -> bool:
        return all(self._truth.sound(loop) for loop in self._fire_loops)

    def _lock_sound(self, name: str) -> bool:
        return self._truth.sound(self._truth.config["portals"][name]["lock"])

    def let_out(self, at_ms: int, name: str) -> None:
        """`EGRESS_MS` have passed since somebody asked to leave, or fire broke out."""
        if not self.released[name] and self.since_ms[name] < at_ms:
            self._broken("1 egress", f"{name}: not released {EGRESS_MS} ms after {at_ms} ms")

    def _safe(self, now_ms: int) -> None:
        """While nobody decides every lock is without current."""
        truth = self._truth
        dead = truth.building.machine.controller is None
        if not dead and not truth.task_dies_ms <= now_ms <= truth.task_dies_ms + SAFE_MS:
            return
        for name, released in self.released.items():
            if released != self._magnet[name] and self._lock_sound(name):
                self._broken("1 not safe", f"{name}: has current while the door's task is dead")

    def look(self) -> None:
        """Time has passed."""
        truth, now_ms = self._truth, self._truth.now_ms()
        self._safe(now_ms)
        self._settle_owed(now_ms)
        if truth.alive_ms is None and truth.building.machine.power:
            dead_ms = max(truth.powered_ms + DECIDES_MS, truth.door_task_ms + BACK_MS)
            if now_ms > dead_ms + SLACK_MS:
                self._broken("1 not back", f"the controller does not decide at {now_ms} ms")
        if truth.fire and truth.alive_for(1000) and now_ms - truth.fire_ms >= 1000:
            for name, part in truth.config["portals"].items():
                stays = part["on_fire"] == "release" and self._lock_sound(name)
                if stays and not self.released[name] and self._loops_sound():
                    self._broken("1 fire", f"{name}: locked while it burns")
        self._explained(now_ms)
        for name, since_ms in self.since_ms.items():
            if self.released[name] and truth.alive_for(LONGEST_MS + 1000):
                self._overlong(name, since_ms, now_ms)

    def _settle_owed(self, now_ms: int) -> None:
        due = [one for one in self._owed if now_ms >= one[0] + EGRESS_MS]
        self._owed = [one for one in self._owed if now_ms < one[0] + EGRESS_MS]
        for at_ms, name in due:
            if self._truth.alive_for(now_ms - at_ms):
                self.let_out(at_ms, name)

    def _explained(self, now_ms: int) -> None:
        """Law 2: what moved has a record, as soon as the disk can have one."""
        for moved_ms, name in self._unmatched:
            well_ms = min(now_ms - moved_ms, now_ms - self._truth.storage_ms)
            if well_ms < UNEXPLAINED_MS or not self._truth.storage_for(UNEXPLAINED_MS + 2500):
                continue
            if self._truth.short or self._truth.short_ms >= moved_ms:
                self._untold_ms = max(self._untold_ms, moved_ms)  # refused: to be told, in number
            else:
                self._broken("2 no cause", f"{name}: released at {moved_ms} ms; nothing says why")

    def _overlong(self, name: str, since_ms: int, now_ms: int) -> None:
        truth, part = self._truth, self._truth.config["portals"][name]
        lately = now_ms - LONGEST_MS
        last_ms = max([at for at, portal, _ in self._told if portal == name], default=NEVER_MS)
        reasons = (
            self.mode(name) in LOOSE,
            self._free_mode.get(name, NEVER_MS) > lately,
            truth.fire,
            truth.fire_ms > lately or (truth.fire_ms != NEVER_MS and self._manual()),
            self._manual() and not all(truth.untouched(loop) for loop in self._fire_loops),
            not all(truth.sound(loop, lately) for loop in self._fire_loops),
            not truth.sound(part["rex"], lately) or not self._lock_sound(name),
            not truth.sound(part["contact"], lately),
            part["relock"] == "close" and truth.leaf[name][1] == "open",
            truth.leaf[name][0] > lately,
            last_ms > lately or since_ms > lately,
            not truth.storage_for(LONGEST_MS),
        )
        if not any(reasons):
            self._broken("2 stays open", f"{name}: released since {since_ms} ms for nothing")

    def _manual(self) -> bool:
        points = self._truth.config["alarms"]["points"].values()
        return any(part["class"] == "fire" and part["reset"] == "manual" for part in points)

    def cut(self, news: list[dict[str, Any]]) -> None:
        """The power went; `news` was on the disk and is told of only now."""
        truth, now_ms = self._truth, self._truth.now_ms()
        for event in news:
            if event["type"] == "portal.mode":
                self._mode[event["portal"]] = event["mode"]
            if event["type"] == "portal.released":
                name = event["portal"]
                self._unmatched = [
                    one for one in self._unmatched if one[1] != name or one[0] < now_ms - 5000
                ]
        for moved_ms, name in self._unmatched:
            sound = truth.storage_for(now_ms - moved_ms + 5000)
            exit_ms = max(truth.pressed_ms(name), truth.fire_ms)
            if sound and exit_ms < moved_ms - 1000 and now_ms > moved_ms + SLACK_MS:
                self._broken("3 lost record", f"{name}: released at {moved_ms} ms, and no record")
        self._unmatched = []
        self._owed = []
        self._stands.clear()
        self._untold_ms = NEVER_MS  # what was to be told went with the memory

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)


def _same(bare: dict[str, Any], event: dict[str, Any]) -> bool:
    return all(
        event.get(key) == bare[key] for key in ("type", "time", "portal", "cause") if key in bare
    )
