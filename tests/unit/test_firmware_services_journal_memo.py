"""A journal that is lost takes nobody's revocation with it, and its successor knows that it does not know."""

import errno
from pathlib import Path
from typing import Any

import pytest
from test_firmware_services_journal_rig import Rig

from firmware.runtime.command_gate import LOST
from firmware.services import journal_memo
from firmware.services.disk_files import Files

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
SET = {"role": "owner", "key": KEY, "revoked": True}
MEMO = "journal.operators"


def _rig(**kept: Any) -> Rig:
    rig = Rig()
    rig.boot()
    rig.write(
        "system.started", **{"operator/op-ling": {**SET, "n": 7}, "operator/op-demo": {"n": 9}}
    )
    if kept:
        rig.write("portal.mode", **kept)
    rig.executor.close()
    return rig


def _lose(rig: Rig, how: str) -> None:
    if how == "missing":
        rig.disk.remove("journal.db", True)
    else:
        rig.disk.write("journal.db", b"garbage" * 1000 if how == "garbage" else b"")
    if "journal.db-wal" in rig.disk.names():
        rig.disk.remove("journal.db-wal", True)


@pytest.mark.parametrize("how", ["missing", "empty", "garbage"])
def test_who_was_set_or_revoked_is_so_after_the_journal_is_lost(how: str) -> None:
    rig = _rig(mode="blocked")
    _lose(rig, how)
    assert rig.boot().kept == {"operator/op-ling": SET, LOST: True}


def test_the_successor_keeps_it_and_can_be_lost_in_turn() -> None:
    rig = _rig()
    for _ in range(2):
        _lose(rig, "garbage")
        assert rig.boot().kept == {"operator/op-ling": SET, LOST: True}
        rig.write("system.started")
        rig.executor.close()
    assert rig.boot().kept == {"operator/op-ling": SET, LOST: True}


def test_however_much_of_a_journal_could_be_read_what_has_run_is_not_known() -> None:
    rig = _rig(mode="blocked")
    content = bytearray(rig.disk.read("journal.db"))
    at = content.rindex(b'"type":"portal.mode"') // 4096 * 4096
    content[at : at + 8] = b"\xff" * 8
    rig.disk.write("journal.db", bytes(content))
    kept = {"operator/op-ling": {**SET, "n": 7}, "operator/op-demo": {"n": 9}, "mode": "blocked"}
    assert rig.boot().kept == {**kept, LOST: True}


def _frames_with(log: bytearray, text: bytes) -> list[int]:
    """Where the pages in a log begin that say `text`."""
    pages = range(32 + 24, len(log), 24 + 4096)
    return [at for at in pages if text in log[at : at + 4096]]


def test_a_page_of_an_earlier_day_brings_nobody_back() -> None:
    rig = _rig()
    rig.boot()
    rig.write("command.accepted", **{"operator/op-ling": {**SET, "revoked": False, "n": 8}})
    rig.write("access.granted", mode="blocked")
    rig.write("command.accepted", **{"operator/op-ling": {**SET, "n": 9}})
    rig.write("access.granted")
    rig.executor.kill()
    log = bytearray(rig.disk.read("journal.db-wal"))
    newest = _frames_with(log, b'"revoked":true')[-1]
    log[newest + 2000] ^= 1
    rig.disk.write("journal.db-wal", bytes(log))
    kept = rig.boot().kept
    assert LOST in kept
    assert kept["operator/op-ling"] == {**SET, "n": 8}, "the memo's word, and what was found of n"
    assert (kept["operator/op-demo"], kept["mode"]) == ({"n": 9}, "blocked")


def test_who_was_let_in_again_is_not_shut_out_by_an_older_page() -> None:
    rig = _rig()
    rig.boot()
    rig.write("command.accepted", **{"operator/op-ling": {**SET, "revoked": False}})
    rig.write("access.granted")
    rig.executor.kill()
    log = bytearray(rig.disk.read("journal.db-wal"))
    log[_frames_with(log, b'"revoked":false')[-1] + 2000] ^= 1
    rig.disk.write("journal.db-wal", bytes(log))
    assert rig.boot().kept["operator/op-ling"]["revoked"] is False


