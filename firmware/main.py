"""`doorward`: the controller. The only file of the firmware that names backends.

Exit codes: 0 done, 1 it failed, 2 wrong use or a bad config (every problem on standard error).
With --egress-test: 0 every step passed, 1 a step failed or was left out.
"""

import argparse
import fcntl
import getpass
import os
import signal
import sys
from typing import Any

import hal.board
from firmware import check
from firmware.access import alarm
from firmware.arguments import Parser
from hal import board_facts
from hal.errors import BoardConfigError, HalError
from hal.ports import Lines, SerialPorts

_EXAMPLES = """examples:
  doorward --board board_configs/rpi4-one-door.toml --check
  doorward --board /etc/doorward/board.toml --state /var/lib/doorward
  doorward --board /etc/doorward/board.toml --state /var/lib/doorward --egress-test --lang zh
  doorward --import-keys keys.csv --state /var/lib/doorward --board /etc/doorward/board.toml
"""


def main(argv: list[str] | None = None) -> int:
    """Run the controller, or check its config."""
    parser = _parser()
    args = parser.parse_args(argv)
    config = None
    if args.board is not None:
        try:
            config = hal.board.load(args.board)
        except BoardConfigError as error:
            print(error, file=sys.stderr)
            return 2
    if args.import_keys is not None:
        return _import_keys(args.import_keys, args.state, config)
    if config is None:
        parser.error("--board: missing; expected a board config (TOML)")
    if args.check:
        for line in check.report(config):
            print(line)
        for warning in hal.board.warnings(config):
            print(f"! {warning}", file=sys.stderr)
        return 0
    if args.state is None:
        print("--state: missing; expected the folder for records and keys", file=sys.stderr)
        return 2
    try:
        lines, serial_ports = _backends(config)
    except HalError as error:
        print(error, file=sys.stderr)
        return 1
    problem = _claim_folder(args.state)
    if problem is not None:
        print(problem, file=sys.stderr)
        if "used by another" in problem:
            return 1
    return _run(config, args.state, lines, serial_ports, args.lang if args.egress_test else None)


def _parser() -> Parser:
    parser = Parser(
        prog="doorward",
        description="The controller behind the front door of a rental building.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--board", metavar="FILE", help="board config (TOML)")
    parser.add_argument("--state", metavar="DIR", help="folder for records and keys")
    parser.add_argument(
        "--check",
        action="store_true",
        help="validate the config and print what it would claim and the rules it sets",
    )
    parser.add_argument(
        "--egress-test",
        action="store_true",
        help="walk through every exit and the fire loop with the installer, then end",
    )
    parser.add_argument(
        "--lang",
        choices=("en", "zh"),
        default="zh" if os.environ.get("LANG", "").startswith("zh") else "en",
        help="of the walk-through test (%(default)s)",
    )
    parser.add_argument(
        "--import-keys",
        metavar="FILE",
        help="put the keys of a CSV file into the folder of --state, all or none, while nothing runs there",
    )
    return parser


def _import_keys(path: str, folder: str | None, config: dict[str, Any] | None) -> int:
    if folder is None:
        print("--state: missing; expected the folder for records and keys", file=sys.stderr)
        return 2
    problem = _claim_folder(folder)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    from firmware.services import key_import

    return key_import.run(path, folder, config, sys.stdout, sys.stderr)


def _backends(config: dict[str, Any]) -> tuple[Lines, SerialPorts]:
    """The board's lines and serial ports. Raises `hal.errors.HalError` where there are none."""
    board = config["board"]
    if board == "sim":
        raise BoardConfigError(
            ['board: "sim" has no pins; expected a real board (or door-sim serve --board FILE)']
        )
    from hal.backends.gpiod_lines import GpiodLines
    from hal.backends.pyserial_port import PyserialPorts

    if config["controller"]["gpio"] == "rpi_gpio":
        from hal.backends.monotonic_ticks import MonotonicTicks
        from hal.backends.rpi_gpio import RpiGpioLines

        return RpiGpioLines(MonotonicTicks()), PyserialPorts()
    return GpiodLines(board_facts.BOARDS[board].chip_label), PyserialPorts()


