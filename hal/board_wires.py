"""Every wire of a board config, numbered: W1, W2 ... unique in the controller.

A wire is what carries one signal or one pole from its start to its end: it keeps its number through the
converter or terminal that it passes, so one number is on both ferrules, in the drawing, in the labels and in
the installer's tests. First come the claimed lines in the order of the file, then the returns and feeds of
what hangs on them, then the circuits of the loads, then what feeds the boards and joins them to one 0 V.
"""

from collections import namedtuple
from typing import Any

from hal import board_buses, board_cores, board_facts, board_feeds, board_fuses, board_wiring
from hal.board_lines import Claim, claims

Config = dict[str, Any]

#: One wire.
#: number    str    W1, W2 ...
#: device    str    the device it belongs to; empty for those of the board itself
#: role      str    what it is to it: line, d0, d1, red, green, a, b, +, -, return, feed ...
#: start     tuple  where it begins, see `Place`
#: end       tuple  where it ends
#: via       str    what it passes: level_converter, optocoupler ...; empty: nothing
#: colour    str    code after IEC 60757; empty: a cable with its own, USB
#: cable     str    the cable's name; empty: none stated
#: length_m  int    of the cable; None: not stated or inside the box
#: area_mm2  float  of one core; None: not stated
#: claim     Claim  the line that it carries; None for poles
#: inside    bool   whether it stays in the box
Wire = namedtuple(
    "Wire",
    (
        "number",
        "device",
        "role",
        "start",
        "end",
        "via",
        "colour",
        "cable",
        "length_m",
        "area_mm2",
        "claim",
        "inside",
    ),
)

#: A place is (what, name, point): ("pin", "GPIO17", "11"), ("port", "/dev/ttyUSB0", ""),
#: ("line", "strike", ""),
#: ("relays", "K1", "IN1"), ("relay", "K1", "COM"), ("fuse", "F1", "1"), ("supply", "main", "+"),
#: ("device", "reader", "d0"), ("panel", "fire", "1"), ("button", "S1", "1"), ("join", "X1", ""),
#: ("common", "", "0 V"), ("converters", "pull_up", "3.3 V"), ("chips", "adc, exp0", "SDA"),
#: ("input", "five", "+"), ("board", "", "5 V"), ("adapter", "bus", "GND").
Place = tuple[str, str, str]


def wires(config: Config) -> list[Wire]:
    """Every wire of `config` (from `hal.board.load`), in the order of their numbers."""
    made = _Maker(config)
    claimed = claims(config)
    for claim in claimed:
        made.signal(claim)
    for device, entry in config["devices"].items():
        if entry["driver"] in board_wiring.RELAYED:
            continue
        made.returns(device, entry)
    for device, entry in config["devices"].items():
        if entry["driver"] in board_wiring.RELAYED:
            made.circuit(device, entry)
    for feed in board_feeds.feeds(config):
        made.feed(feed)
    return made.found


def button_name(config: Config, portal: str) -> str:
    """S1, S2 ... in the order of the portals."""
    return f"S{list(config['portals']).index(portal) + 1}"


def portal_of(config: Config, device: str) -> str:
    """The portal that `device` works for; empty for the house's own."""
    for portal, entry in config["portals"].items():
        if device in (entry["lock"], entry["contact"], entry["rex"], entry["bond"]):
            return str(portal)
    for point in config["access_points"].values():
        named = [point[key] for key in ("reader", "keypad", "led", "buzzer")]
        named.append(config["devices"].get(point["reader"], {}).get("tamper"))
        if device in named:
            return str(point["portal"])
    return ""


def place_of(config: Config, claim: Claim) -> Place:
    """Where a claimed line is found: a pin of the header, a port, an analog input, or a line by name."""
    number = board_facts.number(claim.line) if config["board"] != "sim" else None
    if number is not None:
        return ("pin", claim.line, str(board_facts.HEADER[number]))
    if claim.direction == "serial":
        if claim.line in board_facts.BOARDS[config["board"]].uart_ports:
            return ("pin", "GPIO15", str(board_facts.HEADER[15]))  # the board listens there
        return ("port", claim.line, "")
    return ("line", claim.line, "")


