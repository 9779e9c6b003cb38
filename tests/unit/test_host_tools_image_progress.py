"""A bar on a terminal after two seconds, one line for each step in a log."""

import io

from host_tools.image.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def walk(out: io.StringIO) -> str:
    """A step of 4 s, one of 1 s."""
    clock = Clock()
    progress = Progress(out, clock)
    progress.begin("root", 100_000_000)
    for tenth in range(41):
        clock.now_s = tenth / 10
        progress.at(tenth * 2_500_000)
    progress.end("100 MB")
    progress.begin("check")
    clock.now_s += 1
    progress.at(1)
    progress.end()
    return out.getvalue()


def test_a_log_gets_a_line_for_each_step_and_nothing_else() -> None:
    assert walk(io.StringIO()) == "root: 100 MB, 4.0 s\ncheck: 1.0 s\n"


def test_a_terminal_gets_a_bar_after_two_seconds_that_moves_calmly() -> None:
    drawn = walk(Terminal()).split("\r")
    bars = [line for line in drawn if "[" in line]
    assert bars[0] == "root: [############............] 50 of 100 MB"
    assert len(bars) <= 11
    assert not any("check: [" in line for line in drawn)


def test_a_bar_is_gone_when_its_step_is_done() -> None:
    *_, bar, blank, said = walk(Terminal()).split("\n")[0].split("\r")
    assert blank == " " * len(bar)
    assert said == "root: 100 MB, 4.0 s"


def test_a_step_whose_end_nobody_knows_shows_how_long_it_takes() -> None:
    clock, out = Clock(), Terminal()
    progress = Progress(out, clock)
    progress.begin("check")
    clock.now_s = 3.0
    progress.at(5)
    assert out.getvalue().endswith("\rcheck: 3 s")
    progress.broken()
    assert out.getvalue().endswith("\r          \r")
