# portable
"""The simulator's serial lines keep the contract of the ports."""

from stream_checks import StreamRig, run_all

from hal.errors import DeviceUnavailableError
from sim.fakes import FakeSerialPorts


class FakeRig(StreamRig):
    """The simulator's ports; its device does nothing by itself."""

    name = "sim:yard-in"

    def __init__(self) -> None:
        self._fake = FakeSerialPorts()
        self.ports = self._fake
        self._device = self._fake.device_side(self.name)

    def send(self, data: bytes) -> None:
        self._device.send(data)

    def received(self, count: int) -> bytes:
        assert len(self._device.received) == count
        return bytes(self._device.received)

    def unplug(self) -> None:
        self._device.unplug()

    def plug(self) -> None:
        self._device.plug()


def test_the_simulators_serial_lines_keep_the_contract() -> None:
    run_all(FakeRig, ("check_a_full_line_takes_a_part_and_never_waits",))


def test_a_device_that_is_pulled_out_has_one_cause_before_and_after_the_first_try_to_open() -> None:
    rig = FakeRig()
    stream = rig.ports.stream(rig.name, 9600)
    stream.open()
    rig._device.unplug()
    said = []
    for call in (stream.read, stream.open):
        try:
            call()
        except DeviceUnavailableError as error:
            said.append(str(error))
    assert said == ["sim:yard-in: not there; expected a device"] * 2
