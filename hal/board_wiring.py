"""What a board config says of its wires: supplies, cables, relay contacts, suppression, interfaces.

Everything here is optional. It changes nothing at the door; the wiring drawing is made of it. What is wrong
or dangerous in it is told by `hal.board_wiring_rules` (errors) and `hal.board_wiring_warnings`.
"""

import re
from typing import Any

from hal import board_facts
from hal.schema import (
    Fields,
    choice,
    flag,
    optional,
    required,
    show,
    title,
    whole,
    word,
)

Config = dict[str, Any]

name = word(re.compile(r"[a-z0-9_-]{1,32}\Z").match, "1 to 32 of a-z, 0-9, _ and -")
relay = word(re.compile(r"K[1-9][0-9]?\Z").match, "the name of a relay, K1 to K99")
kind = word(lambda text: 0 < len(text) <= 40 and text.isprintable(), "1 to 40 characters")

#: Colours of cores: code after IEC 60757. GNYE is the protective earth's alone.
COLOURS = ("BK", "BN", "RD", "OG", "YE", "GN", "BU", "VT", "GY", "WH", "PK", "TQ")

#: The colour of a core where the config names none: usual, never certain.
USUAL = {
    "+": "RD",
    "-": "BK",
    "d0": "GN",
    "d1": "WH",
    "red": "BN",
    "green": "GY",
    "buzzer": "YE",
    "a": "GN",
    "b": "WH",
    "tx": "GN",
    "rx": "YE",
    "signal": "WH",
    "return": "BN",
}
#: The two cores by which a lock's current runs to a contact elsewhere and back.
THROUGH = ("BU", "RD")
#: Cores of devices that share a cable with a contact, or with a reader: signal and return.
USUAL_PAIRS = {"rex": ("GN", "YE"), "bond": ("GY", "PK"), "tamper": ("VT", "BU")}

FUSES_MA = (250, 315, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300)
RHO = 0.0175  #: ohm mm2 / m of copper at 20 degrees
DROP_MOST = 10  #: percent of the supply's volts that a lock's cable may lose
LONG_M = 3  #: a loop that is longer wants more than the board's own weak pull

RELAYED = ("lock", "siren", "beacon", "relay")  #: outputs that carry a load: always through a relay
READERS = ("wiegand_reader", "keypad", "serial_reader", "osdp_reader")
LIGHTS = ("led", "buzzer")
LOOPS = ("contact", "rex")
NO_WIRES = ("osdp_bus", "osdp_led", "osdp_buzzer")  #: parts of a reader, and the bus itself
PULSES = ("wiegand_reader", "keypad")


def colours(value: Any) -> dict[str, str]:
    """Colours of cores by the core's name, ``{ d0 = "GN" }``."""
    if not isinstance(value, dict) or not all(
        core in USUAL and code in COLOURS for core, code in value.items()
    ):
        raise ValueError(
            f'{show(value)} is not allowed; expected a core and its colour such as {{ d0 = "GN" }}: '
            f"cores {', '.join(USUAL)}; colours {', '.join(COLOURS)}"
        )
    return dict(value)


