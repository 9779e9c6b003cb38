"""Cards from a reader in a process of its own, over pyserial, the serial reader's driver and `wire`.

The main job on real input: each card is read exactly once, in order, however its bytes come.
"""

import random
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial_feeder
from pty_rig import PtyRig

from firmware import wire
from firmware.wire.readings import BadRead, CardRead, CodeRead, KeyRead
from hal.backends.monotonic_ticks import MonotonicTicks
from hal.drivers.serial_reader import SerialReader

FEEDER = str(Path(serial_feeder.__file__))
COUNT = 1500
PATIENCE_MS = 60_000  # a test that waits longer hangs; nothing is judged by it

Read = CardRead | KeyRead | CodeRead | BadRead


@pytest.fixture
def rig() -> Iterator[PtyRig]:
    rig = PtyRig()
    yield rig
    rig.close()


class Desk:
    """The driver on one port, its readings decoded."""

    def __init__(self, rig: PtyRig, framing: str, reopen_ms: int = 500) -> None:
        self._framing = framing
        self._ticks = MonotonicTicks()
        self._reader = SerialReader(rig.ports.stream(rig.name, 9600), framing, reopen_ms=reopen_ms)
        self.reads: list[Read] = []
        self.other: list[str] = []
        self.poll()

    def poll(self) -> None:
        """Let the driver look, as the door's loop does when its descriptor is readable."""
        for reading in self._reader.poll(self._ticks.ticks_ms()):
            read = wire.decode(reading, self._framing)
            if read is None:
                self.other.append(reading.kind)
            else:
                self.reads.append(read)

    def until(self, done: Callable[[], bool]) -> None:
        """Wait on the descriptor and poll, until `done`."""
        end_ms = self._ticks.ticks_ms() + PATIENCE_MS
        while not done():
            assert self._ticks.ticks_ms() < end_ms, f"{len(self.reads)} reads and no more"
            poll = select.poll()
            if self._reader.source.fileno() >= 0:
                poll.register(self._reader.source.fileno(), select.POLLIN)
            poll.poll(100)
            self.poll()

    def numbers(self) -> list[str]:
        """What was read: card numbers, and the reason of each bad read."""
        return [
            read.number.reveal() if isinstance(read, CardRead) else repr(read)
            for read in self.reads
        ]


def feed(rig: PtyRig, framing: str, seed: int) -> "subprocess.Popen[bytes]":
    """Start the reader at the other end of the line."""
    arguments = [str(rig.master), framing, str(seed), str(COUNT)]
    return subprocess.Popen([sys.executable, FEEDER, *arguments], pass_fds=[rig.master])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("framing", ["lines", "rdm6300"])
def test_every_card_is_read_exactly_once(rig: PtyRig, framing: str, seed: int) -> None:
    expected = [written for written, _ in serial_feeder.cards(framing, seed, COUNT)]
    desk = Desk(rig, framing)
    with feed(rig, framing, seed) as feeder:
        desk.until(lambda: bool(desk.reads) and str(serial_feeder.LAST) in desk.numbers()[-1])
    assert feeder.returncode == 0
    assert desk.numbers() == expected
    assert desk.other == []


def test_the_feeder_tears_and_joins_frames() -> None:
    """Otherwise the tests above would prove little."""
    frames = serial_feeder.cards("rdm6300", 1, COUNT)
    line = b"".join(frame for _, frame in frames)
    pieces = [piece for piece, _ in serial_feeder.torn(line, random.Random(2))]
    assert b"".join(pieces) == line
    assert sum(len(piece) == 1 for piece in pieces) > 100
    assert sum(piece.count(b"\x02") > 1 for piece in pieces) > 10
    assert sum(b"\x02" in piece[1:] and not piece.endswith(b"\x03") for piece in pieces) > 10
    assert len({written for written, _ in frames}) == COUNT + 1


@pytest.mark.parametrize("framing", ["lines", "rdm6300"])
def test_a_reader_that_is_pulled_out_in_the_middle_of_a_card_comes_back_with_the_next(
    rig: PtyRig, framing: str
) -> None:
    (first, first_frame), (second, second_frame) = serial_feeder.cards(framing, 7, 1)
    desk = Desk(rig, framing)
    rig.send(first_frame)
    desk.until(lambda: len(desk.reads) == 1)
    rig.send(second_frame[:6])
    desk.poll()
    rig.unplug()
    desk.until(lambda: desk.other == ["lost"])
    rig.plug()
    desk.until(lambda: desk.other == ["lost", "back"])
    rig.send(second_frame)
    desk.until(lambda: len(desk.reads) == 2)
    assert desk.numbers() == [first, second]


@pytest.mark.parametrize("framing", ["lines", "rdm6300"])
def test_a_reader_that_is_pulled_out_again_and_again_loses_and_doubles_no_card(
    rig: PtyRig, framing: str
) -> None:
    """Each time in the middle of a card, of which nothing may be left when the reader is back."""
    rounds = 25
    chance = random.Random(11)
    cards = serial_feeder.cards(framing, 13, 2 * rounds)
    desk = Desk(rig, framing, reopen_ms=1)
    for at in range(rounds):
        rig.send(cards[2 * at][1])
        desk.until(lambda at=at: len(desk.reads) == at + 1)  # type: ignore[misc]
        torn = cards[2 * at + 1][1].rstrip(b"\r\n\x03")
        rig.send(torn[: chance.randint(1, len(torn))])
        if chance.random() < 0.5:
            desk.poll()
        rig.unplug()
        desk.until(lambda at=at: desk.other == ["lost", "back"] * at + ["lost"])  # type: ignore[misc]
        rig.plug()
        desk.until(lambda at=at: desk.other == ["lost", "back"] * (at + 1))  # type: ignore[misc]
    assert desk.numbers() == [cards[2 * at][0] for at in range(rounds)]


@pytest.mark.parametrize("framing", ["lines", "rdm6300"])
def test_a_line_that_is_held_is_stuck_until_a_card_comes_through(rig: PtyRig, framing: str) -> None:
    (_, frame), (last, last_frame) = serial_feeder.cards(framing, 7, 1)
    desk = Desk(rig, framing)
    with feed(rig, "held", 7) as feeder:
        desk.until(lambda: bool(desk.reads) and "stuck" in repr(desk.reads[-1]))
        reads = len(desk.reads)
        assert reads <= 2  # the break that is no card, and that it is one
        feeder.terminate()
    rig.send(b"\r\n" + last_frame)
    desk.until(lambda: desk.numbers()[-1] == last)
    assert desk.other == ["stuck"]
    assert len(desk.reads) == reads + 1
