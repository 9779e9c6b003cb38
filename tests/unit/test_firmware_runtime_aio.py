# portable
"""`firmware.runtime.aio`: order, waiting, cancelling; the same on both interpreters, byte for byte."""

import binascii
import hashlib

from firmware.runtime import aio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any


class Bench:
    """A loop in virtual time, and what was written down on it: (ms, word)."""

    def __init__(self) -> None:
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))
        self.seen: list[tuple[int, str]] = []
        self.errors: list[tuple[str, str]] = []
        self.loop.on_error = self.died

    def died(self, name: str, error: BaseException) -> None:
        self.errors.append((name, type(error).__name__))

    def note(self, word: str) -> None:
        self.seen.append((self.loop.now_ms(), word))

    async def sleeper(self, word: str, ms: int) -> None:
        await aio.sleep_ms(ms)
        self.note(word)

    async def tidy(self, word: str, ms: int = 1000) -> None:
        """Sleeps, and says when it is over and how."""
        try:
            await aio.sleep_ms(ms)
            self.note(word + " slept")
        finally:
            self.note(word + " tidied")

    def spawn(self, coro: "Coroutine[Any, Any, Any]", name: str = "task") -> aio.Task:
        return self.loop.spawn(coro, name)

    def run(self, main: "Coroutine[Any, Any, Any]") -> "list[tuple[int, str]]":
        self.loop.run(main)
        return self.seen


async def fails() -> None:
    await aio.sleep_ms(10)
    raise ValueError("as it should")


def raises(kind: "type[BaseException]", call: "Callable[[], object]") -> str:
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError("nothing was raised")


# ---- order -----------------------------------------------------------------------------------------


def test_tasks_run_in_the_order_in_which_they_were_started() -> None:
    bench = Bench()

    async def says(word: str) -> None:
        for _ in range(2):
            bench.note(word)
            await aio.sleep_ms(0)

    for word in "abc":
        bench.spawn(says(word))
    assert bench.run(aio.sleep_ms(1)) == [(0, word) for word in "abcabc"]


def test_timers_of_one_instant_come_in_the_order_in_which_they_were_set() -> None:
    bench = Bench()
    for word in "cab":
        bench.spawn(bench.sleeper(word, 50))
    bench.loop.call_at(50, lambda: bench.note("before"))
    bench.spawn(bench.sleeper("soon", 20))
    seen = bench.run(aio.sleep_ms(100))
    assert seen == [(20, "soon"), (50, "before"), (50, "c"), (50, "a"), (50, "b")]


def test_virtual_time_jumps_to_the_next_timer_and_no_further() -> None:
    bench = Bench()
    bench.spawn(bench.sleeper("a day later", 86400000))
    assert bench.run(aio.sleep_ms(86400001)) == [(86400000, "a day later")]
    assert bench.loop.now_ms() == 86400001


def test_a_sleep_of_no_or_negative_time_is_one_turn() -> None:
    bench = Bench()

    async def main() -> None:
        await aio.sleep_ms(0)
        await aio.sleep_ms(-5)
        bench.note("here")

    assert bench.run(main()) == [(0, "here")]


def test_a_call_that_was_taken_back_is_not_made() -> None:
    bench = Bench()
    bench.loop.call_at(10, lambda: bench.note("kept"))
    bench.loop.call_at(10, lambda: bench.note("taken back")).cancel()
    bench.loop.call_at(-10, lambda: bench.note("late"))
    assert bench.run(aio.sleep_ms(20)) == [(0, "late"), (10, "kept")]


def test_posted_calls_are_made_by_the_loop_in_their_order() -> None:
    bench = Bench()
    for word in "xyz":
        bench.loop.post(lambda word=word: bench.note(word))  # type: ignore[misc]
    assert bench.seen == []
    assert bench.run(aio.sleep_ms(0)) == [(0, "x"), (0, "y"), (0, "z")]


