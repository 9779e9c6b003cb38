"""`firmware.services.credential_store`: found by one look-up, changed whole or not, mended when broken."""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from firmware.access import access_point, pin
from firmware.access.credential import Credential, Right
from firmware.access.schedule import Hours
from firmware.runtime import aio
from firmware.services import key_file, key_rows, key_sums
from firmware.services.credential_store import ChangeError, CredentialStore
from firmware.services.executor import InlineExecutor
from sim.disk import SimDisk

KEY = b"k" * 32
LEVEL = ("level", "all", [["*", None]])


class Rig:
    """A store on a simulated disk."""

    def __init__(self, seed: int = 1) -> None:
        self.disk = SimDisk(random.Random(seed))
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))

    def open(
        self, vfs: str | None = None, path: str = "keys.db", found: list[str] | None = None
    ) -> CredentialStore:
        self.executor = InlineExecutor(self.loop)
        self.store = CredentialStore(path, self.executor, KEY, vfs or self.disk.vfs_name)
        self.store.open(found or [])
        return self.store

    def open_at(self, path: Path) -> CredentialStore:
        self.executor = InlineExecutor(self.loop)
        self.store = CredentialStore(str(path), self.executor, KEY)
        self.store.open()
        return self.store

    def kill(self) -> None:
        self.executor.kill()
        self.disk.power_cut()

    def find(self, kind: str, value: str) -> Credential | None:
        found: list[Any] = []
        self.store.find(kind, value, found.append)
        self.run()
        assert len(found) == 1
        return found[0]  # type: ignore[no-any-return]

    def card(self, value: str) -> int | None:
        key = self.find(access_point.CARD, value)
        return None if key is None else key.id

    def run(self) -> None:
        async def wait() -> None:
            await aio.sleep_ms(5)

        self.loop.run(wait())


