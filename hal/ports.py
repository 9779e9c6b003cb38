"""What a board offers to the firmware: outputs, inputs with their edge times, byte streams, ticks.

Portable (CPython and MicroPython). A port is named for its role. A backend implements ports for one
platform (`hal/backends/`), a fake implements them in `sim/`; drivers (`hal/drivers/`) are given ports
and turn them into frames and levels. One contract suite (`tests/contract/`) holds every implementation.

Nothing here waits. A source tells that it has something through ``fileno()`` (a descriptor the event
loop can wait on) or by calling ``ready`` from the loop's own thread; a source with neither is polled.

Levels are logical everywhere above a backend: ``True`` is the line's *active* level as the board config
names it (``active = "low"`` is the backend's business).
"""

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: One change of one input line.
#: line   int   index of the line in its request's ``names``
#: level  bool  the level after the change, True = active
#: at_ms  int   when it happened, on the clock of the port's `Ticks`
Edge = namedtuple("Edge", ("line", "level", "at_ms"))


class Frame:
    """The bits or bytes of a card, a code or a key: a secret, shown as ``***``. Equal to its own data."""

    __slots__ = ("_data",)

    def __init__(self, data: "str | bytes") -> None:
        self._data = data

    def reveal(self) -> "str | bytes":
        """The data; for who decodes it."""
        return self._data

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return self._data == (other._data if isinstance(other, Frame) else other)

    def __hash__(self) -> int:
        return hash(self._data)

    def __len__(self) -> int:
        return len(self._data)


#: What a driver hands over.
#: kind   str   one of the kinds below
#: data   Frame | str | bool | None   what `kind` says
#: at_ms  int   the time of the edge or byte that completed it
Reading = namedtuple("Reading", ("kind", "data", "at_ms"))

BITS = (
    "bits"  #: data: Frame of "0", "1" and "?" (both lines at once: not a bit), in order of arrival
)
LINE = "line"  #: data: Frame, the bytes of one frame between a reader's delimiters, without them
LEVEL = "level"  #: data: bool, a debounced level
STATE = "state"  #: data: str, what a supervised loop is in (`hal.drivers.supervised_contact`)
STUCK = "stuck"  #: data: bool, a data line is held (True), has let go again (False)
POWER = "power"  #: data: bool, the device's own supply is as it should be
LOST = "lost"  #: data: None or str, the device has gone, and why if that is known
BACK = "back"  #: data: None, the device has come back


class Ticks:
    """The board's monotonic clock.

    It may wrap (MicroPython's does after 2**30 ms); ``period_ms`` says where. The firmware extends it,
    in one place (`firmware.runtime.clock`).
    """

    #: int  the value at which `ticks_ms` starts again at 0; 0: never
    period_ms = 0

    def ticks_ms(self) -> int:
        """Milliseconds since some start."""
        raise NotImplementedError


class DigitalOutput:
    """One output line. It got its first level before its direction, so it never glitched."""

    name = ""

    def write(self, on: bool) -> None:
        """Drive the line to its active (True) or inactive (False) level.

        Raises `hal.errors.DeviceUnavailableError` if the line is no longer ours.
        """
        raise NotImplementedError

    def read(self) -> bool:
        """The level last driven."""
        raise NotImplementedError

    def close(self) -> None:
        """Drive the line to the level that it was opened with (its safe level) and let it go."""
        raise NotImplementedError


class DigitalInputs:
    """One or more input lines whose edges arrive in the order in which they happened."""

    #: tuple of str  the lines, in the order of `Edge.line`
    names: "tuple[str, ...]" = ()
    #: callable or None  set by the firmware; called on the loop's thread when `take` has something
    ready: "Callable[[], None] | None" = None
    #: bool  ``ready`` is called for every edge, so nobody need poll
    wakes = False

    def levels(self) -> list[bool]:
        """The levels now, one a line, True = active."""
        raise NotImplementedError

    def take(self) -> list[Edge]:
        """Every edge since the last call, oldest first; never waits.

        Raises `hal.errors.DeviceUnavailableError` if the lines are gone.
        """
        raise NotImplementedError

    def lost(self) -> int:
        """How many edges the source had to drop since the last call (its buffer was full)."""
        return 0

    def fileno(self) -> int:
        """A descriptor that is readable when `take` has something; -1: none, use `ready` or poll."""
        return -1

    def close(self) -> None:
        """Let the lines go."""
        raise NotImplementedError


class AnalogInput:
    """One channel of a converter, measured against its own supply.

    What is measured hangs between the same supply and ground, so a supply that sags moves nothing.
    There are no edges: whoever wants to know of a change reads again and again.
    """

    name = ""
    #: callable or None, bool  as for `DigitalInputs`; a channel without a comparator wakes nobody
    ready: "Callable[[], None] | None" = None
    wakes = False

    def read(self) -> int:
        """The level now, permille of the supply, 0 to 1000; takes less than 1 ms.

        Raises `hal.errors.DeviceUnavailableError` while the converter does not answer; it may be asked
        again.
        """
        raise NotImplementedError

    def fileno(self) -> int:
        """A descriptor that is readable when the level has moved; -1: none, use `ready` or poll."""
        return -1

    def close(self) -> None:
        """Let the channel go; closing twice is fine."""
        raise NotImplementedError