def test_posting_ends_a_wait() -> None:
    class Waiter(aio.JumpWaiter):
        woken = 0

        def wake(self) -> None:
            self.woken += 1

    clock = aio.VirtualClock()
    waiter = Waiter(clock)
    aio.Loop(clock, waiter).post(lambda: None)
    assert waiter.woken == 1


def test_nothing_ready_and_no_timer_is_a_deadlock_and_not_a_hang() -> None:
    bench = Bench()
    assert "no timer" in raises(aio.Deadlock, lambda: bench.run(aio.Event().wait()))


# ---- fairness --------------------------------------------------------------------------------------


class BusyWaiter:
    """Real time passes while work is done: 1 ms at each turn; counts how often it was asked."""

    def __init__(self, clock: aio.VirtualClock) -> None:
        self.clock = clock
        self.asked: list[int | None] = []

    def wait(self, ms: "int | None") -> None:
        self.asked.append(ms)
        self.clock.advance(1)

    def wake(self) -> None:
        pass


def test_work_that_never_ends_starves_neither_timers_nor_descriptors() -> None:
    clock = aio.VirtualClock()
    waiter = BusyWaiter(clock)
    loop = aio.Loop(clock, waiter)
    seen: list[int] = []
    turns = aio.Queue()

    async def ping_pong() -> None:
        while True:
            turns.put_nowait(None)
            await turns.get()
            await aio.sleep_ms(0)

    loop.spawn(ping_pong(), "one")
    loop.spawn(ping_pong(), "two")
    loop.call_at(5, lambda: seen.append(loop.now_ms()))
    loop.run(aio.sleep_ms(10))
    assert seen == [5]
    assert len(waiter.asked) >= 9  # looked at again and again, and never waited for
    assert not [ms for ms in waiter.asked if ms is None or ms > 0]


def test_tasks_that_start_tasks_let_a_turn_end() -> None:
    bench = Bench()

    async def again(left: int) -> None:
        bench.note("turn")
        if left:
            bench.spawn(again(left - 1))

    bench.spawn(again(9))
    for turns in range(1, 11):
        bench.loop.turn()
        assert len(bench.seen) == turns


# ---- events ----------------------------------------------------------------------------------------


def test_an_event_wakes_everybody_in_the_order_in_which_they_came() -> None:
    bench = Bench()
    event = aio.Event()

    async def waits(word: str) -> None:
        assert await event.wait()
        bench.note(word)

    for word in "bca":
        bench.spawn(waits(word))
    bench.loop.call_at(30, event.set)
    assert bench.run(aio.sleep_ms(40)) == [(30, "b"), (30, "c"), (30, "a")]


def test_a_wait_ends_at_its_time_to_the_millisecond() -> None:
    bench = Bench()
    event = aio.Event()

    async def main() -> None:
        bench.note(str(await event.wait(25)))
        event.set()
        bench.note(str(await event.wait(25)))
        event.clear()
        bench.note(str(event.is_set()))

    assert bench.run(main()) == [(25, "False"), (25, "True"), (25, "False")]
    assert event._waiting == []


def test_the_timer_of_an_earlier_wait_ends_no_later_one() -> None:
    bench = Bench()
    first, second = aio.Event(), aio.Event()

    async def main() -> None:
        bench.note(str(await first.wait(100)))
        bench.note(str(await second.wait(200)))

    bench.loop.call_at(10, first.set)
    assert bench.run(main()) == [(10, "True"), (210, "False")]


def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    bench = Bench()
    event = aio.Event()
    task = bench.spawn(event.wait())
    bench.loop.call_at(10, task.cancel)
    bench.run(aio.sleep_ms(20))
    assert task.done()
    assert event._waiting == []


# ---- queues ----------------------------------------------------------------------------------------


def test_a_queue_is_first_in_first_out() -> None:
    bench = Bench()
    queue = aio.Queue()

    async def main() -> None:
        for word in "abc":
            queue.put_nowait(word)
        assert len(queue) == 3
        for _ in range(3):
            bench.note(await queue.get())

    assert [word for _, word in bench.run(main())] == ["a", "b", "c"]


