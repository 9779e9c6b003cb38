"""The first operators of a controller: ``operators.json`` in its state folder, put there by an installer.

A list of ``{"id", "role", "public_key"}``. What the owner says later by `operator.set` is kept in the journal
and stands over it. ``doorward --import-operators FILE --state DIR`` checks such a file and puts it in place.

A good copy stands beside it (``operators.good.json``), the same bytes and a sum of them, made at the first
start: one bit in a name would give a revoked key a new one. Of the two the one that the sum vouches for is
used and the other put right, which is told. Who changes the file otherwise than by an import removes the
copy, too.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from firmware.runtime.operators import LIMIT, OWNER, ROLES, is_key, is_name

NAME = "operators.json"
GOOD = "operators.good.json"  #: its good copy; the last line is the sum
BYTES_LIMIT = 262_144
SUM_BYTES = 66  #: the last line of the copy, and the end of the one before

First = dict[str, tuple[str, str]]


def load(folder: str) -> tuple[First, list[str]]:
    """The operators in the state folder, and what was wrong, one line each. Never raises.

    A file with one entry that is wrong gives nobody: half of the owners is not what anybody wrote.
    """
    path, good = Path(folder) / NAME, Path(folder) / GOOD
    content, told = _content(path, good)
    if content is None:
        return {}, told  # a controller that nobody commands, or one whose owner has said who does
    found, problems = _entries(content, NAME)
    if problems:
        return {}, told + [f"{line}; nobody of it may command" for line in problems]
    if not good.exists():
        with suppress(OSError):  # the file alone serves as well, till something befalls it
            _write(good, content + _sum(content))
    return found, told


def _content(path: Path, good: Path) -> tuple[bytes | None, list[str]]:
    """What was put there, by the file and its copy, and what was wrong with either; None: nothing."""
    there, flaw = _bytes(path, NAME)
    copy, problem = _bytes(good, GOOD)
    if copy is None:
        told = [f"{problem}; {NAME} is used as it stands"] if problem else []
        return there, told + ([f"{flaw}; nobody of it may command"] if flaw else [])
    content, told_sum = copy[:-SUM_BYTES], copy[-SUM_BYTES:]
    if there is not None and _sum(there) == told_sum:
        if there == content:
            return there, []
        problem = f"{GOOD}: is not what was written; made anew from {NAME}"
        return there, [problem, *_put(good, there + told_sum)]
    if _sum(content) == told_sum:
        why = flaw or f"{NAME}: {'is missing' if there is None else 'is not what was put there'}"
        return content, [f"{why}; {GOOD} is used", *_put(path, content)]
    with suppress(OSError):
        good.unlink()
    return there, [f"{GOOD}: is not what was written; {NAME} is used as it stands"]


def _put(path: Path, content: bytes) -> list[str]:
    try:
        _write(path, content)
    except OSError as error:
        return [f"{path.name}: cannot be written ({error.strerror})"]
    return []


def _sum(content: bytes) -> bytes:
    return b"\n" + hashlib.sha256(content).hexdigest().encode() + b"\n"


def run(source: str, folder: str, out: TextIO, err: TextIO) -> int:
    """Put the operators of `source` into the state folder, all or none; the exit code."""
    content, flaw = _bytes(Path(source), source)
    if content is None:
        content, flaw = (
            b"",
            flaw or f"{source}: no such file or directory; expected operators (JSON)",
        )
    found, problems = ({}, [flaw]) if flaw else _entries(content, source)
    if not problems and not any(role == OWNER for role, _ in found.values()):
        problems = [f"{source}: has no owner; expected at least one"]
    for line in problems:
        err.write(f"{line}\n")
    if problems:
        return 2
    entries = [{"id": id, "role": role, "public_key": key} for id, (role, key) in found.items()]
    try:
        (Path(folder) / GOOD).unlink(missing_ok=True)  # first: it would put the old ones back
        _write(Path(folder) / NAME, (json.dumps(entries, indent=1) + "\n").encode())
    except OSError as error:
        err.write(f"{folder}: {(error.strerror or str(error)).lower()}\n")
        return 1
    text = "they may command from the next start on"
    out.write(f"{len(entries)} operators in {folder}; {text}\n")
    return 0


def _bytes(path: Path, title: str) -> tuple[bytes | None, str]:
    """What a file holds; None, and why it cannot be read, "": there is none."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_LIMIT + SUM_BYTES + 1), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{title}: {(error.strerror or str(error)).lower()}; expected operators (JSON)"


def _entries(content: bytes, title: str) -> tuple[First, list[str]]:
    if len(content) > BYTES_LIMIT:
        return {}, [f"{title}: is too long; expected at most {BYTES_LIMIT} bytes"]
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError):
        return {}, [f"{title}: is no JSON; expected a list of operators"]
    if not isinstance(entries, list) or not 0 < len(entries) <= LIMIT:
        return {}, [f"{title}: is no such list; expected 1 to {LIMIT} operators"]
    found: First = {}
    problems = []
    for at, entry in enumerate(entries, 1):
        flaw = _flaw(entry, found)
        if flaw:
            problems.append(f"{title}: entry {at}: {flaw}")
        else:
            found[entry["id"]] = (entry["role"], entry["public_key"])
    return found, problems


def _flaw(entry: Any, before: First) -> str:
    """What is wrong with one entry; "": nothing."""
    if not isinstance(entry, dict) or set(entry) != {"id", "role", "public_key"}:
        return "has other fields; expected id, role and public_key"
    if not is_name(entry["id"]):
        return "id is no name; expected 1 to 32 of a-z, 0-9 and -"
    if entry["id"] in before:
        return f"id {entry['id']} stands there twice; expected each once"
    if not isinstance(entry["role"], str) or entry["role"] not in ROLES:
        return f"role is unknown; expected one of {', '.join(ROLES)}"
    if not is_key(entry["public_key"]):
        return "public_key is no key; expected 32 bytes in base64"
    return ""


def _write(path: Path, content: bytes) -> None:
    # Beside it and then in place: a cut leaves the old ones or the new ones.
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
