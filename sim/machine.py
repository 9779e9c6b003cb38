"""The controller's box on the wall: boots the real firmware on fakes of its ports, and loses its power.

It is what starts a door process again that has died or hangs, as the service manager and the watchdog do:
its lines are let go at once, so that locks are at their safe level until the next start.

Knows no verb and no page. `Parts` makes what the firmware needs beside its board; `sim.virtual` makes
them for virtual time, `sim.desk` for real time.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import hal.board
from firmware.runtime import aio
from firmware.runtime.controller import Controller
from firmware.runtime.heartbeat import Heartbeat
from firmware.runtime.ports import Journal, Store, Transport
from firmware.services import board_files
from firmware.services.command_desk import CommandDesk
from sim.fake_watchdog import FakeWatchdog
from sim.sent_config import SentConfig

BOOT_MS = 1500  #: from the return of power to the first decision
RESTART_MS = 200  #: from the end of the door process to its next start (RestartSec)
ANSWER_MS = 500  #: from the word to start anew to the end
END_MS = 200  #: a clean end: what is queued is written


def visitor_key(config: dict[str, Any]) -> bytes:
    """What visitors' codes of a simulated controller are made with: no secret, the same in every run."""
    box = config["controller"]
    name = f"doorward simulator visitor key {box['site']}/{box['name']}"
    return hashlib.sha256(name.encode()).digest()


DIES, HANGS, WAITS = "dies", "hangs", "waits"  #: `fail_task`'s words


class SimulatedError(Exception):
    """What a task dies of that dies because somebody wants it to."""


class Parts:
    """Makes a journal, a store and a transport for each start, and ends them. One a simulator."""

    #: int or None  how long the door may be silent before the watchdog bites; None: there is none
    watchdog_ms: int | None = None
    #: the config that the controller runs on
    sent: SentConfig

    def boot(self) -> tuple[Journal, Store, Transport]:
        """Open what survived and start what did not."""
        raise NotImplementedError

    def commands(self, controller: Controller) -> CommandDesk | None:
        """What takes commands for this start; None: nothing does."""
        return None

    def measure(self) -> dict[str, Any]:
        """What the platform says of itself for the `health` topic."""
        return {}

    def kill(self) -> None:
        """The power has gone: what is not on the disk is lost."""
        raise NotImplementedError

    def crash(self) -> None:
        """The door process has ended, and its link with it; what the disk was given it keeps."""
        raise NotImplementedError

    def freeze(self) -> None:
        """The door process hangs: nothing that it asked for is ever answered."""
        raise NotImplementedError

    def crash_link(self) -> None:
        """The link's process has ended, and is started again."""
        raise NotImplementedError

    def close(self) -> None:
        """A clean end: what is queued is written, what is connected says goodbye."""
        raise NotImplementedError


