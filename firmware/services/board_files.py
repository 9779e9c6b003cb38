"""Which board config the program runs on: the one it was given, or one that `config.apply` sent.

In the state folder, each written beside its place and then moved there:

    board.next.toml    sent and right, on trial: it becomes board.toml once the controller decides with it
    board.tries        how often it was tried; `TRIES_MAX` starts without a decision and it is dropped
    board.toml         in use instead of ``--board`` from then on
    board.dropped.toml the last one that was dropped

Imports little: it is also asked by who drives the outputs to their safe level and must be quick.
"""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from firmware.services import whole_files

TRIES_MAX = 2
#: told once the controller decides with it
IN_USE = "the config that was sent is in use from now on"

_NEXT, _TRIES, _OWN, _DROPPED = (
    "board.next.toml",
    "board.tries",
    "board.toml",
    "board.dropped.toml",
)

Load = Callable[[str], dict[str, Any]]


class Chosen(NamedTuple):
    """The config to run on.

    config    dict       checked
    path      str        its file
    trial     bool       `keep` makes it last; nothing else does
    problems  list       what was wrong with others, one line each
    """

    config: dict[str, Any]
    path: str
    trial: bool
    problems: list[str]


def in_use(folder: str | None, given: str) -> str:
    """The file that the program which ran last in `folder` was on; only looks."""
    if folder is not None:
        if all(os.path.exists(os.path.join(folder, name)) for name in (_NEXT, _TRIES)):
            return os.path.join(folder, _NEXT)
        own = os.path.join(folder, _OWN)
        if os.path.exists(own):
            return own
    return given


def lasting(folder: str | None, given: str) -> str:
    """The file that counts when nothing is on trial; only looks."""
    own = "" if folder is None else os.path.join(folder, _OWN)
    return own if own and os.path.exists(own) else given


def choose(folder: str, given: str, load: Load, wrong: type[Exception]) -> Chosen:
    """Load the config to run on now; a trial is counted before it begins.

    load   raises `wrong` with what is not right

    Raises `wrong` where no config is right.
    """
    problems: list[str] = []
    sent = os.path.join(folder, _NEXT)
    if os.path.exists(sent):
        try:
            tries = _tries(folder)
            if tries < TRIES_MAX:
                whole_files.write(os.path.join(folder, _TRIES), str(tries + 1).encode())
                return Chosen(load(sent), sent, True, problems)
            problems.append(f"config: did not start {TRIES_MAX} times; the one before is used")
        except wrong as error:
            problems.append(f"config: {_first(error)}; the one before is used")
        except OSError as error:
            # Uncounted it could be tried for ever.
            problems.append(f"config: cannot be tried ({_reason(error)}); the one before is used")
        _drop(folder)
    own = lasting(folder, given)
    if own != given:
        try:
            return Chosen(load(own), own, False, problems)
        except wrong as error:
            problems.append(f"config: {_first(error)}; {given} is used")
    return Chosen(load(given), given, False, problems)


def offer(folder: str, text: str, now: dict[str, Any], load: Load, wrong: type[Exception]) -> str:
    """Store `text` for a trial at the next start; what is wrong with it, in one line, or nothing.

    now  dict  the config in use: of the same controller, on the same board
    """
    part = _NEXT + ".part"
    path = os.path.join(folder, part)
    try:
        whole_files.write(path, text.encode())
        config = load(path)
        for section, key in (("controller", "site"), ("controller", "name"), ("", "board")):
            is_now = now[section][key] if section else now[key]
            sent = config[section][key] if section else config[key]
            if sent != is_now:
                at = f"{section}.{key}".lstrip(".")
                os.unlink(path)
                return f'{at}: "{sent}" is another one; expected "{is_now}"'
        _remove(folder, _TRIES)
        os.replace(path, os.path.join(folder, _NEXT))
        whole_files.sync(folder)
    except wrong as error:
        _remove(folder, part)
        return " | ".join(str(error).replace(path + ": ", "").splitlines())
    except UnicodeEncodeError:
        return "config: not UTF-8; expected TOML in UTF-8"
    except OSError as error:
        return f"config: cannot be stored ({_reason(error)}); expected room in the state folder"
    return ""


def keep(folder: str) -> None:
    """The controller decides with what was on trial: from now on it is the one. Raises OSError."""
    os.replace(os.path.join(folder, _NEXT), os.path.join(folder, _OWN))
    _remove(folder, _TRIES)
    whole_files.sync(folder)


def not_kept(error: OSError) -> str:
    """What is told where `keep` raises `error`."""
    return f"config: cannot be kept ({_reason(error)}); it is tried again"


def _drop(folder: str) -> None:
    try:
        os.replace(os.path.join(folder, _NEXT), os.path.join(folder, _DROPPED))
        _remove(folder, _TRIES)
        whole_files.sync(folder)
    except OSError:
        pass  # a folder that cannot be written holds nothing that could be tried


def _tries(folder: str) -> int:
    try:
        with open(os.path.join(folder, _TRIES), "rb") as file:
            word = file.read(16)
    except FileNotFoundError:
        return 0
    return int(word) if word.isdigit() else TRIES_MAX


def _remove(folder: str, name: str) -> None:
    try:
        os.unlink(os.path.join(folder, name))
    except FileNotFoundError:
        pass


def _first(error: Exception) -> str:
    lines = str(error).splitlines()
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return lines[0] + more


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown").lower()
