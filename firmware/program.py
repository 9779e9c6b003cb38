"""One run of the controller: its parts, from its board to its link, and what starts and ends them.

Names no backend: `firmware.main` hands over what the board offers.
"""

import faulthandler
import gc
import getpass
import os
import signal
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import hal.board
from firmware.access import alarm
from firmware.runtime.heartbeat import Heartbeat
from firmware.services import board_files, trouble
from firmware.services.service_manager import ServiceManager
from firmware.trust import canonical, sealing
from hal.errors import BoardConfigError, HalError
from hal.ports import AnalogInputs, Lines, ReaderBuses, SerialPorts, Ticks, Watchdog

if TYPE_CHECKING:
    from firmware.runtime.ports import Journal, Store
    from firmware.services.command_desk import CommandDesk
    from firmware.services.egress_test import EgressTest
    from firmware.services.link import Link
    from firmware.services.link_listener import Listener

SWITCH_S = 0.0005  #: the door gets the interpreter, and gives it to the journal, as soon as that
RESTART_MS = 500  #: from the word to the end: its answer leaves


class Platform(NamedTuple):
    """What the board offers.

    watchdogs  each opens one, which counts from then on
    analog_inputs  None: it has none
    problems  list of (part, text)  what it should offer and does not, beside its lines
    """

    lines: Lines
    serial_ports: SerialPorts
    ticks: Ticks
    watchdogs: list[Callable[[], Watchdog]]
    problems: list[tuple[str, str]]
    analog_inputs: AnalogInputs | None = None
    buses: ReaderBuses | None = None


