"""What hangs on each supply, through any number of converters, and how long its battery carries that.

A converter's load belongs to the supply that feeds it (`fed_by`): volts times amps at its output, divided by
its efficiency, are drawn there. Takes a right config (`hal.board.load`), where no supply feeds itself.
"""

from typing import Any

from hal import board_wiring

Config = dict[str, Any]


def draw_ma(config: Config, supply: str, lasting: bool = False) -> int:
    """What all loads of `supply` and of the converters on it draw, in mA; `lasting`: those that always draw.

    Strikes and alarm devices draw for seconds only; the coil of a fail-safe lock draws while it is locked.
    """
    draw = int(config["supplies"][supply]["other_ma"])
    for device, one in config["devices"].items():
        load = one["driver"] in board_wiring.RELAYED
        if lasting and load and one.get("fail_mode") != "fail_safe":
            continue
        if load and coil_supply(config) == supply:
            draw += config["relay_board"]["coil_ma"]
        if board_wiring.supply_name(config, device) == supply:
            draw += one.get("draw_ma") or 0
    return draw + sum(
        input_ma(config, name, lasting)
        for name, entry in config["supplies"].items()
        if entry["fed_by"] == supply
    )


def input_ma(config: Config, converter: str, lasting: bool = False) -> int:
    """What `converter` draws from the supply that feeds it, in mA, rounded up."""
    entry = config["supplies"][converter]
    feeder = config["supplies"][entry["fed_by"]]
    out = draw_ma(config, converter, lasting) * entry["volts"] * 100
    return int(-(-out // (feeder["volts"] * entry["efficiency_percent"])))


def coil_supply(config: Config) -> str:
    """What feeds the relays' coils; by the board's 5 V pin it is what feeds the board. Empty: not stated."""
    stated = config["relay_board"]["coil_supply"]
    return board_supply(config) if stated is None else str(stated)


def board_supply(config: Config) -> str:
    """The supply of the board's own power connector; empty if the config does not say."""
    return next((str(one) for one, feed in config["supplies"].items() if feed["feeds_board"]), "")


def chain(config: Config, supply: str) -> list[str]:
    """`supply`, what feeds it, what feeds that, to the one with its own mains; empty for an unstated one."""
    found: list[str] = []
    name: str | None = supply
    while name is not None and name in config["supplies"]:
        found.append(name)
        name = config["supplies"][name]["fed_by"]
    return found


def battery_of(config: Config, supply: str) -> str:
    """The nearest with a battery, of `supply` and its feeders: it lives on it without mains. Else empty."""
    return next(
        (one for one in chain(config, supply) if config["supplies"][one]["battery_mah"]), ""
    )


def battery_min(config: Config, supply: str) -> int | None:
    """Minutes that the battery of `supply` itself carries what always draws; None without one or figures.

    Reckoned with four fifths of its capacity.
    """
    entry = config["supplies"].get(supply)
    if entry is None or not entry["battery_mah"]:
        return None
    draw = draw_ma(config, supply, lasting=True)
    return int(entry["battery_mah"] * 60 * 4 // 5 // draw) if draw else None
