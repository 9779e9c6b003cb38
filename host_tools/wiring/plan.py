"""What the sheets of one board show, in one language: the config, its wires, its warnings, and the words."""

from collections.abc import Callable
from typing import Any

from hal import board_facts, board_states, board_tests, board_wires, board_wiring
from hal import board_wiring_warnings as board_warnings
from hal.board_wires import Place, Wire

Config = dict[str, Any]


class Plan:
    """One board in one language.

    config  dict  from `hal.board.load`
    words   dict  of `host_tools.words`
    lang    str   en or zh
    """

    def __init__(self, config: Config, words: dict[str, str], lang: str) -> None:
        self.config = config
        self.lang = lang
        self._words = words
        self.wires = board_wires.wires(config)
        self.warnings = board_warnings.found(config)

    def say(self, key: str, **fields: object) -> str:
        """The words of `key`, filled."""
        return self._words[f"draw.{key}"].format(**fields)

    def title(self, entry: Config) -> str:
        """What people call a portal, supply, cable."""
        return str(entry["title"][self.lang])

    def device(self, device: str) -> str:
        """What people call a device."""
        return board_tests.name(self.config, device, self.lang)

    def board(self) -> str:
        """The board's own name."""
        return self.say(f"board.{self.config['board']}")

    def colour(self, wire: Wire) -> str:
        """A core's colour as code and word; empty inside the box."""
        return f"{wire.colour} {self.say('colour.' + wire.colour)}" if wire.colour else ""

    def core(self, point: str) -> str:
        """What a terminal of a device is called."""
        key = f"draw.core.{point}"
        return self._words.get(key, point)

    def via(self, wire: Wire) -> str:
        """What a wire passes, as it is written into the box on it."""
        if wire.via != "resistors":
            return self.say(f"via.{wire.via}")
        entry = self.config["devices"][wire.device]
        ohms = [entry.get(key) for key in ("series_ohm", "across_ohm")]
        if None in ohms:
            return self.say("via.resistors")
        return " + ".join(f"{ohm / 1000:g} k" for ohm in ohms if ohm is not None)

    def supply(self, name: str) -> str:
        """A supply by its title, or that none is stated."""
        found = self.config["supplies"].get(name)
        return self.say("supply.unstated") if found is None else self.title(found)

    def volts(self, device: str) -> str:
        """What feeds a device, in volts."""
        found = board_wiring.supply(self.config, device)
        return f"{found['volts']} V {found['current'].upper()}" if found else "? V"

    def place(self, place: Place) -> str:
        """Where a wire begins or ends, in words."""
        what, name, point = place
        makers: dict[str, Callable[[], str]] = {
            "pin": lambda: self.say("place.pin", pin=point, line=name),
            "port": lambda: self.say("place.port", port=name.rpartition("/")[2]),
            "line": lambda: self.say("place.line", line=name),
            "relays": lambda: self.say("place.relays", point=point),
            "relay": lambda: f"{name} {point}",
            "fuse": lambda: f"{name}.{point}",
            "supply": lambda: f"{self.supply(name)} {_pole(point)}",
            "input": lambda: self.say("place.input", name=self.supply(name), point=_pole(point)),
            "board": lambda: self.say("place.board", point=point),
            "adapter": lambda: self.say("place.adapter", name=self.device(name), point=point),
            "panel": lambda: self.say("place.panel", point=point),
            "button": lambda: self.say("place.button", name=name, point=point),
            "chips": lambda: f"{self._chips(name)} {point}",
            "join": lambda: self.say("place.join", name=name),
            "common": lambda: self.say("place.common", point=point),
            "converters": lambda: self.say(
                "place.converters", what=self.say(f"between.{name}"), point=_pole(point)
            ),
            "device": lambda: self._terminal(name, point),
        }
        return makers[what]()

    def _chips(self, names: str) -> str:
        """The chips on a bus, the clock by its own name."""
        return ", ".join(
            self.say("place.rtc") if name == "rtc" else name for name in names.split(", ")
        )

    def _terminal(self, device: str, point: str) -> str:
        """A device and its terminal; a loop has no more than the two ends of its contact."""
        return (
            self.device(device)
            if point == "signal"
            else f"{self.device(device)} {self.core(point)}"
        )

    def of(self, device: str) -> list[Wire]:
        """The wires of one device."""
        return [wire for wire in self.wires if wire.device == device]

    def states(self, portal: str) -> list[board_states.State]:
        """The lock of `portal` in every situation."""
        return board_states.table(self.config, portal)

    def portal_of_lock(self, device: str) -> str:
        """The portal whose lock `device` is; empty for another device."""
        for portal, entry in self.config["portals"].items():
            if entry["lock"] == device:
                return str(portal)
        return ""

    def behaviour(self, wire: Wire) -> str:
        """Of a claimed line: direction, pull, level at power-up, and what that does."""
        claim = wire.claim
        if claim.direction not in ("input", "output"):
            said = self.say("does.analog" if claim.direction == "analog" else "does.serial")
            return f"{said} · {self.place(wire.start)}"
        level = self.say(f"level.{claim.active}")
        number = board_facts.number(claim.line)
        real = self.config["board"] != "sim" and number is not None
        if claim.direction == "input":
            return self.say("does.input", pull=self.say(f"pull.{claim.pull}"), level=level)
        boot = {"up": "high", "down": "low"}[board_facts.boot_pull(claim.line)]
        if (
            not real and self.config["board"] != "sim"
        ):  # an expander's pin, until the program sets it
            said = self.say("does.resistor")
            return self.say("does.output", level=level, boot=self.say("level.floats"), then=said)
        boot = boot if real else claim.safe
        portal = self.portal_of_lock(wire.device)
        if portal:
            state = self.states(portal)[0]
            then = self.say(
                "does.lock", coil=self.say(f"coil.{state.coil}"), lock=self.lock(state.lock)
            )
        else:
            then = self.say("does.on" if boot == claim.active else "does.off")
        return self.say("does.output", level=level, boot=self.say(f"level.{boot}"), then=then)

    def lock(self, state: str) -> str:
        """A lock's state in words."""
        return self.say(f"lock.{state}")

    def warned(self, where: str, *sorts: str) -> bool:
        """Whether something is wrong at a device, portal or supply."""
        return any(one.where == where and one.sort in sorts for one in self.warnings)


def _pole(point: str) -> str:
    """A pole as it is written: a minus is as wide as a plus."""
    return point.removesuffix("-") + "−" if point.endswith("-") else point
