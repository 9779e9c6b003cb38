"""What is dangerous or doubtful in how a board is wired: one line each, for ``doorward --check``.

The wiring drawing puts a sign where each of these stands. Takes a right config (`hal.board.load`).
"""

from collections import namedtuple
from typing import Any

from hal import board_fuses, board_loads, board_wiring

Config = dict[str, Any]

#: One warning.
#: where   str  the device, portal or supply that the sign stands at
#: sort    str  volts, loop, drop, fuse, unfused, exit, fire, quench, bus, usb, maker, rex, shared or load:
#:              what the drawing says beside the sign
#: text    str  the whole line
Warn = namedtuple("Warn", ("where", "sort", "text"))


def warnings(config: Config) -> list[str]:
    """The lines."""
    return [one.text for one in found(config)]


def found(config: Config) -> list[Warn]:
    """Every warning, in the order of the file."""
    told: list[Warn] = []
    for device, entry in config["devices"].items():
        if config["board"] != "sim":  # its lines are no pins, nothing can harm them
            told += _pins(config, device, entry)
        told += _cable(config, device)
        if board_wiring.shares_usb(config, device):
            text = (
                f'devices.{device}.cable: "{entry["cable"]}" is other devices\' too; expected a USB cable '
                "of its own"
            )
            told.append(Warn(device, "usb", text))
        told += _unfused(config, device)
        told += _shared(config, device, entry)
        if board_fuses.is_fused(config, device):
            told += [Warn(device, "fuse", text) for text in board_fuses.warnings(config, device)]
        if entry["driver"] == "rex" and board_wiring.outside(config, device):
            text = (
                f'devices.{device}.place: "outside", and whoever presses it opens the door; expected '
                '"inside"'
            )
            told.append(Warn(device, "rex", text))
        if entry["driver"] == "lock":
            told += _lock(config, device, entry)
        if board_wiring.interface(config, device) == "rs485" and not entry.get("terminated", True):
            told.append(
                Warn(
                    device,
                    "bus",
                    f"devices.{device}.terminated: false; expected 120 ohm at both ends of the bus",
                )
            )
    for portal, entry in config["portals"].items():
        told += _exit(config, portal, entry)
    for name, entry in config["supplies"].items():
        told += _supply(config, name, entry)
    return told


def _pins(config: Config, device: str, entry: Config) -> list[Warn]:
    """A pin bears 3.3 V and no more."""
    path, driver = f"devices.{device}.interface", entry["driver"]
    between = board_wiring.interface(config, device)
    if driver in board_wiring.PULSES and between in ("", "direct"):
        expected = '"level_converter" or "optocoupler"'
        text = f"{path}: D0 and D1 carry 5 V and a pin bears 3.3 V; expected {expected}"
        return [Warn(device, "volts", text)]
    if driver in board_wiring.LIGHTS and between in ("", "direct"):
        expected = '"transistor" or "optocoupler"'
        text = (
            f"{path}: a reader's wire rests at 5 V or more, a pin bears 3.3 V; expected {expected}"
        )
        return [Warn(device, "volts", text)]
    if driver == "serial_reader" and entry["framing"] == "rdm6300" and between in ("", "direct"):
        expected = '"divider" or "level_converter"'
        text = f"{path}: an RDM6300 sends 5 V and a pin bears 3.3 V; expected {expected}"
        return [Warn(device, "volts", text)]
    if driver in board_wiring.LOOPS and between != "optocoupler":
        length = board_wiring.cable(config, device).get("length_m") or 0
        if board_wiring.outside(config, device):
            text = f'{path}: a loop that goes outside; expected "optocoupler"'
            return [Warn(device, "loop", text)]
        if length > board_wiring.LONG_M and between == "direct":
            expected = '"pull_up" (1 kOhm to 3.3 V) or "optocoupler"'
            text = f"{path}: a loop of {length} m on the pin's weak pull; expected {expected}"
            return [Warn(device, "loop", text)]
    return []


