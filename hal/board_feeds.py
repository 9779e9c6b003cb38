"""What feeds the boards in the box, and the one 0 V that they share: supplies, converters, chips, adapters.

Everything that a pin talks to needs the pin's own 0 V. So there is one terminal, "0 V common": the board's
GND pin, the relay board, every converter, chip and adapter, and the minus of every supply that feeds one of
them are joined there, each by a wire of its own. A supply that only relays' contacts and optocouplers touch
is kept apart: nothing of it may reach a pin. An alternating one has no minus and is never joined.
"""

from collections import namedtuple
from typing import Any

from hal import board_buses, board_chips, board_facts, board_wiring

Config = dict[str, Any]
Place = tuple[str, str, str]  #: as in `hal.board_wires`

#: One wire in the box.
#: role   str    coils, reference, feed_in, board, logic, five, field, bus, sends or turns
#: start  Place  where it begins
#: end    Place  where it ends
Feed = namedtuple("Feed", ("role", "start", "end"))

COMMON: Place = ("common", "", "0 V")
LOGIC: Place = ("common", "", "3.3 V")
FIVE: Place = ("common", "", "5 V")  #: of the board's pin, where no supply gives 5 V

#: The terminals of a chip that are fed, and those on 0 V.
_CHIP_PINS = {
    "mcp23017": ("VDD RESET", "VSS"),
    "mcp3008": ("VDD VREF", "AGND DGND"),
    "ads1115": ("VDD", "GND"),
    "rtc": ("VCC", "GND"),
}
_ADDRESS_PINS = ("A0", "A1", "A2")  #: of an MCP23017: its address is 0x20 and what they say
_ADDR = {
    0x48: "GND",
    0x49: "VDD",
    0x4A: "SDA",
    0x4B: "SCL",
}  #: of an ADS1115: what its ADDR is joined to
_BEARS_MV = 3600  #: a chip with more than that hangs on 5 V
#: What stands between pin and wire, and which of 3.3 V and 5 V it wants; all of it wants 0 V, but pull-ups.
_WANTS = {
    "level_converter": ("3.3 V", "5 V"),
    "pull_up": ("3.3 V",),
    "resistors": ("3.3 V",),
    "optocoupler": ("3.3 V",),
    "divider": (),
    "transistor": (),
}


def feeds(config: Config) -> list[Feed]:
    """Every wire that feeds a board of `config` (from `hal.board.load`) or joins it to 0 V."""
    made = [*_supplies(config), *_between(config), *_adapters(config), *_chips(config)]
    if any(LOGIC in (feed.start, feed.end) for feed in made):
        made.insert(2, Feed("logic", ("pin", "3V3", "1"), LOGIC))
    if any(FIVE in (feed.start, feed.end) for feed in made):
        made.insert(3, Feed("five", ("pin", "5V", "4"), FIVE))
    return made


def joined(config: Config) -> list[str]:
    """The supplies whose minus is on 0 V common, in the file's order; "" stands for the unstated one."""
    supplies = config["supplies"]
    found = {name for name, entry in supplies.items() if entry["feeds_board"]}
    if config["relay_board"]["coil_supply"] is not None:
        found.add(config["relay_board"]["coil_supply"])
    for device, entry in config["devices"].items():
        found |= {feed for feed in (_touches(config, device, entry),) if feed is not None}
    for _ in supplies:  # a converter's two sides share their minus
        for name, entry in supplies.items():
            pair = {name, entry["fed_by"]}
            if entry["fed_by"] is not None and pair & found and _direct(config, entry["fed_by"]):
                found |= pair
    return [name for name in (*supplies, "") if name in found and _direct(config, name)]


def _touches(config: Config, device: str, entry: Config) -> str | None:
    """The supply of a device whose signals reach a pin with nothing that parts them; else None."""
    if entry["driver"] in (*board_wiring.RELAYED, *board_wiring.LOOPS, *board_wiring.NO_WIRES):
        return None
    between = board_wiring.interface(config, device)
    if entry["driver"] == "supervised_contact" or between in ("optocoupler", "usb"):
        return None
    feed = _light_feed(config, device) if entry["driver"] in board_wiring.LIGHTS else device
    return None if feed is None else board_wiring.supply_name(config, feed)


def _light_feed(config: Config, device: str) -> str | None:
    """The reader that a light or a buzzer is in, which feeds it; None if a USB cable does."""
    for point in config["access_points"].values():
        if device in (point["led"], point["buzzer"]):
            reader = point["reader"] or point["keypad"] or device
            usb = board_wiring.interface(config, reader) == "usb"
            return None if usb else str(reader)
    return device


def _direct(config: Config, supply: str) -> bool:
    found = config["supplies"].get(supply)
    return found is None or found["current"] == "dc"


def _supplies(config: Config) -> list[Feed]:
    """The coils' feed, the one 0 V, and what feeds converters and the board."""
    coils = config["relay_board"]["coil_supply"]
    feed: Place = ("pin", "5V", "2") if coils is None else ("supply", coils, "+")
    made = [
        Feed("coils", feed, ("relays", "", "VCC")),
        Feed("reference", ("pin", "GND", "6"), COMMON),
        Feed("reference", COMMON, ("relays", "", "GND")),
    ]
    made += [Feed("reference", ("supply", name, "-"), COMMON) for name in joined(config)]
    for name, entry in config["supplies"].items():
        if entry["fed_by"] is not None:
            for pole in "+-":
                end: Place = ("input", name, pole)
                made.append(Feed("feed_in", ("supply", entry["fed_by"], pole), end))
        if entry["feeds_board"]:
            made.append(Feed("board", ("supply", name, "+"), ("board", "", f"{entry['volts']} V")))
            made.append(Feed("board", COMMON, ("board", "", "0 V")))
    return made


