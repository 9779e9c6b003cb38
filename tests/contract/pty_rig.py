"""A serial device at the other end of a pseudo-terminal, which can be pulled out.

Does not imitate: baud rates, parity and framing errors, modem lines (a pseudo-terminal has none).
"""

import contextlib
import fcntl
import os
import select
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stream_checks import StreamRig

from hal.backends.pyserial_port import PyserialPorts
from hal.ports import ByteStream

_PATIENCE_MS = 60_000  #: a test that waits longer hangs; nothing is judged by it


class PtyRig(StreamRig):
    """The pyserial backend on a link, as udev makes one, to a pseudo-terminal."""

    fills = True

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="doorward-pty-")
        self.name = str(Path(self._folder.name) / "ttyUSB0")
        self.ports: PyserialPorts = PyserialPorts()
        self.plug()

    def plug(self) -> None:
        self.master, self._slave = os.openpty()
        os.symlink(os.ttyname(self._slave), self.name)

    @contextlib.contextmanager
    def plug_for_another(self) -> Iterator[None]:
        """It is there again, and as long as this lasts another program has it."""
        self.master, self._slave = os.openpty()
        fcntl.flock(self._slave, fcntl.LOCK_EX)
        os.symlink(os.ttyname(self._slave), self.name)
        yield
        fcntl.flock(self._slave, fcntl.LOCK_UN)

    def unplug(self) -> None:
        os.unlink(self.name)
        os.close(self._slave)
        os.close(self.master)

    def send(self, data: bytes) -> None:
        assert os.write(self.master, data) == len(data)
        # The kernel hands bytes on in a task of its own.
        _wait(self._slave)

    def received(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            _wait(self.master)
            data += os.read(self.master, 65_536)
        return data

    def settle(self, stream: ByteStream) -> None:
        if stream.fileno() >= 0:
            _wait(stream.fileno())

    def close(self) -> None:
        for stream in list(self.ports._claims.values()):
            stream.close()
        for descriptor in (self._slave, self.master):
            os.close(descriptor)
        self._folder.cleanup()


def _wait(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    assert poll.poll(_PATIENCE_MS), "nothing came; expected bytes or a hang-up"
