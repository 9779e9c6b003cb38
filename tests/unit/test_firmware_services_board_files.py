"""`firmware.services.board_files`: a config that was sent is tried, kept or dropped."""

from pathlib import Path
from typing import Any

import pytest

import hal.board
from firmware.services import board_files, whole_files
from hal.errors import BoardConfigError

GIVEN = str(Path(__file__).parents[2] / "board_configs/rpi4-one-door.toml")
TEXT = Path(GIVEN).read_text()


def _choose(folder: Path) -> board_files.Chosen:
    return board_files.choose(str(folder), GIVEN, hal.board.load, BoardConfigError)


def _offer(folder: Path, text: str) -> str:
    now = hal.board.load(GIVEN)
    return board_files.offer(str(folder), text, now, hal.board.load, BoardConfigError)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_another_the_config_that_is_given_is_used(tmp_path: Path) -> None:
    chosen = _choose(tmp_path)
    assert (chosen.path, chosen.trial, chosen.problems) == (GIVEN, False, [])


def test_a_sent_config_is_on_trial_until_it_is_kept_and_then_used_in_place_of_the_given(
    tmp_path: Path,
) -> None:
    assert _offer(tmp_path, TEXT + "# sent\n") == ""
    assert board_files.in_use(str(tmp_path), GIVEN) == GIVEN
    chosen = _choose(tmp_path)
    assert (Path(chosen.path).name, chosen.trial) == ("board.next.toml", True)
    assert board_files.in_use(str(tmp_path), GIVEN) == chosen.path
    board_files.keep(str(tmp_path))
    assert _files(tmp_path) == ["board.toml"]
    chosen = _choose(tmp_path)
    assert (Path(chosen.path).name, chosen.trial) == ("board.toml", False)
    assert board_files.in_use(str(tmp_path), GIVEN) == chosen.path
    assert board_files.lasting(str(tmp_path), GIVEN) == chosen.path


def test_one_that_never_decides_is_dropped_after_two_starts_and_the_one_before_runs(
    tmp_path: Path,
) -> None:
    assert _offer(tmp_path, TEXT + "# first\n") == ""
    _choose(tmp_path)
    board_files.keep(str(tmp_path))
    assert _offer(tmp_path, TEXT + "# second\n") == ""
    assert [_choose(tmp_path).trial for _ in range(2)] == [True, True]
    chosen = _choose(tmp_path)
    assert Path(chosen.path).name == "board.toml"
    assert chosen.problems == ["config: did not start 2 times; the one before is used"]
    assert "# first" in Path(chosen.path).read_text()
    assert _files(tmp_path) == ["board.dropped.toml", "board.toml"]
    assert _choose(tmp_path).problems == []


def test_a_new_one_has_its_own_tries(tmp_path: Path) -> None:
    assert _offer(tmp_path, TEXT) == ""
    _choose(tmp_path)
    _choose(tmp_path)
    assert _offer(tmp_path, TEXT + "# better\n") == ""
    assert _choose(tmp_path).trial


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("egress = ", "egres = "), "egres"),
        (('name = "', 'name = "other-'), "controller.name: "),
        (('board = "rpi4"', 'board = "cm4"'), 'board: "cm4" is another one; expected "rpi4"'),
        (("schema = 1", "schema = 1 ="), "not TOML"),
        (("schema = 1", "schema = 1 # \ud800"), "not UTF-8"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_stored(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    wrong = TEXT.replace(*change, 1)
    assert wrong != TEXT
    problem = _offer(tmp_path, wrong)
    assert told in problem
    assert "\n" not in problem
    assert str(tmp_path) not in problem
    assert [name for name in _files(tmp_path) if "new" not in name] == []
    assert not _choose(tmp_path).trial


def test_every_mistake_is_named(tmp_path: Path) -> None:
    problem = _offer(tmp_path, TEXT.replace("schema = 1", "schema = 9\ncolour = 1\nshape = 2", 1))
    assert problem.count(" | ") >= 2


def test_a_kept_one_that_has_become_wrong_leaves_the_given_one(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text("schema = 9\n")
    chosen = _choose(tmp_path)
    assert chosen.path == GIVEN
    assert len(chosen.problems) == 1
    assert chosen.problems[0].endswith(f"; {GIVEN} is used")


def test_a_trial_that_cannot_be_counted_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _offer(tmp_path, TEXT) == ""

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files, "write", full)
    chosen = _choose(tmp_path)
    assert (chosen.path, chosen.trial) == (GIVEN, False)
    assert chosen.problems == [
        "config: cannot be tried (no space left on device); the one before is used"
    ]
