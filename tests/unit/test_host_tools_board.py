"""`doorctl board`: boards and their configs, the table, the drawing and the labels as files."""

import csv
import errno
import io
import json
import os
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from board_texts import SMALL

from hal import board, board_facts, board_wires
from host_tools import board as command
from host_tools import main, words

ROOT = Path(__file__).parents[2]
TWO = str(ROOT / "board_configs/rpi5-two-doors.toml")


def ran(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main.main(["board", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_names_every_board_with_its_chip_and_its_configs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = ran(capsys, "list", "--lang", "en")
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(
        board_facts.BOARDS
    )
    at = next(place for place, line in enumerate(lines) if line.startswith("rpi5 "))
    assert " ".join(lines[at].split()) == "rpi5 Raspberry Pi 5 pins by pinctrl-rp1"
    assert lines[at + 1].split(maxsplit=1) == ["rpi5-two-doors.toml", "Front door, Yard gate"]


def test_the_boards_have_the_names_that_people_of_the_language_give_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert {name: words.load("en")[f"draw.board.{name}"] for name in board_facts.BOARDS} == (
        board_facts.TITLES
    )
    _, out, _ = ran(capsys, "list", "--lang", "zh")
    assert "\nrpi5        树莓派 5  " in out
    assert "Raspberry" not in out


def test_the_list_as_data_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ran(capsys, "list", "--json")
    rows = {row["board"]: row for row in json.loads(out)}
    assert list(rows) == list(board_facts.BOARDS)
    assert rows["cm5"] == {
        "board": "cm5",
        "title": "Compute Module 5 on its IO board",
        "chip": "pinctrl-rp1",
        "configs": ["cm5-two-doors.toml"],
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "path", sorted((ROOT / "board_configs").glob("*.toml")), ids=lambda p: p.stem
)
def test_the_table_has_every_wire_in_80_columns_and_cuts_no_pole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: Path, lang: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = ran(capsys, "show", str(path), "--lang", lang)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[1:]] == [
        f"W{number}" for number in range(1, len(lines))
    ]
    assert [line for line in lines if command._columns(line) > 80] == []
    for wire, line in zip(board_wires.wires(board.load(str(path))), lines[1:], strict=True):
        poles = [point for _, _, point in (wire.start, wire.end) if point in ("+", "-")]
        shown = re.findall(r"(?<!k) ([+−])(?= |$)", line)  # not the plus between two resistors
        assert [{"−": "-"}.get(sign, sign) for sign in shown] == poles


def test_a_wide_console_shows_names_whole_and_a_narrow_one_their_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _, wide, _ = ran(capsys, "show", TWO, "--lang", "en")
    assert "…" not in wide
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = ran(capsys, "show", TWO, "--lang", "en")
    rows = {line.split()[0]: " ".join(line.split()) for line in out.splitlines()}
    assert rows["W38"] == "W38 12 V suppl…battery − Front door strike − BK black"


def test_a_row_says_pin_what_stands_between_where_it_leads_and_its_colour(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = ran(capsys, "show", TWO, "--lang", "en")
    rows = {line.split()[0]: " ".join(line.split()) for line in out.splitlines()}
    assert rows["W1"] == "W1 pin 29 GPIO5 IN1 → K1 Front door strike WH white"
    assert rows["W4"] == "W4 pin 11 GPIO17 5 → 3.3 V Front door reader D0 GN green"


def test_warnings_stand_below_the_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text(SMALL.replace('"level_converter"', '"direct"'))
    code, out, _ = ran(capsys, "show", str(tmp_path / "house.toml"), "--color", "never")
    assert code == 0
    assert "\n! devices.reader.interface: D0 and D1 carry 5 V" in out


def test_what_a_pin_or_port_is_besides_stands_below_the_table_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "house.toml").write_text(SMALL.replace("GPIO16", "GPIO15"))
    _, out, _ = ran(capsys, "show", str(tmp_path / "house.toml"), "--color", "never")
    assert "\n! devices.door.line: GPIO15 is the UART, and a serial console" in out
    assert json.loads(ran(capsys, "show", str(tmp_path / "house.toml"), "--json")[1])["warnings"]


def test_the_data_has_every_wire_and_every_warning(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ran(capsys, "show", TWO, "--json")
    told = json.loads(out)
    assert told["board"] == "rpi5"
    assert told["warnings"] == []
    assert told["wires"][3] == {
        "wire": "W4",
        "device": "front-reader",
        "role": "d0",
        "line": "GPIO17",
        "from": ["pin", "GPIO17", "11"],
        "to": ["device", "front-reader", "d0"],
        "via": "level_converter",
        "colour": "GN",
        "cable": "front-reader",
        "length_m": 12,
        "area_mm2": 0.25,
    }


def test_drawing_and_labels_are_written_and_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    svg, labels = tmp_path / "out.svg", tmp_path / "labels.csv"
    code, out, _ = ran(
        capsys, "show", TWO, "--svg", str(svg), "--labels", str(labels), "--lang", "en"
    )
    assert code == 0
    assert " ".join(out.split()) == f"✓ {svg} was written. ✓ {labels} was written."
    assert ET.fromstring(svg.read_text()).findtext("{http://www.w3.org/2000/svg}title") == (
        "Corner house: wiring"
    )
    rows = list(csv.DictReader(io.StringIO(labels.read_text())))
    assert [row["label"] for row in rows[:4]] == ["W1", "W1", "W2", "W2"]
    assert rows[6] == {
        "label": "W4",
        "at": "pin 11 GPIO17",
        "other_end": "Front door reader D0",
        "colour": "GN green",
        "mm2": "0.25",
    }
    assert rows[7]["at"] == rows[6]["other_end"]


def test_every_mistake_of_a_config_is_a_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "house.toml"
    path.write_text(SMALL.replace("GPIO16", "GPIO99").replace('"handle"', '"hatch"'))
    code, out, err = ran(capsys, "show", str(path))
    assert (code, out) == (2, "")
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        [str(path), "portals.front.egress"],
        [str(path), "devices.door.line"],
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("no-such.toml",),
            "no-such.toml: file: no such file or directory; expected a board config",
        ),
        (
            (TWO, "--sheet", "1"),
            "--sheet: names a sheet of the drawing; expected --svg OUT beside it",
        ),
        (
            (TWO, "--svg", "/dev/null", "--sheet", "99"),
            "sheet 99: none of it; expected 1 to 12",
        ),
        (
            (TWO, "--svg", "/no/such/folder/x.svg"),
            "/no/such/folder/x.svg: no such file or directory; expected a file that can be written",
        ),
    ],
)
def test_wrong_use_is_one_line(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    assert ran(capsys, "show", *args) == (2, "", said + "\n")


def house(folder: Path, name: str = "house.toml") -> Path:
    path = folder / name
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize("option", ["--svg", "--labels"])
def test_the_config_itself_is_never_written_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    path = house(tmp_path)
    (tmp_path / "link").symlink_to(path)
    for out in (path, tmp_path / "link"):
        code, _, err = ran(capsys, "show", str(path), option, str(out))
        assert code == 2
        assert err.startswith(f"{out}: is the board config itself; expected another file for the ")
        assert path.read_text() == SMALL


def test_the_labels_are_not_written_over_the_drawing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    told = ran(capsys, "show", str(house(tmp_path)), "--svg", out, "--labels", out)
    assert told == (2, "", f"{out}: is the drawing; expected another file for the labels\n")


@pytest.mark.parametrize("more", [(), ("--svg", "out.svg")])
def test_a_named_pipe_is_told_of_and_not_waited_for(tmp_path: Path, more: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "pipe")
    words = [sys.executable, "-m", "host_tools", "board", "show", str(tmp_path / "pipe"), *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    said = f"{tmp_path}/pipe: file: is no plain file; expected a board config\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", said)


def test_a_disk_that_fills_up_keeps_the_drawing_that_was_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.svg"
    out.write_text("the last one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    told = ran(capsys, "show", TWO, "--svg", str(out))
    assert told == (
        2,
        "",
        f"{out}: no space left on device; expected a file that can be written\n",
    )
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "out.svg": "the last one"
    }


def test_a_drawing_is_for_those_whom_the_last_one_was_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old, new = tmp_path / "old.svg", tmp_path / "new.svg"
    old.touch()
    old.chmod(0o604)
    link = tmp_path / "link.svg"
    link.symlink_to(old)
    before = os.umask(0o027)
    try:
        assert [ran(capsys, "show", TWO, "--svg", str(path))[0] for path in (link, new)] == [0, 0]
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, new)] == [0o604, 0o640]
    assert old.read_text() == new.read_text()


