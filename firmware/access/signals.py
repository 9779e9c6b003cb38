"""What an access point shows a resident: its light and its buzzer, as rhythms.

Pure. Each moment differs in rhythm, not in colour only; a refusal looks the same for every reason and a
digit the same for every digit. A *lasting* moment is derived from the state of the door; a *passing*
one (refused, a key) is shown over it and ends by itself.
"""

OFF = "off"
RED = "red"
GREEN = "green"
AMBER = "amber"

READY = "ready"
LET_IN = "let_in"
PIN_WANTED = "pin_wanted"
PAUSED = "paused"
FREE = "free"
SHUT_OUT = "shut_out"  #: lockdown, blocked
FIRE = "fire"
STARTING = "starting"
LASTING = (READY, LET_IN, PIN_WANTED, PAUSED, FREE, SHUT_OUT, FIRE, STARTING)

REFUSED = "refused"
KEY = "key"
GRANTED = "granted"
PAUSE_BEGAN = "pause_began"
PASSING = (REFUSED, KEY, GRANTED, PAUSE_BEGAN)

#: lasting moment: (colour, ms) steps, repeated; 0: for ever
LIGHT = {
    READY: ((RED, 0),),
    LET_IN: ((GREEN, 0),),
    PIN_WANTED: ((AMBER, 500), (OFF, 500)),
    PAUSED: ((RED, 0),),
    FREE: ((GREEN, 100), (OFF, 900)),
    SHUT_OUT: ((RED, 1000), (OFF, 1000)),
    FIRE: ((GREEN, 0),),
    STARTING: ((AMBER, 0),),
}

#: passing moment: light steps, once; none: the lasting light goes on
PASSING_LIGHT = {
    REFUSED: ((RED, 150), (OFF, 150), (RED, 150), (OFF, 150), (RED, 150), (OFF, 150)),
    KEY: ((OFF, 60),),
    GRANTED: (),
    PAUSE_BEGAN: (),
}

#: passing moment: buzzer steps, once
PASSING_SOUND = {
    REFUSED: ((True, 100), (False, 100), (True, 100), (False, 100), (True, 100), (False, 100)),
    KEY: ((True, 30),),
    GRANTED: ((True, 200),),
    PAUSE_BEGAN: ((True, 600),),
}

#: buzzer steps while the door is open nearly too long, repeated
PRE_ALARM_SOUND = ((True, 100), (False, 900))


class Signals:
    """One access point's light and buzzer."""

    def __init__(self) -> None:
        self.light: object = OFF
        self.sound = False
        self.deadline_ms: int | None = None
        self._lasting = STARTING
        self._lasting_from_ms = 0
        self._warning_from_ms: int | None = None
        self._passing = ""
        self._passing_from_ms = 0

    def last(self, moment: str, pre_alarm: bool, now_ms: int) -> None:
        """What lasts now; the same again changes nothing."""
        changed = moment != self._lasting or pre_alarm != (self._warning_from_ms is not None)
        if moment != self._lasting:
            self._lasting = moment
            self._lasting_from_ms = now_ms
        if not pre_alarm:
            self._warning_from_ms = None
        elif self._warning_from_ms is None:
            self._warning_from_ms = now_ms
        if changed or (self.deadline_ms is not None and now_ms >= self.deadline_ms):
            self.tick(now_ms)

    def show(self, moment: str, now_ms: int) -> None:
        """Begin a passing moment with the next `last` or `tick`; one that still runs gives way to it."""
        self._passing = moment
        self._passing_from_ms = now_ms
        self.deadline_ms = now_ms

    def tick(self, now_ms: int) -> None:
        """Bring ``light``, ``sound`` and ``deadline_ms`` up to `now_ms`."""
        light, light_due = _at(LIGHT[self._lasting], now_ms - self._lasting_from_ms, True)
        sound: object = False
        sound_due = 0
        if self._warning_from_ms is not None:
            sound, sound_due = _at(PRE_ALARM_SOUND, now_ms - self._warning_from_ms, True)
        dues = [light_due, sound_due]
        if self._passing:
            since_ms = now_ms - self._passing_from_ms
            over_light, passing_due = _at(PASSING_LIGHT[self._passing], since_ms, False)
            over_sound, passing_sound_due = _at(PASSING_SOUND[self._passing], since_ms, False)
            dues += [passing_due, passing_sound_due]
            if over_light is None and over_sound is None:
                self._passing = ""
            if over_light is not None:
                light = over_light
            if over_sound is not None:
                sound = over_sound
        self.light = light
        self.sound = bool(sound)
        later = [due for due in dues if due > 0]
        self.deadline_ms = now_ms + min(later) if later else None


def _at(
    steps: "tuple[tuple[object, int], ...]", since_ms: int, repeat: bool
) -> "tuple[object, int]":
    """What `steps` show after `since_ms`, and in how many ms that changes (0: never)."""
    if not steps:
        return None, 0
    if steps[0][1] == 0:  # for ever
        return steps[0][0], 0
    total_ms = sum([step[1] for step in steps])
    if repeat:
        since_ms %= total_ms
    for shown, for_ms in steps:
        if since_ms < for_ms:
            return shown, for_ms - since_ms
        since_ms -= for_ms
    return None, 0
