"""`doorctl commissioning verify`: whose record a self-test left, and what was not right."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from firmware.arguments import Parser
from firmware.trust import signing
from host_tools.console import DONE, LOOK, WRONG, Console, UseError, printable

_KIND = "doorward.commissioning"
_EXPECTED = "expected a record of doorward --selftest"
_LARGEST = 10_000_000  #: bytes


def run(args: argparse.Namespace, console: Console, words: dict[str, str]) -> int:
    """0: it is signed, by that key, of that config, and every step of it is right; 1: not.

    Raises `UseError` for a file that is none.
    """
    if args.key is not None:
        raise UseError(
            "--key: stands before the command; expected commissioning verify FILE --key BASE64"
        )
    record = _read(args.file)
    wrong = _wrong(record, args)
    steps = [step for step in record["steps"] if isinstance(step, dict)]
    bad = [step for step in steps if step.get("outcome") != "ok"]
    right = (
        bool(steps) and len(steps) == len(record["steps"]) and not bad and record.get("ok") is True
    )
    if args.json:
        shown = {"signed": not wrong, "wrong": wrong, "right": right, "record": record}
        console.line(json.dumps(shown, ensure_ascii=False))
        return 0 if right and not wrong else 1
    named = {
        key: printable(str(record.get(key, "?"))) for key in ("site", "controller", "by", "ended")
    }
    if wrong:
        console.say(WRONG, words[f"commissioning.{wrong}"].format(**named))
        return 1
    count = {"good": str(len(steps) - len(bad)), "count": str(len(record["steps"]))}
    lines = [words["commissioning.who"].format(**named)]
    if args.public_key is None:
        lines.append(words["commissioning.unchecked"].format(key=str(record.get("public_key"))))
    for step in bad:
        note = f" ({step['note']})" if step.get("note") else ""
        outcome = words[
            "commissioning.left" if step.get("outcome") == "skipped" else "commissioning.failed"
        ]
        lines.append(printable(f"{outcome}: {step.get('says', '?')}{note}"))
    sign = DONE if right else LOOK
    console.say(sign, words["commissioning.signed"].format(**named, **count), lines)
    return 0 if right else 1


def _wrong(record: dict[str, Any], args: argparse.Namespace) -> str:
    """What it fails by, a word of ours; empty: nothing."""
    try:
        key = own = b"" if args.public_key is None else signing.key_bytes(args.public_key)
    except signing.KeyTextError as error:
        raise UseError(f"--key: {error}") from None
    try:
        own = signing.key_bytes(record.get("public_key"))
    except signing.KeyTextError:
        return "unsigned"
    key = key or own
    if not signing.is_signed(record, key):
        return "unsigned" if key == own else "other_key"
    config = record.get("config")
    if args.board is not None and (
        not isinstance(config, dict) or config.get("sha256") != _digest(args.board)
    ):
        return "other_config"
    return ""


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            record = json.loads(file.read(_LARGEST), object_pairs_hook=_object)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise UseError(f"{path}: {reason}; {_EXPECTED}") from None
    except (ValueError, RecursionError):
        raise UseError(f"{path}: is no JSON; {_EXPECTED}") from None
    whole = isinstance(record, dict) and record.get("kind") == _KIND
    if not whole or not isinstance(record.get("steps"), list):
        raise UseError(f"{path}: is none; {_EXPECTED}")
    return dict(record)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _digest(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise UseError(f"{path}: {reason}; expected a board config") from None


def add(commands: Any, common: Parser, formatter: Any) -> None:
    """What the command takes. `common` is for this alone: its ``--key`` is another."""
    parser = commands.add_parser("commissioning", help="whether a self-test's record is genuine")
    verbs = parser.add_subparsers(dest="verb", metavar="verify", required=True)
    verify = verbs.add_parser(
        "verify",
        parents=[common],
        conflict_handler="resolve",
        help="check its signature, say what failed and what was left out",
        epilog="example:\n  doorctl commissioning verify commissioning-2026-11-21.json --key BASE64\n",
        formatter_class=formatter,
    )
    verify.add_argument("file", metavar="FILE", help="what doorward --selftest left")
    verify.add_argument(
        "--key",
        dest="public_key",
        metavar="BASE64",
        help="the controller's public_key.sign, kept from the day it was enrolled",
    )
    verify.add_argument("--board", metavar="FILE", help="the board config that it must be of")