class _Maker:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.found: list[Wire] = []
        self._elsewhere: dict[
            tuple[str, str], str
        ] = {}  #: what breaks a lock's current: its own input
        if board_wiring.fire_loop(config):
            self._elsewhere["panel", "fire"] = board_wiring.fire_loop(config)
        for portal, entry in config["portals"].items():
            if entry["rex"] is not None:
                self._elsewhere["button", button_name(config, portal)] = entry["rex"]

    def _add(
        self,
        device: str,
        role: str,
        start: Place,
        end: Place,
        via: str = "",
        core: str = "",
        claim: Claim | None = None,
    ) -> None:
        """`core` names the colour of a wire that leaves the box; without one it stays inside."""
        entry = self.config["devices"].get(device, {})
        if entry.get("place") == "box":
            core = ""
        own = bool(core) and not board_wiring.shares_usb(self.config, device)
        cable = board_wiring.cable(self.config, device) if own else {}
        wire = Wire(
            number=f"W{len(self.found) + 1}",
            device=device,
            role=role,
            start=start,
            end=end,
            via=via,
            colour=entry.get("colours", {}).get(core) or self._usual(device, core)
            if core
            else board_cores.colour(role, start, end),
            cable=(entry.get("cable") or "") if own else "",
            length_m=cable.get("length_m"),
            area_mm2=cable.get("area_mm2")
            if core
            else board_cores.area(self.config, device, start, end),
            claim=claim,
            inside=not core,
        )
        self.found.append(self._through(wire) if role == "feed" else wire)

    def _usual(self, device: str, core: str) -> str:
        """The colour of a core where the config names none."""
        devices, portals = self.config["devices"], self.config["portals"].values()
        kind = devices.get(device, {}).get("driver", "")
        if any(portal["bond"] == device for portal in portals):
            kind = "bond"
        if any(one.get("tamper") == device for one in devices.values()):
            kind = "tamper"
        pair = board_wiring.USUAL_PAIRS.get(kind)
        if pair is not None and core in ("signal", "return"):
            return pair[core == "return"]
        return board_wiring.USUAL.get(core, "")

    def signal(self, claim: Claim) -> None:
        """The wire of one claimed line."""
        device, driver = claim.device, self.config["devices"][claim.device]["driver"]
        start = place_of(self.config, claim)
        if driver in board_wiring.RELAYED:
            relay = board_wiring.relay_name(self.config, device)
            self._add(device, claim.role, start, ("relays", relay, f"IN{relay[1:]}"), claim=claim)
            return
        via = board_wiring.interface(self.config, device)
        if via == "rs485":
            self._bus(claim, start)
            return
        point = {"port": "tx", "input": "signal", "line": "signal"}.get(claim.role, claim.role)
        point = {"buzzer": "buzzer"}.get(driver, "usb" if via == "usb" else point)
        self._add(device, claim.role, start, ("device", device, point), via, point, claim)

    def _bus(self, claim: Claim, start: Place) -> None:
        """The two wires of an RS-485 bus, from the port through its readers to the last, or to each."""
        devices = self.config["devices"]
        readers = [name for name, entry in devices.items() if entry.get("bus") == claim.device]
        first: Claim | None = claim
        for device in readers or [claim.device]:
            before = board_wiring.before(self.config, device)
            for role in "ab":
                point = role.upper()
                at = ("device", before, point) if before else start
                via = "" if before else "rs485"
                self._add(device, role, at, ("device", device, point), via, role, first)
                first = None

    def returns(self, device: str, entry: Config) -> None:
        """What closes the circuit of a device that hangs on a pin or a port."""
        driver, between = entry["driver"], board_wiring.interface(self.config, device)
        feed = board_wiring.supply_name(self.config, device)
        if driver in (*board_wiring.LIGHTS, *board_wiring.NO_WIRES) or between == "usb":
            return  # its reader's poles are its own; a USB cable brings its poles along
        if driver in (*board_wiring.LOOPS, "supervised_contact"):
            start = ("supply", feed, "-") if between == "optocoupler" else ("common", "", "0 V")
            self._add(device, "return", start, ("device", device, "return"), "", "return")
            return
        if entry.get("framing") == "pn532" and between != "rs485":  # it is asked before it answers
            for one in board_buses.taken(self.config):
                if one.user == device and one.point == "DI":
                    start = ("pin", one.line, str(board_facts.HEADER[14]))
                    via = between if between == "level_converter" else ""
                    self._add(device, "rx", start, ("device", device, "rx"), via, "rx")
        through = board_wiring.fed_through(self.config, device)
        for pole in "+-":
            at = ("device", through, pole) if through else ("supply", feed, pole)
            if pole == "+" and board_fuses.is_fused(self.config, device):
                fuse = board_fuses.fuse_name(self.config, device)
                self._add(device, "feed", at, ("fuse", fuse, "1"))
                at = ("fuse", fuse, "2")
            self._add(device, pole, at, ("device", device, pole), "", pole)

    def circuit(self, device: str, entry: Config) -> None:
        """A load from its supply through fuse and relay and back; a magnet's also through the ways out."""
        config = self.config
        feed = board_wiring.supply_name(config, device)
        relay, fuse = (
            board_wiring.relay_name(config, device),
            board_fuses.fuse_name(config, device),
        )
        contact = entry["relay_contact"].upper()
        chain: list[tuple[Place, Place]] = [(("fuse", fuse, "1"), ("fuse", fuse, "2"))]
        if board_wiring.fire_cuts(config, device):
            chain.append((("panel", "fire", "1"), ("panel", "fire", "2")))
        portal = portal_of(config, device)
        if entry["driver"] == "lock" and cuts(config, portal):
            name = button_name(config, portal)
            chain.append((("button", name, "1"), ("button", name, "2")))
        chain.append((("relay", relay, "COM"), ("relay", relay, contact)))
        at: Place = ("supply", feed, "+")
        for enter, leave in chain:
            if at[:2] in self._elsewhere and enter[:2] in self._elsewhere:
                join: Place = ("join", f"X{relay[1:]}", "")  # two cables meet in the box
                self._add(device, "feed", at, join)
                at = join
            self._add(device, "feed", at, enter)
            at = leave
        self._add(device, "+", at, ("device", device, "+"), "", "+")
        self._add(device, "-", ("supply", feed, "-"), ("device", device, "-"), "", "-")

    def feed(self, feed: board_feeds.Feed) -> None:
        """What feeds a board in the box, or joins it to 0 V."""
        self._add("", feed.role, feed.start, feed.end)

    def _through(self, wire: Wire) -> Wire:
        """A piece of a lock's circuit that leaves the box: it lies in the cable of what it leads to."""
        for what, way in ((wire.end, 0), (wire.start, 1)):
            device = self._elsewhere.get(what[:2])
            if device is None:
                continue
            cable = board_wiring.cable(self.config, device)
            return wire._replace(
                colour=board_wiring.THROUGH[way],
                cable=self.config["devices"][device].get("cable") or "",
                length_m=cable.get("length_m"),
                area_mm2=cable.get("area_mm2"),
                inside=False,
            )
        return wire


def cuts(config: Config, portal: str) -> bool:
    """Whether an exit device breaks the current of the lock of `portal`."""
    return portal != "" and board_wiring.cuts(config, config["portals"][portal])