class ByteStream:
    """A serial line. `open` may be called again after a failure; everything else never waits."""

    name = ""
    #: callable or None, bool  as for `DigitalInputs`
    ready: "Callable[[], None] | None" = None
    wakes = False

    def open(self) -> None:
        """Open the device. Raises `hal.errors.DeviceUnavailableError` while it is not there."""
        raise NotImplementedError

    def read(self) -> bytes:
        """What has arrived, at most 4096 bytes; empty if nothing has.

        Raises `hal.errors.DeviceUnavailableError` when the device has gone; it is then closed.
        """
        raise NotImplementedError

    def write(self, data: bytes) -> int:
        """Send what fits now; how many bytes were taken. Raises as `read` does."""
        raise NotImplementedError

    def fileno(self) -> int:
        """A descriptor that is readable when `read` has something; -1: none."""
        return -1

    def close(self) -> None:
        """Close the device; closing twice is fine."""
        raise NotImplementedError


class Lines:
    """The board's digital lines: claims them for as long as they are open."""

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        """Claim `name` as an output that starts at, and on `close` goes back to, level `on`.

        The level is set before the direction. Raises `hal.errors.LineBusyError` if somebody has the
        line, `hal.errors.LineUnknownError` if the board has no such line, and
        `hal.errors.DeviceUnavailableError` if the chip is missing or may not be opened; one beside the
        board that may come later is claimed all the same, and each call raises until then.
        """
        raise NotImplementedError

    def inputs(self, names: list[str], active_low: bool, pull: str) -> DigitalInputs:
        """Claim `names` as inputs whose edges are kept in one order; `pull` is up, down or none.

        Raises as `output` does.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let every line go."""
        raise NotImplementedError


class SerialPorts:
    """The board's serial lines."""

    def stream(self, port: str, baud: int) -> ByteStream:
        """A stream for `port` (a device path), 8N1, not yet open. Raises `hal.errors.LineBusyError`."""
        raise NotImplementedError


class BusReader:
    """One reader of a bus that several share, with its light and its buzzer. Nothing here waits."""

    name = ""
    #: callable or None, bool  as for `DigitalInputs`
    ready: "Callable[[], None] | None" = None
    wakes = False
    #: str  what is wrong with it, one line; empty: nothing
    problem = ""

    def take(self) -> "list[tuple[str, Any]]":
        """What it has said since the last call, oldest first: pairs of a kind of `Reading` and its data.

        BITS: a card, or a key as its 4 bits. LEVEL: its housing is closed. POWER. LOST, with why in one
        line, again if that is another, and BACK. A reader that has not been reached yet has said
        nothing. Never raises.
        """
        raise NotImplementedError

    def lost(self) -> int:
        """How many cards and keys were dropped since the last call (nobody took them in time)."""
        return 0

    def light(self, red: bool, green: bool) -> None:
        """Show a colour, both is amber; a reader that is away shows it once it is back."""
        raise NotImplementedError

    def sound(self, on: bool) -> None:
        """Sound, or be silent; as `light`."""
        raise NotImplementedError

    def fileno(self) -> int:
        """A descriptor that is readable when `take` has something; -1: none, use `ready` or poll."""
        return -1

    def close(self) -> None:
        """Let the reader go; closing twice is fine."""
        raise NotImplementedError


class ReaderBuses:
    """The buses of a board on which several readers hang (OSDP on RS-485)."""

    def reader(self, device: str, port: str, baud: int, address: int) -> BusReader:
        """The reader at `address` (0 to 126) of the bus at `port`, by the key of the device of that name.

        Raises `hal.errors.LineBusyError` if somebody has the port or the address, and
        `hal.errors.DeviceUnavailableError` if this machine cannot speak to such readers at all.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let every reader go."""
        raise NotImplementedError


class Watchdog:
    """Starts the machine or the program again when it has not been petted for `timeout_ms`.

    It runs from the moment it was opened. Only the door task's own round pets it
    (`firmware.runtime.heartbeat`), so it bites whatever hangs or dies there.
    """

    #: int  how long it waits for the next `pet`
    timeout_ms = 0

    def pet(self) -> None:
        """The door decides; never waits.

        Raises `hal.errors.DeviceUnavailableError` if it could not be told; it may be petted again.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Stop it, where it can be stopped: a clean end. Closing twice is fine, petting after that not."""
        raise NotImplementedError


class AnalogInputs:
    """The board's analog inputs: claims them for as long as they are open."""

    def channel(self, name: str) -> AnalogInput:
        """Claim `name`, such as ``adc0``.

        Raises `hal.errors.LineBusyError` if somebody has the channel, `hal.errors.LineUnknownError` if
        the board has none of that name, and `hal.errors.DeviceUnavailableError` if this machine cannot
        speak to such a converter at all; one that is missing may come later, `read` raises until then.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let every channel go."""
        raise NotImplementedError
