"""`firmware.services.key_tables`: keys as people live them, duress, and stores of an older format."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import old_key_stores
import pytest

from firmware.access import access_point, life_cycle, pin
from firmware.access.credential import Credential, Right
from firmware.runtime import aio
from firmware.services import database, key_schema
from firmware.services.credential_store import ChangeError, CredentialStore
from firmware.services.executor import InlineExecutor

KEY = b"k" * 32
LEVEL = ("level", "all", [["*", None]])


class Keys:
    """A store in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        clock = aio.VirtualClock()
        self.folder = folder
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))
        self.open()

    def open(self) -> None:
        path = str(self.folder / "keys.db")
        self.executor = InlineExecutor(self.loop)
        self.store = CredentialStore(path, self.executor, KEY, None, random.Random(1).randbytes)
        self.store.open()

    def again(self) -> None:
        self.executor.close()
        self.open()

    def find(self, kind: str, value: str) -> Credential | None:
        found: list[Any] = []
        self.store.find(kind, value, found.append)

        async def wait() -> None:
            await aio.sleep_ms(5)

        self.loop.run(wait())
        assert len(found) == 1
        return found[0]  # type: ignore[no-any-return]

    def card(self, value: str) -> Credential:
        found = self.find(access_point.CARD, value)
        assert found is not None
        return found

    def live(self, *words: Any) -> list[tuple[int, str]]:
        """One word of key 7's life."""
        verb, *rest = words
        return self.store.apply([("life", 7, verb, *(rest or [{}]))])


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    made = Keys(tmp_path)
    made.store.apply([LEVEL])
    yield made
    made.executor.close()


def _key(number: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    return "upsert", {"id": number, "levels": ["all"], **fields}


# ---- duress ----------------------------------------------------------------------------------------


def test_a_duress_pin_finds_the_same_key_and_says_so(keys: Keys) -> None:
    keys.store.apply([_key(7, cards=["w26:12:1"], pin="4711", duress_pin="4712")])
    usual, forced = keys.find(access_point.PIN, "4711"), keys.find(access_point.PIN, "4712")
    assert usual is not None
    assert forced is not None
    assert (usual.id, usual.duress, forced.id, forced.duress) == (7, False, 7, True)
    assert forced.pin_salt is not None
    assert forced.pin_hash == pin.salted(forced.pin_salt, "4711")
    assert forced.duress_hash == pin.salted(forced.pin_salt, "4712")
    assert not keys.card("w26:012:00001").duress


def test_a_duress_card_finds_the_same_key_and_says_so(keys: Keys) -> None:
    keys.store.apply([_key(7, cards=["w26:12:1"], duress_cards=["w26:12:2"])])
    assert not keys.card("w26:012:00001").duress
    assert keys.card("w26:012:00002").duress
    keys.store.apply([_key(7, cards=["w26:12:2"])])
    assert not keys.card("w26:012:00002").duress


def test_a_duress_pin_after_a_card_only_is_not_found_alone(keys: Keys) -> None:
    fields: dict[str, Any] = {"pin": "4711", "duress_pin": "4712", "pin_alone": False}
    keys.store.apply([_key(7, cards=["w26:12:1"], **fields)])
    keys.store.apply([_key(8, cards=["w26:12:2"], **fields)])  # the same PINs: each after its card
    assert keys.find(access_point.PIN, "4711") is None
    assert keys.find(access_point.PIN, "4712") is None
    one, other = keys.card("w26:012:00001"), keys.card("w26:012:00002")
    assert one.duress_hash == pin.salted(one.pin_salt or b"", "4712")
    assert other.duress_hash == pin.salted(other.pin_salt or b"", "4712")
    assert one.duress_hash != other.duress_hash


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"pin": "2580", "duress_pin": "2580"}, "duress_pin is the pin; expected another one"),
        ({"duress_pin": "258"}, "duress_pin is none; expected 4 to 12 digits"),
        ({"duress_pin": 2580}, "duress_pin is none; expected 4 to 12 digits"),
        ({"duress_pin": "4711"}, "its duress PIN is taken by credential 7"),
        ({"duress_pin": "4712"}, "its duress PIN is taken by credential 7"),
        ({"pin": "4712"}, "its PIN is taken by credential 7"),
        ({"duress_cards": ["w26:12:1"]}, "its duress card is taken by credential 7"),
        ({"duress_cards": ["w26:12:2"]}, "its duress card is taken by credential 7"),
        ({"cards": ["w26:12:2"]}, "its card is taken by credential 7"),
        (
            {"cards": ["w26:12:25"], "duress_cards": ["w26:012:00025"]},
            "duress_cards has one of cards; expected others",
        ),
    ],
)
def test_what_tells_of_duress_is_nobody_elses(keys: Keys, fields: Any, why: str) -> None:
    shown = {"cards": ["w26:12:1"], "duress_cards": ["w26:12:2"]}
    keys.store.apply([_key(7, pin="4711", duress_pin="4712", **shown)])
    with pytest.raises(ChangeError) as refused:
        keys.store.apply([_key(8, **fields)])
    assert str(refused.value) == f"credential 8: {why}"
    for digits in ("2580", "4711", "4712", "258 ", "00001", "00002", "00025"):
        assert digits not in str(refused.value)


