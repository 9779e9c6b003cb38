"""Block a key after wrong PINs typed with it, wherever: each block twice as long as the one before.

Pure. Counts what was typed after the key was shown; a grant of the key starts over. What is counted
and how long a block lasts survives a restart, under ``wrong/CREDENTIAL``.
"""

from firmware.access.record import Keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.credential import Moment

LONGEST_MS = 3600000
MOST = 1000  #: keys that are counted; then the one that was not typed for longest is forgotten


class _Count:
    """One key's wrong PINs."""

    def __init__(self, blocks: int, until_s: int, until_ms: int, wrong: int, at_ms: int) -> None:
        self.blocks = blocks
        self.until_s = until_s  # the end of the last block; 0: there was none
        self.until_ms = until_ms
        self.wrong = wrong
        self.at_ms = at_ms


class WrongPins:
    """Every key's wrong PINs: `limit` of them block it, for `block_ms` the first time."""

    def __init__(self, limit: int, block_ms: int, most: int = MOST) -> None:
        self._limit = limit
        self._block_ms = block_ms
        self._most = most
        self._counts: dict[int, _Count] = {}

    def blocked(self, id: int, now_ms: int) -> bool:
        """Whether key `id` is blocked."""
        count = self._counts.get(id)
        return count is not None and now_ms < count.until_ms

    def wrong(self, id: int, now: "Moment") -> "list[Keep]":
        """One more wrong PIN with key `id`; what is to be kept."""
        count = self._counts.get(id)
        forgotten: list[Keep] = []
        if count is None:
            forgotten = self._make_room()
            count = self._counts[id] = _Count(0, 0, now.ms, 0, now.ms)
        count.at_ms = now.ms
        count.wrong += 1
        if count.wrong >= self._limit:
            count.wrong = 0
            count.blocks += 1
            count.until_ms = now.ms + self._length_ms(count.blocks)
            count.until_s = now.utc_s + (self._length_ms(count.blocks) + 999) // 1000
        return forgotten + [Keep("wrong/%d" % id, [count.blocks, count.until_s, count.wrong])]

    def granted(self, id: int) -> "list[Keep]":
        """Key `id` was let in: it starts over."""
        if self._counts.pop(id, None) is None:
            return []
        return [Keep("wrong/%d" % id, None)]

    def restore(self, kept: "dict[str, object]", now: "Moment") -> None:
        """Go on with what was kept, no block longer than it was."""
        for key in sorted(kept):
            value = kept[key]
            if key[:6] != "wrong/" or not isinstance(value, list) or len(value) not in (2, 3):
                continue
            blocks, until_s = value[0], value[1]
            left_ms = min(max(0, until_s - now.utc_s) * 1000, self._length_ms(blocks))
            wrong = min(value[2] if len(value) == 3 else 0, self._limit - 1)
            self._counts[int(key[6:])] = _Count(blocks, until_s, now.ms + left_ms, wrong, now.ms)

    def _length_ms(self, blocks: int) -> int:
        doublings = min(max(0, blocks - 1), 12)  # from 1 s on the longest is reached by then
        return min(self._block_ms << doublings, LONGEST_MS)

    def _make_room(self) -> "list[Keep]":
        if len(self._counts) < self._most:
            return []
        oldest: tuple[int, int] | None = None
        for id in self._counts:
            count = self._counts[id]
            one = (max(count.at_ms, count.until_ms), id)
            if oldest is None or one < oldest:
                oldest = one
        assert oldest is not None  # there are `most` of them
        del self._counts[oldest[1]]
        return [Keep("wrong/%d" % oldest[1], None)]
