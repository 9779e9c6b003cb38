"""The power goes while an operator opens from afar: what it was told is done is recorded, and done once."""

from pathlib import Path

import progress
import pytest
from brokers import Mosquitto
from emulator import Machine
from power_cuts import AFAR_ROUNDS, SEED, Cuts, Owner


@pytest.mark.long
def test_what_an_operator_was_told_is_done_is_recorded_and_done_once_whatever_the_cut(
    machine: Machine, tmp_path: Path
) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    owner = Owner(broker.port)
    try:
        cuts = Cuts(machine, tmp_path / "cuts", SEED, broker.port)
        for _ in range(AFAR_ROUNDS):
            events = cuts.one(owner)
            done = [event["command"] for event in events if event["type"] == "command.accepted"]
            # A door waits 100 ms for its record and no longer, on a slow disk too; then it says "done".
            told = owner.told_done(cuts.over_s - 5)
            assert told <= set(done), "told to be done long before the cut, and nowhere recorded"
            assert len(set(done)) == len(done), "recorded twice"
            opened = [event for event in events if event.get("cause") == "command"]
            assert len(opened) == len(done), "a command opened not once, or what opened was none"
        assert len(owner.told_done()) >= AFAR_ROUNDS, "hardly a command was answered"
    finally:
        owner.leave()
        broker.kill()
    progress.say(f"{len(done)} commands recorded, {len(owner.told_done())} of them answered")
