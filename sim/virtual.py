"""Virtual time: one building, from power-up to the end of a story, as fast as its work can be done.

The firmware is the real one, SQLite and all; its disk is simulated (it forgets what was not synced when
the power goes), and so are its broker and a host. One seed, one run, byte for byte.
"""

import base64
import random
from typing import Any

from firmware.runtime import aio, ports
from firmware.runtime.controller import Controller
from firmware.runtime.feeds import INBOX_LIMIT
from firmware.services.command_desk import CommandDesk
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import Executor, InlineExecutor
from firmware.services.journal import HARD_LIMIT, MEMORY_LIMIT, SqliteJournal
from firmware.trust import chain, sealing
from firmware.trust.identity import LENGTH as IDENTITY_BYTES
from firmware.trust.identity import Identity
from firmware.wire import payload
from sim import person, virtual_host
from sim.disk import NONE, SimDisk
from sim.disk_executor import DiskExecutor
from sim.fakes import FakeAnalogInputs, FakeLines, FakeSerialPorts, FakeTicks, FakeWall
from sim.forger import Forger
from sim.machine import HANGS, Machine, Parts
from sim.sent_config import SentConfig
from sim.verbs import VerbError
from sim.virtual_broker import VirtualBroker
from sim.virtual_channel import ReadyWaiter
from sim.virtual_host import VirtualHost
from sim.virtual_link import VirtualLink
from sim.world import World

SETTLE_MS = 100  #: from power-up to 0 ms: bolts and magnets have moved
OPERATOR = virtual_host.OPERATOR  #: who may command: an owner
RECONNECT_MS = 2000  #: as on the desk: the cable is mended by somebody who watches
WATCHDOG_MS = 3000  #: as in the unit of the door's service
AT_WRITE_MS = 1000  #: a power cut in the middle of a write waits no longer for one
#: what may wait while memory is short: records, the same with an access or alarm record, readings
SHORT = (20, 30, 2)
#: of a host that has a card enrolled: no secret, and nobody opens what is sealed to it
REPLY_KEY = base64.b64encode(sealing.public_of(bytes(range(32)))).decode()
FILES = {"journal": "journal.db", "keys": "keys.db"}


class VirtualParts(Parts):
    """Journal and store on a simulated disk, and a virtual broker."""

    watchdog_ms = WATCHDOG_MS

    def __init__(
        self, config: dict[str, Any], loop: aio.Loop, seeded: random.Random, broker: VirtualBroker
    ) -> None:
        self.disk = SimDisk(seeded)
        #: dict  the section [link] as the link has it
        self.link_config = {**config["link"], "tls": False, "username": None}
        self.sent = SentConfig(config)
        self._loop = loop
        self._random = seeded
        self._broker = broker
        self._key = seeded.randbytes(32)
        # Of their own: what a host says must not move what the disk forgets.
        self._nonces = random.Random(self._key)
        self._identity = Identity.of(self._nonces.randbytes(IDENTITY_BYTES))
        #: bytes  the demo operator's Ed25519 seed
        self.operator_seed = virtual_host.seed_of(config, OPERATOR)
        self._first = {**virtual_host.operators(config), **virtual_host.staff(config)}
        #: dict  the controller's public keys
        self.public_key = self._identity.public_key
        self._executors: list[Executor] = []
        self._short = False
        #: VirtualLink or None  of the process that runs
        self.link: VirtualLink | None = None

    def provision(self, changes: list[Any]) -> None:
        """Put keys into the store before the first start."""
        store = CredentialStore(
            "keys.db", InlineExecutor(self._loop), self._key, self.disk.vfs_name
        )
        store.open()
        store.apply(changes)
        store.close()

    def boot(self) -> tuple[ports.Journal, ports.Store, ports.Transport]:
        """Open journal and store from the disk as it is."""
        executors = [DiskExecutor(self._loop, self.disk, True), DiskExecutor(self._loop, self.disk)]
        self._executors = [*executors]
        config = self.sent.config
        own = config["controller"]
        journal = SqliteJournal(
            "journal.db",
            executors[0],
            self._loop,
            own["name"],
            limit=config["journal"]["limit"],
            vfs=self.disk.vfs_name,
            simulated=True,
            random=self._random.randbytes,
            sign=chain.signer(self._identity.signed, f"{own['site']}/{own['name']}"),
        )
        journal.open()
        store = self._store(executors[1])
        self.link = VirtualLink(
            self.link_config,
            own["site"],
            own["name"],
            self._loop,
            payload.dumps({"state": "offline"}),
            self._broker,
            self._random,
        )
        self.link.start()
        return journal, store, self.link

    def _store(self, executor: DiskExecutor) -> CredentialStore:
        vfs, randbytes = self.disk.vfs_name, self._random.randbytes
        store = CredentialStore("keys.db", executor, self._key, vfs, randbytes)
        store.open()
        return store

    def limit(self, on: bool, controller: Controller | None) -> None:
        """There is room for hardly anything, or as much as ever again; from now on, over starts."""
        self._short = on
        if controller is not None:
            self._limit(controller)

    def _limit(self, controller: Controller) -> None:
        records = SHORT[:2] if self._short else (MEMORY_LIMIT, HARD_LIMIT)
        controller.journal.room = records
        controller.inbox.limit = SHORT[2] if self._short else INBOX_LIMIT

    def commands(self, controller: Controller) -> CommandDesk | None:
        """Of this start: who the controller is stays, its nonces do not."""
        self._limit(controller)
        if self.link is None:
            return None
        executor = InlineExecutor(self._loop)
        self._executors.append(executor)
        return CommandDesk(
            controller,
            self.link,
            self._identity,
            self._first,
            executor,
            self._nonces.randbytes,
        )

    def kill(self) -> None:
        """The power has gone."""
        self._end()
        self.disk.power_cut()

    def crash(self) -> None:
        """The door process has ended."""
        self._end()
        self.disk.process_kill()

    def freeze(self) -> None:
        """The door process hangs."""
        for executor in self._executors:
            executor.kill()
        if self.link is not None:
            self.link.freeze()

    def crash_link(self) -> None:
        """The link's process has ended."""
        if self.link is not None:
            self.link.crash()

    def _end(self) -> None:
        for executor in self._executors:
            executor.kill()
        if self.link is not None:
            self.link.kill()
            self.link = None

    def close(self) -> None:
        """A clean end."""
        if self.link is not None:
            self.link.stop()
        for executor in self._executors:
            executor.close()
        self.disk.close()
        self.sent.close()


