"""What the sheets of one board show, in one language: the config, its wires, its warnings, and the words."""

from collections.abc import Callable
from typing import Any

from hal import board_facts, board_fuses, board_states, board_tests, board_wires, board_wiring
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
        """What a wire passes, as it is written into the box on it; of a bus, the adapter's terminal."""
        if wire.via == "rs485":
            return f"{self.say('via.rs485')} {wire.end[2]}"
        ohm = self.config["devices"].get(wire.device, {}).get("pull_up_ohm")
        if wire.via != "resistors" or ohm is None:
            return self.say(f"via.{wire.via}")
        return self.say("via.loop", pull_up=_kilo(ohm))

    def is_loop(self, device: str) -> bool:
        """Whether a device is a contact at the end of two wires."""
        driver = self.config["devices"].get(device, {}).get("driver")
        return driver in (*board_wiring.LOOPS, "supervised_contact")

    def rest(self, device: str) -> str:
        """How a contact stands with the doors closed, everything locked and nobody there."""
        closed = board_wiring.closed_at_rest(self.config, device)
        return self.say("rest.closed" if closed else "rest.open")

    def resistors(self, device: str) -> str:
        """What must be fitted at the contact of a supervised loop; empty for another device."""
        ohms = self.loop(device)
        if ohms is None:
            is_loop = self.config["devices"].get(device, {}).get("driver") == "supervised_contact"
            return self.say("loop.unstated") if is_loop else ""
        return self.say("loop.ends", series=ohms[0], across=ohms[1])

    def loop(self, device: str) -> tuple[str, str] | None:
        """A supervised loop's resistors, in series with the contact and across it; None: not stated."""
        entry = self.config["devices"].get(device, {})
        series, across = entry.get("series_ohm"), entry.get("across_ohm")
        return None if series is None or across is None else (_kilo(series), _kilo(across))

    def fuse(self, device: str) -> str:
        """The fuse of a load in amps; "? A" where nobody can say."""
        ma = board_wiring.fuse_ma(self.config, device)
        return "? A" if ma is None else f"{amps(ma)} A"

    def load(self, device: str) -> str:
        """What a load takes, and its fuse; empty for what is none."""
        entry = self.config["devices"][device]
        if not board_fuses.is_fused(self.config, device):
            return ""
        draw = "? mA" if entry["draw_ma"] is None else f"{entry['draw_ma']} mA"
        fuse = board_fuses.fuse_name(self.config, device)
        return f"{self.volts(device)}, {draw}, {fuse} {self.fuse(device)}"

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
            "fuse": lambda: self._fuse(name, point),
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

    def _fuse(self, name: str, point: str) -> str:
        """A fuse's terminal, with its amps where the current enters."""
        for device in self.config["devices"]:
            fused = point == "1" and board_fuses.is_fused(self.config, device)
            if fused and board_fuses.fuse_name(self.config, device) == name:
                return f"{name}.{point} ({self.fuse(device)})"
        return f"{name}.{point}"

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
            if claim.direction == "analog":
                return f"{self.say('does.analog')} · {self.resistors(wire.device)}"
            return f"{self.say('does.serial')} · {self.place(wire.start)}"
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


def amps(ma: int) -> str:
    """Milliamps as amps, with no zeros at the end."""
    return f"{ma / 1000:.2f}".rstrip("0").rstrip(".")


def _kilo(ohm: int) -> str:
    return f"{ohm / 1000:g} k"


def _pole(point: str) -> str:
    """A pole as it is written: a minus is as wide as a plus."""
    return point.removesuffix("-") + "−" if point.endswith("-") else point