def test_a_full_queue_refuses_and_stays_as_it_was() -> None:
    queue = aio.Queue(2)
    queue.put_nowait(1)
    queue.put_nowait(2)
    assert raises(aio.QueueFull, lambda: queue.put_nowait(3)) == "queue full: 2 items"
    assert len(queue) == 2


def test_putting_into_a_full_queue_waits_for_room() -> None:
    bench = Bench()
    queue = aio.Queue(1)

    async def producer() -> None:
        for word in "abc":
            await queue.put(word)
            bench.note("put " + word)

    async def main() -> None:
        bench.spawn(producer())
        for _ in range(3):
            await aio.sleep_ms(10)
            bench.note("got " + await queue.get())
        await aio.sleep_ms(1)

    assert bench.run(main()) == [
        (0, "put a"),
        (10, "got a"),
        (10, "put b"),
        (20, "got b"),
        (20, "put c"),
        (30, "got c"),
    ]


def test_getting_from_an_empty_queue_gives_up_at_its_time() -> None:
    bench = Bench()
    queue = aio.Queue()

    async def main() -> None:
        try:
            await queue.get(40, bench.loop)
        except aio.TimedOut as error:
            bench.note(str(error))
        queue.put_nowait("there")
        bench.note(await queue.get(40, bench.loop))

    assert bench.run(main()) == [(40, "queue empty after 40 ms"), (40, "there")]


def test_an_item_that_somebody_else_took_does_not_lengthen_the_wait() -> None:
    bench = Bench()
    queue = aio.Queue()

    async def patient(word: str) -> None:
        try:
            bench.note(word + await queue.get(100, bench.loop))
        except aio.TimedOut:
            bench.note(word + " gave up")

    bench.spawn(patient("first "))
    bench.spawn(patient("second"))
    bench.loop.call_at(60, lambda: queue.put_nowait("got it"))
    assert bench.run(aio.sleep_ms(200)) == [(60, "first got it"), (100, "second gave up")]


# ---- cancelling ------------------------------------------------------------------------------------


def test_a_cancelled_task_tidies_up_and_has_no_error() -> None:
    bench = Bench()
    task = bench.spawn(bench.tidy("task"))
    bench.loop.call_at(10, task.cancel)
    assert bench.run(aio.sleep_ms(2000)) == [(10, "task tidied")]
    assert (task.done(), task.error, bench.errors) == (True, None, [])


def test_a_task_that_is_cancelled_before_its_first_turn_never_begins() -> None:
    bench = Bench()
    task = bench.spawn(bench.tidy("task"))
    task.cancel()
    assert bench.run(aio.sleep_ms(2000)) == []
    assert task.done()


def test_cancelling_what_is_over_or_cancelling_twice_does_nothing_more() -> None:
    bench = Bench()
    task = bench.spawn(bench.tidy("task", 5))
    other = bench.spawn(bench.tidy("other"))

    async def main() -> None:
        await aio.sleep_ms(10)
        task.cancel()
        other.cancel()
        other.cancel()
        await aio.sleep_ms(10)

    seen = [(5, "task slept"), (5, "task tidied"), (10, "other tidied")]
    assert bench.run(main()) == seen


def test_a_task_may_wait_while_it_tidies_up() -> None:
    bench = Bench()

    async def slow() -> None:
        try:
            await aio.sleep_ms(1000)
        finally:
            await aio.sleep_ms(50)
            bench.note("tidied")

    task = bench.spawn(slow())
    bench.loop.call_at(10, task.cancel)
    assert bench.run(aio.sleep_ms(100)) == [(60, "tidied")]
    assert task.done()


def test_a_timer_that_comes_with_the_cancellation_wakes_nobody_twice() -> None:
    bench = Bench()
    task = bench.spawn(bench.tidy("task", 10))
    bench.loop.call_at(10, task.cancel)
    assert bench.run(aio.sleep_ms(20)) == [(10, "task tidied")]