def _claim_folder(folder: str) -> str | None:
    """Take the state folder for this process; one line if it cannot be had."""
    try:
        os.umask(0o077)  # keys and records are nobody else's
        os.makedirs(folder, exist_ok=True)
        claim = os.open(
            os.path.join(folder, "in-use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return f"{folder}: used by another doorward; expected a folder of its own (--state)"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return f"{folder}: {reason}; records stay in memory until it can be written (--state)"
    return None


def _run(
    config: dict[str, Any],
    folder: str,
    lines: Lines,
    serial_ports: SerialPorts,
    test_lang: str | None,
) -> int:
    from firmware.runtime import aio
    from firmware.runtime.clock import MonotonicClock
    from firmware.runtime.controller import Controller
    from firmware.services import health, secrets
    from firmware.services.credential_store import CredentialStore
    from firmware.services.egress_test import EgressTest
    from firmware.services.executor import ThreadExecutor
    from firmware.services.journal import SqliteJournal
    from firmware.services.link import LinkProcess
    from firmware.services.typed_lines import TypedLines
    from firmware.services.waker import WakingPollWaiter
    from firmware.services.wall import SystemWall
    from firmware.wire import payload
    from hal.backends.monotonic_ticks import MonotonicTicks

    loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
    loop.on_error = lambda name, error: print(f"{name}: {type(error).__name__}", file=sys.stderr)
    board = hal.board.open_board(config, lines, serial_ports)
    name = config["controller"]["name"]
    key, problems = secrets.controller_key(folder)
    visitor_key, more = secrets.visitor_key(folder)
    executors = [ThreadExecutor(loop, "journal"), ThreadExecutor(loop, "keys")]
    journal = SqliteJournal(
        os.path.join(folder, "journal.db"), executors[0], loop, name, config["journal"]["limit"]
    )
    journal.open()
    store = CredentialStore(os.path.join(folder, "keys.db"), executors[1], key)
    store.open()
    will = payload.dumps({"state": "offline"})
    link = LinkProcess(config["link"], config["controller"]["site"], name, loop, will)
    link.on_health = lambda ok, text: print(text, file=sys.stderr)
    wall = SystemWall(config["controller"]["timezone"], config["controller"]["rtc"])
    controller = Controller(
        config, board.devices, board.problems, loop, wall, journal, store, link, visitor_key
    )
    controller.publisher.measure = lambda: health.measure(folder)
    for line in [
        *problems,
        *more,
        *store.problems,
        *(f"{device}: {text}" for device, text in board.problems),
    ]:
        print(line, file=sys.stderr)
    ended = aio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.post(ended.set))

    code = 0
    test = None
    if test_lang is not None:
        test = EgressTest(controller, board.devices, _say, test_lang, _user())

    async def live() -> None:
        nonlocal code
        if test is None:
            await ended.wait()
        else:
            code = await test.walk(ended)

    controller.start()
    if config["link"]["enabled"] and config["link"]["tls"]:
        from firmware.services import certificates

        def known_s() -> int | None:
            now = controller.upkeep.now()
            return now.utc_s if now.trusted else None

        def soon(active: bool) -> None:
            controller.upkeep.condition(alarm.CERTIFICATE_EXPIRING, active)

        controller.supervisor.start(
            "certificates", lambda: certificates.watch(config["link"], known_s, soon)
        )
    if test is not None:
        typed = TypedLines(loop.waiter, 0, test.heard)
        typed.start()
    link.start()
    try:
        loop.run(live(), "main")
    finally:
        controller.stop("stopped")
        link.stop()
        for executor in executors:
            executor.close()
        board.close()
        lines.close()
    return code


def _say(line: str) -> None:
    print(line, flush=True)


def _user() -> str:
    """Who runs this, for the record of a test."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "installer"
