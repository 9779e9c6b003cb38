"""The header pins of every bus that is used are nobody else's, and their wires are drawn."""

from pathlib import Path

import pytest
from board_texts import SMALL, problems

from hal import board, board_buses, board_wires
from hal.errors import BoardConfigError

ROOT = Path(__file__).parents[2]
OSDP = ROOT / "board_configs/rpi4-two-doors-osdp.toml"
KERNEL: dict[str, object] = {"devices.bus.port": "/dev/serial0", "devices.bus.rs485": "kernel"}


def load(folder: Path, override: dict[str, object]) -> board.Config:
    (folder / "right.toml").write_text(SMALL)
    return board.load(str(folder / "right.toml"), override)


def adc(bus: str) -> dict[str, object]:
    return {"chips": {"adc": {"chip": "mcp3008", "bus": bus}}}


@pytest.mark.parametrize(
    ("kind", "bus", "found"),
    [
        ("rpi3b", "/dev/spidev1.0", "GPIO18 CE0, GPIO19 MISO, GPIO20 MOSI, GPIO21 SCLK"),
        ("rpi4", "/dev/spidev1.2", "GPIO16 CE2, GPIO19 MISO, GPIO20 MOSI, GPIO21 SCLK"),
        ("rpi4", "/dev/spidev6.1", "GPIO27 CE1, GPIO19 MISO, GPIO20 MOSI, GPIO21 SCLK"),
        ("rpi5", "/dev/spidev3.0", "GPIO4 CE0, GPIO5 MISO, GPIO6 MOSI, GPIO7 SCLK"),
        ("rpi5", "/dev/i2c-3", "GPIO6 SDA, GPIO7 SCL"),
        ("cm4", "/dev/i2c-6", "GPIO22 SDA, GPIO23 SCL"),
        ("rpi4", "/dev/i2c-1", "GPIO2 SDA, GPIO3 SCL"),
        ("rpi3b", "/dev/i2c-3", ""),
        ("rpi4", "/dev/spidev0.2", ""),
        ("sim", "/dev/i2c-1", ""),
    ],
)
def test_a_buss_lines_are_those_of_its_board(kind: str, bus: str, found: str) -> None:
    told = board_buses.lines(kind, bus).items()
    assert ", ".join(f"{line} {name}" for line, name in told) == found


@pytest.mark.parametrize("line", ["GPIO18", "GPIO19", "GPIO20", "GPIO21"])
def test_the_second_spi_buss_lines_are_nobody_elses(tmp_path: Path, line: str) -> None:
    (told,) = problems(tmp_path, override={**adc("/dev/spidev1.0"), "devices.door.line": line})
    assert told.startswith(f"devices.door.line: {line} is reserved for the bus of chips.adc; ")


def test_the_second_spi_buss_wires_are_there(tmp_path: Path) -> None:
    wires = board_wires.wires(load(tmp_path, adc("/dev/spidev1.0")))
    assert [(wire.start[1:], wire.end) for wire in wires if wire.role == "bus"] == [
        (("GPIO18", "12"), ("chips", "adc", "CE0")),
        (("GPIO19", "35"), ("chips", "adc", "MISO")),
        (("GPIO20", "38"), ("chips", "adc", "MOSI")),
        (("GPIO21", "40"), ("chips", "adc", "SCLK")),
    ]


def test_the_line_that_turns_an_adapter_is_nobody_elses() -> None:
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(OSDP), {**KERNEL, "devices.front-contact.line": "GPIO17"})
    (told,) = caught.value.problems
    assert (
        ": devices.front-contact.line: GPIO17 is reserved for the direction of devices.bus.port "
        in told
    )
    switched = {**KERNEL, "devices.bus.rs485": "adapter", "devices.front-contact.line": "GPIO17"}
    board.load(str(OSDP), switched)


