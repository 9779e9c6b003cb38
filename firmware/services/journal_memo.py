"""Who may command, in a file of its own beside the journal: who was revoked stays so if the journal is lost.

A change is noted here first and then in the journal, so what stands here is never older than what can be
read of a journal that is damaged: a page of it may be whole, and of an earlier day. A journal that is sound
is the truth, and this follows it.
What has run is not noted here: the next journal is told that nobody knows (`firmware.runtime.command_gate`).
Nothing here raises: a memo that cannot be written is written at the next change, start or checkpoint.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from zlib import crc32

import apsw

from firmware.runtime.command_gate import LOST
from firmware.runtime.operators import KEPT
from firmware.services.disk_files import Files

BYTES_LIMIT = 1 << 20  #: of `operators.LIMIT` operators it is a tenth


def concerns(kept: Mapping[str, str | None]) -> bool:
    """Whether one of these keys is an operator's."""
    return any(key.startswith(KEPT) for key in kept)


def keep(files: Files, path: str, kept: Mapping[str, str | None]) -> None:
    """Note the operators among what journal `path` keeps (key -> JSON text), durably."""
    known = {}
    for key in sorted(kept):
        if key.startswith(KEPT):
            one = _entry(kept[key])
            if one is not None and "role" in one:
                one.pop("n", None)
                known[key] = one
    if known != read(files, path):
        text = json.dumps(known, separators=(",", ":"))
        with suppress(apsw.Error, OSError):
            files.put(_memo(path), f"{text}\n{crc32(text.encode()):08x}\n".encode())


def recall(files: Files, path: str, kept: dict[str, str]) -> str:
    """Put right what could still be read of a journal that is lost, for the one that takes its place.

    Of each operator the memo's word stands, and the `n` that was found. What is wrong with the memo, or "".
    """
    kept[LOST] = "true"
    known = read(files, path)
    if known is None:
        return f"{os.path.basename(_memo(path))} is damaged too: see who may command"
    for key, one in known.items():
        kept[key] = json.dumps({**(_entry(kept.get(key)) or {}), **one})
    return ""


def read(files: Files, path: str) -> dict[str, dict[str, Any]] | None:
    """What was noted last: key -> operator, without the `n` that it had come to. None: it is damaged."""
    try:
        if not files.exists(_memo(path)):
            return {}
        for content in files.versions(_memo(path), BYTES_LIMIT):
            text, _, guard = content.partition(b"\n")
            known = json.loads(text) if guard == b"%08x\n" % crc32(text) else None
            if isinstance(known, dict):
                return known
    except (apsw.Error, OSError, ValueError, RecursionError):
        pass
    return None


def is_there(files: Files, path: str) -> bool:
    """Whether there is one, whatever it says. Raises OSError or `apsw.Error`."""
    return files.exists(_memo(path))


def _entry(text: str | None) -> dict[str, Any] | None:
    """One operator as the journal keeps it."""
    try:
        entry = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _memo(path: str) -> str:
    return path.removesuffix(".db") + ".operators"
