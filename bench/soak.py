"""Simulated hours in an hour of one core: people, noise, faults, and every law watched."""

import time
from typing import TextIO

from sim.soak import plan, run

SEEDS = range(5000, 5010)
HOURS = 2.0


def table(out: TextIO) -> None:
    """Print the speed."""
    begun = time.process_time()
    told = [run.tell(plan.draw(seed, HOURS), seed) for seed in SEEDS]
    took_s = time.process_time() - begun
    hours = sum(one.hours for one in told)
    events = sum(one.events for one in told)
    looks = sum(one.looks for one in told)
    print(f"soak: {hours:g} simulated hours, {events} events, {looks} looks at the laws", file=out)
    print(f"{hours / took_s * 3600:,.0f} simulated hours an hour of one core", file=out)