def test_a_killed_task_is_over_where_it_is_and_nobody_is_told() -> None:
    bench = Bench()
    told: list[str] = []
    task = bench.loop.spawn(bench.sleeper("never", 50), "task", lambda ended: told.append("ended"))
    bench.loop.call_at(10, task.kill)
    assert bench.run(aio.sleep_ms(100)) == []
    assert (task.done(), told, bench.errors) == (True, [], [])


# ---- errors ----------------------------------------------------------------------------------------


def test_a_task_that_nobody_watches_does_not_die_unheard() -> None:
    bench = Bench()
    task = bench.loop.spawn(fails(), "reader")
    bench.run(aio.sleep_ms(20))
    assert bench.errors == [("reader", "ValueError")]
    assert str(task.error) == "as it should"


def test_who_watches_a_task_is_told_instead() -> None:
    bench = Bench()
    told: list[tuple[str, str]] = []
    bench.loop.spawn(fails(), "reader", lambda task: told.append((task.name, str(task.error))))
    bench.run(aio.sleep_ms(20))
    assert (told, bench.errors) == ([("reader", "as it should")], [])


def test_the_error_of_who_watches_does_not_end_the_loop() -> None:
    bench = Bench()

    def bad(task: aio.Task) -> None:
        raise KeyError(task.name)

    bench.loop.spawn(fails(), "reader", bad)
    assert bench.run(bench.sleeper("on", 30)) == [(30, "on")]
    assert bench.errors == [("reader", "KeyError")]


def test_the_error_of_a_call_does_not_end_the_loop() -> None:
    bench = Bench()

    def bad() -> None:
        raise KeyError("x")

    bench.loop.call_at(5, bad)
    bench.loop.post(bad)
    assert bench.run(bench.sleeper("on", 30)) == [(30, "on")]
    assert bench.errors == [("call", "KeyError"), ("call", "KeyError")]


def test_the_error_of_the_main_task_is_raised() -> None:
    assert raises(ValueError, lambda: Bench().run(fails())) == "as it should"


def test_without_somebody_to_tell_an_error_is_raised() -> None:
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    loop.spawn(fails(), "reader")
    assert raises(ValueError, lambda: loop.run(aio.sleep_ms(20))) == "as it should"


# ---- timeouts and groups ---------------------------------------------------------------------------


def test_what_is_done_in_time_is_waited_for() -> None:
    bench = Bench()
    assert bench.run(bench.loop.wait_for(bench.tidy("it", 50), 100, "it")) == [
        (50, "it slept"),
        (50, "it tidied"),
    ]


def test_what_is_not_done_in_time_is_cancelled_and_named() -> None:
    bench = Bench()
    waiting = bench.loop.wait_for(bench.tidy("it", 150), 100, "the look-up")
    said = raises(aio.TimedOut, lambda: bench.run(waiting))
    assert said == "the look-up: not done in 100 ms"
    assert bench.seen == [(100, "it tidied")]


def test_an_error_within_the_time_is_passed_on() -> None:
    bench = Bench()
    waiting = bench.loop.wait_for(fails(), 100, "it")
    assert raises(ValueError, lambda: bench.run(waiting)) == "as it should"
    assert bench.errors == []


def test_cancelling_who_waits_cancels_what_is_waited_for() -> None:
    bench = Bench()
    task = bench.spawn(bench.loop.wait_for(bench.tidy("it"), 500, "it"))
    bench.loop.call_at(10, task.cancel)
    assert bench.run(aio.sleep_ms(600)) == [(10, "it tidied")]


def test_a_group_ends_with_its_last_task() -> None:
    bench = Bench()

    async def main() -> None:
        async with aio.TaskGroup(bench.loop) as group:
            group.spawn(bench.sleeper("short", 10), "short")
            group.spawn(bench.sleeper("long", 30), "long")
            bench.note("body")
        bench.note("after")

    assert bench.run(main()) == [(0, "body"), (10, "short"), (30, "long"), (30, "after")]


