# portable
"""MicroPython's pins keep the contract of the ports, and lose no pulse that the port tells of."""

import sys

from fake_machine import Chip
from line_checks import Rig, refused, run_all

from hal.backends.machine_pins import MachineLines, MachineTicks
from hal.drivers.wiegand_reader import WiegandReader
from hal.errors import DeviceUnavailableError, LineUnknownError
from hal.ports import BITS, Edge, Ticks
from hal.ports import Reading as _Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StepTicks(Ticks):
    """One millisecond a reading; starts again where MicroPython's do."""

    period_ms = 1 << 30

    def __init__(self, start_ms: int = 0) -> None:
        self.now_ms = start_ms

    def ticks_ms(self) -> int:
        self.now_ms = (self.now_ms + 1) % self.period_ms
        return self.now_ms


class MachineRig(Rig):
    """The backend on a small fake of `machine`."""

    unknown = "GPIO30"
    buffer = 255

    def __init__(self, has_flags: bool = True) -> None:
        self.chip = Chip(has_flags)
        self._real: Any = sys.modules.get("machine")
        modules: Any = sys.modules
        modules["machine"] = self.chip
        self.ticks = StepTicks()
        self.lines = MachineLines(self.ticks)

    def drive(self, name: str, high: bool) -> None:
        self.chip.drive(int(name[4:]), high)

    def level(self, name: str) -> bool:
        return self.chip.high[int(name[4:])]

    def shown(self, name: str) -> "list[bool]":
        done = self.chip.done[int(name[4:])]
        assert done[0][0] == "value", "a direction before a level"
        return [level == 1 for what, level in done if what == "value"]

    def close(self) -> None:
        self.lines.close()
        if self._real is None:
            sys.modules.pop("machine")
        else:
            sys.modules["machine"] = self._real


def _without_flags() -> Rig:
    return MachineRig(False)


def test_the_pins_keep_the_contract() -> None:
    run_all(MachineRig)


def test_the_pins_of_a_port_without_flags_keep_the_contract() -> None:
    run_all(_without_flags)


def test_a_pulse_that_is_over_before_its_interrupt_is_two_edges_where_flags_tell() -> None:
    rig = MachineRig()
    inputs = rig.lines.inputs(["GPIO16"], True, "up")
    rig.chip.pulse(16)
    assert inputs.take() == [Edge(0, True, 1), Edge(0, False, 1)]
    assert inputs.lost() == 0
    rig.close()


def test_a_pulse_that_is_over_before_its_interrupt_is_lost_and_told_where_they_do_not() -> None:
    rig = MachineRig(False)
    inputs = rig.lines.inputs(["GPIO16"], True, "up")
    rig.chip.pulse(16)
    assert inputs.take() == []
    assert inputs.lost() == 1
    rig.close()


def test_pulls_reach_the_pin() -> None:
    rig = MachineRig()
    for name, pull, wanted in (("GPIO5", "up", 1), ("GPIO6", "down", 2), ("GPIO7", "none", None)):
        rig.lines.inputs([name], False, pull)
        assert rig.chip.done[int(name[4:])] == [("mode", 0), ("pull", wanted)]
    rig.close()


def test_a_pin_that_knows_no_interrupts_is_refused_and_let_go() -> None:
    rig = MachineRig()
    rig.chip.deaf = 17
    refused(LineUnknownError, lambda: rig.lines.inputs(["GPIO16", "GPIO17"], True, "up"), "GPIO17")
    assert rig.chip.handlers == {}
    rig.lines.output("GPIO16", False, False)
    rig.lines.output("GPIO17", False, False)
    rig.close()


def test_an_interpreter_without_pins_is_named_at_the_first_claim() -> None:
    rig = MachineRig()
    modules: Any = sys.modules
    modules["machine"] = object()
    refused(DeviceUnavailableError, lambda: rig.lines.output("GPIO5", False, False), "machine")
    rig.close()


def test_a_card_on_two_pins_is_one_burst() -> None:
    """The real driver over the real backend, 26 bits."""
    rig = MachineRig()
    reader = WiegandReader(rig.lines.inputs(["GPIO16", "GPIO17"], True, "up"))
    reader.poll(0)
    bits = "1" + "00001100" + "1000011100000111" + "0"
    for bit in bits:
        rig.chip.pulse(16 if bit == "0" else 17)
    readings = reader.poll(rig.ticks.ticks_ms())
    readings = readings + reader.poll(rig.ticks.ticks_ms() + 30)
    assert readings == [_Reading(BITS, bits, 26)]
    rig.close()


def test_the_machines_ticks_are_those_of_micropython() -> None:
    if sys.implementation.name != "micropython":
        refused_by: Any = None
        try:
            MachineTicks()
        except AttributeError as error:
            refused_by = error
        assert "ticks_ms" in str(refused_by)
        return
    ticks = MachineTicks()
    first_ms = ticks.ticks_ms()
    assert 0 <= first_ms < ticks.period_ms
    assert 0 <= (ticks.ticks_ms() - first_ms) % ticks.period_ms < 60_000
