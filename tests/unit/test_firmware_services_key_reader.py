"""`firmware.services.key_reader`: a long change keeps nobody waiting, on the real disk, with real threads."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.access import access_point
from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.runtime.ports import Page, Synced
from firmware.services import database, key_bulk, key_pages
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import ThreadExecutor
from firmware.services.key_file import KeyFile
from firmware.services.waker import WakingPollWaiter
from hal.backends.monotonic_ticks import MonotonicTicks

KEY = b"k" * 32
SENDER = "op-ling -"
LEVEL = ("level", "all", [["*", None]])
SET = 200_000
PAGE = 20_000  # larger than a command would bring, so that the test is short
WAIT_MS = 120_000  # a limit, no measure


class Rig:
    """A store with two threads, as a controller has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loop = aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())
        self.executor = ThreadExecutor(self.loop, "keys")
        self.finder = ThreadExecutor(self.loop, "look-ups")
        self.store = CredentialStore(str(path), self.executor, KEY, finder=self.finder)
        self.store.open()

    def close(self) -> None:
        for executor in (self.executor, self.finder):
            executor.close()

    def sync(self, page: Page) -> Synced | None:
        """Take a page, and wait for that."""
        answers: list[Any] = []
        taken = aio.Event()

        def done(problem: str | None, synced: Synced | None) -> None:
            answers.append((problem, synced))
            taken.set()

        async def wait() -> None:
            assert await taken.wait(WAIT_MS)

        self.store.sync(page, done)
        self.loop.run(wait())
        assert answers[0][0] is None
        return answers[0][1]  # type: ignore[no-any-return]

    def card(self, number: int) -> int | None:
        """Whose card it is; waits for the answer."""
        found: list[Any] = []
        answered = aio.Event()

        def done(key: Any) -> None:
            found.append(None if key is None else key.id)
            answered.set()

        async def wait() -> None:
            assert await answered.wait(WAIT_MS)

        self.store.find(access_point.CARD, _card(number), done)
        self.loop.run(wait())
        return found[0]  # type: ignore[no-any-return]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "keys.db")
    yield made
    made.close()


def _card(number: int) -> str:
    return "w26:%03d:%05d" % divmod(number, 60_000)


def _key(number: int) -> dict[str, Any]:
    return {"id": number, "levels": ["all"], "cards": [_card(number)]}


def _page(number: int, pages: int, first: int) -> Page:
    keys = [_key(first + at) for at in range(PAGE)]
    return Page(9, number, pages, True, keys, [], SENDER)


def test_residents_are_found_by_the_old_set_until_the_new_one_is_in_force_and_then_by_the_new(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.store.apply([LEVEL, ("upsert", _key(7))])
    pages = SET // PAGE
    for number in range(1, pages):
        synced = rig.sync(_page(number, pages, 1000 + number * PAGE))
        assert synced == Synced(0, False, None)

    story: list[Any] = []
    real = key_bulk.Bulk.put
    chunks = 0
    go_on = threading.Event()

    def put(bulk: key_bulk.Bulk, rows: Any) -> Any:
        nonlocal chunks
        refused = real(bulk, rows)
        chunks += 1
        if chunks == 20:  # 100,000 of them are written: somebody comes
            rig.loop.post(come)
            assert go_on.wait(WAIT_MS / 1000)
        return refused

    def come() -> None:
        def first(key: Any) -> None:
            story.append(("old", key and key.id))
            rig.store.find(access_point.CARD, _card(1000 + PAGE), second)

        def second(key: Any) -> None:
            story.append(("new", key and key.id))
            story.append(rig.store.held()[:2])
            go_on.set()

        rig.store.find(access_point.CARD, _card(7), first)

    monkeypatch.setattr(key_bulk.Bulk, "put", put)
    synced = rig.sync(_page(pages, pages, 1000 + pages * PAGE))
    story.append("in force")
    assert synced == Synced(9, True, None)
    assert story == [("old", 7), ("new", None), (1, 0), "in force"]
    assert rig.store.held() == (SET, 9, True)
    assert (rig.card(7), rig.card(1000 + PAGE)) == (None, 1000 + PAGE)
    assert (rig.path.parent / "keys.db-wal").stat().st_size <= database.WAL_KEPT_BYTES
    rig.close()
    good = KeyFile(str(rig.path.parent / "keys.good.db"), KEY, None, bytes)
    good.open()
    assert (good.count, good.problems) == (SET, [])
    good.close()


def test_what_is_committed_and_not_yet_known_is_not_found_yet(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.store.apply([LEVEL])
    seen: list[int | None] = []
    real = KeyFile._learn

    def learn(file: KeyFile) -> None:
        found = file.find(_card(7))  # committed: the file has it
        seen.append(None if found is None else found.id)
        real(file)

    monkeypatch.setattr(KeyFile, "_learn", learn)
    rig.store.apply([("upsert", _key(7))])
    assert seen == [None]
    assert rig.card(7) == 7


def test_a_set_that_is_refused_leaves_the_old_one_to_be_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.store.apply([LEVEL, ("upsert", _key(7))])
    monkeypatch.setattr(key_pages, "_apply", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rig.store._file.sync(Page(2, 1, 1, True, [_key(8)], [], SENDER))
    assert (rig.card(7), rig.card(8), rig.store.held()[:2]) == (7, None, (1, 0))
    rig.store.apply([("upsert", _key(8))])
    assert rig.card(8) == 8


def test_many_changes_do_not_let_the_wal_grow(rig: Rig) -> None:
    rig.store.apply([LEVEL])
    wal = rig.path.parent / "keys.db-wal"
    for number in range(1, 30):
        rig.store.apply([("upsert", _key(number * 2000 + at)) for at in range(2000)])
        assert wal.stat().st_size < 6 << 20
    assert rig.store.held()[0] == 58_000


_ANOTHER = """
import sys
import apsw
from firmware.services import database
try:
    database.connect(sys.argv[1], None, shared=True)
except apsw.BusyError:
    print("in use")
"""


def test_no_other_process_opens_the_store_meanwhile(rig: Rig) -> None:
    rig.store.apply([LEVEL])
    command = [sys.executable, "-c", _ANOTHER, str(rig.path)]
    told = subprocess.run(command, capture_output=True, timeout=60, check=True, text=True)
    assert told.stdout == "in use\n"


def test_a_file_that_goes_bad_is_mended_though_it_is_read_by_two(tmp_path: Path) -> None:
    before = Rig(tmp_path / "keys.db")
    before.store.apply([LEVEL, ("upsert", _key(7))])
    before.close()
    rig = Rig(tmp_path / "keys.db")
    connection = rig.store._file._connection
    assert connection is not None
    size = rig.path.stat().st_size
    with open(rig.path, "r+b") as file:
        file.seek(4096)  # behind the schema
        file.write(b"\xff" * (size - 4096))
    database.pragma(connection, "shrink_memory")
    assert rig.card(7) == 7
    assert rig.store.problems == [
        "keys.db: is corrupt; set aside as keys-corrupt-1.db; the last good copy is used"
    ]
    assert rig.store._file._reader.is_open
    assert rig.card(8) is None
    rig.close()
