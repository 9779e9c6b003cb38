"""The controller's own secrets, random bytes made at the first boot.

``controller.key`` never leaves it: PINs and codes are stored under it; without it nobody's PIN is known
any more, which is told, and cards go on. ``visitor.key`` makes visitors' codes: its host gets it, nobody
else; without it the codes that were given out are no good any more, which is told too.
``identity.key`` is who the controller is (`firmware.trust.identity`): with another one hosts must be told
its new public keys, which its `status` carries.

Each file is the key's bytes and no more, and has a good copy (`firmware.services.good_copy`).
"""

import os
from typing import NamedTuple

from firmware.services import good_copy, whole_files
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
    return os.path.exists(os.path.join(state_dir, _BEGUN))


def _secret(state_dir: str | os.PathLike[str], kind: _Kind) -> tuple[bytes, list[str]]:
    path = os.path.join(state_dir, kind.name)

    def flaw_of(content: bytes) -> str:
        if len(content) != kind.length:
            return f"has {len(content)} bytes; expected {kind.length}"
        if not any(content):  # as a disk leaves what it never wrote: everybody knows that key
            return "holds nothing but zeros"
        return ""

    key, flaw, problems = good_copy.find(path, flaw_of)
    if key is None:
        if flaw:
            problems.append(f"{kind.name}: {good_copy.set_aside(path, flaw)}; {kind.lost}")
        elif problems or has_begun(state_dir):  # else it is the first boot
            problems.append(f"{kind.name}: is missing; {kind.lost}")
        key = os.urandom(kind.length)
        # The key first: a cut between the two leaves one that has no copy yet.
        try:
            whole_files.write(path, key)
        except OSError as error:
            problems.append(f"{kind.name}: cannot be written ({error.strerror}); {kind.brief}")
            return key, problems
    return key, problems + good_copy.keep(path, key)