def _cable(config: Config, device: str) -> list[Warn]:
    lost, whole = board_wiring.drop(config, device)
    volts = board_wiring.supply(config, device).get("volts")
    if volts is None or lost * 100 <= volts * board_wiring.DROP_MOST:
        return []
    left = f"{volts - lost:.1f} V arrive" if lost < volts else "nothing arrives"
    some = "" if whole else " in the cables that are stated alone"
    most = "" if whole else " at most"
    text = (
        f"devices.{device}.cable: loses {lost:.1f} of {volts} V{some}, so {left}{most}; "
        f"expected at most {board_wiring.DROP_MOST} %: a thicker or shorter cable"
    )
    return [Warn(device, "drop", text)]


def _unfused(config: Config, device: str) -> list[Warn]:
    """A reader's cable is thin, and its supply may give more than it bears."""
    entry, feed = config["devices"][device], board_wiring.supply(config, device)
    bare = board_wiring.interface(config, device) == "usb" or board_wiring.fed_through(
        config, device
    )
    if entry["driver"] not in board_wiring.READERS or entry["fuse_ma"] is not None or bare:
        return []
    area, gives = board_wiring.cable(config, device).get("area_mm2"), feed.get("max_ma")
    if area is None or gives is None or gives <= board_fuses.most_ma(area):
        return []
    text = (
        f"devices.{device}.fuse_ma: none, and supplies.{board_wiring.supply_name(config, device)} gives "
        f"{gives} mA into {area:g} mm2, which bears {board_fuses.most_ma(area)}; expected a fuse"
    )
    return [Warn(device, "unfused", text)]


def _shared(config: Config, device: str, entry: Config) -> list[Warn]:
    """A load on what feeds the board, itself or by a converter: its current pulls the board's 5 V down."""
    if entry["driver"] not in board_wiring.RELAYED:
        return []
    name = board_wiring.supply_name(config, device)
    feeds = [
        one for one in board_loads.chain(config, name) if config["supplies"][one]["feeds_board"]
    ]
    if not feeds:
        return []
    through = f' hangs on "{feeds[0]}", which' if feeds[0] != name else ""
    text = (
        f'devices.{device}.supply: "{name}"{through} feeds the board too, and the load\'s current may '
        "restart the controller; expected a supply that does not"
    )
    return [Warn(device, "shared", text)]


def _lock(config: Config, device: str, entry: Config) -> list[Warn]:
    told = []
    quench = board_wiring.suppression(config, device)
    safe, magnet = entry["fail_mode"] == "fail_safe", board_wiring.is_magnet(config, device)
    if quench == "none":
        fits = board_wiring.quencher(config, device)
        at = "magnet" if magnet else "strike"
        text = f'devices.{device}.suppression: "none" wears out the relay; expected "{fits}" at the {at}'
        told.append(Warn(device, "quench", text))
    if magnet and quench == "varistor":
        text = (
            f'devices.{device}.suppression: "varistor" across a magnet; expected "maker": its maker\'s own '
            "alone"
        )
        told.append(Warn(device, "maker", text))
    doors = [one for one in config["portals"].values() if one["lock"] == device]
    fire = board_wiring.fire_loop(config) != "" and all(one["on_fire"] != "latch" for one in doors)
    if safe and fire and not board_wiring.fire_cuts(config, device):
        text = (
            f"devices.{device}.fire_cuts: false, so fire frees the door only while the controller lives; "
            f"expected true: the fire panel's contact in the {'magnet' if magnet else 'strike'}'s own circuit"
        )
        told.append(Warn(device, "fire", text))
    return told


def _exit(config: Config, portal: str, entry: Config) -> list[Warn]:
    magnet = config["devices"][entry["lock"]]["fail_mode"] == "fail_safe"
    leave = board_wiring.exit_device(entry)
    if leave in ("handle", "panic_bar") or (leave != "none" and magnet):
        return []
    what = (
        "a magnet without an exit button that cuts its current"
        if magnet
        else "a strike without a handle inside, which cutting its supply cannot free"
    )
    expected = '"button_cuts_power"' if magnet else '"handle"'
    text = f"portals.{portal}.egress: {what}; expected {expected} wherever somebody may be inside"
    return [Warn(portal, "exit", text)]


def _supply(config: Config, name: str, entry: Config) -> list[Warn]:
    draw, most = board_loads.draw_ma(config, name), entry["max_ma"]
    if most is None or draw <= most:
        return []
    text = (
        f"supplies.{name}.max_ma: {most}, and all its loads draw {draw} mA; expected {draw} or more"
    )
    return [Warn(name, "load", text)]
