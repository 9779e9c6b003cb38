"""`hal.safe_outputs`: outputs go to their safe level, whatever else of the board or its config is wrong."""

from pathlib import Path

import pytest

from firmware.runtime.aio import VirtualClock
from hal import safe_outputs
from hal.errors import BoardConfigError
from sim.fakes import FakeLines, FakeTicks

CONFIG = {
    "board": "rpi4",
    "portals": "this is no table",
    "devices": {
        "siren": {"driver": "siren", "line": "GPIO5"},
        "strike": {"driver": "lock", "line": "GPIO17", "active": "low", "fail_mode": "fail_secure"},
        "lamp": {"driver": "led", "red": "GPIO6", "green": "GPIO7"},
        "contact": {"driver": "contact", "line": "GPIO9"},
        "nonsense": {"driver": "flux"},
        "no line": {"driver": "lock"},
    },
}


@pytest.fixture
def lines() -> FakeLines:
    return FakeLines(FakeTicks(VirtualClock()))


def test_every_output_is_driven_to_its_safe_level_locks_first_and_let_go(lines: FakeLines) -> None:
    seen: list[tuple[str, bool | None]] = []
    lines.on_output = lambda name, high: seen.append((name, high))
    assert safe_outputs.drive(CONFIG, lines) == []
    driven = [("GPIO17", True), ("GPIO6", False), ("GPIO7", False), ("GPIO5", False)]
    let_go = [(name, None) for name, _ in driven]
    assert seen == driven + let_go
    assert lines.claimed() == []


def test_a_line_that_somebody_has_is_told_and_the_others_are_driven(lines: FakeLines) -> None:
    lines.output("GPIO17", True, False)
    seen = []
    lines.on_output = lambda name, high: seen.append(name)
    problems = safe_outputs.drive(CONFIG, lines)
    assert problems == ["strike: line GPIO17: in use; expected a line that nobody has"]
    assert set(seen) == {"GPIO5", "GPIO6", "GPIO7"}


def test_a_line_that_the_header_has_not_is_told_and_not_driven(lines: FakeLines) -> None:
    seen = []
    lines.on_output = lambda name, high: seen.append(name)
    config = {"devices": {"siren": {"driver": "siren", "line": "GPIO45"}}}
    (told,) = safe_outputs.drive(config, lines)
    assert told == "siren: GPIO45: no line of a board's header; expected GPIO2 to GPIO27"
    assert seen == []


def test_a_file_that_is_no_config_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    with pytest.raises(BoardConfigError, match="no such file or directory; expected a board"):
        safe_outputs.read(str(path))
    path.write_bytes(b"\xff = 1")
    with pytest.raises(BoardConfigError) as told:
        safe_outputs.read(str(path))
    assert str(told.value) == f"{path}: not toml; expected a board config"


def test_an_expanders_outputs_are_found_in_a_config_that_nobody_has_checked() -> None:
    chips = {
        "exp0": {"chip": "mcp23017"},
        "exp1": {"chip": "mcp23017", "bus": "/dev/i2c-3", "address": 0x21},
        "odd": {"chip": "mcp23017", "address": "here"},
        "adc": {"chip": "mcp3008"},
        "none": 3,
    }
    assert safe_outputs.expanders({"chips": chips}) == {
        "exp0": {"chip": "mcp23017", "bus": "/dev/i2c-1", "address": 0x20},
        "exp1": {"chip": "mcp23017", "bus": "/dev/i2c-3", "address": 0x21},
    }
    assert safe_outputs.expanders({"chips": 1}) == {}
    assert safe_outputs.expanders({}) == {}
