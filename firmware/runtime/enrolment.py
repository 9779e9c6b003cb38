"""The next card at a named reader is somebody's new key, and not decided on (`credential.enrol`). Portable.

One at a time, and only while who asked may command. What was captured is told to who asked, and to nobody
else: no record carries it (law 7).
"""

from firmware.access.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.runtime import aio


class Enrolment:
    """Of one controller."""

    def __init__(self, loop: "aio.Loop") -> None:
        self._loop = loop
        self._at: str | None = None
        self._by = ""
        self._done: Callable[[Secret | None], None] | None = None
        self._turn = 0

    def begin(
        self,
        access_point: str,
        timeout_ms: int,
        by: str,
        done: "Callable[[Secret | None], None]",
    ) -> bool:
        """Wait for a card; `done` gets its canonical number, or None: none came. False: another waits."""
        if self._done is not None:
            return False
        self._at, self._by, self._done = access_point, by, done
        self._turn += 1
        turn = self._turn

        def over() -> None:
            if turn == self._turn:
                self._end(None)

        self._loop.call_at(self._loop.now_ms() + timeout_ms, over)
        return True

    def card(self, access_point: str, number: str) -> bool:
        """A card was read; whether it was waited for, and is no more to be decided on."""
        if self._done is None or access_point != self._at:
            return False
        self._end(Secret(number))
        return True

    def withdraw(self, by: str) -> None:
        """`by` is not who they were: what they wait for, nobody waits for any more."""
        if by == self._by:
            self._end(None)

    def _end(self, found: "Secret | None") -> None:
        done, self._done = self._done, None
        self._turn += 1
        if done is not None:
            done(found)
