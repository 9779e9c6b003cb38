# portable
"""`hal.drivers.keypad`: a stand-alone keypad's bursts."""

from test_hal_drivers_fakes import FakeInputs

from hal.drivers.keypad import Keypad
from hal.ports import BACK, BITS, LOST, STUCK, Reading


def test_each_key_is_one_burst_also_the_same_key_twice() -> None:
    inputs = FakeInputs(2)
    keypad = Keypad(inputs)
    inputs.bits(1000, "0100")
    inputs.bits(1100, "0100")
    inputs.bits(1200, "01001011")
    assert keypad.poll(2000) == [
        Reading(BITS, "0100", 1003),
        Reading(BITS, "0100", 1103),
        Reading(BITS, "01001011", 1207),
    ]


def test_a_key_waits_for_its_gap() -> None:
    inputs = FakeInputs(2)
    keypad = Keypad(inputs, 10)
    inputs.bits(1000, "0100")
    assert keypad.poll(1012) == []
    assert keypad.deadline_ms == 1013
    assert keypad.poll(1013) == [Reading(BITS, "0100", 1003)]


def test_a_burst_as_long_as_a_card_is_not_suppressed_either() -> None:
    inputs = FakeInputs(2)
    keypad = Keypad(inputs)
    inputs.bits(1000, "0" * 26)
    inputs.bits(1100, "0" * 26)
    assert len(keypad.poll(2000)) == 2


def test_a_held_line_and_lost_lines_are_told() -> None:
    inputs = FakeInputs(2)
    keypad = Keypad(inputs)
    inputs.pulse(1000, 0, 80)
    assert [reading.kind for reading in keypad.poll(1100)] == [STUCK, STUCK]
    inputs.gone = True
    assert keypad.poll(1200) == [Reading(LOST, None, 1200)]
    inputs.gone = False
    assert keypad.poll(1700) == [Reading(BACK, None, 1700)]
