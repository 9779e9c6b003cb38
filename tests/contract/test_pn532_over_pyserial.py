"""A PN532 over a pseudo-terminal: the chip's side answers as its manual says, torn anywhere."""

import os
import random
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pty_rig import PtyRig

import hal.board
from firmware import wire
from firmware.runtime import aio
from firmware.wire.readings import CardRead
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.drivers.pn532_reader import Pn532Reader
from hal.ports import Reading
from sim import person
from sim.fakes import FakeLines, FakeSerialPorts
from sim.virtual import Building

ACK = bytes.fromhex("0000FF00FF00")
PATIENCE_MS = 60_000
BOARD = Path(__file__).parents[2] / "board_configs/rpi4-one-door.toml"
START_MS = 1_795_248_000_000


class Chip:
    """The chip's side of the line (UM0701-02); it parses the host's frames on its own."""

    def __init__(self, rig: PtyRig) -> None:
        self.rig = rig
        self.uid: bytes | None = None
        self.mute = False
        self.commands: list[bytes] = []
        self.chance = random.Random(3)
        self.awake = False
        self._heard = b""
        self._waiting: list[bytes] = []

    def turn(self) -> None:
        """Hear the host, and send a little of what is to be sent."""
        while select.select([self.rig.master], [], [], 0)[0]:
            self._heard += os.read(self.rig.master, 4096)
        if self._heard.startswith(b"\x55\x55"):
            self.awake = True
            self._heard = self._heard.lstrip(b"\x55").lstrip(b"\x00")
            self._heard = b"\x00\x00" + self._heard
        while (at := self._heard.find(b"\x00\x00\xff")) >= 0 and len(self._heard) > at + 5:
            size, check = self._heard[at + 3], self._heard[at + 4]
            assert (size + check) & 0xFF == 0
            if len(self._heard) < at + 7 + size:
                break
            body = self._heard[at + 5 : at + 5 + size]
            assert (sum(body) + self._heard[at + 5 + size]) & 0xFF == 0
            assert self._heard[at + 6 + size] == 0
            self._heard = self._heard[at + 7 + size :]
            self._command(body)
        if self._waiting:
            size = self.chance.choice((1, 2, 3, 7, 40))
            self.rig.send(self._waiting[0][:size])
            rest = self._waiting.pop(0)[size:]
            if rest:
                self._waiting.insert(0, rest)

    def _command(self, body: bytes) -> None:
        assert body[0] == 0xD4
        self.commands.append(body[1:])
        if self.mute or not self.awake:
            return
        answer = b""
        if body[1] == 0x4A:
            found = self.uid
            answer = (
                b"\x00" if found is None else b"\x01\x01\x00\x04\x08" + bytes([len(found)]) + found
            )
        self._waiting += [ACK, answered(body[1] + 1, answer)]


def answered(code: int, data: bytes) -> bytes:
    body = bytes([0xD5, code]) + data
    head = bytes([0, 0, 0xFF, len(body), 256 - len(body)])
    return head + body + bytes([(256 - sum(body)) % 256, 0])


class Desk:
    """The driver, its readings, and a clock that runs as fast as the line does."""

    def __init__(self, rig: PtyRig) -> None:
        self.chip = Chip(rig)
        self.reader = Pn532Reader(rig.ports.stream(rig.name, 115_200), reopen_ms=20)
        self.now_ms = 0
        self.readings: list[Reading] = []
        self._ticks = MonotonicTicks()

    def turn(self, ms: int = 5, chip: bool = True) -> None:
        self.now_ms += ms
        if chip:
            self.chip.turn()
        self.readings += self.reader.poll(self.now_ms)

    def until(self, done: Callable[[], bool], chip: bool = True) -> None:
        end_ms = self._ticks.ticks_ms() + PATIENCE_MS
        while not done():
            assert self._ticks.ticks_ms() < end_ms, self.readings
            self.turn(chip=chip)

    def kinds(self) -> list[str]:
        return [reading.kind for reading in self.readings]

    def cards(self) -> list[str]:
        found = [wire.decode(one, "pn532") for one in self.readings if one.kind == "line"]
        return [one.number.reveal() for one in found if isinstance(one, CardRead)]

    def questions(self) -> int:
        return sum(command[0] == 0x4A for command in self.chip.commands)


