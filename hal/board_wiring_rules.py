"""What must not be wired so: a line for each mistake in a board config's wiring data.

What may be wired so and is doubtful is `hal.board_wiring_warnings`.
"""

from typing import Any

from hal import board_wiring
from hal.schema import Problems, nearest_known

Config = dict[str, Any]

#: Boards that may be fed with more than 5 V: by a carrier's 12 V connector.
_OTHER_VOLTS = ("sim", "cm4")


def check(config: Config, problems: Problems) -> None:
    """Add to `problems` what must not be wired so."""
    relays: dict[str, str] = {}
    for device, entry in config["devices"].items():
        path = f"devices.{device}"
        for key, section in (("supply", "supplies"), ("cable", "cables")):
            named = entry.get(key)
            if named is not None and named not in config[section]:
                near = nearest_known(named, config[section])
                problems.add(
                    f"{path}.{key}", f'no "{named}"; expected a name of [{section}], {near}'
                )
        mine = entry.get("relay")
        if mine is not None and mine in relays:
            problems.add(
                f"{path}.relay", f"{mine} is already {relays[mine]}'s; expected one of its own"
            )
        elif mine is not None:
            relays[mine] = path
        if entry["driver"] in (*board_wiring.RELAYED, *board_wiring.READERS):
            _check_load(path, entry, problems)
            through = board_wiring.fed_through(config, device)
            if through and entry["fuse_ma"] is not None:
                problems.add(
                    f"{path}.fuse_ma", f"it is fed through {through}; expected the fuse there"
                )
        if entry["driver"] == "osdp_bus" and entry["topology"] == "star":
            arms = [one for one in config["devices"].values() if one.get("bus") == device]
            if len(arms) > 2:
                problems.add(
                    f"{path}.topology",
                    f'"star" with {len(arms)} readers, and an RS-485 bus has two ends; expected "chain"',
                )
        if entry["driver"] == "lock":
            _check_lock(config, device, entry, problems)
    coils = config["relay_board"]["coil_supply"]
    if coils is not None and coils not in config["supplies"]:
        near = nearest_known(coils, config["supplies"])
        problems.add(
            "relay_board.coil_supply", f'no "{coils}"; expected a name of [supplies], {near}'
        )
    for supply, entry in config["supplies"].items():
        _check_feed(config, supply, entry, problems)
    _check_board(config, problems)
    for portal, entry in config["portals"].items():
        _check_exit(f"portals.{portal}.exit_device", entry, problems)


def _check_feed(config: Config, supply: str, entry: Config, problems: Problems) -> None:
    """A converter hangs on another supply, which at the end of the row has its own mains."""
    path, supplies = f"supplies.{supply}.fed_by", config["supplies"]
    feeder = entry["fed_by"]
    if feeder is not None and feeder not in supplies:
        near = nearest_known(feeder, [one for one in supplies if one != supply])
        problems.add(path, f'no "{feeder}"; expected a name of [supplies], {near}')
    for _ in supplies:
        if feeder == supply:
            problems.add(path, f'"{entry["fed_by"]}" is fed by it in turn; expected another supply')
            return
        feeder = supplies.get(feeder, {}).get("fed_by")


def _check_board(config: Config, problems: Problems) -> None:
    """The board's connector has one supply, of the volts that it bears."""
    feeds = [name for name, entry in config["supplies"].items() if entry["feeds_board"]]
    for name in feeds:
        path, volts = f"supplies.{name}.feeds_board", config["supplies"][name]["volts"]
        if volts != 5 and config["board"] not in _OTHER_VOLTS:
            problems.add(
                path, f"{volts} V on a board that bears 5 V; expected true at a 5 V supply alone"
            )
        if name != feeds[0]:
            problems.add(path, f'"{feeds[0]}" feeds the board already; expected one supply')


def _check_load(path: str, entry: Config, problems: Problems) -> None:
    fuse, draw = entry.get("fuse_ma"), entry.get("draw_ma")
    if fuse is not None and draw is not None and fuse <= draw:
        problems.add(
            f"{path}.fuse_ma", f"{fuse} blows at the load's own {draw} mA; expected more than that"
        )


def _check_lock(config: Config, device: str, entry: Config, problems: Problems) -> None:
    path, feed = f"devices.{device}", board_wiring.supply(config, device)
    safe, magnet = entry["fail_mode"] == "fail_safe", board_wiring.is_magnet(config, device)
    if entry["relay_contact"] == "nc":
        then = "holds" if magnet else ("stays locked" if safe else "is unlocked")
        problems.add(
            f"{path}.relay_contact",
            f'"nc" on a lock, which then {then} while the controller is dead; expected "no"',
        )
    if not safe and entry["fire_cuts"]:
        problems.add(
            f"{path}.fire_cuts",
            "true at a strike, which is locked without current, so nobody could release it in a fire; "
            "expected false",
        )
    if magnet and entry["suppression"] == "diode":
        problems.add(
            f"{path}.suppression",
            '"diode" across a magnet holds the door one to two seconds after release; expected "maker"',
        )
    if not safe and feed.get("current") == "ac" and entry["suppression"] == "diode":
        problems.add(
            f"{path}.suppression", '"diode" on alternating current is a short; expected "varistor"'
        )
    if safe and feed.get("current") == "ac":
        kind = "magnet" if magnet else "fail-safe strike"
        problems.add(f"{path}.supply", f"a {kind} on alternating current; expected direct current")


def _check_exit(path: str, entry: Config, problems: Problems) -> None:
    fitting = {
        "handle": ("handle", "panic_bar"),
        "button_cuts_power": ("button", "break_glass"),
        "none": ("none",),
    }.get(entry["egress"])
    if entry["exit_device"] is not None and fitting and entry["exit_device"] not in fitting:
        expected = " or ".join(f'"{one}"' for one in fitting)
        problems.add(
            path,
            f'"{entry["exit_device"]}" with egress = "{entry["egress"]}"; expected {expected}',
        )
