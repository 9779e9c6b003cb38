"""Real time: one building on a desk, its controller, its broker and what a host would see.

Everything but the link and the broker lives in one process and one loop; the page's threads come in
through `aio.Loop.post`. With a state folder it survives `kill -9` and goes on where it was.
"""

import base64
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from firmware.runtime import aio
from firmware.runtime.clock import UNTRUSTED, MonotonicClock, iso
from firmware.services import secrets
from firmware.services.waker import WakingPollWaiter
from hal.backends.monotonic_ticks import MonotonicTicks
from sim import person
from sim.broker import EmbeddedBroker
from sim.desk_parts import DeskParts
from sim.disk import NONE
from sim.dispatch import CommandError, Dispatch
from sim.fakes import FakeAnalogInputs, FakeLines, FakeSerialPorts, FakeTicks, FakeWall
from sim.machine import Machine
from sim.network import Cable
from sim.observer import Observer
from sim.verbs import VerbError
from sim.view import view
from sim.world import World

RECENT = 500  #: events that a page gets when it comes late
STEPS = 1000  #: verbs that are remembered for a scenario file
RECONNECT_MS = 2000  #: the demo's cable is mended by somebody who watches: no long back-off
VIEW_MS = 100  #: how often the world is compared while somebody looks
OPENING_MS = 50  #: within which a board that starts has opened its devices
LISTEN_S = 2  #: for the broker to let the page listen before the power comes; it takes some 20 ms
REST_MS = 100  #: from a start to bolts and magnets that no longer move


