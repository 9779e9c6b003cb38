"""USB readers at the installed door: one that types (uinput), one that is a serial port (dummy_hcd).

The service has the rights that its unit gives it, and no more. Each is pulled out and plugged in again.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from installed import BOARD_FILE, PYTHON, House
from outside_broker import Broker
from state_folder import CARDS

ORDERS = "/run/typist"
RIG = "/opt/doorward/tests/hil/rig"
PATHS = f"{RIG}:/opt/doorward/tests/contract:/opt/doorward"

#: The second reader of a portal that has one, and the first of the other.
MORE = """
[access_points.front-out]
portal = "front"
direction = "out"
reader = "typing-reader"
verification = "card"

[devices.typing-reader]
driver = "serial_reader"
port = "input:1209:d00f"
framing = "decimal"

[access_points.yard-in]
portal = "yard"
direction = "in"
reader = "port-reader"
verification = "card"

[devices.port-reader]
driver = "serial_reader"
port = "PORT"
framing = "lines"
"""


class Plug(NamedTuple):
    """A reader, and what is done to it.

    device        str  its name in the config
    access_point  str
    plug, unplug  callable
    present       callable of a card (facility, number): it is held to the reader
    """

    device: str
    access_point: str
    plug: Callable[[], object]
    unplug: Callable[[], object]
    present: Callable[[int, int], object]


@pytest.fixture(scope="module")
def readers(house: House) -> Iterator[dict[str, Plug]]:
    """Both are plugged in, and the services run."""
    shell = house.guest.shell
    before = house.guest.read(BOARD_FILE)
    shell("modprobe uinput; modprobe evdev; modprobe cdc_acm; modprobe dummy_hcd")
    shell(
        f"PYTHONPATH={PATHS} setsid {PYTHON} {RIG}/typist.py {ORDERS} </dev/null >/dev/null 2>&1 &"
    )
    house.guest.until("the typist listens", lambda: house.guest.run("test", "-p", ORDERS).code == 0)

    def order(text: str) -> None:
        shell(f"echo '{text}' >{ORDERS}; udevadm settle")

    def plug() -> None:
        shell("modprobe g_serial; stty -F /dev/ttyGS0 raw -echo")
        look = "ls /dev/serial/by-id/*"
        house.guest.until("its port is there", lambda: house.guest.run("sh", "-c", look).code == 0)

    found = {
        "types": Plug(
            "typing-reader",
            "front-out",
            lambda: order("in"),
            lambda: order("out"),
            lambda place, number: order(f"type {place:03},{number:05}"),
        ),
        "port": Plug(
            "port-reader",
            "yard-in",
            plug,
            lambda: shell("modprobe -r g_serial"),
            lambda place, number: shell(f"printf 'w26:{place:03}:{number:05}\\r\\n' >/dev/ttyGS0"),
        ),
    }
    for one in found.values():
        one.plug()
    port = shell("ls /dev/serial/by-id/*").strip()
    house.guest.write(BOARD_FILE, before.decode() + MORE.replace("PORT", port))
    house.start()
    yield found
    house.stop()
    house.guest.write(BOARD_FILE, before)
    house.guest.run("pkill", "-KILL", "-f", "rig/typist")


@pytest.mark.parametrize("kind", ["types", "port"])
def test_a_usb_reader_is_read_by_the_installed_service_pulled_out_told_and_read_again(
    readers: dict[str, Plug], kind: str, broker: Broker
) -> None:
    one = readers[kind]
    began = len(broker.events())
    for record, card in CARDS.items():
        before = len(broker.events())
        one.present(*card)
        broker.wait(before, "access.granted", credential=record, access_point=one.access_point)
        one.unplug()
        fault = {"class": "reader_fault", "point": one.device}
        broker.wait(before, "alarm.raised", **fault)
        one.plug()
        broker.wait(before, "system.recovered", part=one.device)
    kinds = ("access.granted", "access.denied")
    decided = [each for each in broker.events()[began:] if each["type"] in kinds]
    assert [each.get("credential") for each in decided] == list(CARDS)
