"""What hangs on the board's outputs: whether it gets current. Portable.

A lock, lamp or horn is driven while its line has its active level, it is plugged in and its wire is
whole. One that is stuck (a relay's contact that has welded) stays as it was for as long as there is power.
"""

from sim.switch import CUT, NONE, STUCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KEYS = ("line", "red", "green")  #: what an output's lines are called


class Loads:
    """The outputs' far ends.

    devices  dict  as in a config; those that are no outputs count for nothing
    shown    dict  device -> callable (key)  whether a reader on a bus shows it, for its light and buzzer
    """

    def __init__(
        self,
        devices: "dict[str, Any]",
        lines: "Any",
        outputs: "list[str]",
        shown: "dict[str, Callable[[str], bool]]",
    ) -> None:
        self.power = True
        #: line -> device
        self.of_line: dict[str, str] = {}
        self._devices = devices
        self._shown = shown
        self._lines = lines
        self._unplugged: list[str] = []
        self._faults: dict[str, str] = {}
        self._stuck: dict[tuple[str, str], bool] = {}
        for name in outputs:
            for key in KEYS:
                if devices[name].get(key) is not None:
                    self.of_line[devices[name][key]] = name

    def set_plugged(self, device: str, on: bool) -> None:
        """Pull the plug, or put it back."""
        if on and device in self._unplugged:
            self._unplugged.remove(device)
        elif not on and device not in self._unplugged:
            self._unplugged.append(device)

    def set_fault(self, device: str, fault: str) -> None:
        """What is wrong with its wire: none, cut or stuck."""
        self._faults.pop(device, None)
        for key in KEYS:
            self._stuck[device, key] = self.driven(device, key)
        self._faults[device] = fault

    def fault(self, device: str) -> str:
        """What is wrong with its wire."""
        return self._faults.get(device, NONE)

    def reaches(self, device: str) -> bool:
        """Whether what the board drives gets to the device."""
        return self.power and device not in self._unplugged and self.fault(device) != CUT

    def driven(self, device: "str | None", key: str) -> bool:
        """Whether a line of the device gives it current."""
        if device is None or not self.reaches(device):
            return False
        if self.fault(device) == STUCK:
            return self._stuck[device, key]
        if device in self._shown:
            return self._shown[device](key)
        part = self._devices[device]
        line = part.get(key)
        high = None if line is None else self._lines.output_level(line)
        return high is not None and high == (part["active"] == "high")
