"""What the tests of the journal stand on: a journal on a simulated disk, in virtual time."""

import json
import random
from typing import Any

from firmware.runtime import aio
from firmware.runtime.ports import Batch
from firmware.services import database
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.journal_draft import Sign
from sim.disk import SimDisk


class Rig:
    """One controller's disk and loop; `boot` opens the journal on it, `kill` takes the power away."""

    def __init__(self, seed: int = 1, limit: int = 100000, sign: Sign | None = None) -> None:
        self.random = random.Random(seed)
        self.disk = SimDisk(self.random)
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        self.limit = limit
        self.sign = sign
        self.health: list[tuple[bool, str]] = []
        self.written: list[dict[str, Any]] = []
        self.times: list[int] = []

    def boot(self) -> SqliteJournal:
        self.executor = InlineExecutor(self.loop)
        self.journal = SqliteJournal(
            "journal.db",
            self.executor,
            self.loop,
            "c-01",
            limit=self.limit,
            vfs=self.disk.vfs_name,
            random=self.random.randbytes,
            sign=self.sign,
        )
        self.journal.open()
        self.journal.on_health = lambda ok, text: self.health.append((ok, text))
        self.journal.on_written = self._written
        return self.journal

    def restart(self) -> SqliteJournal:
        """Off and on again at this instant."""
        self.kill()
        return self.boot()

    def kill(self) -> None:
        self.executor.kill()
        self.disk.power_cut()

    def run(self, ms: int = 10) -> None:
        async def wait() -> None:
            await aio.sleep_ms(ms)

        self.loop.run(wait())

    def append(self, *types: str, late: bool = False, **kept: Any) -> Batch:
        batch = Batch([event(kind) for kind in types], [self.loop.now_ms()] * len(types), kept)
        batch.late = late
        self.journal.append(batch, lambda batch: None)
        return batch

    def write(self, *types: str, **kept: Any) -> None:
        """Append, and see it durable."""
        batch = self.append(*types, **kept)
        self.run()
        assert batch.durable

    def pending(self, limit: int = 1000) -> list[tuple[int, dict[str, Any]]]:
        found: list[tuple[int, str]] = []
        self.journal.pending(limit, found.extend)
        self.run(2)
        return [(token, json.loads(body)) for token, body in found]

    def onward(self, limit: int, begin: bool = False) -> list[int]:
        found: list[tuple[int, str]] = []
        self.journal.onward(limit, begin, found.extend)
        self.run(2)
        return [token for token, _ in found]

    def again(self, limit: int, begin: bool = True) -> list[int]:
        found: list[tuple[int, str]] = []
        self.journal.again(limit, begin, found.extend)
        self.run(4)
        return [token for token, _ in found]

    def store(self, seq: int, hash: str | None = None, journal: str | None = None) -> bool:
        """The host's word; whether it counts."""
        known = {event["seq"]: event["hash"] for event in self.written}
        said: list[bool] = []
        hash = known.get(seq, "0" * 64) if hash is None else hash
        self.journal.stored(journal or self.journal.name, seq, hash, said.append)
        self.run(2)
        return said[0]

    def stored(self, name: str = "journal.db") -> list[dict[str, Any]]:
        """The events that are in a file, whoever wrote them."""
        connection = database.connect_read_only(name, self.disk.vfs_name)
        rows = connection.execute("SELECT body FROM events ORDER BY seq").fetchall()
        connection.close(True)
        return [json.loads(str(row[0])) for row in rows]

    def _written(self, events: list[dict[str, Any]], at_ms: list[int]) -> None:
        assert len(events) == len(at_ms)
        self.written += events
        self.times += at_ms


def event(kind: str) -> dict[str, Any]:
    return {"type": kind, "time": "2026-11-21T08:15:02.417Z", "clock": "trusted"}


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]
