"""`firmware.services.executor` and `waker`: work in order, answers on the loop, nothing after the end."""

import fcntl
import os
import resource
import select
import threading
import time
from functools import partial
from typing import Any

import pytest

from firmware.runtime import aio
from firmware.runtime.clock import MonotonicClock
from firmware.services.executor import InlineExecutor, ThreadExecutor
from firmware.services.waker import WakingPollWaiter
from hal.backends.monotonic_ticks import MonotonicTicks


def _real_loop() -> aio.Loop:
    return aio.Loop(MonotonicClock(MonotonicTicks()), WakingPollWaiter())


def _virtual_loop() -> aio.Loop:
    clock = aio.VirtualClock()
    return aio.Loop(clock, aio.JumpWaiter(clock))


def _until(loop: aio.Loop, event: aio.Event) -> None:
    async def wait() -> None:
        assert await event.wait(10000)

    loop.run(wait())


def _run(loop: aio.Loop, ms: int) -> None:
    async def wait() -> None:
        await aio.sleep_ms(ms)

    loop.run(wait())


def _fail() -> None:
    raise ValueError("work")


@pytest.mark.parametrize("kind", ["thread", "inline"])
def test_work_is_done_in_order_and_answered_on_the_loop(kind: str) -> None:
    loop = _real_loop()
    executor = ThreadExecutor(loop, "test") if kind == "thread" else InlineExecutor(loop)
    done: list[Any] = []
    threads: list[int] = []
    ended = aio.Event()
    for number in range(20):
        executor.submit(lambda number=number: number, lambda r, e: done.append((r, e)))  # type: ignore[misc]
    executor.submit(_fail, lambda r, e: done.append((r, repr(e))))

    def last(result: Any, error: Exception | None) -> None:
        threads.append(threading.get_ident())
        ended.set()

    executor.submit(lambda: None, last)
    assert done == []  # never before the loop turns
    _until(loop, ended)
    assert done == [(n, None) for n in range(20)] + [(None, "ValueError('work')")]
    assert threads == [threading.get_ident()]
    executor.close()


@pytest.mark.parametrize("kind", ["thread", "inline"])
def test_close_finishes_what_is_queued_and_ends_where_the_work_was_done(kind: str) -> None:
    loop = _real_loop()
    executor = ThreadExecutor(loop, "test") if kind == "thread" else InlineExecutor(loop)
    done: list[Any] = []
    worked: list[Any] = []
    executor.on_end(lambda killed: worked.append(killed))
    for number in range(5):
        executor.submit(lambda number=number: worked.append(number), lambda r, e: done.append(e))  # type: ignore[misc]
    executor.close()
    executor.close()
    executor.submit(lambda: worked.append("late"))
    assert worked == [0, 1, 2, 3, 4, False]
    _run(loop, 5)
    assert done == [None] * 5


def test_kill_drops_what_is_queued_and_never_calls_back() -> None:
    loop = _real_loop()
    executor = ThreadExecutor(loop, "test")
    begun, go_on = threading.Event(), threading.Event()
    worked: list[Any] = []
    done: list[Any] = []

    def first() -> None:
        begun.set()
        go_on.wait(10)
        worked.append("first")

    executor.on_end(lambda killed: worked.append(killed))
    executor.submit(first, lambda r, e: done.append(e))
    executor.submit(lambda: worked.append("second"), lambda r, e: done.append(e))
    assert begun.wait(10)
    executor._killed = True  # before the first work ends, whatever the threads do
    threading.Timer(0, go_on.set).start()
    executor.kill()
    _run(loop, 5)
    assert worked == ["first", True]
    assert done == []


def test_an_answer_that_was_on_its_way_when_it_was_killed_is_not_given() -> None:
    loop = _virtual_loop()
    executor = InlineExecutor(loop)
    done: list[Any] = []
    executor.submit(lambda: 1, lambda r, e: done.append(r))
    executor.kill()
    _run(loop, 10)
    assert done == []


def test_in_virtual_time_an_answer_takes_its_latency_and_overtakes_none() -> None:
    loop = _virtual_loop()
    executor = InlineExecutor(loop, latency_ms=7)
    done: list[tuple[str, int]] = []
    executor.submit(lambda: "slow", lambda r, e: done.append((r, loop.now_ms())))
    executor.latency_ms = 1
    executor.submit(lambda: "quick", lambda r, e: done.append((r, loop.now_ms())))
    _run(loop, 20)
    assert done == [("slow", 7), ("quick", 7)]