def test_what_a_key_belongs_to_and_may_is_found_with_it(keys: Keys) -> None:
    keys.store.apply([_key(7, cards=["w26:12:1"], flat="302", group="b", acknowledges=True)])
    for _ in range(2):
        found = keys.card("w26:012:00001")
        assert (found.flat, found.group, found.acknowledges, found.visit) == (
            "302",
            "b",
            True,
            None,
        )
        keys.again()


def test_a_right_may_deny(keys: Keys) -> None:
    keys.store.apply([("level", "no-yard", [["yard-in", None, True], ["*", None]])])
    expected = [Right("yard-in", None, True), Right("*", None, False)]
    assert keys.store.rights().levels["no-yard"] == expected
    keys.again()
    assert keys.store.rights().levels["no-yard"] == expected


# ---- life ------------------------------------------------------------------------------------------


def test_a_key_lives_from_issue_to_cancellation_and_each_word_is_told(keys: Keys) -> None:
    told = []
    fields = {"levels": ["all"], "cards": ["w26:12:1"], "valid_to_s": 100}
    for words in (
        ("issue", fields),
        ("extend", {"valid_to_s": 200}),
        ("suspend",),
        ("report_lost",),
        ("report_found",),
        ("resume",),
        ("report_lost",),
        ("cancel",),
    ):
        told += keys.live(*words)
        keys.again()  # every word outlives a restart
        found = keys.card("w26:012:00001")
        told.append((found.version, found.state))
    assert told == [
        (7, "issued"),
        (1, "active"),
        (7, "extended"),
        (2, "active"),
        (7, "suspended"),
        (3, "suspended"),
        (7, "lost"),
        (4, "lost"),
        (7, "found"),
        (5, "suspended"),  # what it was before
        (7, "resumed"),
        (6, "active"),
        (7, "lost"),
        (7, "lost"),
        (7, "cancelled"),
        (8, "cancelled"),
    ]
    assert keys.card("w26:012:00001").valid_to_s == 200


@pytest.mark.parametrize("state", ["active", "suspended"])
def test_a_key_that_was_put_lost_is_found_as_what_it_was(keys: Keys, state: str) -> None:
    keys.store.apply([_key(7, state=state, cards=["w26:12:1"])])
    assert keys.store.apply([_key(7, state="lost", cards=["w26:12:1"])]) == [(7, "lost")]
    keys.store.apply([_key(7, state="lost", cards=["w26:12:1"], flat="1")])
    assert keys.live("report_found") == [(7, "found")]
    assert keys.card("w26:012:00001").state == state


