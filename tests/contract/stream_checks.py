# portable
"""What every implementation of `hal.ports.SerialPorts` owes its callers, as checks of a `StreamRig`.

Portable. A check returns None, or in words why it does not apply to this rig.
"""

from line_checks import refused

from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import ByteStream, SerialPorts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_BYTE = bytes(range(256))


class StreamRig:
    """One implementation with a device at the other end; fresh for each check.

    name    the port
    fills   whether a line can be full
    ports   the implementation
    """

    name = "port"
    fills = False
    ports: SerialPorts

    def send(self, data: bytes) -> None:
        """The device sends."""
        raise NotImplementedError

    def received(self, count: int) -> bytes:
        """What the device has been sent; waits until that is `count` bytes."""
        raise NotImplementedError

    def unplug(self) -> None:
        """Pull the device out."""
        raise NotImplementedError

    def plug(self) -> None:
        """Put a device back in."""
        raise NotImplementedError

    def settle(self, stream: ByteStream) -> None:
        """Wait until `stream` has something to say. A fake has nothing to wait for."""

    def close(self) -> None:
        """Take it down."""


def opened(rig: StreamRig) -> ByteStream:
    """A stream for the rig's port, open."""
    stream = rig.ports.stream(rig.name, 9600)
    stream.open()
    return stream


def arrived(rig: StreamRig, stream: ByteStream, count: int) -> bytes:
    """The next `count` bytes, in as many reads as it takes."""
    data = b""
    while len(data) < count:
        rig.settle(stream)
        part = stream.read()
        assert len(part) <= 4096
        data += part
    return data


def check_a_stream_begins_closed(rig: StreamRig) -> "str | None":
    stream = rig.ports.stream(rig.name, 9600)
    assert stream.name == rig.name
    assert stream.fileno() == -1
    refused(DeviceUnavailableError, stream.read, rig.name)
    refused(DeviceUnavailableError, lambda: stream.write(b"?"), rig.name)
    return None


def check_nothing_arrives_before_something_is_sent(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    assert stream.read() == b""
    rig.send(b"a")
    assert arrived(rig, stream, 1) == b"a"
    assert stream.read() == b""
    return None


def check_every_byte_arrives_as_it_was_sent(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    rig.send(EVERY_BYTE)
    assert arrived(rig, stream, 256) == EVERY_BYTE
    return None


def check_a_long_line_is_read_in_order(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    data = b""
    sent = b""
    for part in range(10):
        block = b"%04d " % part * 200
        sent += block
        rig.send(block)
        data += arrived(rig, stream, len(block))
    assert data == sent
    return None


def check_what_is_written_reaches_the_device(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    assert stream.write(b"") == 0
    assert stream.write(EVERY_BYTE) == 256
    assert rig.received(256) == EVERY_BYTE
    return None


def check_a_full_line_takes_a_part_and_never_waits(rig: StreamRig) -> "str | None":
    if not rig.fills:
        return "this line takes everything"
    stream = opened(rig)
    block = b"x" * 4096
    taken = 0
    for _ in range(1000):
        part = stream.write(block)
        taken += part
        if part < len(block):
            break
    assert part < len(block), "4 MB and never full"
    while stream.write(block):
        taken += 1  # more room was found behind
        assert taken < 10_000_000
    assert rig.received(1)[:1] == b"x"
    return None


def check_who_waits_is_told(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    called: list[bool] = []
    stream.ready = lambda: called.append(True)
    descriptor = stream.fileno()
    assert descriptor < 0 or not _readable(descriptor)
    rig.send(b"a")
    rig.settle(stream)
    assert called or _readable(descriptor)
    assert stream.read() == b"a"
    assert descriptor < 0 or not _readable(descriptor)
    return None


def check_a_device_that_goes_is_told_and_may_come_back(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    rig.send(b"torn")
    arrived(rig, stream, 4)
    rig.unplug()
    rig.settle(stream)
    refused(DeviceUnavailableError, stream.read, rig.name)
    assert stream.fileno() == -1
    refused(DeviceUnavailableError, stream.read, rig.name)
    refused(DeviceUnavailableError, stream.open, rig.name)
    refused(DeviceUnavailableError, stream.open, rig.name)
    rig.plug()
    stream.open()
    assert stream.read() == b""
    rig.send(b"whole")
    assert arrived(rig, stream, 5) == b"whole"
    return None


def check_a_device_that_goes_is_told_to_who_writes(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    rig.unplug()
    refused(DeviceUnavailableError, lambda: stream.write(b"?"), rig.name)
    assert stream.fileno() == -1
    rig.plug()
    stream.open()
    assert stream.write(b"!") == 1
    return None


def check_what_was_sent_to_nobody_is_not_read_later(rig: StreamRig) -> "str | None":
    """A card shown while the program was down opens no door when it is back."""
    rig.send(b"stale\n")
    stream = opened(rig)
    assert stream.read() == b""
    rig.send(b"fresh\n")
    assert arrived(rig, stream, 6) == b"fresh\n"
    return None


def check_an_open_stream_may_be_opened_anew(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    stream.open()
    rig.send(b"a")
    assert arrived(rig, stream, 1) == b"a"
    return None


def check_a_port_is_claimed_once(rig: StreamRig) -> "str | None":
    stream = opened(rig)
    refused(LineBusyError, lambda: rig.ports.stream(rig.name, 9600), rig.name)
    stream.close()
    stream.close()
    assert stream.fileno() == -1
    refused(DeviceUnavailableError, stream.read, rig.name)
    other = opened(rig)
    refused(LineBusyError, stream.open, rig.name)
    stream.close()
    rig.send(b"a")
    assert arrived(rig, other, 1) == b"a"
    return None


CHECKS = (
    check_a_stream_begins_closed,
    check_nothing_arrives_before_something_is_sent,
    check_every_byte_arrives_as_it_was_sent,
    check_a_long_line_is_read_in_order,
    check_what_is_written_reaches_the_device,
    check_a_full_line_takes_a_part_and_never_waits,
    check_who_waits_is_told,
    check_a_device_that_goes_is_told_and_may_come_back,
    check_a_device_that_goes_is_told_to_who_writes,
    check_what_was_sent_to_nobody_is_not_read_later,
    check_an_open_stream_may_be_opened_anew,
    check_a_port_is_claimed_once,
)


def run_all(make: "Callable[[], StreamRig]", not_here: "tuple[str, ...]" = ()) -> None:
    """Run every check, each on a fresh rig. `not_here`: those that are known not to apply."""
    skipped = []
    for check in CHECKS:
        rig = make()
        try:
            reason = check(rig)
        except Exception:
            print("failed: %s" % check.__name__)
            raise
        finally:
            rig.close()
        if reason is not None:
            skipped.append(check.__name__)
    assert tuple(skipped) == not_here, skipped


def _readable(descriptor: int) -> bool:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
