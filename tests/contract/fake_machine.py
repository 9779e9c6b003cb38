# portable
"""A small `machine` module: pins with interrupts, for the unix port of MicroPython, which has none.

Does not imitate: interrupts that come in the middle of the program (here they come while a test drives
a pin), hard interrupts and their rule that nothing may be allocated, pulls against what drives a pin,
pins with other functions (ADC, UART), sleep. Constants are those of the rp2 port.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PINS = 30


class Irq:
    """What `Pin.irq` answers where the port has ``flags``."""

    def __init__(self, chip: "Chip", number: int) -> None:
        self._chip = chip
        self._number = number

    def flags(self) -> int:
        """Which edges this interrupt is for."""
        return self._chip.flags[self._number]


class Chip:
    """The pins' other side. ``Pin`` is the class that stands for `machine.Pin`.

    has_flags  bool  whether `Pin.irq` answers something with ``flags``, as rp2 does and esp32 does not
    deaf       int   a pin that has no interrupt; -1: they all have
    """

    def __init__(self, has_flags: bool = True) -> None:
        self.has_flags = has_flags
        self.deaf = -1
        #: pin -> whether it is high; a pin rests high, as its pull-up holds it
        self.high = [True] * PINS
        self.flags = [0] * PINS
        self.handlers: dict[int, tuple[Callable[[Any], None], int]] = {}
        self.pins: dict[int, Pin] = {}
        #: pin -> what was done to it: ("value", 0 or 1), ("mode", mode), ("pull", pull)
        self.done: dict[int, list[tuple[str, Any]]] = {}
        chip = self

        class OfThisChip(Pin):
            """`Pin`, of this chip."""

            def __init__(
                self, number: "int | str", mode: int, pull: "int | None" = None, value: "Any" = None
            ) -> None:
                Pin.__init__(self, chip, number, mode, pull, value)

        #: the module's own class, as ``from machine import Pin`` gives it
        self.Pin = OfThisChip

    def drive(self, number: int, high: bool) -> None:
        """The world moves a pin; its interrupt comes at once."""
        if self.high[number] != high:
            self.high[number] = high
            self._interrupt(number, Pin.IRQ_RISING if high else Pin.IRQ_FALLING)

    def pulse(self, number: int) -> None:
        """The pin goes the other way and back before its one interrupt comes."""
        self._interrupt(number, Pin.IRQ_RISING | Pin.IRQ_FALLING)

    def _interrupt(self, number: int, flags: int) -> None:
        handler, trigger = self.handlers.get(number, (None, 0))
        if handler is not None and flags & trigger:
            self.flags[number] = flags & trigger
            handler(self.pins[number])
            self.flags[number] = 0


class Pin:
    """One pin, as the program sees it. Raises ValueError for one that there is not."""

    IN = 0
    OUT = 1
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(
        self, chip: Chip, number: "int | str", mode: int, pull: "int | None", value: "Any"
    ) -> None:
        if not isinstance(number, int) or not 0 <= number < PINS:
            raise ValueError("invalid pin")
        self._chip = chip
        self._number = number
        done = chip.done.setdefault(number, [])
        if value is not None:
            self.value(value)
        done.append(("mode", mode))
        if mode == Pin.IN:
            done.append(("pull", pull))
        chip.pins[number] = self

    def value(self, level: "int | None" = None) -> int:
        """The level, or drive it."""
        if level is not None:
            self._chip.high[self._number] = level == 1
            self._chip.done.setdefault(self._number, []).append(("value", level))
        return 1 if self._chip.high[self._number] else 0

    def irq(self, handler: "Any" = None, trigger: int = 12) -> "Any":
        """Call `handler` at each edge of `trigger`; None: no more."""
        if self._number == self._chip.deaf:
            raise ValueError("no interrupt on this pin")
        if handler is None:
            self._chip.handlers.pop(self._number, None)
        else:
            self._chip.handlers[self._number] = (handler, trigger)
        return Irq(self._chip, self._number) if self._chip.has_flags else object()
