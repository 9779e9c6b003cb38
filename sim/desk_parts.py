"""What the controller on a desk is made of: journal and store in a folder, the link in its own process."""

import base64
import os
import signal
from typing import Any

import apsw

from firmware.runtime import aio, ports
from firmware.runtime.controller import Controller
from firmware.runtime.operators import OWNER
from firmware.services import database, health, secrets
from firmware.services.command_desk import CommandDesk
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import ThreadExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.link_child import LinkProcess
from firmware.trust import chain, signing
from firmware.trust.identity import Identity
from firmware.wire import payload
from sim.disk import NONE, SLOW
from sim.failing_disk import FailingDisk
from sim.machine import Parts
from sim.sent_config import SentConfig


class DeskParts(Parts):
    """Journal and store in a folder, the link in a process of its own."""

    def __init__(
        self,
        config: dict[str, Any],
        loop: aio.Loop,
        folder: str,
        key: bytes,
        identity: Identity,
        operator: tuple[str, bytes],
        problems: list[str],
    ) -> None:
        self.sent = SentConfig(config, folder)
        self._loop = loop
        self._folder = folder
        self._key = key
        self._identity = identity
        name, seed = operator
        self._first = {name: (OWNER, base64.b64encode(signing.public_of(seed)).decode())}
        self._executors: list[ThreadExecutor] = []
        self._problems = list(problems)  # what was found wrong, for the first start's records
        self._link: LinkProcess | None = None
        #: FailingDisk  under journal and keys
        self.disk = FailingDisk()
        #: str  how its disk does: one of `sim.disk`'s words
        self.storage = NONE

    def provision(self, changes: list[Any]) -> None:
        """Give a new folder's store the demo's people; later the keys are as their owner left them.

        Once a controller has lived there even an empty store stays empty: a key that has ended must not
        come back with a start (law 5). A store that cannot be changed stays as it is, and the first
        start's records say so.
        """
        if secrets.has_begun(self._folder):
            return
        executor = ThreadExecutor(self._loop, "keys")
        store = CredentialStore(self._path("keys.db"), executor, self._key, self.disk.vfs_name)
        store.open()
        try:
            if not store.version:
                store.apply(changes)
        except apsw.Error as error:
            words = database.describe(error)
            self._problems.append(f"keys.db: {words}; the demo's people could not be brought in")
        self._problems += store.problems
        store.close()
        executor.close()

    def boot(self) -> tuple[ports.Journal, ports.Store, ports.Transport]:
        """Open journal and store, start the link."""
        config = self.sent.config
        site, name = config["controller"]["site"], config["controller"]["name"]
        self._executors = [
            ThreadExecutor(self._loop, "journal"),
            ThreadExecutor(self._loop, "keys"),
        ]
        journal = SqliteJournal(
            self._path("journal.db"),
            self._executors[0],
            self._loop,
            name,
            limit=config["journal"]["limit"],
            vfs=self.disk.vfs_name,
            simulated=True,
            sign=chain.signer(self._identity.signed, f"{site}/{name}"),
        )
        self.disk.set_power(True)
        self.disk.fail(NONE if self.storage == SLOW else self.storage)  # or the desk stood still
        journal.open()
        store = CredentialStore(
            self._path("keys.db"), self._executors[1], self._key, self.disk.vfs_name
        )
        store.open(self._problems)
        self.disk.fail(self.storage)
        self._problems = []
        will = payload.dumps({"state": "offline"})
        self._link = LinkProcess(config["link"], site, name, self._loop, will)
        self._link.start()
        return journal, store, self._link

    def commands(self, controller: Controller) -> CommandDesk | None:
        """Of this start, in a thread of its own; the demo's operator is an owner."""
        if self._link is None:
            return None
        executor = ThreadExecutor(self._loop, "commands")
        self._executors.append(executor)
        return CommandDesk(controller, self._link, self._identity, self._first, executor)

    def measure(self) -> dict[str, Any]:
        """The desk's own disk and memory."""
        return health.measure(self._folder)

    def kill(self) -> None:
        """The power has gone: nothing more is written, the link dies in the middle of a word."""
        self.disk.set_power(False)
        for executor in self._executors:
            executor.kill()
        if self._link is not None:
            self._link.kill()

    def fail_storage(self, mode: str) -> None:
        """From now on the disk fails so (`sim.disk`), or works again."""
        self.storage = mode
        self.disk.fail(mode)

    def crash(self) -> None:
        """The door process has ended, as far as that can be shown in one that goes on."""
        self.kill()

    def freeze(self) -> None:
        """Not in real time: the desk itself would hang."""
        raise NotImplementedError

    def crash_link(self) -> None:
        """The link's process is killed; `LinkProcess` starts another one."""
        if self._link is not None and self._link.pid is not None:
            os.kill(self._link.pid, signal.SIGKILL)

    def close(self) -> None:
        """A clean end."""
        if self._link is not None:
            self._link.stop()
        for executor in self._executors:
            executor.close()

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)
