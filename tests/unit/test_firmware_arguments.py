"""`firmware.arguments`: wrong use of any program is one line and exit code 2."""

from collections.abc import Callable

import pytest

import firmware.main
import host_tools.main
import sim.main

PROGRAMS = {
    "doorward": firmware.main.main,
    "door-sim": sim.main.main,
    "doorctl": host_tools.main.main,
}
WRONG = [
    ("doorward", []),
    ("doorward", ["--board"]),
    ("doorward", ["--bord", "x.toml"]),
    ("doorward", ["--board", "x.toml", "two\nlines"]),
    ("door-sim", []),
    ("door-sim", ["fly"]),
    ("door-sim", ["run"]),
    ("door-sim", ["serve", "--port", "99999"]),
    ("door-sim", ["run", "x.toml", "--seed", "many"]),
    ("doorctl", ["fly"]),
    ("doorctl", ["watch", "--demo", "--lang", "la"]),
]


@pytest.mark.parametrize(("program", "argv"), WRONG)
def test_wrong_use_is_one_line_that_says_what_was_expected(
    program: str, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main: Callable[[list[str]], int] = PROGRAMS[program]
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(program)
    assert said.err.count("\n") == 1
    assert said.err.endswith("\n")
    assert "; expected" in said.err


def test_an_argument_that_says_itself_what_was_expected_is_not_told_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        sim.main.main(["serve", "--port", "99999"])
    said = capsys.readouterr().err
    assert said == "door-sim serve: argument --port: 99999: no port; expected 0 to 65535\n"
