"""The board on the installer's bench: what its inputs say, its outputs for a bounded time, and the way out.

Nobody decides here. Every output is at its safe level but for the seconds that a step drives it, and goes
back by itself. A magnet that a step holds is let go at once when its exit is pressed or the fire loop
opens, and is not held again until both are at rest (law 1). `look` must be called each 10 ms.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from firmware import wire
from firmware.access.secret import Secret
from firmware.runtime.aio import Loop
from firmware.wire.readings import BadRead, CardRead, CodeRead, KeyRead
from hal.errors import HalError

OPEN, CLOSED = "open", "closed"
PRESSED, RELEASED = "pressed", "released"
CARD, KEY, CODE, BAD = "card", "key", "code", "bad"

_STATES = {"normal": CLOSED, "active": OPEN}  # the others keep their word: cut, short, unknown
TAIL = 2  #: characters of a card's number that are shown


class Seen(NamedTuple):
    """Something that an input said.

    what      str  OPEN, CLOSED, PRESSED, RELEASED, cut, short, unknown; CARD, KEY, CODE, BAD; lost,
                   back, stuck
    form      str  CARD: the form of its number; BAD: why
    secret    Secret or None  KEY: which; CARD: the end of its number, to be shown and not to be kept
    permille  int or None  the level that a supervised loop was measured at
    """

    device: str
    what: str
    at_ms: int
    form: str = ""
    secret: Secret | None = None
    permille: int | None = None


class Bench:
    """The opened `devices` of `config`; whoever opened them closes them.

    armed  callable (ms)  told for how long an output may be driven from now on, 0: all are at rest
    """

    def __init__(
        self,
        config: dict[str, Any],
        devices: dict[str, Any],
        loop: Loop,
        armed: Callable[[int], None] = lambda ms: None,
    ) -> None:
        self.config = config
        self.devices = devices
        #: dict  device -> OPEN, CLOSED, PRESSED, RELEASED ...: what it says now
        self.states: dict[str, str] = {}
        #: dict  portal -> when its lock was last let go for who leaves, or for fire
        self.freed_ms: dict[str, int] = {}
        self._loop = loop
        self._armed = armed
        self._due: dict[str, int] = {}
        portals = config["portals"].items()
        self._exits = {one["rex"]: name for name, one in portals if one["rex"] is not None}
        points = config["alarms"]["points"].values()
        #: list  the inputs of the fire loops
        self.fire = [one["input"] for one in points if one["class"] == "fire"]
        for name in sorted(devices):
            self._first(name)

    # ---- inputs ------------------------------------------------------------------------------------

    def look(self) -> list[Seen]:
        """What the inputs have said since the last look; ends what has been driven for its time."""
        now_ms = self._loop.now_ms()
        found: list[Seen] = []
        for name in sorted(self.devices):
            driver = self.devices[name]
            if hasattr(driver, "poll"):
                for reading in driver.poll(now_ms):
                    found += self._understood(name, reading)
        self._let_out(now_ms)
        for name in [name for name in self._due if self._due[name] <= now_ms]:
            self.rest(name)
        return found

    def _first(self, name: str) -> None:
        driver = self.devices[name]
        if not hasattr(driver, "read"):
            return
        try:
            if hasattr(driver, "read_state"):
                state = str(driver.read_state())
                self.states[name] = _STATES.get(state, state)
            else:
                level = driver.read()
                self.states[name] = "unknown" if level is None else self._level(name, level)
        except HalError:
            self.states[name] = "unknown"

    def _level(self, name: str, on: bool) -> str:
        if self.config["devices"][name]["driver"] == "rex":
            return PRESSED if on else RELEASED
        return CLOSED if on else OPEN

    def _understood(self, name: str, reading: Any) -> list[Seen]:
        kind, at_ms = reading.kind, reading.at_ms
        if kind in ("level", "state"):
            if kind == "level":
                what = self._level(name, reading.data)
            else:
                what = _STATES.get(reading.data, reading.data)
            if self.config["devices"][name]["driver"] != "osdp_reader":
                self.states[name] = what  # of a reader it is its housing
            return [Seen(name, what, at_ms, permille=self._permille(name))]
        if kind == "lost" and name in self.states:
            self.states[name] = "unknown"
        if kind in ("lost", "back") or (kind == "stuck" and reading.data):
            return [Seen(name, kind, at_ms)]
        part = self.config["devices"][name]
        read = wire.decode(reading, part.get("framing") or part.get("format") or wire.ANY)
        if isinstance(read, CardRead):
            form, _, number = read.number.reveal().partition(":")
            return [Seen(name, CARD, at_ms, form, Secret(number[-TAIL:]))]
        if isinstance(read, KeyRead):
            return [Seen(name, KEY, at_ms, secret=read.key)]
        if isinstance(read, CodeRead):
            return [Seen(name, CODE, at_ms)]
        return [Seen(name, BAD, at_ms, read.why)] if isinstance(read, BadRead) else []

    def _permille(self, name: str) -> int | None:
        driver = self.devices[name]
        if not hasattr(driver, "read_state"):
            return None
        try:
            return int(driver.source.read())
        except HalError:
            return None

    # ---- the way out -------------------------------------------------------------------------------

    def free(self, portal: str) -> bool:
        """Whether who leaves by `portal`, or fire, wants its lock open now."""
        rex = self.config["portals"][portal]["rex"]
        return self.states.get(rex) == PRESSED or self.burning

    @property
    def burning(self) -> bool:
        """The fire loop is open or cut."""
        return any(self.states.get(one, CLOSED) != CLOSED for one in self.fire)

    def _let_out(self, now_ms: int) -> None:
        for name, portal in self.config["portals"].items():
            if self._holds(portal["lock"]) and self.free(name):
                self.rest(portal["lock"])
                self.freed_ms[name] = now_ms

    def _holds(self, lock: str) -> bool:
        return lock in self._due and self.config["devices"][lock]["fail_mode"] == "fail_safe"

    # ---- outputs -----------------------------------------------------------------------------------

    def unlock(self, lock: str, ms: int) -> None:
        """Release a fail-secure `lock` for `ms`. Raises `hal.errors.HalError`, as all that drives."""
        self._begin(lock, ms)
        self.devices[lock].set_unlocked(True)

    def hold(self, portal: str, ms: int) -> bool:
        """Engage the fail-safe lock of `portal` for `ms`; whether the way out allows it."""
        self.freed_ms.pop(portal, None)
        if self.free(portal):
            return False
        lock = self.config["portals"][portal]["lock"]
        self._begin(lock, ms)
        self.devices[lock].set_unlocked(False)
        return True

    def show(self, led: str, colour: str, ms: int) -> None:
        """Have a light show `colour` for `ms`."""
        self._begin(led, ms)
        self.devices[led].show(colour)

    def switch(self, output: str, ms: int) -> None:
        """Have a buzzer, siren, beacon or relay on for `ms`."""
        self._begin(output, ms)
        self.devices[output].set(True, self._loop.now_ms())

    def rest(self, output: str | None = None) -> None:
        """Back to the safe level: one output, or all that a step has driven; never raises.

        One that cannot be driven any more goes there when its line is let go.
        """
        for name in [*self._due] if output is None else [output]:
            self._due.pop(name, None)
            driver = self.devices[name]
            try:
                if hasattr(driver, "release_power"):
                    driver.release_power()
                elif hasattr(driver, "show"):
                    driver.show("off")
                else:
                    driver.set(False)
            except HalError:
                pass
        self._arm()

    @property
    def driven(self) -> list[str]:
        """The outputs that are not at rest."""
        return sorted(self._due)

    def _begin(self, name: str, ms: int) -> None:
        self._due[name] = self._loop.now_ms() + ms  # before it is driven: it ends, whatever comes
        self._arm()

    def _arm(self) -> None:
        self._armed(max([0, *[due - self._loop.now_ms() for due in self._due.values()]]))
