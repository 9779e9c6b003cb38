"""What is told of a journal's disk, each change once: it fails or works again, the ring is full.

A full ring stays full until it has room again (`Ring.has_room`), whatever is written meanwhile: what is told
is written, too, and would push out what people did.
"""

from collections.abc import Callable


class JournalNews:
    """Decides what is told. tell  callable (ok, text)"""

    def __init__(self, tell: Callable[[bool, str], None]) -> None:
        #: bool  no failure is told that is not over
        self.ok = True
        self._tell = tell
        self._full = self._told_full = False
        self._gave_way = 0
        self._refused = 0

    def failed(self, text: str) -> None:
        """Writing fails, or part of it; told unless a failure is."""
        if self.ok:
            self.ok = False
            self._tell(False, text)

    def found(self, text: str) -> None:
        """Something else is wrong, whatever was told before."""
        self.ok = True
        self.failed(text)

    def refused(self, events: int, text: str) -> None:
        """So many events found no room in memory; `text` is told of the first."""
        if not self._refused:
            self.found(text)
        self._refused += events

    def wrote(self, dropped: int, has_room: bool) -> None:
        """A transaction has ended; `dropped` events that had not left gave way to it."""
        self._gave_way += dropped
        self._full = dropped > 0 or (self._full and not has_room)

    def works(self, title: str) -> None:
        """Everything that waited is written as it should be."""
        failed, self.ok = not self.ok, True
        was_full, self._told_full = self._told_full, self._full
        lost = f"; {self._refused} records were refused meanwhile" if self._refused else ""
        self._refused = 0
        if self._full and (failed or not was_full):
            self._tell(
                False, f"{title}: full; the oldest records that have not left give way{lost}"
            )
        elif failed:
            self._tell(True, f"{title}: writes again{lost}{self._gone()}")
        elif was_full and not self._full:
            self._tell(True, f"{title}: has room again{self._gone()}")

    def _gone(self) -> str:
        gone, self._gave_way = self._gave_way, 0
        return f"; {gone} records gave way meanwhile" if gone else ""
