"""What is fixed about each board: header pins, levels at boot, reserved lines, chip, serial line.

Sources: the peripherals' data sheets of BCM2835/2837, BCM2711 and RP1 (pulls after reset), the HAT
design guide (GPIO0/1), the boards' schematics (1.8 kOhm pull-ups on GPIO2/3), the maker's table of first
and second UARTs. What a user's own config.txt changes cannot be seen here.
"""

from collections import namedtuple

#: One kind of board.
#: chip_label  str   the GPIO chip's label; its number differs between kernels. Empty: no chip
#: uart_ports  tuple of str  device paths that are the UART on the header (GPIO14, GPIO15)
#: serial      str   the path a reader on the header's UART is given
#: rtc_lines   tuple of str  lines that a clock chip needs where the board has none of its own
#: analog      tuple of str  its analog inputs
#: bluetooth   str   the one of `uart_ports` that is its radio's until dtoverlay=disable-bt; empty: none
Board = namedtuple(
    "Board", ("chip_label", "uart_ports", "serial", "rtc_lines", "analog", "bluetooth")
)

_UART = ("/dev/serial0", "/dev/ttyS0", "/dev/ttyAMA0")
_PL011 = "/dev/ttyAMA0"  #: the radio's on a Zero 2 W, 3, 4 and CM4: the header has the mini UART
_I2C = ("GPIO2", "GPIO3")
DEBUG_PORTS = (
    "/dev/serial0",
    "/dev/ttyAMA10",
)  #: of a Pi 5 and a CM5: a connector beside the header
RP1 = "pinctrl-rp1"  #: the chip that the pins of a Pi 5 and a CM5 sit behind
_SIM_ANALOG = tuple([f"adc{channel}" for channel in range(16)])

#: `sim` takes any line name and knows no pins. None of the others has a converter of its own.
BOARDS = {
    "sim": Board("", (), "", (), _SIM_ANALOG, ""),
    "rpi-zero2w": Board("pinctrl-bcm2835", _UART, "/dev/serial0", _I2C, (), _PL011),
    "rpi3b": Board("pinctrl-bcm2835", _UART, "/dev/serial0", _I2C, (), _PL011),
    "rpi3b-plus": Board("pinctrl-bcm2835", _UART, "/dev/serial0", _I2C, (), _PL011),
    "rpi4": Board("pinctrl-bcm2711", _UART, "/dev/serial0", _I2C, (), _PL011),
    # Its serial0 is the debug connector; its clock is on the board and wants only a battery.
    "rpi5": Board(RP1, ("/dev/ttyAMA0",), "/dev/ttyAMA0", (), (), ""),
    "cm4": Board("pinctrl-bcm2711", _UART, "/dev/serial0", _I2C, (), _PL011),
    # On its IO board: the pins of a Pi 5, and the clock's battery on the carrier.
    "cm5": Board(RP1, ("/dev/ttyAMA0",), "/dev/ttyAMA0", (), (), ""),
}

#: What people call them, and what lies at the header's far end from pin 1.
TITLES = {
    "sim": "Simulator",
    "rpi-zero2w": "Raspberry Pi Zero 2 W",
    "rpi3b": "Raspberry Pi 3 B",
    "rpi3b-plus": "Raspberry Pi 3 B+",
    "rpi4": "Raspberry Pi 4 B",
    "rpi5": "Raspberry Pi 5",
    "cm4": "Compute Module 4 on its IO board",
    "cm5": "Compute Module 5 on its IO board",
}

#: GPIO number -> pin of the 40-pin header. The same on all of them.
HEADER = {
    0: 27, 1: 28, 2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33,
    14: 8, 15: 10, 16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22,
    26: 37, 27: 13,
}  # fmt: skip

#: Pins of the header that carry no line: pin -> what is there.
POWER = {
    1: "3V3", 2: "5V", 4: "5V", 6: "GND", 9: "GND", 14: "GND", 17: "3V3", 20: "GND", 25: "GND",
    30: "GND", 34: "GND", 39: "GND",
}  # fmt: skip

ID_EEPROM = ("GPIO0", "GPIO1")  #: read at boot to find an add-on board; never ours
FIXED_PULL_UP = _I2C  #: 1.8 kOhm to 3.3 V on the board itself: stronger than any pull
UART = ("GPIO14", "GPIO15")


def number(line: str) -> int | None:
    """The GPIO number of a header line such as ``GPIO17``; None if it is none."""
    digits = line.removeprefix("GPIO")
    right = digits != line and digits.isascii() and digits.isdigit() and str(int(digits)) == digits
    return int(digits) if right and int(digits) in HEADER else None


def boot_pull(line: str) -> str:
    """Where a header line is pulled from reset until a program claims it: up or down."""
    gpio = number(line)
    return "up" if gpio is not None and gpio <= 8 else "down"


def lines() -> list[str]:
    """Every line of the header, in order."""
    return [f"GPIO{gpio}" for gpio in sorted(HEADER)]
