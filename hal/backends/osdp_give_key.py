"""Gives an OSDP reader a new key, over the key that it has or, in its install mode, the default one."""

import time
from collections.abc import Callable

from hal.backends.libosdp_readers import LibosdpBuses, LibosdpReader
from hal.ports import SerialPorts

PATIENCE_S = 6.0  #: for one of the ways in
_LOOK_S = 0.02


def give(
    ports: SerialPorts,
    device: str,
    port: str,
    baud: int,
    address: int,
    known: list[bytes],
    new: bytes,
) -> str | None:
    """What was wrong, in one line; None: the reader has `new` and has answered with it. Waits seconds.

    known  keys that it may have

    Raises as `hal.ports.ReaderBuses.reader` does.
    """
    problem = ""
    for key in known:
        problem = _try(ports, device, port, baud, address, key, give_key=new)
        if not problem:
            break
    if not known or problem:
        problem = _try(ports, device, port, baud, address, new, install=True)
    if problem:
        return problem
    return _try(ports, device, port, baud, address, new) or None


def _try(
    ports: SerialPorts,
    device: str,
    port: str,
    baud: int,
    address: int,
    key: bytes,
    give_key: bytes | None = None,
    install: bool = False,
) -> str:
    """Get it on line with `key`, and then give it `give_key`; what was wrong."""
    buses = LibosdpBuses(ports, lambda name: key)
    try:
        reader = buses.reader(device, port, baud, address, install)
        if not _until(reader, lambda: reader.up):
            if install and reader.answers:
                return (
                    f"{reader.name}: takes neither its key nor the default one; expected it in its "
                    "install mode (its manual says how)"
                )
            return (
                reader.problem or f"{reader.name}: does not answer; expected it powered and wired"
            )
        if give_key is None:
            return ""
        reader.give_key(give_key)
        if _until(reader, lambda: reader.has_key):
            return ""
        return f"{reader.name}: does not take a new key; expected one that does"
    finally:
        buses.close()


def _until(reader: LibosdpReader, true: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end_s or reader.problem:
            return False
        time.sleep(_LOOK_S)
    return True