def test_a_version_is_one_more_or_what_is_given_and_never_less(keys: Keys) -> None:
    keys.live("issue", {"levels": ["all"], "cards": ["w26:12:1"]}, 5)
    keys.live("suspend")
    assert keys.card("w26:012:00001").version == 6
    keys.live("resume", {}, 20)
    assert keys.card("w26:012:00001").version == 20
    for old in (19, 20, 1):
        with pytest.raises(
            ChangeError, match=f"^credential 7: version {old} is old; expected 21 or higher$"
        ):
            keys.live("suspend", {}, old)
    assert keys.card("w26:012:00001").state == "active"


def test_an_upsert_tells_what_became_of_the_key(keys: Keys) -> None:
    told = []
    for state in ("active", "active", "suspended", "active", "lost", "active", "cancelled"):
        told += keys.store.apply([_key(7, state=state)])
    told += keys.store.apply([("remove", 7), ("remove", 8), _key(7)])
    words = ["issued", "changed", "suspended", "resumed", "lost", "found", "cancelled"]
    assert told == [(7, word) for word in [*words, "removed", "issued"]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            ("life", 7, "resume", {}),
            "credential 7: resume is refused, it is active; expected extend",
        ),
        (("life", 7, "issue", {}), "credential 7: issue is refused, it is active; expected extend"),
        (
            ("life", 9, "cancel", {}),
            "credential 9: cancel is refused, it is not there; expected issue",
        ),
        (
            ("life", 6, "report_found", {}),
            "credential 6: report_found is refused, it is cancelled for",
        ),
        (
            ("life", 6, "extend", {"valid_to_s": 99}),
            "credential 6: extend is refused, it is cancelled",
        ),
        (("life", 7, "burn", {}), "life: expected a credential, one of issue, extend, suspend"),
        (("life", 7, ["issue"], {}), "life: expected a credential, one of issue"),
        (("life", 7, "cancel"), "life: expected a credential, one of issue"),
        (("life", "7", "cancel", {}), "credential: id is none; expected a whole number from 1"),
        (
            ("life", 7, "cancel", {"why": "x"}),
            "credential 7: fields are not for cancel; expected none",
        ),
        (("life", 7, "cancel", None), "credential 7: fields are not for cancel; expected none"),
        (
            ("life", 7, "extend", {}),
            "credential 7: extend needs valid_to_s; expected that and no more",
        ),
        (
            ("life", 7, "extend", {"valid_to_s": 60, "uses": 1}),
            "credential 7: extend needs valid_to_s",
        ),
        (
            ("life", 7, "extend", {"valid_to_s": 50}),
            "credential 7: valid_to_s is not later than it was",
        ),
        (
            ("life", 7, "extend", {"valid_to_s": 9}),
            "credential 7: valid_to_s is not after valid_from_s",
        ),
        (("life", 7, "extend", {"valid_to_s": "60"}), "credential 7: valid_to_s is out of range"),
        (("life", 7, "extend", {"valid_to_s": 2**63}), "credential 7: valid_to_s is out of range"),
        (
            ("life", 7, "cancel", {}, 2**53),
            "credential 7: version is none; expected a whole number",
        ),
        (("life", 7, "cancel", {}, True), "credential 7: version is none; expected a whole number"),
        (("life", 9, "issue", {"id": 8}), "credential 9: id is not for issue; expected without"),
        (("life", 9, "issue", {"state": "lost"}), "credential 9: state is not for issue"),
        (("life", 9, "issue", {"levels": ["none"]}), "credential 9: level none is unknown"),
        (("life", 9, "issue", {"pin": "1"}), "credential 9: pin is none; expected 4 to 12 digits"),
        (_key(9, flat=""), "credential 9: flat is none; expected 1 to 64 printable characters"),
        (_key(9, flat="x" * 65), "credential 9: flat is none; expected 1 to 64 printable"),
        (_key(9, group="a\nb"), "credential 9: group is none; expected 1 to 64 printable"),
        (_key(9, group=5), "credential 9: group is none; expected 1 to 64 printable"),
        (_key(9, acknowledges="yes"), "credential 9: acknowledges is of another type"),
        (
            _key(9, cards=["w26:1:1"] * 65),
            "credential 9: cards has 65 entries; expected at most 64",
        ),
        (_key(9, codes=["x" * 513]), "credential 9: a code is none; expected 1 to 512 bytes"),
        (_key(9, codes=["\ud800"]), "credential 9: a code is none; expected 1 to 512 bytes"),
        (_key(9, codes=["a\0b"]), "credential 9: a code is none; expected 1 to 512 bytes"),
        (
            _key(9, codes=["DW1:AAAA"]),
            "credential 9: a code begins with DW1:, as visitors' codes do",
        ),
        (_key(9, levels=["x" * 65]), "credential 9: levels has one that is none; expected 1 to 64"),
        (_key(9, pin_hash=b"x"), "credential 9: pin_hash is of another type; expected bytes, 32"),
        (
            _key(9, pin_hash=b"x" * 32),
            "credential 9: pin_salt is missing; expected that of pin_hash",
        ),
        (_key(9, valid_to_s=2**53), "credential 9: valid_to_s is out of range; expected a whole"),
        (
            _key(9, uses=10**30),
            "credential 9: uses is out of range; expected a whole number from 0",
        ),
        (_key(9, first_use_s=0), "credential 9: first_use_s is out of range; expected a whole"),
        (_key(2**53), "credential: id is none; expected a whole number from 1"),
        (("upsert", {"id": 9, 5: 6}), "credential 9: 5 is unknown; expected one of id, "),
        (("upsert", [9]), "credential: is no table; expected its fields"),
        (("remove", 2**70), "credential: id is none; expected a whole number from 1"),
        (("level", "x" * 65, []), "level: name is none; expected 1 to 64 characters"),
        (
            ("level", "x", [["*", None, 1]]),
            "level x: expected rights of access point, schedule and",
        ),
        (("level", "x", [["*", None, True, 1]]), "level x: expected rights of access point"),
        (("level", "x", [5]), "level x: expected rights of access point"),
        (("holidays", [2**70]), "holidays: a day is none; expected one of 1970 to 2399"),
    ],
)
def test_a_bad_record_is_named_and_nothing_of_its_batch_is_applied(
    keys: Keys, change: Any, why: str
) -> None:
    keys.store.apply([_key(7, valid_from_s=10, valid_to_s=50), _key(6, state="cancelled")])
    before = keys.store.version
    batch = [_key(5, cards=["w26:12:5"]), ("life", 7, "suspend", {}), ("life", 7, "resume", {})]
    with pytest.raises(ChangeError) as refused:
        keys.store.apply([*batch, change])
    assert str(refused.value).startswith(why)
    assert "\n" not in str(refused.value)
    assert keys.find(access_point.CARD, "w26:012:00005") is None
    assert keys.store.held()[0] == 2
    assert keys.store.version == before