def _key(number: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    return "upsert", {"id": number, "levels": ["all"], **fields}


def _card(number: int) -> str:
    return f"w26:012:{number:05d}"


# ---- found -----------------------------------------------------------------------------------------


def test_a_key_is_found_by_its_card_its_code_and_its_pin() -> None:
    rig = Rig()
    store = rig.open()
    shown = {"cards": ["w26:12:345", "uid:8F3C21D7"], "codes": ["VISIT"], "pin": "4711"}
    fields = {
        "holder": 3,
        "state": "suspended",
        "valid_from_s": 10,
        "valid_to_s": 20,
        "first_use_s": 60,
        "uses": 1,
        "extended": True,
        "override": True,
        "version": 9,
    }
    store.apply([LEVEL, _key(7, **shown, **fields)])
    found = rig.find(access_point.CARD, "w26:012:00345")
    assert found is not None
    salt, hashed = found.pin_salt, found.pin_hash
    whole = Credential(
        7,
        3,
        "suspended",
        10,
        20,
        60,
        1,
        ("all",),
        True,
        True,
        salt,
        hashed,
        9,
        None,
        None,
        None,
        False,
        False,
        None,
    )
    assert found == whole
    assert hashed == pin.salted(salt, "4711")
    assert rig.find(access_point.CARD, "w34:2403082711") == whole  # the uid's other name
    assert rig.find(access_point.CODE, "VISIT") == whole
    assert rig.find(access_point.PIN, "4711") == whole
    for kind, value in (
        (access_point.CARD, "w26:012:00346"),
        (access_point.CODE, "visit"),
        (access_point.PIN, "4712"),
        (access_point.CARD, "VISIT"),
        (access_point.PIN, "VISIT"),
    ):
        assert rig.find(kind, value) is None


def test_neither_a_pin_nor_a_code_stands_in_any_file() -> None:
    rig = Rig()
    rig.open().apply([LEVEL, _key(7, pin="862159", codes=["DOORWARD-VISIT"])])
    rig.store.close()
    for name in rig.disk.names():
        assert b"862159" not in rig.disk.read(name)
        assert b"DOORWARD-VISIT" not in rig.disk.read(name)


def test_a_pin_that_does_not_open_alone_is_not_found_alone() -> None:
    rig = Rig()
    rig.open().apply([LEVEL, _key(7, cards=[_card(1)], pin="4711", pin_alone=False)])
    rig.store.apply([_key(8, pin="4711")])
    found = rig.find(access_point.PIN, "4711")
    assert found is not None
    assert found.id == 8
    key = rig.find(access_point.CARD, _card(1))
    assert key is not None
    assert key.pin_hash == pin.salted(key.pin_salt, "4711")


def test_rights_are_there_from_memory() -> None:
    rig = Rig()
    store = rig.open()
    store.apply(
        [
            ("schedule", "mornings", ["mon-tue 08:00-12:00"]),
            ("level", "staff", [["front-in", "mornings"], ["yard-in", None]]),
            ("holidays", ["2026-10-01", 20000]),
        ]
    )
    for _ in range(2):
        rights = rig.store.rights()
        assert rights.levels == {
            "staff": [Right("front-in", "mornings", False), Right("yard-in", None, False)]
        }
        assert rights.schedules == {"mornings": [Hours(0, 28800, 43200), Hours(1, 28800, 43200)]}
        assert rights.holidays == [20000, 20727]
        rig.kill()
        rig.open()


def test_a_look_up_reads_as_many_rows_among_a_million_keys_as_among_a_hundred() -> None:
    """The plan, not the clock: two searches by key, no scan."""
    rig = Rig()
    rig.open()
    connection = rig.store._file._connection
    assert connection is not None
    plan = connection.execute("EXPLAIN QUERY PLAN " + key_rows._FIND, ("x",))
    steps = [str(row[3]) for row in plan]
    assert steps == [
        "SEARCH numbers USING PRIMARY KEY (number=?)",
        "SEARCH credentials USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
    ]


# ---- changed ---------------------------------------------------------------------------------------


def test_a_key_that_is_put_again_loses_what_it_was_found_by() -> None:
    rig = Rig()
    store = rig.open()
    store.apply([LEVEL, _key(7, cards=[_card(1), _card(2)])])
    store.apply([_key(7, cards=[_card(2), _card(3)])])
    assert [rig.card(_card(n)) for n in (1, 2, 3)] == [None, 7, 7]
    store.apply([("remove", 7)])
    assert [rig.card(_card(n)) for n in (1, 2, 3)] == [None, None, None]


def test_two_keys_change_cards_in_one_go() -> None:
    rig = Rig()
    rig.open().apply([LEVEL, _key(1, cards=[_card(1)]), _key(2, cards=[_card(2)])])
    rig.store.apply([_key(1, cards=[_card(2)]), _key(2, cards=[_card(1)])])
    assert [rig.card(_card(n)) for n in (1, 2)] == [2, 1]


def test_a_version_never_goes_down_not_even_over_a_removal() -> None:
    rig = Rig()
    store = rig.open()
    store.apply([LEVEL, _key(7, version=5)])
    store.apply([_key(7, version=5)])
    with pytest.raises(
        ChangeError, match=r"^credential 7: version 4 is old; expected 5 or higher$"
    ):
        store.apply([_key(7, version=4)])
    store.apply([("remove", 7)])
    with pytest.raises(ChangeError, match="version 5 is old; expected 6 or higher"):
        store.apply([_key(7, version=5)])
    store.apply([_key(7, cards=[_card(1)])])
    found = rig.find(access_point.CARD, _card(1))
    assert found is not None
    assert found.version == 6


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_key(8, cards=["w26:12:1"]), "credential 8: its card is taken by credential 7"),
        (_key(8, pin="4711"), "credential 8: its PIN is taken by credential 7"),
        (_key(8, codes=["VISIT"]), "credential 8: its code is taken by credential 7"),
        (_key(8, pin="123"), "credential 8: pin is none; expected 4 to 12 digits"),
        (_key(8, pin="1234567890123"), "credential 8: pin is none; expected 4 to 12 digits"),
        (_key(8, pin="12a4"), "credential 8: pin is none; expected 4 to 12 digits"),
        (_key(8, pin="\u0661\u0662\u0663\u0664"), "credential 8: pin is none; expected 4 to 12"),
        (_key(8, cards=["w26:999:1"]), "credential 8: a card number is none; expected a form"),
        (_key(8, state="gone"), "credential 8: state is unknown; expected one of active, "),
        (_key(8, valid_from_s=9, valid_to_s=9), "credential 8: valid_to_s is not after"),
        (_key(8, uses=-1), "credential 8: uses is out of range; expected a whole number from 0"),
        (_key(8, holder=True), "credential 8: holder is out of range"),
        (_key(8, extended=1), "credential 8: extended is of another type"),
        (_key(8, levels="all"), "credential 8: levels is of another type"),
        (_key(8, colour="red"), "credential 8: colour is unknown; expected one of id, "),
        (_key(8, levels=["none"]), "credential 8: level none is unknown"),
        (_key(0), "credential: id is none; expected a whole number from 1"),
        (("level", "x", [["*", "never"]]), "level x: schedule never is unknown"),
        (("level", "x", ["*"]), "level x: expected rights of access point, schedule"),
        (("schedule", "x", ["mon"]), 'schedule x: hours "mon" are not clear'),
        (("schedule", "x", 5), "schedule x: expected a list of hours"),
        (("holidays", ["2026-02-30"]), 'holidays: date "2026-02-30" is none'),
        (
            ("burn", 1),
            "change is unknown; expected upsert, life, remove, level, schedule or holidays",
        ),
        (("remove", "7"), "remove: id is none; expected a whole number"),
        (("remove",), "remove: expected one value"),
        ((), "change is unknown; expected"),
    ],
)
def test_a_change_that_is_refused_says_why_and_changes_nothing(change: Any, why: str) -> None:
    rig = Rig()
    store = rig.open()
    store.apply([LEVEL, _key(7, cards=["w26:12:1"], pin="4711", codes=["VISIT"])])
    with pytest.raises(ChangeError) as refused:
        store.apply([_key(9, cards=["w26:12:9"]), ("level", "new", []), change])
    assert str(refused.value).startswith(why)
    for secret in ("4711", "VISIT", "00001", "w26:012"):
        assert secret not in str(refused.value)
    assert rig.card("w26:012:00009") is None
    assert list(store.rights().levels) == ["all"]
    assert store.version == 1


