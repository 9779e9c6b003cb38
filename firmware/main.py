"""`doorward`: the controller. The only file of the firmware that names backends.

Exit codes: 0 done, 1 it failed, 2 wrong use or a bad config (every problem on standard error).
With --egress-test and --selftest: 0 every step passed, 1 a step failed or was left out.
"""

import argparse
import fcntl
import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from firmware.arguments import Help, Parser, folder_name
from hal.errors import BoardConfigError, HalError

if TYPE_CHECKING:
    from firmware.program import Platform
    from firmware.services.link_listener import Listener
    from hal.ports import Lines, SerialPorts, Watchdog

_EXAMPLES = """examples:
  doorward --board board_configs/rpi4-one-door.toml --check
  doorward --board /etc/doorward/board.toml --state /var/lib/doorward
  doorward --board /etc/doorward/board.toml --state /var/lib/doorward --egress-test --lang zh
  doorward --board /etc/doorward/board.toml --state /var/lib/doorward --selftest
  doorward --board /etc/doorward/board.toml --state /var/lib/doorward --safe
  doorward --import-keys keys.csv --state /var/lib/doorward --board /etc/doorward/board.toml
  doorward --osdp-install front-reader --board board.toml --state /var/lib/doorward
  doorward --import-operators operators.json --state /var/lib/doorward
"""


def main(argv: list[str] | None = None) -> int:
    """Run the controller, or check its config."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.safe:  # before all that takes long to import: doors wait for it
        if args.board is None:
            parser.error("--board: missing; expected a board config (TOML)")
        return _safe(args.board, args.state)
    import hal.board
    from firmware.services import board_files

    config = None
    wanted = args.check or args.import_keys is not None or args.osdp_install is not None
    if args.board is not None and wanted:
        try:
            board = board_files.lasting(args.state, args.board)
            config = hal.board.load(board)
        except BoardConfigError as error:
            print(error, file=sys.stderr)
            return 2
    if args.import_keys is not None:
        return _import_keys(args.import_keys, args.state, config)
    if args.import_operators is not None:
        return _import_operators(args.import_operators, args.state)
    if args.board is None:
        parser.error("--board: missing; expected a board config (TOML)")
    if args.selftest and args.check:
        parser.error("--check: only looks, and --selftest drives; expected one of them")
    if args.selftest:
        return _selftest(args)
    if args.osdp_install is not None and config is not None:
        return _osdp_install(args.osdp_install, args.state, config)
    if config is not None:
        from firmware import check

        for line in check.report(config):
            print(line)
        if board != args.board:
            print(
                f"! {board}: sent by config.apply; used in place of {args.board}", file=sys.stderr
            )
        for warning in hal.board.warnings(config):
            print(f"! {warning}", file=sys.stderr)
        return 0
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    """The controller itself, once or, where nobody else starts it again, as often as it wants to."""
    gc.disable()  # what a start makes is there to stay; `Program` turns it on again
    from functools import partial

    import hal.board
    from firmware.program import Program
    from firmware.services import board_files
    from firmware.services.service_manager import ServiceManager

    service = ServiceManager()
    if args.state is None:
        try:
            hal.board.load(args.board)
        except BoardConfigError as error:
            print(error, file=sys.stderr)
        print("--state: missing; expected the folder for records and keys", file=sys.stderr)
        return 2
    problem, used = _claim_folder(args.state)
    if problem:
        print(problem if used else f"{problem}; records stay in memory until then", file=sys.stderr)
        if used:
            return 1
    absent: dict[str, str] = {}
    load = partial(hal.board.load, absent=absent)
    try:
        chosen = board_files.choose(args.state, args.board, load, BoardConfigError)
    except BoardConfigError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        platform = _platform(chosen.config, args.state)
    except HalError as error:
        print(error, file=sys.stderr)
        if chosen.trial and not service.started:
            _start_again()
        return 1
    listener = _listener(args.link_socket)
    program = Program(chosen, absent, args.state, platform, service, listener)
    code = program.run(args.lang if args.egress_test else None)
    if program.again and not service.started:
        _start_again()
    return code


def _listener(path: str | None) -> "Listener | None":
    """Where the link calls, if it is a service of its own; a door that it cannot reach is a door."""
    from firmware.services import link_listener

    try:
        given = link_listener.inherited()
    except HalError as error:
        print(error, file=sys.stderr)
        given = None
    return given if path is None else link_listener.Listener(path)


def _start_again() -> NoReturn:
    """What systemd does with a service that has ended, where there is none."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _safe(board: str, folder: str | None) -> int:
    """Every output of the config in use to its safe level; 1 if one could not be driven."""
    from firmware.services import board_files
    from hal import safe_outputs

    try:
        config = safe_outputs.read(board_files.in_use(folder, board))
        lines = _safe_lines(config)
        problems = safe_outputs.drive(config, lines)
        lines.close()
    except HalError as error:
        problems = [str(error)]
    if problems:
        print(f"safe: {' | '.join(problems)}", file=sys.stderr)
    return 1 if problems else 0


