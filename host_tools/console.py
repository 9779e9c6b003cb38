"""How `doorctl` speaks: signs, colours where there is a terminal, questions, and lines about wrong use."""

import os
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO

DONE, LOOK, WRONG, UNKNOWN, PLAIN = "✓", "!", "✗", "?", " "

_ASCII = {DONE: "+", LOOK: "!", WRONG: "x", UNKNOWN: "?", PLAIN: " "}
_COLOURS = {DONE: "32", LOOK: "33", WRONG: "31", UNKNOWN: "36"}
WIDTH = 80


class UseError(Exception):
    """Wrong use or bad input: one line, ``what: what was wrong; what was expected``; exit code 2."""


class FailedError(Exception):
    """It could not be done: one line; exit code 1."""


class Console:
    """Where `doorctl` writes to and asks.

    color  str   "auto" (a terminal, and no ``NO_COLOR``), "always" or "never"
    ascii  bool  signs for consoles that know no others
    yes    bool  answers every question
    """

    def __init__(
        self,
        color: str = "auto",
        ascii: bool = False,
        yes: bool = False,
        out: TextIO | None = None,
        entry: TextIO | None = None,
    ) -> None:
        self._out = out or sys.stdout
        self._in = entry or sys.stdin
        self._ascii = ascii
        self._yes = yes
        wanted = self._out.isatty() and not os.environ.get("NO_COLOR")
        self._colour = color == "always" or (color == "auto" and wanted)

    def say(self, sign: str, text: str, details: Iterable[str] = ()) -> None:
        """The result first, in one line; then the details below it."""
        first, *more = _wrapped(text)
        self._out.write(f"{self.sign(sign)} {first}\n")
        for line in (*more, *(part for detail in details for part in _wrapped(detail))):
            self._out.write(f"  {line}\n")
        self._out.flush()

    def line(self, text: str) -> None:
        """One line as it is."""
        self._out.write(text + "\n")
        self._out.flush()

    def sign(self, sign: str) -> str:
        """A sign as this console can show it."""
        shown = _ASCII[sign] if self._ascii else sign
        if self._colour and sign in _COLOURS:
            return f"\x1b[{_COLOURS[sign]}m{shown}\x1b[0m"
        return shown

    def confirm(self, command: str, will: str, ask: str, word: str) -> bool:
        """Whether somebody types `word`, having read what `command` will do.

        Raises `UseError` where nobody can be asked and ``--yes`` was not given.
        """
        if self._yes:
            return True
        if not self._in.isatty():
            raise UseError(f"{command}: nobody can be asked here; expected --yes")
        sys.stderr.write(f"{self.sign(LOOK)} {will}\n{ask}")
        sys.stderr.flush()
        return self._in.readline().strip() == word


def _wrapped(text: str) -> list[str]:
    """In lines that fit beside a sign; columns that are aligned stay so."""
    if len(text) <= WIDTH - 2:
        return [text]
    return textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)


def printable(text: str) -> str:
    """`text` on one line: what would break the line or turn the terminal is written as its code."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
