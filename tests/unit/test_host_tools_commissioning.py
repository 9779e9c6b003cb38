"""`doorctl commissioning verify`: whose record it is, whether it was changed, what was not right."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from firmware.trust import canonical
from firmware.trust.identity import Identity
from host_tools.main import main

IDENTITY = Identity.of(bytes(range(64)))
KEY = IDENTITY.public_key["sign"]


def written(tmp_path: Path, **other: Any) -> Path:
    """A record of two steps, the second failed unless told otherwise."""
    says = ("W2: open and close Gate; it reads open, then closed.", "W3: K1 clicks.")
    steps = [
        {"says": says[0], "outcome": "ok", "note": ""},
        {"says": says[1], "outcome": "failed", "note": "no click"},
    ]
    fields = {
        "v": 1,
        "kind": "doorward.commissioning",
        "site": "sunrise",
        "controller": "c-01",
        "by": "Li",
        "ended": "2026-11-21T08:00:00.000Z",
        "public_key": KEY,
        "config": {"sha256": hashlib.sha256(b"board").hexdigest()},
        "ok": False,
        "steps": steps,
        **other,
    }
    path = tmp_path / "commissioning.json"
    path.write_bytes(canonical.dumps(IDENTITY.signed(fields)))
    return path


def all_right(tmp_path: Path) -> Path:
    """The same with nothing in it that failed."""
    return written(tmp_path, ok=True, steps=[{"says": "W3: K1 clicks.", "outcome": "ok"}])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_a_record_is_told_with_what_was_not_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path)
    assert main(["commissioning", "verify", str(path), "--key", KEY, "--lang", "en"]) == 1
    assert said(capsys) == (
        "! Signed by c-01: 1 of 2 steps are right. "
        "Tested at sunrise by Li, ended 2026-11-21T08:00:00.000Z. failed: W3: K1 clicks. (no click)"
    )


RIGHT = {"says": "W3: K1 clicks.", "outcome": "ok"}


@pytest.mark.parametrize(
    ("ok", "steps", "count", "code"),
    [
        (True, [RIGHT, RIGHT], "2 of 2", 0),
        (False, [RIGHT, {**RIGHT, "outcome": "skipped"}], "1 of 2", 1),
        (True, [RIGHT, {**RIGHT, "outcome": "failed"}], "1 of 2", 1),
        (False, [RIGHT], "1 of 1", 1),
        ("yes", [RIGHT], "1 of 1", 1),
        (True, [RIGHT, "W4"], "1 of 2", 1),
        (True, [], "0 of 0", 1),
    ],
)
def test_only_a_record_with_every_step_right_is_a_success_and_the_signature_is_told_apart(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ok: object,
    steps: list[object],
    count: str,
    code: int,
) -> None:
    args = ["commissioning", "verify", str(written(tmp_path, ok=ok, steps=steps)), "--key", KEY]
    assert main([*args, "--lang", "en"]) == code
    assert f"Signed by c-01: {count} steps are right." in said(capsys)
    assert main([*args, "--json"]) == code
    told = json.loads(said(capsys))
    assert (told["signed"], told["right"]) == (True, code == 0)


def test_without_a_key_it_is_said_that_nothing_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["commissioning", "verify", str(all_right(tmp_path)), "--lang", "en"]) == 0
    assert "--key compares" in said(capsys)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_record_that_was_changed_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace('"failed"', '"ok"'))
    assert main(["commissioning", "verify", str(path), "--lang", lang]) == 1
    word = {"en": "✗ Changed, or not signed", "zh": "✗ 已被改动或未签名"}[lang]
    assert said(capsys).startswith(word)


def test_another_controller_s_record_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = base64.b64encode(bytes(32)).decode()
    args = ["commissioning", "verify", str(written(tmp_path)), "--key", other, "--lang", "en"]
    assert main(args) == 1
    assert said(capsys).startswith("✗ Not signed by that key")


def test_a_record_that_names_a_key_of_its_own_is_not_the_controller_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forger = Identity.of(bytes(range(64, 128)))
    record = json.loads(written(tmp_path).read_bytes())
    record["public_key"] = forger.public_key["sign"]
    path = tmp_path / "forged.json"
    path.write_bytes(canonical.dumps(forger.signed(record)))
    assert main(["commissioning", "verify", str(path), "--key", KEY, "--lang", "en"]) == 1
    assert said(capsys).startswith("✗ Not signed by that key")


def test_a_record_of_another_config_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board.toml"
    board.write_bytes(b"board")
    args = ["commissioning", "verify", str(all_right(tmp_path)), "--key", KEY]
    args += ["--board", str(board), "--json"]
    assert main(args) == 0
    assert json.loads(said(capsys))["wrong"] == ""
    board.write_bytes(b"board 2")
    assert main(args) == 1
    assert json.loads(said(capsys))["wrong"] == "other_config"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "no such file or directory"),
        (b"what?", "is no JSON"),
        (b'{"kind":"doorward.commissioning","kind":"x"}', "is no JSON"),
        (b'{"kind":"doorward.commissioning"}', "is none"),
        (b"[]", "is none"),
    ],
)
def test_a_file_that_is_none_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, line: str
) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["commissioning", "verify", str(path)]) == 2
    assert capsys.readouterr().err == f"{path}: {line}; expected a record of doorward --selftest\n"


@pytest.mark.parametrize("own", [None, 5, "", "AAAA"])
def test_a_record_whose_own_key_is_none_is_not_blamed_on_the_key_that_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], own: object
) -> None:
    path = written(tmp_path, public_key=own)
    assert main(["commissioning", "verify", str(path), "--key", KEY, "--lang", "en"]) == 1
    assert said(capsys) == "✗ Changed, or not signed: nothing in it can be relied on."


def test_nothing_that_stands_in_a_record_is_a_line_of_ours_or_turns_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [{"says": "W1\x1b[2J", "outcome": "failed", "note": "x\n✓ Signed by c-01"}]
    path = written(tmp_path, by="Li\n✓ Signed by c-02", site="\u202es", steps=steps)
    assert main(["commissioning", "verify", str(path), "--lang", "en"]) == 1
    out = capsys.readouterr().out
    assert [line[0] for line in out.splitlines()] == ["!"] + [" "] * (len(out.splitlines()) - 1)
    assert out.replace("\n", "").isprintable()


def test_a_record_without_a_step_is_not_called_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["commissioning", "verify", str(written(tmp_path, ok=True, steps=[]))]) == 1
    assert said(capsys).startswith("! ")