def test_a_file_name_that_is_no_text_is_drawn_as_its_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = house(tmp_path, os.fsdecode(b"h\xff\x01.toml"))
    assert ran(capsys, "show", str(path), "--svg", str(tmp_path / "out.svg"))[0] == 0
    texts = list(ET.parse(tmp_path / "out.svg").getroot().itertext())
    assert any(text.startswith("h\\udcff\\x01.toml · #") for text in texts)


@pytest.mark.parametrize("sign", ["\\u0007", "\\u001b", "\\n", "\\ufffe", "\\u202e"])
def test_a_title_is_one_line_that_can_be_seen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sign: str
) -> None:
    path = house(tmp_path)
    titled = f'[devices.door]\ntitle = {{ en = "a{sign}b", zh = "门" }}'
    path.write_text(SMALL.replace("[devices.door]", titled))
    code, _, err = ran(capsys, "show", str(path))
    assert code == 2
    assert err.startswith(f"{path}: devices.door.title: ")
    assert err.endswith("each 1 to 64 characters on one line\n")


def test_a_console_without_our_signs_gets_their_codes() -> None:
    words = [sys.executable, "-m", "host_tools", "board", "show", TWO, "--lang", "zh"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u" in done.stdout


def test_a_full_disk_below_the_output_is_one_line() -> None:
    words = [sys.executable, "-m", "host_tools", "board", "list"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(words, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith(b"doorctl: no space left on device; expected ")
    assert b"Traceback" not in done.stderr