def _safe_lines(config: dict[str, Any]) -> "Lines":
    """Every line that an output of `config`, which nobody has checked, may hang on."""
    from hal import safe_outputs
    from hal.backends.chips import with_chips
    from hal.backends.monotonic_ticks import MonotonicTicks

    return with_chips(_lines(config), safe_outputs.expanders(config), MonotonicTicks())[0]


def _parser() -> Parser:
    parser = Parser(
        prog="doorward",
        description="The controller behind the front door of a rental building.",
        epilog=_EXAMPLES,
        formatter_class=Help,
    )
    parser.add_argument("--board", metavar="FILE", help="board config (TOML)")
    parser.add_argument(
        "--state", metavar="DIR", type=folder_name, help="folder for records and keys"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="validate the config and print what it would claim and the rules it sets",
    )
    parser.add_argument(
        "--safe",
        action="store_true",
        help="drive every output to its safe level, then end: after a program that hung or died",
    )
    parser.add_argument(
        "--egress-test",
        action="store_true",
        help="walk through every exit and the fire loop with the installer, then end",
    )
    parser.add_argument(
        "--selftest",
        action="store_true",
        help="walk through every wire with the installer, leave a signed record, then end",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="of --selftest: a new file for its record (else in --state)"
    )
    parser.add_argument(
        "--lang",
        choices=("en", "zh"),
        default="zh" if os.environ.get("LANG", "").startswith("zh") else "en",
        help="of --egress-test and --selftest (%(default)s)",
    )
    parser.add_argument(
        "--link-socket",
        metavar="PATH",
        help="be called there by the link, a service of its own (systemd gives the socket by itself)",
    )
    parser.add_argument(
        "--osdp-install",
        metavar="READER",
        help="give an OSDP reader of the config its key, while nothing runs in the folder of --state",
    )
    parser.add_argument(
        "--import-keys",
        metavar="FILE",
        help="put the keys of a CSV file into the folder of --state, all or none, while nothing runs there",
    )
    parser.add_argument(
        "--import-operators",
        metavar="FILE",
        help="put the first operators (JSON) into the folder of --state, while nothing runs there",
    )
    return parser


def _selftest(args: argparse.Namespace) -> int:
    """Test the board with the installer, in a child that is watched: a lock never stays driven."""
    import time

    import hal.board
    from firmware.services import board_files, guardian

    if args.state is None:
        print("--state: missing; expected the folder for records and keys", file=sys.stderr)
        return 2
    if args.out is not None and os.path.lexists(args.out):
        print(f"--out: {args.out} is there already; expected a new file", file=sys.stderr)
        return 2
    if args.out is not None and not os.path.isdir(os.path.dirname(args.out) or "."):
        print(f"--out: {args.out}: its folder is not there; expected one", file=sys.stderr)
        return 2
    path = board_files.lasting(args.state, args.board)
    try:
        config = hal.board.load(path)
    except BoardConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if code := _claim_idle(args.state):
        return code
    config["controller"]["watchdog"] = None  # nobody would pet it

    def work(armed: guardian.Armed) -> int:
        from firmware import selftest_program

        try:
            platform = _platform(config, args.state)
        except HalError as error:
            print(error, file=sys.stderr)
            return 2 if isinstance(error, BoardConfigError) else 1
        return selftest_program.run(config, path, args.state, platform, args.lang, args.out, armed)

    return guardian.run(work, lambda: _safe(args.board, args.state), time.monotonic)


def _import_operators(path: str, folder: str | None) -> int:
    code = _claim_idle(folder)
    if code or folder is None:
        return code
    from firmware.services import operators_file

    return operators_file.run(path, folder, sys.stdout, sys.stderr)


