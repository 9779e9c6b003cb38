"""`firmware.services.operators_file`: who may command a controller that no owner has spoken to."""

import base64
import errno
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from firmware.main import main
from firmware.services import operators_file, whole_files

KEY = base64.b64encode(bytes(range(32))).decode()
LING = {"id": "op-ling", "role": "owner", "public_key": KEY}
HOST = {"id": "host-1", "role": "host", "public_key": KEY}


def _import(tmp_path: Path, text: str) -> tuple[int, str, str]:
    source = tmp_path / "operators-of-mine.json"
    source.write_text(text)
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    out, err = io.StringIO(), io.StringIO()
    code = operators_file.run(str(source), str(state), out, err)
    return code, out.getvalue(), err.getvalue()


def test_what_was_imported_is_loaded_at_the_next_start(tmp_path: Path) -> None:
    code, said, problems = _import(tmp_path, json.dumps([LING, HOST]))
    assert (code, problems) == (0, "")
    assert said.startswith("2 operators in ")
    found = {"op-ling": ("owner", KEY), "host-1": ("host", KEY)}
    assert operators_file.load(str(tmp_path / "state")) == (found, [])


def test_without_a_file_nobody_may_command_and_nothing_is_wrong(tmp_path: Path) -> None:
    assert operators_file.load(str(tmp_path)) == ({}, [])


@pytest.mark.parametrize(
    ("entry", "flaw"),
    [
        ({**LING, "id": "Op Ling"}, "id is no name; expected 1 to 32 of a-z, 0-9 and -"),
        ({**LING, "id": 7}, "id is no name; expected 1 to 32 of a-z, 0-9 and -"),
        ({**LING, "id": "host-1"}, "id host-1 stands there twice; expected each once"),
        ({**LING, "role": "king"}, "role is unknown; expected one of caretaker, host, "),
        ({**LING, "role": ["owner"]}, "role is unknown; expected one of caretaker, host, "),
        ({**LING, "public_key": KEY[:-4]}, "public_key is no key; expected 32 bytes in base64"),
        ({**LING, "public_key": KEY[:-2] + "9="}, "public_key is no key; expected 32 bytes"),
        ({**LING, "private_key": KEY}, "has other fields; expected id, role and public_key"),
        ("op-ling", "has other fields; expected id, role and public_key"),
    ],
)
def test_every_bad_entry_is_named_and_nothing_is_put_in_place(
    entry: Any, flaw: str, tmp_path: Path
) -> None:
    code, said, problems = _import(tmp_path, json.dumps([HOST, entry, {}]))
    assert (code, said) == (2, "")
    first, second = problems.splitlines()
    assert f"operators-of-mine.json: entry 2: {flaw}" in first
    assert "entry 3: has other fields" in second
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("[", "is no JSON; expected a list of operators"),
        ("[" * 100_000, "is no JSON; expected a list of operators"),
        ("{}", "is no such list; expected 1 to 500 operators"),
        ("[]", "is no such list; expected 1 to 500 operators"),
        (json.dumps([HOST]), "has no owner; expected at least one"),
    ],
)
def test_a_file_that_is_none_is_one_line(text: str, flaw: str, tmp_path: Path) -> None:
    code, _, problems = _import(tmp_path, text)
    assert code == 2
    assert problems.strip().endswith(flaw)
    assert problems.count("\n") == 1


def test_a_folder_with_a_bad_file_gives_nobody(tmp_path: Path) -> None:
    (tmp_path / operators_file.NAME).write_text(json.dumps([LING, {**HOST, "role": "king"}]))
    found, problems = operators_file.load(str(tmp_path))
    assert found == {}
    assert len(problems) == 1
    assert problems[0].endswith("; nobody of it may command")


def test_the_program_imports_into_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "operators.json"
    source.write_text(json.dumps([LING]))
    state = str(tmp_path / "state")
    assert main(["--import-operators", str(source)]) == 2
    assert main(["--import-operators", str(source), "--state", state]) == 0
    assert operators_file.load(state)[0] == {"op-ling": ("owner", KEY)}
    assert "--state: missing" in capsys.readouterr().err


# ---- its good copy ---------------------------------------------------------------------------------


def _loaded(tmp_path: Path) -> tuple[Path, Path]:
    """The file and its copy after an import and a start."""
    _import(tmp_path, json.dumps([LING, HOST]))
    state = tmp_path / "state"
    operators_file.load(str(state))
    return state / operators_file.NAME, state / "operators.good.json"


def test_a_bit_anywhere_in_the_file_is_told_and_gives_nobody_another_name(tmp_path: Path) -> None:
    file, _ = _loaded(tmp_path)
    whole, state = file.read_bytes(), str(file.parent)
    right = operators_file.load(state)[0]
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        aside = f"set aside as operators-bad-{at + 1}.json"
        told = f"operators.json: is not what was written; {aside}; operators.good.json is used"
        assert operators_file.load(state) == (right, [told]), at
        assert file.read_bytes() == whole
        assert operators_file.load(state) == (right, []), at


