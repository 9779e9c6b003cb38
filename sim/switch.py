"""A contact, button or loop on one input line, from the outside. Portable.

Closing drives the line to its active level; open, cut or unplugged it floats to its pull. A contact
that moves chatters: its first edge comes at once, it is at rest within `SETTLED_MS`.
"""

from sim.steps import Noise, Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SETTLED_MS = 10

_OPEN, _CLOSED = 0, 1  # bounces


class Switch:
    """One contact.

    line        str   the line it hangs on
    active_low  bool  whether closing pulls the line low
    at_rest     bool  whether it is closed while nobody touches it
    """

    def __init__(
        self, loop: "Any", lines: "Any", line: str, active_low: bool, at_rest: bool, noise: Noise
    ) -> None:
        #: bool  the contact's blade; the loop may be cut elsewhere
        self.closed = at_rest
        self._loop = loop
        self._lines = lines
        self._line = line
        self._level = not active_low
        self._at_rest = at_rest
        self._noise = noise
        self._bounces = Steps(loop, self._bounce)
        self._held = False
        self._pressed_until_ms: int | None = None
        self._cuts: list[str] = []
        self._drive(at_rest, 0)

    @property
    def active(self) -> bool:
        """Whether somebody holds it away from its rest."""
        return self._held or self._pressed_until_ms is not None

    def move(self, closed: bool) -> None:
        """The blade moves, if it is not there already."""
        if closed == self.closed:
            return
        self.closed = closed
        self._bounces.clear()
        self._drive(closed, 0)
        at_ms = self._loop.now_ms()
        for _ in range(self._noise.below(3)):
            for step in (_OPEN, _CLOSED) if closed else (_CLOSED, _OPEN):
                at_ms += 1 + self._noise.below(2)
                self._bounces.add(at_ms, step)

    def hold(self, on: bool) -> None:
        """Hold it away from its rest, or let it go."""
        self._held = on
        self._follow()

    def press(self, ms: int) -> None:
        """Away from its rest for `ms`; pressed again meanwhile it stays so for `ms` more."""
        until_ms = self._pressed_until_ms = self._loop.now_ms() + ms
        self._follow()
        self._loop.call_at(until_ms, self._let_go)

    def cut(self, why: str, on: bool) -> None:
        """Open the loop beside the contact, for one of several reasons, or mend it."""
        if on and why not in self._cuts:
            self._cuts.append(why)
        elif not on and why in self._cuts:
            self._cuts.remove(why)
        self._drive(self.closed, 0)

    def _let_go(self) -> None:
        until_ms = self._pressed_until_ms
        if until_ms is not None and self._loop.now_ms() >= until_ms:
            self._pressed_until_ms = None
            self._follow()

    def _follow(self) -> None:
        self.move(self._at_rest != self.active)

    def _bounce(self, step: int, late_ms: int) -> None:
        self._drive(step == _CLOSED, late_ms)

    def _drive(self, closed: bool, late_ms: int) -> None:
        self._lines.drive(self._line, self._level if closed and not self._cuts else None, late_ms)
