"""Which devices have a fuse, what it is called, how large a one a cable bears, what is wrong with it: lines.

The currents of `_BEARS_MA` are those of IEC 60204-1, table 6, method B2: a cable of PVC with its cores
together in a pipe or duct, at 40 degrees. The table ends at 0.2 mm2; what is thinner is reckoned by its area,
which is on the safe side, since a thin core cools better. A cable may carry 1.45 times that for a while and a
small fuse is only sure to blow at 2.1 times what stands on it (IEC 60364-4-43, 433.1; IEC 60127-2), so a fuse
is at most 1.45 / 2.1 of the cable's current. Quoted at second hand, not from the standards' own text.
"""

from typing import Any

from hal import board_wiring

Config = dict[str, Any]

#: mm2 of a core: what it carries for ever, mA
_BEARS_MA = {
    0.2: 4_300, 0.5: 7_500, 0.75: 8_500, 1.0: 10_100, 1.5: 13_100, 2.5: 17_400, 4.0: 23_000,
    6.0: 30_000, 10.0: 40_000, 16.0: 54_000,
}  # fmt: skip
_THINNEST = min(_BEARS_MA)


def is_fused(config: Config, device: str) -> bool:
    """Whether a fuse of its own stands in its plus: of every load, and of a reader that states one.

    A reader that is fed through another one's terminals hangs on that one's.
    """
    entry = config["devices"][device]
    if entry["driver"] in board_wiring.RELAYED:
        return True
    stated = entry["driver"] in board_wiring.READERS and entry["fuse_ma"] is not None
    return (
        stated
        and board_wiring.interface(config, device) != "usb"
        and not board_wiring.fed_through(config, device)
    )


def fuse_name(config: Config, device: str) -> str:
    """F1, F2 ... of the relays' loads by their relays, then of the readers in the file's order."""
    if config["devices"][device]["driver"] in board_wiring.RELAYED:
        return "F" + board_wiring.relay_name(config, device)[1:]
    loads = [
        one for one, entry in config["devices"].items() if entry["driver"] in board_wiring.RELAYED
    ]
    last = max((int(board_wiring.relay_name(config, one)[1:]) for one in loads), default=0)
    rest = [one for one in config["devices"] if one not in loads and is_fused(config, one)]
    return f"F{last + 1 + rest.index(device)}"


def most_ma(area_mm2: float) -> int:
    """The largest fuse that a core of `area_mm2` bears, in mA; between two areas, that of the thinner."""
    if area_mm2 < _THINNEST:
        carries = _BEARS_MA[_THINNEST] * area_mm2 / _THINNEST
    else:
        carries = _BEARS_MA[max(area for area in _BEARS_MA if area <= area_mm2)]
    return int(carries * 1.45 / 2.1 // 10 * 10)


def warnings(config: Config, device: str) -> list[str]:
    """Where the fuse of a load is larger than its thinnest cable or its supply bears.

    A cable whose area nobody has stated is left out, and so is a supply without its amps.
    """
    fuse = board_wiring.fuse_ma(config, device)
    if fuse is None:
        return []
    told = _cable(config, device, fuse)
    stated = config["devices"][device]["fuse_ma"] is not None
    gives = board_wiring.supply(config, device).get("max_ma")
    if stated and gives is not None and fuse > gives:
        name = board_wiring.supply_name(config, device)
        told.append(
            f"devices.{device}.fuse_ma: {fuse}, and supplies.{name} gives {gives} mA, too little to blow "
            f"it; expected {gives} or less"
        )
    return told


def _cable(config: Config, device: str, fuse: int) -> list[str]:
    entry = config["devices"][device]
    areas = [one["area_mm2"] for one in board_wiring.in_series(config, device) if one]
    known = [area for area in areas if area is not None]
    if not known or fuse <= most_ma(min(known)):
        return []
    thin, most = min(known), most_ma(min(known))
    if entry["fuse_ma"] is None:
        return [
            f"devices.{device}.cable: {thin:g} mm2 bears a fuse of {most} mA, and {entry['draw_ma']} mA "
            f"want one of {fuse}; expected a thicker cable"
        ]
    fits = [size for size in board_wiring.FUSES_MA if (entry["draw_ma"] or 0) < size <= most]
    smaller = f"{fits[-1]} or less, or " if fits else ""
    return [
        f"devices.{device}.fuse_ma: {fuse}, and {thin:g} mm2, the thinnest of its cables, bears {most} mA; "
        f"expected {smaller}a thicker cable"
    ]