class Desk:
    """One simulated building in real time. Only `ask` and `act` may be called by other threads."""

    operator = "op-demo"  #: whoever is at the page

    def __init__(
        self,
        config: dict[str, Any],
        folder: str | None,
        mqtt: tuple[str, int] | None,
        mqtt_port: int,
    ) -> None:
        self.temporary = folder is None
        self.folder = tempfile.mkdtemp(prefix="door-sim-") if folder is None else folder
        clock = MonotonicClock(MonotonicTicks())
        self._zero_ms = clock.now_ms()
        self.loop = aio.Loop(clock, WakingPollWaiter())
        self.loop.on_error = _complain
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        #: told of (kind, object) for the page: "event" and "world"
        self.on_news: Callable[[str, dict[str, Any]], None] | None = None
        self._watchers = 0
        controller = config["controller"]
        self.root = f"doorward/{controller['site']}/{controller['name']}"
        self.broker = None
        if mqtt is None:
            self.broker = EmbeddedBroker(
                "127.0.0.1", mqtt_port, os.path.join(self.folder, "broker")
            )
            self.broker.start()
            mqtt = ("127.0.0.1", self.broker.port)
        self.mqtt = mqtt
        self.cable = Cable(*mqtt, held=True)
        link = {"host": "127.0.0.1", "port": self.cable.port, "tls": False}
        config["link"].update(link, enabled=True, reconnect_max_ms=RECONNECT_MS)
        seed = self._seed()
        self.operator_seed = base64.b64encode(seed).decode()
        lines, serial_ports = FakeLines(FakeTicks(clock)), FakeSerialPorts()
        analog_inputs = FakeAnalogInputs()
        now_ms = self._start_ms = round(time.time() * 1000)
        self._steps: deque[dict[str, Any]] = deque(maxlen=STEPS)
        self.people = person.people(config, now_ms, [])
        wall = FakeWall(clock, now_ms, controller["timezone"], controller["rtc"])
        self.wall = wall
        key, self.problems = secrets.controller_key(self.folder)
        identity, more = secrets.controller_identity(self.folder)
        self.problems += more
        #: dict  the controller's keys, as its topic `status` carries them
        self.public_key = identity.public_key
        self._parts = DeskParts(
            config, self.loop, self.folder, key, identity, (self.operator, seed), self.problems
        )
        self._parts.provision(person.changes(self.people, config["access_points"]))
        self.world = World(config, self.loop, lines, serial_ports, analog_inputs, self.people)
        self.machine = Machine(self.loop, lines, serial_ports, analog_inputs, wall, self._parts)
        self.network = True
        self.world.on_power = self.machine.set_power
        self.world.told = self.machine.told
        self.machine.on_told = self.world.look_at_outputs
        self.world.on_network = self._set_network
        self.world.on_clock = wall.step
        self.world.outside = {
            "command": self._command,
            "fail_storage": lambda args: self._parts.fail_storage(
                args["mode"] if args["on"] else NONE
            ),
            "kill_process": lambda args: (
                self.machine.end_process() if args["process"] == "door" else self.machine.end_link()
            ),
            "drift_clock": lambda args: wall.drift(args["ppm"]),
        }
        self.world.on_change = lambda kind, name, now: self._look_soon()
        self.machine.on_change = self._look_soon
        self._observer = Observer(*mqtt, self.root, self._message, self._listens)
        self._listening = False
        self._nonce: str | None = None  # the newest of `status`
        self.dispatch = Dispatch(
            self.operator,
            seed,
            f"{controller['site']}/{controller['name']}",
            self.public_key,
            self._observer.publish,
            self._command_time,
        )
        self._seen: dict[str, Any] = {}
        self._looking = False
        self._stopping = aio.Event()
        #: what was asked before the board had opened its devices; None: it has
        self._early: list[Callable[[], None]] | None = []

    def run(self) -> None:
        """Power on and live until `stop`."""
        self._observer.start()
        self._observer.answered.wait(LISTEN_S)
        self._let_through(self._observer.listening)
        self.machine.boot_now()
        self.loop.call_at(self.loop.now_ms() + OPENING_MS, self._open)
        try:
            self.loop.run(self._stopped(), "desk")
        finally:
            self.machine.shut_down()
            self._observer.stop()
            self.cable.close()
            if self.broker is not None:
                self.broker.stop()
            if self.temporary:
                shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """End it; may be called by a signal handler or another thread."""
        self.loop.post(self._stopping.set)

    def ask(self, question: Callable[[], None]) -> None:
        """Have the loop call `question`, from any thread; not before the board has opened its devices."""
        self.loop.post(
            lambda: self._early.append(question) if self._early is not None else question()
        )

    def _open(self) -> None:
        early, self._early = self._early or [], None
        for question in early:
            question()

    def act(self, verb: str, args: dict[str, Any]) -> None:
        """Do a verb of the world, and remember it. Raises `sim.world.VerbError`."""
        self.world.perform(verb, args)
        self._steps.append({"at_ms": self.at_ms(), "do": verb, **args})

    def _command(self, args: dict[str, Any]) -> None:
        try:
            self.dispatch.send(args["op"], args["args"])
        except CommandError as error:
            raise VerbError(f"command: {error}") from None

    def story(self) -> dict[str, Any]:
        """What was done so far (the last `STEPS` of it), for a scenario file."""
        return {"start": iso(self._start_ms // 1000 * 1000), "steps": list(self._steps)}

    def at_ms(self) -> int:
        """Milliseconds since the desk was set up."""
        return self.loop.now_ms() - self._zero_ms

    @property
    def config(self) -> dict[str, Any]:
        """The board config that the controller runs on."""
        return self.machine.config

    @property
    def storage(self) -> str:
        """How the controller's disk does: ``none`` is wrong, or ``error``, ``full``, ``slow``."""
        return self._parts.storage

    @property
    def at_rest(self) -> bool:
        """Whether the controller decides and its start has moved what it moves."""
        since_ms = self.loop.now_ms() - self.machine.booted_ms
        return self.machine.deciding and since_ms >= REST_MS

    def world_now(self) -> dict[str, Any]:
        """Everything that can be seen; on the loop's thread."""
        return view(self)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While somebody looks, changes of the world are told."""
        self.loop.post(lambda: self._watch(1))
        try:
            yield
        finally:
            self.loop.post(lambda: self._watch(-1))

    def _watch(self, more: int) -> None:
        self._watchers += more
        if self._watchers == 1 and more == 1:
            self._look_again()

    async def _stopped(self) -> None:
        await self._stopping.wait()

    def _set_network(self, on: bool) -> None:
        self.network = on
        self.wall.set_network(on)
        if not on:
            self.cable.cut()
        elif self._listening:
            self.cable.restore()
        self._look_soon()

    def _listens(self, on: bool) -> None:
        """On the observer's thread: it hears all that is published from now on, or does no longer."""
        self.loop.post(lambda: self._let_through(on))

    def _let_through(self, on: bool) -> None:
        """The controller reaches its broker while the page listens there: no record is told to nobody."""
        self._listening = on
        if not on:
            self.cable.hold()
        elif self.network:
            self.cable.restore()

    def _message(self, topic: str, body: bytes, retained: bool) -> None:
        """On the observer's thread: what the broker told the host."""
        name = topic.removeprefix(self.root + "/")
        self.dispatch.heard(name, body)
        if name not in ("event", "status"):
            return
        try:
            said = json.loads(body)
        except ValueError:
            return
        if name == "status":
            self._nonce = said.get("nonce") if isinstance(said, dict) else None
        else:
            self.loop.post(lambda: self._event(said))

    def _command_time(self) -> tuple[int, str | None]:
        """When a command is made, and the nonce that it quotes: only where the clock is no help."""
        controller = self.machine.controller
        lost = controller is not None and controller.time.quality() == UNTRUSTED
        return self.wall.utc_ms(), self._nonce if lost else None

    def _event(self, event: dict[str, Any]) -> None:
        # What is sent again is no news to a page that comes later, and pushes nothing out.
        if all(event["id"] != one["id"] for one in self.recent):
            self.recent.append(event)
        if self.on_news is not None:
            self.on_news("event", event)
        self._look_soon()

    def _look_soon(self) -> None:
        """Compare the world once this millisecond's changes are through."""
        if self._watchers and not self._looking:
            self._looking = True
            self.loop.call_at(self.loop.now_ms() + 2, self._look)

    def _look_again(self) -> None:
        """What ends by itself (a release, a block) is seen within `VIEW_MS`."""
        self._look()
        if self._watchers:
            self.loop.call_at(self.loop.now_ms() + VIEW_MS, self._look_again)

    def _look(self) -> None:
        self._looking = False
        if not self._watchers or self.on_news is None:
            return
        now = self.world_now()
        news = {}
        for key, value in now.items():
            before = self._seen.get(key)
            if key in ("clock", "at_ms") or value == before:
                continue
            if key in ("portals", "access_points", "outputs") and isinstance(before, dict):
                value = {name: part for name, part in value.items() if part != before.get(name)}
            news[key] = value
        self._seen = now
        if news:
            self.on_news("world", {"at_ms": now["at_ms"], "clock": now["clock"], **news})

    def _seed(self) -> bytes:
        """The demo operator's Ed25519 seed: kept with the state, shown to everybody."""
        path = os.path.join(self.folder, "operator.seed")
        try:
            with open(path, "rb") as file:
                seed = file.read()
            if len(seed) == 32:
                return seed
        except OSError:
            pass
        seed = os.urandom(32)
        with contextlib.suppress(OSError), open(path, "wb") as file:
            file.write(seed)
        return seed


def _complain(name: str, error: BaseException) -> None:
    """Something died that nobody watches: its kind only, for its text may hold a secret (law 7)."""
    sys.stderr.write(f"{name}: {type(error).__name__}\n")
