"""A fixed set of short seeds: every law holds through people, noise and faults."""

import multiprocessing

from sim.soak import run

SEEDS = range(1, 209)
HOURS = 0.5
WORKERS = 2


def _told(seed: int) -> tuple[int, str | None, str, int]:
    told = run.try_seed(seed, HOURS, None, shrink=True)
    return seed, told.law, told.story, told.looks


def test_every_law_holds_in_each_of_the_fixed_seeds() -> None:
    assert len(SEEDS) >= 200
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        told = pool.map(_told, SEEDS, chunksize=8)
    broken = [story for _, law, story, _ in told if law is not None]
    assert not broken, "\n".join(broken)
    assert all(looks > 0 for _, _, _, looks in told)
