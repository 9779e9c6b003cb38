"""`firmware.services.back_off`, in virtual time: soon back after a short outage, spread after a long one."""

import random
from collections.abc import Iterator

import pytest

from firmware.services.back_off import (
    CONNECT_MS,
    QUICK_CONNECT_MS,
    QUICK_FOR_MS,
    QUICK_MS,
    STEADY_MS,
    BackOff,
)

MOST_MS = 30_000
SYN_AGAIN_MS = 1000  # TCP asks a second time after so long


def late_ms(chance: random.Random, outage_ms: int, black_hole: bool) -> int:
    """How long after the broker's return a controller is back that lost it `outage_ms` before."""
    back_off = BackOff(MOST_MS, chance.random)
    now_ms = back_off.pause_ms(0, 0)
    while True:
        began_ms = now_ms
        if began_ms >= outage_ms:
            return began_ms - outage_ms
        if black_hole:
            if began_ms + SYN_AGAIN_MS >= outage_ms:
                return began_ms + SYN_AGAIN_MS - outage_ms
            now_ms += back_off.connect_ms(now_ms)
        now_ms += back_off.pause_ms(began_ms, now_ms)


def percentile(values: list[int], percent: int) -> int:
    return sorted(values)[len(values) * percent // 100]


@pytest.mark.parametrize("black_hole", [False, True])
def test_after_less_than_a_minute_it_is_back_within_two_seconds(black_hole: bool) -> None:
    chance = random.Random(1)
    late = [late_ms(chance, chance.randrange(100, 60_000), black_hole) for _ in range(5000)]
    assert percentile(late, 95) < 1800
    assert max(late) <= QUICK_MS


@pytest.mark.parametrize("outage_ms", [20_000, 300_000, 7_200_000])
def test_a_thousand_are_back_within_half_a_minute_and_not_all_at_once(outage_ms: int) -> None:
    chance = random.Random(outage_ms)
    late = [late_ms(chance, outage_ms, False) for _ in range(1000)]
    assert max(late) <= MOST_MS
    width_ms = QUICK_MS if outage_ms < QUICK_FOR_MS else MOST_MS
    tenths = [sum(at * 10 // (width_ms + 1) == tenth for at in late) for tenth in range(10)]
    assert max(tenths) < 250  # even at the end, where those with long pauses pile up
    assert sum(tenths) == 1000
    assert len(set(late)) > 500


def ceilings(back_off: BackOff, times: Iterator[int]) -> list[int]:
    return [back_off.pause_ms(at, at) for at in times]


def test_the_ceiling_is_low_for_a_minute_then_doubles_up_to_the_most() -> None:
    back_off = BackOff(MOST_MS, lambda: 0.99999)
    assert set(ceilings(back_off, iter(range(0, 60_000, 1000)))) == {2000}
    later = ceilings(back_off, iter(range(60_000, 360_000, 60_000)))
    assert later == [4000, 8000, 16_000, 30_000, 30_000]
    assert back_off.connect_ms(360_000) == CONNECT_MS


def test_a_most_that_is_smaller_holds_from_the_beginning() -> None:
    back_off = BackOff(1000, lambda: 0.99999)
    assert ceilings(back_off, iter((0, 100_000, 200_000))) == [1000, 1000, 1000]


def test_a_connection_that_held_ends_the_outage_and_a_short_one_does_not() -> None:
    back_off = BackOff(MOST_MS, lambda: 0.99999)
    back_off.pause_ms(0, 0)
    assert back_off.pause_ms(70_000, 70_000) == 4000
    back_off.held(80_000, 80_000 + STEADY_MS - 1)
    assert back_off.pause_ms(90_000, 90_000) == 8000
    back_off.held(100_000, 100_000 + STEADY_MS)
    assert back_off.connect_ms(110_000) == QUICK_CONNECT_MS
    assert back_off.pause_ms(110_000, 110_000) == 2000


def test_a_broker_that_takes_connections_and_says_nothing_is_asked_less_and_less() -> None:
    back_off = BackOff(MOST_MS, lambda: 0.99999)
    pauses = [back_off.pause_ms(at, at + 10_000, silent=True) for at in range(0, 50_000, 10_000)]
    assert pauses == [4000, 8000, 16_000, 30_000, 30_000]


def test_an_attempt_that_took_its_time_is_part_of_the_pause() -> None:
    back_off = BackOff(MOST_MS, lambda: 0.99999)
    assert back_off.pause_ms(0, QUICK_CONNECT_MS) == QUICK_MS - QUICK_CONNECT_MS
    assert back_off.pause_ms(5000, 5000 + 3 * QUICK_MS) == 0
