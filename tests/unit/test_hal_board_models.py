"""`hal.board_models`: a config for another machine than this one is told, and by its right name."""

from pathlib import Path

import pytest

from hal import board_facts, board_models
from hal.backends import device_tree


@pytest.mark.parametrize(
    ("model", "board"),
    [
        ("Raspberry Pi Zero 2 W Rev 1.0", "rpi-zero2w"),
        ("Raspberry Pi 3 Model B Rev 1.2", "rpi3b"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "rpi3b-plus"),
        ("Raspberry Pi 4 Model B Rev 1.4", "rpi4"),
        ("Raspberry Pi 400 Rev 1.0", "rpi4"),
        ("Raspberry Pi 5 Model B Rev 1.0", "rpi5"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "cm4"),
        ("Raspberry Pi Compute Module 5 Rev 1.0", "cm5"),
        ("Raspberry Pi 2 Model B Rev 1.1", None),
        ("Orange Pi 3", None),
    ],
)
def test_a_machine_is_named_by_how_its_model_begins(model: str, board: str | None) -> None:
    assert board_models.named(model) == board


def test_every_board_that_has_a_chip_has_its_models() -> None:
    real = {name for name, facts in board_facts.BOARDS.items() if facts.chip_label}
    assert real - set(board_models.MODELS) == set()


def test_a_config_for_its_own_machine_is_no_problem() -> None:
    assert board_models.problem("rpi4", "Raspberry Pi 4 Model B Rev 1.4") is None


def test_a_machine_that_says_no_model_is_no_problem() -> None:
    assert board_models.problem("rpi4", None) is None
    assert board_models.problem("sim", "Raspberry Pi 4 Model B Rev 1.4") is None


def test_a_config_for_another_machine_says_which_board_this_is() -> None:
    assert board_models.problem("rpi4", "Raspberry Pi 5 Model B Rev 1.0") == (
        'board: the config is for "rpi4" and this machine is a Raspberry Pi 5 Model B Rev 1.0; '
        'expected board = "rpi5"'
    )


def test_a_machine_that_nobody_knows_is_told_with_the_boards_there_are() -> None:
    said = board_models.problem("rpi4", "Orange Pi 3")
    assert said is not None
    assert said.startswith('board: the config is for "rpi4" and this machine is a Orange Pi 3; ')
    assert "rpi-zero2w" in said


def test_the_model_is_read_up_to_its_zero_byte(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert device_tree.model(str(path)) == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_model_never_breaks_a_line(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"Pi\n4\x1b\xff" * 100)
    model = device_tree.model(str(path))
    assert model is not None
    assert model.isprintable()
    assert len(model) <= 100


@pytest.mark.parametrize("content", [None, b"", b"\0"])
def test_a_machine_without_a_model_has_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "model").write_bytes(content)
    assert device_tree.model(str(tmp_path / "model")) is None


def test_the_door_service_can_read_where_the_model_is_told() -> None:
    unit = Path(__file__).parents[2] / "firmware/units/doorward-door.service"
    assert (
        "ProcSubset=pid" in unit.read_text().splitlines()
    )  # it sees processes, and no more of /proc
    assert not device_tree.MODEL.startswith("/proc/")
