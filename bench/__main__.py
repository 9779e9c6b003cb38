"""`python -m bench`: from the end of a card's frame to the lock line, beside the bare commit; and more."""

import sys

from bench import door_day, idle, latency


def main() -> int:
    """Print every table."""
    for part in (latency, door_day, idle):
        part.table(sys.stdout)
        print()
    return 0


sys.exit(main())
