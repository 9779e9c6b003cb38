"""One portal's physics: leaf, lock, closer, contact, and how people get out. Portable.

Knows neither controller nor config: it is told whether current is offered to the lock, and what people
do. A strike (fail-secure) is unlocked by current, a magnet (fail-safe) is locked by it; the wiring of a
portal with an exit button takes the magnet's current away by itself for as long as the button says.

Does not imitate: a leaf that moves slowly (it is open or closed), a magnet's residual pull, people who do
not get through in time.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

STRIKE = "fail_secure"
MAGNET = "fail_safe"

STRIKE_MS = 40  #: from the current's change to the bolt's
MAGNET_MS = 10
PRESS_MS = 300  #: how long a handle or an exit button is held
REACH_MS = 80  #: from the handle or button to the leaf
PASS_MS = 1200  #: from the opening to the hand that lets go
CLOSER_MS = 4000  #: from there to the closed door


class Door:
    """One leaf in its frame.

    lock       str            STRIKE or MAGNET
    egress     str            "handle", "button_cuts_power" or "none"
    egress_ms  int            how long the exit button takes the current away
    contact    Switch         closed while the leaf is
    rex        Switch | None  of the handle or the button
    bond       Switch | None  closed while the bolt is out, or the magnet holds the closed leaf
    changed    callable       told after every change of what can be seen
    """

    def __init__(
        self,
        loop: "Any",
        lock: str,
        egress: str,
        egress_ms: int,
        contact: "Any",
        rex: "Any",
        bond: "Any",
        changed: "Callable[[], None]",
    ) -> None:
        #: bool  the bolt is out, or the magnet pulls; with an open leaf it holds nothing
        self.locked = lock == STRIKE
        self.open = False
        self.propped = False
        #: bool  bolt or magnet stays as it is, whatever the current does
        self.jammed = False
        #: bool  was broken open and stands so
        self.broken = False
        self._loop = loop
        self._is_magnet = lock == MAGNET
        self._egress = egress
        self._egress_ms = egress_ms
        self._contact = contact
        self._rex = rex
        self._bond = bond
        self._changed = changed
        self._offered = False
        self._current = False
        self._bolt: Any = None
        self._cut_until_ms: int | None = None
        self._pressed_until_ms = 0
        self._held = False
        self._passing_until_ms: int | None = None
        self._closer: Any = None

    def seen(self) -> "dict[str, Any]":
        """What can be seen."""
        return {
            "lock": "locked" if self.locked else "unlocked",
            "door": "open" if self.open else "closed",
            "propped": self.propped,
            "broken": self.broken,
            "jammed": self.jammed,
        }

    def offer_current(self, on: bool) -> None:
        """The controller's output gives the lock current, or no longer."""
        self._offered = on
        self._follow_current()

    def jam(self, on: bool) -> None:
        """The lock no longer follows its current, or is freed and goes where that wants it."""
        if on == self.jammed:
            return
        self.jammed = on
        self._changed()
        if not on and self._bolt is None:
            self._move_bolt()

    def push(self) -> None:
        """Open it if it is not locked, and hold it until `close`."""
        if self.open or not self.locked:
            self._held = True
            self._swing_open()

    def close(self) -> None:
        """Close it, whatever holds it."""
        self._held = self.propped = self.broken = False
        self._passing_until_ms = None
        self._shut()

    def prop(self) -> None:
        """Put something in the open door; nothing on a closed one."""
        if self.open and not self.propped:
            self.propped = True
            self._stop_closer()
            self._changed()

    def force(self) -> None:
        """Break it open; the closer does not shut it."""
        if self.open and self.broken:
            return
        self.broken = True
        if self.open:
            self._stop_closer()
            self._changed()
        else:
            self._swing_open()

    def walk_through(self) -> None:
        """Open it, go through, let it go; nothing on a locked door."""
        if self.open or not self.locked:
            self._pass()

    def press_rex(self) -> None:
        """Press the handle or the button, and no more."""
        now_ms = self._loop.now_ms()
        fresh = now_ms >= self._pressed_until_ms
        self._pressed_until_ms = now_ms + PRESS_MS
        if self._rex is not None:
            self._rex.press(PRESS_MS)
        if fresh and self._egress == "button_cuts_power":
            until_ms = self._cut_until_ms = now_ms + self._egress_ms
            self._loop.call_at(until_ms, self._end_cut)
            self._follow_current()

    def leave(self) -> None:
        """Go out from inside, as the portal lets people out."""
        if self._egress == "none":
            self.walk_through()
            return
        self.press_rex()
        self._loop.call_at(self._loop.now_ms() + REACH_MS, self._leave_now)

    def _leave_now(self) -> None:
        if self._egress == "handle":
            self._pass()  # the handle draws the latch, whatever the bolt does
        else:
            self.walk_through()

    def _pass(self) -> None:
        until_ms = self._passing_until_ms = self._loop.now_ms() + PASS_MS
        self._swing_open()
        self._loop.call_at(until_ms, self._let_go)

    def _let_go(self) -> None:
        until_ms = self._passing_until_ms
        if until_ms is None or self._loop.now_ms() < until_ms:
            return  # closed meanwhile, or somebody else goes through
        self._passing_until_ms = None
        if self.open and not (self._held or self.propped or self.broken):
            self._stop_closer()
            self._closer = self._loop.call_at(self._loop.now_ms() + CLOSER_MS, self._shut)

    def _stop_closer(self) -> None:
        if self._closer is not None:
            self._closer.cancel()
            self._closer = None

    def _swing_open(self) -> None:
        self._stop_closer()
        if not self.open:
            self.open = True
            self._contact.move(False)
            self._follow_bond()
            self._changed()

    def _shut(self) -> None:
        self._stop_closer()
        if self.open:
            self.open = False
            self._contact.move(True)
            self._follow_bond()
            self._changed()

    def _end_cut(self) -> None:
        until_ms = self._cut_until_ms
        if until_ms is not None and self._loop.now_ms() >= until_ms:
            self._cut_until_ms = None
            self._follow_current()

    def _follow_current(self) -> None:
        current = self._offered and self._cut_until_ms is None
        if current == self._current:
            return
        self._current = current
        if self._bolt is not None:
            self._bolt.cancel()
        travel_ms = MAGNET_MS if self._is_magnet else STRIKE_MS
        self._bolt = self._loop.call_at(self._loop.now_ms() + travel_ms, self._move_bolt)

    def _move_bolt(self) -> None:
        self._bolt = None
        locked = self._current == self._is_magnet
        if locked != self.locked and not self.jammed:
            self.locked = locked
            self._follow_bond()
            self._changed()

    def _follow_bond(self) -> None:
        if self._bond is not None:
            self._bond.move(self.locked and not (self._is_magnet and self.open))
