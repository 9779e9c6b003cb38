"""The header lines that I2C and SPI buses, the clock and the serial port need: nobody else's, and wired.

An I2C bus but the first, and an SPI chip select, can be moved to other pins by an overlay's parameters, which
cannot be seen here: taken and drawn are the overlays' usual pins, and a warning says so. Sources: the data
sheets of BCM2835/2837, BCM2711 and RP1 (alternate functions), the maker's list of overlays.
"""

import re
from collections import namedtuple
from typing import Any

from hal import board_facts
from hal.schema import Problems

Config = dict[str, Any]

#: One header line of a bus.
#: line   str  GPIO2 ...
#: point  str  what a chip or an adapter calls it: SDA, SCLK, DI ...
#: path   str  the key of the config that names the bus
#: key    str  the bus: its device file, "uart" for the header's; one line has one bus
#: user   str  the chip, "rtc", or the device at the port
#: owner  str  who has the line, as an error says it
Taken = namedtuple("Taken", ("line", "point", "path", "key", "user", "owner"))

_OLD, _NEW, _RP1 = "pinctrl-bcm2835", "pinctrl-bcm2711", board_facts.RP1
_I2C = {
    _OLD: {0: (0, 1), 1: (2, 3)},
    _NEW: {0: (0, 1), 1: (2, 3), 3: (4, 5), 4: (8, 9), 5: (12, 13), 6: (22, 23)},
    _RP1: {0: (0, 1), 1: (2, 3), 2: (4, 5), 3: (6, 7)},
}
_SPI_BOTH = {0: (9, 10, 11, 8, 7), 1: (19, 20, 21, 18, 17, 16)}  #: MISO, MOSI, SCLK, CE0, CE1 ...
_SPI_345 = {3: (1, 2, 3, 0, 24), 4: (5, 6, 7, 4, 25), 5: (13, 14, 15, 12, 26)}
_SPI = {
    _OLD: _SPI_BOTH,
    _NEW: {**_SPI_BOTH, **_SPI_345, 6: (19, 20, 21, 18, 27)},
    _RP1: {**_SPI_BOTH, 2: _SPI_345[3], 3: _SPI_345[4], 5: _SPI_345[5]},
}
_USUAL = ("/dev/i2c-1", "/dev/spidev0.0", "/dev/spidev0.1")  #: no overlay's parameter moves them
RTS = "GPIO17"  #: of the header's UART: turns the direction of an RS-485 adapter


def lines(board: str, bus: str) -> dict[str, str]:
    """The header lines of a bus by its device file, each with its name; none where they are not known."""
    label = board_facts.BOARDS[board].chip_label
    number = re.fullmatch(r"/dev/i2c-([0-9]+)|/dev/spidev([0-9]+)\.([0-9])", bus)
    if number is None or label not in _SPI:
        return {}
    if number[1] is not None:
        pins = _I2C[label].get(int(number[1]), ())
        return {f"GPIO{gpio}": name for gpio, name in zip(pins, ("SDA", "SCL"), strict=False)}
    found, select = _SPI[label].get(int(number[2]), ()), int(number[3])
    if len(found) <= 3 + select:
        return {}
    names = {f"GPIO{found[3 + select]}": f"CE{select}"}
    names |= {
        f"GPIO{gpio}": name for gpio, name in zip(found, ("MISO", "MOSI", "SCLK"), strict=False)
    }
    return names


def taken(config: Config) -> list[Taken]:
    """Every header line that a bus of `config` needs, in the order chips, clock, serial ports."""
    found = []
    board = board_facts.BOARDS.get(config["board"])
    if board is None or config["board"] == "sim":
        return []
    for name, entry in config["chips"].items():
        bus = entry.get("bus") or ""
        for line, point in lines(config["board"], bus).items():
            key = bus.partition(".")[0] if point[:2] != "CE" else bus
            owner = f"the bus of chips.{name}"
            found.append(Taken(line, point, f"chips.{name}.bus", key, name, owner))
    if config["controller"]["rtc"]:
        owner = "the clock chip's I2C bus (controller.rtc)"
        for line, point in zip(board.rtc_lines, ("SDA", "SCL"), strict=False):
            found.append(Taken(line, point, "controller.rtc", "/dev/i2c-1", "rtc", owner))
    for device, entry in config["devices"].items():
        if entry.get("port") not in board.uart_ports:
            continue
        path = f"devices.{device}.port"
        for line, point in zip(board_facts.UART, ("DI", "RO"), strict=True):
            owner = f"the serial port of {path}"
            found.append(Taken(line, point, path, path, device, owner))
        if entry.get("rs485", "adapter") != "adapter":
            owner = f'the direction of {path} (rs485 = "{entry["rs485"]}")'
            found.append(Taken(RTS, "DE RE", path, path, device, owner))
    return found


def held(config: Config) -> dict[str, str]:
    """Header lines that buses need, and who has them."""
    return {one.line: one.owner for one in taken(config)}


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` each two buses that need one line."""
    first: dict[str, Taken] = {}
    told = set()
    for one in taken(config):
        other = first.setdefault(one.line, one)
        if other.key != one.key and (one.path, other.path) not in told:
            told.add((one.path, other.path))
            problems.add(
                one.path,
                f"needs {one.line}, which is reserved for {other.owner}; expected another bus or port",
            )


def warnings(config: Config) -> list[str]:
    """What is not known here of the pins of the chips' buses."""
    told = []
    for name, entry in config["chips"].items() if config["board"] != "sim" else ():
        bus, path = entry["bus"], f"chips.{name}.bus"
        pins = ", ".join(lines(config["board"], bus))
        if not pins:
            told.append(
                f"{path}: {bus} is a bus whose pins are not known here; expected that no device has them"
            )
        elif bus not in _USUAL:
            told.append(
                f"{path}: {bus} is taken to have its overlay's usual pins {pins}; expected no other "
                "pins in config.txt"
            )
    return told
