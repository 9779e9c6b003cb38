"""`firmware.services.typed_lines`: lines from a pipe as from a terminal, and nothing that hangs."""

import os

from firmware.runtime.waiter import PollWaiter
from firmware.services.typed_lines import LONGEST, TypedLines


class Pipe:
    """A pipe into a `TypedLines`; ``lines`` is what was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waiter = PollWaiter()
        self.read_fd, self.write_fd = os.pipe()
        TypedLines(self.waiter, self.read_fd, self.lines.append).start()

    def types(self, data: bytes) -> None:
        os.write(self.write_fd, data)
        self.waiter.wait(1000)


def test_lines_come_whole_however_they_are_typed() -> None:
    pipe = Pipe()
    pipe.types(b"skip the do")
    assert pipe.lines == []
    pipe.types("or\n跳过 油漆\nno".encode())
    assert pipe.lines == ["skip the door", "跳过 油漆"]
    pipe.types(b"\xff\n")
    assert pipe.lines[2:] == ["no\ufffd"]


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    pipe = Pipe()
    for _ in range(5):
        pipe.types(b"x" * 4000)
    pipe.types(b"\n")
    assert pipe.lines == ["x" * LONGEST]


def test_the_end_of_the_input_is_no_line_and_is_told_once() -> None:
    pipe = Pipe()
    os.close(pipe.write_fd)
    pipe.waiter.wait(1000)
    pipe.waiter.wait(1)
    assert pipe.lines == []


def test_an_input_that_is_closed_or_a_plain_file_is_nobody_typing() -> None:
    waiter = PollWaiter()
    TypedLines(waiter, os.open("/etc/hostname", os.O_RDONLY), print).start()
    TypedLines(waiter, 987, print).start()
    waiter.wait(1)
