"""Runs in the guest: what one durable row costs, bare, in ms each.

commits.py FILE COUNT
"""

import sys
import time

import apsw


def main(path: str, count: int) -> int:
    """Commit rows one by one, as the journal's database does: WAL, synchronous=FULL."""
    base = apsw.Connection(path)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE rows (body TEXT)")
    for _ in range(count):
        began_ns = time.monotonic_ns()
        base.execute("INSERT INTO rows VALUES (?)", ("x" * 500,))
        print((time.monotonic_ns() - began_ns) / 1e6)
    base.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
