"""[chips]: expanders and converters on the board's I2C and SPI buses, and what may hang on them.

An expander's lines are ``NAME.GPA0`` to ``NAME.GPB7``, a converter's channels ``NAME.CH0`` or ``NAME.AIN0``,
as the data sheets name them (MCP23017 DS20001952, MCP3008 DS21295, ADS1115 SBAS444).

An expander is not reset with the board and keeps its outputs when the program dies, and its inputs are
looked at a hundred times a second. So locks and readers' pulses stay on the board's own lines.
"""

import re
from typing import Any

from hal.schema import Fields, Problems, choice, nearest, optional, required, table, whole, word

Config = dict[str, Any]

EXPANDER = "mcp23017"

#: chip: its lines or channels
PINS = {
    EXPANDER: tuple([f"GP{port}{bit}" for port in "AB" for bit in range(8)]),
    "mcp3008": tuple([f"CH{number}" for number in range(8)]),
    "ads1115": tuple([f"AIN{number}" for number in range(4)]),
}

_I2C = word(re.compile(r"/dev/i2c-[0-9]{1,3}\Z").match, "an I2C bus such as /dev/i2c-1")
_SPI = word(re.compile(r"/dev/spidev[0-9]{1,2}\.[0-9]\Z").match, "such as /dev/spidev0.0")

#: The keys of a chip, by its kind.
CHIPS: dict[str, Fields] = {
    EXPANDER: {
        "chip": required(choice(*PINS)),
        "bus": optional(_I2C, "/dev/i2c-1"),
        "address": optional(whole(0x20, 0x27, ""), 0x20),
    },
    "mcp3008": {
        "chip": required(choice(*PINS)),
        "bus": optional(_SPI, "/dev/spidev0.0"),
    },
    "ads1115": {
        "chip": required(choice(*PINS)),
        "bus": optional(_I2C, "/dev/i2c-1"),
        "address": optional(whole(0x48, 0x4B, ""), 0x48),
        "supply_mv": optional(whole(2000, 5500, "mV"), 3300),
    },
}

_OUTPUT_ONLY = ("GPA7", "GPB7")  # DS20001952D, 1.0
_NEVER = {
    "lock": "an expander keeps a lock driven when the board is reset",
    "wiegand_reader": "an expander is too slow for a reader's pulses",
    "keypad": "an expander is too slow for a keypad's pulses",
}


def chip(value: Any, path: str, problems: Problems) -> Config:
    """One table of [chips]."""
    kind = value.get("chip") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in CHIPS:
        kept = {"chip": kind} if kind is not None else {}
        fields = {"chip": CHIPS[EXPANDER]["chip"]}
        return table(kept if isinstance(value, dict) else value, fields, path, problems)
    return table(value, CHIPS[kind], path, problems)


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` what is wrong between chips: two at one place."""
    first: dict[tuple[object, object], str] = {}
    for name, entry in config["chips"].items():
        place = entry.get("bus"), entry.get("address")
        if entry.get("bus") and place in first:
            where = f"{place[0]}" + (f" 0x{place[1]:02x}" if place[1] is not None else "")
            problems.add(
                f"chips.{name}",
                f"{where} is already claimed by chips.{first[place]}; expected a place of its own",
            )
        first.setdefault(place, name)


def lacks(config: Config, claim: Any) -> str:
    """That no chip has a line or an analog input whose name has a dot; "": one has it."""
    kinds = [kind for kind in PINS if (kind != EXPANDER) == (claim.direction == "analog")]
    right = {
        f"{chip}.{one}"
        for chip, entry in config["chips"].items()
        if entry.get("chip") in kinds
        for one in PINS[entry["chip"]]
    }
    if claim.line in right:
        return ""
    if right:
        wanted = f'the nearest that there is is "{nearest(claim.line, right)}"'
    else:
        name = claim.line.rpartition(".")[0]
        wanted = f'expected [chips.{name or "NAME"}] with chip = "{kinds[0]}"'
    return f'no chip of this config has "{claim.line}"; {wanted}'


def check_line(config: Config, claim: Any, path: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with a line that an expander has."""
    driver = config["devices"][claim.device]["driver"]
    terminal = claim.line.rpartition(".")[2]
    if driver in _NEVER:
        problems.add(path, f"{_NEVER[driver]}; expected a line of the board's own such as GPIO17")
    elif claim.direction == "input" and terminal in _OUTPUT_ONLY:
        problems.add(path, f"an {EXPANDER}'s {terminal} is an output only; expected another pin")
    elif claim.direction == "input" and claim.pull == "down":
        problems.add(path, f'an {EXPANDER} has pull-ups only; expected pull = "up", or "none"')
