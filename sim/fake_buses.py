"""A fake of the board's reader buses, with the readers at their other ends. Portable.

Does not imitate: frames, keys and the secure channel (`hal.backends` and its tests have those), turns on the
wire, a reader that refuses its key.
"""

from hal.errors import LineBusyError
from hal.ports import BACK, LOST, BusReader, ReaderBuses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class ReaderSide:
    """The reader at one address: what it shows, and what it says while it is reached."""

    def __init__(self) -> None:
        #: bool  the bus reaches it, it has power, and it answers
        self.reached = True
        #: bool  what it knows of itself
        self.closed = True
        #: what it shows; dark and silent while it has no power
        self.red = self.green = self.sounds = False
        #: callable or None  told when what it shows has changed
        self.on_show: Callable[[], None] | None = None
        self._reader: _Reader | None = None

    def say(self, kind: str, data: "Any") -> None:
        """Tell the panel something, if it is reached."""
        if self.reached and self._reader is not None:
            self._reader.arrive(kind, data)

    def open_housing(self, on: bool) -> None:
        """Its lid is opened, or closed again; it tells that when it can."""
        self.closed = not on
        self.say("level", self.closed)

    def lose(self) -> None:
        """The panel finds that it is away."""
        self.reached = False
        if self._reader is not None:
            self._reader.arrive(LOST, None)

    def come_back(self) -> None:
        """The panel finds that it is there again, and tells it what to show."""
        self.reached = True
        if self._reader is not None:
            self._reader.arrive(BACK, None)
            self._reader.begin()

    def go_dark(self) -> None:
        """It has no power."""
        self.show(False, False, False)

    def show(self, red: bool, green: bool, sounds: bool) -> None:
        """Its light and its buzzer."""
        before = (self.red, self.green, self.sounds)
        self.red, self.green, self.sounds = red, green, sounds
        if before != (red, green, sounds) and self.on_show is not None:
            self.on_show()


class _Reader(BusReader):
    """The panel's end of one reader."""

    wakes = True

    def __init__(self, buses: "FakeBuses", place: "tuple[str, int]") -> None:
        self.name = "%s address %d" % place
        self._buses = buses
        self._place = place
        self._side = buses.side(*place)
        self._waiting: list[tuple[str, Any]] = []
        self._wanted = (False, False, False)
        self._closed = False
        self._side._reader = self
        if self._side.reached:
            self.begin()
        else:
            self.arrive(LOST, None)

    def take(self) -> "list[tuple[str, Any]]":
        """What it has said."""
        waiting = self._waiting
        self._waiting = []
        return waiting

    def light(self, red: bool, green: bool) -> None:
        """Show a colour."""
        self._want((red, green, self._wanted[2]))

    def sound(self, on: bool) -> None:
        """Sound, or be silent."""
        self._want((self._wanted[0], self._wanted[1], on))

    def close(self) -> None:
        """Let it go."""
        self.forget()
        self._buses._release(self._place, self)

    def begin(self) -> None:
        """It is there: it says what it is, and shows what is wanted."""
        self.arrive("level", self._side.closed)
        self.arrive("power", True)
        self._want(self._wanted)

    def arrive(self, kind: str, data: "Any") -> None:
        """It has said something, or was found to be away."""
        if kind in (LOST, BACK):
            self.problem = (
                "" if kind == BACK else self.name + ": does not answer; expected it wired"
            )
        self._waiting.append((kind, self.problem if kind == LOST else data))
        if self.ready is not None:
            self.ready()

    def forget(self) -> None:
        """The power has gone."""
        self._closed = True
        if self._side._reader is self:
            self._side._reader = None

    def _want(self, wanted: "tuple[bool, bool, bool]") -> None:
        self._wanted = wanted
        if self._side.reached and not self._closed:
            self._side.show(*wanted)


class FakeBuses(ReaderBuses):
    """The buses of one board; every address has a reader."""

    def __init__(self) -> None:
        self._sides: dict[tuple[str, int], ReaderSide] = {}
        self._claims: dict[tuple[str, int], _Reader] = {}

    def reader(self, device: str, port: str, baud: int, address: int) -> BusReader:
        """Claim the reader at `address`."""
        place = (port, address)
        if place in self._claims:
            raise LineBusyError("%s: address %d is in use; expected another" % place)
        self._claims[place] = _Reader(self, place)
        return self._claims[place]

    def side(self, port: str, address: int) -> ReaderSide:
        """The reader at that address."""
        place = (port, address)
        if place not in self._sides:
            self._sides[place] = ReaderSide()
        return self._sides[place]

    def close(self) -> None:
        """Let every reader go."""
        for place in sorted(self._claims):
            self._claims[place].close()

    def power_off(self) -> None:
        """The board loses its power: every claim is forgotten."""
        claims = self._claims
        self._claims = {}
        for place in sorted(claims):
            claims[place].forget()

    def _release(self, place: "tuple[str, int]", reader: _Reader) -> None:
        if self._claims.get(place) is reader:
            del self._claims[place]
