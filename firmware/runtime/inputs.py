"""What a contact means: which door, exit, alarm point, housing, lock or key switch a device stands for.

Asks the core and returns its effects. A plain contact says whether its loop is closed; a supervised one
says a state (`firmware.access.guard.SENSOR_STATES`: normal is closed). An input that cannot be read at
the start says nothing: it neither opens, arms nor alarms.
"""

from firmware.access import alarm, guard, record, site
from hal.errors import DeviceUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.access import credential
    from firmware.runtime.wiring import Wiring

#: What a supervised loop says of a point that is normal when it is open.
_TURNED = {guard.NORMAL: guard.ACTIVE, guard.ACTIVE: guard.NORMAL}


class Inputs:
    """The contacts of one board."""

    def __init__(self, wiring: "Wiring", core: "site.Site", devices: "dict[str, Any]") -> None:
        self._wiring = wiring
        self._site = core
        self._devices = devices
        #: device -> whether its loop is closed, at the start; a device that says nothing is missing
        self._closed: dict[str, bool] = {}
        #: device -> what its loop says at the start beside closed and open
        self._odd: dict[str, str] = {}
        self._told: set[str] = set()  # devices that are lost, and that was told
        #: contacts and exits whose level the core has had since the start
        self._read: set[str] = set()

    def look(self) -> "dict[str, bool]":
        """Read every input; what each says, for `Wiring.found`; `start` says the rest."""
        for device in sorted(self._devices):
            driver = self._devices[device]
            if not hasattr(driver, "read"):
                continue
            try:
                state = driver.read_state() if hasattr(driver, "read_state") else None
                closed = driver.read() if state is None else state == guard.NORMAL
            except DeviceUnavailableError:
                closed = None  # its feed says so, and again when it is back
            if state in (guard.CUT, guard.SHORT, guard.UNKNOWN):
                self._odd[device] = state
            elif closed is None:
                self._odd[device] = guard.UNKNOWN
            else:
                self._closed[device] = closed
                self._read.add(device)
        for watched in (self._wiring.points, self._wiring.contacts):
            for device in watched:
                if device not in self._devices:  # its line could not be had
                    self._odd[device] = guard.UNKNOWN
        return self._closed

    def unread(self, portal: str) -> "str | None":
        """What has to be read before the lock of `portal` is engaged (law 1), and was not; None: nothing."""
        for device in self._wiring.before_engaged.get(portal, ()):
            if device not in self._read:
                return device
        return None

    def pressed(self, device: str) -> str:
        """An exit is pressed; the portal that the core is to release."""
        self._read.add(device)
        return self._wiring.exits[device]

    def start(self, now: "credential.Moment") -> "list[object]":
        """What was read and is neither closed nor open, who stands at an exit, which bolt is where."""
        effects: list[object] = []
        for device in sorted(self._odd):
            supervised = hasattr(self._devices.get(device), "read_state")
            if supervised or device in self._wiring.points or device in self._wiring.contacts:
                effects += self.state(device, self._odd[device], now.ms, now)
        for device in sorted(self._wiring.bonds):
            if device in self._closed:
                name, locked = self._wiring.bonds[device], self._closed[device]
                if hasattr(self._devices[device], "read_state"):
                    state = guard.NORMAL if locked else guard.ACTIVE
                    effects += self._site.bond_state(name, state, now.ms, now)
                else:
                    effects += self._site.bond(name, locked, now.ms, now)
        for device in sorted(self._wiring.exits):
            if self._closed.get(device):  # somebody stands at the exit: before a magnet is engaged
                name = self._wiring.exits[device]
                effects += self._site.rex(name, now.ms, now, True)
        return effects

    def condition(self, device: str, reading: "Any", now: "credential.Moment") -> "list[object]":
        """A device was lost or is back, or has told of its own supply."""
        if reading.kind == "power":
            return self._site.condition(device, alarm.POWER_FAULT, not reading.data, now)
        return self._judged(device, reading.kind == "lost", reading.data, now)

    def works(self, device: str, now: "credential.Moment") -> "list[object]":
        """A device has said something: what was wrong with it before a restart is over."""
        if not self._site.doubts(device, alarm.READER_FAULT):
            return []
        return self._judged(device, False, None, now)

    def _judged(
        self, device: str, lost: bool, why: "str | None", now: "credential.Moment"
    ) -> "list[object]":
        """A device does not work, or does again."""
        if not lost and self._site.alarms.is_active(device, alarm.READER_FAULT):
            self._told.add(device)  # by its alarm
        effects = self._why(device, why if lost else None, now)
        effects += self._seen(device, not lost, now)
        return effects + self._site.condition(device, alarm.READER_FAULT, lost, now)

    def _seen(self, device: str, seen: bool, now: "credential.Moment") -> "list[object]":
        """A door whose plain contact is lost is unknown, and as the contact says when it is back.

        A supervised one says so itself.
        """
        name = self._wiring.contacts.get(device)
        driver = self._devices.get(device)
        if name is None or driver is None or hasattr(driver, "read_state"):
            return []
        if not seen:
            return self._site.contact_state(name, guard.UNKNOWN, now.ms, now)
        if driver.closed is None:
            return []  # its first level is on its way
        return self._site.contact(name, not driver.closed, now.ms, now)

    def _why(self, device: str, text: "str | None", now: "credential.Moment") -> "list[object]":
        """A device that says why it is lost is told so; what was told of, once more when it is back."""
        if text is not None:
            self._told.add(device)
            fields: dict[str, object] = {"part": device, "text": text}
            return [record.make(record.SYSTEM_FAULT, now.ms, None, fields)]
        if device not in self._told:
            return []
        self._told.remove(device)
        again: dict[str, object] = {"part": device, "text": "works again"}
        return [record.make(record.SYSTEM_RECOVERED, now.ms, None, again)]

    def level(self, device: str, on: bool, at_ms: int, now: "credential.Moment") -> "list[object]":
        """A contact or a REX changed: `on` is a closed loop, or a pressed REX."""
        wiring = self._wiring
        self._read.add(device)
        if device in wiring.exits:
            name = wiring.exits[device]
            if on:
                return self._site.rex(name, at_ms, now, True)
            return self._site.hold_exit(name, False, at_ms, now)
        effects: list[object] = []
        if device in wiring.contacts:
            effects += self._site.contact(wiring.contacts[device], not on, at_ms, now)
        if device in wiring.bonds:
            effects += self._site.bond(wiring.bonds[device], on, at_ms, now)
        for point, closed_is_normal in wiring.points.get(device, ()):
            effects += self._site.point(point, on != closed_is_normal, at_ms, now)
        if device in wiring.tampers:
            effects += self._site.point(wiring.tampers[device], not on, at_ms, now)
        if device == wiring.key_switch and on:
            effects += self._site.acknowledge(site.KEY_SWITCH, now)
        return effects

    def state(
        self, device: str, state: str, at_ms: int, now: "credential.Moment"
    ) -> "list[object]":
        """A supervised contact changed."""
        wiring = self._wiring
        effects: list[object] = []
        if device in wiring.contacts:
            effects += self._site.contact_state(wiring.contacts[device], state, at_ms, now)
        if device in wiring.bonds:
            effects += self._site.bond_state(wiring.bonds[device], state, at_ms, now)
        for point, closed_is_normal in wiring.points.get(device, ()):
            said = state if closed_is_normal else _TURNED.get(state, state)
            effects += self._site.point_state(point, said, at_ms, now)
        if device in wiring.tampers:
            effects += self._site.point_state(wiring.tampers[device], state, at_ms, now)
        if device == wiring.key_switch and state == guard.NORMAL:
            effects += self._site.acknowledge(site.KEY_SWITCH, now)
        return effects
