"""`firmware.runtime.causes`: a device that is gone for another cause says so, once a cause."""

from typing import Any, cast

from firmware.runtime import aio
from firmware.runtime.causes import HOLD_MS, MOST, Causes
from firmware.runtime.feeds import Inbox, feed
from hal.drivers.serial_reader import SerialReader
from hal.errors import DeviceUnavailableError
from hal.ports import BACK, LOST, Reading

ABSENT = "/dev/ttyUSB0: not there; expected the reader or its adapter plugged in"
HELD = "/dev/ttyUSB0: another program has it; expected nobody else on the reader's port"
LONG_MS = 3_600_000


def told(causes: Causes, problem: str, from_ms: int, to_ms: int) -> list[tuple[str, Any, int]]:
    """What it tells when it is asked twice a second."""
    said = [causes.changed(problem, now_ms) for now_ms in range(from_ms, to_ms, 500)]
    return [tuple(reading) for reading in said if reading is not None]


def gone(problem: str = ABSENT) -> Causes:
    causes = Causes()
    causes.heard(Reading(LOST, None, 0), problem)
    return causes


def test_the_first_cause_is_not_told_again() -> None:
    assert told(gone(), ABSENT, 0, LONG_MS) == []


def test_another_cause_is_told_once_after_it_has_stood() -> None:
    assert told(gone(), HELD, 1000, LONG_MS) == [(LOST, HELD, 1000 + HOLD_MS)]


def test_what_is_wrong_for_a_moment_only_is_no_cause() -> None:
    causes = gone()
    for at_ms in range(0, 60_000, 2000):
        assert told(causes, HELD, at_ms, at_ms + 1500) == []
        assert told(causes, ABSENT, at_ms + 1500, at_ms + 2000) == []


def test_two_causes_that_alternate_are_two_lines_however_long_it_lasts() -> None:
    causes = gone()
    said = []
    for at_ms in range(0, LONG_MS, 20_000):
        said += told(causes, HELD, at_ms, at_ms + 10_000)
        said += told(causes, ABSENT, at_ms + 10_000, at_ms + 20_000)
    assert said == [(LOST, HELD, HOLD_MS)]


def test_a_cause_that_never_reads_the_same_does_not_flood() -> None:
    causes = gone()
    said = []
    for at_ms in range(0, LONG_MS, 10_000):
        said += told(causes, f"{ABSENT} {at_ms}", at_ms, at_ms + 10_000)
    assert len(said) == MOST - 1


def test_when_it_is_back_nothing_is_told_and_the_next_loss_begins_anew() -> None:
    causes = gone()
    assert told(causes, HELD, 0, 10_000) != []
    causes.heard(Reading(BACK, None, 10_000), "")
    assert told(causes, "the PN532 is slow", 10_000, 20_000) == []
    causes.heard(Reading(LOST, None, 20_000), ABSENT)
    assert told(causes, HELD, 20_000, 30_000) == [(LOST, HELD, 20_000 + HOLD_MS)]


def test_a_driver_that_tells_its_causes_itself_is_not_told_of_twice() -> None:
    causes = gone("")
    causes.heard(Reading(LOST, HELD, 0), HELD)
    assert told(causes, HELD, 0, LONG_MS) == []


class Port:
    """A serial line that cannot be opened, for what `why` says."""

    def __init__(self) -> None:
        self.name = "/dev/ttyUSB0"
        self.why = ABSENT
        self.ready: Any = None

    def open(self) -> None:
        raise DeviceUnavailableError(self.why)

    def fileno(self) -> int:
        return -1


def test_a_reader_whose_port_is_there_at_last_and_held_hands_that_over_to_the_door() -> None:
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    inbox, port = Inbox(), Port()
    reader: Any = SerialReader(cast(Any, port), "decimal")
    task = loop.spawn(feed("reader", reader, inbox, loop), "feed")
    loop.run(aio.sleep_ms(10_000))
    port.why = HELD
    loop.run(aio.sleep_ms(10_000))
    task.cancel()
    said = []
    while (item := inbox.get_nowait()) is not None:
        said.append((item.name, item.data.kind, item.data.data))
    assert said == [("reader", LOST, None), ("reader", LOST, HELD)]
