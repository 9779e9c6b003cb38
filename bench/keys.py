"""Very many keys: how fast they come in, and that a look-up and the memory do not grow with them."""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TextIO

from firmware.services import secrets
from firmware.services.key_file import KeyFile

SIZES = (100, 10_000, 1_000_000)
IN_MEMORY = (1_000, 1_000_000)
LOOK_UPS = 5_000
LEVEL = "tenants"

# In a process of its own: opens a store, looks keys up, says how much memory it has (KiB).
_WATCHED = """
import sys
from bench import keys
store = keys.opened(sys.argv[1])
keys.look_up(store, int(sys.argv[2]))
store.close()
print(keys.resident_kib())
"""


def table(out: TextIO) -> None:
    """Print rows a second, look-ups among few and many side by side, and memory with few and many."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sorted({*SIZES, *IN_MEMORY}):
            took_s = _fill(os.path.join(folder, str(size)), size)
            if size == max(SIZES):
                rate = size / took_s
                print(f"import of {size:,} keys: {took_s:.0f} s, {rate:,.0f} rows/s", file=out)
        took: dict[int, list[int]] = {size: [] for size in SIZES}
        stores = {size: opened(os.path.join(folder, str(size))) for size in SIZES}
        for _ in range(4):  # by turns, so that what else the machine does meets all of them
            for size in SIZES:
                took[size] += look_up(stores[size], size)
        for store in stores.values():
            store.close()
        base_ns = statistics.median(took[SIZES[0]])
        for size in SIZES:
            p50_ns = statistics.median(took[size])
            text = f"a look-up among {size:>9,}: {p50_ns / 1000:5.1f} us at p50, {p50_ns / base_ns:.2f}"
            print(f"{text} of that among {SIZES[0]}", file=out)
        for size in IN_MEMORY:
            kib = _watched_kib(os.path.join(folder, str(size)), size)
            print(f"memory with {size:>9,} keys: {kib / 1024:.1f} MiB", file=out)


def card(number: int) -> str:
    """The card of key `number`: no order that a cache could like."""
    return f"w34:{number * 2_654_435_761 % 2**32:010d}"


def opened(folder: str) -> KeyFile:
    """The store in `folder`."""
    key, _ = secrets.controller_key(folder)
    store = KeyFile(os.path.join(folder, "keys.db"), key, None, os.urandom)
    store.open()
    return store


def look_up(store: KeyFile, size: int) -> list[int]:
    """Nanoseconds of each of some look-ups of keys by their cards."""
    dice = random.Random(size)
    took = []
    for _ in range(LOOK_UPS):
        number = dice.randint(1, size)
        wanted = card(number)
        begun_ns = time.perf_counter_ns()
        found = store.find(wanted)
        took.append(time.perf_counter_ns() - begun_ns)
        if found is None or found.id != number:
            raise SystemExit("bench: a key was not found")
    return took


def resident_kib() -> int:
    """The memory of this process at its most."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def _fill(folder: str, size: int) -> float:
    """Import `size` keys into a new store in `folder`; the seconds of the import alone."""
    os.makedirs(folder)
    store = opened(folder)
    store.apply([("level", LEVEL, [["*", None]])])
    store.close()
    path = os.path.join(folder, "keys.csv")
    with open(path, "w") as file:
        file.write("credential,holder,card,valid_from,valid_to,levels,flat\n")
        for number in range(1, size + 1):
            end = f"20{27 + number % 9}-0{number % 9 + 1}-01"
            row = f"{number},{number},{card(number)},2026-01-01,{end},{LEVEL},{number % 900}"
            file.write(row + "\n")
    begun_s = time.monotonic()
    words = ["-m", "firmware", "--import-keys", path, "--state", folder]
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    took_s = time.monotonic() - begun_s
    os.remove(path)
    return took_s


def _watched_kib(folder: str, size: int) -> int:
    words = ["-c", _WATCHED, folder, str(size)]
    done = subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True)
    return int(done.stdout)
