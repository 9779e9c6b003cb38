# portable
"""`firmware.runtime.heartbeat`: every watchdog is petted with the door's rounds, and with nothing else."""

from firmware.runtime import aio
from firmware.runtime.heartbeat import EVERY_MS, Heartbeat
from hal.errors import DeviceUnavailableError
from sim.fake_watchdog import FakeWatchdog

TIMEOUT_MS = 3000


class Bench:
    """A heartbeat with two watchdogs in virtual time, and what was told: (ms, word)."""

    def __init__(self) -> None:
        clock = aio.VirtualClock()
        self.loop = aio.Loop(clock, aio.JumpWaiter(clock))
        self.seen: list[tuple[int, str]] = []
        self.watchdogs = [
            FakeWatchdog(self.loop, TIMEOUT_MS, lambda: self.note("first bites")),
            FakeWatchdog(self.loop, TIMEOUT_MS, lambda: self.note("second bites")),
        ]
        self.heartbeat = Heartbeat(list(self.watchdogs))
        self.heartbeat.on_first = lambda: self.note("decides")
        self.heartbeat.on_fault = lambda ok, text: self.note("%s: %s" % (ok, text))

    def note(self, word: str) -> None:
        self.seen.append((self.loop.now_ms(), word))

    def rest(self, ms: int) -> None:
        self.loop.run(aio.sleep_ms(ms))

    def beats(self, every_ms: int, count: int) -> None:
        for _ in range(count):
            self.heartbeat.beat(self.loop.now_ms())
            self.rest(every_ms)


def test_no_watchdog_bites_while_the_door_goes_round() -> None:
    bench = Bench()
    bench.beats(1000, 20)
    assert bench.seen == [(0, "decides")]


def test_every_watchdog_bites_when_the_rounds_end() -> None:
    bench = Bench()
    bench.beats(1000, 3)
    bench.rest(TIMEOUT_MS)
    bites = [(2000 + TIMEOUT_MS, "first bites"), (2000 + TIMEOUT_MS, "second bites")]
    assert bench.seen == [(0, "decides")] + bites


def test_a_door_that_never_goes_round_is_bitten_and_never_said_to_decide() -> None:
    bench = Bench()
    bench.rest(2 * TIMEOUT_MS)
    assert bench.seen == [(TIMEOUT_MS, "first bites"), (TIMEOUT_MS, "second bites")]


def test_one_that_comes_later_is_petted_with_the_others_and_told_of_like_them() -> None:
    bench = Bench()
    third = FakeWatchdog(bench.loop, TIMEOUT_MS, lambda: bench.note("third bites"))
    bench.heartbeat.on_first = lambda: bench.heartbeat.add(third)
    bench.beats(1000, 20)
    assert (third.pets, bench.seen) == (19, [])
    third.broken = True
    bench.beats(1000, 2)
    assert [word for _, word in bench.seen][:1] == ["False: %s" % _gone(third)]


def _gone(watchdog: FakeWatchdog) -> str:
    try:
        watchdog.pet()
    except DeviceUnavailableError as error:
        return str(error)
    raise AssertionError("it can be petted")


def test_a_busy_door_does_not_pet_with_every_round() -> None:
    bench = Bench()
    bench.beats(10, 100)
    assert bench.watchdogs[0].pets == 1000 // EVERY_MS


def test_a_watchdog_that_does_not_answer_is_told_of_once_and_keeps_no_other_from_its_pet() -> None:
    bench = Bench()
    bench.watchdogs[0].broken = True
    bench.beats(1000, 2)
    bench.watchdogs[0].broken = False
    bench.beats(1000, 3)
    assert bench.seen == [
        (0, "False: watchdog: does not answer; expected it to be there"),
        (0, "decides"),
        (2000, "True: works again"),
    ]
    assert [watchdog.pets for watchdog in bench.watchdogs] == [3, 5]
