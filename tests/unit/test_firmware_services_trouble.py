"""`firmware.services.trouble`: a cause is one line, with all it stops and what to do about it."""

from types import SimpleNamespace

from firmware.access import record
from firmware.services.trouble import Trouble, lines
from hal.drivers.wiegand_pulses import HELD

CHIP = "gpiod: no chip in /dev; expected pinctrl-bcm2711"
EXPANDER = "/dev/i2c-1 0x20: does not answer; expected the chip there"
PORT = "/dev/ttyUSB0: not there; expected the reader or its adapter plugged in"


def log(*known: tuple[str, str]) -> tuple[Trouble, list[str]]:
    said: list[str] = []
    devices = {
        "reader": SimpleNamespace(problem=PORT),
        "keypad": SimpleNamespace(problem="", held=HELD),
        "usb": SimpleNamespace(problem=""),
        "strike": SimpleNamespace(),
        "lid": SimpleNamespace(problem=EXPANDER),
        "tamper": SimpleNamespace(problem=EXPANDER),
    }
    return Trouble(devices, list(known), said.append), said


def raised(kind: str, point: str, type: str = record.ALARM_RAISED, at_ms: int = 0) -> record.Record:
    return record.make(type, at_ms, None, {"point": point, "class": kind, "priority": 3})


def fault(part: str, text: str, type: str = record.SYSTEM_FAULT) -> record.Record:
    return record.make(type, 0, None, {"part": part, "text": text})


def test_one_cause_is_one_line_with_every_device_that_it_stops() -> None:
    assert lines([("strike", CHIP), ("reader", PORT), ("siren", CHIP), ("siren", CHIP)]) == [
        f"strike, siren: {CHIP}",
        f"reader: {PORT}",
    ]


def test_a_text_that_names_its_part_does_not_name_it_twice() -> None:
    assert lines([("board", "board: wrong; expected rpi5")]) == ["board: wrong; expected rpi5"]


def test_a_reader_that_fails_is_told_with_what_is_wrong_and_when_it_works_again() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "reader"))
    trouble.heard(raised("reader_fault", "reader", record.ALARM_CLEARED))
    assert said == [f"reader: {PORT}", "reader: works again"]


def test_a_fault_that_is_a_record_and_an_alarm_is_one_line_and_so_is_its_end() -> None:
    trouble, said = log()
    trouble.heard(fault("reader", PORT))
    trouble.heard(raised("reader_fault", "reader"))
    trouble.heard(fault("reader", "reader: does not know its key; expected another"))
    trouble.heard(fault("reader", "works again", record.SYSTEM_RECOVERED))
    trouble.heard(raised("reader_fault", "reader", record.ALARM_CLEARED))
    assert said == [
        f"reader: {PORT}",
        "reader: does not know its key; expected another",
        "reader: works again",
    ]


def test_what_fails_for_one_reason_at_one_time_is_one_line_and_each_works_again() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "tamper", at_ms=1000))
    trouble.heard(raised("reader_fault", "lid", at_ms=1020))
    assert said == [f"tamper, lid: {EXPANDER}"]
    trouble.heard(fault("lid", "works again", record.SYSTEM_RECOVERED))
    trouble.heard(fault("tamper", "works again", record.SYSTEM_RECOVERED))
    assert said[1:] == ["lid: works again", "tamper: works again"]


def test_a_device_whose_own_fault_comes_much_later_is_told_of_then() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "tamper", at_ms=1000))
    trouble.heard(raised("reader_fault", "lid", at_ms=60_000))
    assert said == [f"tamper, lid: {EXPANDER}", f"lid: {EXPANDER}"]


def test_a_new_cause_is_a_line_more_and_the_end_is_one() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "reader"))
    trouble.heard(fault("reader", EXPANDER))
    trouble.heard(fault("reader", "works again", record.SYSTEM_RECOVERED))
    trouble.heard(raised("reader_fault", "reader", record.ALARM_CLEARED))
    assert said == [f"reader: {PORT}", f"reader: {EXPANDER}", "reader: works again"]


def test_a_held_line_is_told_as_one() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "keypad"))
    assert said == ["keypad: a data line is held; expected lines that rest: look at its wiring"]


def test_a_plug_that_was_back_before_its_alarm_is_no_held_line() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "usb"))
    trouble.heard(raised("reader_fault", "usb", record.ALARM_CLEARED))
    assert said == ["usb: was gone; expected a plug and a cable that hold", "usb: works again"]


def test_an_output_that_fails_is_told_with_what_is_wrong() -> None:
    trouble, said = log()
    trouble.heard(fault("strike", "GPIO17: Input/output error; expected the line to be there"))
    trouble.heard(fault("strike", "works again", record.SYSTEM_RECOVERED))
    assert said == [
        "strike: GPIO17: Input/output error; expected the line to be there",
        "strike: works again",
    ]


def test_what_was_told_at_the_start_and_what_is_no_device_is_not_told_here() -> None:
    trouble, said = log(("strike", CHIP))
    trouble.heard(fault("strike", CHIP))
    trouble.heard(fault("journal", "disk full"))
    trouble.heard(raised("door_forced", "front"))
    trouble.heard(raised("reader_fault", "elsewhere"))
    assert said == []


def test_what_a_start_finds_wrong_under_an_alarm_of_before_is_told_once_it_lasts() -> None:
    trouble, said = log()
    trouble.look(0)
    assert said == []
    trouble.look(2000)
    trouble.look(4000)
    assert said == [f"lid, tamper: {EXPANDER}", f"reader: {PORT}"]
    trouble._devices["reader"].problem = ""
    trouble.look(6000)
    trouble.heard(raised("reader_fault", "reader", record.ALARM_CLEARED))
    assert said[2:] == ["reader: works again"]


def test_what_a_record_has_told_is_not_told_again_at_a_look() -> None:
    trouble, said = log()
    trouble.look(0)
    trouble.heard(raised("reader_fault", "reader", at_ms=1000))
    trouble.heard(raised("reader_fault", "lid", at_ms=1000))
    trouble.look(2000)
    trouble.look(4000)
    assert said == [f"reader: {PORT}", f"lid, tamper: {EXPANDER}"]


def test_what_is_over_at_the_next_look_was_nothing() -> None:
    trouble, said = log()
    for at_ms in range(0, 10_000, 2000):
        for one in trouble._devices.values():
            one.problem = PORT if at_ms % 4000 else ""
        trouble.look(at_ms)
    assert said == []


def test_one_that_was_named_in_anothers_line_is_told_to_work_again_without_a_record() -> None:
    trouble, said = log()
    trouble.heard(raised("reader_fault", "lid", at_ms=1000))
    trouble._devices["tamper"].problem = ""
    trouble.look(2000)
    assert said == [f"lid, tamper: {EXPANDER}", "tamper: works again"]
