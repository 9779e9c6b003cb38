"""A small building for tests of the world: a front door with a strike, a yard gate with a magnet.

As `hal.board.load` would return it, with a reader of each kind; built here because a board's file can
only be read on CPython.
"""

from firmware.runtime import aio
from sim.fakes import FakeAnalogInputs, FakeLines, FakeSerialPorts, FakeTicks
from sim.person import demo_people
from sim.world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

START_S = 1795248000  # 2026-11-21T08:00:00Z
SHANGHAI_S = 28800


def portal(
    lock: str, contact: str, rex: "str | None", egress: str, bond: "str | None" = None
) -> "dict[str, Any]":
    return {
        "lock": lock,
        "contact": contact,
        "rex": rex,
        "egress": egress,
        "egress_ms": 30000,
        "bond": bond,
    }


def access_point(at: str, reader: str, name: str, keypad: "str | None" = None) -> "dict[str, Any]":
    led, buzzer = name + "-led", name + "-buzzer"
    return {"portal": at, "reader": reader, "keypad": keypad, "led": led, "buzzer": buzzer}


def lock(line: str, fail_mode: str, active: str = "high") -> "dict[str, Any]":
    return {"driver": "lock", "line": line, "active": active, "fail_mode": fail_mode}


def contact(line: str, driver: str = "contact") -> "dict[str, Any]":
    return {"driver": driver, "line": line, "active": "low", "pull": "up"}


def supervised(name: str) -> "dict[str, Any]":
    return {
        "driver": "supervised_contact",
        "input": name,
        "thresholds_permille": [150, 500, 850],
        "debounce_ms": 30,
    }


def pulses(driver: str, name: str, tamper: "str | None" = None) -> "dict[str, Any]":
    part: dict[str, Any] = {
        "driver": driver,
        "d0": name + "-d0",
        "d1": name + "-d1",
        "active": "low",
        "pull": "up",
    }
    if driver == "wiegand_reader":
        part["repeat_ms"] = 300
        part["tamper"] = tamper
    return part


def serial(port: str, framing: str = "lines") -> "dict[str, Any]":
    part: dict[str, Any] = {
        "driver": "serial_reader",
        "port": port,
        "baud": 9600,
        "framing": framing,
    }
    part["repeat_ms"] = 300
    part["tamper"] = None
    return part


def output(driver: str, line: str, active: str = "high") -> "dict[str, Any]":
    return {"driver": driver, "line": line, "active": active}


def led(name: str) -> "dict[str, Any]":
    return {"driver": "led", "red": name + "-red", "green": name + "-green", "active": "high"}


def point(kind: str, device: str, normal: str = "closed") -> "dict[str, Any]":
    return {"class": kind, "input": device, "normal": normal}


def config() -> "dict[str, Any]":
    """The building's config."""
    devices = {
        "strike": lock("strike", "fail_secure"),
        "front-contact": contact("front-contact"),
        "handle": contact("handle", "rex"),
        "front-reader": pulses("wiegand_reader", "front", "front-tamper"),
        "front-tamper": contact("front-tamper"),
        "magnet": lock("magnet", "fail_safe", "low"),
        "yard-contact": contact("yard-contact"),
        "exit": contact("exit", "rex"),
        "yard-reader": serial("sim:yard"),
        "yard-keypad": pulses("keypad", "yard-keys"),
        "out-reader": serial("sim:out", "rdm6300"),
        "shed-lock": lock("shed-lock", "fail_secure"),
        "shed-contact": contact("shed-contact"),
        "fire-loop": contact("fire-loop"),
        "lid": contact("lid"),
        "help": contact("help"),
        "key-switch": contact("key-switch"),
        "front-bolt": contact("front-bolt"),
        "magnet-bond": supervised("adc0"),
        "window": supervised("adc1"),
        "mains": contact("mains"),
        "battery": supervised("adc2"),
        "stairs-light": output("relay", "stairs-light"),
        "siren": output("siren", "siren", "low"),
        "beacon": output("beacon", "beacon"),
    }
    for name in ("front-in", "yard-in", "yard-out"):
        devices[name + "-led"] = led(name + "-led")
        devices[name + "-buzzer"] = output("buzzer", name + "-buzzer")
    return {
        "controller": {"site": "test", "name": "c-01", "timezone": "Asia/Shanghai"},
        "portals": {
            "front": portal("strike", "front-contact", "handle", "handle", "front-bolt"),
            "yard": portal("magnet", "yard-contact", "exit", "button_cuts_power", "magnet-bond"),
            "shed": portal("shed-lock", "shed-contact", None, "none"),
        },
        "access_points": {
            "front-in": access_point("front", "front-reader", "front-in"),
            "yard-in": access_point("yard", "yard-reader", "yard-in", "yard-keypad"),
            "yard-out": access_point("yard", "out-reader", "yard-out"),
        },
        "devices": devices,
        "alarms": {
            "siren": "siren",
            "beacon": "beacon",
            "acknowledge": "key-switch",
            "points": {
                "fire": point("fire", "fire-loop"),
                "enclosure": point("tamper", "lid"),
                "lobby-panic": point("panic", "help", "open"),
                "window": point("intrusion", "window"),
                "mains": point("power_fault", "mains"),
                "battery": point("battery_low", "battery"),
            },
        },
    }


class House:
    """The building in virtual time, with its lines held by the test instead of a firmware.

    ``changes`` remembers what the world told: (at_ms, kind, id, what is seen).
    """

    def __init__(self, seed: int = 1, changed: "dict[str, Any] | None" = None) -> None:
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, aio.JumpWaiter(self.clock))
        self.lines = FakeLines(FakeTicks(self.clock))
        self.serial_ports = FakeSerialPorts()
        self.analog_inputs = FakeAnalogInputs()
        people = demo_people(START_S, lambda utc_s: SHANGHAI_S)
        self.config = config() if changed is None else changed
        self.world = World(
            self.config, self.loop, self.lines, self.serial_ports, self.analog_inputs, people, seed
        )
        self.changes: list[tuple[int, str, str, dict[str, Any]]] = []
        self.world.on_change = self._changed

    def _changed(self, kind: str, name: str, seen: "dict[str, Any]") -> None:
        self.changes.append((self.clock.now_ms(), kind, name, seen))

    def run(self, ms: int) -> None:
        """Let `ms` pass."""
        self.loop.run(aio.sleep_ms(ms))

    def act(self, do: str, **args: "Any") -> None:
        """Do a verb."""
        self.world.act(do, **args)

    def inputs(self, *names: str) -> "Any":
        """Hold input lines."""
        return self.lines.inputs(list(names), True, "up")

    def output(self, name: str, on: bool = False, active_low: bool = False) -> "Any":
        """Hold an output line."""
        return self.lines.output(name, active_low, on)

    def door(self, name: str) -> "tuple[str, str]":
        """Lock and door of a portal."""
        seen = self.world.snapshot()["portals"][name]
        return seen["lock"], seen["door"]


def times(edges: "list[Any]", level: bool) -> "list[int]":
    """When a line came to `level`."""
    return [edge.at_ms for edge in edges if edge.level == level]
