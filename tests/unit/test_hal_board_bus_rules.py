"""`hal.board_bus_rules` and what a board config may say of OSDP readers: every line that it tells."""

from pathlib import Path
from typing import Any

import pytest

from hal import board, board_lines
from hal.errors import BoardConfigError

SHIPPED = Path(__file__).parents[2] / "board_configs" / "rpi4-two-doors-osdp.toml"


def _told(override: dict[str, Any]) -> list[str]:
    with pytest.raises(BoardConfigError) as told:
        board.load(str(SHIPPED), override)
    return [line.removeprefix(f"{SHIPPED}: ") for line in told.value.problems]


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        ({"devices.back-reader.address": 0}, [
            "devices.back-reader.address: 0 is already that of devices.front-reader; expected one "
            "of its own",
        ]),
        ({"devices.back-reader.address": 127}, [
            "devices.back-reader.address: 127 is not allowed; expected a whole number, 0 to 126",
        ]),
        ({"devices.back-reader.bus": "bsu"}, [
            'devices.back-reader.bus: no device "bsu"; expected a name of [devices], the nearest '
            'known one is "bus"',
        ]),
        ({"devices.bus.port": "input:ffff:0035"}, [
            'devices.bus.port: "input:ffff:0035" is a reader that types; expected a serial port',
        ]),
        ({"devices.desk": {"driver": "serial_reader", "port": "input:zz", "framing": "lines"}}, [
            "devices.desk: nothing uses it; expected a portal, access point, reader or alarm that names it",
            'devices.desk.port: "input:zz" names no reader; expected input:VVVV:PPPP as lsusb shows, in '
            "small letters",
        ]),
        ({"devices.desk": {"driver": "serial_reader", "port": "/dev/ttyUSB7", "framing": "pn532"}}, [
            "devices.desk: nothing uses it; expected a portal, access point, reader or alarm that names it",
            "devices.desk.baud: 9600 is not how a PN532 begins; expected 115200",
        ]),
        ({"devices.back-led.reader": "back-reeder"}, [
            'devices.back-led.reader: no device "back-reeder"; expected an osdp_reader, the nearest '
            'known one is "back-reader"',
        ]),
        ({"devices.back-buzzer.reader": "bus"}, [
            'devices.back-buzzer.reader: device "bus" has driver "osdp_bus"; expected osdp_reader',
        ]),
        ({"devices.back-led.reader": "front-reader"}, [
            'devices.back-led.reader: "front-reader" has devices.front-led already; expected one '
            'osdp_led',
        ]),
        ({"devices.second": {"driver": "osdp_bus", "port": "/dev/ttyUSB9"}}, [
            "devices.second: nothing uses it; expected a portal, access point, reader or alarm that "
            "names it",
        ]),
        ({"devices.bus.rs485": "rts"}, [
            'devices.bus.rs485: "rts" is not allowed; expected one of "adapter", "kernel", '
            '"kernel_inverted"',
        ]),
        ({"devices.back-reader.key": "00" * 16}, [
            'devices.back-reader.key: unknown key; no key stands here; "doorward --osdp-install" '
            'gives the reader one',
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_bus_is_one_line(override: dict[str, Any], lines: list[str]) -> None:
    assert _told(override) == lines


def test_a_bus_of_more_than_eight_is_refused() -> None:
    override: dict[str, Any] = {}
    for address in range(2, 9):
        name = f"more-{address}"
        override[f"devices.{name}"] = {"driver": "osdp_reader", "bus": "bus", "address": address}
        override[f"access_points.{name}"] = {"portal": "back", "direction": "in", "reader": name}
    assert _told(override) == ["devices.bus: 9 readers on one bus; expected 8 at most"]


def test_who_turns_a_bus_is_known_by_its_port() -> None:
    override: dict[str, object] = {
        "devices.bus.rs485": "kernel",
        "devices.bus.port": "/dev/ttyAMA3",
    }
    for config, told in (
        (board.load(str(SHIPPED)), "adapter"),
        (board.load(str(SHIPPED), override), "kernel"),
    ):
        assert board_lines.rs485_ports(config) == {config["devices"]["bus"]["port"]: told}
