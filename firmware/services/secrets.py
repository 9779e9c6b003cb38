"""The controller's own key: 32 random bytes that never leave it.

PINs and codes are stored under it. Made at the first boot; without it nobody's PIN is known any more,
which is told, and cards go on.
"""

import os
from pathlib import Path

NAME = "controller.key"
LENGTH = 32


def controller_key(state_dir: str | os.PathLike[str]) -> tuple[bytes, list[str]]:
    """The key kept in `state_dir`, made if there is none; and what was wrong, one line each.

    A file that cannot be a key is set aside. Where nothing can be written the key lives until the end
    of this process. Never raises.
    """
    path = Path(state_dir) / NAME
    problems: list[str] = []
    try:
        key = path.read_bytes()
        if len(key) == LENGTH:
            return key, problems
        problems.append(_set_aside(path, f"has {len(key)} bytes; expected {LENGTH}"))
    except FileNotFoundError:
        pass
    except OSError as error:
        problems.append(_set_aside(path, f"cannot be read ({error.strerror})"))
    key = os.urandom(LENGTH)
    try:
        _write(path, key)
    except OSError as error:
        problems.append(
            f"{NAME}: cannot be written ({error.strerror}); PINs and codes are known until the restart"
        )
    return key, problems


def _set_aside(path: Path, why: str) -> str:
    number = 1
    while (aside := path.with_name(f"controller-bad-{number}.key")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError:
        return f"{NAME}: {why}; it cannot be set aside; PINs and codes must be given again"
    return f"{NAME}: {why}; set aside as {aside.name}; PINs and codes must be given again"


def _write(path: Path, key: bytes) -> None:
    # Beside it and then in place: a cut leaves a whole key or none.
    new = path.with_name(NAME + ".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(new, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
