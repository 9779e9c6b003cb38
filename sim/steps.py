"""Small things that happen at set times: the bits of a frame, the bounces of a contact. Portable."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Steps:
    """Does steps in order, each at its time.

    do  callable (step, late_ms)  performs one step; ``late_ms`` is how late the loop was, so that what
        the step causes can be dated as a kernel would have dated it
    """

    def __init__(self, loop: "Any", do: "Callable[[Any, int], None]") -> None:
        self._loop = loop
        self._do = do
        self._steps: list[tuple[int, Any]] = []
        self._timer: Any = None

    def add(self, at_ms: int, step: "Any") -> None:
        """Have `step` done at `at_ms`, which is no earlier than that of the step added before."""
        self._steps.append((at_ms, step))
        if self._timer is None:
            self._timer = self._loop.call_at(at_ms, self._run)

    def clear(self) -> None:
        """Forget every step that has not been done."""
        self._steps = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        now_ms = self._loop.now_ms()
        while self._steps and self._steps[0][0] <= now_ms:
            at_ms, step = self._steps.pop(0)
            self._do(step, now_ms - at_ms)
        if self._steps and self._timer is None:
            self._timer = self._loop.call_at(self._steps[0][0], self._run)


class Noise:
    """A small generator of the same numbers for the same seed and name, on either interpreter."""

    def __init__(self, seed: int, name: str) -> None:
        state = seed & 0x7FFFFFFF
        for character in name:
            state = (state * 31 + ord(character)) & 0x7FFFFFFF
        self._state = state

    def below(self, limit: int) -> int:
        """The next number, from 0 to `limit` - 1."""
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % limit