def area(value: Any) -> float:
    """The cross-section of a core in mm2."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not 0.05 <= value <= 16:
        raise ValueError(f"{show(value)} is not allowed; expected a number, 0.05 to 16 mm2")
    return float(value)


#: [supplies.NAME]
SUPPLY: Fields = {
    "title": optional(title),
    "volts": required(whole(3, 48, "V")),
    "current": optional(choice("dc", "ac"), "dc"),
    "max_ma": optional(whole(50, 50_000, "mA")),
    "battery_mah": optional(whole(0, 500_000, "mAh"), 0),
    "other_ma": optional(whole(0, 50_000, "mA"), 0),
    "fed_by": optional(name),
    "efficiency_percent": optional(whole(30, 100, "%"), 80),
    "feeds_board": optional(flag, False),
}

#: [cables.NAME]
CABLE: Fields = {
    "title": optional(title),
    "kind": optional(kind),
    "length_m": optional(whole(1, 1200, "m")),
    "area_mm2": optional(area),
    "screen": optional(choice("none", "controller", "device"), "none"),
}

#: [relay_board]
RELAY_BOARD: Fields = {
    "coil_supply": optional(name),
    "coil_ma": optional(whole(5, 500, "mA"), 70),
}

#: More keys of a portal.
PORTAL: Fields = {
    "exit_device": optional(choice("handle", "panic_bar", "button", "break_glass", "none")),
}

_ANY: Fields = {
    "supply": optional(name),
    "draw_ma": optional(whole(1, 20_000, "mA")),
    "cable": optional(name),
    "place": optional(choice("box", "inside", "outside")),
    "colours": optional(colours, {}),
}
_LOAD: Fields = {
    "relay": optional(relay),
    "relay_contact": optional(choice("no", "nc"), "no"),
    "suppression": optional(choice("diode", "varistor", "maker", "none")),
}
_FUSE = {"fuse_ma": optional(whole(50, 20_000, "mA"))}
_INTERFACES = {
    **dict.fromkeys(LOOPS, ("direct", "pull_up", "optocoupler")),
    **dict.fromkeys(PULSES, ("direct", "level_converter", "optocoupler")),
    **dict.fromkeys(LIGHTS, ("direct", "transistor", "optocoupler")),
    "serial_reader": ("direct", "level_converter", "divider", "usb", "rs485"),
}

#: What hangs on what it hangs on, where the config does not say it.
_USUAL_INTERFACE = {
    **dict.fromkeys(RELAYED, "relay"),
    **dict.fromkeys(LOOPS, "direct"),
    "supervised_contact": "resistors",
}


def fields(driver: str) -> Fields:
    """The wiring keys of a device of `driver`."""
    found = dict(_ANY)
    if driver in RELAYED:
        found.update(_LOAD)
    if driver in (*RELAYED, *READERS):
        found.update(_FUSE)
    if driver == "lock":
        found["fire_cuts"] = optional(flag)
    if driver in _INTERFACES:
        found["interface"] = optional(choice(*_INTERFACES[driver]))
    if driver in ("serial_reader", "osdp_bus"):
        found["terminated"] = optional(flag, True)
    if driver == "osdp_bus":
        found["topology"] = optional(choice("chain", "star"), "chain")
    return found


def interface(config: Config, device: str) -> str:
    """What stands between the line of `device` and its wire; empty if the config does not say."""
    entry = config["devices"][device]
    stated = entry.get("interface")
    if stated is not None:
        return str(stated)
    if entry["driver"] == "serial_reader":
        board = board_facts.BOARDS[config["board"]]
        uart = entry["port"] in board.uart_ports
        return "" if uart and entry["framing"] == "rdm6300" else ("direct" if uart else "usb")
    if entry["driver"].startswith("osdp"):
        return "rs485"
    return _USUAL_INTERFACE.get(entry["driver"], "")


def suppression(config: Config, device: str) -> str:
    """What quenches the coil of a load; a default fits the kind of load and the supply."""
    entry = config["devices"][device]
    if entry.get("suppression") is not None:
        return str(entry["suppression"])
    fits = quencher(config, device)
    return fits if entry["driver"] == "lock" or fits == "varistor" else "none"


def quencher(config: Config, device: str) -> str:
    """What fits the coil of a load: on alternating current a diode would be a short."""
    if supply(config, device).get("current") == "ac":
        return "varistor"
    return "maker" if is_magnet(config, device) else "diode"


def closed_at_rest(config: Config, device: str) -> bool:
    """Whether the loop of a contact is closed with the doors closed, everything locked and nobody there."""
    if config["devices"][device]["driver"] == "rex":
        return bool(config["devices"][device]["active"] == "high")  # pressed is a loop that opens
    for point in config["alarms"]["points"].values():
        if point["input"] == device:
            return bool(point["normal"] == "closed")
    return bool(config["alarms"]["acknowledge"] != device)


def is_magnet(config: Config, device: str) -> bool:
    """Whether a lock is a magnet: free without current, and no handle frees it (with one it is a strike)."""
    if config["devices"][device].get("fail_mode") != "fail_safe":
        return False
    doors = [one for one in config["portals"].values() if one["lock"] == device]
    return all(one["egress"] != "handle" for one in doors)


def supply(config: Config, device: str) -> Config:
    """The supply's table, empty where the config has none that `device` names."""
    found: Config = config["supplies"].get(supply_name(config, device), {})
    return found


def supply_name(config: Config, device: str) -> str:
    """Which supply feeds `device`: the one that it names, else the first of the file, else none ("")."""
    stated = config["devices"][device].get("supply")
    return str(stated) if stated is not None else next(iter(config["supplies"]), "")


def cable(config: Config, device: str) -> Config:
    """The cable's table, empty where the config has none that `device` names, and for no device."""
    found: Config = config["cables"].get(config["devices"].get(device, {}).get("cable"), {})
    return found


def shares_usb(config: Config, device: str) -> bool:
    """Whether `device` hangs on a USB cable that the config has lie among other devices' wires."""
    mine = config["devices"].get(device, {}).get("cable")
    if mine is None or interface(config, device) != "usb":
        return False
    return [one.get("cable") for one in config["devices"].values()].count(mine) > 1


