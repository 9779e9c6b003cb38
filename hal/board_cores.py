"""The wires that stay in the control box: a colour and a cross-section for each, usual and never certain.

Colours as outside: red +, black 0 V and minus; 3.3 V orange, signals white. The cross-section is the
thinnest that bears what may flow: in a load's circuit that of its cable, from a supply what the supply gives
at most (`hal.board_fuses`), else the thinnest that is worth a ferrule.
"""

from typing import Any

from hal import board_fuses, board_loads, board_wiring

Config = dict[str, Any]
Place = tuple[str, str, str]

AREAS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0, 6.0, 10.0, 16.0)
_SUPPLY_ROLES = ("+", "coils", "feed", "feed_in", "board", "five", "field")


def colour(role: str, start: Place, end: Place) -> str:
    """Code after IEC 60757."""
    points = (start[2], end[2])
    if role == "-" or "0 V" in points or "-" in points:
        return "BK"
    if role == "logic":
        return "OG"
    return "RD" if role in _SUPPLY_ROLES else "WH"


def area(config: Config, device: str, start: Place, end: Place) -> float | None:
    """mm2; None where what may flow is not stated."""
    driver = config["devices"].get(device, {}).get("driver", "")
    if driver in board_wiring.RELAYED and "relays" not in (start[0], end[0]):
        cable: float | None = board_wiring.cable(config, device).get("area_mm2")
        return cable if cable is not None else _bears(board_wiring.fuse_ma(config, device))
    supply = _supply(config, start, end)
    return AREAS[0] if supply is None else _bears(config["supplies"].get(supply, {}).get("max_ma"))


def _supply(config: Config, start: Place, end: Place) -> str | None:
    """The supply whose current may flow from `start` to `end`; None where only signals do."""
    for what, name, _ in (start, end):
        if what == "supply":
            return name
        if what == "board":
            return board_loads.board_supply(config)
        if what == "relays" and start[0] == "common":
            return str(config["relay_board"]["coil_supply"] or "")
    return None


def _bears(most_ma: int | None) -> float | None:
    if most_ma is None:
        return None
    return next((one for one in AREAS if board_fuses.most_ma(one) >= most_ma), None)
