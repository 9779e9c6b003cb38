"""Law 4: what is wrong is told in time, shown (duress never), kept until acknowledged and over."""

from collections.abc import Callable
from typing import Any

from sim.soak.breach import Breach
from sim.soak.truth import NEVER_MS, Truth

TOLD_MS = (
    2000  #: from a forced door, or an opened lid, to its alarm at the latest; with a slow contact
)
QUIET_MS = 40_000  #: nobody was let out or in so long ago: an opening is forced
SHOWN_MS = 2000  #: from a record to what is seen of it
ACKNOWLEDGED_MS = 3000
SOUNDING = ("door_forced", "fire", "panic", "intrusion")
DOOR = ("door_forced", "door_held")
FREE = ("unlocked", "locked_open", "")  #: or the records do not tell


class Alarms:
    """The alarms of one building, by its records and by what can be seen.

    mode  callable (portal) -> its mode, by the records
    """

    def __init__(self, truth: Truth, mode: Callable[[str], str]) -> None:
        self._truth = truth
        self._mode = mode
        #: (point, class) -> whether it was acknowledged; what is not there is normal
        self.active: dict[tuple[str, str], bool] = {}
        self._raised_ms: dict[tuple[str, str], int] = {}
        self.shelved: set[tuple[str, str]] = set()
        self._changed_ms = 0
        self._wrong = ("", 0)  # what is shown otherwise than told, and since when
        self._forced: list[tuple[int, str]] = []  # owed
        self._opened: list[tuple[int, str, tuple[str, ...]]] = []
        self._last_way_ms: dict[str, int] = {}  # portal -> the last reason to open it
        self._acknowledgers_ms = NEVER_MS  # the last grant or command that may acknowledge
        self._open_ms: dict[str, int] = {}
        self._doubt_ms = (
            NEVER_MS  # what was raised before may have been forgotten, or told to nobody
        )

    # ---- the records -------------------------------------------------------------------------------

    def written(self, event: dict[str, Any], at_ms: int) -> None:
        """A record is durable."""
        type = event["type"]
        if type == "system.started" and self._truth.corrupted:
            self._doubt_ms = at_ms
        elif self._truth.refused_ms != NEVER_MS:
            self._doubt_ms = max(self._doubt_ms, self._truth.refused_ms)
        if type in ("portal.mode", "portal.released", "portal.secured"):
            self._last_way_ms[event["portal"]] = at_ms
        elif type == "access.granted":
            person = self._truth.people.get(int(event.get("credential") or 0))
            if person is None or person.acknowledges:
                self._acknowledgers_ms = at_ms
        elif type == "command.accepted":
            self._acknowledgers_ms = at_ms
        if type.startswith("alarm.") and "class" in event:
            self._alarm(type, (event["point"], event["class"]), at_ms)

    def sure(self, key: tuple[str, str]) -> bool:
        """Whether the records tell all of an alarm: none was lost with a journal, or refused."""
        raised_ms = self._raised_ms.get(key, 0)
        return raised_ms > self._doubt_ms and self._truth.roomy_for(
            self._truth.now_ms() - raised_ms
        )

    def _alarm(self, type: str, key: tuple[str, str], at_ms: int) -> None:
        if type == "alarm.raised":
            self.active[key] = False
            self._raised_ms[key] = at_ms
        elif type == "alarm.acknowledged":
            if key not in self.active and self.sure(key):
                self._broken("4 acknowledged", f"{key}: acknowledged, and was not raised")
            last_ms = max(self._truth.acknowledged_ms, self._acknowledgers_ms)
            switch = self._truth.config["alarms"]["acknowledge"]
            if at_ms - ACKNOWLEDGED_MS > last_ms and self._truth.untouched(switch):
                self._broken("4 by nobody", f"{key}: acknowledged at {at_ms} ms by nobody")
            self.active[key] = True
        elif type == "alarm.cleared":
            if not self.active.get(key) and self.sure(key):
                self._broken("4 cleared", f"{key}: cleared, and nobody had acknowledged it")
            self._is_over(key, at_ms)
            self.active.pop(key, None)
        elif type == "alarm.repeated":
            if self.active.get(key) is not False and self.sure(key):
                self._broken("4 repeated", f"{key}: repeated, and did not wait")
        elif type == "alarm.shelved":
            self.shelved.add(key)
        elif type == "alarm.unshelved":
            self.shelved.discard(key)
        self._changed_ms = self._truth.now_ms()

    def _is_over(self, key: tuple[str, str], at_ms: int) -> None:
        truth = self._truth
        raised_ms = self._raised_ms.get(key, 0)
        if key[1] != "door_forced" or not truth.alive_for(at_ms - raised_ms):
            return  # a door that is open at a start was not forced since
        since_ms, leaf = truth.leaf[key[0]]
        contact = truth.config["portals"][key[0]]["contact"]
        stands_open = leaf == "open" and since_ms <= raised_ms < at_ms - 3000
        if stands_open and truth.sound(contact, since_ms) and self._mode(key[0]) not in FREE:
            self._broken("4 not over", f"{key}: cleared with the door open")

    # ---- what is done ------------------------------------------------------------------------------

    def step(self, at_ms: int, step: dict[str, Any]) -> None:
        """A step is about to be done."""
        do, truth = step["do"], self._truth
        if do == "force_door" and self._would_be_forced(step["portal"], at_ms):
            self._forced.append((at_ms, step["portal"]))
        elif do == "tamper" and step["on"]:
            self._lid(at_ms, step["device"])
        elif do in ("press_rex", "leave", "jam_lock"):
            self._last_way_ms[step["portal"]] = at_ms
        elif do in ("close_door", "tamper"):  # what was to be told may be over before
            name = step.get("portal", step.get("device"))
            self._forced = [one for one in self._forced if one[1] != name]
            self._opened = [one for one in self._opened if one[1] != name]
        if do in ("fail_line", "unplug", "chatter_contact", "tamper"):
            self._forced = [one for one in self._forced if truth.sound(self._contact(one[1]))]

    def _contact(self, portal: str) -> str:
        return str(self._truth.config["portals"][portal]["contact"])

    def _would_be_forced(self, name: str, at_ms: int) -> bool:
        truth = self._truth
        since_ms, leaf = truth.leaf[name]
        return (
            leaf == "closed"
            and since_ms <= at_ms - 2000
            and truth.alive_for(QUIET_MS)
            and truth.sound(self._contact(name))
            and truth.sound(truth.config["portals"][name]["rex"], at_ms - QUIET_MS)
            and not truth.fire
            and truth.fire_ms < at_ms - QUIET_MS
            and self._fire_loops_sound(at_ms)
            and not any(kind == "fire" for _, kind in self.active)
            and self._mode(name) not in FREE
            and self._last_way_ms.get(name, NEVER_MS) < at_ms - QUIET_MS
            and truth.storage_for(5000)
        )

    def _fire_loops_sound(self, at_ms: int) -> bool:
        points = self._truth.config["alarms"]["points"].values()
        loops = [part["input"] for part in points if part["class"] == "fire"]
        return all(self._truth.sound(loop, at_ms - QUIET_MS) for loop in loops)

    def _lid(self, at_ms: int, name: str) -> None:
        truth, config = self._truth, self._truth.config
        part = config["alarms"]["points"].get(name)
        delayed = "tamper" in config["alarms"]["fault_after_ms"]
        if part is None or part["class"] != "tamper" or delayed:
            return
        if truth.alive_for(3000) and truth.sound(part["input"]) and truth.storage_for(5000):
            self._opened.append((at_ms, name, (name, part["input"])))

    # ---- as time passes ----------------------------------------------------------------------------

    def look(self) -> None:
        """Time has passed."""
        now_ms = self._truth.now_ms()
        for at_ms, name in [one for one in self._forced if now_ms >= one[0] + TOLD_MS]:
            self._forced.remove((at_ms, name))
            if self._well(now_ms - at_ms) and (name, "door_forced") not in self.active:
                self._broken("4 forced", f"{name}: forced at {at_ms} ms, and no alarm")
        for one in [one for one in self._opened if now_ms >= one[0] + TOLD_MS]:
            self._opened.remove(one)
            told = any((point, "tamper") in self.active for point in one[2])
            if self._well(now_ms - one[0]) and not told:
                self._broken("4 tamper", f"{one[1]}: opened at {one[0]} ms, and no alarm")
        self._held(now_ms)
        if now_ms - self._changed_ms >= SHOWN_MS:
            self._shown()

    def _well(self, ms: int) -> bool:
        truth = self._truth
        return truth.alive_for(ms) and truth.storage_for(ms) and truth.roomy_for(ms)

    def _held(self, now_ms: int) -> None:
        truth = self._truth
        for name, (since_ms, leaf) in truth.leaf.items():
            part = truth.config["portals"][name]
            most_ms = max(part["open_ms"], part["extended_open_ms"]) + TOLD_MS
            if leaf != "open" or now_ms - since_ms < most_ms or not truth.alive_for(most_ms):
                continue
            told = any((name, kind) in self.active for kind in DOOR)
            quiet = self._mode(name) not in FREE and truth.fire_ms < now_ms - most_ms - QUIET_MS
            way_ms = self._last_way_ms.get(name, NEVER_MS)
            sound = truth.sound(part["contact"], since_ms) and truth.storage_for(most_ms)
            sound = sound and truth.roomy_for(now_ms - since_ms)
            burning = truth.fire or any(kind == "fire" for _, kind in self.active)
            fire_sound = not burning and self._fire_loops_sound(now_ms - most_ms)
            if not told and quiet and sound and fire_sound and way_ms < now_ms - most_ms:
                self._broken("4 held", f"{name}: open since {since_ms} ms, and no alarm")

    def _shown(self) -> None:
        """What is lit and what sounds is what the records tell."""
        truth = self._truth
        alarms = truth.config["alarms"]
        if not self._well(5000) or self._doubt_ms != NEVER_MS or not truth.roomy_for(60_000):
            return
        outputs = truth.building.world.snapshot()["outputs"]
        shown = [key for key in self.active if key[1] != "duress" and key not in self.shelved]
        beacon, siren = alarms["beacon"], alarms["siren"]
        wrong = ""
        if beacon is not None and truth.sound(beacon) and outputs[beacon] != bool(shown):
            wrong = "beacon lit" if outputs[beacon] else "beacon dark"
        loud = any(key[1] in SOUNDING for key in shown)
        if siren is not None and truth.sound(siren) and outputs[siren] and not loud:
            wrong = "siren"
        # The record of what is shown is a moment behind.
        if wrong != self._wrong[0]:
            self._wrong = (wrong, truth.now_ms())
        elif wrong and truth.now_ms() - self._wrong[1] >= SHOWN_MS:
            self._broken(f"4 {wrong}", f"the {wrong}, with {sorted(self.active)}")

    def settled(self) -> None:
        """All is whole again, somebody has turned the key: nothing is left but duress and what is shelved."""
        kept = {
            key for key in self.active if key[1] == "duress"
        } | self.shelved  # wait for their time
        left = [key for key in sorted(self.active) if key not in kept and self.sure(key)]
        can = self._truth.config["alarms"]["acknowledge"] is not None
        if left and can:
            self._broken("4 not settled", f"left after all is well and acknowledged: {left}")

    def cut(self) -> None:
        """The power went."""
        self._forced = []
        self._opened = []

    def _broken(self, law: str, text: str) -> None:
        raise Breach(law, self._truth.now_ms(), text)
