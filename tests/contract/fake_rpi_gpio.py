"""RPi.GPIO over pins that a test holds; the numbers of its constants are the real ones.

Imitates the order in which the library writes an output (``initial`` before the direction), that a pin
set up by nobody is refused with RuntimeError, and `cleanup`, which makes a pin an input again. Does not
imitate: edge detection (not used), PWM, board numbering, other programs.
"""

from collections.abc import Callable


class FakeRpiGpio:
    """Stands in for the module `RPi.GPIO`."""

    BCM = 11
    OUT = 0
    IN = 1
    PUD_OFF = 20
    PUD_DOWN = 21
    PUD_UP = 22
    I2C = 42

    def __init__(self) -> None:
        self.mode: int | None = None
        self.functions = [self.IN] * 28
        self.high = [True] * 28
        #: pin -> levels and directions in the order in which they were set
        self.done: list[list[tuple[str, object]]] = [[] for _ in range(28)]
        self.ready: set[int] = set()
        #: callable or None  called before each access; what it raises, the library raises
        self.before: Callable[[], None] | None = None

    def setwarnings(self, on: bool) -> None:
        """Tell of pins in use, or do not."""

    def setmode(self, mode: int) -> None:
        """How pins are numbered."""
        self.mode = mode

    def gpio_function(self, pin: int) -> int:
        """What a pin is set to."""
        self._access()
        return self.functions[pin]

    def setup(
        self, pin: int, direction: int, initial: bool | None = None, pull_up_down: int = 20
    ) -> None:
        """Make a pin an output or an input."""
        self._access()
        assert self.mode == self.BCM
        if initial is not None:
            self.high[pin] = initial
            self.done[pin].append(("level", initial))
        self.done[pin].append(("direction", direction))
        if direction == self.IN:
            self.done[pin].append(("pull", pull_up_down))
        self.functions[pin] = direction
        self.ready.add(pin)

    def output(self, pin: int, high: bool) -> None:
        """Drive a pin."""
        self._access()
        if pin not in self.ready or self.functions[pin] != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self.high[pin] = high
        self.done[pin].append(("level", high))

    def input(self, pin: int) -> int:
        """Read a pin."""
        self._access()
        if pin not in self.ready:
            raise RuntimeError("You must setup() the GPIO channel first")
        return 1 if self.high[pin] else 0

    def cleanup(self, pin: int) -> None:
        """Make a pin an input without pull again."""
        self.ready.discard(pin)
        self.functions[pin] = self.IN
        self.high[pin] = True

    def _access(self) -> None:
        if self.before is not None:
            self.before()