def _five(config: Config) -> Place:
    """Where 5 V are to be had: of a supply that is on 0 V common, else of the board's pin."""
    for name in joined(config):
        if config["supplies"].get(name, {}).get("volts") == 5:
            return ("supply", name, "+")
    return FIVE


def _between(config: Config) -> list[Feed]:
    """What the converters between pins and wires are fed with."""
    made = []
    used: dict[str, list[str]] = {}
    for device, entry in config["devices"].items():
        if entry["driver"] not in board_wiring.RELAYED:
            used.setdefault(board_wiring.interface(config, device), []).append(device)
    for via in _WANTS:
        if via not in used:
            continue
        for want in _WANTS[via]:
            start = LOGIC if want == "3.3 V" else _five(config)
            role = "logic" if want == "3.3 V" else "five"
            made.append(Feed(role, start, ("converters", via, want)))
        if via != "pull_up":
            made.append(Feed("reference", COMMON, ("converters", via, "GND")))
        if via == "transistor":
            made.append(Feed("field", _highest(config, used[via]), ("converters", via, "COM")))
        if via == "optocoupler":
            made += _field(config, used[via])
    return made


def _highest(config: Config, lights: list[str]) -> Place:
    """The plus of the supply with the most volts that readers' lights rest at."""
    readers = [reader for light in lights if (reader := _light_feed(config, light)) is not None]
    if not readers:
        return _five(config)
    found = max(readers, key=lambda one: board_wiring.supply(config, one).get("volts") or 0)
    return ("supply", board_wiring.supply_name(config, found), "+")


def _field(config: Config, devices: list[str]) -> list[Feed]:
    """The far side of the optocouplers, from the supply of what hangs there."""
    poles: dict[tuple[str, str], None] = {}
    for device in devices:
        driver = config["devices"][device]["driver"]
        feed = board_wiring.supply_name(config, device)
        if driver in board_wiring.LIGHTS:
            feed = board_wiring.supply_name(config, _light_feed(config, device) or device)
            poles[feed, "-"] = None
        else:  # a loop closes to the supply's minus, a reader's output sinks
            poles[feed, "+"] = None
    several = len({feed for feed, _ in poles}) > 1
    return [
        Feed(
            "field",
            ("supply", feed, pole),
            ("converters", "optocoupler", f"{feed} {pole}" if several else pole),
        )
        for feed, pole in poles
    ]


def _adapters(config: Config) -> list[Feed]:
    """The adapter of each RS-485 port: a USB one wants the common reference, one on the UART all the rest."""
    made = []
    for device, entry in config["devices"].items():
        if entry.get("port") is None or board_wiring.interface(config, device) != "rs485":
            continue
        made.append(Feed("reference", COMMON, ("adapter", device, "GND")))
        pins = [one for one in board_buses.taken(config) if one.user == device]
        if pins:
            made.append(Feed("logic", LOGIC, ("adapter", device, "VCC")))
        for one in pins:
            if one.point != "RO":  # that wire is the claimed one
                role = "sends" if one.point == "DI" else "turns"
                made.append(Feed(role, _pin(one.line), ("adapter", device, one.point)))
    return made


def _pin(line: str) -> Place:
    return ("pin", line, str(board_facts.HEADER[board_facts.number(line) or 0]))


def _chips(config: Config) -> list[Feed]:
    """The chips beside the board's own pins, and the clock: fed, joined to 0 V, and their bus."""
    made = []
    buses = [one for one in board_buses.taken(config) if not one.path.startswith("devices.")]
    clock = [("rtc", {"chip": "rtc"})] if any(one.user == "rtc" for one in buses) else []
    chips = [*clock, *config["chips"].items()] if config["board"] != "sim" else []
    for name, entry in chips:
        fed, ground = _CHIP_PINS[entry["chip"]]
        address = entry.get("address")
        if entry["chip"] == board_chips.EXPANDER:
            high = [pin for bit, pin in enumerate(_ADDRESS_PINS) if address >> bit & 1]
            fed = " ".join([fed, *high])
            ground = " ".join([ground, *(pin for pin in _ADDRESS_PINS if pin not in high)])
        elif address is not None:
            fed += " ADDR" if _ADDR[address] == "VDD" else ""
            ground += " ADDR" if _ADDR[address] == "GND" else ""
        five = entry.get("supply_mv", 0) > _BEARS_MV
        start, role = (_five(config), "five") if five else (LOGIC, "logic")
        made.append(Feed(role, start, ("chips", name, fed)))
        made.append(Feed("reference", COMMON, ("chips", name, ground)))
        if address is not None and _ADDR.get(address) in ("SDA", "SCL"):
            made.append(Feed("bus", ("chips", name, _ADDR[address]), ("chips", name, "ADDR")))
    for one in dict.fromkeys((one.line, one.point) for one in sorted(buses, key=_clock_first)):
        names = [other.user for other in sorted(buses, key=_clock_first) if other.line == one[0]]
        made.append(Feed("bus", _pin(one[0]), ("chips", ", ".join(names), one[1])))
    return made


def _clock_first(one: board_buses.Taken) -> bool:
    return bool(one.user != "rtc")
