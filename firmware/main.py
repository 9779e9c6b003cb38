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
from typing import TYPE_CHECKING, Any

import hal.board
from firmware import check
from firmware.access import alarm
from firmware.arguments import Parser
from hal import board_facts
from hal.errors import BoardConfigError, HalError
from hal.ports import Lines, SerialPorts

if TYPE_CHECKING:
    from firmware.runtime.ports import Journal, Store
    from firmware.services.egress_test import EgressTest

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
    program = _Program(config, args.state, lines, serial_ports)
    return program.run(args.lang if args.egress_test else None)


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


class _Program:
    """The parts of one controller's process, from its board to its link; `run` is its life."""

    def __init__(
        self, config: dict[str, Any], folder: str, lines: Lines, serial_ports: SerialPorts
    ) -> None:
        from firmware.runtime import aio
        from firmware.runtime.clock import MonotonicClock
        from firmware.runtime.controller import Controller
        from firmware.services import health
        from firmware.services.executor import ThreadExecutor
        from firmware.services.link import LinkProcess
        from firmware.services.waker import WakingPollWaiter
        from firmware.services.wall import SystemWall
        from firmware.wire import payload
        from hal.backends.monotonic_ticks import MonotonicTicks

        self._config = config
        self._lines = lines
        self._loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
        self._loop.on_error = lambda name, error: _complain(f"{name}: {type(error).__name__}")
        self._board = hal.board.open_board(config, lines, serial_ports)
        self._executors = [
            ThreadExecutor(self._loop, "journal"),
            ThreadExecutor(self._loop, "keys"),
        ]
        journal, store, visitor_key = self._storage(folder)
        own = config["controller"]
        will = payload.dumps({"state": "offline"})
        self._link = LinkProcess(config["link"], own["site"], own["name"], self._loop, will)
        self._link.on_health = lambda ok, text: _complain(text)
        wall = SystemWall(own["timezone"], own["rtc"])
        self._controller = Controller(
            config,
            self._board.devices,
            self._board.problems,
            self._loop,
            wall,
            journal,
            store,
            self._link,
            visitor_key,
        )
        self._controller.publisher.measure = lambda: health.measure(folder)
        for device, text in self._board.problems:
            _complain(f"{device}: {text}")

    def run(self, test_lang: str | None) -> int:
        """Decide until told to stop, or walk through the exits with the installer; the exit code."""
        from firmware.runtime import aio

        ended = aio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._loop.post(ended.set))
        test = None if test_lang is None else self._egress_test(test_lang)
        code = 0

        async def live() -> None:
            nonlocal code
            if test is None:
                await ended.wait()
            else:
                code = await test.walk(ended)

        self._controller.start()
        self._watch_certificates()
        self._link.start()
        try:
            self._loop.run(live(), "main")
        finally:
            self._close()
        return code

    def _storage(self, folder: str) -> "tuple[Journal, Store, bytes]":
        """Journal, key store and the key of visitors' codes in the state folder; what is wrong is said."""
        from firmware.services import secrets
        from firmware.services.credential_store import CredentialStore
        from firmware.services.journal import SqliteJournal

        key, problems = secrets.controller_key(folder)
        visitor_key, more = secrets.visitor_key(folder)
        journal = SqliteJournal(
            os.path.join(folder, "journal.db"),
            self._executors[0],
            self._loop,
            self._config["controller"]["name"],
            self._config["journal"]["limit"],
        )
        journal.open()
        store = CredentialStore(os.path.join(folder, "keys.db"), self._executors[1], key)
        store.open()
        for line in [*problems, *more, *store.problems]:
            _complain(line)
        return journal, store, visitor_key

    def _egress_test(self, lang: str) -> "EgressTest":
        from firmware.services.egress_test import EgressTest
        from firmware.services.typed_lines import TypedLines

        test = EgressTest(self._controller, self._board.devices, _say, lang, _user())
        TypedLines(self._loop.waiter, 0, test.heard).start()
        return test

    def _watch_certificates(self) -> None:
        """Where the link has certificates, have somebody look at their end each day."""
        link, upkeep = self._config["link"], self._controller.upkeep
        if not (link["enabled"] and link["tls"]):
            return
        from firmware.services import certificates

        def known_s() -> int | None:
            now = upkeep.now()
            return now.utc_s if now.trusted else None

        def soon(active: bool) -> None:
            upkeep.condition(alarm.CERTIFICATE_EXPIRING, active)

        self._controller.supervisor.start(
            "certificates", lambda: certificates.watch(link, known_s, soon)
        )

    def _close(self) -> None:
        self._controller.stop("stopped")
        self._link.stop()
        for executor in self._executors:
            executor.close()
        self._board.close()
        self._lines.close()


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _user() -> str:
    """Who runs this, for the record of a test."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "installer"
