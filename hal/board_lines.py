"""Which lines a board config claims, and whether the board has them and boots well with them.

What must not move at boot: from reset until the program claims it, a header line is an input with the
board's own pull, and a relay board takes that for a level. So a relay that is active low may only hang
on a line that is pulled up at boot, one that is active high only on a line that is pulled down.
"""

from collections import namedtuple
from typing import Any

from hal import board_buses, board_chips, board_facts, board_wiring
from hal.opening import LINE_KEYS, OUTPUT_DRIVERS
from hal.schema import Problems, nearest

#: One line that a device claims.
#: device     str  name of the device
#: role       str  what the line is to it: the key that names it (line, d0, red, port, input ...)
#: line       str  the line's name, a serial port's path or an analog input
#: direction  str  output, input, serial or analog
#: active     str  high or low: the level at which it means yes; empty for a serial port, analog input
#: pull       str  up, down or none; empty for all but inputs
#: safe       str  high or low: the level before and after the program (an output's only)
Claim = namedtuple("Claim", ("device", "role", "line", "direction", "active", "pull", "safe"))

Config = dict[str, Any]

_MUST_REST = ("lock", "siren", "beacon", "buzzer", "relay")  #: what a level at boot must not move


def claims(config: Config) -> list[Claim]:
    """Every line that `config` (from `hal.board.load`) claims, in the order of its devices."""
    found = []
    for device, entry in config["devices"].items():
        if entry["driver"] in ("serial_reader", "osdp_bus") and entry["port"] is not None:
            found.append(Claim(device, "port", entry["port"], "serial", "", "", ""))
        if entry["driver"] == "supervised_contact" and entry["input"] is not None:
            found.append(Claim(device, "input", entry["input"], "analog", "", "", ""))
        for key in LINE_KEYS.get(entry["driver"], ()):
            if entry[key] is None:
                continue
            active = entry["active"]
            if entry["driver"] in OUTPUT_DRIVERS:
                safe = "low" if active == "high" else "high"
                found.append(Claim(device, key, entry[key], "output", active, "", safe))
            else:
                found.append(Claim(device, key, entry[key], "input", active, entry["pull"], ""))
    return found


def rs485_ports(config: Config) -> dict[str, str]:
    """Who switches the direction of an RS-485 port, by its path; of the others nobody need."""
    devices = config["devices"].values()
    return {one["port"]: one["rs485"] for one in devices if one["driver"] == "osdp_bus"}


def check(config: Config, problems: Problems, absent: dict[str, str] | None = None) -> None:
    """Add to `problems` what is wrong with the lines of `config`.

    absent  takes the devices on lines that the board and its chips have not, and why; None: they are
            problems too
    """
    claimed = claims(config)
    lacking = _lacking(config, claimed)
    for claim, text in lacking.items():
        if absent is None:
            problems.add(_path(claim), text)
        else:
            its = [text for other, text in lacking.items() if other.device == claim.device]
            absent[claim.device] = f"{'; '.join(its)}, then a new start"
    claimed = [claim for claim in claimed if claim not in lacking]
    _check_twice(claimed, problems)
    _check_backend(config, problems)
    board_chips.check(config, problems)
    for claim in claimed:
        if "." in claim.line and claim.direction in ("input", "output"):
            board_chips.check_line(config, claim, _path(claim), problems)
    if config["board"] not in board_facts.BOARDS:
        return
    if config["board"] == "sim":
        return
    board_buses.check(config, problems)
    held = _held(config)
    free = _free(held, claimed)
    for claim in claimed:
        if claim.direction in ("input", "output") and "." not in claim.line:
            _check_line(claim, config["devices"][claim.device]["driver"], held, free, problems)


def _lacking(config: Config, claimed: list[Claim]) -> dict[Claim, str]:
    """Every claim on a line that neither the board nor one of its chips has, and what to say of it."""
    board = board_facts.BOARDS.get(config["board"])
    found: dict[Claim, str] = {}
    if board is None:
        return found
    lines = _free(_held(config), claimed)
    for claim in claimed:
        text = ""
        if claim.direction == "serial":
            continue
        if "." in claim.line:
            text = board_chips.lacks(config, claim)
        elif claim.direction == "analog":
            if not board.analog:
                text = (
                    f'"supervised_contact" needs an analog input, and the {config["board"]} has none; '
                    'expected driver = "contact", or a converter of [chips] such as input = "adc.CH0"'
                )
            elif claim.line not in board.analog:
                text = (
                    f'the {config["board"]} has no analog input "{claim.line}"; expected '
                    f"{board.analog[0]} to {board.analog[-1]}, the nearest is "
                    f'"{nearest(claim.line, board.analog)}"'
                )
        elif config["board"] != "sim" and board_facts.number(claim.line) is None:
            text = (
                f'the {config["board"]} has no line "{claim.line}"; expected GPIO2 to GPIO27, '
                f'the nearest is "{nearest(claim.line, lines)}"'
            )
        if text:
            found[claim] = text
    return found