def test_a_bit_anywhere_in_the_copy_is_told_and_it_is_made_anew(tmp_path: Path) -> None:
    file, good = _loaded(tmp_path)
    whole, state = good.read_bytes(), str(file.parent)
    right = operators_file.load(state)[0]
    for at in range(len(whole)):
        good.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found, problems = operators_file.load(state)
        assert found == right
        assert len(problems) == 1, at
        assert problems[0].startswith("operators.good.json: is not what was written; ")
        assert good.read_bytes() == whole


def test_a_file_that_is_missing_comes_back_from_its_copy(tmp_path: Path) -> None:
    file, _ = _loaded(tmp_path)
    right = operators_file.load(str(file.parent))[0]
    file.unlink()
    told = "operators.json: is missing; operators.good.json is used"
    assert operators_file.load(str(file.parent)) == (right, [told])
    assert file.exists()


def test_another_import_counts_and_its_copy_with_it(tmp_path: Path) -> None:
    file, good = _loaded(tmp_path)
    _import(tmp_path, json.dumps([LING]))
    assert not good.exists()
    for _ in range(2):
        assert operators_file.load(str(file.parent)) == ({"op-ling": ("owner", KEY)}, [])


def test_without_its_copy_another_file_is_what_somebody_put_there(tmp_path: Path) -> None:
    file, good = _loaded(tmp_path)
    good.unlink()
    file.write_text(json.dumps([LING]))
    for _ in range(2):
        assert operators_file.load(str(file.parent)) == ({"op-ling": ("owner", KEY)}, [])
    assert good.exists()


def test_a_copy_that_cannot_be_read_is_told_and_another_is_made(tmp_path: Path) -> None:
    file, good = _loaded(tmp_path)
    right = operators_file.load(str(file.parent))[0]
    good.unlink()
    good.mkdir()
    told = (
        "operators.good.json: cannot be read (Is a directory); set aside as"
        " operators.good-bad-1.json; operators.json is used as it stands"
    )
    assert operators_file.load(str(file.parent)) == (right, [told])
    assert operators_file.load(str(file.parent)) == (right, [])


@pytest.mark.parametrize("there", ["whole", "damaged", "cut", "missing"])
def test_a_copy_of_the_first_kind_counts_as_it_did(
    there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, good = _loaded(tmp_path)
    right, whole = operators_file.load(str(file.parent))[0], file.read_bytes()
    good.write_bytes(whole + b"\n" + hashlib.sha256(whole).hexdigest().encode() + b"\n")
    if there == "damaged":
        file.write_bytes(whole.replace(b"op-ling", b"op-lioG"))
    elif there == "cut":
        file.write_bytes(whole[:50])
    elif there == "missing":
        file.unlink()
    first = good.read_bytes()
    with monkeypatch.context() as full:  # a disk without room: the copy counts there, too
        full.setattr(whole_files, "write", _no_room)
        assert operators_file.load(str(file.parent))[0] == right
    assert good.read_bytes() == first
    found, problems = operators_file.load(str(file.parent))
    assert found == right
    assert len(problems) <= (there != "whole")
    assert operators_file.load(str(file.parent)) == (right, [])
    assert (file.read_bytes(), good.read_bytes() == first) == (whole, False)


def _no_room(*args: object, **named: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_in_its_place_is_set_aside_and_the_copy_is_used(tmp_path: Path) -> None:
    file, _ = _loaded(tmp_path)
    right = operators_file.load(str(file.parent))[0]
    file.unlink()
    file.mkdir()
    aside = "cannot be read (Is a directory); set aside as operators-bad-1.json"
    told = f"operators.json: {aside}; operators.good.json is used"
    assert operators_file.load(str(file.parent)) == (right, [told])
    assert operators_file.load(str(file.parent)) == (right, [])


def test_a_file_that_cannot_be_read_and_has_no_copy_gives_nobody(tmp_path: Path) -> None:
    (tmp_path / operators_file.NAME).mkdir()
    told = "operators.json: cannot be read (Is a directory); nobody of it may command"
    for _ in range(2):
        assert operators_file.load(str(tmp_path)) == ({}, [told])


def test_a_wrong_file_gets_no_copy_that_would_stand_against_the_right_one(tmp_path: Path) -> None:
    file = tmp_path / operators_file.NAME
    file.write_text(json.dumps([{**LING, "role": "king"}]))
    assert operators_file.load(str(tmp_path))[0] == {}
    file.write_text(json.dumps([LING]))  # by hand, as the line asked for
    assert operators_file.load(str(tmp_path)) == ({"op-ling": ("owner", KEY)}, [])


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_what_root_imports_the_doors_own_user_can_read(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        _import(tmp_path, json.dumps([LING]))
    finally:
        os.umask(before)
    assert (tmp_path / "state" / operators_file.NAME).stat().st_mode & 0o777 == 0o644
