"""Virtual time: one building, from power-up to the end of a story, as fast as its work can be done.

The firmware is the real one, SQLite and all; its disk is simulated (it forgets what was not synced when
the power goes) and so is its broker. One seed, one run, byte for byte.
"""

import base64
import random
from collections.abc import Callable
from typing import Any

from firmware.runtime import aio, ports
from firmware.runtime.controller import Controller
from firmware.runtime.operators import OWNER
from firmware.services.command_desk import CommandDesk
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.trust import signing
from firmware.trust.identity import LENGTH as IDENTITY_BYTES
from firmware.trust.identity import Identity
from sim import person
from sim.disk import SimDisk
from sim.fakes import FakeAnalogInputs, FakeLines, FakeSerialPorts, FakeTicks, FakeWall
from sim.machine import Machine, Parts
from sim.world import World

SETTLE_MS = 100  #: from power-up to 0 ms: bolts and magnets have moved
OPERATOR = "op-demo"  #: who may command: an owner
PUBLISH_MS = 5  #: from sending a message to the broker's PUBACK


class VirtualBroker(ports.Transport):
    """A network with a broker behind it: up or down, in order, nothing lost while it is up.

    Does not imitate: connection set-up, retained messages, a broker that forgets.
    """

    def __init__(self, loop: aio.Loop) -> None:
        self.network = True
        #: messages taken, as (topic, payload)
        self.taken: list[tuple[str, str]] = []
        self._loop = loop
        self._connection = 0
        self._inbound: list[ports.Message] = []
        self._token = 0
        self._telling = False

    def publish(self, leaf: str, payload: bytes, retained: bool = False) -> None:
        """A host says something on `leaf`, below the controller's root; kept while the controller is away."""
        self._token += 1
        self._inbound.append(ports.Message(self._token, leaf, payload, retained))
        self._later(self._deliver)

    def heard(self, token: int) -> None:
        """The first that waits is dealt with."""
        if self._inbound and self._inbound[0].token == token:
            self._telling = False
            self._inbound.pop(0)
            self._later(self._deliver)

    def _deliver(self) -> None:
        if self._inbound and self.on_message is not None and self.network and not self._telling:
            self._telling = True
            self.on_message(self._inbound[0])

    def connect(self) -> None:
        """A controller has started: it is connected at once if there is a network."""
        self._connection += 1
        self._telling = False
        if self.network:
            self._later(lambda: self.on_up(True) if self.on_up is not None else None)
            self._later(self._deliver)

    def drop(self) -> None:
        """The controller has gone."""
        self._connection += 1
        self.on_up = None
        self.on_taken = None
        self.on_message = None

    def set_network(self, on: bool) -> None:
        """Cut the cable, or mend it."""
        if on == self.network:
            return
        self.network = on
        self._connection += 1
        if on:
            self.connect()
        elif self.on_up is not None:
            self.on_up(False)

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """Taken after `PUBLISH_MS`, unless the connection ends before."""
        if self.network:
            self._later(lambda: self._take(token, topic, payload))

    def _take(self, token: int, topic: str, payload: str) -> None:
        self.taken.append((topic, payload))
        if token and self.on_taken is not None:
            self.on_taken(token)

    def _later(self, call: Callable[[], object]) -> None:
        connection = self._connection

        def if_still_there() -> None:
            if connection == self._connection:
                call()

        self._loop.call_at(self._loop.now_ms() + PUBLISH_MS, if_still_there)


class VirtualParts(Parts):
    """Journal and store on a simulated disk, and a virtual broker."""

    def __init__(
        self, config: dict[str, Any], loop: aio.Loop, seeded: random.Random, broker: VirtualBroker
    ) -> None:
        self.disk = SimDisk(seeded)
        self._config = config
        self._loop = loop
        self._random = seeded
        self._broker = broker
        self._key = seeded.randbytes(32)
        # Of their own: what a host says must not move what the disk forgets.
        self._nonces = random.Random(self._key)
        self._identity = Identity.of(self._nonces.randbytes(IDENTITY_BYTES))
        #: bytes  the demo operator's Ed25519 seed
        self.operator_seed = self._nonces.randbytes(32)
        public = base64.b64encode(signing.public_of(self.operator_seed)).decode()
        self._first = {OPERATOR: (OWNER, public)}
        #: dict  the controller's public keys
        self.public_key = self._identity.public_key
        #: callable ()  told when the controller is to start anew; None: it refuses
        self.on_restart: Callable[[], None] | None = None
        self._executors: list[InlineExecutor] = []

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
        self._executors = [InlineExecutor(self._loop), InlineExecutor(self._loop)]
        journal = SqliteJournal(
            "journal.db",
            self._executors[0],
            self._loop,
            self._config["controller"]["name"],
            limit=self._config["journal"]["limit"],
            vfs=self.disk.vfs_name,
            simulated=True,
            random=self._random.randbytes,
        )
        journal.open()
        store = self._store(self._executors[1])
        self._broker.connect()
        return journal, store, self._broker

    def _store(self, executor: InlineExecutor) -> CredentialStore:
        vfs, randbytes = self.disk.vfs_name, self._random.randbytes
        store = CredentialStore("keys.db", executor, self._key, vfs, randbytes)
        store.open()
        return store

    def commands(self, controller: Controller) -> CommandDesk:
        """Of this start: who the controller is stays, its nonces do not."""
        executor = InlineExecutor(self._loop)
        self._executors.append(executor)
        return CommandDesk(
            controller,
            self._broker,
            self._identity,
            self._first,
            executor,
            self._nonces.randbytes,
            self.on_restart,
        )

    def kill(self) -> None:
        """The power has gone."""
        for executor in self._executors:
            executor.kill()
        self._broker.drop()
        self.disk.power_cut()

    def close(self) -> None:
        """A clean end."""
        for executor in self._executors:
            executor.close()
        self.disk.close()


class Building:
    """A world and its controller in virtual time, at 0 ms with the controller deciding."""

    def __init__(
        self, config: dict[str, Any], people: list[person.Person], start_ms: int, seed: int
    ) -> None:
        seeded = random.Random(seed)
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        lines, serial_ports = FakeLines(FakeTicks(self.clock)), FakeSerialPorts()
        analog_inputs = FakeAnalogInputs()
        self._start_ms = start_ms
        box = config["controller"]
        self.wall = FakeWall(self.clock, start_ms, box["timezone"], box["rtc"])
        self.broker = VirtualBroker(self.loop)
        self.parts = VirtualParts(config, self.loop, seeded, self.broker)
        self.parts.provision(person.changes(people, config["access_points"]))
        self.world = World(config, self.loop, lines, serial_ports, analog_inputs, people, seed)
        self.machine = Machine(
            config, self.loop, lines, serial_ports, analog_inputs, self.wall, self.parts
        )
        self.world.on_power = self.machine.set_power
        self.world.told = self.machine.told
        self.machine.on_told = self.world.look_at_outputs
        self.world.on_network = self._set_network
        self.world.on_clock = self.wall.step

    def start(self) -> None:
        """Power on, and let bolts and magnets come to rest."""
        self.machine.boot_now()
        self.loop.run(aio.sleep_ms(SETTLE_MS))
        self.wall.set_utc_ms(self._start_ms)

    def _set_network(self, on: bool) -> None:
        self.wall.set_network(on)
        self.broker.set_network(on)

    def now_ms(self) -> int:
        """Milliseconds of the story; what the start did counts at 0."""
        return max(0, self.at(self.clock.now_ms()))

    def at(self, clock_ms: int) -> int:
        """The story's time of an instant of the clock."""
        return clock_ms - SETTLE_MS
