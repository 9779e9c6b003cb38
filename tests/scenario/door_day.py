"""One whole door day on either interpreter: `door_day.py CONFIG.json PASSAGES` prints every record.

The real door task, decoders and drivers over the simulated world; journal and store in memory. What it
prints is the same, byte for byte, on CPython and MicroPython.
"""

import json
import sys
from collections import namedtuple

from firmware.access import credential, schedule
from firmware.runtime import aio, ports
from firmware.runtime.controller import Controller
from firmware.runtime.memory import MemoryJournal, MemoryStore
from hal.opening import open_board
from sim.fakes import FakeAnalogInputs, FakeLines, FakeSerialPorts, FakeTicks, FakeWall
from sim.world import World

DAY_MS = 86400000
START_MS = 1795190400000  # 2026-11-20T16:00:00Z: midnight in Shanghai
SHANGHAI_S = 28800

Person = namedtuple("Person", ("name", "card", "pin", "qr"))

RESIDENT = Person("resident", "w26:012:00042", "2580", None)
CLEANER = Person("cleaner", "w34:0000004711", None, None)
VISITOR = Person("visitor", None, None, "a visitor's code")


class Nowhere(ports.Transport):
    """A cable that is not plugged in."""

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """Lost: it is down."""


def main(config_path: str, passages: int) -> None:
    """Run the day and print its records."""
    with open(config_path) as file:
        config = json.load(file)
    config["link"]["enabled"] = False  # nobody misses the broker here
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    lines, serial_ports = FakeLines(FakeTicks(clock)), FakeSerialPorts()
    analog_inputs = FakeAnalogInputs()
    world = World(config, loop, lines, serial_ports, analog_inputs, [RESIDENT, CLEANER, VISITOR])
    journal = MemoryJournal(loop, "c-01", "00000001", 100)
    journal.on_written = _print
    board = open_board(config, lines, serial_ports, analog_inputs)
    wall = FakeWall(clock, START_MS, lambda utc_s: SHANGHAI_S)
    controller = Controller(
        config,
        board.devices,
        board.problems,
        loop,
        wall,
        journal,
        _store(loop),
        Nowhere(),
        bytes(32),
    )
    controller.start()
    loop.spawn(_people(world, loop, passages), "people")
    loop.run(aio.sleep_ms(DAY_MS))
    print("records %d" % journal.count())


def _print(events: "list[dict[str, object]]", at_ms: "list[int]") -> None:
    for event, event_ms in zip(events, at_ms):
        told = ["%s=%s" % (key, event[key]) for key in sorted(event)]
        print("%d %s" % (event_ms, " ".join(told)))


def _store(loop: aio.Loop) -> MemoryStore:
    hours = schedule.parse("mon-fri 08:00-12:00")
    levels = {
        "all": [credential.Right("*", None, False)],
        "cleaner": [credential.Right("*", "work", False)],
    }
    store = MemoryStore(
        loop, b"k" * 32, credential.Rights(levels, {"work": hours}, [], False, False)
    )
    resident = _key(1, ("all",), None)
    store.add(resident, "card", RESIDENT.card)
    store.add(resident, "pin", RESIDENT.pin)
    store.add(_key(2, ("cleaner",), None), "card", CLEANER.card)
    store.add(_key(3, ("all",), 3), "code", VISITOR.qr)
    return store


#: duress_hash, flat, group, acknowledges, duress, visit
MORE = (None, None, None, False, False, None)


def _key(id: int, levels: "tuple[str, ...]", uses: "int | None") -> "credential.Credential":
    return credential.Credential(
        id, id, "active", None, None, None, uses, levels, False, False, None, None, 1, *MORE
    )


async def _people(world: World, loop: aio.Loop, passages: int) -> None:
    """A mix that touches every kind of input, the same each time."""
    every_ms = DAY_MS // (passages + 1)
    for number in range(passages):
        await aio.sleep_ms(every_ms - 4000)
        kind = number % 10
        portal = "front"
        if kind < 4:
            world.act("present_card", access_point="front-in", person="resident")
        elif kind == 4:
            world.act("enter_pin", access_point="front-in", digits="2580")
        elif kind == 5:
            portal = "yard"
            world.act("present_card", access_point="yard-in", person="cleaner")
        elif kind == 6:
            portal = "yard"
            world.act("show_qr", access_point="yard-in", person="visitor")
        elif kind == 7:
            world.act("leave", portal="front")
        elif kind == 8:
            portal = "yard"
            world.act("press_rex", portal="yard")
        else:
            world.act("enter_pin", access_point="front-in", digits="9999")
        await aio.sleep_ms(4000)
        if number % 50 == 9:
            world.act("force_door", portal=portal)
            await aio.sleep_ms(2000)
            world.act("close_door", portal=portal)
            world.act("press_ack")
        elif number % 50 == 32:
            world.act("push_door", portal=portal)
            world.act("prop_door", portal=portal)
            await aio.sleep_ms(40000)
            world.act("close_door", portal=portal)
            world.act("press_ack")
        elif number % 50 == 23:
            world.act("set_fire", on=True)
            await aio.sleep_ms(3000)
            world.act("set_fire", on=False)
        else:
            world.act("walk_through", portal=portal)


main(sys.argv[1], int(sys.argv[2]))
