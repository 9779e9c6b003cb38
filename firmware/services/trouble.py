"""What is wrong with the board, in lines for the service's log: each cause once, with all it stops.

Records and alarms say which device has failed; these lines say what to do. Nothing here holds a secret:
the texts are those of `hal.errors`.
"""

from collections.abc import Callable
from typing import Any

from firmware.access import alarm, record

#: of a device whose trouble was over before anybody could ask it for the cause
_GONE = "was gone; expected a plug and a cable that hold"

BURST_MS = 5000  #: devices that fail for one reason within this are one line
LOOK_MS = 2000  #: from one `Trouble.look` to the next


def lines(problems: list[tuple[str, str]]) -> list[str]:
    """A line for each cause in `problems` (device, text), with every device that it stops."""
    causes: dict[str, list[str]] = {}
    for device, text in problems:
        causes.setdefault(text, []).append(device)
    return [_line(devices, text) for text, devices in causes.items()]


class Trouble:
    """Tells of a device that fails while the controller runs, and of one that works again.

    devices  driver by device id; a driver's ``problem`` is what is wrong with it now
    known    (device, text) of what was told before
    say      told each line
    """

    def __init__(
        self,
        devices: dict[str, Any],
        known: list[tuple[str, str]],
        say: Callable[[str], None],
    ) -> None:
        self._devices = devices
        self._known = known
        self._say = say
        #: device that fails: what was said of it, and when, if that was in another's line
        self._told: dict[str, tuple[str, int | None]] = {}
        #: devices that were in trouble at the last look, and those that a look told of
        self._were_wrong: set[str] = set()
        self._by_look: set[str] = set()

    def heard(self, made: record.Record) -> None:
        """A record was made."""
        fields = made.fields
        if made.type in (record.ALARM_RAISED, record.ALARM_CLEARED):
            device = str(fields["point"])
            if fields["class"] == alarm.READER_FAULT and device in self._devices:
                if made.type == record.ALARM_CLEARED:
                    self._works(device)
                else:
                    self._fails(device, self._reason(device), made.at_ms, sorted(self._devices))
        elif made.type in (record.SYSTEM_FAULT, record.SYSTEM_RECOVERED):
            device, text = str(fields["part"]), str(fields["text"])
            if device in self._devices and (device, text) not in self._known:
                if made.type == record.SYSTEM_RECOVERED:
                    self._works(device)
                else:
                    self._fails(device, text, made.at_ms, [])

    def look(self, now_ms: int) -> None:
        """Tell of what no record tells: an alarm of before the start that goes on makes none.

        To be called every `LOOK_MS`; what is wrong at two looks running lasts.
        """
        wrong = {name for name, one in self._devices.items() if getattr(one, "problem", "")}
        for device in sorted(self._by_look - wrong):
            self._works(device)
        known = set(self._told)
        for device in sorted((wrong & self._were_wrong) - known):
            self._fails(device, self._reason(device), now_ms, sorted(wrong))
        self._by_look = (self._by_look & wrong) | (self._told.keys() - known)
        self._were_wrong = wrong

    def _fails(self, device: str, text: str, at_ms: int, others: list[str]) -> None:
        """Say so, once; and in the same line who of `others` fails for that reason now."""
        said, shared_ms = self._told.get(device, ("", None))
        self._told[device] = (text, None)
        if said == text and (shared_ms is None or at_ms - shared_ms <= BURST_MS):
            return
        same = [name for name in others if getattr(self._devices[name], "problem", "") == text]
        same = [name for name in same if self._told.get(name, ("",))[0] != text]
        for name in same:
            self._told[name] = (text, at_ms)
        self._by_look.update(same)  # one whose trouble ends soon makes no record of its end
        self._say(_line([device, *same], text))

    def _works(self, device: str) -> None:
        if self._told.pop(device, None) is not None:
            self._say(_line([device], "works again"))

    def _reason(self, device: str) -> str:
        driver = self._devices[device]
        return getattr(driver, "problem", "") or getattr(driver, "held", _GONE)


def _line(devices: list[str], text: str) -> str:
    if len(devices) == 1 and text.startswith(devices[0] + ":"):
        return text
    return f"{', '.join(dict.fromkeys(devices))}: {text}"
