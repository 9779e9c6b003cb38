"""`firmware.services.guardian`: whoever drives outputs and ends badly is followed by their safe level."""

import os
import signal
from collections.abc import Callable

import pytest

from firmware.services import guardian


@pytest.fixture
def safe() -> list[str]:
    """What was made safe."""
    return []


def watched(work: Callable[[guardian.Armed], int], safe: list[str]) -> int:
    """With a clock that goes on by 100 s at each look."""
    passed = [0.0]

    def clock() -> float:
        passed[0] += 100
        return passed[0]

    return guardian.run(work, lambda: safe.append("safe"), clock)


def waits(armed: guardian.Armed) -> int:
    while True:
        signal.pause()


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_clean_end_keeps_its_code_and_nothing_is_driven(code: int, safe: list[str]) -> None:
    def work(armed: guardian.Armed) -> int:
        armed(2000)
        armed(0)
        return code

    assert guardian.run(work, lambda: safe.append("safe"), lambda: 0.0) == code
    assert safe == []


def test_a_child_that_is_killed_is_followed_by_the_safe_level(
    safe: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    def work(armed: guardian.Armed) -> int:
        armed(2000)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert guardian.run(work, lambda: safe.append("safe"), lambda: 0.0) == 1
    assert safe == ["safe"]
    assert capfd.readouterr().err == (
        "selftest: ended by signal 9; every output goes to its safe level\n"
    )


def test_a_child_that_hangs_while_it_drives_is_ended(safe: list[str]) -> None:
    def work(armed: guardian.Armed) -> int:
        armed(2000)
        return waits(armed)

    assert watched(work, safe) == 1
    assert safe == ["safe"]


def test_a_child_that_raises_is_told_and_followed_by_the_safe_level(
    safe: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    def work(armed: guardian.Armed) -> int:
        raise OSError("out of order")

    assert guardian.run(work, lambda: safe.append("safe"), lambda: 0.0) == 1
    assert safe == ["safe"]
    assert "out of order" in capfd.readouterr().err


def test_a_child_at_rest_may_wait_for_ever_and_a_signal_reaches_it(safe: list[str]) -> None:
    parent = os.getpid()
    before = signal.getsignal(signal.SIGTERM)

    def work(armed: guardian.Armed) -> int:
        ended: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
        armed(2000)
        armed(0)
        os.kill(parent, signal.SIGTERM)
        while not ended:
            signal.sigtimedwait([], 0.01)
        return 1

    assert guardian.run(work, lambda: safe.append("safe"), lambda: 0.0) == 1
    assert safe == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_who_reads_along_and_goes_is_one_line_and_then_the_safe_level(
    safe: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    def work(armed: guardian.Armed) -> int:
        raise BrokenPipeError

    assert guardian.run(work, lambda: safe.append("safe"), lambda: 0.0) == 1
    assert safe == ["safe"]
    assert capfd.readouterr().err.splitlines() == [
        "selftest: nobody reads what it says any more; expected a terminal, or a pipe that stays",
        "selftest: ended by exit code 3; every output goes to its safe level",
    ]
