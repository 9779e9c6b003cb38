"""The power goes, again and again, while people come: what was recorded is whole, no door moved unrecorded.

Two disks side by side, each with its own people: a round begins with what the cut before it left.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import progress
import pytest
from emulator import Machine
from power_cuts import AFAR_ROUNDS, ROUNDS, SEED, Cuts

DISKS = 2


@pytest.mark.long
def test_a_cut_at_any_moment_leaves_a_whole_journal_and_no_unrecorded_release(
    machine: Machine, tmp_path: Path
) -> None:
    disks = [Cuts(machine, tmp_path / f"{n}", SEED + n) for n in range(DISKS)]
    left = list(range(ROUNDS - AFAR_ROUNDS))

    def go_on(cuts: Cuts) -> None:
        try:
            while left:
                left.pop()
                cuts.one()
        except BaseException:
            left.clear()  # the others need not go on
            raise

    with ThreadPoolExecutor(DISKS) as people:
        for done in [people.submit(go_on, cuts) for cuts in disks]:
            done.result()
    total, excused = (sum(each) for each in zip(*((one.total, one.excused) for one in disks)))
    assert total >= (ROUNDS - AFAR_ROUNDS) // 2, "the doors hardly moved: nothing was tried"
    ahead = sum(one.cuts_ahead for one in disks)
    assert ahead or ROUNDS < 20, "no cut came between a lock's move and the journal"
    progress.say(
        f"{total} releases, {excused} of them moved 100 ms before their record was durable; "
        f"{ahead} of the cuts left records beside the journal alone"
    )