def test_what_fails_at_the_end_is_told_to_the_loop() -> None:
    for kind in ("thread", "inline"):
        loop = _real_loop()
        told: list[str] = []
        loop.on_error = lambda name, error, told=told: told.append(str(error))  # type: ignore[misc]
        executor = ThreadExecutor(loop, "test") if kind == "thread" else InlineExecutor(loop)
        executor.on_end(lambda killed: _fail())
        executor.close()
        _run(loop, 5)
        assert told == ["work"]


def test_a_wait_is_ended_by_another_thread() -> None:
    waiter = WakingPollWaiter()
    thread = threading.Thread(target=waiter.wake)
    thread.start()
    waiter.wait(10000)  # for ten seconds if the wake-up were lost
    thread.join()
    waiter.close()


def test_a_wake_up_before_the_wait_is_not_lost_and_a_million_do_not_block() -> None:
    waiter = WakingPollWaiter()
    for _ in range(100_000):  # more than a pipe holds
        waiter.wake()
    waiter.wait(10000)
    waiter.close()


def _is_watched(fd: int, write_fd: int) -> None:
    waiter = WakingPollWaiter()
    seen: list[bytes] = []
    waiter.add_reader(fd, lambda: seen.append(os.read(fd, 10)))
    os.write(write_fd, b"x")
    waiter.wait(10000)
    assert seen == [b"x"]
    waiter.close()


def test_other_descriptors_are_still_watched_those_above_what_select_knows_too() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    read_fd, write_fd = os.pipe()
    high_fd = fcntl.fcntl(read_fd, fcntl.F_DUPFD_CLOEXEC, 1500)
    for fd in (read_fd, high_fd):
        _is_watched(fd, write_fd)
    for fd in (read_fd, write_fd, high_fd):
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_descriptor_that_was_closed_under_it_is_told_and_stops_nobody() -> None:
    waiter = WakingPollWaiter()
    read_fd, write_fd = os.pipe()
    told: list[int] = []

    def gone() -> None:
        told.append(read_fd)
        waiter.remove_reader(read_fd)

    waiter.add_reader(read_fd, gone)
    os.close(read_fd)
    waiter.wait(10000)
    assert told == [read_fd]
    waiter.wake()
    waiter.wait(10000)
    waiter.close()
    os.close(write_fd)


def test_a_wait_ends_no_earlier_than_its_last_millisecond() -> None:
    waiter, clock = WakingPollWaiter(), MonotonicClock(MonotonicTicks())
    for ms in [1, 2, 3] * 20:
        due_ms = clock.now_ms() + ms
        waiter.wait(ms)
        assert clock.now_ms() >= due_ms
    waiter.close()


def test_a_wait_ends_with_the_clocks_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def select_(reads: object, writes: object, odd: object, rest_s: float) -> tuple[list[int], ...]:
        asked.append(rest_s)
        return [], [], []

    waiter = WakingPollWaiter()
    with monkeypatch.context() as patch:
        patch.setattr(select, "select", select_)
        patch.setattr(time, "monotonic_ns", lambda: 7_000_600_000)
        waiter.wait(25)
    assert asked == [pytest.approx(0.0244)]
    waiter.close()


def test_slow_work_is_done_at_its_end_in_order_and_none_overtakes_it() -> None:
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    worker = InlineExecutor(loop)
    told: list[tuple[str, int]] = []

    def note(name: str) -> None:
        told.append((name, loop.now_ms()))

    worker.slow_ms = 5000
    worker.submit(lambda: note("a"), lambda result, error: note("a told"))
    worker.submit(lambda: note("b"))
    worker.slow_ms = 0
    worker.submit(lambda: note("c"))
    loop.run(aio.sleep_ms(4999))
    assert told == []
    loop.run(aio.sleep_ms(6000))
    assert told == [("a", 5000), ("a told", 5001), ("b", 10000), ("c", 10000)]
    worker.submit(lambda: note("d"))
    assert told[-1][0] == "d"


def test_slow_work_is_lost_by_a_kill_and_finished_by_a_close() -> None:
    for kill in (True, False):
        clock = aio.VirtualClock()
        loop = aio.Loop(clock, aio.JumpWaiter(clock))
        worker = InlineExecutor(loop)
        worker.slow_ms = 5000
        done: list[str] = []
        worker.submit(partial(done.append, "work"))
        worker.on_end(lambda killed, told=done: told.append("end"))  # type: ignore[misc]
        worker.kill() if kill else worker.close()
        loop.run(aio.sleep_ms(9000))
        assert done == (["end"] if kill else ["work", "end"])
