"""Lines and pins: who claims what, what the board has, and what must not move at boot."""

from pathlib import Path

import pytest
from board_texts import SMALL, problems

from hal import board, board_facts
from hal.board import Claim
from hal.errors import BoardConfigError

EXPANDED = Path(__file__).parents[2] / "board_configs/rpi4-supervised-expander.toml"


def load(folder: Path, override: dict[str, object] | None = None) -> board.Config:
    (folder / "right.toml").write_text(SMALL)
    return board.load(str(folder / "right.toml"), override)


def test_claims_are_every_line_with_its_direction_polarity_and_safe_level(tmp_path: Path) -> None:
    extra: dict[str, object] = {
        "devices.serial": {"driver": "serial_reader", "port": "/dev/ttyUSB0", "framing": "lines"},
        "devices.lamp": {"driver": "led", "green": "GPIO24"},
        "access_points.front-out": {
            "portal": "front",
            "direction": "out",
            "reader": "serial",
            "led": "lamp",
        },
    }
    assert board.claims(load(tmp_path, extra)) == [
        Claim("strike", "line", "GPIO5", "output", "low", "", "high"),
        Claim("door", "line", "GPIO16", "input", "low", "up", ""),
        Claim("reader", "d0", "GPIO17", "input", "low", "up", ""),
        Claim("reader", "d1", "GPIO27", "input", "low", "up", ""),
        Claim("serial", "port", "/dev/ttyUSB0", "serial", "", "", ""),
        Claim("lamp", "green", "GPIO24", "output", "high", "", "low"),
    ]


def test_two_devices_on_one_line_are_both_named(tmp_path: Path) -> None:
    assert problems(tmp_path, override={"devices.reader.d1": "GPIO16"}) == [
        "devices.reader.d1: GPIO16 is already claimed by devices.door.line; "
        "expected a line of its own"
    ]


def test_two_lines_of_one_device_are_not_one(tmp_path: Path) -> None:
    assert problems(tmp_path, override={"devices.reader.d1": "GPIO17"}) == [
        "devices.reader.d1: GPIO17 is already claimed by devices.reader.d0; "
        "expected a line of its own"
    ]


def test_two_readers_on_one_port_are_both_named(tmp_path: Path) -> None:
    one = {"driver": "serial_reader", "port": "/dev/ttyUSB0", "framing": "lines"}
    extra: dict[str, object] = {
        "devices.a": one,
        "devices.b": one,
        "access_points.a-out": {"portal": "front", "direction": "out", "reader": "a"},
        "access_points.b-out": {"portal": "front", "direction": "out", "reader": "b"},
    }
    assert problems(tmp_path, override=extra) == [
        "devices.b.port: /dev/ttyUSB0 is already claimed by devices.a.port; "
        "expected a line of its own"
    ]


@pytest.mark.parametrize("line", ["GPIO28", "GPIO017", "gpio17", "17", "BCM17"])
def test_a_line_that_the_board_lacks_is_named(tmp_path: Path, line: str) -> None:
    (found,) = problems(tmp_path, override={"devices.door.line": line})
    assert found.startswith(f'devices.door.line: the rpi4 has no line "{line}"; expected GPIO2 to ')


def test_who_starts_a_door_hears_of_a_line_that_the_board_lacks_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "house.toml").write_text(SMALL.replace("GPIO16", "GPIO45"))
    absent: dict[str, str] = {}
    config = board.load(str(tmp_path / "house.toml"), absent=absent)
    assert set(config["devices"]) == {"strike", "door", "reader"}
    text = 'the rpi4 has no line "GPIO45"; expected GPIO2 to GPIO27, the nearest is "GPIO4", then a new start'
    assert absent == {"door": text}
    two = {"devices.reader.d0": "GPIO45", "devices.reader.d1": "GPIO46"}
    board.load(str(tmp_path / "house.toml"), dict(two), absent)
    assert '"GPIO45"' in absent["reader"]
    assert '"GPIO46"' in absent["reader"]
    assert absent["reader"].count("then a new start") == 1
    both = {"devices.strike.line": "GPIO45"}
    board.load(str(tmp_path / "house.toml"), dict(both), absent)
    assert set(absent) == {"door", "strike"}
    (tmp_path / "chips.toml").write_text(
        EXPANDED.read_text().replace("exp0.GPA0", "exp0.GPA9").replace("adc.CH0", "adc.CH9")
    )
    board.load(str(tmp_path / "chips.toml"), absent=absent)
    assert len(absent) == 2
    assert all("no chip of this config has" in text for text in absent.values())
    board.load(str(tmp_path / "house.toml"), {**SUPERVISED, "board": "rpi4"}, absent)
    assert list(absent) == ["door"]
    assert absent["door"].startswith(
        '"supervised_contact" needs an analog input, and the rpi4 has none; '
    )
    twice = {"devices.strike.line": "GPIO17"}
    with pytest.raises(BoardConfigError, match="already claimed"):
        board.load(str(tmp_path / "house.toml"), dict(twice), absent)


