"""Lines of progress, and tables, past pytest's capture: what takes minutes says what it does."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from host_tools.image.progress import Progress

_one_at_a_time = threading.Lock()

#: pytest's plugin that captures; None: nothing does.
capture: Any = None


def say(text: str) -> None:
    """One line to the person who waits."""
    with _one_at_a_time, _past_it():
        print(f"hil: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def steps() -> Iterator[Progress]:
    """The steps of something long, for the person who waits; nobody may `say` anything meanwhile."""
    with _one_at_a_time, _past_it():
        yield Progress(sys.stderr)


def _past_it() -> contextlib.AbstractContextManager[Any]:
    if capture is None:
        return contextlib.nullcontext()
    off: contextlib.AbstractContextManager[Any] = capture.global_and_fixture_disabled()
    return off
