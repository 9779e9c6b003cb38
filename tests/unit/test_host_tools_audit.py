"""`doorctl audit verify`: files of all kinds, one sentence a journal, exit codes."""

import base64
import json
from pathlib import Path

import pytest
from test_firmware_services_journal_rig import event

from firmware.runtime import aio
from firmware.runtime.ports import Batch
from firmware.services.executor import InlineExecutor
from firmware.services.journal import SqliteJournal
from firmware.trust import chain
from firmware.trust.identity import Identity
from host_tools.main import main

IDENTITY = Identity.of(bytes(range(64)))
KEY = IDENTITY.public_key["sign"]


def _journal(path: Path, count: int = 5) -> tuple[InlineExecutor, list[str]]:
    """A journal that is in use, and its records as lines."""
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    executor = InlineExecutor(loop)
    sign = chain.signer(IDENTITY.signed, "sunrise/c-01")
    random = bytes.fromhex("5f3a9c01")
    journal = SqliteJournal(
        str(path), executor, loop, "c-01", random=lambda size: random[:size], sign=sign
    )
    lines: list[str] = []
    journal.open()
    journal.on_written = lambda events, at: lines.extend(json.dumps(event) for event in events)
    for kind in ["access.granted"] * count + ["system.checkpoint"]:
        journal.append(Batch([event(kind)], [1], {}), lambda batch: None)
    loop.run(aio.sleep_ms(100))
    return executor, lines


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, whatever the width it was laid out for."""
    return " ".join(capsys.readouterr().out.split())


def test_a_journal_in_use_is_read_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executor, _ = _journal(tmp_path / "journal.db", 1500)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["audit", "verify", str(tmp_path / "journal.db"), "--key", KEY]) == 0
    said = "c-01, journal 5f3a9c01: records 1 to 1,503 are whole. 2 checkpoints are signed."
    assert _said(capsys) == f"✓ {said}"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    executor.close()


def test_what_a_broker_s_client_printed_is_read_whatever_its_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executor, lines = _journal(tmp_path / "journal.db")
    executor.close()
    kept = tmp_path / "events.jsonl"
    told = [lines[3], *reversed(lines), lines[0], "", '{"state":"online"}']
    kept.write_text("\n".join("doorward/sunrise/c-01/event " + line for line in told[:-2]))
    assert main(["audit", "verify", str(kept), "--lang", "zh"]) == 0
    out = capsys.readouterr().out
    assert out == "✓ c-01账本5f3a9c01：第1至7条完整。\n  1个检查点，未验签名（--key）。\n"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("changed", "record 3: changed; its content does not give its hash"),
        ("removed", "record 4: removed; the next one that is there is 5"),
        (
            "inserted",
            "record 5: inserted; two records have this number, and only one fits the chain",
        ),
    ],
)
def test_the_first_record_that_was_touched_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str, said: str
) -> None:
    executor, lines = _journal(tmp_path / "journal.db")
    executor.close()
    if how == "changed":
        lines[2] = lines[2].replace("access.granted", "access.denied")
    elif how == "removed":
        del lines[3]
    else:
        new = {**json.loads(lines[4]), "type": "portal.released"}
        chain.seal(new, new["prev"])
        lines.append(json.dumps(new))
    kept = tmp_path / "events.jsonl"
    kept.write_text("\n".join(lines))
    assert main(["audit", "verify", str(kept), "--key", KEY]) == 1
    assert _said(capsys) == f"✗ c-01, journal 5f3a9c01, {said}."
    assert main(["audit", "verify", str(kept), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["whole"] is False
    assert [found["what"] for found in told["journals"][0]["findings"]] == [how]


def test_another_key_is_told_from_the_controller_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executor, lines = _journal(tmp_path / "journal.db")
    executor.close()
    other = base64.b64encode(bytes(32)).decode()
    assert main(["audit", "verify", str(tmp_path / "journal.db"), "--key", other]) == 1
    assert "something from here to 7 is not what checkpoint 7 signed" in _said(capsys)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "no such file or directory; expected events or a journal.db"),
        (b"", "no records; expected events or a journal.db"),
        (b'{"a":1}\nwhat?', "line 2: is no JSON; expected one event a line"),
        (b"\xff\xfe\n", "is no text; expected events or a journal.db"),
    ],
)
def test_a_file_that_is_none_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, line: str
) -> None:
    path = tmp_path / "events"
    if content is not None:
        path.write_bytes(content)
    assert main(["audit", "verify", str(path)]) == 2
    assert capsys.readouterr().err == f"{path}: {line}\n"


def test_a_key_that_is_none_and_a_broken_journal_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert main(["audit", "verify", str(path), "--key", "abc"]) == 2
    assert capsys.readouterr().err == "--key: is no key; expected 32 bytes in base64\n"
    assert main(["audit", "verify", str(path)]) == 1
    assert "expected a whole journal.db" in capsys.readouterr().err


def test_a_key_that_comes_twice_is_no_record_of_the_controller_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executor, lines = _journal(tmp_path / "journal.db")
    executor.close()
    kept = tmp_path / "events.jsonl"
    lines[3] = '{"type":"access.denied",' + lines[3][1:]
    kept.write_text("\n".join(lines))
    assert main(["audit", "verify", str(kept)]) == 1
    assert "record 4: changed; its content does not give its hash" in _said(capsys)


def test_the_controller_s_key_checks_by_either_name_and_never_silently_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executor, _ = _journal(tmp_path / "journal.db")
    executor.close()
    file = str(tmp_path / "journal.db")
    other = Identity.of(bytes(64)).public_key["sign"]
    assert main(["audit", "verify", file, "--controller-key", KEY]) == 0
    assert _said(capsys).endswith(": records 1 to 7 are whole. 1 checkpoint is signed.")
    assert main(["audit", "verify", file, "--controller-key", other]) == 1
    capsys.readouterr()
    for args, said in (
        (["audit", "verify", file, "--controller-key", "x"], "--controller-key: "),
        (["audit", "verify", file, "--controller-key", other, "--key", KEY], "is not the one of"),
        (["--key", KEY, "audit", "verify", file], "--key: stands before the command"),
    ):
        assert main(args) == 2
        assert said in capsys.readouterr().err
