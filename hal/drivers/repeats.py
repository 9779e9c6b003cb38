"""Frames that a reader repeats while a card lies on it count once."""

_KEPT = 4  # different frames remembered at a time: a card, its misreadings, the next card


class Repeats:
    """Remembers the last frames for `repeat_ms` after each was last seen; 0 remembers nothing."""

    def __init__(self, repeat_ms: int) -> None:
        if not 0 <= repeat_ms <= 300:
            raise ValueError("reader: repeat_ms is out of range; expected 0 to 300")
        self._repeat_ms = repeat_ms
        self._recent: list[tuple[str | bytes, int]] = []

    def seen(self, frame: "str | bytes", at_ms: int) -> bool:
        """Whether `frame` came less than `repeat_ms` ago; either way it has come now."""
        recent = [kept for kept in self._recent if at_ms - kept[1] < self._repeat_ms]
        others = [kept for kept in recent if kept[0] != frame]
        repeated = len(others) < len(recent)
        others.append((frame, at_ms))
        self._recent = others[-_KEPT:]
        return repeated
