"""Who may command, in a file of its own beside the journal: who was revoked stays so if the journal is lost.

The journal is the truth, and is durable first; this is what it last said of operators that a command set.
What has run is not noted here: the next journal is told that nobody knows (`firmware.runtime.command_gate`).
Nothing here raises: a memo that cannot be written is written at the next change or start, one that is not
what was written says nothing.
"""

import json
from contextlib import suppress
from typing import Any
from zlib import crc32

import apsw

from firmware.runtime.command_gate import LOST
from firmware.runtime.operators import KEPT
from firmware.services.database import Files

BYTES_LIMIT = 1 << 20  #: of `operators.LIMIT` operators it is a tenth


def concerns(kept: dict[str, str | None]) -> bool:
    """Whether one of these keys is an operator's."""
    return any(key.startswith(KEPT) for key in kept)


def keep(files: Files, path: str, kept: dict[str, str]) -> None:
    """Note the operators among what journal `path` keeps (key -> JSON text), durably."""
    known = {}
    for key in sorted(kept):
        if key.startswith(KEPT):
            one = _entry(kept[key])
            if one is not None:
                known[key] = one
    if known != read(files, path):
        text = json.dumps(known, separators=(",", ":"))
        with suppress(apsw.Error, OSError):
            files.put(_memo(path), f"{text}\n{crc32(text.encode()):08x}\n".encode())


def recall(files: Files, path: str, kept: dict[str, str]) -> None:
    """Complete what could still be read of a journal that is lost, for the one that takes its place."""
    for key, one in read(files, path).items():
        kept.setdefault(key, json.dumps(one))
    kept[LOST] = "true"


def read(files: Files, path: str) -> dict[str, dict[str, Any]]:
    """What was noted last: key -> operator, without the `n` that it had come to."""
    try:
        if not files.exists(_memo(path)):
            return {}
        text, _, guard = files.read(_memo(path), BYTES_LIMIT, 0).partition(b"\n")
        known = json.loads(text) if guard == b"%08x\n" % crc32(text) else None
    except (apsw.Error, OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _entry(text: str) -> dict[str, Any] | None:
    """One operator without its `n`; None: nobody has set it."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or "role" not in entry:
        return None
    entry.pop("n", None)
    return entry


def _memo(path: str) -> str:
    return path.removesuffix(".db") + ".operators"
