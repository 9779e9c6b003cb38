"""Where a link process meets the door process: a path that is bound here, or a socket that systemd gave.

sd_listen_fds(3) by itself: ``LISTEN_PID``, ``LISTEN_FDS``, ``LISTEN_FDNAMES``; the first descriptor is 3.
"""

import os
import socket
import stat
from collections.abc import MutableMapping

from hal.errors import DeviceUnavailableError

FIRST = 3  #: descriptor, by systemd's rule
NAME = "link"  #: ``FileDescriptorName=`` of the socket unit
MODE = 0o660  #: of the path: the door's user and the group that the folder gives it
BACKLOG = 4  #: links that knock while nobody listens; one is the rule
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


class Listener:
    """A place to be called at; `open` gives its socket, which never waits.

    path   str | None     bound by `open`, and removed by `close`
    given  socket | None  systemd's: there before us, and after us
    """

    def __init__(self, path: str | None = None, given: socket.socket | None = None) -> None:
        self._path = path
        self._socket = given
        self._bound = False

    def open(self) -> socket.socket:
        """The socket; the same one each time. Raises `DeviceUnavailableError`."""
        if self._socket is None:
            assert self._path is not None
            self._socket = _bind(self._path)
            self._bound = True
        self._socket.setblocking(False)
        return self._socket

    def close(self) -> None:
        """Be called no more. What systemd gave stays with systemd."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._bound and self._path is not None:
            self._bound = False
            try:
                os.unlink(self._path)
            except OSError:
                pass  # somebody was faster


def inherited(environment: MutableMapping[str, str] = os.environ) -> Listener | None:
    """What systemd's socket unit has given to this process, if one has. Raises `DeviceUnavailableError`.

    Its words are taken out of `environment`: they are for nobody else.
    """
    given = {name: environment.pop(name, "") for name in _VARIABLES}
    if given["LISTEN_PID"] != str(os.getpid()) or not given["LISTEN_FDS"].isdecimal():
        return None
    names = given["LISTEN_FDNAMES"].split(":")
    found = None
    for number in range(int(given["LISTEN_FDS"])):
        os.set_inheritable(FIRST + number, False)
        if names[number : number + 1] in ([NAME], [""], []) and found is None:
            found = _given(FIRST + number)
    return None if found is None else Listener(given=found)


def _given(descriptor: int) -> socket.socket:
    try:
        one = socket.socket(fileno=descriptor)
    except OSError:
        raise _wrong() from None
    listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if one.family != socket.AF_UNIX or one.type != socket.SOCK_STREAM or not listens:
        one.detach()
        raise _wrong()
    return one


def _wrong() -> DeviceUnavailableError:
    return DeviceUnavailableError(
        "link: what LISTEN_FDS gives is no listening unix stream socket; expected ListenStream=PATH"
    )


def _bind(path: str) -> socket.socket:
    _clear(path)
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.bind(path)
        os.chmod(path, MODE)  # until it listens, whoever may open it is turned away
        one.listen(BACKLOG)
    except OSError as error:
        one.close()
        raise _unbound(path, (error.strerror or str(error)).lower()) from None
    return one


def _clear(path: str) -> None:
    """Remove the socket of a door that has died; another's is left alone, and so is any other file."""
    try:
        if not stat.S_ISSOCK(os.stat(path, follow_symlinks=False).st_mode):
            raise _unbound(path, "is there, and no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
            except BlockingIOError:
                raise _unbound(path, "used by another doorward") from None
            else:
                raise _unbound(path, "used by another doorward")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unbound(path, (error.strerror or str(error)).lower()) from None


def _unbound(path: str, reason: str) -> DeviceUnavailableError:
    return DeviceUnavailableError(
        f"link: {path}: {reason}; expected a free path that may be bound (--link-socket)"
    )
