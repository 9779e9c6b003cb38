"""`doorward --import-keys`: all rows of a CSV file or none, every bad one named, no secret told."""

import fcntl
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware import main
from firmware.access import access_point
from firmware.access.credential import Credential
from firmware.services import key_bulk, key_import, secrets
from firmware.services.key_changes import number_of
from firmware.services.key_file import KeyFile

HEAD = "credential,holder,card,pin,valid_from,valid_to,levels,state,flat,group\n"


class Folder:
    """A state folder with a store that knows two levels."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.csv = path / "keys.csv"
        self.state = path / "state"
        self.state.mkdir()
        self.key = secrets.controller_key(self.state)[0]
        self.with_store(
            lambda store: store.apply([("level", name, [["*", None]]) for name in ("all", "night")])
        )

    def with_store(self, use: Any) -> Any:
        store = KeyFile(str(self.state / "keys.db"), self.key, None, bytes)
        store.open()
        try:
            return use(store)
        finally:
            store.close()

    def run(self, text: str | bytes, *more: str) -> int:
        self.csv.write_bytes(text if isinstance(text, bytes) else text.encode())
        return main.main(["--import-keys", str(self.csv), "--state", str(self.state), *more])

    def find(self, kind: str, value: str) -> Credential | None:
        number = number_of(self.key, kind, value)
        return self.with_store(lambda store: store.find(number))  # type: ignore[no-any-return]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.setattr(key_bulk, "CHUNK", 3)  # a few rows go through all that many do
    monkeypatch.setattr(key_import, "CHUNK", 3)
    umask = os.umask(0o077)  # as the program does
    yield Folder(tmp_path)
    os.umask(umask)


def test_every_column_is_what_the_key_has(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "Credential;card;duress_card;pin;duress_pin;qr;holder;valid_from;valid_to;levels;state;"
    head += "flat;group;uses;first_use_minutes;extended;override;acknowledges;pin_alone;version\r\n"
    row = "7;w26:12:1 uid:8F3C21D7;w26:12:2;4711;4712;VISIT;311;2026-11-21;2026-11-22T08:00:00Z;"
    row += "all night;suspended;302;family;3;90;yes;no;true;1;9\r\n"
    assert folder.run("\ufeff" + head + row, "--board", "board_configs/demo-sim.toml") == 0
    assert capsys.readouterr().out == "1 key was imported\n"
    found = folder.find(access_point.CARD, "w26:012:00001")
    assert found is not None
    assert found == folder.find(access_point.CARD, "w34:2403082711")
    assert found == folder.find(access_point.CODE, "VISIT")
    assert found == folder.find(access_point.PIN, "4711")
    assert (found.id, found.holder, found.state, found.version) == (7, 311, "suspended", 9)
    # Shanghai's midnight
    assert (found.valid_from_s, found.valid_to_s) == (1_795_190_400, 1_795_334_400)
    assert (found.first_use_s, found.uses, found.levels) == (5400, 3, ("all", "night"))
    assert (found.extended, found.override, found.acknowledges) == (True, False, True)
    assert (found.flat, found.group, found.duress) == ("302", "family", False)
    for kind, value in ((access_point.CARD, "w26:012:00002"), (access_point.PIN, "4712")):
        forced = folder.find(kind, value)
        assert forced is not None
        assert (forced.id, forced.duress) == (7, True)


BAD = [
    (
        "8,,,,,31.02.2027,all,,,",
        'column valid_to: "31.02.2027" is no date; expected YYYY-MM-DD',
    ),
    ("8,,,,,2027-02-31,all,,,", 'column valid_to: "2027-02-31" is no date; expected YYYY-MM-DD'),
    ("8,x,,,,,,,,", 'column holder: "x" is no whole number; expected digits'),
    (",1,,,,,,,,", "column credential: empty; expected a record number"),
    ("0,1,,,,,,,,", "column credential: id is none; expected a whole number from 1"),
    ("8,99999999999999999999,,,,,,,,", 'column holder: "99999999999999999999" is no whole number'),
    (
        "8,9999999999999999,,,,,,,,",
        "column holder: is out of range; expected a whole number from 0",
    ),
    ("8,,w26:256:98765,,,,,,,", "column card: a card number is none; expected a form such as"),
    ("8,,98765,,,,,,,", "column card: a card number is none; expected a form such as w26"),
    ("8,,,123,,,,,,", "column pin: is none; expected 4 to 12 digits"),
    ("8,,,98765x,,,,,,", "column pin: is none; expected 4 to 12 digits"),
    ("8,,,,,,owner,,,", 'column levels: "owner" is unknown; expected levels that there are (all, '),
    (
        "8,,,,,,,gone,,",
        "column state: is unknown; expected one of active, suspended, lost, cancelled",
    ),
    (
        "8,,,,2027-01-02,2027-01-02,,,,",
        "column valid_to: is not after valid_from; expected it to be",
    ),
    (f"8,,,,,,,,{'x' * 65},", "column flat: is none; expected 1 to 64 printable characters"),
    ("8,,w26:12:1,,,,,,,", "column card: is taken by credential 5; expected one of its own"),
    ("8,,,98765,,,,,,", "column pin: is taken by credential 5; expected one of its own"),
    ("6,,,,,,,,,", "column credential: 6 stands in line 3 too; expected each once"),
    ("8,,,,,,,,,,more", "11 values; expected 10, as in the first row"),
]


@pytest.mark.parametrize(("row", "why"), BAD)
def test_a_bad_row_is_named_and_nothing_is_imported(
    folder: Folder, capsys: pytest.CaptureFixture[str], row: str, why: str
) -> None:
    folder.with_store(
        lambda store: store.apply([("upsert", {"id": 5, "cards": ["w26:12:1"], "pin": "98765"})])
    )
    good = "".join(f"{n},,w26:13:{n},,,,all,,,\n" for n in range(20, 25))
    assert folder.run(HEAD + "\n" + "6,,,,,,,,,\n" + row + "\n" + good) == 2
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines[0].startswith(f"keys.csv:4: {why}")
    assert lines[1:] == ["nothing was imported; 1 of 7 rows is wrong"]
    assert "98765" not in told.err
    assert folder.find(access_point.CARD, "w26:013:00020") is None
    assert folder.with_store(lambda store: store.count) == 1


def test_all_bad_rows_are_told_up_to_a_hundred_and_all_are_counted(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n},,,1,,x,,,,\n" if n % 2 else f"{n},,,,,,,,,\n" for n in range(1, 4001))
    assert folder.run(HEAD + rows) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'keys.csv:2: column valid_to: "x" is no date; expected YYYY-MM-DD'
    assert len(lines) == 101
    assert lines[99].startswith("keys.csv:200: ")
    assert lines[100] == "nothing was imported; 2,000 of 4,000 rows are wrong"


def test_cards_change_hands_in_one_file_however_far_apart_their_rows(folder: Folder) -> None:
    first = "".join(f"{n},,w26:12:{n},,,,all,,,\n" for n in range(1, 21))
    assert folder.run(HEAD + first) == 0
    second = "".join(f"{n},,w26:12:{21 - n},,,,all,,,\n" for n in range(1, 21))
    folder.csv.write_text(HEAD + second)
    out, err = io.StringIO(), io.StringIO()
    assert key_import.run(str(folder.csv), str(folder.state), None, out, err) == 0
    assert err.getvalue() == ""
    for n in range(1, 21):
        found = folder.find(access_point.CARD, f"w26:012:{n:05d}")
        assert found is not None
        assert (found.id, found.version) == (21 - n, 2)


def test_more_cards_in_strange_hands_than_are_remembered_are_duplicates(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(key_bulk, "MOST_AGAIN", 4)
    cards = [("upsert", {"id": n, "cards": [f"w26:12:{n}"]}) for n in range(1, 21)]
    folder.with_store(lambda store: store.apply(cards))
    assert (
        folder.run(HEAD + "".join(f"{n},,w26:12:{21 - n},,,,all,,,\n" for n in range(1, 21))) == 2
    )
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "keys.csv:2: column card: is taken by credential 20; expected one of its own"
    assert lines[-1].startswith("nothing was imported; ")


def test_a_card_that_stands_in_two_rows_is_named_however_far_apart(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n},,w26:12:{n},,,,all,,,\n" for n in range(1, 21))
    assert (
        folder.run(
            HEAD + rows + "21,,w26:12:2,,,,,,,\n22,,w26:12:30,,,,,,,\n23,,w26:12:30,,,,,,,\n"
        )
        == 2
    )
    assert capsys.readouterr().err.splitlines() == [
        "keys.csv:22: column card: is taken by credential 2; expected one of its own",
        "keys.csv:24: column card: is taken by credential 22; expected one of its own",
        "nothing was imported; 2 of 23 rows are wrong",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "keys.csv:1: column credential: missing; expected a record number a row"),
        (
            "card,crd,card\n",
            "keys.csv:1: column 'crd': unknown; expected one of credential, holder, ",
        ),
        ("credential,card,card\n", "keys.csv:1: column card: stands there twice; expected once"),
        (HEAD + '8,"x\n', "keys.csv:2: no CSV (unexpected end of data); nothing was imported"),
        (HEAD.encode() + b"8,,\xff\n", "keys.csv:2: no UTF-8 text; nothing was imported"),
    ],
)
def test_what_is_no_such_file_says_so(
    folder: Folder, capsys: pytest.CaptureFixture[str], text: str | bytes, why: str
) -> None:
    assert folder.run(text) == 2
    assert capsys.readouterr().err.startswith(why)


def test_wrong_use_is_one_line(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--import-keys", "x.csv"]) == 2
    assert main.main(["--import-keys", "/no/x.csv", "--state", str(folder.state)]) == 2
    with pytest.raises(SystemExit) as ended:
        main.main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "--state: missing; expected the folder for records and keys",
        "/no/x.csv: no such file or directory; expected a CSV file",
        "doorward: --board: missing; expected a board config (TOML)",
    ]


def test_a_folder_in_use_is_refused(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    with open(folder.state / "in-use", "wb") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        assert folder.run(HEAD) == 1
    assert "the service has it; expected it stopped" in capsys.readouterr().err


def test_levels_of_the_board_may_be_named(folder: Folder) -> None:
    config = hal.board.load("board_configs/demo-sim.toml")
    config["levels"] = {"tenants": {"rights": []}}
    folder.csv.write_text("credential,levels\n7,tenants\n")
    out, err = io.StringIO(), io.StringIO()
    assert key_import.run(str(folder.csv), str(folder.state), config, out, err) == 0
    assert err.getvalue() == ""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("terminal", "after_s"), [(True, 0), (True, 2), (False, 0)])
def test_a_bar_is_shown_on_a_terminal_and_only_if_it_takes_a_while(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, terminal: bool, after_s: int
) -> None:
    monkeypatch.setattr(key_import, "BAR_AFTER_S", after_s)
    folder.csv.write_text("credential\n" + "".join(f"{n}\n" for n in range(1, 3001)))
    err = _Terminal() if terminal else io.StringIO()
    assert key_import.run(str(folder.csv), str(folder.state), None, io.StringIO(), err) == 0
    assert ("###" in err.getvalue() and "] 28 %" in err.getvalue()) == (terminal and after_s == 0)
    assert err.getvalue() == "" or err.getvalue().endswith("\r\033[K")
