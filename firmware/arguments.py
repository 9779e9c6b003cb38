"""A command line that is wrong is one line on standard error and exit code 2, for every program here."""

import argparse
import sys
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """As `argparse.ArgumentParser`; `error` says what, where and what was expected, in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and end with 2."""
        line = " ".join(message.split())
        if "; expected" not in line:
            line += f"; expected what {self.prog} --help shows"
        sys.stderr.write(f"{self.prog}: {line}\n")
        raise SystemExit(2)
