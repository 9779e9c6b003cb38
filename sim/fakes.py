"""The fakes of the ports, in one place for whoever builds a simulator. Portable."""

from sim.fake_analog import FakeAnalogInputs
from sim.fake_clock import FakeTicks, FakeWall, zone_offset
from sim.fake_lines import FakeLines
from sim.fake_serial import DeviceSide, FakeSerialPorts

__all__ = [
    "DeviceSide",
    "FakeAnalogInputs",
    "FakeLines",
    "FakeSerialPorts",
    "FakeTicks",
    "FakeWall",
    "zone_offset",
]