def _free(held: dict[str, str], claimed: list[Claim]) -> list[str]:
    """The lines of a header that nobody claims or holds."""
    taken = {claim.line for claim in claimed}
    return [line for line in board_facts.lines() if line not in held and line not in taken]


def _check_twice(claimed: list[Claim], problems: Problems) -> None:
    first: dict[str, str] = {}
    for claim in claimed:
        path = _path(claim)
        if claim.line in first:
            problems.add(
                path,
                f"{claim.line} is already claimed by {first[claim.line]}; "
                "expected a line of its own",
            )
        first.setdefault(claim.line, path)


def _check_backend(config: Config, problems: Problems) -> None:
    """RPi.GPIO polls its inputs, so pulses pass it by, and it does not know the Pi 5."""
    if config["controller"]["gpio"] != "rpi_gpio":
        return
    if (
        board_facts.BOARDS.get(config["board"], board_facts.BOARDS["sim"]).chip_label
        == board_facts.RP1
    ):
        board = config["board"]
        problems.add("controller.gpio", f'"rpi_gpio" does not know the {board}; expected "gpiod"')
    for device, entry in config["devices"].items():
        if entry["driver"] in ("wiegand_reader", "keypad"):
            problems.add(
                f"devices.{device}.driver",
                f'"{entry["driver"]}" sends pulses, which controller.gpio = "rpi_gpio" misses; '
                'expected gpio = "gpiod"',
            )


def warnings(config: Config) -> list[str]:
    """What is allowed and may still surprise: one line each, for `doorward --check`."""
    told: list[str] = []
    if config["board"] == "sim":
        return told
    for claim in claims(config):
        if claim.line in board_facts.UART:
            told.append(
                f"{_path(claim)}: {claim.line} is the UART, and a serial console there would move "
                "it; expected the console to be off (no enable_uart, no console=serial0)"
            )
    told += [text for claim in claims(config) for text in _other_uart(config, claim)]
    told += board_buses.warnings(config)
    for portal, entry in config["portals"].items():
        if board_wiring.is_magnet(config, entry["lock"]) and entry["rex"] is None:
            told.append(
                f"portals.{portal}.rex: a magnet without an exit button's second contact; expected "
                "one, or every exit counts as forced"
            )
    return told


def _other_uart(config: Config, claim: Claim) -> list[str]:
    """A UART of the board that is not the header's GPIO14 and GPIO15."""
    board = board_facts.BOARDS[config["board"]]
    if claim.direction == "serial" and claim.line == board.bluetooth:
        return [
            f"{_path(claim)}: {claim.line} is the {config['board']}'s Bluetooth until config.txt has "
            f'dtoverlay=disable-bt; expected "{board.serial}" (with enable_uart=1), which is GPIO14 and '
            "GPIO15 with that line and without"
        ]
    if claim.direction != "serial" or claim.line in board.uart_ports:
        return []
    if board.chip_label == board_facts.RP1 and claim.line in board_facts.DEBUG_PORTS:
        return [
            f"{_path(claim)}: {claim.line} is the {config['board']}'s debug connector, not GPIO14 and "
            f'GPIO15; expected "{board.serial}"'
        ]
    if claim.line.startswith("/dev/ttyAMA"):
        return [
            f"{_path(claim)}: {claim.line} is a UART whose pins are not known here; expected that no "
            "other device has them"
        ]
    return []


def _path(claim: Claim) -> str:
    return f"devices.{claim.device}.{claim.role}"


def _held(config: Config) -> dict[str, str]:
    """Lines that are not to be had, and who has them."""
    held = dict.fromkeys(board_facts.ID_EEPROM, "the add-on board's ID EEPROM")
    held.update(board_buses.held(config))
    return held


def _check_line(
    claim: Claim, driver: str, held: dict[str, str], free: list[str], problems: Problems
) -> None:
    path = _path(claim)
    if claim.line in held:
        problems.add(
            path,
            f"{claim.line} is reserved for {held[claim.line]}; expected one of {_names(free)}",
        )
        return
    boot = board_facts.boot_pull(claim.line)
    if claim.direction == "input":
        if claim.line in board_facts.FIXED_PULL_UP and claim.pull != "up":
            problems.add(
                path,
                f'{claim.line} has a fixed pull-up and cannot be pull = "{claim.pull}"; '
                f'expected pull = "up", or one of '
                f"{_names([line for line in free if line not in board_facts.FIXED_PULL_UP])}",
            )
        return
    energised = (boot == "up") == (claim.active == "high")
    if energised and driver in _MUST_REST:
        other = "low" if claim.active == "high" else "high"
        would_do = [line for line in free if board_facts.boot_pull(line) != boot]
        problems.add(
            path,
            f"{claim.line} is pulled {boot} from reset on, which switches an output that is active "
            f'{claim.active} on before the program runs; expected active = "{other}", or one of '
            f"{_names(would_do)}",
        )


def _names(lines: list[str]) -> str:
    return ", ".join(lines) or "none that is free"
