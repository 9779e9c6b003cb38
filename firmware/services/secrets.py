"""The controller's own secrets, random bytes made at the first boot.

``controller.key`` never leaves it: PINs and codes are stored under it; without it nobody's PIN is known
any more, which is told, and cards go on. ``visitor.key`` makes visitors' codes: its host gets it, nobody
else; without it the codes that were given out are no good any more, which is told too.
``identity.key`` is who the controller is (`firmware.trust.identity`): with another one hosts must be told
its new public keys, which its `status` carries.

Each file is the key's bytes and no more; a good copy stands beside it (``controller.good.key``), the same
bytes and a sum of them. Of the two the one that the sum vouches for is used and the other made anew from it,
which is told; a key that does not fit is set aside. One that has no copy is taken as it stands, and gets
one: it is of an older version, or somebody has put it there. Who gives a controller another key therefore
removes the copy, too: a key changed alone is taken for a damaged one.
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from firmware.trust.identity import LENGTH as IDENTITY_LENGTH
from firmware.trust.identity import Identity

LENGTH = 32
SUM_LENGTH = 32  #: bytes of a good copy behind those of the key
_OTHER = "is not what was written"
_BEGUN = "journal.name"  # there since the first boot, and made after the secrets


class _Kind(NamedTuple):
    """A secret: its file, what is said when it was lost, or lives until the restart only, its bytes."""

    name: str
    lost: str
    brief: str
    length: int = LENGTH


_CONTROLLER = _Kind(
    "controller.key",
    "PINs and codes must be given again",
    "PINs and codes are known until the restart",
)
_VISITOR = _Kind(
    "visitor.key",
    "visitors' codes must be given again",
    "visitors' codes are known until the restart",
)

_IDENTITY = _Kind(
    "identity.key",
    "hosts must be told this controller's new keys",
    "this controller's keys are known until the restart",
    IDENTITY_LENGTH,
)


def controller_key(state_dir: str | os.PathLike[str]) -> tuple[bytes, list[str]]:
    """The key kept in `state_dir`, made if there is none; and what was wrong, one line each.

    A file that is not the key is set aside, and its good copy used; without one the key is lost. One that is
    gone though there was a journal is told too. Where nothing can be written a new key lives until the end
    of this process. Never raises.
    """
    return _secret(state_dir, _CONTROLLER)


def visitor_key(state_dir: str | os.PathLike[str]) -> tuple[bytes, list[str]]:
    """The key that visitors' codes are made with, as `controller_key`."""
    return _secret(state_dir, _VISITOR)


def controller_identity(state_dir: str | os.PathLike[str]) -> tuple[Identity, list[str]]:
    """Who this controller is, as `controller_key`."""
    secret, problems = _secret(state_dir, _IDENTITY)
    return Identity.of(secret), problems


def has_begun(state_dir: str | os.PathLike[str]) -> bool:
    """Whether a controller has ever lived in `state_dir`, whatever became of its files."""
    return (Path(state_dir) / _BEGUN).exists()


def _secret(state_dir: str | os.PathLike[str], kind: _Kind) -> tuple[bytes, list[str]]:
    path = Path(state_dir) / kind.name
    good = path.with_name(f"{path.stem}.good{path.suffix}")
    there, flaw = _read(path, kind.length)
    copy, copy_flaw = _read(good, kind.length + SUM_LENGTH)
    key = _vouched(there, copy, kind)
    problems: list[str] = []
    if key is None:
        if copy is not None or copy_flaw:
            goes_on = "" if there is None else f"; {kind.name} is used as it stands"
            problems.append(f"{good.name}: {_set_aside(good, copy_flaw)}{goes_on}")
        if there is None:
            return _made(path, good, kind, flaw, problems)
        key = there
    elif there != key:
        goes_on = f"{good.name} is used"
        missing = there is None and not flaw
        problems.append(
            f"{kind.name}: {'is missing' if missing else _set_aside(path, flaw)}; {goes_on}"
        )
        _put(path, key, goes_on, problems)
    elif copy != key + _sum(kind, key):
        problems.append(f"{good.name}: {_OTHER}; made anew from {kind.name}")
    if copy != key + _sum(kind, key):
        _put(good, key + _sum(kind, key), f"{kind.name} has no good copy", problems)
    return key, problems


def _made(
    path: Path, good: Path, kind: _Kind, flaw: str, problems: list[str]
) -> tuple[bytes, list[str]]:
    """A new key with its copy: there is none that can be used."""
    if flaw:
        problems.append(f"{kind.name}: {_set_aside(path, flaw)}; {kind.lost}")
    elif problems or has_begun(path.parent):  # else it is the first boot
        problems.append(f"{kind.name}: is missing; {kind.lost}")
    key = os.urandom(kind.length)
    # The key first: a cut between the two leaves one that has no copy yet.
    if _put(path, key, kind.brief, problems):
        _put(good, key + _sum(kind, key), f"{kind.name} has no good copy", problems)
    return key, problems


def _vouched(there: bytes | None, copy: bytes | None, kind: _Kind) -> bytes | None:
    """The key, where the sum of the copy says which it is."""
    if copy is None:
        return None
    copied, told = copy[: kind.length], copy[kind.length :]
    for key in (there, copied):
        if key is not None and _sum(kind, key) == told:
            return key
    return None


def _sum(kind: _Kind, key: bytes) -> bytes:
    return hashlib.sha256(kind.name.encode() + b"\n" + key).digest()


def _read(path: Path, length: int) -> tuple[bytes | None, str]:
    """What a file holds; or None, and why it is no such file: "" where there is none at all."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cannot be read ({error.strerror})"
    if len(content) != length:
        return None, f"has {len(content)} bytes; expected {length}"
    if not any(content):  # as a disk leaves what it never wrote: everybody knows that key
        return None, "holds nothing but zeros"
    return content, ""


def _put(path: Path, content: bytes, otherwise: str, problems: list[str]) -> bool:
    """Write a file; whether that was possible: else `problems` says so, and what is so `otherwise`."""
    try:
        write(path, content)
    except OSError as error:
        problems.append(f"{path.name}: cannot be written ({error.strerror}); {otherwise}")
        return False
    return True


def _set_aside(path: Path, flaw: str) -> str:
    """Give a file that is no good another name; the words for what was wrong, and for that."""
    why = flaw or _OTHER
    number = 1
    while (aside := path.with_name(f"{path.stem}-bad-{number}.key")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError:
        return f"{why}; it cannot be set aside"
    return f"{why}; set aside as {aside.name}"


def write(path: Path, key: bytes) -> None:
    """Put `key` into the file at `path`, for nobody but this user. Raises OSError."""
    # Beside it and then in place: a cut leaves a whole key or none.
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while key:  # a disk that is nearly full takes a part of it, and says so by the count alone
            key = key[os.write(fd, key) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(new, path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Have what was renamed in `folder` on the disk. Raises OSError."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
