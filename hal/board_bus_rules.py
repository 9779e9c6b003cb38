"""What readers owe their ports, and those on one OSDP bus each other: an address each, their own lights.

Takes the normalised config (`hal.board.load`), as `hal.board_rules` does, which holds readers to buses.
"""

import re
from typing import Any

from hal.schema import Problems, nearest_known

_NUMBERS = re.compile(r"input:[0-9a-f]{4}:[0-9a-f]{4}\Z").match
_PN532_BAUD = 115_200  #: as its HSU begins (NXP UM0701-02)
MOST = 8  #: readers on a bus: so many may fall silent at once and are all noticed within 2 s

Config = dict[str, Any]


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` what is wrong with the ports and the OSDP readers of `config`."""
    first: dict[tuple[str, int], str] = {}
    owners: dict[tuple[str, str], str] = {}
    count: dict[str, int] = {}
    for name, entry in config["devices"].items():
        if entry["driver"] in ("serial_reader", "osdp_bus") and entry["port"] is not None:
            _port(name, entry, problems)
        if entry["driver"] == "osdp_reader" and entry["bus"] is not None:
            _address(name, entry, first, problems)
            count[entry["bus"]] = count.get(entry["bus"], 0) + 1
        if entry["driver"] in ("osdp_led", "osdp_buzzer") and entry["reader"] is not None:
            _part(name, entry, owners, config["devices"], problems)
    for bus, readers in count.items():
        if readers > MOST:
            problems.add(f"devices.{bus}", f"{readers} readers on one bus; expected {MOST} at most")


def _port(name: str, entry: Config, problems: Problems) -> None:
    path, port, framing = f"devices.{name}.port", entry["port"], entry.get("framing")
    types = port.startswith(("input:", "/dev/input/"))
    if types and (entry["driver"] == "osdp_bus" or framing == "pn532"):
        problems.add(path, f'"{port}" is a reader that types; expected a serial port')
    elif port.startswith("input:") and not _NUMBERS(port):
        problems.add(
            path,
            f'"{port}" names no reader; expected input:VVVV:PPPP as lsusb shows, in small letters',
        )
    if framing == "pn532" and entry["baud"] not in (None, _PN532_BAUD):
        problems.add(
            f"devices.{name}.baud",
            f"{entry['baud']} is not how a PN532 begins; expected {_PN532_BAUD}",
        )


def _address(
    name: str, entry: Config, first: dict[tuple[str, int], str], problems: Problems
) -> None:
    if entry["address"] is None:
        return
    other = first.setdefault((entry["bus"], entry["address"]), name)
    if other != name:
        problems.add(
            f"devices.{name}.address",
            f"{entry['address']} is already that of devices.{other}; expected one of its own",
        )


def _part(
    name: str,
    entry: Config,
    owners: dict[tuple[str, str], str],
    devices: Config,
    problems: Problems,
) -> None:
    """A light or buzzer is in a reader, and alone there."""
    path, reader = f"devices.{name}.reader", entry["reader"]
    kind = devices[reader]["driver"] if reader in devices else None
    if reader not in devices:
        near = nearest_known(reader, [one for one in devices if one != name])
        problems.add(path, f'no device "{reader}"; expected an osdp_reader, {near}')
    elif kind is not None and kind != "osdp_reader":
        problems.add(path, f'device "{reader}" has driver "{kind}"; expected osdp_reader')
    other = owners.setdefault((entry["driver"], reader), name)
    if other != name:
        problems.add(
            path, f'"{reader}" has devices.{other} already; expected one {entry["driver"]}'
        )
