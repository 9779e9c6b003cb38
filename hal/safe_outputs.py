"""Every output to its safe level, and no more: for who follows a program that hung or died.

Reads the board config without checking it, so that a mistake elsewhere in it leaves no lock driven, and
claims outputs alone, so that no missing reader or contact matters. Imports little, because a door waits.
"""

import tomllib
from typing import TYPE_CHECKING, Any

from hal import board_facts
from hal.errors import BoardConfigError, HalError
from hal.opening import LINE_KEYS, OUTPUT_DRIVERS

if TYPE_CHECKING:
    from hal.ports import Lines


def read(path: str) -> dict[str, Any]:
    """The config as it stands in the file. Raises `hal.errors.BoardConfigError` if it is no TOML."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not TOML"
        raise BoardConfigError([f"{path}: {reason.lower()}; expected a board config"]) from error


def expanders(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The chips of `config` that outputs may hang on, as far as they can be read."""
    tables = config.get("chips")
    found = {}
    for name, entry in tables.items() if isinstance(tables, dict) else ():
        if not isinstance(entry, dict) or entry.get("chip") != "mcp23017":
            continue
        bus, address = entry.get("bus", "/dev/i2c-1"), entry.get("address", 0x20)
        if isinstance(bus, str) and isinstance(address, int):
            found[name] = {"chip": "mcp23017", "bus": bus, "address": address}
    return found


def drive(config: dict[str, Any], lines: "Lines") -> list[str]:
    """Claim every output of `config`, drive it to its safe level, let it go; what could not be, a line
    for each reason.

    Locks come first.
    """
    problems: dict[str, list[str]] = {}
    claimed = []
    devices = config.get("devices", {})
    for name, line, low in sorted(_outputs(devices)):
        if "." not in line and board_facts.number(line) is None:
            text = f"{line}: no line of a board's header; expected GPIO2 to GPIO27"
            problems.setdefault(text, []).append(name[1])
            continue  # the chip may have one of that name: the board's own affair
        try:
            claimed.append((name[1], lines.output(line, low, False)))
        except HalError as error:
            problems.setdefault(str(error), []).append(name[1])
    for device, output in claimed:
        try:
            output.close()
        except HalError as error:
            problems.setdefault(str(error), []).append(device)
    return [f"{', '.join(dict.fromkeys(devices))}: {text}" for text, devices in problems.items()]


def _outputs(devices: Any) -> "list[tuple[tuple[bool, str], str, bool]]":
    """((it is no lock, device), line, active low) of every output line."""
    found = []
    for device, entry in devices.items() if isinstance(devices, dict) else ():
        kind = entry.get("driver") if isinstance(entry, dict) else None
        if kind not in OUTPUT_DRIVERS:
            continue
        for key in LINE_KEYS[kind]:
            line = entry.get(key)
            if isinstance(line, str):
                found.append(((kind != "lock", device), line, entry.get("active") == "low"))
    return found