def _claim_idle(folder: str | None) -> int:
    """Take the state folder of a service that is stopped; 0, or the exit code after a line of why not."""
    if folder is None:
        print("--state: missing; expected the folder for records and keys", file=sys.stderr)
        return 2
    problem, used = _claim_folder(folder)
    if not problem:
        return 0
    if used:
        from firmware.selftest_program import SERVICE

        problem = f"{folder}: the service has it; expected it stopped: {SERVICE}"
    print(problem, file=sys.stderr)
    return 1


def _osdp_install(reader: str, folder: str | None, config: dict[str, Any]) -> int:
    code = _claim_idle(folder)
    if code or folder is None:
        return code
    from functools import partial

    from firmware.services import osdp_install
    from hal.backends.osdp_give_key import give

    into = partial(give, _serial_ports(config))
    return osdp_install.run(config, reader, folder, into, sys.stdout, sys.stderr)


def _import_keys(path: str, folder: str | None, config: dict[str, Any] | None) -> int:
    code = _claim_idle(folder)
    if code or folder is None:
        return code
    from firmware.services import key_import

    return key_import.run(path, folder, config, sys.stdout, sys.stderr)


def _platform(config: dict[str, Any], folder: str) -> "Platform":
    """What the board offers. Raises `hal.errors.HalError` where there is no board."""
    from firmware.program import Platform
    from hal import board_models
    from hal.backends import device_tree
    from hal.backends.chips import with_chips
    from hal.backends.monotonic_ticks import MonotonicTicks

    lines, serial_ports = _backends(config)
    ticks = MonotonicTicks()
    lines, analog_inputs = with_chips(lines, config["chips"], ticks)
    watchdogs: list[Callable[[], Watchdog]] = []
    problems = []
    wrong = board_models.problem(config["board"], device_tree.model())
    if wrong is not None:
        problems.append(("board", wrong))
    path = config["controller"]["watchdog"]
    if path is not None:
        from hal.backends.linux_watchdog import LinuxWatchdog

        watchdogs.append(lambda: LinuxWatchdog(path))
    buses = None
    if any(one["driver"] == "osdp_bus" for one in config["devices"].values()):
        from firmware.services import osdp_keys
        from hal.backends.libosdp_readers import LibosdpBuses

        buses = LibosdpBuses(serial_ports, lambda reader: osdp_keys.of(folder, reader))
    return Platform(lines, serial_ports, ticks, watchdogs, problems, analog_inputs, buses)


def _backends(config: dict[str, Any]) -> "tuple[Lines, SerialPorts]":
    """The board's lines and serial ports. Raises `hal.errors.HalError` where there are none."""
    from hal.backends.input_keys import InputKeys

    return _lines(config), InputKeys(_serial_ports(config))


def _serial_ports(config: dict[str, Any]) -> "SerialPorts":
    from hal import board_lines
    from hal.backends.pyserial_port import PyserialPorts

    return PyserialPorts(board_lines.rs485_ports(config))


def _lines(config: dict[str, Any]) -> "Lines":
    """The lines of the board that `config` names, checked or not. Raises as `_backends`."""
    from hal import board_facts

    board = config.get("board")
    if board == "sim":
        raise BoardConfigError(
            ['board: "sim" has no pins; expected a real board (or door-sim serve --board FILE)']
        )
    if board not in board_facts.BOARDS:
        raise BoardConfigError(["board: unknown; expected a board config"])
    if config.get("controller", {}).get("gpio") == "rpi_gpio":
        from hal.backends.monotonic_ticks import MonotonicTicks
        from hal.backends.rpi_gpio import RpiGpioLines

        return RpiGpioLines(MonotonicTicks())
    from hal.backends.gpiod_lines import GpiodLines

    return GpiodLines(board_facts.BOARDS[board].chip_label)


def _claim_folder(folder: str) -> tuple[str, bool]:
    """Take the state folder for this process; a line of why not or "", and whether another process has it."""
    try:
        os.umask(0o077)  # keys and records are nobody else's
        os.makedirs(folder, exist_ok=True)
        claim = os.open(
            os.path.join(folder, "in-use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return f"{folder}: used by another doorward; expected a folder of its own (--state)", True
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return f"{folder}: {reason}; expected a folder that can be written (--state)", False
    return "", False