class Program:
    """The parts of one controller's process; `run` is its life.

    chosen    the config; a trial of one is over once the controller decides
    absent    dict   devices of it that the board has no line for, and why (`hal.board.load`)
    folder    str  the state folder
    platform  what the board offers
    service   who started this process
    listener  where the link calls that is a service of its own; None: it is a child of ours
    """

    def __init__(
        self,
        chosen: board_files.Chosen,
        absent: dict[str, str],
        folder: str,
        platform: Platform,
        service: ServiceManager,
        listener: "Listener | None" = None,
    ) -> None:
        from firmware.runtime import aio
        from firmware.runtime.clock import MonotonicClock
        from firmware.runtime.controller import Controller
        from firmware.services import health
        from firmware.services.executor import ThreadExecutor
        from firmware.services.waker import WakingPollWaiter
        from firmware.services.wall import SystemWall
        from firmware.wire import payload

        config = chosen.config
        self._config = config
        self._chosen = chosen
        self._folder = folder
        self._lines = platform.lines
        self._service = service
        #: bool  it has ended to be started again
        self.again = False
        self._ended = aio.Event()
        self._loop = aio.Loop(MonotonicClock(platform.ticks), WakingPollWaiter())
        self._loop.on_error = lambda name, error: _complain(f"{name}: {type(error).__name__}")
        self._analog_inputs = platform.analog_inputs
        self._board = hal.board.open_board(
            config,
            platform.lines,
            platform.serial_ports,
            platform.analog_inputs,
            platform.buses,
            absent,
        )
        self._board.problems += platform.problems
        self._board.problems += [("config", text) for text in chosen.problems]
        self._executors = [
            ThreadExecutor(self._loop, "journal"),
            ThreadExecutor(self._loop, "keys"),
            ThreadExecutor(self._loop, "commands"),
            ThreadExecutor(self._loop, "look-ups"),
        ]
        journal, store, visitor_key = self._storage(folder)
        own = config["controller"]
        will = payload.dumps({"state": "offline"})
        self._root = f"{own['site']}/{own['name']}"
        self._link = self._make_link(listener, will)
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
        self._commands = self._command_desk()
        self._watchdogs: list[Watchdog] = [service]
        self._to_open = platform.watchdogs
        self._heartbeat = Heartbeat(self._watchdogs)
        self._heartbeat.on_first = self._decides
        self._heartbeat.on_fault = lambda ok, text: self._told("watchdog", ok, text)
        self._controller.on_round = self._heartbeat.beat
        for line in trouble.lines(self._board.problems):
            _complain(line)
        self._trouble = trouble.Trouble(self._board.devices, self._board.problems, _complain)
        self._controller.effects.on_record = self._trouble.heard
        self._look()

    def run(self, test_lang: str | None) -> int:
        """Decide until told to stop, or walk through the exits with the installer; the exit code."""
        sys.setswitchinterval(SWITCH_S)
        faulthandler.enable()  # where it hung, when the watchdog aborts it
        ended = self._ended
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

        self._commands.start()
        self._controller.start()
        self._link.start()
        try:
            self._loop.run(live(), "main")
        finally:
            self._close()
        return code

    def _make_link(self, listener: "Listener | None", will: str) -> "Link":
        section, own = self._config["link"], self._config["controller"]
        if listener is None:
            from firmware.services.link_child import LinkProcess

            return LinkProcess(section, own["site"], own["name"], self._loop, will)
        from firmware.services.link_socket import LinkSocket

        return LinkSocket(section, own["site"], own["name"], self._loop, will, listener)

    def _storage(self, folder: str) -> "tuple[Journal, Store, bytes]":
        """Journal, key store and the key of visitors' codes in the state folder; what is wrong is said."""
        from firmware.services import operators_file, secrets
        from firmware.services.credential_store import CredentialStore
        from firmware.services.journal import SqliteJournal
        from firmware.trust import chain

        key, problems = secrets.controller_key(folder)
        visitor_key, more = secrets.visitor_key(folder)
        identity, lines = secrets.controller_identity(folder)
        self._identity = identity
        self._first, wrong = operators_file.load(folder)
        more += lines + wrong
        own = self._config["controller"]
        journal = SqliteJournal(
            os.path.join(folder, "journal.db"),
            self._executors[0],
            self._loop,
            own["name"],
            self._config["journal"]["limit"],
            sign=chain.signer(identity.signed, f"{own['site']}/{own['name']}"),
        )
        journal.open()
        store = CredentialStore(
            os.path.join(folder, "keys.db"), self._executors[1], key, finder=self._executors[3]
        )
        store.open([*problems, *more])
        for line in store.problems:
            _complain(line)
        return journal, store, visitor_key

    def _command_desk(self) -> "CommandDesk":
        """What takes commands, by the identity and the operators in the state folder."""
        from firmware.services.command_desk import CommandDesk

        desk = CommandDesk(
            self._controller, self._link, self._identity, self._first, self._executors[2]
        )
        desk.operations.restart = self.restart
        desk.operations.apply_config = self.apply_config
        return desk

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

        def load() -> ModuleType:
            from firmware.services import certificates

            return certificates

        def known_s() -> int | None:
            now = upkeep.now()
            return now.utc_s if now.trusted else None

        def soon(active: bool) -> None:
            upkeep.condition(alarm.CERTIFICATE_EXPIRING, active)

        def loaded(certificates: Any, error: Exception | None) -> None:
            if error is not None:
                self._told("certificates", False, f"{type(error).__name__}: {error}")
                return
            watch = certificates.watch
            self._controller.supervisor.start("certificates", lambda: watch(link, known_s, soon))

        self._executors[2].submit(load, loaded)

    # ---- another config, another start -------------------------------------------------------------

    def restart(self) -> None:
        """End cleanly, soon, to be started again; what is being sent has time to leave."""
        self.again = True
        self._loop.call_at(self._loop.now_ms() + RESTART_MS, self._ended.set)

    def apply_config(self, text: str, done: Callable[[str | None], None]) -> None:
        """Check and store a board config, and start again with it; `done` is told what is wrong, or None."""
        wrong = BoardConfigError

        def offer() -> str:
            return board_files.offer(self._folder, text, self._config, hal.board.load, wrong)

        def offered(problem: object, error: Exception | None) -> None:
            if error is not None:
                problem = type(error).__name__
            if not problem:
                self.restart()
            done(str(problem) if problem else None)

        self._executors[1].submit(offer, offered)

    def _look(self) -> None:
        now_ms = self._loop.now_ms()
        self._trouble.look(now_ms)
        self._loop.call_at(now_ms + trouble.LOOK_MS, self._look)

    def _decides(self) -> None:
        """The first round of the door is over."""
        self._tell_service(lambda: self._service.ready(f"{self._root} decides"))
        self._watch()
        self._executors[2].submit(canonical.prepare)
        self._executors[2].submit(sealing.prepare)
        self._watch_certificates()
        self._executors[2].submit(_collect)
        if not self._chosen.trial:
            return
        try:
            board_files.keep(self._folder)
        except OSError as error:
            self._told("config", False, board_files.not_kept(error))
        else:
            self._told("config", True, board_files.IN_USE)

    def _watch(self) -> None:
        """The board's own watchdogs count from now on: to open one is to pet it, and a start may fail."""
        for open_one in self._to_open:
            try:
                watchdog = open_one()
            except HalError as error:
                self._told("watchdog", False, str(error))
            else:
                self._watchdogs.append(watchdog)
                self._heartbeat.add(watchdog)

    def _told(self, part: str, ok: bool, text: str) -> None:
        _complain(text)
        # At the loop's next turn: a heartbeat tells in the midst of the door's own round.
        self._loop.call_at(self._loop.now_ms(), lambda: self._controller.tell(part, ok, text))

    def _close(self) -> None:
        self._tell_service(self._service.stopping)
        self._commands.stop()
        self._controller.stop("stopped")
        self._link.stop()
        for executor in self._executors:
            executor.close()
        self._board.close()
        self._lines.close()
        if self._analog_inputs is not None:
            self._analog_inputs.close()
        for watchdog in [] if self.again else self._watchdogs:  # a new start is watched too
            watchdog.close()

    def _tell_service(self, word: Callable[[], None]) -> None:
        try:
            word()
        except HalError as error:
            _complain(str(error))


def _collect() -> None:
    """Look for cycles from now on, and not in what the start has made: a card would wait for that."""
    gc.freeze()
    gc.enable()


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
