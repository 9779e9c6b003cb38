"""The link as a child of the door process, over a socket pair: how a controller without systemd runs.

It has the same user as the door, and ends with it; one that hangs is ended and another one started. With
systemd the link is a service of its own (`link_socket`), and systemd sees to that.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from firmware.runtime import aio
from firmware.services.link import Link

LOOK_MS = 20_000  #: so often it must have said something since: it does each 10 s
SILENT_LIMIT = 4  #: looks in a row that found nothing; opening a connection may take one or two

CHILD = "firmware.services.link_process"  #: the module that the child runs


class LinkProcess(Link):
    """See `Link`; here the door starts the other process, and starts it again."""

    def __init__(
        self, link: dict[str, Any], site: str, controller: str, loop: aio.Loop, will_payload: str
    ) -> None:
        super().__init__(link, site, controller, loop, will_payload)
        self._child: subprocess.Popen[bytes] | None = None
        self._look: aio.Timer | None = None
        self._silent = 0  # looks in a row

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return None if self._child is None else self._child.pid

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            number = str(theirs.fileno())
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", CHILD, number],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    close_fds=True,
                    env=_environment(),
                )
            except OSError as error:
                ours.close()
                reason = (error.strerror or "unknown").lower()
                self._say(False, f"link: its process does not start ({reason}); trying again")
                self._later()
                return
        self._attach(ours)
        self._silent = 0
        self._look_later()

    def _take(self, data: bytes) -> None:
        self._silent = 0
        super()._take(data)

    def _look_later(self) -> None:
        self._look = self._loop.call_at(self._loop.now_ms() + LOOK_MS, self._see_whether_it_lives)

    def _see_whether_it_lives(self) -> None:
        self._silent += 1  # of ours that did not run nothing is counted, however long that was
        if self._silent > SILENT_LIMIT:
            self._lost("link: its process hangs; expected a sign of life each 10 s")
        else:
            self._look_later()

    def _let_go(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


def _environment() -> dict[str, str]:
    """Ours, and where this package is: the child must find the same one, and not the current folder's."""
    root = str(Path(__file__).resolve().parents[2])
    others = os.environ.get("PYTHONPATH")
    path = f"{root}{os.pathsep}{others}" if others else root
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
