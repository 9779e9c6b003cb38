"""Opening a board: each line once, safe levels first, and what happens when a line is not to be had."""

from pathlib import Path

import pytest

from hal import board
from hal.errors import DeviceUnavailableError, HalError, LineBusyError, LineUnknownError
from hal.ports import (
    AnalogInput,
    AnalogInputs,
    ByteStream,
    DigitalInputs,
    DigitalOutput,
    Edge,
    Lines,
    SerialPorts,
)

DEMO = str(Path(__file__).parents[2] / "board_configs/demo-sim.toml")


class Recorder(Lines, SerialPorts, AnalogInputs):
    """Lines and ports that write down what is done to them, in order; `refused` are not to be had."""

    def __init__(self, refused: dict[str, HalError] | None = None) -> None:
        self.done: list[tuple[object, ...]] = []
        self.refused = refused or {}

    def _note(self, what: str, name: str, *more: object) -> None:
        if name in self.refused:
            raise self.refused[name]
        self.done.append((what, name, *more))

    def output(self, name: str, active_low: bool, on: bool) -> DigitalOutput:
        self._note("output", name, active_low, on)
        return _Output(self, name)

    def inputs(self, names: list[str], active_low: bool, pull: str) -> DigitalInputs:
        for name in names:
            self._note("input", name, active_low, pull)
        return _Inputs(self, names)

    def stream(self, port: str, baud: int) -> ByteStream:
        self._note("serial", port, baud)
        return _Stream(self, port)

    def channel(self, name: str) -> AnalogInput:
        self._note("analog", name)
        return _Channel(self, name)


class _Channel(AnalogInput):
    def __init__(self, recorder: Recorder, name: str) -> None:
        self.name = name
        self._recorder = recorder

    def read(self) -> int:
        return 325

    def close(self) -> None:
        self._recorder._note("close", self.name)


class _Output(DigitalOutput):
    def __init__(self, recorder: Recorder, name: str) -> None:
        self.name = name
        self._recorder = recorder

    def write(self, on: bool) -> None:
        self._recorder._note("write", self.name, on)

    def read(self) -> bool:
        return False

    def close(self) -> None:
        self._recorder._note("close", self.name)


class _Inputs(DigitalInputs):
    def __init__(self, recorder: Recorder, names: list[str]) -> None:
        self.names = tuple(names)
        self._recorder = recorder

    def levels(self) -> list[bool]:
        return [False] * len(self.names)

    def take(self) -> list[Edge]:
        return []

    def close(self) -> None:
        self._recorder._note("close", *self.names)


class _Stream(ByteStream):
    def __init__(self, recorder: Recorder, port: str) -> None:
        self.name = port
        self._recorder = recorder

    def close(self) -> None:
        self._recorder._note("close", self.name)


def test_every_claimed_line_is_claimed_once_as_claimed() -> None:
    config = board.load(DEMO)
    lines = Recorder()
    opened = board.open_board(config, lines, lines, lines)
    assert opened.problems == []
    assert list(config["devices"]) == sorted(opened.devices, key=list(config["devices"]).index)
    expected: list[tuple[object, ...]] = []
    for claim in board.claims(config):
        if claim.direction == "serial":
            expected.append(("serial", claim.line, 9600))
        elif claim.direction == "analog":
            expected.append(("analog", claim.line))
        elif claim.direction == "output":
            expected.append(("output", claim.line, claim.active == "low", False))
        else:
            expected.append(("input", claim.line, claim.active == "low", claim.pull))
    assert sorted(lines.done, key=str) == sorted(expected, key=str)


def test_locks_are_opened_first_then_outputs_then_inputs() -> None:
    lines = Recorder()
    board.open_board(board.load(DEMO), lines, lines, lines)
    kinds = [what for what, *_ in lines.done]
    assert [name for _, name, *_ in lines.done[:2]] == ["strike", "magnet"]
    assert kinds == sorted(kinds, key=lambda kind: kind != "output")


def test_no_output_is_ever_written_while_the_board_opens() -> None:
    """The magnet too stays without current: REX and fire are read before it is engaged."""
    lines = Recorder()
    board.open_board(board.load(DEMO), lines, lines, lines)
    assert [entry for entry in lines.done if entry[0] == "write"] == []


