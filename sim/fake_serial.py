"""A fake of the board's serial lines, with the devices at their other ends. Portable."""

from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import ByteStream, SerialPorts
from sim.fake_buses import FakeBuses

BUFFER = 4096  #: bytes that wait on one line, as in the kernel; more are lost


class DeviceSide:
    """The device at the end of one line. ``received`` is what the firmware sent to it."""

    def __init__(self) -> None:
        self.plugged = True
        self.received = bytearray()
        self._stream: _Stream | None = None

    def send(self, data: bytes) -> None:
        """Send `data`; lost while it is unplugged or nobody has the line open."""
        if self.plugged and self._stream is not None:
            self._stream.arrive(data)

    def unplug(self) -> None:
        """Pull the plug. What has arrived can no longer be read."""
        if self.plugged:
            self.plugged = False
            if self._stream is not None:
                self._stream.hung_up()

    def plug(self) -> None:
        """Put it back; whoever reads the line has to open it again."""
        self.plugged = True


class _Stream(ByteStream):
    """The firmware's end of one line."""

    wakes = True

    def __init__(self, ports: "FakeSerialPorts", port: str) -> None:
        self.name = port
        self._ports = ports
        self._device = ports.device_side(port)
        self._waiting = bytearray()
        self._open = False
        self._hung_up = False
        self._forgotten = False

    def open(self) -> None:
        """Open the line, with nothing waiting on it."""
        if not self._forgotten:
            self._ports._claim(self.name, self)
        if self._forgotten or not self._device.plugged:
            raise DeviceUnavailableError("%s: not there; expected a device" % self.name)
        self._waiting = bytearray()
        self._open = True
        self._hung_up = False
        self._device._stream = self

    def read(self) -> bytes:
        """What has arrived."""
        self._check()
        data = bytes(self._waiting)
        self._waiting = bytearray()
        return data

    def write(self, data: bytes) -> int:
        """Send `data`; a fake line takes all of it."""
        self._check()
        self._device.received.extend(data)
        return len(data)

    def close(self) -> None:
        """Close the line and let it go."""
        self._shut()
        self._ports._release(self.name, self)

    def arrive(self, data: bytes) -> None:
        """The device has sent something."""
        self._waiting.extend(data[: BUFFER - len(self._waiting)])
        if self.ready is not None:
            self.ready()

    def hung_up(self) -> None:
        """The device has gone: the next `read` says so."""
        self._hung_up = True
        if self.ready is not None:
            self.ready()

    def forget(self) -> None:
        """The power has gone."""
        self._shut()
        self._forgotten = True

    def _check(self) -> None:
        if self._hung_up:
            self._shut()
        if not self._open:
            raise DeviceUnavailableError("%s: not there; expected a device" % self.name)

    def _shut(self) -> None:
        self._open = False
        self._waiting = bytearray()
        if self._device._stream is self:
            self._device._stream = None


class FakeSerialPorts(SerialPorts):
    """The serial lines of one board; every port exists.

    Does not imitate: baud rates (whoever sends paces itself, `sim.wires`), parity and framing errors,
    a line whose other end does not take what is written.
    """

    def __init__(self) -> None:
        #: FakeBuses  those of these lines on which several readers hang
        self.buses = FakeBuses()
        self._devices: dict[str, DeviceSide] = {}
        self._claims: dict[str, _Stream] = {}

    def stream(self, port: str, baud: int) -> ByteStream:
        """Claim `port`."""
        stream = _Stream(self, port)
        self._claim(port, stream)
        return stream

    def device_side(self, port: str) -> DeviceSide:
        """The device at the other end of `port`."""
        if port not in self._devices:
            self._devices[port] = DeviceSide()
        return self._devices[port]

    def power_off(self) -> None:
        """The board loses its power: every claim is forgotten, what waited is lost."""
        self.buses.power_off()
        claims = self._claims
        self._claims = {}
        for port in sorted(claims):
            claims[port].forget()

    def _claim(self, port: str, stream: _Stream) -> None:
        if self._claims.get(port, stream) is not stream:
            raise LineBusyError("%s: in use; expected a port that nobody has" % port)
        self._claims[port] = stream

    def _release(self, port: str, stream: _Stream) -> None:
        if self._claims.get(port) is stream:
            del self._claims[port]
