"""The world around one controller: doors, readers, buttons, loops and lamps, on fakes of its ports. Portable.

`act` performs a verb of the contract (section 5); what it does reaches the controller only as edges and
bytes, and the controller reaches the world only through its output lines. The firmware is not known
here: whoever owns it sets ``on_power``, ``on_network``, ``on_clock`` and ``outside``.
"""

from sim.switch import NONE, STUCK
from sim.verbs import VerbError
from sim.world_deeds import Deeds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["VerbError", "World"]

OUTPUTS = ("siren", "beacon", "relay")  #: drivers of the world's outputs; a buzzer is its reader's
_COLOURS = {(False, False): "off", (True, False): "red", (False, True): "green"}


class World(Deeds):
    """One building, in its time.

    config         dict   as `hal.board.load` returns it
    loop           Loop   whose clock is the world's time
    lines          FakeLines
    serial_ports   FakeSerialPorts
    analog_inputs  FakeAnalogInputs
    people         list of Person
    seed           int    how contacts chatter

    Begins with power and network on, doors closed, nobody touching anything.
    """

    def __init__(
        self,
        config: "dict[str, Any]",
        loop: "Any",
        lines: "Any",
        serial_ports: "Any",
        analog_inputs: "Any",
        people: "list[Any]",
        seed: int = 1,
    ) -> None:
        #: callable (kind, id, what is seen of it)  "portal", "access_point" or "output" has changed
        self.on_change: Callable[[str, str, dict[str, Any]], None] | None = None
        #: callable (device) -> bool  whether the controller wants an output on, the pauses of a pattern
        #: included; None: only its line says. Whoever sets it calls `look_at_outputs` when that changes.
        self.told: Callable[[str], bool] | None = None
        self._told: dict[tuple[str, str], dict[str, Any]] = {}
        self._looking: list[tuple[str, str]] = []
        super().__init__(config, loop, lines, serial_ports, analog_inputs, people, seed)
        for kind, name in self._things():
            self._told[kind, name] = self._seen(kind, name)
        lines.on_output = self._output_changed

    # ---- verbs -------------------------------------------------------------------------------------

    def act(self, do: str, **args: "Any") -> None:
        """Begin the verb `do`. Raises `sim.verbs.VerbError`, and then nothing has happened."""
        self.perform(do, args)

    def perform(self, do: "Any", args: "dict[str, Any]") -> None:
        """As `act`, for arguments from outside, whatever their names."""
        full = self._checker.check(do, args)
        self._verbs[do](full)

    def check(self, do: "Any", args: "dict[str, Any]") -> None:
        """Raises `sim.verbs.VerbError` if `perform` would."""
        self._checker.check(do, args)
        self.possible(do)

    def snapshot(self) -> "dict[str, Any]":
        """What is physically so."""
        seen: dict[str, Any] = {"portals": {}, "outputs": {}, "access_points": {}}
        for kind, name in self._things():
            what = self._seen(kind, name)
            seen[kind + "s"][name] = what["on"] if kind == "output" else what
        return seen

    def condition(self, device: str) -> "dict[str, Any]":
        """What was done to a device's wire: ``fault`` (of `fail_line`) and ``unplugged``."""
        return {
            "fault": self._faults.get(device, NONE),
            "unplugged": device in self._unplugged,
        }

    def look_at_outputs(self) -> None:
        """The controller wants other outputs on than before: tell what is seen of it."""
        for kind, name in self._things():
            if kind == "output":
                self._look_soon(kind, name)

    # ---- what the controller does ------------------------------------------------------------------

    def _output_changed(self, line: str, high: "bool | None") -> None:
        device = self._loads.of_line.get(line)
        if device is not None:
            self._follow(device)

    def _follow(self, device: str) -> None:
        """An output device has got current, or none any more."""
        for name in sorted(self._doors):
            part = self._config["portals"][name]
            if part["lock"] == device:
                self._doors[name].offer_current(self._loads.driven(device, "line"))
        for name in sorted(self._config["access_points"]):
            part = self._config["access_points"][name]
            if device in (part["led"], part["buzzer"]):
                self._look_soon("access_point", name)
        if self._devices[device]["driver"] in OUTPUTS:
            self._look_soon("output", device)

    # ---- what can be seen --------------------------------------------------------------------------

    def _things(self) -> "list[tuple[str, str]]":
        things = [("portal", name) for name in sorted(self._doors)]
        for name in sorted(self._devices):
            if self._devices[name]["driver"] in OUTPUTS:
                things.append(("output", name))
        return things + [("access_point", name) for name in sorted(self._config["access_points"])]

    def _seen(self, kind: str, name: str) -> "dict[str, Any]":
        if kind == "portal":
            return self._doors[name].seen()
        if kind == "output":
            return {"on": self._is_on(name)}
        part = self._config["access_points"][name]
        driven = self._loads.driven
        lit = (driven(part["led"], "red"), driven(part["led"], "green"))
        return {"led": _COLOURS.get(lit, "amber"), "buzzer": driven(part["buzzer"], "line")}

    def _is_on(self, device: str) -> bool:
        """Whether an output sounds or is lit; in the pauses of a pattern it is."""
        if self.told is None or self._loads.fault(device) == STUCK:
            return self._loads.driven(device, "line")
        return self._loads.reaches(device) and self.told(device)

    def _look_soon(self, kind: str, name: str) -> None:
        """Look once this millisecond's writes are through: two lines make one colour."""
        if not self._looking:
            self._loop.call_at(self._loop.now_ms(), self._look_now)
        if (kind, name) not in self._looking:
            self._looking.append((kind, name))

    def _look_now(self) -> None:
        looking = self._looking
        self._looking = []
        for kind, name in looking:
            self._look(kind, name)

    def _look(self, kind: str, name: str) -> None:
        seen = self._seen(kind, name)
        if seen != self._told[kind, name]:
            self._told[kind, name] = seen
            if self.on_change is not None:
                self.on_change(kind, name, seen)