def test_drivers_get_what_the_config_says() -> None:
    lines = Recorder()
    devices = board.open_board(
        board.load(DEMO, {"devices.siren.max_pulse_ms": 5000}), lines, lines, lines
    ).devices
    assert devices["front-strike"].fail_mode == "fail_secure"
    assert devices["yard-magnet"].fail_mode == "fail_safe"
    assert devices["front-reader"].source.names == ("front-d0", "front-d1")
    assert devices["yard-in-reader"].source.name == "sim:yard-in"
    assert devices["front-led"].red.name == "front-led-red"
    devices["siren"].sound(True, 100)
    assert devices["siren"].deadline_ms == 5100


def test_a_light_with_one_line_has_no_other() -> None:
    lines = Recorder()
    table = {"driver": "led", "green": "front-led-green"}
    led = board.open_board(
        board.load(DEMO, {"devices.front-led": table}), lines, lines, lines
    ).devices["front-led"]
    assert led.red is None
    led.show("red")
    assert lines.done[-1] == ("write", "front-led-green", False)


@pytest.mark.parametrize(
    ("line", "error", "device"),
    [
        ("strike", LineBusyError("strike: busy; expected a free one"), "front-strike"),
        ("front-d1", LineUnknownError("front-d1: none; expected one"), "front-reader"),
        ("sim:yard-in", LineBusyError("sim:yard-in: busy; expected free"), "yard-in-reader"),
        ("yard-exit", DeviceUnavailableError("yard-exit: gone; expected it"), "yard-exit"),
        ("adc0", LineBusyError("adc0: busy; expected free"), "front-contact"),
    ],
)
def test_one_device_that_cannot_be_opened_stops_no_other(
    line: str, error: HalError, device: str
) -> None:
    config = board.load(DEMO)
    lines = Recorder({line: error})
    opened = board.open_board(config, lines, lines, lines)
    assert opened.problems == [(device, str(error))]
    assert set(config["devices"]) - set(opened.devices) == {device}


def test_a_device_on_a_line_that_the_board_lacks_is_told_and_not_tried() -> None:
    config = board.load(DEMO)
    lines = Recorder()
    absent = {"front-strike": 'the rpi4 has no line "GPIO45"; expected GPIO2 to GPIO27'}
    opened = board.open_board(config, lines, lines, lines, absent=absent)
    assert opened.problems == list(absent.items())
    assert set(config["devices"]) - set(opened.devices) == set(absent)
    assert not [one for one in lines.done if one[1] == config["devices"]["front-strike"]["line"]]


def test_half_a_device_is_let_go() -> None:
    lines = Recorder({"front-led-green": LineBusyError("front-led-green: busy; expected free")})
    opened = board.open_board(board.load(DEMO), lines, lines, lines)
    at = lines.done.index(("output", "front-led-red", False, False))
    assert lines.done[at + 1] == ("close", "front-led-red")
    opened.close()
    assert lines.done.count(("close", "front-led-red")) == 1


def test_close_drives_every_output_before_it_lets_inputs_go() -> None:
    config = board.load(DEMO)
    lines = Recorder()
    opened = board.open_board(config, lines, lines, lines)
    claimed = [(what, name) for what, name, *_ in lines.done]
    del lines.done[:]
    opened.close()
    closed = [name for _, name, *_ in lines.done]
    outputs = [name for what, name in claimed if what == "output"]
    assert closed[: len(outputs)] == outputs
    assert opened.problems == []
    opened.close()
    assert len(lines.done) == len(closed)


def test_a_line_that_cannot_be_closed_stops_no_other() -> None:
    lines = Recorder()
    opened = board.open_board(board.load(DEMO), lines, lines, lines)
    del lines.done[:]
    lines.refused["strike"] = DeviceUnavailableError("strike: gone; expected it")
    opened.close()
    assert opened.problems == [("front-strike", "strike: gone; expected it")]
    assert ("close", "magnet") in lines.done


def test_without_analog_inputs_a_supervised_contact_cannot_be_opened_and_the_rest_can() -> None:
    config = board.load(DEMO)
    lines = Recorder()
    opened = board.open_board(config, lines, lines)
    assert (
        "front-contact",
        "adc0: this board has no analog input; expected one",
    ) in opened.problems
    missing = {name for name, _ in opened.problems}
    assert set(opened.devices) | missing == set(config["devices"])
    assert {config["devices"][name]["driver"] for name in missing} == {"supervised_contact"}