def test_levels_and_schedules_of_the_board_may_be_named(keys: Keys) -> None:
    keys.store.board_gives(["tenants"], ["days"])
    keys.store.apply(
        [("upsert", {"id": 7, "levels": ["tenants"]}), ("level", "x", [["*", "days"]])]
    )
    with pytest.raises(ChangeError, match="level owners is unknown"):
        keys.store.apply([("upsert", {"id": 7, "levels": ["owners"]})])


def test_every_state_and_word_of_the_table_is_what_the_store_does(keys: Keys) -> None:
    """The store holds the table's states, no more and no fewer."""
    paths = {
        life_cycle.ACTIVE: (),
        life_cycle.SUSPENDED: ("suspend",),
        life_cycle.LOST: ("report_lost",),
        life_cycle.LOST_SUSPENDED: ("suspend", "report_lost"),
        life_cycle.CANCELLED: ("cancel",),
    }
    for number, (at, verb) in enumerate(sorted(life_cycle.TRANSITIONS), 100):
        if at == life_cycle.NONE:
            continue
        card = f"w26:12:{number}"
        keys.store.apply([_key(number, cards=[card], valid_to_s=5)])
        for word in paths[at]:
            keys.store.apply([("life", number, word, {})])
        after, told = life_cycle.TRANSITIONS[(at, verb)]
        fields = {"valid_to_s": 6} if verb == "extend" else {}
        if told is None:
            with pytest.raises(ChangeError):
                keys.store.apply([("life", number, verb, fields)])
        else:
            assert keys.store.apply([("life", number, verb, fields)]) == [(number, told)]
        assert keys.card(f"w26:012:{number:05d}").state == life_cycle.stored(after)[0]


