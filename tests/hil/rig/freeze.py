"""Runs in the guest: stops the first thread of a process, where its loop runs, and none of its others.

freeze.py PID: ends with that process. A debugger's stop (ptrace): a signal would stop every thread.
"""

import ctypes
import os
import sys

#: linux/ptrace.h, linux/wait.h
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000


def main(pid: int) -> int:
    """Stop it and wait for its end."""
    libc = ctypes.CDLL(None, use_errno=True)
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, pid, None, None):
            raise OSError(ctypes.get_errno(), f"process {pid} cannot be stopped")
    while os.WIFSTOPPED(os.waitpid(pid, WALL)[1]):
        pass  # it stays so
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
