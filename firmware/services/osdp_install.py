"""`doorward --osdp-install READER`: the installer gives an OSDP reader its key.

The only place where a reader is spoken to under the default key (SCBK-D), and only to give it one of its
own. The key is on the disk before it is sent, so that none is lost if the power goes between.
"""

from collections.abc import Callable
from typing import Any, TextIO

from firmware.services import osdp_keys
from hal.errors import HalError

#: callable (device, port, baud, address, known keys, new key)  what was wrong, or None: it has the new one
Give = Callable[[str, str, int, int, list[bytes], bytes], str | None]


def run(
    config: dict[str, Any], reader: str, folder: str, give: Give, out: TextIO, err: TextIO
) -> int:
    """Give `reader` a key; 0: it has it and has answered with it, 1: not, 2: there is no such reader."""
    entry = config["devices"].get(reader)
    if entry is None or entry["driver"] != "osdp_reader":
        names = [n for n, one in config["devices"].items() if one["driver"] == "osdp_reader"]
        known = ", ".join(names) or "none in this config"
        err.write(f"--osdp-install: {reader} is no osdp_reader; expected {known}\n")
        return 2
    bus = config["devices"][entry["bus"]]
    out.write(f"{reader}: {bus['port']} address {entry['address']}: is being given its key\n")
    out.flush()
    try:
        known_keys = osdp_keys.known(folder, reader)
        key = osdp_keys.begin(folder, reader)
        problem = give(reader, bus["port"], bus["baud"], entry["address"], known_keys, key)
        if problem is None:
            osdp_keys.finish(folder, reader)
    except HalError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{reader}: its key cannot be kept ({(error.strerror or 'unknown').lower()})"
    if problem is not None:
        err.write((problem if problem.startswith(reader) else f"{reader}: {problem}") + "\n")
        return 1
    out.write(f"{reader}: has its key and answers in its secure channel\n")
    return 0
