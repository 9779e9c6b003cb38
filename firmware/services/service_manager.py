"""systemd's side of a service: what it is told, and its watchdog as the port `Watchdog`.

Speaks the notification protocol of sd_notify(3) by itself: datagrams to the socket that ``NOTIFY_SOCKET``
names, a path or an abstract name (``@``). Nothing here ever waits: what the socket does not take now goes
with the next word. Without systemd every call does nothing.
"""

import os
import socket
from collections.abc import MutableMapping

from hal.errors import DeviceUnavailableError
from hal.ports import Watchdog

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager(Watchdog):
    """Who started this process, if it is one that wants to know.

    environment  where its wishes stand; they are taken out, so that no child speaks for us
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        given = {name: environment.pop(name, "") for name in _VARIABLES}
        self._address = _address(given["NOTIFY_SOCKET"])
        self._socket: socket.socket | None = None
        self._unsaid: list[str] = []
        self._refused = False  # the socket was full at the last word
        #: bool  somebody started this process who wants to know, and starts it again
        self.started = self._address != ""
        #: int  how soon it must be petted again; 0: it does not watch this process
        self.timeout_ms = 0
        if given["WATCHDOG_PID"] in ("", str(os.getpid())) and given["WATCHDOG_USEC"].isdecimal():
            self.timeout_ms = int(given["WATCHDOG_USEC"]) // 1000

    def ready(self, status: str) -> None:
        """The controller decides."""
        self._say("READY=1", "STATUS=" + status)

    def status(self, status: str) -> None:
        """One line for who looks at the service."""
        self._say("STATUS=" + status)

    def stopping(self) -> None:
        """A clean end has begun."""
        self._say("STOPPING=1")

    def pet(self) -> None:
        """See `Watchdog.pet`."""
        if self.timeout_ms or self._unsaid:
            self._say("WATCHDOG=1")

    def close(self) -> None:
        """Say no more. systemd itself stops its watchdog with the service."""
        self._address = ""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, *words: str) -> None:
        if not self._address:
            return
        said = self._unsaid + [" ".join(word.split()) for word in words]
        self._unsaid = [word for word in said if word != "WATCHDOG=1"]  # what must not be lost
        try:
            if self._socket is None:
                self._socket = socket.socket(
                    socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
                )
                self._socket.setblocking(False)
            self._socket.sendto("\n".join(said).encode(), self._address)
        except BlockingIOError:
            self._refused = True
            return  # it is busy, and is told with the next word
        except OSError as error:
            reason = (error.strerror or "unknown").lower()
            raise DeviceUnavailableError(
                f"service manager: {reason}; expected its socket (NOTIFY_SOCKET)"
            ) from error
        self._unsaid = []
        self._refused = False


def _address(name: str) -> str:
    return "\0" + name[1:] if name.startswith("@") else name
