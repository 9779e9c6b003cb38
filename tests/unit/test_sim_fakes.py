# portable
"""`sim.fakes`: what the fakes add to the ports' contract: power, plugs, and a clock that can be set."""

from firmware.runtime.aio import VirtualClock
from hal.errors import DeviceUnavailableError, LineBusyError
from hal.ports import Edge
from sim.fakes import FakeLines, FakeSerialPorts, FakeTicks, FakeWall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def refused(kind: "Any", call: "Callable[[], object]") -> str:
    """The text with which `call` was refused."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError("nothing was refused")


def test_ticks_begin_at_0_with_each_boot() -> None:
    clock = VirtualClock(5000)
    ticks = FakeTicks(clock, 5000)
    clock.advance(20)
    assert ticks.ticks_ms() == 20
    ticks.restart()
    clock.advance(3)
    assert ticks.ticks_ms() == 3


def test_wall_time_runs_with_the_clock_and_can_be_set() -> None:
    clock = VirtualClock(700)
    wall = FakeWall(clock, 1_000_000, lambda utc_s: 3600 if utc_s < 2000 else 7200)
    clock.advance(10)
    assert wall.utc_ms() == 1_000_010
    wall.step(None, -4000)
    assert wall.utc_ms() == 996_010
    wall.step(5_000_000, None)
    clock.advance(1)
    assert wall.utc_ms() == 5_000_001
    assert (wall.offset_s(1999), wall.offset_s(2000)) == (3600, 7200)
    assert wall.vouched()


def test_an_edge_is_dated_when_it_happened_and_told_at_once() -> None:
    clock = VirtualClock(1000)
    lines = FakeLines(FakeTicks(clock, 1000))
    inputs = lines.inputs(["a", "b"], True, "up")
    told: list[int] = []
    inputs.ready = lambda: told.append(clock.now_ms())
    clock.advance(50)
    lines.drive("b", False)
    lines.drive("b", False)
    lines.drive("b", None, 10)
    assert inputs.take() == [Edge(1, True, 50), Edge(1, False, 40)]
    assert told == [1050, 1050]


def test_a_line_that_floats_by_its_own_pull_makes_no_edge() -> None:
    lines = FakeLines(FakeTicks(VirtualClock()))
    inputs = lines.inputs(["a"], True, "up")
    lines.drive("a", True)
    lines.drive("a", None)
    assert inputs.take() == []
    resting = lines.inputs(["c"], False, "none")
    assert resting.levels() == [False]


def test_without_power_nothing_is_held_and_no_output_drives_anything() -> None:
    lines = FakeLines(FakeTicks(VirtualClock()))
    shown: list[tuple[str, bool | None]] = []
    lines.on_output = lambda name, high: shown.append((name, high))
    output = lines.output("lock", True, False)
    output.write(True)
    inputs = lines.inputs(["contact"], True, "up")
    lines.power_off()
    assert shown == [("lock", True), ("lock", False), ("lock", None)]
    assert (lines.level("lock"), lines.output_level("lock")) == (False, None)
    assert lines.claimed() == []
    refused(DeviceUnavailableError, lambda: output.write(False))
    refused(DeviceUnavailableError, inputs.take)
    refused(DeviceUnavailableError, inputs.levels)
    output.close()
    inputs.close()
    assert shown[3:] == []


def test_the_next_start_finds_the_lines_as_the_world_left_them() -> None:
    lines = FakeLines(FakeTicks(VirtualClock()))
    old = lines.output("lock", False, False)
    lines.power_off()
    lines.drive("contact", False)
    again = lines.output("lock", False, False)
    old.close()
    again.write(True)
    assert lines.level("lock") is True
    assert lines.inputs(["contact"], True, "up").levels() == [True]


def test_a_port_is_claimed_once_until_it_is_closed() -> None:
    ports = FakeSerialPorts()
    stream = ports.stream("sim:a", 9600)
    text = refused(LineBusyError, lambda: ports.stream("sim:a", 9600))
    assert text == "sim:a: in use; expected a port that nobody has"
    stream.close()
    stream.close()
    ports.stream("sim:a", 9600)
    refused(LineBusyError, stream.open)


def test_bytes_wait_until_they_are_read_and_only_on_an_open_line() -> None:
    ports = FakeSerialPorts()
    device = ports.device_side("sim:a")
    stream = ports.stream("sim:a", 9600)
    told: list[str] = []
    stream.ready = lambda: told.append("ready")
    device.send(b"lost")
    stream.open()
    device.send(b"to")
    device.send(b"rn")
    assert (stream.read(), stream.read()) == (b"torn", b"")
    assert told == ["ready", "ready"]
    device.send(b"x" * 5000)
    assert len(stream.read()) == 4096
    assert stream.write(b"hello") == 5
    assert bytes(device.received) == b"hello"


def test_an_unplugged_device_is_gone_until_it_is_plugged_and_opened() -> None:
    ports = FakeSerialPorts()
    device = ports.device_side("sim:a")
    stream = ports.stream("sim:a", 9600)
    stream.open()
    told: list[str] = []
    stream.ready = lambda: told.append("ready")
    device.send(b"half")
    device.unplug()
    device.unplug()
    assert told == ["ready", "ready"]
    refused(DeviceUnavailableError, stream.read)
    text = refused(DeviceUnavailableError, stream.open)
    assert text == "sim:a: not there; expected a device"
    device.plug()
    refused(DeviceUnavailableError, stream.read)
    stream.open()
    assert stream.read() == b""
    device.send(b"back")
    assert stream.read() == b"back"


def test_a_stream_of_before_the_power_cut_is_dead_for_ever() -> None:
    ports = FakeSerialPorts()
    old = ports.stream("sim:a", 9600)
    old.open()
    ports.power_off()
    refused(DeviceUnavailableError, old.read)
    refused(DeviceUnavailableError, old.open)
    new = ports.stream("sim:a", 9600)
    new.open()
    old.close()
    ports.device_side("sim:a").send(b"1")
    assert new.read() == b"1"


# ---- a wall clock without a chip -------------------------------------------------------------------


def test_a_clock_without_a_chip_stands_still_without_power_and_nobody_vouches_for_it() -> None:
    clock = VirtualClock(0)
    wall = FakeWall(clock, 1_000_000, lambda utc_s: 0, False)
    assert wall.vouched()
    assert wall.second_ms() is None
    clock.advance(1000)
    wall.set_power(False)
    clock.advance(50_000)
    wall.set_power(True)
    assert (wall.utc_ms(), wall.vouched()) == (1_001_000, False)
    clock.advance(2999)
    assert (wall.utc_ms(), wall.vouched()) == (1_003_999, False)
    clock.advance(1)
    assert (wall.utc_ms(), wall.vouched()) == (1_054_000, True)


def test_no_server_answers_without_a_network() -> None:
    clock = VirtualClock(0)
    wall = FakeWall(clock, 1_000_000, lambda utc_s: 0, False)
    wall.set_power(False)
    wall.set_network(False)
    wall.set_power(True)
    clock.advance(9_000_000)
    assert not wall.vouched()
    wall.set_network(True)
    clock.advance(2999)
    assert not wall.vouched()
    clock.advance(1)
    assert wall.vouched()


def test_the_kernel_trusts_its_clock_for_some_hours_without_a_network() -> None:
    clock = VirtualClock(0)
    wall = FakeWall(clock, 1_000_000, lambda utc_s: 0, False)
    wall.set_network(False)
    clock.advance(31_999_999)
    assert wall.vouched()
    clock.advance(1)
    assert not wall.vouched()
    wall.set_network(True)
    assert wall.vouched()


def test_an_answer_sets_right_what_was_set_while_nobody_vouched_for_it() -> None:
    clock = VirtualClock(0)
    wall = FakeWall(clock, 1_000_000, lambda utc_s: 0, False)
    wall.jump_ms(5000)  # somebody sets the time everywhere
    wall.set_power(False)
    wall.set_power(True)
    wall.jump_ms(-400_000)
    assert wall.utc_ms() == 605_000
    clock.advance(3000)
    assert wall.utc_ms() == 1_008_000


def test_a_chip_carries_the_clock_through_a_power_cut_and_says_what_it_said_at_the_start() -> None:
    clock = VirtualClock(0)
    wall = FakeWall(clock, 1_000_000, lambda utc_s: 0)
    wall.set_power(False)
    clock.advance(50_000)
    wall.set_power(True)
    assert (wall.utc_ms(), wall.vouched(), wall.second_ms()) == (1_050_000, True, 1_050_000)
    wall.jump_ms(777_000)
    clock.advance(1000)
    assert (wall.utc_ms(), wall.second_ms()) == (1_828_000, 1_051_000)
