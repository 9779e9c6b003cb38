"""Runs in the guest: what one durable write of a card's two records costs, bare, in ms each.

commits.py FILE COUNT
"""

import sys
import time

import apsw


def begun(path: str) -> apsw.Connection:
    """A database that keeps its word as the journal's does: exclusive, WAL, synchronous=FULL."""
    base = apsw.Connection(path)
    base.execute("PRAGMA locking_mode=EXCLUSIVE")
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE rows (body TEXT)")
    return base


def main(path: str, count: int) -> int:
    """Commit two rows at a time."""
    base = begun(path)
    for _ in range(count):
        began_ns = time.monotonic_ns()
        with base:
            base.executemany("INSERT INTO rows VALUES (?)", [("x" * 420,), ("x" * 420,)])
        print((time.monotonic_ns() - began_ns) / 1e6)
    base.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
