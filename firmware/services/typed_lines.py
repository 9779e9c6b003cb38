"""What somebody types, line by line, without anything waiting for it. Works without a terminal."""

import os
from collections.abc import Callable
from typing import Any

LONGEST = 1000  #: bytes of a line; what is longer is dropped


class TypedLines:
    """Lines of descriptor `fd`, handed to `told`. At its end nobody is asked any more."""

    def __init__(self, waiter: Any, fd: int, told: Callable[[str], None]) -> None:
        self._waiter = waiter
        self._fd = fd
        self._told = told
        self._begun = b""
        #: callable or None  told when nothing will be typed any more
        self.on_end: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen; a descriptor that cannot be waited on is one on which nothing is typed."""
        try:
            self._waiter.add_reader(self._fd, self._readable)
        except (OSError, ValueError):
            pass  # closed, or a plain file

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._waiter.remove_reader(self._fd)
            if self.on_end is not None:
                self.on_end()
            return
        *lines, self._begun = (self._begun + data).split(b"\n")
        self._begun = self._begun[:LONGEST]
        for line in lines:
            self._told(line[:LONGEST].decode("utf-8", "replace"))
