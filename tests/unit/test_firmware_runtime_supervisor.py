# portable
"""`firmware.runtime.supervisor`: a task that dies is made safe, told of and started again."""

from firmware.runtime import aio
from firmware.runtime.supervisor import BACK_OFF_MAX_MS, BACK_OFF_MS, HEALTHY_MS, Supervisor


class Bench:
    """A supervisor in virtual time, and what happened: (ms, word)."""

    def __init__(self) -> None:
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))
        self.supervisor = Supervisor(self.loop)
        self.supervisor.on_death = lambda name, kind: self.note("%s died: %s" % (name, kind))
        self.seen: list[tuple[int, str]] = []
        self.lasts_ms = [0]

    def note(self, word: str) -> None:
        self.seen.append((self.loop.now_ms(), word))

    async def work(self) -> None:
        """Runs for the first of `lasts_ms` (the last one again and again), then dies."""
        self.note("begins")
        try:
            await aio.sleep_ms(self.lasts_ms.pop(0) if len(self.lasts_ms) > 1 else self.lasts_ms[0])
            raise ValueError("card 4711")
        finally:
            self.note("tidied")

    def run(self, ms: int) -> "list[tuple[int, str]]":
        self.loop.run(aio.sleep_ms(ms))
        seen = self.seen
        self.seen = []
        return seen

    def begins(self, ms: int) -> "list[int]":
        return [at_ms for at_ms, word in self.run(ms) if word == "begins"]


def test_a_task_that_dies_is_made_safe_then_told_of_then_started_again() -> None:
    bench = Bench()
    bench.lasts_ms = [100, 100000]
    bench.supervisor.start("reader", bench.work, lambda: bench.note("safe"))
    assert bench.run(1000) == [
        (0, "begins"),
        (100, "tidied"),
        (100, "safe"),
        (100, "reader died: ValueError"),
        (100 + BACK_OFF_MS, "begins"),
    ]


def test_what_is_told_of_an_error_is_its_kind_and_not_its_text() -> None:
    bench = Bench()
    bench.supervisor.start("reader", bench.work)
    assert not [word for _, word in bench.run(60000) if "4711" in word]


def test_a_task_that_promised_to_say_it_lives_and_does_not_is_started_again() -> None:
    bench = Bench()
    bench.lasts_ms = [1000000]

    async def waits_for_ever() -> None:
        bench.supervisor.alive("reader", 1500)
        await bench.work()

    async def looks() -> None:
        for _ in range(4):
            await aio.sleep_ms(1000)
            bench.supervisor.look(bench.loop.now_ms())

    bench.supervisor.start("reader", waits_for_ever, lambda: bench.note("safe"))
    bench.loop.run(looks())
    assert bench.seen == [
        (0, "begins"),
        (2000, "tidied"),
        (2000, "safe"),
        (2000, "reader died: hangs"),
        (2000 + BACK_OFF_MS, "begins"),
    ]


def test_after_a_time_in_which_nothing_ran_nobody_is_ended_for_silence() -> None:
    bench = Bench()
    bench.lasts_ms = [1000000]
    bench.supervisor.start("reader", bench.work)
    bench.supervisor.alive("reader", 15000)
    bench.loop.call_at(20000, lambda: bench.supervisor.look(bench.loop.now_ms()))
    assert bench.run(34000) == [(0, "begins")]


def test_the_door_is_never_left_alone_for_long_however_often_it_dies() -> None:
    bench = Bench()
    bench.supervisor.start("door", bench.work, None, 1000)
    begins = bench.begins(20000)
    assert {later - earlier for earlier, later in zip(begins, begins[1:])} == {500, 1000}


def test_a_task_that_returns_has_died_as_well() -> None:
    bench = Bench()

    async def returns() -> None:
        bench.note("begins")

    bench.supervisor.start("reader", returns)
    assert bench.run(BACK_OFF_MS) == [
        (0, "begins"),
        (0, "reader died: ended"),
        (BACK_OFF_MS, "begins"),
        (BACK_OFF_MS, "reader died: ended"),
    ]


def test_a_task_that_keeps_dying_is_started_less_and_less_often() -> None:
    bench = Bench()
    bench.supervisor.start("reader", bench.work)
    begins = bench.begins(200000)
    waits = [later - earlier for earlier, later in zip(begins, begins[1:])]
    assert waits[:8] == [500, 1000, 2000, 4000, 8000, 16000, BACK_OFF_MAX_MS, BACK_OFF_MAX_MS]
    assert set(waits[8:]) <= {BACK_OFF_MAX_MS}


def test_a_task_that_was_healthy_is_started_again_soon() -> None:
    bench = Bench()
    bench.lasts_ms = [0, 0, 0, HEALTHY_MS, 0]
    bench.supervisor.start("reader", bench.work)
    begins = bench.begins(70000)
    waits = [later - earlier for earlier, later in zip(begins, begins[1:])]
    assert waits[:5] == [500, 1000, 2000, HEALTHY_MS + BACK_OFF_MS, 2 * BACK_OFF_MS]


def test_one_task_that_dies_leaves_the_others_alone() -> None:
    bench = Bench()

    async def steady() -> None:
        bench.note("steady")
        await aio.sleep_ms(10000000)

    bench.supervisor.start("reader", bench.work)
    bench.supervisor.start("door", steady)
    seen = bench.run(100000)
    assert [word for _, word in seen].count("steady") == 1
    assert not [word for _, word in seen if word.startswith("door died")]


def test_a_stopped_task_tidies_up_and_is_not_started_again() -> None:
    bench = Bench()
    bench.lasts_ms = [50000]
    bench.supervisor.start("reader", bench.work, lambda: bench.note("safe"))
    bench.loop.call_at(100, bench.supervisor.stop)
    assert bench.run(200000) == [(0, "begins"), (100, "tidied")]


def test_a_task_that_waits_to_be_started_again_is_not_after_a_stop() -> None:
    bench = Bench()
    bench.supervisor.start("reader", bench.work)
    bench.loop.call_at(100, bench.supervisor.stop)
    assert bench.begins(200000) == [0]


def test_a_power_cut_tells_nobody_and_starts_nothing_again() -> None:
    bench = Bench()
    bench.lasts_ms = [50000]
    bench.supervisor.start("reader", bench.work, lambda: bench.note("safe"))
    bench.loop.call_at(100, bench.supervisor.kill)
    seen = bench.run(200000)
    assert [word for _, word in seen if word not in ("begins", "tidied")] == []
    assert [at_ms for at_ms, word in seen if word == "begins"] == [0]
    assert [at_ms for at_ms, word in seen if word == "tidied"] == [100]


def test_a_power_cut_while_a_task_waits_to_be_started_again_starts_nothing() -> None:
    bench = Bench()
    bench.supervisor.start("reader", bench.work)
    bench.loop.call_at(100, bench.supervisor.kill)
    assert bench.begins(200000) == [0]


def test_an_error_while_a_task_is_made_safe_does_not_end_the_loop() -> None:
    bench = Bench()
    errors: list[str] = []
    bench.loop.on_error = lambda name, error: errors.append(name)

    def bad() -> None:
        raise OSError("no such line")

    bench.supervisor.start("reader", bench.work, bad)
    seen = bench.run(100000)
    assert "reader" in errors
    assert len([at_ms for at_ms, word in seen if word == "begins"]) > 1
    assert (0, "reader died: ValueError") in seen