@pytest.mark.parametrize("mark", [None, b"\x75f3a9c0\n"])
@pytest.mark.parametrize("way", ["missing", "empty"])
def test_a_memo_alone_says_that_there_was_a_journal(mark: bytes | None, way: str) -> None:
    rig = _rig()
    _lose(rig, way)
    if mark is None:
        rig.disk.remove("journal.name", True)
    else:
        rig.disk.write("journal.name", mark)
    assert rig.boot().kept == {"operator/op-ling": SET, LOST: True}
    rig.write("system.started")
    assert rig.health[0][1].startswith(f"journal.db: is {way}; ")
    assert rig.health[0][1].endswith("a new one was begun")


def test_a_mark_that_is_torn_and_no_memo_is_a_journal_that_was_lost() -> None:
    rig = Rig()
    rig.disk.write("journal.name", b"5f3a")
    assert rig.boot().kept == {LOST: True}


def test_a_change_is_noted_before_the_journal_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = _rig()
    rig.boot()
    noted: list[str] = []
    keep = journal_memo.keep

    def seen(files: Files, path: str, kept: Any) -> None:
        keep(files, path, kept)
        known = journal_memo.read(files, path) or {}
        noted.append(f"{known['operator/op-ling']['revoked']} at {rig.stored()[-1]['seq']}")

    monkeypatch.setattr(journal_memo, "keep", seen)
    rig.write("command.accepted", **{"operator/op-ling": {**SET, "revoked": False}})
    assert noted[0] == "False at 2"


def test_a_first_start_has_lost_nothing() -> None:
    assert Rig().boot().kept == {}


def test_a_memo_follows_every_change_and_is_written_anew_where_it_is_gone() -> None:
    rig = Rig()
    rig.boot()
    rig.write("system.started", **{"operator/op-demo": {"n": 9}})
    assert MEMO not in rig.disk.names(), "nobody was set"
    rig.write("system.started", **{"operator/op-ling": {**SET, "revoked": False}})
    rig.write("system.started", **{"operator/op-ling": SET})
    rig.disk.remove(MEMO, True)
    rig.executor.close()
    rig.boot()
    rig.executor.close()
    _lose(rig, "missing")
    assert rig.boot().kept["operator/op-ling"] == SET


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"{}\n00000000\n", b"[1]\n4a3a2b1c\n", b"x" * 9999]
)
def test_a_memo_that_is_not_what_was_written_says_nothing(content: bytes) -> None:
    rig = _rig()
    rig.disk.write(MEMO, content)
    _lose(rig, "missing")
    assert rig.boot().kept == {LOST: True}
    rig.write("system.started")
    assert rig.health[0] == (
        False,
        "journal.db: is missing; a new one was begun"
        "; journal.operators is damaged too: see who may command",
    )


def test_one_flipped_bit_of_a_memo_is_seen(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.db")
    journal_memo.keep(
        Files(), path, {"operator/op-ling": '{"role":"owner","key":"k","revoked":true}'}
    )
    memo = tmp_path / MEMO
    whole = memo.read_bytes()
    assert journal_memo.read(Files(), path) != {}
    assert memo.stat().st_mode & 0o777 == 0o600
    for at in range(len(whole)):
        memo.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert journal_memo.read(Files(), path) is None, at


def test_a_memo_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Files, "put", full)
    kept = {"operator/op-ling": '{"role":"owner"}'}
    journal_memo.keep(Files(), str(tmp_path / "journal.db"), kept)
    assert journal_memo.read(Files(), str(tmp_path / "journal.db")) == {}


def test_a_folder_in_the_place_of_a_memo_gives_way(tmp_path: Path) -> None:
    for name in (MEMO, MEMO + ".new"):
        (tmp_path / name).mkdir()
    assert journal_memo.read(Files(), str(tmp_path / "journal.db")) is None
    kept = {"operator/op-ling": '{"role":"owner"}'}
    journal_memo.keep(Files(), str(tmp_path / "journal.db"), kept)
    assert journal_memo.read(Files(), str(tmp_path / "journal.db")) != {}
    assert (tmp_path / f"{MEMO}.folder").is_dir()
