"""A wrong word on a command line is one line that names what was nearly right; the same for every program."""

from collections.abc import Callable

import pytest

import firmware.main
import host_tools.main
import sim.main

PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "doorward": firmware.main.main,
    "door-sim": sim.main.main,
    "doorctl": host_tools.main.main,
}


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("doorctl opne front", "doorctl: opne: no such command; did you mean open?"),
        ("doorctl open front --dmeo", "doorctl open: --dmeo: no such option; did you mean --demo?"),
        (
            "doorctl open front --operater=ling",
            "doorctl open: --operater: no such option; did you mean --operator?",
        ),
        (
            "doorctl board shwo demo.toml",
            "doorctl board: shwo: no such verb; did you mean show?",
        ),
        (
            "doorctl open front --port 1",
            "doorctl open: --port: no such option; expected what doorctl open --help shows",
        ),
        ("doorctl --lang fr", "doorctl: fr: no such --lang; expected en or zh"),
        ("doorctl xyzzy", "doorctl: xyzzy: no such command; expected what doorctl --help shows"),
        (
            "doorctl status -x",
            "doorctl status: -x: no such option; expected what doorctl status --help shows",
        ),
        (
            "doorctl open",
            "doorctl open: the following arguments are required: PORTAL; "
            "expected what doorctl open --help shows",
        ),
        ("door-sim sreve", "door-sim: sreve: no such command; did you mean serve?"),
        (
            "door-sim run --sed 3 a.toml",
            "door-sim run: --sed: no such option; did you mean --seed?",
        ),
        ("doorward --bord x.toml", "doorward: --bord: no such option; did you mean --board?"),
    ],
)
def test_a_near_miss_is_named_and_a_wide_one_told_where_to_look(
    command: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *words = command.split()
    with pytest.raises(SystemExit) as end:
        PROGRAMS[program](words)
    out, err = capsys.readouterr()
    assert (end.value.code, out, err) == (2, "", line + "\n")


def test_what_stands_before_a_command_of_doorctl_counts_as_what_stands_behind_it() -> None:
    # Nobody is there: both ways it is the same simulator that is not.
    url = ["--demo", "--url", "http://127.0.0.1:9"]
    assert host_tools.main.main([*url, "open", "front"]) == 1
    assert host_tools.main.main(["open", "front", *url]) == 1


@pytest.mark.parametrize(
    ("words", "prog"), [(["doorward"], "doorward"), (["door-sim", "serve"], "door-sim serve")]
)
@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("", "is empty; expected a folder"),
        ("st\udce9", r"b'st\xe9' is no UTF-8; expected a folder whose name is"),
    ],
)
def test_a_state_folder_that_cannot_be_one_is_one_line(
    words: list[str], prog: str, name: str, flaw: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        PROGRAMS[words[0]]([*words[1:], "--state", name])
    assert (end.value.code, capsys.readouterr().err) == (
        2,
        f"{prog}: argument --state: {flaw}\n",
    )
