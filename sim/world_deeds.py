"""What can be done in the world around one controller, verb by verb (the contract, section 5). Portable.

`Deeds` builds the doors, wires and switches of a config and moves them; `sim.world.World` checks who asks
for what, and shows what is seen. What is beyond doors and wires (the controller's disk, its processes, the
broker, a signed command) whoever owns that does: ``outside``.
"""

from firmware.wire import keypad
from sim.bus_wire import BusWire
from sim.door import STRIKE, Door
from sim.loads import Loads
from sim.steps import Noise
from sim.switch import NONE, Switch, wire_of
from sim.verbs import OUTSIDE, SUPPLY, Checker, VerbError, keys_of
from sim.wires import SerialWire, WiegandWire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KEY_MS = 250  #: from one key of a PIN to the next
PANIC_MS = 500
ACK_MS = 300

CONTACTS = ("contact", "supervised_contact", "rex")
WIRES = ("serial_reader", "wiegand_reader", "keypad", "osdp_reader")
SHOWN = ("osdp_led", "osdp_buzzer")  #: in a reader on a bus


class Deeds:
    """The things of one building, and what people and faults do to them; see `sim.world.World`."""

    def __init__(
        self,
        config: "dict[str, Any]",
        loop: "Any",
        lines: "Any",
        serial_ports: "Any",
        analog_inputs: "Any",
        people: "list[Any]",
        seed: int,
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
        #: verb of `verbs.OUTSIDE` -> callable (args), which may raise `VerbError`; a verb that is not
        #: there cannot be done here
        self.outside: dict[str, Callable[[dict[str, Any]], None]] = {}
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
        shown = {
            name: self._shown(name) for name in outputs if self._devices[name]["driver"] in SHOWN
        }
        self._loads = Loads(self._devices, lines, sorted(outputs), shown)
        self._doors: dict[str, Door] = {}
        self._wire_up()
        for name in sorted(config["portals"]):
            self._doors[name] = self._door(name)
        self._verbs = self._deeds()

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
            if driver in CONTACTS:
                noise = Noise(self._seed, name)
                wire = wire_of(
                    part, self._lines, self._analog_inputs, Noise(self._seed, name + ".")
                )
                self._switches[name] = Switch(self._loop, wire, at_rest.get(name, False), noise)
            elif driver == "serial_reader":
                device = self._serial_ports.device_side(part["port"])
                self._wires[name] = SerialWire(self._loop, device, part, Noise(self._seed, name))
            elif driver == "osdp_reader":
                side = self._side(name)
                self._wires[name] = BusWire(self._loop, side, part, Noise(self._seed, name))
            elif driver in WIRES:
                self._wires[name] = WiegandWire(
                    self._loop, self._lines, part, Noise(self._seed, name)
                )

    def _side(self, reader: str) -> "Any":
        """The far end of a reader on a bus."""
        part = self._devices[reader]
        return self._serial_ports.buses.side(self._devices[part["bus"]]["port"], part["address"])

    def _shown(self, name: str) -> "Callable[[str], bool]":
        """Whether a light or buzzer in a reader on a bus is on, by the key of a line that it has not."""
        side = self._side(self._devices[name]["reader"])
        before = side.on_show

        def changed() -> None:
            if before is not None:
                before()
            self._follow(name)

        side.on_show = changed

        def shown(key: str) -> bool:
            return bool({"red": side.red, "green": side.green, "line": side.sounds}[key])

        return shown

    def _hang_on(self, bus: str) -> "list[Any]":
        """The readers of a bus."""
        names = [name for name in sorted(self._devices) if self._devices[name].get("bus") == bus]
        return [self._wires[name] for name in names]

    def _is_input(self, device: str) -> bool:
        return self._devices[device]["driver"] in CONTACTS + WIRES

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
        deeds: dict[str, Callable[[dict[str, Any]], None]] = {
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
            "cut_power": self._cut_power,
            "restore_power": lambda args: self._set_power(True),
            "cut_network": lambda args: self._set_network(False),
            "restore_network": lambda args: self._set_network(True),
            "set_clock": self._set_clock,
            "chatter_contact": lambda args: self._switches[args["device"]].chatter(),
            "fail_reader": lambda args: self._wires[args["device"]].set_trouble(args["fault"]),
            "wait": lambda args: None,
        }
        for verb in OUTSIDE:
            deeds[verb] = self._outside(verb)
        return deeds

    def _outside(self, verb: str) -> "Callable[[dict[str, Any]], None]":
        """What somebody else does for us."""

        def do(args: "dict[str, Any]") -> None:
            self.possible(verb)
            self.outside[verb](args)

        return do

    def possible(self, verb: str) -> None:
        """Raises `VerbError` for what whoever owns the controller cannot do."""
        if verb in OUTSIDE and verb not in self.outside:
            raise VerbError("%s: not in real time; expected a scenario (door-sim run)" % verb)

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
        if self._drives(args["device"], "osdp_reader"):
            self._wires[args["device"]].open_housing(args["on"])
            return
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
        if self._drives(name, "osdp_bus"):
            self._set_bus(name)
        elif name in self._wires:
            self._wires[name].set_plugged(not on)
        elif name in self._switches:
            self._switches[name].cut("unplug", on)
        else:
            self._loads.set_plugged(name, not on)
            self._follow(name)

    def _drives(self, device: str, driver: str) -> bool:
        return device in self._devices and self._devices[device]["driver"] == driver

    def _set_bus(self, name: str) -> None:
        """A bus is cut or whole, for all its readers."""
        whole = name not in self._unplugged and self._faults.get(name, NONE) == NONE
        for wire in self._hang_on(name):
            wire.set_bus(whole)

    def _fail_line(self, args: "dict[str, Any]") -> None:
        name, fault = args["device"], args["fault"]
        if fault == self._faults.get(name, NONE):
            return
        self._faults[name] = fault
        if self._drives(name, "osdp_bus"):
            self._set_bus(name)
        elif name in self._wires:
            self._wires[name].set_fault(fault)
        elif name in self._switches:
            self._switches[name].set_fault(fault)
        else:
            self._loads.set_fault(name, fault)
            self._follow(name)

    def _cut_power(self, args: "dict[str, Any]") -> None:
        """At once, or in the middle of one of the disk's next writes."""
        if args["at_write"] is None or not self.power:
            self._set_power(False)
        else:
            at_write = self.outside.get("cut_power")
            if at_write is None:
                raise VerbError("cut_power: at_write is for scenarios only; expected none")
            at_write(args)

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

    # ---- what `World` does -------------------------------------------------------------------------

    def _follow(self, device: str) -> None:
        """An output device has got current, or none any more."""
        raise NotImplementedError

    def _look(self, kind: str, name: str) -> None:
        """Tell what is seen of a thing, if that has changed."""
        raise NotImplementedError