def test_the_simulator_takes_any_name(tmp_path: Path) -> None:
    load(tmp_path, {"board": "sim", "devices.door.line": "front-contact"})


@pytest.mark.parametrize("name", [name for name in board_facts.BOARDS if name != "sim"])
def test_the_id_eeprom_is_nobodys(tmp_path: Path, name: str) -> None:
    (found,) = problems(tmp_path, override={"board": name, "devices.door.line": "GPIO1"})
    assert found.startswith(
        "devices.door.line: GPIO1 is reserved for the add-on board's ID EEPROM; "
        "expected one of GPIO2, GPIO3, GPIO4, GPIO6, "
    )


def test_a_clock_chip_has_the_i2c_bus_except_on_a_pi_5(tmp_path: Path) -> None:
    taken: dict[str, object] = {"controller.rtc": True, "devices.door.line": "GPIO3"}
    (found,) = problems(tmp_path, override=taken)
    assert found.startswith(
        "devices.door.line: GPIO3 is reserved for the clock chip's I2C bus (controller.rtc); "
        "expected one of GPIO4, "
    )
    load(tmp_path, {**taken, "board": "rpi5"})
    load(tmp_path, {**taken, "controller.rtc": False})


@pytest.mark.parametrize(
    ("name", "port"),
    [("rpi4", "/dev/serial0"), ("rpi3b", "/dev/ttyS0"), ("rpi5", "/dev/ttyAMA0")],
)
def test_a_reader_on_the_uart_has_its_lines(tmp_path: Path, name: str, port: str) -> None:
    override: dict[str, object] = {
        "board": name,
        "devices.reader": {"driver": "serial_reader", "port": port, "framing": "lines"},
        "devices.door.line": "GPIO15",
    }
    (found,) = problems(tmp_path, override=override)
    assert found.startswith(
        "devices.door.line: GPIO15 is reserved for the serial port of devices.reader.port; "
    )


def test_the_uart_without_a_reader_is_a_warning(tmp_path: Path) -> None:
    assert board.warnings(load(tmp_path, {"devices.door.line": "GPIO15"})) == [
        "devices.door.line: GPIO15 is the UART, and a serial console there would move it; "
        "expected the console to be off (no enable_uart, no console=serial0)"
    ]


def test_a_fixed_pull_up_cannot_be_pulled_down(tmp_path: Path) -> None:
    override: dict[str, object] = {"devices.door.line": "GPIO2", "devices.door.pull": "down"}
    (found,) = problems(tmp_path, override=override)
    assert found.startswith(
        'devices.door.line: GPIO2 has a fixed pull-up and cannot be pull = "down"; '
        'expected pull = "up", or one of GPIO4, '
    )
    load(tmp_path, {"devices.door.line": "GPIO2"})


def test_a_relay_that_would_pull_in_at_boot_is_refused_with_the_pins_that_do(
    tmp_path: Path,
) -> None:
    assert problems(tmp_path, override={"devices.strike.line": "GPIO22"}) == [
        "devices.strike.line: GPIO22 is pulled down from reset on, which switches an output that is "
        'active low on before the program runs; expected active = "high", or one of '
        "GPIO2, GPIO3, GPIO4, GPIO5, GPIO6, GPIO7, GPIO8"
    ]
    assert problems(tmp_path, override={"devices.strike.active": "high"}) == [
        "devices.strike.line: GPIO5 is pulled up from reset on, which switches an output that is "
        'active high on before the program runs; expected active = "low", or one of '
        "GPIO9, GPIO10, GPIO11, GPIO12, GPIO13, GPIO14, GPIO15, GPIO18, GPIO19, GPIO20, GPIO21, "
        "GPIO22, GPIO23, GPIO24, GPIO25, GPIO26"
    ]