# ---- format 1 --------------------------------------------------------------------------------------

OF_1 = Credential(
    *(7, 311, "active", 10, 20, 60, 2, ("all",), True, False),
    *(bytes.fromhex("00112233445566778899aabbccddeeff"), bytes(32), 4),
    *(None, None, None, False, False, None),
)


def test_a_store_of_format_1_goes_on_with_everything_it_had(tmp_path: Path) -> None:
    old_key_stores.write(tmp_path / "keys.db", 1)
    keys = Keys(tmp_path)
    for _ in range(2):
        assert keys.store.problems == []
        assert keys.card("w26:012:00001") == OF_1
        assert keys.store.version == 3
        assert keys.store.rights().levels == {
            "all": [Right("*", "days", False), Right("yard-in", None, False)]
        }
        keys.again()
    keys.store.apply([("life", 8, "report_found", {}), _key(9, duress_pin="4712")])
    assert keys.card("w26:012:00002").state == "active"
    found = keys.find(access_point.PIN, "4712")
    assert found is not None
    assert found.duress
    keys.executor.close()


def test_the_copy_of_a_store_that_was_brought_up_to_date_is_too(tmp_path: Path) -> None:
    for name in ("keys.db", "keys.good.db"):
        old_key_stores.write(tmp_path / name, 1)
    Keys(tmp_path).executor.kill()
    connection = database.connect_read_only(str(tmp_path / "keys.good.db"), None)
    assert database.pragma(connection, "user_version") == key_schema.FORMAT
    connection.close()


def test_a_last_good_copy_of_format_1_serves_when_its_store_is_corrupt(tmp_path: Path) -> None:
    old_key_stores.write(tmp_path / "keys.good.db", 1)
    (tmp_path / "keys.db").write_bytes(b"no database" * 1000)
    keys = Keys(tmp_path)
    assert keys.store.problems[0].endswith("the last good copy is used")
    assert keys.card("w26:012:00001") == OF_1
    keys.executor.close()


def test_a_store_of_format_1_that_cannot_be_written_is_read_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_key_stores.write(tmp_path / "keys.db", 1)

    def refused(path: str, vfs: str | None, shared: bool) -> apsw.Connection:
        raise apsw.ReadOnlyError("file is read-only")

    monkeypatch.setattr(database, "connect", refused)
    keys = Keys(tmp_path)
    assert keys.store.problems == ["keys.db: is read-only; keys are read and cannot be changed"]
    assert keys.card("w26:012:00001") == OF_1
    assert keys.store.rights().levels["all"][1] == Right("yard-in", None, False)
    keys.executor.close()


def test_a_store_of_a_time_to_come_is_set_aside(tmp_path: Path) -> None:
    old_key_stores.write(tmp_path / "keys.db", 1)
    with sqlite3.connect(tmp_path / "keys.db") as connection:
        connection.execute("PRAGMA user_version = 4")
    connection.close()
    keys = Keys(tmp_path)
    assert "set aside as keys-corrupt-1.db" in keys.store.problems[0]
    keys.executor.close()
