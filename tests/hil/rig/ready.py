"""Runs in the guest before its state is saved: Python with what is not the project's, waiting for a program.

The program's name (as of ``python -m``) and its arguments come as a line of JSON.
"""

import importlib
import json
import random
import runpy
import sys

#: What a controller loads of others.
_MODULES = (
    *("apsw", "argparse", "asyncio", "faulthandler", "gpiod", "hashlib", "inspect", "orjson"),
    *("pyhpke", "socket", "ssl", "tomllib", "zoneinfo", "paho.mqtt.client"),
    *("cryptography.hazmat.primitives.serialization", "cryptography.hazmat.backends.openssl"),
    "cryptography.hazmat.primitives.asymmetric.ed25519",
)


def main() -> None:
    """Wait, then be that program."""
    for name in _MODULES:
        importlib.import_module(name)
    print("ready", flush=True)
    sys.argv = json.loads(sys.stdin.readline())
    importlib.invalidate_caches()
    random.seed()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
