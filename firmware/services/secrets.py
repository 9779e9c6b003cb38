"""The controller's own secrets, random bytes made at the first boot.

``controller.key`` never leaves it: PINs and codes are stored under it; without it nobody's PIN is known
any more, which is told, and cards go on. ``visitor.key`` makes visitors' codes: its host gets it, nobody
else; without it the codes that were given out are no good any more, which is told too.
``identity.key`` is who the controller is (`firmware.trust.identity`): with another one hosts must be told
its new public keys, which its `status` carries.
"""

import os
from pathlib import Path
from typing import NamedTuple

from firmware.trust.identity import LENGTH as IDENTITY_LENGTH
from firmware.trust.identity import Identity

LENGTH = 32
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

    A file that cannot be a key is set aside; one that is gone though there was a journal is told too. Where
    nothing can be written the key lives until the end of this process. Never raises.
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
    problems: list[str] = []
    try:
        key = path.read_bytes()
        if len(key) == kind.length:
            return key, problems
        problems.append(_set_aside(path, kind, f"has {len(key)} bytes; expected {kind.length}"))
    except FileNotFoundError:
        if has_begun(state_dir):  # else it is the first boot
            problems.append(f"{kind.name}: is missing; {kind.lost}")
    except OSError as error:
        problems.append(_set_aside(path, kind, f"cannot be read ({error.strerror})"))
    key = os.urandom(kind.length)
    try:
        write(path, key)
    except OSError as error:
        problems.append(f"{kind.name}: cannot be written ({error.strerror}); {kind.brief}")
    return key, problems


def _set_aside(path: Path, kind: _Kind, why: str) -> str:
    number = 1
    while (aside := path.with_name(f"{path.stem}-bad-{number}.key")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError:
        return f"{kind.name}: {why}; it cannot be set aside; {kind.lost}"
    return f"{kind.name}: {why}; set aside as {aside.name}; {kind.lost}"


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
