"""What a test starts ends with it, however it ends."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def end_with_us() -> None:
    """For a child, before it runs its program: it does not outlive the thread that starts it (prctl(2)).

    A program that changes its user afterwards is no longer bound.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