class Machine:
    """One controller box. ``on_events`` is told of records as they become durable."""

    def __init__(
        self,
        loop: aio.Loop,
        lines: Any,
        serial_ports: Any,
        analog_inputs: Any,
        wall: Any,
        parts: Parts,
    ) -> None:
        self.power = False
        #: int  when the controller last began to decide
        self.booted_ms = 0
        self.controller: Controller | None = None
        self.on_events: Callable[[list[dict[str, Any]], list[int]], None] | None = None
        #: told when power, or what the controller decides on, has come or gone
        self.on_change: Callable[[], None] | None = None
        #: told when an output is told otherwise, or nothing any more
        self.on_told: Callable[[], None] | None = None
        self._loop = loop
        self._lines = lines
        self._serial_ports = serial_ports
        self._analog_inputs = analog_inputs
        self._wall = wall
        self._parts = parts
        self._starts = 0
        self._desk: CommandDesk | None = None
        self._watchdog: FakeWatchdog | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The board config that the controller runs on, or did last."""
        return self._parts.sent.config

    @property
    def deciding(self) -> bool:
        """Whether cards are decided now."""
        return self.controller is not None and self.controller.deciding

    def set_power(self, on: bool) -> None:
        """Cut the power at this instant, or bring it back; the same again does nothing."""
        if on == self.power:
            return
        self.power = on
        self._wall.set_power(on)
        self._starts += 1
        if on:
            start = self._starts
            self._loop.call_at(self._loop.now_ms() + BOOT_MS, lambda: self._boot(start))
        else:
            self._drop()
        self._changed()

    def boot_now(self) -> None:
        """Power on, without the time that a start takes."""
        self.power = True
        self._starts += 1
        self._boot(self._starts)

    def shut_down(self) -> None:
        """A clean end, as when systemd stops the service."""
        if self.controller is not None:
            if self._desk is not None:
                self._desk.stop()
            self.controller.stop("stopped")
            self.controller = None
        self._parts.close()
        self._unwatch()
        self._lines.power_off()
        self.power = False

    def restart(self) -> None:
        """The controller is told to start anew: a clean end once its answer has left, then a start."""
        start = self._starts

        def stop() -> None:
            if start == self._starts and self.controller is not None:
                if self._desk is not None:
                    self._desk.stop()
                self.controller.stop("restart")
                self._loop.call_at(self._loop.now_ms() + END_MS, end)

        def end() -> None:
            if start == self._starts:
                self.end_process()

        self._loop.call_at(self._loop.now_ms() + ANSWER_MS, stop)

    def apply_config(self, text: str, done: Callable[[str | None], None]) -> None:
        """Check and keep a board config, and start anew with it; `done` is told what is wrong, or None."""
        problem = self._parts.sent.offer(text)
        if not problem:
            self.restart()
        done(problem or None)

    def end_process(self) -> None:
        """The door process dies; it is started again as the service manager does."""
        if self.controller is None or not self.power:
            return
        if self._desk is not None:
            self._desk.kill()
        self.controller.kill()
        self.controller = None
        self._unwatch()
        self._parts.crash()
        self._lines.power_off()
        self._serial_ports.power_off()
        self._analog_inputs.power_off()
        self._told()
        self._starts += 1
        start = self._starts
        self._loop.call_at(self._loop.now_ms() + RESTART_MS + BOOT_MS, lambda: self._boot(start))
        self._changed()

    def end_link(self) -> None:
        """The link's process dies."""
        if self.controller is not None:
            self._parts.crash_link()

    def hang(self) -> None:
        """The door process computes for ever: its outputs stay as they are until the watchdog bites."""
        if self.controller is not None:
            if self._desk is not None:
                self._desk.kill()
            self.controller.kill()
            self._parts.freeze()
            self._changed()

    def end_task(self, name: str, how: str) -> None:
        """A task of the door process dies, or waits for ever; the others go on."""
        if self.controller is None or not self.deciding:
            return
        task = self.controller.supervisor._tasks.get(name)
        if task is None or task.done():
            return
        if how == WAITS:
            task._token += 1  # whatever would wake it is stale
        else:
            task._coro.close()
            task._end(SimulatedError())

    def told(self, device: str) -> bool:
        """Whether the controller wants output `device` on, the pauses of its rhythm included."""
        return self.controller is not None and self.controller.told(device)

    def condition(self, portal: str) -> tuple[str | None, str | None]:
        """Mode and alarm of `portal` as the controller has them; None without power."""
        if self.controller is None or not self.deciding:
            return None, None
        at = self.controller.site.portals[portal]
        return at.mode_now, at.alarm

    def _boot(self, start: int) -> None:
        if start != self._starts:
            return  # the power went again meanwhile
        wrong = self._parts.sent.choose()
        board = hal.board.open_board(
            _simulated(self.config),
            self._lines,
            self._serial_ports,
            self._analog_inputs,
            self._serial_ports.buses,
        )
        board.problems += [("config", text) for text in wrong]
        journal, store, transport = self._parts.boot()
        journal.on_written = self._written
        self.controller = Controller(
            self.config,
            board.devices,
            board.problems,
            self._loop,
            self._wall,
            journal,
            store,
            transport,
            visitor_key(self.config),
        )
        self.controller.publisher.measure = self._parts.measure
        self.controller.watch_outputs(self._told)
        self._desk = self._parts.commands(self.controller)
        if self._desk is not None:
            self._desk.operations.restart = self.restart
            self._desk.operations.apply_config = self.apply_config
            self._desk.start()
        self._unwatch()
        if self._parts.watchdog_ms is not None:
            self._watchdog = FakeWatchdog(self._loop, self._parts.watchdog_ms, self.end_process)
        heartbeat = Heartbeat([] if self._watchdog is None else [self._watchdog])
        heartbeat.on_first = self._decides
        self.controller.on_round = heartbeat.beat
        self.controller.start()
        self.booted_ms = self._loop.now_ms()
        self._changed()

    def _decides(self) -> None:
        """The first round of the door is over."""
        if self.controller is None:
            return
        tell, told = self.controller.tell, (True, board_files.IN_USE)
        try:
            if not self._parts.sent.keep():
                return
        except OSError as error:
            told = (False, board_files.not_kept(error))
        self._loop.call_at(self._loop.now_ms(), lambda: tell("config", *told))

    def _drop(self) -> None:
        if self.controller is not None:
            if self._desk is not None:
                self._desk.kill()
            self.controller.kill()
            self.controller = None
            self._parts.kill()
        self._unwatch()
        self._lines.power_off()
        self._told()

    def _unwatch(self) -> None:
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None

    def _written(self, events: list[dict[str, Any]], at_ms: list[int]) -> None:
        if self.on_events is not None:
            self.on_events(events, at_ms)

    def _told(self) -> None:
        if self.on_told is not None:
            self.on_told()

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()


def _simulated(config: dict[str, Any]) -> dict[str, Any]:
    """`config` with a PN532 as a module that prints each uid as a line: its own frames are not imitated."""
    devices = {
        name: {**part, "framing": "lines"} if part.get("framing") == "pn532" else part
        for name, part in config["devices"].items()
    }
    return {**config, "devices": devices}
