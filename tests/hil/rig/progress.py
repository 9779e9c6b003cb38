"""Lines of progress, and tables, past pytest's capture: what takes minutes says what it does."""

import contextlib
import sys
from typing import Any

#: pytest's plugin that captures; None: nothing does.
capture: Any = None


def say(text: str) -> None:
    """One line to the person who waits."""
    off = contextlib.nullcontext() if capture is None else capture.global_and_fixture_disabled()
    with off:
        print(f"hil: {text}", file=sys.stderr, flush=True)
