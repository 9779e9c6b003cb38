"""A command line that is wrong is one line on standard error and exit code 2, for every program here.

What was nearly right is named: a command, an option, one of a few words.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

_FEW = 6  #: so many choices are listed where none is near
_NEAR = 0.6  #: how alike two words are, of 1, to be named for one another


class Help(argparse.RawDescriptionHelpFormatter):
    """As `argparse` has it, without the modules that it loads to learn how wide a terminal is."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size().columns
        except (OSError, ValueError):
            columns = 80
        super().__init__(prog, width=columns - 2)


class Parser(argparse.ArgumentParser):
    """As `argparse.ArgumentParser`; `error` says what, where and what was expected, in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and end with 2."""
        line = " ".join(message.split())
        if "; expected" not in line and "; did you mean" not in line:
            line += f"; expected what {self.prog} --help shows"
        sys.stderr.write(f"{self.prog}: {line}\n")
        raise SystemExit(2)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `argparse` has it; an option that is none is an error here, where its neighbours are known."""
        found, rest = super().parse_known_args(args, namespace)
        wrong = [word.split("=")[0] for word in rest if word.startswith("-") and word != "--"]
        if wrong:
            near = nearest(wrong[0], self._option_string_actions)
            hint = f"; did you mean {near}?" if near else ""
            self.error(f"{wrong[0]}: no such option{hint}")
        return found, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(one) for one in action.choices]
        what = action.option_strings[-1] if action.option_strings else action.metavar
        near = nearest(str(value), known)
        line = f"{value}: no such {str(what or action.dest).lower()}"
        if near:
            self.error(f"{line}; did you mean {near}?")
        if len(known) <= _FEW:
            self.error(f"{line}; expected {' or '.join(known)}")
        self.error(line)


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` is most like; "" where none is."""
    import difflib

    plain = {one.lstrip("-"): one for one in known}  # the dashes are no likeness
    found = difflib.get_close_matches(word.lower().lstrip("-"), list(plain), 1, _NEAR)
    return plain[found[0]] if found else ""


def folder_name(text: str) -> str:
    """The name of a folder of ours, as an option gives it. Raises `argparse.ArgumentTypeError`."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; expected a folder")
    try:
        text.encode()
    except UnicodeEncodeError:  # SQLite's names are UTF-8
        raise argparse.ArgumentTypeError(
            f"{os.fsencode(text)!r} is no UTF-8; expected a folder whose name is"
        ) from None
    return text
