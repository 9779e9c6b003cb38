"""What is told of a journal's disk, each change once: it fails or works again, the ring is full.

A full ring stays full until it has room again (`Ring.has_room`), whatever is written meanwhile: what is told
is written, too, and would push out what people did.
"""

from collections.abc import Callable

from firmware.services.journal_draft import Written


class JournalNews:
    """Decides what is told of file `title`. tell  callable (ok, text)"""

    def __init__(self, title: str, tell: Callable[[bool, str], None]) -> None:
        self._title = title
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

    def judge(self, written: Written, has_room: bool, overdue: bool) -> bool:
        """A transaction has ended; whether another is to be tried soon, to see that all is well."""
        self._gave_way += written.dropped
        self._full = written.dropped > 0 or (self._full and not has_room)
        if written.note:
            self.found(written.note)
        elif written.refused:
            text = f"{len(written.refused)} records were no JSON and are not written"
            self.failed(f"{self._title}: {text}")
            return False
        elif not overdue:
            self._works(self._title)
            return False
        return True

    def _works(self, title: str) -> None:
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
