"""Lines of progress, and tables, past pytest's capture: what takes minutes says what it does."""

import contextlib
import sys
import threading
from typing import Any

_one_at_a_time = threading.Lock()

#: pytest's plugin that captures; None: nothing does.
capture: Any = None


def say(text: str) -> None:
    """One line to the person who waits."""
    off = contextlib.nullcontext() if capture is None else capture.global_and_fixture_disabled()
    with _one_at_a_time, off:
        print(f"hil: {text}", file=sys.stderr, flush=True)
