"""A journal that is lost takes nobody's revocation with it, and its successor knows that it does not know."""

from pathlib import Path
from typing import Any

import pytest
from test_firmware_services_journal_rig import Rig

from firmware.runtime.command_gate import LOST
from firmware.services import journal_memo
from firmware.services.database import Files

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


def test_a_journal_whose_kept_things_could_all_be_read_has_lost_nothing() -> None:
    rig = _rig(mode="blocked")
    content = bytearray(rig.disk.read("journal.db"))
    at = content.rindex(b'"type":"portal.mode"') // 4096 * 4096
    content[at : at + 8] = b"\xff" * 8
    rig.disk.write("journal.db", bytes(content))
    kept = rig.boot().kept
    assert kept["operator/op-ling"] == {**SET, "n": 7}
    assert LOST not in kept


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
        assert journal_memo.read(Files(), path) == {}, at


def test_a_memo_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / MEMO).mkdir()
    kept = {"operator/op-ling": '{"role":"owner"}'}
    journal_memo.keep(Files(), str(tmp_path / "journal.db"), kept)
    assert journal_memo.read(Files(), str(tmp_path / "journal.db")) == {}
