"""`sim.desk_parts`: the demo's people are given once; what their owner makes of them outlives a start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.access import access_point
from firmware.access.credential import Credential
from firmware.runtime import aio
from firmware.runtime.ports import Page, Synced
from firmware.services.credential_store import CredentialStore
from firmware.services.executor import InlineExecutor
from firmware.services.key_changes import number_of
from firmware.services.key_file import KeyFile
from firmware.services.link_child import LinkProcess
from firmware.trust.identity import Identity
from sim import person
from sim.desk_parts import DeskParts

START_MS = 1_795_248_000_000
DAY_MS = 86_400_000


KEY = bytes(32)
CONFIG = hal.board.load("board_configs/demo-sim.toml")


class Folder:
    """A state folder that simulators are started on, and that its owner changes between the starts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))

    def start(self, day: int = 0) -> list[str]:
        """What a start of the simulator does to the keys; what it found wrong."""
        people = person.people(CONFIG, START_MS + day * DAY_MS, [])
        identity = Identity.of(bytes(64))
        parts = DeskParts(
            CONFIG, self.loop, str(self._path), KEY, identity, ("op-demo", bytes(32)), []
        )
        parts.provision(person.changes(people, CONFIG["access_points"]))
        (self._path / "journal.name").write_text("5f3a9c01\n")  # as a controller's first start
        return parts._problems

    def change(self, *changes: tuple[object, ...]) -> None:
        with self.store() as store:
            store.apply(changes)

    def sync(self, **page: Any) -> Synced | None:
        """Send a page of version 3; nothing of it is refused."""
        fields = {"version": 3, "pages": 1, "whole": True, "upsert": [], "remove": [], **page}
        fields["sender"] = "op-ling -"
        answers: list[tuple[str | None, Synced | None]] = []
        with self.store() as store:
            store.sync(Page(**fields), lambda error, synced: answers.append((error, synced)))
            self.loop.run(aio.sleep_ms(1))
        assert answers[0][0] is None
        return answers[0][1]

    @contextmanager
    def store(self) -> Iterator[CredentialStore]:
        executor = InlineExecutor(self.loop)
        store = CredentialStore(str(self._path / "keys.db"), executor, KEY)
        store.open()
        yield store
        executor.close()

    def find(self, number: str) -> Credential | None:
        file = KeyFile(str(self._path / "keys.db"), KEY, None, bytes)
        file.open()
        found = file.find(number)
        file.close()
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """One where the simulator was started once."""
    fresh = Folder(tmp_path)
    assert fresh.start() == []
    return fresh


CARD = "w26:031:20417"


def test_the_demos_people_are_given_once_and_never_again(folder: Folder) -> None:
    code = number_of(KEY, access_point.CODE, "DOORWARD-VISIT-7Q4K-2M9X")
    given = folder.find(CARD), folder.find(code)
    assert None not in given
    folder.start(day=1)
    assert (folder.find(CARD), folder.find(code)) == given


def test_a_key_that_was_removed_stays_removed(folder: Folder) -> None:
    folder.change(("remove", 1001))
    assert folder.start() == []
    assert folder.find(CARD) is None
    assert folder.find("w26:031:20042") is not None


def test_a_card_that_was_reported_lost_under_the_same_version_stays_lost(folder: Folder) -> None:
    folder.change(("upsert", {"id": 1001, "cards": [CARD], "state": "lost", "version": 1}))
    folder.start()
    found = folder.find(CARD)
    assert found is not None
    assert (found.state, found.version) == ("lost", 1)


def test_a_level_that_was_narrowed_stays_narrow(folder: Folder) -> None:
    folder.change(("level", person.EVERYWHERE, [["yard-in", None]]))
    folder.start()
    with folder.store() as store:
        assert store.rights().levels[person.EVERYWHERE] == [("yard-in", None, False)]


def test_a_set_of_keys_without_the_demos_people_stays_without_them(folder: Folder) -> None:
    folder.sync(number=1, upsert=[{"id": 5, "cards": ["w26:099:00005"]}])
    assert folder.start() == []
    assert folder.find(CARD) is None
    assert folder.find("w26:099:00005") is not None


def test_a_set_of_no_keys_at_all_stays_empty(folder: Folder) -> None:
    folder.sync(number=1)
    folder.start()
    with folder.store() as store:
        assert store.held()[0] == 0


def test_the_pages_of_a_set_go_on_after_a_start(folder: Folder) -> None:
    folder.sync(number=1, pages=2, upsert=[{"id": 5, "cards": ["w26:099:00005"]}])
    folder.start()
    done = folder.sync(number=2, pages=2)
    assert done is not None
    assert done.applied
    assert folder.find("w26:099:00005") is not None


def test_keys_that_were_brought_before_the_first_start_stay_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.change(("upsert", {"id": 5, "cards": ["w26:099:00005"]}))
    folder.start()
    with folder.store() as store:
        assert store.held()[0] == 1


def test_a_store_that_was_lost_with_its_copy_is_empty_and_revives_nobody(
    tmp_path: Path, folder: Folder
) -> None:
    for name in ("keys.db", "keys.good.db"):
        (tmp_path / name).write_bytes(b"no database at all" * 100)
    folder.start()
    assert folder.find(CARD) is None


def test_a_store_that_cannot_be_changed_ends_no_start_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LinkProcess, "start", lambda link: None)
    monkeypatch.setattr(LinkProcess, "stop", lambda link: None)
    config = hal.board.load("board_configs/demo-sim.toml")
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    parts = DeskParts(
        config, loop, str(tmp_path), bytes(32), Identity.of(bytes(64)), ("op-demo", bytes(32)), []
    )
    parts.disk.fail("full")
    people = person.people(config, START_MS, [])
    parts.provision(person.changes(people, config["access_points"]))
    parts.fail_storage("full")
    _, store, _ = parts.boot()
    parts.close()
    assert isinstance(store, CredentialStore)
    assert "keys.db: is read-only; the demo's people could not be brought in" in store.problems
    assert "keys.db: the disk is full; no keys can be read: nobody is known" in store.problems
