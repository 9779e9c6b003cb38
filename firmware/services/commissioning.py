"""The commissioning record: what the self-test found, signed by the controller, kept for good.

``commissioning-<date>.json`` is one object of canonical JSON (RFC 8785) with its ``sig``. One that is there
is never written over. While a test is under way, ``commissioning.part`` holds the steps that are done, so
that it goes on after the power was pulled, which is a part of the test.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.services import whole_files
from firmware.trust import canonical

KIND = "doorward.commissioning"
VERSION = 1
PART = "commissioning.part"
_SAID = ("outcome", "says", "note")

Signed = Callable[[dict[str, Any]], dict[str, Any]]


def digest(path: str) -> str:
    """SHA-256 of the file at `path`, hex. Raises OSError."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Part:
    """The steps that are done, in the state folder.

    config  str  digest of the board config that they are of
    count   int  how many steps there are
    """

    def __init__(self, folder: str, config: str, count: int) -> None:
        self._path = Path(folder) / PART
        self._config = config
        self._count = count
        #: list of dict  as they stand in the record
        self.steps: list[dict[str, Any]] = []
        #: bool  there were steps of another config
        self.other = False

    def load(self) -> None:
        """What was done before; nothing, if there is none or it is not to be understood."""
        try:
            found = json.loads(self._path.read_bytes())
            steps = found["steps"]
            whole = isinstance(steps, list) and all(_is_step(one) for one in steps)
            if found["config"] == self._config and whole and len(steps) < self._count:
                self.steps = steps
            else:
                self.other = bool(steps)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass

    def add(self, step: dict[str, Any]) -> None:
        """One more is done. Raises OSError."""
        self.steps.append(step)
        whole = {"config": self._config, "steps": self.steps}
        whole_files.write(self._path, canonical.dumps(whole))

    def end(self) -> None:
        """It is in a record: nobody goes on with it. Raises OSError."""
        self._path.unlink(missing_ok=True)
        whole_files.sync(self._path.parent)


def _is_step(one: Any) -> bool:
    """Whether it has what the record and its summary are made of."""
    said = isinstance(one, dict) and all(isinstance(one.get(key), str) for key in _SAID)
    return said and one["outcome"] in ("ok", "failed", "skipped")


def make(about: dict[str, Any], steps: list[dict[str, Any]], signed: Signed) -> dict[str, Any]:
    """The record. `about` says where, who, when and of what; ``ok`` is told by the steps."""
    whole = bool(steps) and all(step["outcome"] == "ok" for step in steps)
    return signed({"v": VERSION, "kind": KIND, **about, "ok": whole, "steps": steps})


def write(record: dict[str, Any], folder: str, date: str, out: str | None) -> str:
    """Put `record` into a new file, in one piece and on the disk; its path.

    date  str  the site's date, as in the file's name; the second of a day has ``-2``
    out   str or None  a path of the installer's instead

    Raises OSError; FileExistsError if there is something at `out`.
    """
    data = canonical.dumps(record) + b"\n"
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        path = Path(out) if out is not None else Path(folder) / f"commissioning-{date}{suffix}.json"
        try:
            _put(path, data)
            return str(path)
        except FileExistsError:
            if out is not None:
                raise
            number += 1


def _put(path: Path, data: bytes) -> None:
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(new, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(new, path)  # unlike a renaming it writes over nothing
    except FileExistsError:
        new.unlink()
        raise
    except OSError:  # a stick knows no links
        os.replace(new, path)
    else:
        new.unlink()
    whole_files.sync(path.parent)
