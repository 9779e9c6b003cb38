"""`hal.board_chips` and `hal.board_loops`: what may hang on an expander or a converter."""

import tomllib
from pathlib import Path

import pytest

from hal import board, board_loops
from hal.errors import BoardConfigError

PATH = str(Path(__file__).parents[2] / "board_configs/rpi4-supervised-expander.toml")


def test_the_shipped_config_claims_its_chips_lines() -> None:
    claimed = {claim.line for claim in board.claims(board.load(PATH))}
    assert {"adc.CH0", "adc.CH2", "exp0.GPA0", "exp0.GPB2"} <= claimed


@pytest.mark.parametrize(
    ("device", "value", "text"),
    [
        (
            "devices.yard-magnet.line",
            "exp0.GPA3",
            "an expander keeps a lock driven when the board is reset; "
            "expected a line of the board's own such as GPIO17",
        ),
        (
            "devices.yard-tamper.line",
            "exp0.GPB7",
            "an mcp23017's GPB7 is an output only; expected another pin",
        ),
        (
            "devices.yard-tamper.line",
            "exp0.GPC1",
            'no chip of this config has "exp0.GPC1"; the nearest that there is is "exp0.GPB1"',
        ),
        (
            "devices.yard-tamper.line",
            "adc.CH5",
            'no chip of this config has "adc.CH5"; the nearest that there is is "exp0.GPB5"',
        ),
        (
            "devices.yard-contact.input",
            "adc.CH8",
            'no chip of this config has "adc.CH8"; the nearest that there is is "adc.CH7"',
        ),
        (
            "devices.yard-contact.input",
            "exp0.GPA3",
            'no chip of this config has "exp0.GPA3"; the nearest that there is is "adc.CH3"',
        ),
    ],
)
def test_what_may_not_hang_on_a_chip_is_told(device: str, value: str, text: str) -> None:
    with pytest.raises(BoardConfigError) as caught:
        board.load(PATH, {device: value})
    assert f"{PATH}: {device}: {text}" in caught.value.problems


def test_a_pull_down_on_an_expander_is_told() -> None:
    with pytest.raises(BoardConfigError, match='pull-ups only; expected pull = "up", or "none"'):
        board.load(PATH, {"devices.yard-tamper.pull": "down"})


@pytest.mark.parametrize("line", ["GPIO2", "GPIO8", "GPIO11"])
def test_a_buss_lines_are_nobody_elses(line: str) -> None:
    with pytest.raises(BoardConfigError, match=f"{line} is reserved for the bus of chips"):
        board.load(PATH, {"devices.yard-exit.line": line})


def test_two_chips_at_one_place_are_told(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(Path(PATH).read_text() + '\n[chips.exp1]\nchip = "mcp23017"\n')
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path))
    assert caught.value.problems == [
        f"{path}: chips.exp1: /dev/i2c-1 0x20 is already claimed by chips.exp0; "
        "expected a place of its own"
    ]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ('chip = "mcp23018"', 'chip: "mcp23018" is not allowed; expected one of'),
        ('chip = "mcp3008"\naddress = 3', "address: unknown key; the nearest known one is"),
        ('chip = "mcp23017"\naddress = 0x48', "expected a whole number, 32 to 39"),
        ('chip = "mcp23017"\nbus = "/dev/spidev0.0"', "expected an I2C bus such as /dev/i2c-1"),
    ],
)
def test_a_chip_that_is_wrong_is_told(tmp_path: Path, table: str, text: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(Path(PATH).read_text() + f"\n[chips.more]\n{table}\n")
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path))
    assert text in str(caught.value)


# ---- resistors ---------------------------------------------------------------------------------------


def test_the_usual_resistors_make_the_usual_thresholds() -> None:
    entry = board.load(PATH)["devices"]["yard-contact"]
    assert entry["thresholds_permille"] == [160, 502, 845]


def permille(ohm: float, pull_up: float) -> float:
    return 1000 * ohm / (ohm + pull_up)


@pytest.mark.parametrize("resistors", [(1100, 3300, 2200), (1000, 2000, 1500), (4700, 10000, 6800)])
def test_every_state_lies_in_its_band_whatever_the_resistors_are_worth(
    resistors: tuple[int, int, int],
) -> None:
    found = board_loops.thresholds(*resistors, 5)
    assert found is not None
    short, active, cut = found
    series, across, pull_up = resistors
    for off in (0.95, 1.05):
        for other in (0.95, 1.05):
            assert permille(board_loops.CABLE_OHM, pull_up * other) < short - 20
            assert short + 20 < permille(series * off, pull_up * other) < active - 20
            assert active + 20 < permille((series + across) * off, pull_up * other) < cut - 20


@pytest.mark.parametrize("resistors", [(100, 3300, 2200), (1100, 100, 2200), (1100, 100_000, 2200)])
def test_resistors_that_cannot_be_told_apart_are_refused(resistors: tuple[int, int, int]) -> None:
    assert board_loops.thresholds(*resistors, 5) is None


def test_resistors_and_thresholds_are_not_both_given(tmp_path: Path) -> None:
    with pytest.raises(BoardConfigError, match="expected the resistors or the thresholds"):
        board.load(PATH, {"devices.yard-contact.thresholds_permille": [150, 500, 850]})


def test_a_resistor_that_is_missing_is_told(tmp_path: Path) -> None:
    raw = Path(PATH).read_text().replace("across_ohm = 3300\n", "", 1)
    assert tomllib.loads(raw)
    path = tmp_path / "board.toml"
    path.write_text(raw)
    with pytest.raises(BoardConfigError, match="across_ohm: missing; expected all three of"):
        board.load(str(path))
