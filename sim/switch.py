"""A contact, button or loop on one input, from the outside, and the wire it hangs on. Portable.

A contact that moves chatters: its first edge comes at once, it is at rest within `SETTLED_MS`; a worn one
(`chatter_contact`) trembles for longer, and nobody has touched it. On a plain wire closing drives the line
to its active level; open, cut or unplugged it floats to its pull, and a short looks like a closed contact.
On a supervised wire resistors make each of the four another voltage.
"""

from sim.steps import Noise, Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SETTLED_MS = 10
CHATTER = 10  #: pairs of edges of a contact that chatters, at least
NOISE_PERMILLE = 8  #: how far from its level a supervised wire may be found

#: What a loop is, seen from the board.
CLOSED = "closed"
OPEN = "open"
CUT = "cut"
SHORT = "short"

#: What may be wrong with the wire of a device, `fail_line`'s words; the first is nothing.
NONE = "none"
STUCK = "stuck"
FAULTS = (NONE, CUT, SHORT, STUCK)


class PlainLoop:
    """A contact between a digital line and ground, or the supply.

    active_low  bool  whether closing pulls the line low
    """

    def __init__(self, lines: "Any", line: str, active_low: bool) -> None:
        self._lines = lines
        self._line = line
        self._level = not active_low

    def put(self, state: str, late_ms: int) -> None:
        """The loop is in `state` now, and has been for `late_ms`."""
        made = state in (CLOSED, SHORT)
        self._lines.drive(self._line, self._level if made else None, late_ms)


class SupervisedLoop:
    """A contact with its two resistors on an analog input; they fit the input's thresholds.

    Does not imitate: a wire so long or so wet that it changes the resistors' level, a broken resistor.
    """

    def __init__(
        self, analog_inputs: "Any", name: str, thresholds: "list[int]", noise: Noise
    ) -> None:
        short, active, cut = thresholds
        self._analog_inputs = analog_inputs
        self._name = name
        self._levels = {
            SHORT: 0,
            CLOSED: (short + active) // 2,
            OPEN: (active + cut) // 2,
            CUT: 1000,
        }
        self._noise = noise
        self._state = ""

    def put(self, state: str, late_ms: int) -> None:
        """The loop is in `state` now."""
        if state != self._state:
            self._state = state
            off = self._noise.below(2 * NOISE_PERMILLE + 1) - NOISE_PERMILLE
            self._analog_inputs.drive(self._name, min(1000, max(0, self._levels[state] + off)))


def wire_of(
    part: "dict[str, Any]", lines: "Any", analog_inputs: "Any", noise: Noise
) -> "PlainLoop | SupervisedLoop":
    """The wire of a contact or REX, as its config has it."""
    if part["driver"] == "supervised_contact":
        return SupervisedLoop(analog_inputs, part["input"], part["thresholds_permille"], noise)
    return PlainLoop(lines, part["line"], part["active"] == "low")


class Switch:
    """One contact.

    wire     PlainLoop | SupervisedLoop
    at_rest  bool  whether it is closed while nobody touches it
    """

    def __init__(self, loop: "Any", wire: "Any", at_rest: bool, noise: Noise) -> None:
        #: bool  the contact's blade; the loop may be cut elsewhere
        self.closed = at_rest
        self._loop = loop
        self._wire = wire
        self._at_rest = at_rest
        self._noise = noise
        self._bounces = Steps(loop, self._bounce)
        self._held = False
        self._pressed_until_ms: int | None = None
        self._cuts: list[str] = []
        self._fault = NONE
        self._stuck_closed = at_rest
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
            for step in (OPEN, CLOSED) if closed else (CLOSED, OPEN):
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
        """Cut the wire, for one of several reasons, or mend it."""
        if on and why not in self._cuts:
            self._cuts.append(why)
        elif not on and why in self._cuts:
            self._cuts.remove(why)
        self._drive(self.closed, 0)

    def set_fault(self, fault: str) -> None:
        """What is wrong with it: one of `FAULTS`. Stuck, its level stays wherever the blade goes."""
        self._fault = fault
        self._stuck_closed = self.closed
        self._drive(self.closed, 0)

    def chatter(self) -> None:
        """Its blade trembles for a moment, and is where it was."""
        self._bounces.clear()
        at_ms = self._loop.now_ms()
        steps = (OPEN, CLOSED) if self.closed else (CLOSED, OPEN)
        for _ in range(CHATTER + self._noise.below(CHATTER)):
            for step in steps:
                at_ms += 1 + self._noise.below(6)
                self._bounces.add(at_ms, step)

    def _let_go(self) -> None:
        until_ms = self._pressed_until_ms
        if until_ms is not None and self._loop.now_ms() >= until_ms:
            self._pressed_until_ms = None
            self._follow()

    def _follow(self) -> None:
        self.move(self._at_rest != self.active)

    def _bounce(self, step: str, late_ms: int) -> None:
        self._drive(step == CLOSED, late_ms)

    def _drive(self, closed: bool, late_ms: int) -> None:
        if self._cuts or self._fault == CUT:
            state = CUT
        elif self._fault == SHORT:
            state = SHORT
        else:
            stays = self._stuck_closed if self._fault == STUCK else closed
            state = CLOSED if stays else OPEN
        self._wire.put(state, late_ms)
