"""Readers that type: real `struct input_event` bytes become lines, and nothing else hears them."""

import contextlib
import errno
import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from line_checks import refused
from typing_reader import CODES, TypingReader, event, typed

from firmware import wire
from firmware.wire.readings import BadRead, CardRead
from hal.backends.input_keys import EVENT, EVIOCGRAB, InputKeys
from hal.backends.pyserial_port import PyserialPorts
from hal.drivers.serial_reader import SerialReader
from hal.errors import DeviceUnavailableError, LineBusyError


class Keyboard:
    """A device file that hands over events: a named pipe, of which `ioctl` is told."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "usb-Reader-event-kbd")
        self.ioctls: list[tuple[int, int]] = []
        self.refuses = 0
        self.sys = folder / "sys"
        self.ports = InputKeys(PyserialPorts(), self.ioctl, str(self.sys))
        self.ports.path = lambda port: port  # type: ignore[method-assign]
        self.plug()

    def ioctl(self, descriptor: int, request: int, value: int) -> int:
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        self.ioctls.append((request, value))
        return 0

    def plug(self) -> None:
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)

    def unplug(self) -> None:
        os.unlink(self.path)
        os.close(self.fd)

    def reader(self, framing: str = "lines") -> SerialReader:
        # A config names it under /dev/input; here it is a pipe in a folder of the test's.
        from hal.backends.input_keys import KeyStream

        return SerialReader(KeyStream(self.ports, self.path), framing, reopen_ms=1)


@pytest.fixture
def keyboard(tmp_path: Path) -> Iterator[Keyboard]:
    one = Keyboard(tmp_path)
    yield one
    with contextlib.suppress(OSError):
        os.close(one.fd)


def reads(reader: SerialReader, now_ms: int, framing: str = "lines") -> list[object]:
    found = [wire.decode(reading, framing) for reading in reader.poll(now_ms)]
    return [one.number.reveal() if isinstance(one, CardRead) else one for one in found]


def test_a_card_that_is_typed_is_read_once(keyboard: Keyboard) -> None:
    reader = keyboard.reader()
    assert reads(reader, 0) == []
    os.write(keyboard.fd, typed("04A1B2C3\n"))
    assert reads(reader, 10) == ["w34:0077705923"]
    assert reads(reader, 20) == []


@pytest.mark.parametrize(
    ("text", "number"), [("0077705923", "w34:0077705923"), ("012,34567", "w26:012:34567")]
)
def test_a_card_that_is_typed_in_decimal_is_what_is_printed_on_it(
    keyboard: Keyboard, text: str, number: str
) -> None:
    reader = keyboard.reader("decimal")
    reader.poll(0)
    os.write(keyboard.fd, typed(text + "\n"))
    assert reads(reader, 10, "decimal") == [number]


def test_the_keyboard_is_taken_for_ourselves_before_anything_is_read(keyboard: Keyboard) -> None:
    reader = keyboard.reader()
    reader.poll(0)
    assert keyboard.ioctls == [(EVIOCGRAB, 1)]


def test_a_card_that_is_typed_slowly_and_torn_anywhere_is_read_once(keyboard: Keyboard) -> None:
    reader = keyboard.reader()
    reader.poll(0)
    data, found, now_ms = typed("04A1B2C3\n"), [], 0
    for at in range(0, len(data), 3 * EVENT.size):
        os.write(keyboard.fd, data[at : at + 3 * EVENT.size])
        now_ms += 8
        found += reads(reader, now_ms)
    assert found == ["w34:0077705923"]


def test_what_the_kernel_dropped_is_a_bad_read_and_no_other_card(keyboard: Keyboard) -> None:
    reader = keyboard.reader()
    reader.poll(0)
    os.write(keyboard.fd, typed("04A1") + event(0, 3, 0) + typed("B2C3\n"))
    (found,) = reads(reader, 10)
    assert isinstance(found, BadRead)
    os.write(keyboard.fd, typed("04A1B2C3\n"))
    assert reads(reader, 400) == ["w34:0077705923"]


def test_a_key_that_no_card_has_is_a_bad_read(keyboard: Keyboard) -> None:
    reader = keyboard.reader()
    reader.poll(0)
    os.write(keyboard.fd, typed("04A1Q2C3\n"))
    (found,) = reads(reader, 10)
    assert isinstance(found, BadRead)


def test_a_key_that_the_keyboard_repeats_counts_once(keyboard: Keyboard) -> None:
    reader = keyboard.reader()
    reader.poll(0)
    os.write(keyboard.fd, typed("0") + event(1, CODES["4"], 1) + event(1, CODES["4"], 2) * 5)
    os.write(keyboard.fd, event(1, CODES["4"], 0) + typed("A1B2C3\n"))
    assert reads(reader, 10) == ["w34:0077705923"]


def test_a_reader_that_is_pulled_out_half_way_comes_back_with_the_next_card(
    keyboard: Keyboard,
) -> None:
    reader = keyboard.reader()
    reader.poll(0)
    os.write(keyboard.fd, typed("FFFF"))
    assert reader.poll(5) == []
    keyboard.unplug()
    assert [reading.kind for reading in reader.poll(10)] == ["lost"]
    missing = "not there; expected the reader plugged in (ls /dev/input/by-id shows it)"
    assert reader.problem == f"{keyboard.path}: {missing}"
    assert reader.poll(20) == []
    assert reader.problem == f"{keyboard.path}: {missing}"  # one cause: nothing new to tell
    keyboard.plug()
    assert [reading.kind for reading in reader.poll(30)] == ["back"]
    os.write(keyboard.fd, typed("04A1B2C3\n"))
    assert reads(reader, 40) == ["w34:0077705923"]
    assert keyboard.ioctls == [(EVIOCGRAB, 1)] * 2


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EBUSY, "another program has it; expected nobody else on the reader"),
        (errno.ENOTTY, "is no input device; expected a reader that types, under /dev/input/by-id"),
        (errno.ENODEV, "not there; expected the reader plugged in (ls /dev/input/by-id shows it)"),
    ],
)
def test_a_keyboard_that_cannot_be_had_says_what_to_do(
    keyboard: Keyboard, number: int, text: str
) -> None:
    keyboard.refuses = number
    reader = keyboard.reader()
    assert [reading.kind for reading in reader.poll(0)] == ["lost"]
    assert reader.problem == f"{keyboard.path}: {text}"
    assert reader.source.fileno() == -1


def test_a_port_is_claimed_once_and_others_are_the_serial_ports(tmp_path: Path) -> None:
    ports = InputKeys(PyserialPorts())
    stream = ports.stream("/dev/input/by-id/usb-Reader-event-kbd", 9600)
    refused(LineBusyError, lambda: ports.stream(stream.name, 9600), stream.name)
    stream.close()
    ports.stream(stream.name, 9600).close()
    serial = ports.stream(str(tmp_path / "ttyUSB0"), 9600)
    refused(DeviceUnavailableError, serial.open, "adapter plugged in")


def test_a_keyboard_is_found_by_its_usb_numbers_whichever_socket_it_is_in(tmp_path: Path) -> None:
    for name, vendor, product, keys in (
        (
            "event0",
            "046d",
            "c31c",
            "1000000000007 ff800000000007ff febeffdff3cfffff fffffffffffffffe",
        ),
        ("event3", "ffff", "0035", "1f0000 0 0 0 0"),  # its mouse
        ("event4", "ffff", "0035", "10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"),
    ):
        folder = tmp_path / name / "device"
        (folder / "id").mkdir(parents=True)
        (folder / "capabilities").mkdir()
        (folder / "id" / "vendor").write_text(f"{vendor}\n")
        (folder / "id" / "product").write_text(f"{product}\n")
        (folder / "capabilities" / "key").write_text(f"{keys}\n")
    ports = InputKeys(PyserialPorts(), folder=str(tmp_path))
    assert ports.path("input:ffff:0035") == "/dev/input/event4"
    refused(DeviceUnavailableError, lambda: ports.path("input:ffff:0036"), "not there; expected")


# ---- on a kernel's input layer -----------------------------------------------------------------------


def _no_uinput() -> str:
    if os.access("/dev/uinput", os.W_OK):
        return ""
    return "NOT RUN ON A KERNEL'S INPUT LAYER: no /dev/uinput that may be written (modprobe uinput)"


def _until(reader: SerialReader, kinds: list[str]) -> list[object]:
    """Poll until readings of these kinds have come; what they mean."""
    found: list[object] = []
    seen: list[str] = []
    end_s = time.monotonic() + 60
    while seen != kinds:
        assert time.monotonic() < end_s, seen
        now_ms = int(time.monotonic() * 1000)
        for reading in reader.poll(now_ms):
            seen.append(reading.kind)
            found.append(wire.decode(reading, "lines"))
        descriptor = reader.source.fileno()
        select.select([descriptor] if descriptor >= 0 else [], [], [], 0.02)
    return found


@pytest.mark.skipif(bool(_no_uinput()), reason=_no_uinput() or "-")
def test_a_reader_on_a_kernels_input_layer_is_read_alone_and_found_again() -> None:
    subprocess.run(["udevadm", "settle"], check=False)
    ports = InputKeys(PyserialPorts())
    reader = SerialReader(ports.stream("input:1209:d00f", 9600), "lines", reopen_ms=50)
    assert [r.kind for r in reader.poll(int(time.monotonic() * 1000))] == ["lost"]
    device = TypingReader()
    _until(reader, ["back"])
    path = ports.path("input:1209:d00f")
    other = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a console, a log-in
    device.type("04A1B2C3\n")
    (read,) = _until(reader, ["line"])
    assert isinstance(read, CardRead)
    assert read.number.reveal() == "w34:0077705923"
    with pytest.raises(BlockingIOError):
        os.read(other, EVENT.size)
    os.close(other)
    device.type("FFFF")
    device.close()
    _until(reader, ["lost"])
    device = TypingReader()
    _until(reader, ["back"])
    device.type("04A1B2C4\n")
    (read,) = _until(reader, ["line"])
    assert isinstance(read, CardRead)
    assert read.number.reveal() == "w34:0077705924"
    reader.source.close()
    device.close()