#: A supervised door on the small house, in the simulator.
SUPERVISED: dict[str, object] = {
    "board": "sim",
    "devices.door": {"driver": "supervised_contact", "input": "adc0"},
}


def test_a_supervised_contact_claims_its_analog_input(tmp_path: Path) -> None:
    config = load(tmp_path, SUPERVISED)
    assert config["devices"]["door"]["thresholds_permille"] == [150, 500, 850]
    assert board.claims(config)[1] == Claim("door", "input", "adc0", "analog", "", "", "")


def test_an_analog_input_that_the_simulator_lacks_is_named(tmp_path: Path) -> None:
    override = {**SUPERVISED, "devices.door.input": "adc16"}
    assert problems(tmp_path, override=override) == [
        'devices.door.input: the sim has no analog input "adc16"; expected adc0 to adc15, '
        'the nearest is "adc6"'
    ]


@pytest.mark.parametrize("name", [name for name in board_facts.BOARDS if name != "sim"])
def test_a_board_without_a_converter_takes_no_supervised_contact(tmp_path: Path, name: str) -> None:
    assert problems(tmp_path, override={**SUPERVISED, "board": name}) == [
        f'devices.door.input: "supervised_contact" needs an analog input, and the {name} has none; '
        'expected driver = "contact", or a converter of [chips] such as input = "adc.CH0"'
    ]


def test_two_contacts_on_one_analog_input_are_both_named(tmp_path: Path) -> None:
    override = {
        **SUPERVISED,
        "devices.bolt": {"driver": "supervised_contact", "input": "adc0"},
        "portals.front.bond": "bolt",
    }
    assert problems(tmp_path, override=override) == [
        "devices.bolt.input: adc0 is already claimed by devices.door.input; "
        "expected a line of its own"
    ]


@pytest.mark.parametrize(
    "bounds",
    [[150, 500], [150, 500, 850, 900], [500, 150, 850], [99, 500, 850], [150, 249, 850]]
    + [[150, 500, 901], [150, 500, True], 500, ["150", "500", "850"]],
)
def test_thresholds_rise_and_keep_apart(tmp_path: Path, bounds: object) -> None:
    override = {**SUPERVISED, "devices.door.thresholds_permille": bounds}
    (found,) = problems(tmp_path, override=override)
    assert found.startswith("devices.door.thresholds_permille: ")
    assert "; expected three rising numbers such as [150, 500, 850]: " in found


def test_the_outermost_thresholds_are_allowed(tmp_path: Path) -> None:
    load(tmp_path, {**SUPERVISED, "devices.door.thresholds_permille": [100, 200, 900]})


def test_what_a_plain_contact_has_and_a_supervised_one_has_not_is_explained(
    tmp_path: Path,
) -> None:
    override = {**SUPERVISED, "devices.door.line": "GPIO16", "devices.door.normal": "open"}
    assert problems(tmp_path, override=override) == [
        'devices.door.line: unknown key; a supervised contact hangs on an analog "input", '
        'such as "adc0"',
        "devices.door.normal: unknown key; how it rests is the alarm point's: alarms.NAME.normal",
    ]


@pytest.mark.parametrize("driver", ["siren", "beacon"])
def test_no_alarm_sounds_at_boot(tmp_path: Path, driver: str) -> None:
    override: dict[str, object] = {
        f"alarms.{driver}": "out",
        "devices.out": {"driver": driver, "line": "GPIO4"},
    }
    (found,) = problems(tmp_path, override=override)
    assert found.startswith("devices.out.line: GPIO4 is pulled up from reset on, ")


