"""A small file with a good copy beside it, so that one bit more or less is found and put right.

The copy of ``NAME.EXT`` is ``NAME.good.EXT``: the same bytes, and behind them the SHA-256 of the file's name,
a newline and those bytes. Of the two the one that the sum vouches for is used, and the other put right, which
is told. What is no good is set aside as ``NAME-bad-1.EXT``. A file without a copy is taken as it stands:
it is of an older version, or somebody has put it there. Who changes such a file therefore removes the copy,
too: a file changed alone is taken for a damaged one.
"""

import hashlib
import os
from collections.abc import Callable
from os.path import basename
from typing import NamedTuple

from firmware.services import whole_files

LIMIT = 262_144  #: bytes of such a file; of a longer one no more than this and a few are read
SUM_BYTES = 66  #: at the end of a copy, at the most
_OTHER = "is not what was written"

FilePath = str | os.PathLike[str]


class Found(NamedTuple):
    """What a file and its copy came to.

    content   bytes or None  what is to be used; None: there is nothing that can be
    flaw      str            without content: what is wrong with the file, which stays; "": there is none
    problems  list of str    what was wrong and what was done, one line each
    """

    content: bytes | None
    flaw: str
    problems: list[str]


def of(path: FilePath) -> str:
    """The copy of the file at `path`."""
    stem, suffix = os.path.splitext(path)
    return f"{stem}.good{suffix}"


def find(path: FilePath, flaw_of: Callable[[bytes], str] = lambda content: "") -> Found:
    """What is to be used of the file at `path`, which is put back where its copy is the better. Never raises.

    flaw_of  what is wrong with a content, by its look alone; "": nothing
    """
    there, flaw = _read(path)
    if there is not None and (wrong := flaw_of(there)):
        there, flaw = None, wrong
    good = of(path)
    copy, unreadable = _read(good)
    name, good_name = basename(path), basename(good)
    whole = _vouched(name, there, copy)
    if whole is None:
        problems = []
        if copy is not None or unreadable:
            goes_on = "" if there is None else f"; {name} is used as it stands"
            problems = [f"{good_name}: {set_aside(good, unreadable or _OTHER)}{goes_on}"]
        return Found(there, flaw, problems)
    if there == whole:
        return Found(whole, "", [])
    missing = there is None and not flaw
    wrong = "is missing" if missing else set_aside(path, flaw or _OTHER)
    problems = [f"{name}: {wrong}; {good_name} is used"]
    try:
        whole_files.write(path, whole)
    except OSError as error:
        problems.append(f"{name}: cannot be written ({error.strerror})")
    return Found(whole, "", problems)


def keep(path: FilePath, content: bytes) -> list[str]:
    """Have a copy of the file at `path`, which holds `content`; what was wrong. Never raises."""
    good = of(path)
    name, good_name = basename(path), basename(good)
    whole = content + _sum(name, content)
    there, _ = _read(good)
    if there == whole:
        return []
    problems = []
    if there not in (None, content + _line(name, content)):
        problems.append(f"{good_name}: {_OTHER}; made anew from {name}")
    try:
        whole_files.write(good, whole)
    except OSError as error:
        problems.append(
            f"{good_name}: cannot be written ({error.strerror}); {name} has no good copy"
        )
    return problems


def set_aside(path: FilePath, flaw: str) -> str:
    """Give a file that is no good another name; the words for what was wrong, and for that. Never raises."""
    number = 1
    stem, suffix = os.path.splitext(path)
    while os.path.exists(aside := f"{stem}-bad-{number}{suffix}"):
        number += 1
    try:
        os.rename(path, aside)
    except OSError:
        return f"{flaw}; it cannot be set aside"
    return f"{flaw}; set aside as {basename(aside)}"


def _vouched(name: str, there: bytes | None, copy: bytes | None) -> bytes | None:
    """The content, where the sum of the copy says which it is."""
    if copy is None:
        return None
    for seal in (_sum, _line):
        length = len(seal(name, b""))
        copied, told = copy[:-length], copy[-length:]
        for content in (there, copied):
            if content is not None and seal(name, content) == told:
                return content
    return None


def _sum(name: str, content: bytes) -> bytes:
    return hashlib.sha256(os.fsencode(name) + b"\n" + content).digest()


def _line(name: str, content: bytes) -> bytes:
    """The sum of the first copies of operators.json, a line of text."""
    return b"\n" + hashlib.sha256(content).hexdigest().encode() + b"\n"


def _read(path: FilePath) -> tuple[bytes | None, str]:
    """What a file holds; or None, and why: "" where there is none at all."""
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT + SUM_BYTES + 1), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cannot be read ({error.strerror})"
