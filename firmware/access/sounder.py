"""How the siren sounds and the beacon flashes: rhythms that tell one alarm from another by ear and eye.

Pure. The most urgent alarm that is shown has its rhythm played; which alarms sound and for how long is
the register's. A door that is open nearly too long is no alarm yet: it has the access point's buzzer
(`firmware.access.signals`) and neither siren nor beacon. Nothing flashes more than once a second.
"""

from firmware.access import alarm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.alarm import Alarm, Register

_FAULT = "fault"
_SEEN = "seen"

#: class: (on, ms) steps of the siren, repeated; 0: for ever. Fire is ISO 8201's temporal-3.
SIREN = {
    alarm.FIRE: ((True, 500), (False, 500), (True, 500), (False, 500), (True, 500), (False, 1500)),
    alarm.PANIC: ((True, 200), (False, 200)),
    alarm.INTRUSION: ((True, 0),),
    alarm.DOOR_FORCED: ((True, 1000), (False, 1000)),
}

#: class: steps of the beacon; a class that is not named flashes as a fault, one that was seen is steady
BEACON = {
    alarm.FIRE: ((True, 500), (False, 500)),
    alarm.PANIC: ((True, 750), (False, 250)),
    alarm.INTRUSION: ((True, 750), (False, 250)),
    alarm.DOOR_FORCED: ((True, 1000), (False, 1000)),
    alarm.DOOR_HELD: ((True, 2000), (False, 1000)),
    _FAULT: ((True, 100), (False, 1900)),
    _SEEN: ((True, 0),),
}

#: The more urgent first; a class that is not named comes after them.
URGENCY = (alarm.FIRE, alarm.PANIC, alarm.INTRUSION, alarm.DOOR_FORCED, alarm.DOOR_HELD)


def siren(register: "Register", now_ms: int) -> str:
    """Whose rhythm the siren is to sound; empty: none."""
    return _most_urgent(register.sounding(now_ms))


def beacon(register: "Register") -> str:
    """Whose rhythm the beacon is to show; empty: none."""
    shown = [one for one in register.alarms() if one.shown]
    unseen = [one for one in shown if one.unseen]
    if unseen:
        kind = _most_urgent(unseen)
        return kind if kind in BEACON else _FAULT
    return _SEEN if shown else ""


def _most_urgent(alarms: "list[Alarm]") -> str:
    kinds = [one.kind for one in alarms]
    for kind in URGENCY:
        if kind in kinds:
            return kind
    return kinds[0] if kinds else ""


class Sounder:
    """One output that plays a rhythm of `rhythms`. ``told`` stays true in its pauses."""

    def __init__(self, rhythms: "dict[str, tuple[tuple[bool, int], ...]]") -> None:
        self.on = False
        self.told = False
        self.deadline_ms: int | None = None
        self._rhythms = rhythms
        self._name = ""
        self._from_ms = 0

    def play(self, name: str, now_ms: int) -> None:
        """Play the rhythm `name` (empty: be still); the same again goes on where it was."""
        if name != self._name:
            self._name = name
            self._from_ms = now_ms
        self.told = name != ""
        self.on = False
        self.deadline_ms = None
        if not name:
            return
        steps = self._rhythms[name]
        total_ms = sum([step[1] for step in steps])
        if not total_ms:
            self.on = steps[0][0]
            return
        since_ms = (now_ms - self._from_ms) % total_ms
        for on, for_ms in steps:
            if since_ms < for_ms:
                self.on = on
                self.deadline_ms = now_ms + for_ms - since_ms
                return
            since_ms -= for_ms
