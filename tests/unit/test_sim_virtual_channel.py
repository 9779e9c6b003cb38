"""`sim.virtual_channel`: two ends of a stream, with a limit, as a socket pair has them."""

import pytest

from firmware.runtime import aio
from sim.virtual_channel import CHANNEL_BYTES, End, ReadyWaiter, pair


class Bench:
    def __init__(self) -> None:
        clock = aio.VirtualClock()
        self.waiter = ReadyWaiter(clock)
        self.loop = aio.Loop(clock, self.waiter)
        self.one, self.other = pair(self.loop)
        self.told = 0

    def tell(self) -> None:
        self.told += 1

    def run(self) -> None:
        self.loop.run(aio.sleep_ms(1))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def _all(end: End) -> bytes:
    data = b""
    while end.readable and (more := end.recv(50_000)):
        data += more
    return data


def test_what_is_said_can_be_read_at_the_other_end_only(bench: Bench) -> None:
    assert bench.one.send(b"hello") == 5
    assert bench.other.recv(3) == b"hel"
    assert bench.other.recv(3) == b"lo"
    for end in (bench.one, bench.other):
        with pytest.raises(BlockingIOError):
            end.recv(1)


def test_no_more_fits_than_a_socket_pair_holds_until_somebody_reads(bench: Bench) -> None:
    assert bench.one.send(b"x" * (CHANNEL_BYTES + 10)) == CHANNEL_BYTES
    assert bench.one.full
    with pytest.raises(BlockingIOError):
        bench.one.send(b"x")
    bench.other.recv(7)
    assert bench.one.send(b"y" * 10) == 7
    assert _all(bench.other) == b"x" * (CHANNEL_BYTES - 7) + b"y" * 7


def test_whoever_may_wait_says_it_all(bench: Bench) -> None:
    bench.one.sendall(b"x" * (2 * CHANNEL_BYTES))
    assert bench.one.full
    assert len(_all(bench.other)) == 2 * CHANNEL_BYTES


def test_after_the_end_what_was_said_is_read_and_then_nothing(bench: Bench) -> None:
    bench.one.send(b"bye")
    bench.one.close()
    assert bench.other.recv(10) == b"bye"
    assert bench.other.recv(10) == b""
    for say in (bench.other.send, bench.other.sendall):
        with pytest.raises(BrokenPipeError):
            say(b"?")


def test_a_waiter_calls_while_there_is_something_to_read(bench: Bench) -> None:
    heard: list[bytes] = []

    def read() -> None:
        heard.append(bench.other.recv(2))

    bench.waiter.add_reader(bench.other.fileno(), read)
    bench.one.send(b"12345")
    bench.run()
    assert heard == [b"12", b"34", b"5"]
    bench.waiter.remove_reader(bench.other.fileno())
    bench.one.send(b"6")
    bench.run()
    assert heard == [b"12", b"34", b"5"]


def test_an_end_is_told_of_what_comes_of_room_and_of_the_end(bench: Bench) -> None:
    bench.one.on_change = bench.tell
    bench.other.send(b"1")
    bench.run()
    assert bench.told == 1
    bench.one.send(b"2")
    bench.other.recv(1)
    bench.run()
    assert bench.told == 2
    bench.other.close()
    bench.run()
    assert bench.told == 3