@pytest.fixture
def rig() -> Iterator[PtyRig]:
    rig = PtyRig()
    yield rig
    rig.close()


def test_the_chip_is_woken_set_up_and_asked_as_its_manual_says(rig: PtyRig) -> None:
    desk = Desk(rig)
    desk.until(lambda: desk.questions() >= 3)
    assert desk.chip.awake
    assert desk.chip.commands[:3] == [
        b"\x14\x01\x14\x01",
        b"\x32\x05\xff\x01\x10",
        b"\x4a\x01\x00",
    ]
    assert desk.readings == []


@pytest.mark.parametrize(
    ("uid", "number"),
    [("04A1B2C3", "w34:0077705923"), ("04A1B2C3D4E5F6", "uid:04A1B2C3D4E5F6")],
)
def test_a_card_that_stays_is_read_once_and_again_when_it_comes_again(
    rig: PtyRig, uid: str, number: str
) -> None:
    desk = Desk(rig)
    desk.chip.uid = bytes.fromhex(uid)
    desk.until(lambda: desk.questions() >= 12)
    assert desk.cards() == [number]
    desk.chip.uid = None
    before = desk.questions()
    desk.until(lambda: desk.questions() >= before + 6)
    desk.chip.uid = bytes.fromhex(uid)
    before = desk.questions()
    desk.until(lambda: desk.questions() >= before + 4)
    assert desk.cards() == [number, number]


def test_a_chip_that_falls_silent_is_lost_and_comes_back_by_itself(rig: PtyRig) -> None:
    desk = Desk(rig)
    desk.until(lambda: desk.questions() >= 2)
    desk.chip.mute = True
    silent_ms = desk.now_ms
    desk.until(lambda: desk.kinds() == ["lost"])
    assert desk.now_ms - silent_ms < 1500
    assert "the PN532 does not answer; expected it in HSU mode" in desk.reader.problem
    desk.chip.mute = False
    desk.chip.uid = bytes.fromhex("04A1B2C3")
    desk.until(lambda: "line" in desk.kinds())
    assert desk.kinds() == ["lost", "back", "line"]
    assert desk.reader.problem == ""


def test_a_chip_that_is_pulled_out_within_an_answer_comes_back_with_the_next_card(
    rig: PtyRig,
) -> None:
    desk = Desk(rig)
    desk.until(lambda: desk.questions() >= 2)
    rig.send(answered(0x4B, b"\x01\x01\x00\x04\x08\x04\xff\xff\xff\xff")[:-4])
    desk.turn(chip=False)
    rig.unplug()
    desk.until(lambda: desk.kinds() == ["lost"], chip=False)
    rig.plug()
    desk.chip = Chip(rig)
    desk.chip.uid = bytes.fromhex("04A1B2C4")
    desk.until(lambda: "line" in desk.kinds())
    assert desk.kinds() == ["lost", "back", "line"]
    assert desk.cards() == ["w34:0077705924"]


def test_an_answer_that_was_disturbed_is_no_card(rig: PtyRig) -> None:
    desk = Desk(rig)
    desk.until(lambda: desk.questions() >= 2)
    right = answered(0x4B, b"\x01\x01\x00\x04\x08\x04\x04\xa1\xb2\xc3")
    desk.chip.mute = True
    before = desk.questions()
    desk.until(lambda: desk.questions() > before)
    for at in reversed(range(3, len(right) - 1)):  # its checksum, the uid, ... its length
        rig.send(right[:at] + bytes([right[at] ^ 0x10]) + right[at + 1 :])
        desk.turn(1)
    assert desk.cards() == []


def test_a_config_with_a_pn532_opens_its_driver_and_the_simulator_shows_it_cards() -> None:
    override = {"devices.yard-reader.framing": "pn532", "devices.yard-reader.baud": 115_200}
    config = hal.board.load(str(BOARD), override)
    board = hal.board.open_board(config, FakeLines(MonotonicTicks()), FakeSerialPorts())
    assert isinstance(board.devices["yard-reader"], Pn532Reader)
    house = Building(config, person.people(config, START_MS, []), START_MS, 1)
    events: list[str] = []
    house.machine.on_events = lambda found, at_ms: events.extend(one["type"] for one in found)
    house.start()
    house.world.act("present_card", access_point="yard-in", person="resident")
    house.loop.run(aio.sleep_ms(600))
    assert "access.granted" in events
    house.parts.close()
