# portable
"""The simulator's analog inputs keep the contract of the port."""

from analog_checks import AnalogRig, run_all
from line_checks import refused

from hal.errors import DeviceUnavailableError
from sim.fakes import FakeAnalogInputs


class FakeRig(AnalogRig):
    """The simulator's channels."""

    unknown = "adc16"
    exact = 0

    def __init__(self) -> None:
        self._fake = FakeAnalogInputs()
        self.inputs = self._fake

    def drive(self, name: str, permille: int) -> None:
        self._fake.drive(name, permille)

    def lose(self) -> None:
        self._fake.set_answers(False)

    def find(self) -> None:
        self._fake.set_answers(True)


def test_the_simulators_analog_inputs_keep_the_contract() -> None:
    run_all(FakeRig)


def test_a_channel_that_hangs_in_the_air_is_pulled_to_the_supply() -> None:
    assert FakeAnalogInputs().channel("adc15").read() == 1000


def test_a_power_cut_forgets_every_claim_and_the_next_start_claims_anew() -> None:
    inputs = FakeAnalogInputs()
    before = inputs.channel("adc3")
    inputs.drive("adc3", 333)
    inputs.power_off()
    refused(DeviceUnavailableError, before.read, "adc3")
    after = inputs.channel("adc3")
    before.close()
    assert after.read() == 333
    refused(Exception, lambda: inputs.channel("adc3"), "adc3")


def test_whoever_reads_is_woken_when_the_converter_falls_silent() -> None:
    inputs = FakeAnalogInputs()
    channel = inputs.channel("adc0")
    woken: list[int] = []
    channel.ready = lambda: woken.append(1)
    inputs.set_answers(False)
    inputs.set_answers(True)
    assert len(woken) == 2
