"""The first operators of a controller: ``operators.json`` in its state folder, put there by an installer.

A list of ``{"id", "role", "public_key"}``. What the owner says later by `operator.set` is kept in the journal
and stands over it. ``doorward --import-operators FILE --state DIR`` checks such a file and puts it in place.

It has a good copy (`firmware.services.good_copy`), made at the first start: one bit in a name would give a
revoked key a new one. Who changes the file otherwise than by an import removes the copy, too.
"""

import contextlib
import json
import os
from typing import Any, TextIO

from firmware.runtime.operators import LIMIT, OWNER, ROLES, is_key, is_name
from firmware.services import good_copy, whole_files

NAME = "operators.json"
BYTES_LIMIT = good_copy.LIMIT

First = dict[str, tuple[str, str]]


def load(folder: str) -> tuple[First, list[str]]:
    """The operators in the state folder, and what was wrong, one line each. Never raises.

    A file with one entry that is wrong gives nobody: half of the owners is not what anybody wrote.
    """
    path = os.path.join(folder, NAME)
    content, flaw, told = good_copy.find(path)
    if content is None:  # a controller that nobody commands, or one whose owner has said who does
        return {}, told + ([f"{NAME}: {flaw}; nobody of it may command"] if flaw else [])
    found, problems = _entries(content, NAME)
    if problems:
        return {}, told + [f"{line}; nobody of it may command" for line in problems]
    return found, told + good_copy.keep(path, content)


def run(source: str, folder: str, out: TextIO, err: TextIO) -> int:
    """Put the operators of `source` into the state folder, all or none; the exit code."""
    try:
        with open(source, "rb") as file:
            found, problems = _entries(file.read(BYTES_LIMIT + 1), source)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        found, problems = {}, [f"{source}: {reason}; expected operators (JSON)"]
    if not problems and not any(role == OWNER for role, _ in found.values()):
        problems = [f"{source}: has no owner; expected at least one"]
    for line in problems:
        err.write(f"{line}\n")
    if problems:
        return 2
    entries = [{"id": id, "role": role, "public_key": key} for id, (role, key) in found.items()]
    try:
        path = os.path.join(folder, NAME)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(good_copy.of(path))  # first: it would put the old ones back
        # Root imports, and the door's own user reads.
        whole_files.write(path, (json.dumps(entries, indent=1) + "\n").encode(), mode=0o644)
    except OSError as error:
        err.write(f"{folder}: {(error.strerror or str(error)).lower()}\n")
        return 1
    text = "they may command from the next start on"
    out.write(f"{len(entries)} operators in {folder}; {text}\n")
    return 0


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
