# portable
"""The simulator's lines and ticks keep the contract of the ports."""

from line_checks import Rig, run_all

from firmware.runtime.aio import VirtualClock
from sim.fakes import FakeLines, FakeTicks


class FakeRig(Rig):
    """The simulator's lines, in virtual time that a test moves."""

    unknown = ""
    buffer = 1024

    def __init__(self) -> None:
        self._clock = VirtualClock(5000)
        self.ticks = FakeTicks(self._clock)
        self._fake = FakeLines(self.ticks)
        self._fake.on_output = self._show
        self.lines = self._fake
        self._shown: dict[str, list[bool]] = {}

    def _show(self, name: str, high: "bool | None") -> None:
        if high is not None:
            self._shown.setdefault(name, []).append(high)

    def drive(self, name: str, high: bool) -> None:
        self._clock.advance(1)
        self._fake.drive(name, high)

    def level(self, name: str) -> bool:
        return self._fake.level(name)

    def shown(self, name: str) -> "list[bool]":
        return self._shown[name]


def test_the_simulators_lines_keep_the_contract() -> None:
    run_all(FakeRig, ("check_a_line_that_there_is_not_is_refused",))


def test_an_input_that_floats_goes_where_its_pull_takes_it() -> None:
    for pull, high in (("up", True), ("down", False)):
        rig = FakeRig()
        assert rig.lines.inputs([rig.names[2]], False, pull).levels() == [high]
