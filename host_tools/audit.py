"""`doorctl audit verify`: whether records are whole: of what was kept of the broker, or of a journal itself.

A file is lines of JSON, one event each (as `doorctl events --json` and a broker's clients print them; what
stands before the first brace is passed over, and so is what is no event), or a ``journal.db``, which may
be in use: it is copied first and never written to.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import apsw

from firmware.arguments import Parser
from firmware.trust import audit, signing
from host_tools.console import DONE, WRONG, Console, FailedError, UseError
from host_tools.words import form

_MAGIC = b"SQLite format 3\0"
_TRIES = 5  #: to copy a journal while nobody writes to it
_LINE_MOST = 1 << 20  #: characters of one line


def run(args: argparse.Namespace, console: Console, words: dict[str, str]) -> int:
    """0: whole, 1: not. Raises `UseError` for a file or key that is none."""
    key = _key(args)
    told = audit.verify((event for path in args.files for event in _events(path)), key)
    if not told:
        raise UseError(f"{', '.join(args.files)}: no records; expected events or a journal.db")
    whole = not any(journal.findings for journal in told)
    if args.json:
        shown = [_plain(journal) for journal in told]
        console.line(json.dumps({"whole": whole, "journals": shown}, ensure_ascii=False))
        return 0 if whole else 1
    for journal in told:
        console.say(*_said(journal, key is not None, words))
    return 0 if whole else 1


def _said(
    journal: audit.Journal, has_key: bool, words: dict[str, str]
) -> tuple[str, str, list[str]]:
    def say(key: str, **values: object) -> str:
        return words[form(words, key, values.get("n"))].format(**values)

    who = {"part": journal.controller or "?", "name": journal.name}
    if journal.findings:
        found = journal.findings[0]
        other = f"{found.other:,}"
        what, why = say(f"audit.{found.what}"), say(f"audit.why.{found.why}", other=other)
        more = len(journal.findings) - 1
        said = say("audit.broken", seq=f"{found.seq:,}", what=what, why=why, **who)
        return WRONG, said, [say("audit.more", n=f"{more:,}")] if more else []
    first, last = f"{journal.first:,}", f"{journal.last:,}"
    said = say("audit.whole", n=journal.last - journal.first + 1, first=first, last=last, **who)
    if journal.checkpoints == 0:
        lines = [say("audit.none")]
    elif has_key:
        lines = [say("audit.signed", n=f"{journal.signed:,}")]
    else:
        lines = [say("audit.unchecked", n=f"{journal.checkpoints:,}")]
    if journal.first > 1:
        lines.append(say("audit.middle", first=first))
    if has_key and 0 < journal.upto < journal.last - 1:
        lines.append(say("audit.tail", upto=f"{journal.upto:,}"))
    return DONE, said, lines


def _plain(journal: audit.Journal) -> dict[str, Any]:
    fields = {**vars(journal), "journal": journal.name}
    del fields["name"]
    fields["findings"] = [vars(found) for found in journal.findings]
    return fields


def _key(args: argparse.Namespace) -> bytes | None:
    """The controller's key. ``--controller-key`` names it too; a ``--key`` before the command is another."""
    if args.key is not None:
        raise UseError("--key: stands before the command; expected audit verify FILE --key BASE64")
    given = {"--key": args.public_key, "--controller-key": args.controller_key}
    named = {name: text for name, text in given.items() if text is not None}
    if len(set(named.values())) > 1:
        raise UseError("--controller-key: is not the one of --key; expected one of them")
    for name, text in named.items():
        try:
            return signing.key_bytes(text)
        except signing.KeyTextError as error:
            raise UseError(f"{name}: {error}") from None
    return None


def _events(path: str) -> Iterator[dict[str, Any]]:
    if path == "-":
        yield from _lines(path, iter(sys.stdin.readline, ""))
        return
    try:
        with open(path, "rb") as file:
            start = file.read(len(_MAGIC))
        if start == _MAGIC:
            yield from _lines(path, _journal(path))
            return
        with open(path, encoding="utf-8") as text:
            yield from _lines(path, iter(lambda: text.readline(_LINE_MOST), ""))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise UseError(f"{path}: {reason.lower()}; expected events or a journal.db") from None


def _lines(path: str, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        start = line.find("{")
        if start < 0 and not line.strip():
            continue
        try:
            found = json.loads(line[start:], object_pairs_hook=_object)
        except (ValueError, RecursionError):
            raise UseError(
                f"{path}: line {number}: is no JSON; expected one event a line"
            ) from None
        if isinstance(found, dict):
            inner = found.get("event")  # a line of `door-sim run --json`
            yield inner if isinstance(inner, dict) else found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that comes twice keeps both values, so that no hash fits."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        while key in found:
            key += " (again)"
        found[key] = value
    return found


def _journal(path: str) -> Iterator[str]:
    """The texts of a controller's journal, those that it carried over among them."""
    with tempfile.TemporaryDirectory(prefix="doorctl-") as folder:
        copy = os.path.join(folder, "journal.db")
        _copy(path, copy)
        try:
            connection = apsw.Connection(copy)
            for table, key in (("former", "id"), ("events", "seq")):
                for (body,) in connection.execute(f"SELECT body FROM {table} ORDER BY {key}"):
                    yield str(body)
            connection.close()
        except apsw.Error as error:
            reason = type(error).__name__.removesuffix("Error").lower()
            raise FailedError(
                f"{path}: cannot be read ({reason}); expected a whole journal.db"
            ) from None


def _copy(path: str, copy: str) -> None:
    """Copy a journal and its log as they are at one time, though somebody may be writing to them."""
    for _ in range(_TRIES):
        before = _state(path)
        for suffix in ("-wal", ""):
            if os.path.exists(path + suffix):
                shutil.copyfile(path + suffix, copy + suffix)
        if _state(path) == before:
            return
    raise FailedError(f"{path}: changes all the time; expected a moment of rest")


def _state(path: str) -> list[tuple[int, int] | None]:
    def one(name: str) -> tuple[int, int] | None:
        if not os.path.exists(name):
            return None
        now = os.stat(name)
        return now.st_size, now.st_mtime_ns

    return [one(path), one(path + "-wal")]


def add(commands: Any, common: Parser, formatter: Any) -> None:
    """What the command takes. `common` is for this alone: its ``--key`` is another."""
    parser = commands.add_parser("audit", help="whether records are whole")
    verbs = parser.add_subparsers(dest="verb", metavar="verify", required=True)
    verify = verbs.add_parser(
        "verify",
        parents=[common],
        conflict_handler="resolve",
        help="name the first record that was changed, removed or inserted",
        epilog="example:\n  doorctl audit verify events.jsonl journal.db --key BASE64\n",
        formatter_class=formatter,
    )
    verify.add_argument("files", nargs="+", metavar="FILE", help="events, one a line; a journal.db")
    verify.add_argument(
        "--key",
        dest="public_key",
        metavar="BASE64",
        help="the controller's public_key.sign, kept from the day it was enrolled",
    )
