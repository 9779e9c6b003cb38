"""The clock of a Linux board: CLOCK_MONOTONIC, the one with which the kernel stamps its edges."""

import time

from hal.ports import Ticks


class MonotonicTicks(Ticks):
    """Milliseconds since boot, not counting suspend; never wraps."""

    def ticks_ms(self) -> int:
        """Milliseconds since boot."""
        return time.monotonic_ns() // 1_000_000
