"""What the link's process takes from itself before it listens to anybody."""

import ctypes
import resource
import signal
import sys
import types
from typing import Any

PR_SET_PDEATHSIG = 1


def lean(tls: bool) -> None:
    """Keep out of memory what paho imports and a link never uses; call it before the first connection.

    Saves 2.5 MB of 22 (proxies from the environment, which must not apply to a door anyway), and
    without TLS 7 MB (OpenSSL).
    """
    stand_ins: dict[str, Any] = {
        "urllib.request": types.ModuleType("urllib.request"),
        "socks": None,
    }
    if not tls:
        ssl: Any = types.ModuleType("ssl")
        ssl.SSLWantReadError = ssl.SSLWantWriteError = type("NeverRaised", (OSError,), {})
        stand_ins.update({"ssl": ssl, "_hashlib": None})
    sys.modules.update(stand_ins)


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def limit_memory(growth_bytes: int) -> None:
    """From here on, no more than `growth_bytes` of new address space."""
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[0])
    limit = pages * resource.getpagesize() + growth_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the broker's password
