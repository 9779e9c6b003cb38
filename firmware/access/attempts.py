"""Block a reader after wrong attempts (GB 50396: at most 5, then an alarm; 2N blocks for 30 s).

Pure. An attempt is wrong if the card is unknown or the PIN fits nobody. Attempts made while the reader
is blocked are refused and count for nothing.
"""


class Attempts:
    """One access point's wrong attempts: `limit` within `window_ms`, then blocked for `block_ms`."""

    def __init__(self, limit: int, window_ms: int, block_ms: int) -> None:
        self._limit = limit
        self._window_ms = window_ms
        self._block_ms = block_ms
        self._wrong: list[int] = []
        #: int  the end of the last block
        self.blocked_until_ms = 0
        #: int or None  the end of the block that is on: the reader shows it; tick no later
        self.deadline_ms: int | None = None

    def blocked(self, now_ms: int) -> bool:
        """Whether the reader is blocked."""
        return now_ms < self.blocked_until_ms

    def wrong(self, now_ms: int) -> bool:
        """One more wrong attempt; whether it is the one that blocks the reader."""
        self._wrong = [at_ms for at_ms in self._wrong if now_ms - at_ms < self._window_ms]
        self._wrong.append(now_ms)
        if len(self._wrong) < self._limit:
            return False
        self.block(now_ms, self._block_ms)
        return True

    def granted(self) -> bool:
        """Somebody was let in: what went wrong before counts no longer; whether anything had."""
        counted = bool(self._wrong)
        self._wrong = []
        return counted

    def ages_s(self, now_ms: int) -> "list[int]":
        """How many seconds ago each attempt was that counts."""
        return [(now_ms - at_ms) // 1000 for at_ms in self._wrong]

    def restore(self, ages_s: "list[int]", now_ms: int) -> None:
        """Count what a restart found recorded, never so much that it blocks by itself."""
        wrong = [now_ms - max(0, age_s) * 1000 for age_s in sorted(ages_s, reverse=True)]
        self._wrong = wrong[max(0, len(wrong) - self._limit + 1) :] if self._limit > 1 else []

    def block(self, now_ms: int, for_ms: int) -> None:
        """Block for `for_ms`, at most for as long as a block lasts (a block that outlived a restart)."""
        self._wrong = []
        self.blocked_until_ms = now_ms + min(for_ms, self._block_ms)
        self.deadline_ms = self.blocked_until_ms

    def tick(self, now_ms: int) -> None:
        """The block is over when its time has come."""
        if self.deadline_ms is not None and now_ms >= self.deadline_ms:
            self.deadline_ms = None