def relay_name(config: Config, device: str) -> str:
    """The relay of a load: the one that it names, else the next that is free, in the file's order."""
    stated = {
        entry.get("relay") for entry in config["devices"].values() if entry.get("relay") is not None
    }
    free = [f"K{number}" for number in range(1, 100) if f"K{number}" not in stated]
    for other, entry in config["devices"].items():
        if entry["driver"] not in RELAYED:
            continue
        found = entry.get("relay") or free.pop(0)
        if other == device:
            return str(found)
    raise ValueError(f"{device}: has no relay; expected one of {', '.join(RELAYED)}")


def fuse_ma(config: Config, device: str) -> int | None:
    """The fuse of a load in mA: the stated one, else the next size from one and a half times its draw."""
    entry = config["devices"][device]
    stated: int | None = entry.get("fuse_ma")
    if stated is not None or entry.get("draw_ma") is None:
        return stated
    wanted = entry["draw_ma"] * 3 // 2
    return next((size for size in FUSES_MA if size >= wanted), None)


def drop(config: Config, device: str) -> tuple[float, bool]:
    """Volts lost along its cables and back, 2 * m * A * 0.0175 / mm2; whether that is all of them.

    Where a figure is missing it is what the stated ones lose: so much at least.
    A magnet's current also runs to the fire panel and to the exit button and back. A cable on the way to a
    reader of a bus carries the current of all readers from there on.
    """
    lost, whole, at = 0.0, True, device
    while at:
        draws = [config["devices"][one].get("draw_ma") for one in (at, *_behind(config, at))]
        ma = sum(draw for draw in draws if draw is not None)
        whole = whole and None not in draws
        for wire in in_series(config, at):
            if wire.get("length_m") is None or wire.get("area_mm2") is None:
                whole = False
            else:
                lost += ma / 1000 * 2 * wire["length_m"] * RHO / wire["area_mm2"]
        at = fed_through(config, at)
    return lost, whole


def before(config: Config, device: str) -> str:
    """The reader from which the bus goes on to `device`; empty where it comes from the box."""
    bus = config["devices"][device].get("bus")
    if bus is None or config["devices"].get(bus, {}).get("topology") != "chain":
        return ""
    readers = [name for name, entry in config["devices"].items() if entry.get("bus") == bus]
    place = readers.index(device)
    return readers[place - 1] if place else ""


def fed_through(config: Config, device: str) -> str:
    """The reader through whose terminals `device` is fed: the one before it, where they share a supply."""
    other = before(config, device)
    same = other and supply_name(config, other) == supply_name(config, device)
    return other if same else ""


def _behind(config: Config, device: str) -> list[str]:
    """The readers that are fed through `device`, the nearest first."""
    found = [one for one in config["devices"] if fed_through(config, one) == device]
    return [other for one in found for other in (one, *_behind(config, one))]


def fire_loop(config: Config) -> str:
    """The device that the fire panel's second contact is read by; empty without one."""
    points = config["alarms"]["points"].values()
    return next((str(point["input"]) for point in points if point["class"] == "fire"), "")


def in_series(config: Config, device: str) -> list[Config]:
    """Every cable that the current of `device` runs through."""
    found = [cable(config, device)]
    if fire_cuts(config, device):
        found.append(cable(config, fire_loop(config)))
    for portal in config["portals"].values():
        if portal["lock"] == device and portal["rex"] is not None and cuts(config, portal):
            found.append(cable(config, portal["rex"]))
    return found


def fire_cuts(config: Config, device: str) -> bool:
    """Whether the fire panel's contact breaks the lock's own current: where that frees it, and fire is to."""
    entry = config["devices"][device]
    stated = entry.get("fire_cuts")
    if stated is not None:
        return bool(stated)
    if entry.get("fail_mode") != "fail_safe" or fire_loop(config) == "":
        return False
    doors = [one for one in config["portals"].values() if one["lock"] == device]
    return all(one["on_fire"] != "latch" for one in doors)


def exit_device(portal: Config) -> str:
    """By what people leave: the stated device, else the usual one of `egress`."""
    if portal["exit_device"] is not None:
        return str(portal["exit_device"])
    return {"handle": "handle", "button_cuts_power": "button"}.get(portal["egress"], "none")


def cuts(config: Config, portal: Config) -> bool:
    """Whether the exit device breaks the lock's current: a magnet's. Without current a strike is locked."""
    fail_mode = config["devices"][portal["lock"]]["fail_mode"]
    return fail_mode == "fail_safe" and exit_device(portal) in ("button", "break_glass")


def outside(config: Config, device: str) -> bool:
    """Whether `device` hangs outside: as stated, else what stands at a way in."""
    stated = config["devices"][device].get("place")
    if stated is not None:
        return bool(stated == "outside")
    for point in config["access_points"].values():
        here = [point[key] for key in ("reader", "keypad", "led", "buzzer")]
        here.append(config["devices"].get(point["reader"], {}).get("tamper"))
        if device in here:
            return bool(point["direction"] == "in")
    return False