def test_an_adapter_on_the_uart_has_all_of_its_wires() -> None:
    wires = board_wires.wires(board.load(str(OSDP), KERNEL))
    found = {wire.end[2]: wire.start[1:] for wire in wires if wire.end[:2] == ("adapter", "bus")}
    assert found == {
        "GND": ("", "0 V"),
        "VCC": ("", "3.3 V"),
        "DI": ("GPIO14", "8"),
        "DE RE": ("GPIO17", "11"),
    }
    (claimed,) = [wire for wire in wires if wire.claim and wire.claim.device == "bus"]
    assert claimed.start == ("pin", "GPIO15", "10")


def test_a_reader_that_is_asked_has_a_wire_for_the_question(tmp_path: Path) -> None:
    reader = {"driver": "serial_reader", "port": "/dev/serial0", "framing": "pn532", "baud": 115200}
    asked = load(tmp_path, {"devices.reader": reader})
    wires = [wire for wire in board_wires.wires(asked) if wire.end[:2] == ("device", "reader")]
    assert [(wire.start, wire.end[2]) for wire in wires[:2]] == [
        (("pin", "GPIO15", "10"), "tx"),
        (("pin", "GPIO14", "8"), "rx"),
    ]
    mute = load(tmp_path, {"devices.reader": {**reader, "framing": "lines"}})
    assert ("device", "reader", "rx") not in [wire.end for wire in board_wires.wires(mute)]


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            {
                "board": "rpi5",
                "chips": {
                    "exp0": {"chip": "mcp23017", "bus": "/dev/i2c-3"},
                    "adc": {"chip": "mcp3008", "bus": "/dev/spidev0.1"},
                },
            },
            "chips.adc.bus: needs GPIO7, which is reserved for the bus of chips.exp0; expected another "
            "bus or port",
        ),
        (
            {
                **adc("/dev/spidev5.0"),
                "devices.reader": {
                    "driver": "serial_reader",
                    "port": "/dev/serial0",
                    "framing": "lines",
                },
            },
            "devices.reader.port: needs GPIO14, which is reserved for the bus of chips.adc; expected "
            "another bus or port",
        ),
    ],
)
def test_two_buses_on_one_line_are_told_once(
    tmp_path: Path, override: dict[str, object], line: str
) -> None:
    assert problems(tmp_path, override=override) == [line]


def test_chips_and_the_clock_share_a_bus_and_no_select(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "controller.rtc": True,
        "chips": {
            "exp0": {"chip": "mcp23017"},
            "adc": {"chip": "mcp3008"},
            "more": {"chip": "mcp3008", "bus": "/dev/spidev0.1"},
        },
    }
    wires = board_wires.wires(load(tmp_path, override))
    buses = {wire.start[1]: wire.end[1:] for wire in wires if wire.role == "bus"}
    assert buses["GPIO2"] == ("rtc, exp0", "SDA")
    assert buses["GPIO11"] == ("adc, more", "SCLK")
    assert (buses["GPIO8"], buses["GPIO7"]) == (("adc", "CE0"), ("more", "CE1"))


@pytest.mark.parametrize(
    ("kind", "bus", "lines"),
    [
        ("rpi4", "/dev/spidev0.1", []),
        (
            "rpi4",
            "/dev/spidev1.0",
            [
                "chips.adc.bus: /dev/spidev1.0 is taken to have its overlay's usual pins GPIO18, GPIO19, "
                "GPIO20, GPIO21; expected no other pins in config.txt"
            ],
        ),
        (
            "rpi3b",
            "/dev/spidev7.0",
            [
                "chips.adc.bus: /dev/spidev7.0 is a bus whose pins are not known here; expected that no "
                "device has them"
            ],
        ),
    ],
)
def test_pins_that_may_be_others_are_warned_of(
    tmp_path: Path, kind: str, bus: str, lines: list[str]
) -> None:
    assert board.warnings(load(tmp_path, {"board": kind, **adc(bus)})) == lines