def test_a_change_by_the_executor_tells_how_it_went() -> None:
    rig = Rig()
    store = rig.open()
    told: list[tuple[str | None, list[tuple[int, str]]]] = []
    store.apply([LEVEL, _key(7)], lambda error, changed: told.append((error, changed)))
    store.apply([_key(8, pin="1")], lambda error, changed: told.append((error, changed)))
    rig.run()
    assert told == [
        (None, [(7, "issued")]),
        ("credential 8: pin is none; expected 4 to 12 digits", []),
    ]


def test_a_hundred_thousand_keys_go_in_at_once() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig()
        store = rig.open_at(Path(folder) / "keys.db")
        store.apply([LEVEL] + [_key(n, cards=[f"w34:{n * 7919:010d}"]) for n in range(1, 100_001)])
        assert rig.card(f"w34:{77_777 * 7919:010d}") == 77_777
        connection = store._file._connection
        assert connection is not None
        _, most = connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)
        used, _ = connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)
        assert max(used, most) < 2 << 20  # however many keys there are
        store.close()


# ---- broken ----------------------------------------------------------------------------------------


def _filled(rig: Rig) -> None:
    rig.open().apply([LEVEL] + [_key(n, cards=[_card(n)]) for n in range(1, 200)])
    rig.store.close()
    rig.disk.write("keys.db-wal", b"")


