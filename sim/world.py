"""The world around one controller: doors, readers, buttons, loops and lamps, on fakes of its ports. Portable.

`act` performs a verb of the contract (section 5); what it does reaches the controller only as edges and
bytes, and the controller reaches the world only through its output lines. The firmware is not known
here: whoever owns it sets ``on_power``, ``on_network`` and ``on_clock``.
"""

from firmware.wire import keypad
from sim.door import STRIKE, Door
from sim.loads import Loads
from sim.steps import Noise
from sim.switch import NONE, STUCK, Switch, wire_of
from sim.verbs import SUPPLY, Checker, VerbError, keys_of
from sim.wires import SerialWire, WiegandWire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["VerbError", "World"]

KEY_MS = 250  #: from one key of a PIN to the next
PANIC_MS = 500
ACK_MS = 300

OUTPUTS = ("siren", "beacon", "relay")  #: drivers of the world's outputs; a buzzer is its reader's
_CONTACTS = ("contact", "supervised_contact", "rex")
_WIRES = ("serial_reader", "wiegand_reader", "keypad")
_COLOURS = {(False, False): "off", (True, False): "red", (False, True): "green"}


class World:
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
        self.power = True
        self.network = True
        #: bool  what the power supply tells of itself
        self.mains = True
        self.battery = True
        #: callable (on)  the power went, its lines are already dead; or it is back
        self.on_power: Callable[[bool], None] | None = None
        #: callable (on)  the network went, or is back
        self.on_network: Callable[[bool], None] | None = None
        #: callable (utc_ms or None, jump_ms or None)  somebody sets the wall clock
        self.on_clock: Callable[[int | None, int | None], None] | None = None
        #: callable (kind, id, what is seen of it)  "portal", "access_point" or "output" has changed
        self.on_change: Callable[[str, str, dict[str, Any]], None] | None = None
        #: callable (device) -> bool  whether the controller wants an output on, the pauses of a pattern
        #: included; None: only its line says. Whoever sets it calls `look_at_outputs` when that changes.
        self.told: Callable[[str], bool] | None = None
        self._config = config
        self._loop = loop
        self._lines = lines
        self._serial_ports = serial_ports
        self._analog_inputs = analog_inputs
        self._devices = config["devices"]
        self._points = config["alarms"]["points"]
        self._checker = Checker(config, people)
        self._seed = seed
        self._starts = 0
        self._unplugged: list[str] = []
        self._faults: dict[str, str] = {}
        #: device -> its wire or contact
        self._wires: dict[str, Any] = {}
        self._switches: dict[str, Switch] = {}
        #: contacts of lids: tampering opens those, and cuts the wire of others
        self._lids: list[str] = []
        self._keys_free_ms: dict[str, int] = {}
        outputs = [name for name in self._devices if not self._is_input(name)]
        self._loads = Loads(self._devices, lines, sorted(outputs))
        self._doors: dict[str, Door] = {}
        self._told: dict[tuple[str, str], dict[str, Any]] = {}
        self._looking: list[tuple[str, str]] = []
        self._wire_up()
        for name in sorted(config["portals"]):
            self._doors[name] = self._door(name)
        self._verbs = self._deeds()
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

    # ---- building it -------------------------------------------------------------------------------

    def _wire_up(self) -> None:
        at_rest = {part["contact"]: True for part in self._config["portals"].values()}
        for name in sorted(self._points):
            at_rest[self._points[name]["input"]] = self._points[name]["normal"] == "closed"
            if self._points[name]["class"] == "tamper":
                self._lids.append(self._points[name]["input"])
        for part in self._devices.values():
            if part.get("tamper") is not None:
                at_rest[part["tamper"]] = True
                self._lids.append(part["tamper"])
        for part in self._config["portals"].values():
            if part["bond"] is not None:  # a new world's locks have no current
                at_rest[part["bond"]] = self._devices[part["lock"]]["fail_mode"] == STRIKE
        for name in sorted(self._devices):
            part = self._devices[name]
            driver = part["driver"]
            if driver in _CONTACTS:
                noise = Noise(self._seed, name)
                wire = wire_of(
                    part, self._lines, self._analog_inputs, Noise(self._seed, name + ".")
                )
                self._switches[name] = Switch(self._loop, wire, at_rest.get(name, False), noise)
            elif driver == "serial_reader":
                device = self._serial_ports.device_side(part["port"])
                self._wires[name] = SerialWire(self._loop, device, part)
            elif driver in _WIRES:
                self._wires[name] = WiegandWire(self._loop, self._lines, part)

    def _is_input(self, device: str) -> bool:
        return self._devices[device]["driver"] in _CONTACTS + _WIRES

    def _door(self, name: str) -> Door:
        part = self._config["portals"][name]
        rex, bond = part["rex"], part["bond"]
        return Door(
            self._loop,
            self._devices[part["lock"]]["fail_mode"],
            part["egress"],
            part["egress_ms"],
            self._switches[part["contact"]],
            None if rex is None else self._switches[rex],
            None if bond is None else self._switches[bond],
            lambda: self._look("portal", name),
        )

    def _deeds(self) -> "dict[str, Callable[[dict[str, Any]], None]]":
        doors = self._doors
        return {
            "present_card": self._show,
            "enter_pin": self._enter_pin,
            "show_qr": self._show,
            "press_rex": lambda args: doors[args["portal"]].press_rex(),
            "leave": lambda args: doors[args["portal"]].leave(),
            "push_door": lambda args: doors[args["portal"]].push(),
            "close_door": lambda args: doors[args["portal"]].close(),
            "prop_door": lambda args: doors[args["portal"]].prop(),
            "force_door": lambda args: doors[args["portal"]].force(),
            "walk_through": lambda args: doors[args["portal"]].walk_through(),
            "press_panic": self._press_panic,
            "trip_sensor": lambda args: self._loop_of(args["point"]).hold(args["on"]),
            "press_ack": lambda args: self._key_switch().press(ACK_MS),
            "set_fire": self._set_fire,
            "tamper": self._tamper,
            "unplug": self._unplug,
            "fail_line": self._fail_line,
            "jam_lock": lambda args: doors[args["portal"]].jam(args["on"]),
            "fail_mains": lambda args: self._fail_supply("fail_mains", args["on"]),
            "fail_battery": lambda args: self._fail_supply("fail_battery", args["on"]),
            "cut_power": lambda args: self._set_power(False),
            "restore_power": lambda args: self._set_power(True),
            "cut_network": lambda args: self._set_network(False),
            "restore_network": lambda args: self._set_network(True),
            "set_clock": self._set_clock,
            "wait": lambda args: None,
        }

    # ---- what the verbs do -------------------------------------------------------------------------

    def _show(self, args: "dict[str, Any]") -> None:
        reader = self._config["access_points"][args["access_point"]]["reader"]
        self._wires[reader].present(args["frame"])

    def _enter_pin(self, args: "dict[str, Any]") -> None:
        device = keys_of(self._config, args["access_point"])
        if device is None or not self.power:
            return
        # One hand at a time: a second PIN begins when the first one is through.
        at_ms = max(self._loop.now_ms(), self._keys_free_ms.get(device, 0))
        for key in args["digits"] + "#":
            self._press_key(device, key, at_ms)
            at_ms += KEY_MS
        self._keys_free_ms[device] = at_ms

    def _press_key(self, device: str, key: str, at_ms: int) -> None:
        start = self._starts

        def press() -> None:
            if start == self._starts:
                self._wires[device].send(keypad.to_bits(key))

        if at_ms <= self._loop.now_ms():
            press()
        else:
            self._loop.call_at(at_ms, press)

    def _press_panic(self, args: "dict[str, Any]") -> None:
        if args["on"] is not False:
            self._loop_of(args["point"]).press(PANIC_MS)

    def _set_fire(self, args: "dict[str, Any]") -> None:
        for name in self._checker.points_of("fire"):
            self._loop_of(name).hold(args["on"])

    def _fail_supply(self, verb: str, on: bool) -> None:
        """The power supply's contacts say so; the controller itself goes on (`cut_power` ends it)."""
        if verb == "fail_mains":
            self.mains = not on
        else:
            self.battery = not on
        for name in self._checker.points_of(SUPPLY[verb]):
            self._loop_of(name).hold(on)

    def _tamper(self, args: "dict[str, Any]") -> None:
        """A lid is opened, or somebody is at a contact's wire."""
        device = self._checker.loop_device(args["device"])
        if device in self._lids:
            self._switches[device].hold(args["on"])
        else:
            self._switches[device].cut("tamper", args["on"])

    def _unplug(self, args: "dict[str, Any]") -> None:
        name, on = args["device"], args["on"]
        if on == (name in self._unplugged):
            return
        if on:
            self._unplugged.append(name)
        else:
            self._unplugged.remove(name)
        if name in self._wires:
            self._wires[name].set_plugged(not on)
        elif name in self._switches:
            self._switches[name].cut("unplug", on)
        else:
            self._loads.set_plugged(name, not on)
            self._follow(name)

    def _fail_line(self, args: "dict[str, Any]") -> None:
        name, fault = args["device"], args["fault"]
        if fault == self._faults.get(name, NONE):
            return
        self._faults[name] = fault
        if name in self._wires:
            self._wires[name].set_fault(fault)
        elif name in self._switches:
            self._switches[name].set_fault(fault)
        else:
            self._loads.set_fault(name, fault)
            self._follow(name)

    def _set_power(self, on: bool) -> None:
        if on == self.power:
            return
        self.power = self._loads.power = on
        self._starts += 1
        self._keys_free_ms = {}
        for name in sorted(self._wires):
            self._wires[name].set_power(on)
        if not on:
            self._lines.power_off()
            self._serial_ports.power_off()
            self._analog_inputs.power_off()
        if self.on_power is not None:
            self.on_power(on)

    def _set_network(self, on: bool) -> None:
        if on == self.network:
            return
        self.network = on
        if self.on_network is not None:
            self.on_network(on)

    def _set_clock(self, args: "dict[str, Any]") -> None:
        if self.on_clock is not None:
            self.on_clock(args["utc"], args["jump_ms"])

    def _loop_of(self, point: str) -> Switch:
        return self._switches[self._points[point]["input"]]

    def _key_switch(self) -> Switch:
        return self._switches[self._config["alarms"]["acknowledge"]]

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
