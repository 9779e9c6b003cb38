"""The journal as the controller runs it: a thread, a real disk, a real clock."""

import json
import tempfile
from pathlib import Path

from test_firmware_services_journal_rig import event

from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.runtime.ports import Batch
from firmware.services import database
from firmware.services.executor import ThreadExecutor
from firmware.services.journal import SqliteJournal
from firmware.services.waker import WakingPollWaiter
from firmware.trust import chain
from hal.backends.monotonic_ticks import MonotonicTicks

STARTS = 5
BATCHES = 60


def test_whenever_it_is_killed_what_was_acknowledged_is_there_and_the_next_start_opens_it() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "journal.db"
        acknowledged: list[str] = []
        for boot in range(1, STARTS + 1):
            loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
            executor = ThreadExecutor(loop, "journal")
            journal = SqliteJournal(str(path), executor, loop, "c-01")
            journal.open()
            assert journal.boot == boot
            assert journal.kept.get("boot", 0) == boot - 1
            journal.on_written = lambda events, at: acknowledged.extend(e["hash"] for e in events)
            enough = aio.Event()

            def done(batch: Batch, enough: aio.Event = enough, boot: int = boot) -> None:
                if batch.kept["number"] == BATCHES // 2:
                    enough.set()

            for number in range(BATCHES):
                kept = {"boot": boot, "number": number}
                batch = Batch([event("access.granted"), event("portal.released")], [1, 1], kept)
                journal.append(batch, done)

            async def until(enough: aio.Event = enough) -> None:
                assert await enough.wait(10000)

            loop.run(until())
            if boot == STARTS:
                executor.close()
            else:
                executor.kill()
        connection = database.connect(str(path), None)
        rows = connection.execute("SELECT body FROM events ORDER BY seq").fetchall()
        stored = [json.loads(str(body)) for (body,) in rows]
        connection.close(True)
        assert chain.verify(stored) == (True, None, "")
        hashes = [record["hash"] for record in stored]
        assert not set(acknowledged) - set(hashes)
        assert len(hashes) >= STARTS * BATCHES  # half of each start's, two events a batch
