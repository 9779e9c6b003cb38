"""`sim.desk_parts`: what was changed of the demo's keys outlives the next start of the desk."""

from pathlib import Path

import pytest

import hal.board
from firmware.access import access_point
from firmware.runtime import aio
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


def test_a_key_that_was_changed_stays_so_and_the_others_are_todays(tmp_path: Path) -> None:
    config = hal.board.load("board_configs/demo-sim.toml")
    key = bytes(32)
    path = str(tmp_path / "keys.db")
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    for day in range(3):
        people = person.people(config, START_MS + day * DAY_MS, [])
        parts = DeskParts(
            config, loop, str(tmp_path), key, Identity.of(bytes(64)), ("op-demo", bytes(32)), []
        )
        parts.provision(person.changes(people, config["access_points"]))
        if day == 0:
            executor = InlineExecutor(loop)
            store = CredentialStore(path, executor, key)
            store.open()
            store.apply([("life", 1001, "cancel", {})])
            executor.close()
        file = KeyFile(path, key, None, bytes)
        file.open()
        resident = file.find("w26:031:20417")
        visitor = file.find(number_of(key, access_point.CODE, "DOORWARD-VISIT-7Q4K-2M9X"))
        file.close()
        assert resident is not None
        assert visitor is not None
        assert (resident.state, resident.version) == ("cancelled", 2)
        expected = {somebody.name: somebody for somebody in people}["visitor"]
        assert visitor.valid_from_s == expected.valid_from_s


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
