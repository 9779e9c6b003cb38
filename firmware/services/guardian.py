"""Lets a program that drives outputs run in a child, and sees to it that they are safe when it ends badly.

The child says for how long it drives (`Armed`). One that is killed, crashes or hangs while it drives is
ended, and the outputs are driven to their safe level by who watches.
"""

import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any

LATE_MS = 1500  #: the child has said that it would be at rest by now
END_MS = 5000  #: from the word to end to the end
_LOOK_S = 0.1
CLEAN = (0, 1, 2)  #: exit codes after which the child has left the outputs safe itself

_CRASHED = 3
_UNHEARD = (
    "selftest: nobody reads what it says any more; expected a terminal, or a pipe that stays\n"
)

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: callable (ms)  outputs are driven for at most so long from now on; 0: all are at rest
Armed = Callable[[int], None]


def run(
    work: Callable[[Armed], int], make_safe: Callable[[], object], clock: Callable[[], float]
) -> int:
    """Do `work` in a child; its exit code, or 1 after a line and `make_safe` if it ended otherwise.

    clock  seconds of a clock that nobody sets
    """
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    sys.stdout.flush()
    sys.stderr.flush()
    told: list[int] = []  # signals that came; from before the child lives, so that it gets them all
    before = {number: signal.signal(number, lambda got, _: told.append(got)) for number in _SIGNALS}
    child = os.fork()
    if child == 0:
        os.close(read_fd)
        _restore(before)
        code = _CRASHED
        try:
            code = work(lambda ms: _say(write_fd, ms))
        except BrokenPipeError:
            sys.stderr.write(_UNHEARD)
        except BaseException:  # noqa: BLE001  told, and then ended as every child is
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(write_fd)
    try:
        code = _watch(child, read_fd, told, clock)
    finally:
        os.close(read_fd)
        _restore(before)
    if code in CLEAN:
        return code
    why = f"signal {-code}" if code < 0 else f"exit code {code}"
    sys.stderr.write(f"selftest: ended by {why}; every output goes to its safe level\n")
    sys.stderr.flush()
    make_safe()
    return 1


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _say(fd: int, ms: int) -> None:
    try:
        os.write(fd, b"%d\n" % ms)
    except (BlockingIOError, BrokenPipeError):
        pass  # nobody watches any more, or who watches has much to read: neither stops a step


def _watch(child: int, fd: int, told: list[int], clock: Callable[[], float]) -> int:
    """Until the child has ended; its exit code, or minus the signal that ended it."""
    due: float | None = None
    end: float | None = None
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if told:
            os.kill(child, told[-1])
            told.clear()
            end = clock() + END_MS / 1000 if end is None else end
        if select.select([fd], [], [], _LOOK_S)[0]:
            word = os.read(fd, 1 << 16).split()
            if not word:  # the child has closed it: it ends
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            ms = int(word[-1])
            due = clock() + (ms + LATE_MS) / 1000 if ms else None
        if any(at is not None and clock() > at for at in (due, end)):
            os.kill(child, signal.SIGKILL)
            due = end = None