@pytest.mark.parametrize("gpio", sorted(board_facts.HEADER))
@pytest.mark.parametrize("active", ["high", "low"])
def test_what_the_validator_lets_through_rests_at_boot(
    tmp_path: Path, gpio: int, active: str
) -> None:
    """The rule once more, from the other end: the level that the pull gives is the safe one."""
    override: dict[str, object] = {
        "devices.strike.line": f"GPIO{gpio}",
        "devices.strike.active": active,
        "devices.door.line": "GPIO0" if gpio == 16 else "GPIO16",
    }
    pulled = "high" if gpio in range(9) else "low"
    rests = pulled != active
    if rests and gpio not in (0, 1, 16, 17, 27):
        claim = board.claims(load(tmp_path, override))[0]
        assert claim.safe == pulled
    else:
        assert problems(tmp_path, override=override)


def test_rpi_gpio_takes_no_pulses_and_no_pi_5(tmp_path: Path) -> None:
    override: dict[str, object] = {"controller.gpio": "rpi_gpio", "board": "rpi5"}
    assert problems(tmp_path, override=override) == [
        'controller.gpio: "rpi_gpio" does not know the rpi5; expected "gpiod"',
        'devices.reader.driver: "wiegand_reader" sends pulses, which controller.gpio = "rpi_gpio" '
        'misses; expected gpio = "gpiod"',
    ]


def test_a_magnet_without_a_told_exit_is_a_warning(tmp_path: Path) -> None:
    override: dict[str, object] = {
        "portals.front.egress": "button_cuts_power",
        "devices.strike.fail_mode": "fail_safe",
    }
    assert board.warnings(load(tmp_path, override)) == [
        "portals.front.rex: a magnet without an exit button's second contact; expected one, "
        "or every exit counts as forced"
    ]


def test_the_header_has_28_lines_on_28_pins_and_none_on_power_or_ground() -> None:
    power_and_ground = {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    assert sorted(board_facts.HEADER) == list(range(28))
    assert set(board_facts.HEADER.values()) == set(range(1, 41)) - power_and_ground


@pytest.mark.parametrize(
    ("line", "pull"), [("GPIO0", "up"), ("GPIO8", "up"), ("GPIO9", "down"), ("GPIO27", "down")]
)
def test_pulls_at_boot_change_between_8_and_9(line: str, pull: str) -> None:
    assert board_facts.boot_pull(line) == pull


@pytest.mark.parametrize(
    ("kind", "port", "lines"),
    [
        ("rpi5", "/dev/ttyAMA0", []),
        ("rpi4", "/dev/serial0", []),
        ("rpi4", "/dev/ttyUSB0", []),
        (
            "rpi5",
            "/dev/serial0",
            [
                "devices.reader.port: /dev/serial0 is the rpi5's debug connector, not GPIO14 and "
                'GPIO15; expected "/dev/ttyAMA0"'
            ],
        ),
        (
            "rpi4",
            "/dev/ttyAMA3",
            [
                "devices.reader.port: /dev/ttyAMA3 is a UART whose pins are not known here; expected "
                "that no other device has them"
            ],
        ),
    ],
)
def test_a_uart_that_is_not_the_headers_is_a_warning(
    tmp_path: Path, kind: str, port: str, lines: list[str]
) -> None:
    reader = {"driver": "serial_reader", "port": port, "framing": "lines"}
    assert board.warnings(load(tmp_path, {"board": kind, "devices.reader": reader})) == lines


@pytest.mark.parametrize("kind", ["rpi-zero2w", "rpi3b", "rpi3b-plus", "rpi4", "cm4"])
def test_the_uart_that_bluetooth_has_is_a_warning_with_what_to_do(
    tmp_path: Path, kind: str
) -> None:
    reader = {"driver": "serial_reader", "port": "/dev/ttyAMA0", "framing": "lines"}
    (told,) = board.warnings(load(tmp_path, {"board": kind, "devices.reader": reader}))
    assert told == (
        f"devices.reader.port: /dev/ttyAMA0 is the {kind}'s Bluetooth until config.txt has "
        'dtoverlay=disable-bt; expected "/dev/serial0" (with enable_uart=1), which is GPIO14 and '
        "GPIO15 with that line and without"
    )


@pytest.mark.parametrize("kind", ["rpi5", "cm5"])
def test_a_board_whose_bluetooth_has_a_uart_of_its_own_is_not_warned_of(
    tmp_path: Path, kind: str
) -> None:
    reader = {"driver": "serial_reader", "port": "/dev/ttyAMA0", "framing": "lines"}
    assert board.warnings(load(tmp_path, {"board": kind, "devices.reader": reader})) == []