def test_the_first_error_of_a_group_cancels_the_others_and_is_raised() -> None:
    bench = Bench()

    async def main() -> None:
        async with aio.TaskGroup(bench.loop) as group:
            group.spawn(bench.tidy("other"), "other")
            group.spawn(fails(), "bad")

    assert raises(ValueError, lambda: bench.run(main())) == "as it should"
    assert bench.seen == [(10, "other tidied")]


def test_an_error_of_a_groups_body_cancels_its_tasks_and_is_raised() -> None:
    bench = Bench()

    async def main() -> None:
        async with aio.TaskGroup(bench.loop) as group:
            group.spawn(bench.tidy("other"), "other")
            await fails()

    assert raises(ValueError, lambda: bench.run(main())) == "as it should"
    assert bench.seen == [(10, "other tidied")]


def test_a_group_that_is_cancelled_cancels_its_tasks() -> None:
    bench = Bench()

    async def body() -> None:
        async with aio.TaskGroup(bench.loop) as group:
            group.spawn(bench.tidy("one"), "one")
            group.spawn(bench.tidy("two"), "two")

    task = bench.spawn(body())
    bench.loop.call_at(10, task.cancel)
    assert bench.run(aio.sleep_ms(20)) == [(10, "one tidied"), (10, "two tidied")]
    assert task.done()


# ---- real descriptors ------------------------------------------------------------------------------


def test_a_readable_descriptor_is_called_for_until_it_is_forgotten() -> None:
    waiter = aio.PollWaiter()
    calls: list[str] = []
    with open(__file__) as file:  # a regular file is always readable
        waiter.add_reader(file.fileno(), lambda: calls.append("readable"))
        waiter.wait(None)
        assert calls == ["readable"]
        waiter.remove_reader(file.fileno())
        waiter.remove_reader(file.fileno())
        waiter.wait(0)
    assert calls == ["readable"]


# ---- the same everywhere ---------------------------------------------------------------------------


def trace_of_a_busy_day() -> str:
    """Tasks, queues, events, time limits and cancellations, mixed by a small generator of numbers."""
    bench = Bench()
    state = [20261121]
    queue = aio.Queue(3)
    event = aio.Event()

    def number(below: int) -> int:
        state[0] = (state[0] * 1103515245 + 12345) % 2147483648
        return state[0] // 65536 % below

    async def worker(name: str) -> None:
        for i in range(40):
            what = number(5)
            if what == 0:
                await queue.put("%s-%d" % (name, i))
            elif what == 1:
                try:
                    bench.note("%s got %s" % (name, await queue.get(number(30), bench.loop)))
                except aio.TimedOut:
                    bench.note(name + " none")
            elif what == 2:
                bench.note("%s event %s" % (name, await event.wait(number(20))))
            elif what == 3:
                event.set()
                await aio.sleep_ms(0)
                event.clear()
            else:
                try:
                    await bench.loop.wait_for(aio.sleep_ms(number(20)), number(20), name)
                    bench.note(name + " in time")
                except aio.TimedOut:
                    bench.note(name + " late")

    async def main() -> None:
        tasks = [bench.spawn(worker("w%d" % i), "w%d" % i) for i in range(6)]
        await aio.sleep_ms(400)
        for task in tasks:
            task.cancel()
        await aio.sleep_ms(50)
        bench.note("done %d" % len([task for task in tasks if task.done()]))

    bench.run(main())
    return "\n".join(["%d %s" % entry for entry in bench.seen])


def test_a_busy_day_has_the_same_trace_on_every_interpreter() -> None:
    trace = trace_of_a_busy_day()
    assert trace == trace_of_a_busy_day()
    assert trace.endswith("450 done 6")
    digest = binascii.hexlify(hashlib.sha256(trace.encode()).digest()).decode()
    assert digest == "123be1c5cad3e1a6e2024a65cc82ae9a549277d6ca2a3e085d424b344a1d21c6"