def _damage(content: bytes, how: str) -> bytes:
    dice = random.Random(3)
    if how == "truncated":
        return content[: len(content) // 2]
    if how == "noise":
        return dice.randbytes(len(content))
    if how == "header":
        return dice.randbytes(100) + content[100:]
    if how == "pages":
        return content[:4096] + dice.randbytes(len(content) - 4096)
    return b"no database"


HOWS = ["truncated", "noise", "header", "pages", "text"]


@pytest.mark.parametrize("how", HOWS)
def test_a_corrupt_store_is_set_aside_and_the_last_good_copy_serves(how: str) -> None:
    rig = Rig()
    _filled(rig)
    damaged = _damage(rig.disk.read("keys.db"), how)
    rig.disk.write("keys.db", damaged)
    store = rig.open()
    assert rig.card(_card(17)) == 17
    assert list(store.rights().levels) == ["all"]
    assert len(store.problems) == 1
    assert store.problems[0].endswith(
        "; set aside as keys-corrupt-1.db; the last good copy is used"
    )
    assert rig.disk.read("keys-corrupt-1.db") == damaged
    store.apply([_key(500, cards=[_card(500)])])
    rig.kill()
    assert rig.open().problems == []
    assert rig.card(_card(500)) == 500


def test_where_sixteen_were_set_aside_the_newest_gives_way_and_the_last_good_copy_serves() -> None:
    rig = Rig()
    _filled(rig)
    for number in range(1, 17):
        rig.disk.write(f"keys-corrupt-{number}.db", b"%d" % number)
    damaged = _damage(rig.disk.read("keys.db"), "text")
    rig.disk.write("keys.db", damaged)
    store = rig.open()
    assert rig.card(_card(17)) == 17
    told = "set aside as keys-corrupt-16.db, in the place of the one before; the last good copy is used"
    assert store.problems[0].endswith(told)
    assert rig.disk.read("keys-corrupt-16.db") == damaged
    assert rig.disk.read("keys-corrupt-1.db") == b"1"


@pytest.mark.parametrize("how", HOWS)
def test_a_corrupt_copy_is_no_good_either_and_an_empty_store_says_so(how: str) -> None:
    rig = Rig()
    _filled(rig)
    for name in ("keys.db", "keys.good.db"):
        rig.disk.write(name, _damage(rig.disk.read(name), how))
    store = rig.open()
    assert rig.card(_card(17)) is None
    assert store.problems[0].endswith(
        "set aside as keys-corrupt-1.db; no good copy: all keys are lost"
    )


# Whole for SQLite, and every row with its sum, and yet no store.
NONSENSE = [
    "DELETE FROM meta",
    "UPDATE meta SET value = 'x' WHERE key = 'version'",
    "INSERT INTO meta(key, value) VALUES('synced', 'x')",
    "UPDATE levels SET rights = '{'",
    "UPDATE levels SET rights = '[[1]]'",
    """INSERT INTO schedules(name, hours) VALUES('days', '["no hours"]')""",
    "INSERT INTO schedules(name, hours) VALUES('days', '7')",
    "INSERT INTO schedules(name, hours) VALUES('days', '[7]')",
]


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("change", NONSENSE)
def test_a_store_whose_values_make_no_sense_is_as_bad_as_one_whose_pages_do_not(
    change: str, both: bool, tmp_path: Path
) -> None:
    rig = Rig()
    rig.open_at(tmp_path / "keys.db").apply([LEVEL, _key(17, cards=[_card(17)])])
    rig.executor.close()
    for name in ("keys.db", "keys.good.db")[: 1 + both]:
        connection = apsw.Connection(str(tmp_path / name))
        connection.execute(change)
        key_sums.register(connection)
        for table in key_sums.COLUMNS:  # written like this: no sum is wrong
            connection.execute(f"UPDATE {table} SET row_sum = {key_sums.sum_of(table)}")
        connection.close()
    store = rig.open_at(tmp_path / "keys.db")
    used = "no good copy: all keys are lost" if both else "the last good copy is used"
    assert [
        text.endswith(f"; set aside as keys-corrupt-1.db; {used}") for text in store.problems
    ] == [True]
    assert rig.card(_card(17)) == (None if both else 17)
    rig.executor.close()


@pytest.mark.parametrize("gone", [None, b""])
def test_a_store_that_was_taken_away_comes_back_from_its_copy(gone: bytes | None) -> None:
    rig = Rig()
    _filled(rig)
    if gone is None:
        rig.disk._files.pop("keys.db")
    else:
        rig.disk.write("keys.db", gone)
    assert rig.open().problems == ["keys.db: was gone; the last good copy is used"]
    assert rig.card(_card(17)) == 17


def test_what_was_wrong_with_the_secrets_is_told_with_the_start_and_not_again() -> None:
    rig = Rig()
    _filled(rig)
    rig.kill()
    line = "controller.key: is missing; controller.good.key is used"
    told: list[str] = []
    store = rig.open(found=[line, line])
    store.on_problem = told.append
    assert store.problems == [line]
    store.apply([_key(500, cards=[_card(500)])], lambda problem, changed: None)
    assert rig.card(_card(500)) == 500
    assert told == []


def test_a_store_that_goes_bad_while_it_is_used_answers_from_its_copy() -> None:
    rig = Rig()
    rig.open().apply([LEVEL] + [_key(n, cards=[_card(n)]) for n in range(1, 200)])
    told: list[str] = []
    rig.store.on_problem = told.append
    connection = rig.store._file._connection
    assert connection is not None
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.pragma("shrink_memory")
    view = rig.disk._files["keys.db"].view
    view[4096:] = b"\xa5" * (len(view) - 4096)
    assert rig.card(_card(17)) == 17
    assert told == [
        "keys.db: is corrupt; set aside as keys-corrupt-1.db; the last good copy is used"
    ]


def test_a_disk_that_does_not_work_finds_nobody_and_says_so_once() -> None:
    rig = Rig()
    _filled(rig)
    rig.open()
    told: list[str] = []
    rig.store.on_problem = told.append
    rig.disk.powered = False
    connection = rig.store._file._connection
    assert connection is not None
    connection.pragma("shrink_memory")
    assert rig.card(_card(17)) is None
    assert rig.card(_card(18)) is None
    assert told == ["keys.db: the disk does not work"]


def test_the_copy_is_never_newer_than_what_was_acknowledged_nor_torn() -> None:
    """A cut at any point of a change leaves all of it or nothing, and a copy that is whole."""
    cut = 0
    while True:
        cut += 1
        rig = Rig(cut)
        rig.open().apply([LEVEL, _key(1, cards=[_card(1)])])
        rig.disk.cut_at = rig.disk.operations + cut
        try:
            rig.store.apply([_key(2, cards=[_card(2)]), ("remove", 1)])
            acknowledged = True
        except apsw.Error:
            acknowledged = False
        finished = rig.disk.powered
        rig.kill()
        store = rig.open()
        assert store.problems == []
        state = (rig.card(_card(1)), rig.card(_card(2)))
        assert state in ([(None, 2)] if acknowledged else [(1, None), (None, 2)])
        if finished:
            break
    assert cut > 8


def test_a_big_store_is_copied_seldom_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "BIG_BYTES", 1)
    rig = Rig()
    rig.open().apply([LEVEL, _key(1, cards=[_card(1)])])
    first = rig.disk.read("keys.good.db")
    rig.store.apply([_key(2, cards=[_card(2)])])
    assert rig.disk.read("keys.good.db") == first
    rig.store.close()
    assert rig.disk.read("keys.good.db") != first


