"""How the link's process comes by its channel to the door, and whom it tells that it lives.

As the door's child it is given one end of a socket pair. As a service of its own it calls at a path, and
waits while nobody is there. systemd's watchdog is petted at each turn of its loop, so a link that hangs
is started anew; there is no other who could end it.
"""

import contextlib
import select
import signal
import socket
from collections.abc import Callable
from types import FrameType

from firmware.services.service_manager import ServiceManager
from hal.errors import HalError

CALL_S = 0.5  #: between two calls at a door that is not there
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(Exception):
    """The door process, or systemd, wants no more."""


class Gone(Exception):
    """The door process has ended without a word."""


class Life:
    """Whether this process is to go on. As a child it is the door alone that says so."""

    def __init__(self) -> None:
        #: bool  to say goodbye and end
        self.over = False
        self._at_once = False
        self._service = ServiceManager()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def fileno(self) -> int:
        """Readable once it is over."""
        return self._woken.fileno()

    def hear_signals(self) -> None:
        """From here on a signal is what `stop` is from a door."""
        for number in SIGNALS:
            signal.signal(number, self._signalled)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def ignore_signals(self) -> None:
        """They reach the door too, which then says `stop`."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def blocking(self, on: bool) -> None:
        """While on, `Ended` comes at once: nothing has been said that needs a goodbye."""
        self._at_once = on
        if on and self.over:
            raise Ended

    def goes_on(self) -> None:
        """One more turn."""
        with contextlib.suppress(HalError):
            self._service.pet()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self.over = True
        if self._at_once:
            raise Ended


def given(number: str) -> socket.socket | None:
    """The socket of a descriptor, if there is one."""
    try:
        return socket.socket(fileno=int(number))
    except (ValueError, OSError):
        return None


def called(path: str, life: Life, say: Callable[[str], None]) -> socket.socket:
    """The door at `path`, once it is there. Raises `Ended`; `ValueError` if nobody ever can be there."""
    said = ""
    while True:
        life.goes_on()
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.connect(path)
        except OSError as error:
            door.close()
            if error.errno is None:
                raise ValueError(str(error)) from None
            reason = (error.strerror or "unknown").lower()
        else:
            return door
        if reason != said:
            said = reason
            say(f"{path}: {reason}; waiting for the door")
        select.select([life], [], [], CALL_S)
        if life.over:
            raise Ended
