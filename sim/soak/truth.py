"""What is so in the world, and since when: the law checker's books, kept from the steps and what is seen.

Nothing here asks the firmware what it believes; of the controller it is known only whether it runs. A
part counts as sound once everything done to it was undone `MENDED_MS` ago.
"""

import bisect
from collections import deque
from datetime import datetime
from typing import Any

from firmware.wire import card_number
from sim import verbs
from sim.scenario import Scenario
from sim.virtual import Building

SLOW_ENDS_MS = 40_000  #: from the end of a slow disk until what waited for it is written
MENDED_MS = 5000  #: from the end of a fault until what it spoilt is judged again
HUNG_MS = 10_000  #: within so long what hangs is found, and back
SHOWN_MS = 120_000  #: how long what was shown may still be on its wire, or wait for a second one
REMEMBERED_MS = 7_200_000  #: how late a record may become durable, and be judged
NEVER_MS = -(10**12)
#: what a fault of the keys says if not all of them are as they were
KEYS_LOST = (" lost", "no good copy", "nobody is known", "no copy could be made")

#: Verbs that do something to the wire of a device.
_WIRES = ("fail_line", "unplug", "tamper", "fail_reader", "chatter_contact")


def utc_s(time: str) -> int:
    """The second of a record's time, whatever its year."""
    return int(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() // 1)


class Truth:
    """One building in one story. Times are the story's milliseconds."""

    def __init__(self, building: Building, story: Scenario) -> None:
        self.building = building
        self.story = story
        self.config = story.config
        self.people = {one.credential: one for one in story.people}
        self._loop_of = verbs.Checker(story.config, story.people).loop_device
        #: int | None  since when the controller decides
        self.alive_ms: int | None = None
        self.powered_ms = 0
        #: int  when the power went last
        self.cut_ms = NEVER_MS
        #: int  the wall clock tells the time that passed, from here to nowhere: it was never touched
        self.clock_touched = False
        self.clock_touched_ms = NEVER_MS  # for the first time
        self.clock_set = False  # by the owner's word, at some time
        #: what was shown: (at_ms, access point, "card" or "pin" or "qr", value)
        self.shown: deque[tuple[int, str, str, str]] = deque()
        self.presses: dict[str, list[int]] = {}
        self.acknowledged_ms = NEVER_MS
        self.fire = False
        self.fire_ms = NEVER_MS  # when it last changed
        self.fire_began_ms = NEVER_MS
        self.forced: dict[str, int] = {}
        #: portal -> since when its leaf stands as it does, and how
        self.leaf: dict[str, tuple[int, str]] = dict.fromkeys(self.config["portals"], (0, "closed"))
        self.bolt: dict[str, tuple[int, str]] = {}
        self._ailing: dict[str, set[str]] = {}
        self._mended: dict[str, int] = {}
        self.jammed: dict[str, int] = {}
        self.storage_ms = NEVER_MS  # when it last was not well
        self._storage_mode = ""  # what is wrong with it now
        #: bool  a bit of the journal turned over, at some time; and how often
        self.corrupted = False
        self.corruptions = 0
        #: bool  a bit of the keys turned over, and a record told that changes were lost with it
        self.keys_lost = False
        self._keys_struck = False
        #: bool  there is room for hardly anything
        self.short = False
        self.short_ms = NEVER_MS  # when that changed
        #: int  when records were refused for want of room, by their own word
        self.refused_ms = NEVER_MS
        #: int  the latest second that a trusted record names, the owner's word and what a strike took apart
        self.trusted_s = 0
        #: int  the latest second that a clock which was trusted had come to when it was set, recorded or not
        self.shown_s = 0
        self._was_trusted = False
        self.door_task_ms = NEVER_MS  # when the door loop was last made to die or hang
        self.task_dies_ms = NEVER_MS  # that it died, having lived
        self.ended_tasks: dict[str, int] = {}
        self._hung: dict[str, int] = {}

    # ---- time and life -----------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The story's time."""
        return self.building.now_ms()

    def utc_ms(self, at_ms: int) -> int:
        """The true UTC time of an instant, whatever the wall clock says."""
        return self.story.start_ms + at_ms

    def alive_for(self, ms: int) -> bool:
        """Whether the controller has decided without a break for so long."""
        now_ms = self.now_ms()
        if self.alive_ms is None or self.building.machine.controller is None:
            return False
        return now_ms - max(self.alive_ms, self.door_task_ms + 10_000) >= ms

    def started_ms(self) -> int:
        """When the controller last began to start: the power came, or its process died."""
        return max(self.powered_ms, self.door_task_ms)

    def look(self) -> None:
        """See whether the controller runs."""
        deciding = self.building.machine.deciding
        if deciding and self.alive_ms is None:
            self.alive_ms = self.now_ms()
        elif not deciding:
            self.alive_ms = None

    def power(self, on: bool) -> None:
        """The power went, or is back."""
        if on:
            self.powered_ms = self.now_ms()
        else:
            self.cut_ms = self.now_ms()
            self.alive_ms = None

    # ---- what was done -----------------------------------------------------------------------------

    def step(self, at_ms: int, step: dict[str, Any]) -> None:
        """A step is about to be done."""
        do = step["do"]
        if do in ("present_card", "enter_pin", "show_qr"):
            self._show(at_ms, step)
        elif do in ("press_rex", "leave"):
            self.presses.setdefault(step["portal"], [NEVER_MS]).append(at_ms)
        elif do == "press_ack":
            self.acknowledged_ms = at_ms
        elif do == "set_fire":
            if self.fire != step["on"]:
                self.fire, self.fire_ms = step["on"], at_ms
                self.fire_began_ms = at_ms if self.fire else self.fire_began_ms
        elif do in ("set_clock", "drift_clock"):
            self._touch_clock(at_ms)
            if self._was_trusted:
                self.shown_s = max(self.shown_s, self.building.wall.utc_ms() // 1000)
        elif do == "jam_lock":
            self._ail(step["portal"], "jam", step["on"], at_ms)
        elif do in _WIRES:
            self._wire(at_ms, do, step)
        elif do == "trip_sensor":
            self._ail(step["point"], "tripped", step["on"], at_ms)
        elif do == "fail_storage":
            self._storage(step, at_ms)
        elif do == "fail_disk":
            self.storage_ms = max(self.storage_ms, at_ms)
            # A disk that tears or forgets what was not synced does its duty; one that flips does not.
            if step["fault"] in ("flip", "flip_read", "rot"):
                if step.get("file", "journal") == "journal":
                    self.corrupted = True
                    self.corruptions += 1
                else:
                    self._keys_struck = True
        elif do == "limit_memory":
            if self.short != step["on"]:
                self.short, self.short_ms = step["on"], at_ms
        elif do == "command":
            if step["op"] == "clock.set":
                self._touch_clock(at_ms)
                self.clock_set = True
        elif do == "kill_process" and step["process"] == "door":
            self.door_task_ms = at_ms
        elif do == "fail_task":
            self._task(step, at_ms)

    def _touch_clock(self, at_ms: int) -> None:
        if not self.clock_touched:
            self.clock_touched, self.clock_touched_ms = True, at_ms

    def written(self, event: dict[str, Any], at_ms: int) -> None:
        """A record is durable, and was judged."""
        owners_word = event["type"] == "clock.changed" and event.get("by") is not None
        struck = event["type"] == "system.journal_started" and self.corrupted
        if owners_word or struck:
            self.trusted_s = self.shown_s = 0
        if self._keys_struck and event["type"] == "system.fault":
            self.keys_lost |= any(words in str(event.get("text")) for words in KEYS_LOST)
        self._was_trusted = event.get("clock") == "trusted"
        if self._was_trusted:
            self.trusted_s = max(self.trusted_s, utc_s(event["time"]))
        if event["type"] == "system.recovered" and "refused meanwhile" in str(event.get("text")):
            self.refused_ms = self.now_ms()

    def roomy_for(self, ms: int) -> bool:
        """Whether no record can have been refused for so long: there was room, or a disk that works."""
        since_ms = self.now_ms() - ms
        if self.refused_ms >= since_ms:
            return False
        cramped = self.short or self.short_ms >= since_ms
        return not cramped or self.storage_for(ms + 5000)

    def _task(self, step: dict[str, Any], at_ms: int) -> None:
        """A task dies or waits; one that hangs has the whole process hang with it."""
        self.ended_tasks[step["task"]] = at_ms
        if step["task"] == "door" and step["how"] == "dies" and self.alive_ms is not None:
            self.task_dies_ms = at_ms if at_ms - self.door_task_ms > 15_000 else self.task_dies_ms
        if step["task"] == "door" or step["how"] == "hangs":
            self.door_task_ms = at_ms
        else:
            device = step["task"].partition("-")[2]
            if step["how"] == "waits":
                self._hung[device] = at_ms
            hangs_ms = HUNG_MS - MENDED_MS if step["how"] == "waits" else 0
            self._ail(device, "task", False, at_ms + hangs_ms, True)

    def _show(self, at_ms: int, step: dict[str, Any]) -> None:
        kind = {"present_card": "card", "enter_pin": "pin", "show_qr": "qr"}[step["do"]]
        value = step.get("number", step.get("digits", step.get("text")))
        if value is None:
            person = next(one for one in self.story.people if one.name == step["person"])
            value = person.card if kind == "card" else person.qr
        if kind == "card":
            value = card_number.parse(str(value))
        self.shown.append((at_ms, step["access_point"], kind, str(value)))
        while self.shown and self.shown[0][0] < at_ms - REMEMBERED_MS:
            self.shown.popleft()

    def _wire(self, at_ms: int, do: str, step: dict[str, Any]) -> None:
        device = step["device"]
        if do == "tamper":
            self._ail(device, do, step["on"], at_ms)
            self._ail(self._loop_of(device), do, step["on"], at_ms)
        elif do == "chatter_contact":
            self._ail(device, do, False, at_ms, True)
        else:
            on = step["on"] if do == "unplug" else step["fault"] != "none"
            self._ail(device, do, on, at_ms)

    def _ail(self, device: str, why: str, on: bool, at_ms: int, passes: bool = False) -> None:
        """Something is wrong with a device, or no more; `passes`: it was, for a moment."""
        ailing = self._ailing.setdefault(device, set())
        if on:
            ailing.add(why)
        elif why in ailing:
            ailing.discard(why)
        elif not passes:
            return  # what was never wrong is not mended
        self._mended[device] = at_ms

    def _storage(self, step: dict[str, Any], at_ms: int) -> None:
        if not step["on"] and not self._storage_mode:
            return
        was_slow = self._storage_mode == "slow"
        self._storage_mode = step.get("mode", "error") if step["on"] else ""
        # What waits for a slow disk waits its turn.
        self.storage_ms = at_ms + SLOW_ENDS_MS if was_slow else max(self.storage_ms, at_ms)

    def pressed_ms(self, portal: str, by_ms: int | None = None) -> int:
        """When somebody last pressed to get out, up to and including `by_ms`."""
        presses = self.presses.get(portal, [NEVER_MS])
        if by_ms is None or presses[-1] <= by_ms:
            return presses[-1]
        return presses[bisect.bisect_right(presses, by_ms) - 1]

    # ---- what is seen ------------------------------------------------------------------------------

    def seen(self, kind: str, name: str, now: dict[str, Any]) -> None:
        """Something in the world has changed."""
        if kind == "portal":
            at_ms = self.now_ms()
            if self.leaf[name][1] != now["door"]:
                self.leaf[name] = (at_ms, now["door"])
            if self.bolt.get(name, (0, ""))[1] != now["lock"]:
                self.bolt[name] = (at_ms, now["lock"])

    def sound(self, device: str | None, since_ms: int | None = None) -> bool:
        """Whether nothing is wrong with a device (None: there is none), nor was since `since_ms`."""
        if device is None:
            return True
        if self._ailing.get(device):
            return False
        since = self.now_ms() if since_ms is None else since_ms
        return self._mended.get(device, NEVER_MS) + MENDED_MS <= since

    def hangs(self, device: str | None) -> bool:
        """Whether who reads a device was made to wait so lately that it may not be back."""
        return device in self._hung and self.now_ms() - self._hung[device] <= HUNG_MS

    def untouched(self, device: str | None) -> bool:
        """Whether nothing was ever wrong with a device."""
        return device is None or device not in self._mended

    def storage_for(self, ms: int) -> bool:
        """Whether the disk has worked for so long."""
        return not self._storage_mode and self.now_ms() - self.storage_ms >= ms