# ---- the real disk ---------------------------------------------------------------------------------


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("broken", [False, True])
def test_a_read_only_folder_is_read_and_left_as_it_is(unprivileged: None, broken: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rig = Rig()
        rig.open_at(folder / "keys.db").apply([LEVEL, _key(7, cards=[_card(7)])])
        rig.executor.kill()  # the WAL stays
        if broken:
            (folder / "keys.db-wal").write_bytes(b"")
            (folder / "keys.db").write_bytes(b"no database")
        folder.chmod(0o555)
        for path in folder.iterdir():
            path.chmod(0o444)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        try:
            store = rig.open_at(folder / "keys.db")
            assert rig.card(_card(7)) == 7
            source = " from the last good copy" if broken else ""
            assert store.problems == [
                f"keys.db: is read-only; keys are read{source} and cannot be changed"
            ]
            with pytest.raises(apsw.ReadOnlyError):
                store.apply([_key(8)])
            store.close()
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        finally:
            folder.chmod(0o755)


def test_a_log_alone_that_cannot_be_written_is_told_at_the_start(unprivileged: None) -> None:
    with tempfile.TemporaryDirectory() as name:
        rig = Rig()
        rig.open_at(Path(name) / "keys.db").apply([LEVEL, _key(7, cards=[_card(7)])])
        rig.executor.kill()
        (Path(name) / "keys.db-wal").chmod(0o444)
        store = rig.open_at(Path(name) / "keys.db")
        assert rig.card(_card(7)) == 7
        assert store.problems == ["keys.db: is read-only; keys are read and cannot be changed"]
        store.close()


@pytest.mark.parametrize("writable", [True, False])
def test_a_bit_that_has_the_header_ask_for_a_newer_sqlite_is_damage_where_there_can_be_changes(
    unprivileged: None, writable: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "keys.db"
        rig = Rig()
        rig.open_at(path).apply([LEVEL, _key(7, cards=[_card(7)])])
        rig.executor.close()
        content = bytearray(path.read_bytes())
        assert content[18] == 2
        content[18] = 3
        path.write_bytes(content)
        path.chmod(0o644 if writable else 0o444)
        store = rig.open_at(path)
        assert rig.card(_card(7)) == 7
        if writable:
            store.apply([("life", 7, "report_lost", {})])
            told = "is no database; set aside as keys-corrupt-1.db; the last good copy is used"
        else:
            told = "is read-only; keys are read and cannot be changed"
        assert store.problems == [f"keys.db: {told}"]
        store.close()


def test_an_empty_read_only_folder_knows_nobody(unprivileged: None) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        try:
            rig = Rig()
            store = rig.open_at(folder / "keys.db")
            assert rig.card(_card(7)) is None
            assert store.problems == [
                "keys.db: cannot be opened; no keys can be read: nobody is known"
            ]
        finally:
            folder.chmod(0o755)