class Building:
    """A world and its controller in virtual time, at 0 ms with the controller deciding.

    reconnect_max_ms  int  the longest back-off of the link, if the config has no shorter one
    """

    def __init__(
        self,
        config: dict[str, Any],
        people: list[person.Person],
        start_ms: int,
        seed: int,
        reconnect_max_ms: int = RECONNECT_MS,
    ) -> None:
        seeded = random.Random(seed)
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, ReadyWaiter(self.clock))
        lines, serial_ports = FakeLines(FakeTicks(self.clock)), FakeSerialPorts()
        self.lines = lines
        analog_inputs = FakeAnalogInputs()
        self._start_ms = start_ms
        box = config["controller"]
        self.wall = FakeWall(self.clock, start_ms, box["timezone"], box["rtc"])
        self.broker = VirtualBroker(self.loop, random.Random(f"broker {seed}"))
        self.host = VirtualHost(
            self.loop, self.broker, config, self.wall, random.Random(f"host {seed}")
        )
        self.parts = VirtualParts(config, self.loop, seeded, self.broker)
        self.forger = Forger(
            self.broker,
            self.host,
            self.wall,
            sorted(config["portals"]),
            random.Random(f"forger {seed}"),
            config,
        )
        link = self.parts.link_config
        link["reconnect_max_ms"] = min(link["reconnect_max_ms"], reconnect_max_ms)
        self.parts.provision(person.changes(people, config["access_points"]))
        self.world = World(config, self.loop, lines, serial_ports, analog_inputs, people, seed)
        self.machine = Machine(self.loop, lines, serial_ports, analog_inputs, self.wall, self.parts)
        self.world.on_power = self.machine.set_power
        self.world.told = self.machine.told
        self.machine.on_told = self.world.look_at_outputs
        self.world.on_network = self._set_network
        self.world.on_clock = self.wall.step
        self.world.outside = self._outside()

    def start(self) -> None:
        """Power on, and let bolts and magnets come to rest."""
        self.machine.boot_now()
        self.loop.run(aio.sleep_ms(SETTLE_MS))
        self.wall.set_utc_ms(self._start_ms)

    def _outside(self) -> dict[str, Any]:
        """What of the verbs is not the world's."""
        disk, machine = self.parts.disk, self.machine
        return {
            "cut_power": self._cut_at_write,
            "command": self._command,
            "command_by": self._command,
            "forge_command": lambda args: self.forger.forge(args["how"]),
            "fail_storage": lambda args: disk.fail(args["mode"] if args["on"] else NONE),
            "fail_disk": lambda args: disk.strike(args["fault"], FILES[args["file"]]),
            "fail_broker": lambda args: self.broker.fail(args["fault"], args["on"]),
            "fail_task": self._fail_task,
            "kill_process": lambda args: (
                machine.end_process() if args["process"] == "door" else machine.end_link()
            ),
            "drift_clock": lambda args: self.wall.drift(args["ppm"]),
            "limit_memory": lambda args: self.parts.limit(args["on"], machine.controller),
        }

    def _command(self, args: dict[str, Any]) -> None:
        more: dict[str, Any] = {}
        nonce = self.host.status.get("nonce")
        if args["op"] == "clock.set" and nonce is not None:  # whatever the clocks say
            more["nonce"] = nonce
        elif args["op"] == "credential.enrol":
            more["reply_key"] = REPLY_KEY
        try:
            by = args.get("by", OPERATOR)
            self.host.command(args["op"], args["args"], None, None, False, by, **more)
        except ValueError as error:
            raise VerbError(f"command: {error}") from None

    def _fail_task(self, args: dict[str, Any]) -> None:
        if args["how"] == HANGS:
            self.machine.hang()
        else:
            self.machine.end_task(args["task"], args["how"])

    def _cut_at_write(self, args: dict[str, Any]) -> None:
        """The power goes in the middle of one of the disk's next writes, or soon without one."""
        disk, loop = self.parts.disk, self.loop

        def cut() -> None:
            if disk.on_cut is at_write:
                disk.on_cut = disk.cut_at = None
                self.world.perform("cut_power", {})

        def at_write() -> None:
            loop.call_at(loop.now_ms(), cut)

        disk.on_cut = at_write
        disk.cut_at = disk.operations + args["at_write"]
        loop.call_at(loop.now_ms() + AT_WRITE_MS, cut)

    def _set_network(self, on: bool) -> None:
        self.wall.set_network(on)
        self.broker.set_network(on)

    def now_ms(self) -> int:
        """Milliseconds of the story; what the start did counts at 0."""
        return max(0, self.at(self.clock.now_ms()))

    def at(self, clock_ms: int) -> int:
        """The story's time of an instant of the clock."""
        return clock_ms - SETTLE_MS
