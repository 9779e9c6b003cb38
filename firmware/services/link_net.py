"""Time, chance and sockets as the link has them; the simulator hands in its own."""

import random
import socket
import time
from typing import Any


class Net:
    """This machine's."""

    def __init__(self) -> None:
        #: callable  a random number from 0.0 on, below 1.0; nobody can foresee it
        self.chance = random.SystemRandom().random

    def now_ms(self) -> int:
        """Milliseconds of a clock that nobody sets."""
        return time.monotonic_ns() // 1_000_000

    def dial(self, address: tuple[str, int], wait_s: float) -> Any:
        """A connected socket; waits at most `wait_s` for each of the name's addresses. Raises OSError."""
        return socket.create_connection(address, timeout=wait_s)
