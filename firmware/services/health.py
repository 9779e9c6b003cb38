"""How the machine under the controller is: disk, temperature, memory. For the `health` topic."""

import os
from typing import Any

DISK_LOW_MB = (
    100  #: less than this free is not well: a journal of 100,000 records takes about as much
)
HOT_C = 80.0  #: where a Pi begins to throttle

_THERMAL = "/sys/class/thermal/thermal_zone0/temp"
_STATM = "/proc/self/statm"


def measure(folder: str) -> dict[str, Any]:
    """What can be measured here; what cannot is left out.

    folder  str  the state folder, whose disk counts
    """
    found: dict[str, Any] = {}
    try:
        disk = os.statvfs(folder)
    except OSError:
        found["disk"] = {"ok": False}
    else:
        free_mb = disk.f_bavail * disk.f_frsize // 1_000_000
        found["disk"] = {"free_mb": free_mb, "ok": free_mb >= DISK_LOW_MB}
    try:
        celsius = int(_read(_THERMAL)) / 1000
    except (OSError, ValueError):
        pass  # no sensor here
    else:
        found["temperature"] = {"celsius": round(celsius, 1), "ok": celsius < HOT_C}
    try:
        pages = int(_read(_STATM).split()[1])
    except (OSError, ValueError, IndexError):
        pass  # not Linux
    else:
        found["memory"] = {
            "resident_mb": pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000,
            "ok": True,
        }
    return found


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()
